//! Crashes, long sleeps and clocks that jump.

use super::{House, action, at, daily, definition, with};
use crate::schedule::agenda::Input;
use serde_json::{Value, json};

const START: &str = "2027-06-01T06:00:00Z";

fn missed(definition: Value, policy: &str, grace: u32) -> Value {
    with(
        definition,
        "missed",
        json!({"policy": policy, "grace_seconds": grace}),
    )
}

fn hourly(policy: &str, grace: u32) -> Value {
    let trigger = json!({"kind": "every", "seconds": 3600, "anchor": "2027-01-01T00:00:00Z"});
    missed(
        definition(trigger, &[action("lamp", "turn_on", 0)]),
        policy,
        grace,
    )
}

#[test]
fn skip_runs_nothing_that_was_slept_through() {
    let mut house = House::new(START);
    let id = house.save(1, hourly("skip", 900));
    house.until("2027-06-01T06:30:00Z");
    house.down_until("2027-06-01T09:00:30Z");
    house.until("2027-06-01T10:30:00Z");
    assert_eq!(house.log(), ["10:00:00 turn_on"]);
    assert_eq!(
        house.history(id),
        [
            "07:00 missed",
            "08:00 missed",
            "09:00 missed",
            "10:00 fired"
        ]
    );
}

#[test]
fn once_runs_the_latest_within_the_grace() {
    for (back, last, log) in [
        (
            "2027-06-01T09:14:59Z",
            "09:00 fired",
            vec!["09:14:59 turn_on"],
        ),
        ("2027-06-01T09:15:01Z", "09:00 missed", vec![]),
    ] {
        let mut house = House::new(START);
        let id = house.save(1, hourly("once", 900));
        house.until("2027-06-01T06:30:00Z");
        house.down_until(back);
        assert_eq!(house.log(), log);
        assert_eq!(house.history(id), ["07:00 missed", "08:00 missed", last]);
    }
}

#[test]
fn all_runs_only_the_last_for_the_same_entity() {
    let mut house = House::new(START);
    let id = house.save(1, hourly("all", 0));
    house.until("2027-06-01T06:30:00Z");
    house.down_until("2027-06-01T09:30:00Z");
    assert_eq!(house.log(), ["09:30:00 turn_on"]);
    assert_eq!(
        house.history(id),
        ["07:00 superseded", "08:00 superseded", "09:00 fired"]
    );
}

#[test]
fn of_two_schedules_for_one_entity_the_later_wins_and_other_entities_are_served() {
    let mut house = House::new(START);
    let on = [action("lamp", "turn_on", 0), action("fan", "turn_on", 0)];
    let first = house.save(1, missed(daily("07:00", &on), "once", 86_400));
    let second = house.save(
        2,
        missed(
            daily("08:00", &[action("lamp", "turn_off", 0)]),
            "once",
            86_400,
        ),
    );
    house.until("2027-06-01T06:30:00Z");
    house.down_until("2027-06-01T09:00:00Z");
    let mut targets: Vec<String> = house
        .asked
        .iter()
        .map(|(_, run)| format!("{} {}", run.target.device, run.action))
        .collect();
    targets.sort();
    assert_eq!(targets, ["fan turn_on", "lamp turn_off"]);
    assert_eq!(house.history(first), ["07:00 fired"]);
    assert_eq!(house.history(second), ["08:00 fired"]);
}

#[test]
fn a_year_of_minutes_slept_through_leaves_a_hundred_rows_and_one_for_the_rest() {
    let mut house = House::new(START);
    let trigger = json!({"kind": "every", "seconds": 60, "anchor": "2027-01-01T00:00:00Z"});
    let id = house.save(
        1,
        missed(
            definition(trigger, &[action("lamp", "turn_on", 0)]),
            "skip",
            0,
        ),
    );
    house.down_until("2028-06-01T06:00:30Z");
    let history = house.history(id);
    assert_eq!(history.len(), 101);
    assert!(house.asked.is_empty());
    assert_eq!(history[100], "06:00 missed");
    let first = house.rows.occurrences.values().next().unwrap();
    assert_eq!(first.due_at, at("2027-06-01T06:01:00Z"));
    assert_eq!(first.reason.as_deref(), Some("too_many"));
}

#[test]
fn a_crash_between_the_row_and_the_command_is_repaired() {
    let mut house = House::new(START);
    let id = house.save(
        1,
        missed(daily("07:00", &[action("lamp", "turn_on", 0)]), "skip", 0),
    );
    house.until("2027-06-01T06:59:57Z");
    assert_eq!(house.history(id), ["07:00 claimed"]);
    house.down_until("2027-06-01T07:00:03Z");
    assert_eq!(house.log(), ["07:00:03 turn_on"]);
    assert_eq!(house.history(id), ["07:00 fired"]);
    // A day later the hub stays away for longer than any deadline.
    house.until("2027-06-02T06:59:57Z");
    house.down_until("2027-06-02T07:00:30Z");
    assert_eq!(house.history(id), ["07:00 fired", "07:00 missed"]);
}

#[test]
fn a_crash_between_the_command_and_its_record_asks_nothing_twice() {
    let mut house = House::new(START);
    let id = house.save(1, daily("07:00", &[action("lamp", "turn_on", 0)]));
    house.until("2027-06-01T06:59:59Z");
    house.dies_after_asking = true;
    house.until("2027-06-01T07:00:00Z");
    house.now = at("2027-06-01T07:00:00Z");
    house.input(Input::Tick);
    assert_eq!(house.history(id), ["07:00 claimed"]);
    house.down_until("2027-06-01T07:00:02Z");
    house.until("2027-06-01T07:30:00Z");
    assert_eq!(house.log().len(), 1);
    assert_eq!(house.history(id), ["07:00 fired"]);
}

#[test]
fn delayed_actions_are_judged_each_after_a_restart() {
    let mut house = House::new(START);
    let actions = [
        action("lamp", "turn_on", 0),
        action("fan", "turn_on", 600),
        action("heat", "turn_off", 3600),
    ];
    house.save(1, missed(daily("07:00", &actions), "once", 60));
    house.until("2027-06-01T07:05:00Z");
    house.down_until("2027-06-01T07:30:00Z");
    house.until("2027-06-01T09:00:00Z");
    assert_eq!(house.log(), ["07:00:00 turn_on", "08:10:00 turn_off"]);
    let states: Vec<&str> = house
        .rows
        .actions
        .values()
        .map(|run| run.state.as_str())
        .collect();
    assert_eq!(states, ["fired", "missed", "fired"]);
}

#[test]
fn a_clock_that_booted_in_1970_fires_nothing_until_it_is_set() {
    let mut house = House::new(START);
    let id = house.save(1, hourly("once", 900));
    house.until("2027-06-01T07:30:00Z");
    house.down_until("1970-01-01T00:00:10Z");
    house.until("1970-01-01T03:00:00Z");
    assert_eq!(house.log().len(), 1);
    assert_eq!(house.warnings.len(), 1, "{:?}", house.warnings);
    house.jump("2027-06-01T10:05:00Z");
    house.until("2027-06-01T11:30:00Z");
    assert_eq!(
        house.log(),
        ["07:00:00 turn_on", "10:05:00 turn_on", "11:00:00 turn_on"]
    );
    assert_eq!(
        house.history(id),
        [
            "07:00 fired",
            "08:00 missed",
            "09:00 missed",
            "10:00 fired",
            "11:00 fired"
        ]
    );
}

#[test]
fn a_clock_set_back_fires_nothing_twice_and_goes_on_where_it_was() {
    let mut house = House::new(START);
    let id = house.save(1, hourly("once", 900));
    house.until("2027-06-01T08:30:00Z");
    house.jump("2027-06-01T06:45:00Z");
    let other = house.save(2, hourly("once", 900));
    house.until("2027-06-01T09:30:00Z");
    assert_eq!(
        house.history(id),
        ["07:00 fired", "08:00 fired", "09:00 fired"]
    );
    assert_eq!(house.history(other), ["09:00 fired"]);
    assert_eq!(house.warnings.len(), 1);
}

#[test]
fn a_clock_set_forward_is_judged_like_a_sleep() {
    let mut house = House::new(START);
    let id = house.save(1, hourly("once", 900));
    house.until("2027-06-01T06:30:00Z");
    house.jump("2027-06-03T06:10:00Z");
    house.until("2027-06-03T07:30:00Z");
    let history = house.history(id);
    assert_eq!(history.len(), 49);
    assert_eq!(
        history[46..],
        ["05:00 missed", "06:00 fired", "07:00 fired"]
    );
    assert_eq!(house.log(), ["06:10:00 turn_on", "07:00:00 turn_on"]);
}

#[test]
fn a_person_may_say_that_the_clock_is_right() {
    let mut house = House::new(START);
    let id = house.save(1, hourly("once", 900));
    house.jump("2030-06-01T06:10:00Z");
    house.jump("2027-06-01T06:30:00Z");
    house.input(Input::ClockTrusted);
    house.until("2027-06-01T08:30:00Z");
    let last: Vec<String> = house.history(id).into_iter().take(2).collect();
    assert_eq!(last, ["07:00 missed", "08:00 fired"]);
    assert!(house.rows.last_instant.unwrap() < at("2028-01-01T00:00:00Z"));
}

#[test]
fn a_quick_restart_runs_nothing_twice_and_loses_nothing() {
    let mut house = House::new(START);
    let id = house.save(1, hourly("once", 900));
    for minute in 0..300 {
        let now = house.now.plus_millis(37_000);
        house.until_at(now);
        if minute % 3 == 0 {
            house.start();
        }
    }
    let fired = house.history(id);
    assert_eq!(fired, ["07:00 fired", "08:00 fired", "09:00 fired"]);
    assert_eq!(house.log().len(), 3);
}

#[test]
fn rows_of_the_plan_before_do_not_stand_before_the_new_ones() {
    let mut house = House::new(START);
    house.writable = false;
    let id = house.save(1, hourly("skip", 900));
    house.until("2027-06-01T06:50:00Z");
    // Killed, and what was slept through has its rows although nothing was persisted.
    house.down_until("2027-06-01T08:30:00Z");
    house.rows.last_instant = None;
    house.down_until("2027-06-01T07:10:00Z");
    house.writable = true;
    let trigger = json!({"kind": "every", "seconds": 900, "anchor": "2027-01-01T00:00:00Z"});
    house.save(1, definition(trigger, &[action("lamp", "turn_on", 0)]));
    house.down_until("2027-06-01T07:11:00Z");
    house.until("2027-06-01T07:50:00Z");
    assert_eq!(
        house.history(id),
        [
            "07:00 missed",
            "07:15 fired",
            "07:30 fired",
            "07:45 fired",
            "08:00 missed"
        ]
    );
    house.until("2027-06-01T08:20:00Z");
    assert_eq!(house.log().len(), 4, "08:00 has its row: {:?}", house.log());
}

#[test]
fn a_claim_that_was_given_up_is_not_ended_again_after_the_clock_was_set_back() {
    let mut house = House::new(START);
    house.writable = false;
    let id = house.save(1, hourly("skip", 0));
    house.until("2027-06-01T07:30:00Z");
    assert_eq!(house.history(id), ["07:00 failed"]);
    house.jump("2027-06-01T06:40:00Z");
    house.input(Input::ClockTrusted);
    house.until("2027-06-01T07:00:02Z");
    house.remove(id);
    assert_eq!(house.history(id), ["07:00 failed"]);
    assert_eq!(house.agenda.counts(), (0, 0));
}

#[test]
fn what_waits_for_its_delay_outlives_a_clock_that_is_set_back() {
    let mut house = House::new(START);
    let actions = [
        action("lamp", "turn_on", 0),
        action("lamp", "turn_off", 1800),
    ];
    let id = house.save(1, daily("07:00", &actions));
    house.until("2027-06-01T07:10:00Z");
    house.jump("2027-06-01T06:30:00Z");
    house.input(Input::ClockTrusted);
    house.until("2027-06-01T07:40:00Z");
    assert_eq!(house.log(), ["07:00:00 turn_on", "07:30:00 turn_off"]);
    assert_eq!(house.history(id), ["07:00 fired"]);
}

#[test]
fn a_schedule_saved_while_the_clock_was_ahead_runs_after_a_restart_too() {
    let mut house = House::new("2035-06-01T06:10:00Z");
    let id = house.save(1, hourly("once", 900));
    house.jump("2027-06-01T06:10:00Z");
    house.input(Input::ClockTrusted);
    house.down_until("2027-06-01T06:20:00Z");
    house.until("2027-06-01T08:30:00Z");
    assert_eq!(house.history(id), ["07:00 fired", "08:00 fired"]);
}
