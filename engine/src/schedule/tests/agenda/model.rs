//! Random lives of a hub: saves, changes, kills, clocks that jump, writes that fail.
//! Whatever happens, each due instant has one row and one end, and nothing is asked
//! twice.

use super::{House, action, definition, with};
use crate::ids::ScheduleId;
use crate::schedule::OccurrenceState as State;
use crate::schedule::agenda::Input;
use crate::schedule::tests::soak;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeSet, HashSet};

#[derive(Clone, Debug)]
enum Step {
    Save {
        n: u8,
        minutes: u32,
        policy: u8,
        delay: u32,
        jitter: u32,
    },
    Toggle(u8),
    Remove(u8),
    Run(u8),
    SkipNext(u8),
    Live {
        seconds: i64,
    },
    Kill {
        seconds: i64,
    },
    Die {
        seconds: i64,
    },
    Jump {
        seconds: i64,
    },
    Trust,
    Writable(bool),
    Reachable(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..4_u8;
    prop_oneof![
        4 => (n.clone(), 2..90_u32, 0..3_u8, prop_oneof![Just(0_u32), 0..4_000_u32], prop_oneof![Just(0_u32), 0..300_u32])
            .prop_map(|(n, minutes, policy, delay, jitter)| Step::Save { n, minutes, policy, delay, jitter }),
        1 => n.clone().prop_map(Step::Toggle),
        1 => n.clone().prop_map(Step::Remove),
        1 => n.clone().prop_map(Step::Run),
        1 => n.prop_map(Step::SkipNext),
        8 => (1..8_000_i64).prop_map(|seconds| Step::Live { seconds }),
        2 => prop_oneof![1..10_i64, 1..9_000_i64].prop_map(|seconds| Step::Kill { seconds }),
        1 => (1..9_000_i64).prop_map(|seconds| Step::Die { seconds }),
        2 => (-9_000..9_000_i64).prop_map(|seconds| Step::Jump { seconds }),
        1 => Just(Step::Trust),
        1 => any::<bool>().prop_map(Step::Writable),
        1 => any::<bool>().prop_map(Step::Reachable),
    ]
}

fn id(n: u8) -> ScheduleId {
    ScheduleId::new(crate::time::Timestamp::from_millis(0), [n; 10])
}

fn perform(house: &mut House, step: &Step) {
    let live =
        |house: &mut House, seconds: i64| house.until_at(house.now.plus_millis(seconds * 1000));
    match *step {
        Step::Save {
            n,
            minutes,
            policy,
            delay,
            jitter,
        } => {
            let trigger = json!({
                "kind": "every", "seconds": minutes * 60, "jitter_seconds": jitter,
                "anchor": "2027-01-01T00:00:00Z",
            });
            // Two schedules drive one entity, so that they may supersede each other.
            let device = ["lamp", "lamp", "fan", "heat"][usize::from(n)];
            let actions = [
                action(device, "turn_on", 0),
                action("bell", "turn_off", delay),
            ];
            let policy = ["skip", "once", "all"][usize::from(policy)];
            let missed = json!({"policy": policy, "grace_seconds": 900});
            house.save(n, with(definition(trigger, &actions), "missed", missed));
        }
        Step::Toggle(n) if house.rows.schedules.contains_key(&id(n)) => {
            house.change(id(n), |s| s.definition.enabled = !s.definition.enabled);
        }
        Step::SkipNext(n) if house.rows.schedules.contains_key(&id(n)) => {
            let next = house.agenda.next_due(&id(n)).map(|due| due.at);
            house.change(id(n), |s| s.skip_due_at = next);
        }
        Step::Remove(n) => house.remove(id(n)),
        Step::Run(n) => house.input(Input::Run(id(n))),
        Step::Toggle(_) | Step::SkipNext(_) => {}
        Step::Live { seconds } => live(house, seconds),
        Step::Kill { seconds } => {
            house.now = house.now.plus_millis(seconds * 1000);
            house.start();
        }
        Step::Die { seconds } => {
            house.dies_after_asking = true;
            live(house, seconds);
            house.dies_after_asking = false;
            house.start();
        }
        Step::Jump { seconds } => {
            house.now = house.now.plus_millis(seconds * 1000);
            house.input(Input::Tick);
        }
        Step::Trust => {
            house.claimed.clear();
            house.input(Input::ClockTrusted);
        }
        Step::Writable(writable) => house.writable = writable,
        Step::Reachable(reachable) => house.reachable = reachable,
    }
}

fn check(house: &House) -> Result<(), TestCaseError> {
    let mut commands = HashSet::new();
    for (when, run) in &house.asked {
        prop_assert!(commands.insert(run.command), "asked twice: {:?}", run);
        prop_assert!(*when >= run.run_at, "asked too early: {:?}", run);
    }
    for ((key, _), run) in &house.rows.actions {
        let asked = commands.contains(&run.command);
        prop_assert_eq!(asked, run.state == State::Fired, "{:?}", run);
        prop_assert!(run.state.is_end(), "without an end: {:?}", run);
        prop_assert!(house.rows.occurrences.contains_key(key));
    }
    for row in house.rows.occurrences.values() {
        prop_assert!(row.state.is_end(), "without an end: {:?}", row);
        prop_assert_eq!(row.state == State::Claimed, row.ended_at.is_none());
    }
    Ok(())
}

/// Every due instant since a schedule was changed last has a row.
fn check_accounted(house: &House) -> Result<(), TestCaseError> {
    let home = super::berlin();
    for schedule in house.rows.schedules.values() {
        if !schedule.definition.enabled {
            continue;
        }
        let from = house.since[&schedule.id];
        let plan = crate::schedule::Plan::of(&schedule.definition, &home);
        let due: BTreeSet<_> = plan
            .after(from)
            .map(|due| due.at)
            .take_while(|due| *due <= house.agenda.reached())
            .collect();
        let rows: BTreeSet<_> = house
            .rows
            .occurrences
            .values()
            .filter(|row| row.schedule == schedule.id)
            .map(|row| row.due_at)
            .collect();
        let missing: Vec<_> = due.difference(&rows).collect();
        prop_assert!(
            missing.is_empty(),
            "{:?} of {:?}",
            missing,
            schedule.definition.trigger
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if soak() { 3_000 } else { 100 }))]

    #[test]
    fn each_due_instant_has_one_end_and_nothing_is_asked_twice(steps in prop::collection::vec(step(), 1..40)) {
        let mut house = House::new("2027-06-01T06:00:00Z");
        let mut farthest = house.now;
        for step in &steps {
            perform(&mut house, step);
            farthest = farthest.max(house.now).max(house.agenda.reached());
        }
        // Quiet hours after everything: the clock passes all that was reached.
        house.writable = true;
        house.reachable = true;
        let quiet = farthest.max(house.now);
        house.until_at(house.now.plus_millis(1));
        for n in 0..4 {
            house.remove_if_over(n);
        }
        house.until_at(quiet.plus_millis(20_000_000));
        check_accounted(&house)?;
        house.stop_all();
        house.until_at(house.now.plus_millis(20_000_000));
        check(&house)?;
        prop_assert_eq!(house.agenda.counts().1, 0, "something is left under way");
    }
}

impl House {
    /// Deletes a schedule that has nothing to come.
    fn remove_if_over(&mut self, n: u8) {
        let over = self.agenda.next_due(&id(n)).is_none();
        if over && self.rows.schedules.contains_key(&id(n)) {
            self.remove(id(n));
        }
    }

    /// Disables every schedule.
    fn stop_all(&mut self) {
        let ids: Vec<ScheduleId> = self.rows.schedules.keys().copied().collect();
        for id in ids {
            self.change(id, |s| s.definition.enabled = false);
        }
    }
}

#[test]
fn the_model_would_notice_a_row_that_is_missing() {
    let mut house = House::new("2027-06-01T06:00:00Z");
    let trigger = json!({"kind": "every", "seconds": 3600, "anchor": "2027-01-01T00:00:00Z"});
    house.save(1, definition(trigger, &[action("lamp", "turn_on", 0)]));
    house.until("2027-06-01T09:30:00Z");
    assert!(check_accounted(&house).is_ok());
    house.rows.occurrences.pop_first();
    assert!(check_accounted(&house).is_err());
}
