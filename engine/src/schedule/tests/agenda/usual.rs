//! What happens on an ordinary day.

use super::{House, action, at, daily, definition, with};
use crate::schedule::agenda::{CLAIM_AHEAD_MS, Input, Key};
use crate::schedule::{OccurrenceState as State, Reading};
use crate::value::Value;
use serde_json::json;

const START: &str = "2027-06-01T06:00:00Z";

#[test]
fn an_occurrence_is_written_ahead_and_asked_at_its_instant() {
    let mut house = House::new(START);
    let id = house.save(1, daily("07:00", &[action("lamp", "turn_on", 0)]));
    house.until("2027-06-01T06:59:58Z");
    assert_eq!(house.history(id), ["07:00 claimed"]);
    let row = house.rows.occurrences.values().next().unwrap();
    assert_eq!(row.due_at.millis_since(row.decided_at), CLAIM_AHEAD_MS);
    assert!(house.asked.is_empty());
    house.until("2027-06-03T12:00:00Z");
    assert_eq!(house.log(), ["07:00:00 turn_on"; 3]);
    assert_eq!(house.history(id), ["07:00 fired"; 3]);
    assert!(house.warnings.is_empty(), "{:?}", house.warnings);
}

#[test]
fn delays_add_up_and_each_action_has_its_row_and_id() {
    let mut house = House::new(START);
    let actions = [
        action("lamp", "turn_on", 0),
        action("fan", "turn_on", 600),
        action("lamp", "turn_off", 1200),
    ];
    let id = house.save(1, daily("07:00", &actions));
    house.until("2027-06-01T12:00:00Z");
    assert_eq!(
        house.log(),
        ["07:00:00 turn_on", "07:10:00 turn_on", "07:30:00 turn_off"]
    );
    let ids: std::collections::HashSet<_> =
        house.asked.iter().map(|(_, run)| run.command).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.as_uuid().get_version_num() == 5));
    assert_eq!(house.history(id), ["07:00 fired"]);
}

#[test]
fn disabling_or_deleting_cancels_what_was_not_asked() {
    for delete in [false, true] {
        let mut house = House::new(START);
        let actions = [
            action("lamp", "turn_on", 0),
            action("lamp", "turn_off", 600),
        ];
        let id = house.save(1, daily("07:00", &actions));
        house.until("2027-06-01T07:05:00Z");
        if delete {
            house.remove(id);
        } else {
            house.change(id, |s| s.definition.enabled = false);
        }
        house.until("2027-06-03T00:00:00Z");
        assert_eq!(house.log(), ["07:00:00 turn_on"]);
        let states: Vec<State> = house.rows.actions.values().map(|run| run.state).collect();
        assert_eq!(states, [State::Fired, State::Skipped]);
    }
}

#[test]
fn a_change_never_runs_what_is_past_nor_loses_what_was_written_ahead() {
    let mut house = House::new(START);
    let id = house.save(1, daily("07:00", &[action("lamp", "turn_on", 0)]));
    house.until("2027-06-01T06:59:57Z");
    house.change(id, |s| s.definition.name = "Renamed".into());
    house.until("2027-06-01T08:00:00Z");
    assert_eq!(house.log(), ["07:00:00 turn_on"]);
    // Moved to a time that is past today.
    house.save(1, daily("07:30", &[action("lamp", "turn_on", 0)]));
    house.until("2027-06-02T07:10:00Z");
    assert_eq!(house.log().len(), 1);
    house.until("2027-06-02T07:29:57Z");
    assert_eq!(house.history(id).last().unwrap(), "07:30 claimed");
    // Moved away at the last moment.
    house.save(1, daily("09:00", &[action("lamp", "turn_off", 0)]));
    house.until("2027-06-02T10:00:00Z");
    assert_eq!(house.log(), ["07:00:00 turn_on", "09:00:00 turn_off"]);
    assert_eq!(
        house.history(id),
        ["07:00 fired", "07:30 skipped", "09:00 fired"]
    );
}

#[test]
fn the_next_occurrence_can_be_skipped() {
    let mut house = House::new(START);
    let id = house.save(1, daily("07:00", &[action("lamp", "turn_on", 0)]));
    let next = house.agenda.next_due(&id).unwrap().at;
    house.change(id, |s| s.skip_due_at = Some(next));
    house.until("2027-06-02T08:00:00Z");
    assert_eq!(house.history(id), ["07:00 skipped", "07:00 fired"]);
}

#[test]
fn running_by_hand_asks_no_condition_and_leaves_the_plan_alone() {
    let mut house = House::new(START);
    let conditions = json!({"kind": "sun", "is": "down"});
    let json = with(
        daily("12:00", &[action("lamp", "turn_on", 0)]),
        "conditions",
        conditions,
    );
    let id = house.save(1, json);
    house.until("2027-06-01T06:30:00Z");
    house.input(Input::Run(id));
    assert_eq!(house.log(), ["06:30:00 turn_on"]);
    house.until("2027-06-01T13:00:00Z");
    assert_eq!(house.history(id), ["06:30 fired", "12:00 held"]);
}

#[test]
fn a_condition_holds_an_occurrence_back_and_says_why() {
    let mut house = House::new(START);
    let door = json!({"kind": "state", "device": "door", "entity": "main", "is": "off"});
    let json = with(
        daily("07:00", &[action("lamp", "turn_on", 0)]),
        "conditions",
        door,
    );
    let id = house.save(1, json);
    house.until("2027-06-01T08:00:00Z");
    let row = house.rows.occurrences.values().next().unwrap().clone();
    assert_eq!(row.state, State::Held);
    assert_eq!(
        row.reason.as_deref(),
        Some("condition: the state of door/main is not known")
    );
    let target = serde_json::from_value(json!({"device": "door", "entity": "main"})).unwrap();
    let value = Value::word("off");
    house
        .states
        .insert(target, Reading::Known { value, since: None });
    house.until("2027-06-02T08:00:00Z");
    assert_eq!(house.history(id), ["07:00 held", "07:00 fired"]);
}

#[test]
fn jitter_moves_the_command_and_not_the_due_instant() {
    let mut house = House::new(START);
    let trigger =
        json!({"kind": "cron", "expression": "0 7 * * *", "zone": "UTC", "jitter_seconds": 3600});
    let id = house.save(1, definition(trigger, &[action("lamp", "turn_on", 0)]));
    house.until("2027-06-11T06:00:00Z");
    assert_eq!(house.history(id), ["07:00 fired"; 10]);
    let times: std::collections::HashSet<String> = house.log().into_iter().collect();
    assert!(times.len() > 8, "{times:?}");
}

#[test]
fn rows_that_cannot_be_written_are_tried_again_and_nothing_is_asked_before() {
    let mut house = House::new(START);
    let id = house.save(1, daily("07:00", &[action("lamp", "turn_on", 0)]));
    house.writable = false;
    house.until("2027-06-01T07:03:00Z");
    assert!(house.asked.is_empty());
    house.writable = true;
    house.until("2027-06-01T07:04:00Z");
    assert_eq!(house.history(id), ["07:00 fired"]);
    assert_eq!(house.log().len(), 1);
    // Too long: the grace is over.
    house.until("2027-06-02T06:59:00Z");
    house.writable = false;
    house.until("2027-06-02T08:00:00Z");
    house.writable = true;
    house.until("2027-06-02T09:00:00Z");
    assert_eq!(house.history(id), ["07:00 fired", "07:00 failed"]);
}

#[test]
fn an_action_that_cannot_be_asked_now_is_tried_again_for_a_few_seconds() {
    let mut house = House::new(START);
    let id = house.save(1, daily("07:00", &[action("lamp", "turn_on", 0)]));
    house.until("2027-06-01T06:59:59Z");
    house.reachable = false;
    house.until("2027-06-01T07:00:02Z");
    house.reachable = true;
    house.until("2027-06-01T07:01:00Z");
    assert_eq!(house.history(id), ["07:00 fired"]);
    house.reachable = false;
    house.until("2027-06-02T07:01:00Z");
    assert_eq!(house.history(id), ["07:00 fired", "07:00 failed"]);
}

#[test]
fn what_another_hub_decided_is_left_to_it() {
    let mut house = House::new(START);
    let id = house.save(1, daily("07:00", &[action("lamp", "turn_on", 0)]));
    let due_at = at("2027-06-01T07:00:00Z");
    let mut other = House::new(START);
    other.save(1, daily("07:00", &[action("lamp", "turn_on", 0)]));
    other.until("2027-06-01T06:59:58Z");
    house.rows.occurrences = std::mem::take(&mut other.rows.occurrences);
    house.until("2027-06-01T07:10:00Z");
    assert!(house.asked.is_empty());
    assert!(house.rows.occurrences.contains_key(&Key {
        schedule: id,
        due_at
    }));
}

#[test]
fn what_was_once_is_finished_when_its_last_action_ended() {
    let mut house = House::new(START);
    let trigger = json!({"kind": "at", "at": "2027-06-01T07:00", "zone": "UTC"});
    let actions = [
        action("lamp", "turn_on", 0),
        action("lamp", "turn_off", 600),
    ];
    let id = house.save(1, definition(trigger, &actions));
    house.until("2027-06-01T07:09:00Z");
    assert!(house.finished.is_empty());
    house.until("2027-06-01T07:11:00Z");
    assert_eq!(house.finished, [id]);
}

#[test]
fn what_was_cancelled_ahead_is_not_claimed_again() {
    let mut house = House::new(START);
    let id = house.save(1, daily("07:00", &[action("lamp", "turn_on", 0)]));
    house.until("2027-06-01T06:59:57Z");
    house.change(id, |s| s.definition.enabled = false);
    house.change(id, |s| s.definition.enabled = true);
    house.until("2027-06-01T07:30:00Z");
    assert_eq!(house.history(id), ["07:00 skipped"]);
    assert!(house.log().is_empty(), "{:?}", house.log());
    house.until("2027-06-02T07:30:00Z");
    assert_eq!(house.history(id), ["07:00 skipped", "07:00 fired"]);
}

#[test]
fn two_runs_by_hand_in_one_millisecond_are_two() {
    let mut house = House::new(START);
    let id = house.save(1, daily("07:00", &[action("lamp", "turn_on", 0)]));
    house.input(Input::Run(id));
    house.input(Input::Run(id));
    assert_eq!(house.log(), ["06:00:00 turn_on", "06:00:00 turn_on"]);
    assert_eq!(house.history(id), ["06:00 fired", "06:00 fired"]);
}
