//! Reading definitions: what is accepted comes back, what is refused says why.

use super::{at, home};
use crate::schedule::{CronLine, Definition, When, check, read_definition};
use crate::time::Timestamp;
use serde_json::{Value, json};

fn now() -> Option<Timestamp> {
    Timestamp::parse("2027-03-01T12:34:56Z")
}

fn with_trigger(trigger: Value) -> Value {
    json!({
        "name": "Porch",
        "trigger": trigger,
        "actions": [{"device": "lamp", "entity": "light", "action": "turn_on"}],
    })
}

fn faults(json: &Value) -> Vec<String> {
    let faults = read_definition(json, now()).expect_err("it is refused");
    for fault in &faults {
        assert!(
            !fault.problem.is_empty() && !fault.example.is_empty(),
            "{fault:?}"
        );
    }
    faults.into_iter().map(|fault| fault.field).collect()
}

#[test]
fn a_full_definition_reads_back_from_what_it_writes() {
    let json = json!({
        "name": "Porch",
        "trigger": {
            "kind": "every", "seconds": 900, "anchor": "2027-03-01T08:00:00.000Z",
            "window": {"from": "20:00", "to": "02:00"}, "zone": "Europe/Berlin",
            "start_date": "2027-03-01", "end_date": "2027-09-30",
            "excluded_dates": ["2027-05-01"], "days": ["MON", "SUN"], "jitter_seconds": 60,
        },
        "gap": "skip",
        "overlap": "both",
        "missed": {"policy": "all", "grace_seconds": 60},
        "conditions": {"all": [
            {"kind": "state", "device": "door", "entity": "contact", "is": "off", "for_seconds": 300},
            {"any": [
                {"kind": "time", "from": "22:00", "to": "06:00", "days": ["MON"]},
                {"not": {"kind": "sun", "is": "up"}},
                {"kind": "state", "device": "room", "entity": "heat", "above": 18, "below": 21.5},
            ]},
        ]},
        "actions": [
            {"device": "lamp", "entity": "light", "action": "set", "value": {"brightness": 40}, "delay_seconds": 0},
            {"device": "lamp", "entity": "light", "action": "turn_off", "delay_seconds": 3600},
        ],
        "enabled": false,
    });
    let definition = read_definition(&json, None).expect("it is good");
    assert_eq!(serde_json::to_value(&definition).unwrap(), json);
    let again: Definition = serde_json::from_value(json).unwrap();
    assert_eq!(again, definition);
}

#[test]
fn what_is_not_said_has_its_default() {
    let json = with_trigger(json!({"kind": "at", "at": "2027-03-28T02:30"}));
    let written = serde_json::to_value(read_definition(&json, now()).unwrap()).unwrap();
    assert_eq!(
        written["trigger"],
        json!({"kind": "at", "at": "2027-03-28T02:30"})
    );
    assert_eq!(written["gap"], "next_valid");
    assert_eq!(written["overlap"], "first");
    assert_eq!(
        written["missed"],
        json!({"policy": "once", "grace_seconds": 900})
    );
    assert_eq!(written["enabled"], true);
    let every = with_trigger(json!({"kind": "every", "seconds": 900}));
    let every = serde_json::to_value(read_definition(&every, now()).unwrap()).unwrap();
    assert_eq!(every["trigger"]["anchor"], "2027-03-01T12:34:00.000Z");
}

#[test]
fn bad_triggers_are_refused_by_field() {
    for (trigger, field) in [
        (
            json!({"kind": "cron", "expression": "0 0 31 2 *"}),
            "trigger.expression",
        ),
        (
            json!({"kind": "cron", "expression": "@daily"}),
            "trigger.expression",
        ),
        (
            json!({"kind": "cron", "expression": "0 0 0 * * *"}),
            "trigger.expression",
        ),
        (
            json!({"kind": "cron", "expression": "61 0 * * *"}),
            "trigger.expression",
        ),
        (json!({"kind": "every", "seconds": 0}), "trigger.seconds"),
        (json!({"kind": "every", "seconds": 1}), "trigger.seconds"),
        (json!({"kind": "every"}), "trigger.seconds"),
        (
            json!({"kind": "every", "seconds": 900, "window": {"from": "08:00", "to": "08:00"}}),
            "trigger.window.to",
        ),
        (
            json!({"kind": "every", "seconds": 900, "window": {"from": "8", "to": "09:00"}}),
            "trigger.window.from",
        ),
        (
            json!({"kind": "every", "seconds": 900, "at": "x"}),
            "trigger.at",
        ),
        (
            json!({"kind": "at", "at": "2027-03-28T02:30+01:00"}),
            "trigger.at",
        ),
        (
            json!({"kind": "at", "at": "2027-02-30T02:30"}),
            "trigger.at",
        ),
        (
            json!({"kind": "at", "at": "2027-03-28T02:30", "zone": "Europe/Atlantis"}),
            "trigger.zone",
        ),
        (
            json!({"kind": "at", "at": "2027-03-28T02:30", "zone": "../../etc/passwd"}),
            "trigger.zone",
        ),
        (
            json!({"kind": "cron", "expression": "0 0 * * *", "start_date": "2027-03-02", "end_date": "2027-03-01"}),
            "trigger.end_date",
        ),
        (
            json!({"kind": "cron", "expression": "0 0 * * *", "days": []}),
            "trigger.days",
        ),
        (json!({"kind": "sun", "event": "noon"}), "trigger.event"),
        (
            json!({"kind": "sun", "event": "sunset", "offset_minutes": 721}),
            "trigger.offset_minutes",
        ),
        (json!({"kind": "state"}), "trigger.kind"),
        (json!("noon"), "trigger.kind"),
    ] {
        assert_eq!(faults(&with_trigger(trigger.clone())), [field], "{trigger}");
    }
}

#[test]
fn every_fault_of_a_definition_is_told_at_once() {
    let json = json!({
        "name": "",
        "trigger": {"kind": "every", "seconds": 1},
        "gap": "jump",
        "missed": {"policy": "once", "grace": 5},
        "conditions": {"kind": "state", "device": "door", "entity": "Contact", "is": "on", "above": 3},
        "actions": [
            {"device": "lamp", "entity": "light", "action": "set"},
            {"device": "lamp", "entity": "light", "action": "explode"},
            {"device": "lamp", "entity": "light", "action": "turn_on", "value": 3},
        ],
        "colour": "red",
    });
    let mut found = faults(&json);
    found.sort();
    assert_eq!(
        found,
        [
            "actions[0].value",
            "actions[1].action",
            "actions[2].value",
            "colour",
            "conditions.entity",
            "conditions.is",
            "gap",
            "missed.grace",
            "name",
            "trigger.seconds",
        ]
    );
}

#[test]
fn conditions_nest_only_so_deep_and_number_only_so_many() {
    let leaf = json!({"kind": "sun", "is": "up"});
    let mut deep = leaf.clone();
    for _ in 0..200 {
        deep = json!({"not": deep});
    }
    let many = Value::Array(vec![leaf; 1000]);
    for conditions in [deep, many] {
        let mut json = with_trigger(json!({"kind": "sun", "event": "dusk"}));
        json["conditions"] = conditions;
        assert_eq!(faults(&json).len(), 1);
    }
}

#[test]
fn a_cron_line_is_normalised() {
    for (line, normal) in [
        (" 30   2 * * 1-5 ", "30 2 * * MON-FRI"),
        ("0 7 * * 0", "0 7 * * SUN"),
        ("0 7 * * 7", "0 7 * * SUN"),
        ("0 7 * * 5-7", "0 7 * * FRI-SAT,SUN"),
        ("0 7 * * 0-7", "0 7 * * SUN-SAT"),
        ("0 7 * * 6-1", "0 7 * * SAT,SUN-MON"),
        ("0 7 * * fri-mon", "0 7 * * FRI-SAT,SUN-MON"),
        ("0 7 * * */2", "0 7 * * SUN,TUE,THU,SAT"),
        ("0 7 * * 1-7/2", "0 7 * * SUN,MON,WED,FRI"),
        ("0 7 * * 5l", "0 7 * * FRIL"),
        ("0 7 * * 1#2", "0 7 * * MON#2"),
        ("0 22-4 * * *", "0 22-23,0-4 * * *"),
        ("0 22-4/2 * * *", "0 0,2,4,22 * * *"),
        ("50-10/5 * * * *", "0,5,10,50,55 * * * *"),
        ("0 0 l-3w nov-feb *", "0 0 L-3W NOV-DEC,JAN-FEB *"),
        ("*/1 */1 */1 */1 */1", "* * * * *"),
        ("5,*/20 * * * *", "*/20,5 * * * *"),
    ] {
        assert_eq!(
            CronLine::parse(line).expect(line).as_str(),
            normal,
            "{line}"
        );
    }
}

#[test]
fn a_window_may_be_the_whole_day() {
    let window = json!({"from": "00:00", "to": "24:00"});
    let json = json!({
        "name": "All day",
        "trigger": {"kind": "every", "seconds": 900, "anchor": "2027-03-01T08:00:00Z", "window": window},
        "conditions": {"kind": "time", "from": "00:00", "to": "24:00"},
        "actions": [{"device": "lamp", "entity": "light", "action": "turn_on"}],
    });
    let definition = read_definition(&json, None).expect("it is good");
    let written = serde_json::to_value(&definition).unwrap();
    assert_eq!(written["trigger"]["window"], window);
    assert_eq!(read_definition(&written, None), Ok(definition.clone()));
    let noon = jiff::civil::Time::constant(12, 0, 0, 0);
    let When::Every { window, .. } = definition.trigger.when else {
        panic!("{definition:?}")
    };
    assert!(window.is_some_and(|window| window.has(noon)));
}

#[test]
fn jitter_is_less_than_the_interval() {
    let json = |jitter: u32| {
        json!({
            "name": "Shaken",
            "trigger": {"kind": "every", "seconds": 60, "anchor": "2027-03-01T08:00:00Z", "jitter_seconds": jitter},
            "actions": [{"device": "lamp", "entity": "light", "action": "turn_on"}],
        })
    };
    let check = |jitter| {
        let definition = read_definition(&json(jitter), None).expect("its shape is good");
        check(&definition, &home("UTC", None), at("2027-03-01T09:00:00Z"))
    };
    assert_eq!(check(59), Ok(()));
    let faults = check(60).expect_err("too much");
    assert_eq!(faults[0].field, "trigger.jitter_seconds");
}
