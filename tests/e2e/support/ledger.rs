//! The ledger of a story of schedules: what was written, compared with rows and receipts.
//!
//! Owner of what must hold whatever crashes: one state of each due instant, one row and one
//! id of each action, no id without a row, and no `press` received twice.

use super::device::Told;
use iothome_engine::command::{Cause, Status, reason};
use iothome_engine::ids::{CommandId, ScheduleId};
use iothome_engine::kind::Action;
use iothome_engine::schedule::{
    ActionRun, Home, MissedPolicy, OccurrenceState, Plan, Schedule, When, command_id,
};
use iothome_engine::time::Timestamp;
use iothome_store::{Decided, Store};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a due instant so long ago is known.
const SETTLED_AFTER_MS: i64 = 10_000;

/// What was written down, and what is known of it.
#[derive(Default)]
pub(crate) struct Ledger {
    chapter: Vec<Schedule>,
    endless: Vec<Schedule>,
    /// Each action of former and present chapters, by the one id that it may have.
    ids: BTreeMap<CommandId, Action>,
    tally: BTreeMap<String, usize>,
}

impl Ledger {
    /// Notes schedules that are due once.
    pub(crate) fn note(&mut self, made: Vec<Schedule>) {
        for schedule in &made {
            let due = due_of(schedule);
            self.note_ids(schedule, due);
        }
        self.chapter.extend(made);
    }

    /// Notes schedules that are due again and again.
    pub(crate) fn note_endless(&mut self, made: Vec<Schedule>) {
        self.endless.extend(made);
    }

    fn note_ids(&mut self, schedule: &Schedule, due: Timestamp) {
        for (index, action) in (0_u16..).zip(&schedule.definition.actions) {
            let id = command_id(schedule.id, due.as_millis(), index);
            self.ids.insert(id, action.action);
        }
    }

    /// Whether everything of this chapter has its end, and every command too.
    pub(crate) async fn is_settled(&self, store: &Store) -> Option<()> {
        let open = store.open_commands_all().await.expect("it answers");
        if !open.is_empty() {
            return None;
        }
        for schedule in &self.chapter {
            let rows = rows_of(schedule, store).await;
            let actions = rows.iter().flat_map(|row| &row.actions);
            let states = rows.iter().map(|row| row.occurrence.state);
            let mut states = states.chain(actions.map(|action| action.state));
            if rows.is_empty() || !states.all(OccurrenceState::is_end) {
                return None;
            }
        }
        Some(())
    }

    /// Compares the rows of this chapter with what was received.
    pub(crate) async fn compare(&self, store: &Store, told: &[Told]) {
        let received = Received::of(told);
        self.compare_values(told);
        for schedule in &self.chapter {
            let rows = rows_of(schedule, store).await;
            let [row] = rows.as_slice() else {
                panic!("not exactly one state: {schedule:?} {rows:?}");
            };
            assert_eq!(row.occurrence.due_at, due_of(schedule), "{row:?}");
            compare_one(schedule, row, store, &received).await;
        }
        for id in received.times.keys() {
            let command = store.command(*id).await.expect("it answers");
            assert!(command.is_some(), "{id} was received and has no row");
        }
    }

    /// No two actions of chapters set the same value: two ids of one value are two of one action.
    fn compare_values(&self, told: &[Told]) {
        let mut id_of: BTreeMap<&str, CommandId> = BTreeMap::new();
        for told in told.iter().filter(|told| told.topic.ends_with("/set")) {
            let id = told.id();
            if self.ids.contains_key(&id) {
                let one = *id_of.entry(&told.payload).or_insert(id);
                assert_eq!(one, id, "an action has two ids: {told:?}");
            }
        }
    }

    /// Forgets the schedules of this chapter, but not their ids.
    pub(crate) fn close_chapter(&mut self) -> Vec<ScheduleId> {
        *self.tally.entry("schedules".into()).or_default() += self.chapter.len();
        self.chapter.drain(..).map(|schedule| schedule.id).collect()
    }

    /// Compares what was due every minute: each due instant has one row, and nothing else has.
    pub(crate) async fn compare_endless(&mut self, store: &Store, now: Timestamp) {
        for schedule in std::mem::take(&mut self.endless) {
            let home = Home::utc();
            let plan = Plan::of(&schedule.definition, &home);
            let dues: Vec<Timestamp> = plan
                .after(schedule.updated_at)
                .map(|due| due.at)
                .take_while(|at| *at <= now)
                .collect();
            let rows = rows_of(&schedule, store).await;
            let decided: BTreeSet<_> = rows.iter().map(|row| row.occurrence.due_at).collect();
            assert_eq!(decided.len(), rows.len(), "one row of each: {rows:?}");
            for due in &dues {
                self.note_ids(&schedule, *due);
                let settled = now.millis_since(*due) > SETTLED_AFTER_MS;
                assert!(!settled || decided.contains(due), "{due:?} is forgotten");
            }
            for row in &rows {
                let due = row.occurrence.due_at;
                let ahead = due > now && due.millis_since(now) < SETTLED_AFTER_MS;
                assert!(dues.contains(&due) || ahead, "it was not due: {row:?}");
                let settled = now.millis_since(due) > SETTLED_AFTER_MS;
                let state = row.occurrence.state;
                assert!(!settled || state.is_end(), "it has no end: {row:?}");
                let ends = [
                    OccurrenceState::Claimed,
                    OccurrenceState::Fired,
                    OccurrenceState::Missed,
                    OccurrenceState::Superseded,
                ];
                assert!(ends.contains(&state), "{row:?}");
                *self
                    .tally
                    .entry(format!("every minute {}", state.as_str()))
                    .or_default() += 1;
            }
        }
    }

    /// Compares everything that was ever received with the ids that there may be.
    pub(crate) fn compare_all(&mut self, told: &[Told]) {
        let received = Received::of(told);
        for (id, times) in &received.times {
            let action = self.ids.get(id);
            let action = action.unwrap_or_else(|| panic!("{id} is the id of no action"));
            if *action == Action::Press {
                assert_eq!(*times, 1, "the press {id} was received {times} times");
                *self.tally.entry("presses received".into()).or_default() += 1;
            } else if *times > 1 {
                *self.tally.entry("sent again".into()).or_default() += times - 1;
            }
        }
    }

    /// How much there was of what.
    pub(crate) fn tally(&self) -> String {
        let parts = self.tally.iter().map(|(what, n)| format!("{n} {what}"));
        parts.collect::<Vec<_>>().join(", ")
    }
}

impl Told {
    fn id(&self) -> CommandId {
        let id = self.command.as_deref().and_then(|id| id.parse().ok());
        id.unwrap_or_else(|| panic!("a message without an id: {self:?}"))
    }
}

/// What the device received, by command id.
struct Received {
    times: BTreeMap<CommandId, usize>,
}

impl Received {
    fn of(told: &[Told]) -> Self {
        let mut times = BTreeMap::new();
        for told in told.iter().filter(|told| !told.repeated) {
            *times.entry(told.id()).or_default() += 1;
        }
        Self { times }
    }
}

async fn rows_of(schedule: &Schedule, store: &Store) -> Vec<Decided> {
    let rows = store.occurrences_of(schedule.id, 10_000, None).await;
    rows.expect("it answers")
}

fn due_of(schedule: &Schedule) -> Timestamp {
    let When::At { at } = schedule.definition.trigger.when else {
        panic!("it is due more than once: {schedule:?}");
    };
    let at = jiff::tz::TimeZone::UTC.to_timestamp(at).expect("in range");
    Timestamp::from_millis(at.as_millisecond())
}

async fn compare_one(schedule: &Schedule, row: &Decided, store: &Store, received: &Received) {
    match row.occurrence.state {
        OccurrenceState::Fired => {
            let asked = schedule.definition.actions.len();
            assert_eq!(row.actions.len(), asked, "a row of each action: {row:?}");
            for run in &row.actions {
                compare_action(run, store, received).await;
            }
        }
        OccurrenceState::Missed => {
            let policy = schedule.definition.missed.policy;
            assert_eq!(policy, MissedPolicy::Skip, "it could have run: {row:?}");
            for run in &row.actions {
                let times = received.times.get(&run.command);
                assert_eq!(times, None, "it was missed and was received: {row:?}");
            }
        }
        _ => panic!("nothing made it so: {row:?}"),
    }
}

async fn compare_action(run: &ActionRun, store: &Store, received: &Received) {
    let id = command_id(run.schedule, run.due_at.as_millis(), run.index);
    assert_eq!(run.command, id, "the id follows from the action");
    assert_eq!(run.state, OccurrenceState::Fired, "{run:?}");
    let command = store.command(id).await.expect("it answers");
    let command = command.unwrap_or_else(|| panic!("it was asked and has no row: {run:?}"));
    assert!(command.ended_at.is_some(), "it has no end: {command:?}");
    let is_of = matches!(&command.cause, Cause::Schedule { schedule, due_at, .. }
        if *schedule == run.schedule.to_string() && *due_at == run.due_at);
    assert!(is_of, "somebody else caused it: {command:?}");
    let times = received.times.get(&id).copied().unwrap_or(0);
    if run.action == Action::Press {
        assert!(times <= 1, "it was pressed {times} times: {run:?}");
        let delivered = command.status == Status::Delivered;
        assert!(!delivered || times == 1, "it never arrived: {command:?}");
    } else {
        // The device was there all the time, and no deadline is as short as the hub was away.
        assert!(times >= 1, "it never arrived: {command:?}");
        // A device that has it already after a restart is not asked again, so nothing confirms it.
        let restarted = command.reason.as_deref() == Some(reason::HUB_RESTARTED);
        let had_it = command.status == Status::TimedOut && restarted;
        let confirmed = command.status == Status::Confirmed;
        assert!(confirmed || had_it, "{command:?}");
    }
}
