//! The dry run: the same decisions as the agenda, on states that would follow.

use super::{at, home};
use crate::ids::{ScheduleId, UserId};
use crate::schedule::simulate::{LINES_MAX, LogEvent, simulate};
use crate::schedule::{Schedule, read_definition};
use crate::time::Timestamp;
use serde_json::{Value as Json, json};
use std::collections::HashMap;

fn schedule(n: u8, json: &Json) -> Schedule {
    let zero = Timestamp::from_millis(0);
    Schedule {
        id: ScheduleId::new(zero, [n; 10]),
        owner: UserId::new(zero, [0; 10]),
        definition: read_definition(json, Some(zero)).expect("a definition"),
        disabled_reason: None,
        skip_due_at: None,
        version: 1,
        created_at: zero,
        updated_at: zero,
    }
}

fn daily(time: &str, conditions: Json, action: &str, delay: u32) -> Json {
    let (hour, minute) = time.split_once(':').unwrap();
    json!({
        "name": time,
        "trigger": {"kind": "cron", "expression": format!("{minute} {hour} * * *")},
        "conditions": conditions,
        "actions": [{"device": "lamp", "entity": "light", "action": action, "delay_seconds": delay}],
    })
}

#[test]
fn conditions_see_the_states_that_earlier_actions_would_cause() {
    let on = |seconds: u32| json!({"kind": "state", "device": "lamp", "entity": "light", "is": "on", "for_seconds": seconds});
    let schedules = [
        schedule(1, &daily("07:00", Json::Null, "turn_on", 600)),
        schedule(2, &daily("07:30", on(1_200), "toggle", 0)),
        schedule(3, &daily("07:40", on(0), "turn_off", 0)),
    ];
    let home = home("Europe/Berlin", None);
    let span = (at("2027-03-27T00:00:00Z"), at("2027-03-28T00:00:00Z"));
    let made = simulate(&schedules, &home, HashMap::new(), span, LINES_MAX);
    let log: Vec<String> = made
        .log
        .iter()
        .map(|entry| match &entry.event {
            LogEvent::Asked { action, state, .. } => {
                let state = state.as_ref().map(ToString::to_string);
                format!("{} {action} {}", entry.at, state.unwrap_or_default())
            }
            LogEvent::Held { reason } => format!("{} held: {reason}", entry.at),
            LogEvent::Skipped => format!("{} skipped", entry.at),
        })
        .collect();
    assert_eq!(
        log,
        [
            "2027-03-27T06:10:00.000Z turn_on on",
            "2027-03-27T06:30:00.000Z toggle off",
            "2027-03-27T06:40:00.000Z held: lamp/light is off, not on",
        ]
    );
}

#[test]
fn a_year_of_two_hundred_schedules_is_run_whole_and_in_order() {
    let schedules: Vec<Schedule> = (0..200_u8)
        .map(|n| {
            let trigger = match n % 4 {
                0 => json!({"kind": "cron", "expression": format!("{} 7 * * MON-FRI", n % 60)}),
                1 => {
                    json!({"kind": "sun", "event": "sunset", "offset_minutes": i32::from(n) - 100})
                }
                2 => json!({"kind": "every", "seconds": 86_400, "anchor": "2027-01-01T00:00:00Z"}),
                _ => json!({"kind": "cron", "expression": format!("{} */6 * * *", n % 60)}),
            };
            schedule(
                n,
                &json!({
                    "name": "x", "trigger": trigger,
                    "actions": [{"device": "lamp", "entity": "light", "action": "turn_on"}],
                }),
            )
        })
        .collect();
    let home = home("Europe/Berlin", Some((52.52, 13.40)));
    let span = (at("2027-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z"));
    let made = simulate(&schedules, &home, HashMap::new(), span, LINES_MAX);
    assert!(!made.cut);
    assert!(made.log.is_sorted_by_key(|entry| entry.at));
    // 261 weekdays, 365 sunsets, 365 days, and four times a day, each for fifty schedules; the
    // year's ends lie in UTC, an hour off the local ones.
    let expected = 50 * (261 + 365 + 365 + 4 * 365);
    assert!(
        made.log.len().abs_diff(expected) <= 50,
        "{}",
        made.log.len()
    );
}

#[test]
fn no_more_of_the_log_is_kept_than_was_asked_for() {
    let schedules = [schedule(1, &daily("07:00", Json::Null, "turn_on", 0))];
    let home = home("Europe/Berlin", None);
    let span = (at("2027-03-01T00:00:00Z"), at("2027-03-11T00:00:00Z"));
    let made = simulate(&schedules, &home, HashMap::new(), span, 3);
    assert_eq!((made.log.len(), made.lines, made.cut), (3, 10, false));
}
