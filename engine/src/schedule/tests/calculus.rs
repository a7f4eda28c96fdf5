//! The calculus by example: what a household sees when clocks change.

use super::{at, home, occurrences, trigger};
use crate::schedule::{Gap, Overlap, Plan, check_plan, describe_trigger, jitter_ms};
use crate::time::Timestamp;

const USUAL: (Gap, Overlap) = (Gap::NextValid, Overlap::First);

#[test]
fn a_daily_time_in_the_gap_runs_at_the_first_instant_after_it() {
    let home = home("Europe/Berlin", None);
    let daily = r#"{"kind":"cron","expression":"30 2 * * *"}"#;
    assert_eq!(
        occurrences(&home, daily, USUAL, "2027-03-27T00:00:00Z", 3),
        [
            "2027-03-27T02:30:00+01:00",
            "2027-03-28T03:00:00+02:00 Gap",
            "2027-03-29T02:30:00+02:00",
        ]
    );
    assert_eq!(
        occurrences(
            &home,
            daily,
            (Gap::Skip, Overlap::First),
            "2027-03-27T00:00:00Z",
            2
        ),
        ["2027-03-27T02:30:00+01:00", "2027-03-29T02:30:00+02:00"]
    );
}

#[test]
fn a_daily_time_in_the_overlap_runs_first_second_or_both() {
    let home = home("Europe/Berlin", None);
    let daily = r#"{"kind":"cron","expression":"30 2 * * *"}"#;
    let from = "2027-10-31T00:00:00Z";
    let first = "2027-10-31T02:30:00+02:00 Overlap";
    let second = "2027-10-31T02:30:00+01:00 Overlap";
    let next = "2027-11-01T02:30:00+01:00";
    for (overlap, expected) in [
        (Overlap::First, vec![first, next]),
        (Overlap::Second, vec![second, next]),
        (Overlap::Both, vec![first, second, next]),
    ] {
        let found = occurrences(&home, daily, (Gap::Skip, overlap), from, expected.len());
        assert_eq!(found, expected);
    }
}

#[test]
fn occurrences_that_fall_on_one_instant_are_one() {
    let home = home("Europe/Berlin", None);
    let dense = r#"{"kind":"cron","expression":"0,30 2-3 * * *"}"#;
    assert_eq!(
        occurrences(&home, dense, USUAL, "2027-03-27T23:00:00Z", 3),
        [
            "2027-03-28T03:00:00+02:00 Gap",
            "2027-03-28T03:30:00+02:00",
            "2027-03-29T02:00:00+02:00",
        ]
    );
}

#[test]
fn an_hour_wildcard_follows_elapsed_time() {
    let home = home("Europe/Berlin", None);
    let line = r#"{"kind":"cron","expression":"30 */1 * * *"}"#;
    assert_eq!(
        occurrences(&home, line, USUAL, "2027-03-28T00:00:00Z", 2),
        ["2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00"]
    );
    assert_eq!(
        occurrences(&home, line, USUAL, "2027-10-30T23:45:00Z", 3),
        [
            "2027-10-31T02:30:00+02:00 Overlap",
            "2027-10-31T02:30:00+01:00 Overlap",
            "2027-10-31T03:30:00+01:00",
        ]
    );
}

#[test]
fn a_window_is_half_open_and_may_cross_midnight() {
    let home = home("Europe/Berlin", None);
    let every = r#"{"kind":"every","seconds":3600,"anchor":"2027-01-01T00:00:00Z",
        "window":{"from":"22:00","to":"01:00"}}"#;
    assert_eq!(
        occurrences(&home, every, USUAL, "2027-06-01T12:00:00Z", 4),
        [
            "2027-06-01T22:00:00+02:00",
            "2027-06-01T23:00:00+02:00",
            "2027-06-02T00:00:00+02:00",
            "2027-06-02T22:00:00+02:00",
        ]
    );
}

#[test]
fn an_interval_begins_at_its_anchor_and_is_not_moved_by_a_clock_change() {
    let home = home("Europe/Berlin", None);
    let every = r#"{"kind":"every","seconds":86400,"anchor":"2027-03-27T06:00:00.250Z"}"#;
    assert_eq!(
        occurrences(&home, every, USUAL, "2027-01-01T00:00:00Z", 2),
        ["2027-03-27T07:00:00+01:00", "2027-03-28T08:00:00+02:00"]
    );
}

#[test]
fn limits_leave_out_dates_and_days() {
    let home = home("Europe/Berlin", None);
    let limited = r#"{"kind":"cron","expression":"0 7 * * *","start_date":"2027-05-01",
        "end_date":"2027-05-11","excluded_dates":["2027-05-04"],"days":["TUE","SAT"]}"#;
    assert_eq!(
        occurrences(&home, limited, USUAL, "2027-01-01T00:00:00Z", 9),
        [
            "2027-05-01T07:00:00+02:00",
            "2027-05-08T07:00:00+02:00",
            "2027-05-11T07:00:00+02:00",
        ]
    );
}

#[test]
fn a_named_zone_is_kept_wherever_the_home_is() {
    let home = home("America/New_York", None);
    let at = r#"{"kind":"at","at":"2027-03-28T02:30","zone":"Europe/Berlin"}"#;
    assert_eq!(
        occurrences(&home, at, USUAL, "2027-01-01T00:00:00Z", 5),
        ["2027-03-28T03:00:00+02:00 Gap"]
    );
}

#[test]
fn what_makes_no_sense_now_is_refused_with_the_reason() {
    let berlin = home("Europe/Berlin", None);
    let now = at("2027-06-01T10:00:00Z");
    for (json, gap, field, words) in [
        (
            r#"{"kind":"at","at":"2028-03-26T02:30"}"#,
            Gap::Skip,
            "trigger.at",
            "does not exist",
        ),
        (
            r#"{"kind":"at","at":"2027-06-01T12:00"}"#,
            Gap::NextValid,
            "trigger.at",
            "in the past",
        ),
        (
            r#"{"kind":"at","at":"2027-07-01T12:00","end_date":"2027-06-30"}"#,
            Gap::Skip,
            "trigger.at",
            "never",
        ),
        (
            r#"{"kind":"cron","expression":"0 7 * * *","end_date":"2027-05-31"}"#,
            Gap::Skip,
            "trigger.end_date",
            "in the past",
        ),
        (
            r#"{"kind":"cron","expression":"0 7 * * MON","days":["TUE"]}"#,
            Gap::Skip,
            "trigger.expression",
            "never",
        ),
        (
            r#"{"kind":"sun","event":"dusk"}"#,
            Gap::Skip,
            "trigger.event",
            "place",
        ),
        (
            r#"{"kind":"every","seconds":86400,"anchor":"2027-01-01T12:00:00Z","window":{"from":"01:00","to":"02:00"}}"#,
            Gap::Skip,
            "trigger",
            "never",
        ),
    ] {
        let trigger = trigger(json);
        let plan = Plan {
            trigger: &trigger,
            gap,
            overlap: Overlap::First,
            home: &berlin,
        };
        let fault = check_plan(&plan, true, now).expect(json);
        assert_eq!(fault.field, field, "{json}");
        assert!(fault.problem.contains(words), "{json}: {fault}");
    }
}

#[test]
fn triggers_are_told_in_words() {
    for (json, words) in [
        (
            r#"{"kind":"at","at":"2027-03-28T02:30"}"#,
            "once, on 2027-03-28 at 02:30",
        ),
        (
            r#"{"kind":"every","seconds":900,"window":{"from":"08:00","to":"20:00"}}"#,
            "every 15 minutes from 08:00 to 20:00",
        ),
        (r#"{"kind":"every","seconds":5400}"#, "every 90 minutes"),
        (
            r#"{"kind":"cron","expression":"0 7 * * *"}"#,
            "every day at 07:00",
        ),
        (
            r#"{"kind":"cron","expression":"30 22 * * 1-5"}"#,
            "Monday to Friday at 22:30",
        ),
        (
            r#"{"kind":"cron","expression":"0 9 * * 6,0"}"#,
            "Saturday and Sunday at 09:00",
        ),
        (
            r#"{"kind":"cron","expression":"0 6,18 1 * *"}"#,
            "on day 1 of each month at 06:00 and 18:00",
        ),
        (
            r#"{"kind":"cron","expression":"*/15 * * * *"}"#,
            "every 15 minutes",
        ),
        (
            r#"{"kind":"cron","expression":"*/7 * * * *"}"#,
            "by the cron line */7 * * * *",
        ),
        (
            r#"{"kind":"sun","event":"sunset","offset_minutes":-30}"#,
            "30 minutes before sunset",
        ),
        (
            r#"{"kind":"sun","event":"dawn","days":["MON","WED"],"end_date":"2027-09-30","jitter_seconds":60,"zone":"Europe/Oslo"}"#,
            "at dawn, only on Monday and Wednesday, until 2027-09-30, up to 1 minute later, by the clocks of Europe/Oslo",
        ),
    ] {
        assert_eq!(describe_trigger(&trigger(json)), words);
    }
}

#[test]
fn jitter_is_the_same_whenever_it_is_asked_and_spread_over_its_range() {
    let schedule = crate::ids::ScheduleId::new(Timestamp::from_millis(0), [7; 10]);
    let all: Vec<i64> = (0..1_000)
        .map(|n| jitter_ms(schedule, Timestamp::from_millis(n * 60_000), 60))
        .collect();
    assert!(all.iter().all(|ms| (0..60_000).contains(ms)));
    assert!(all.iter().filter(|ms| **ms < 30_000).count() > 400);
    assert!(all.iter().filter(|ms| **ms >= 30_000).count() > 400);
    assert_eq!(
        jitter_ms(schedule, Timestamp::from_millis(60_000), 60),
        all[1]
    );
    assert_eq!(jitter_ms(schedule, Timestamp::from_millis(60_000), 0), 0);
}

#[test]
fn the_farthest_questions_have_an_answer() {
    let polar = home("Pacific/Apia", Some((90.0, 180.0)));
    for json in [
        r#"{"kind":"cron","expression":"59 23 29 2 *"}"#,
        r#"{"kind":"cron","expression":"* * * * *"}"#,
        r#"{"kind":"every","seconds":31622400,"anchor":"1970-01-01T00:00:00Z"}"#,
        r#"{"kind":"sun","event":"sunrise","offset_minutes":-720}"#,
        r#"{"kind":"at","at":"2100-12-31T23:59"}"#,
    ] {
        let trigger = trigger(json);
        let plan = Plan {
            trigger: &trigger,
            gap: Gap::Skip,
            overlap: Overlap::Both,
            home: &polar,
        };
        for after in [
            i64::MIN,
            -1,
            0,
            4_102_444_799_999,
            7_258_118_399_000,
            i64::MAX,
        ] {
            let after = Timestamp::from_millis(after);
            if let Some(due) = plan.next_after(after) {
                assert!(due.at > after, "{json} after {after}");
            }
        }
    }
}
