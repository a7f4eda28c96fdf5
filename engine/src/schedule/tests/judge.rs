//! Conditions: what holds, what does not, and what nobody knows.

use super::{at, home};
use crate::ids::EntityRef;
use crate::schedule::{Condition, Definition, Reading, Verdict, judge};
use crate::value::Value;
use serde_json::{Value as Json, json};

const NOW: &str = "2027-06-01T10:00:00Z";

fn condition(json: Json) -> Condition {
    let definition: Definition = serde_json::from_value(json!({
        "name": "x",
        "trigger": {"kind": "cron", "expression": "0 7 * * *"},
        "conditions": json,
        "actions": [{"device": "lamp", "entity": "light", "action": "turn_on"}],
    }))
    .expect("a definition");
    definition.conditions.expect("a condition")
}

fn read(target: &EntityRef) -> Reading {
    let since = |text: &str| Some(at(text));
    match target.to_string().as_str() {
        "door/contact" => Reading::Known {
            value: Value::word("off"),
            since: since("2027-06-01T09:55:00Z"),
        },
        "room/heat" => Reading::Known {
            value: Value::number(21.5).unwrap(),
            since: None,
        },
        "cellar/pump" => Reading::Unavailable,
        _ => Reading::Unknown,
    }
}

fn judged(json: Json) -> Result<(), String> {
    let home = home("Europe/Berlin", Some((52.52, 13.40)));
    match judge(&condition(json), &home, at(NOW), &read) {
        Verdict::Holds => Ok(()),
        Verdict::Fails(why) => Err(why),
    }
}

fn state(device: &str, entity: &str, more: Json) -> Json {
    let mut json = json!({"kind": "state", "device": device, "entity": entity});
    json.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json
}

#[test]
fn a_state_must_be_so_and_for_long_enough() {
    assert_eq!(
        judged(state(
            "door",
            "contact",
            json!({"is": "off", "for_seconds": 300})
        )),
        Ok(())
    );
    let short = judged(state(
        "door",
        "contact",
        json!({"is": "off", "for_seconds": 301}),
    ));
    assert_eq!(
        short,
        Err("door/contact is off only for 300 seconds, not 301".into())
    );
    let other = judged(state("door", "contact", json!({"is": "on"})));
    assert_eq!(other, Err("door/contact is off, not on".into()));
    assert_eq!(
        judged(state("room", "heat", json!({"above": 21, "below": 21.6}))),
        Ok(())
    );
    assert_eq!(judged(state("room", "heat", json!({"is": 21.5}))), Ok(()));
    assert!(judged(state("room", "heat", json!({"above": 21.5}))).is_err());
    assert!(judged(state("room", "heat", json!({"is": 21.5, "for_seconds": 1}))).is_err());
}

#[test]
fn what_nobody_knows_holds_neither_way() {
    let pump = state("cellar", "pump", json!({"is": "on"}));
    assert_eq!(
        judged(pump.clone()),
        Err("cellar/pump is not available".into())
    );
    assert_eq!(
        judged(json!({"not": pump.clone()})),
        Err("cellar/pump is not available".into())
    );
    let ghost = state("attic", "ghost", json!({"is": "on"}));
    assert_eq!(
        judged(ghost.clone()),
        Err("the state of attic/ghost is not known".into())
    );
    let door = state("door", "contact", json!({"is": "off"}));
    assert_eq!(
        judged(json!({"any": [ghost.clone(), door.clone()]})),
        Ok(())
    );
    assert!(judged(json!({"all": [ghost, door]})).is_err());
}

#[test]
fn times_and_days_are_those_of_the_home() {
    // 12:00 in Berlin, a Tuesday.
    assert_eq!(
        judged(json!({"kind": "time", "from": "12:00", "to": "13:00"})),
        Ok(())
    );
    assert!(judged(json!({"kind": "time", "from": "11:00", "to": "12:00"})).is_err());
    assert_eq!(judged(json!({"kind": "time", "days": ["TUE"]})), Ok(()));
    assert_eq!(
        judged(json!({"kind": "time", "days": ["MON"]})),
        Err("it is TUE".into())
    );
    assert_eq!(judged(json!({"kind": "sun", "is": "up"})), Ok(()));
    assert_eq!(
        judged(json!({"kind": "sun", "is": "down"})),
        Err("the sun is up".into())
    );
    let not = judged(json!({"not": {"kind": "sun", "is": "up"}}));
    assert_eq!(not, Err("not wanted, but so: the sun is up".into()));
}

#[test]
fn a_reason_tells_a_few_parts_and_is_never_long() {
    let wrong: Vec<Json> = (0..49)
        .map(|n| {
            state(
                "lamp",
                "light",
                json!({"is": format!("{n}{}", "x".repeat(900))}),
            )
        })
        .collect();
    let why = judged(json!({"any": wrong})).expect_err("none is so");
    assert!(why.chars().count() <= 301, "{}", why.len());
    let short: Vec<Json> = (0..5)
        .map(|n| state("lamp", "light", json!({"is": n.to_string()})))
        .collect();
    let why = judged(json!({"any": short})).expect_err("none is so");
    assert!(why.ends_with("; and 2 more"), "{why}");
}
