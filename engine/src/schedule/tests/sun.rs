//! The sun against published almanacs, and the polar seasons.

use super::{at, home, occurrences, trigger};
use crate::schedule::wall::DAY;
use crate::schedule::{Gap, Overlap, Place, Plan, SunEvent, sun};
use crate::time::Timestamp;
use std::collections::BTreeSet;

const USUAL: (Gap, Overlap) = (Gap::NextValid, Overlap::First);

/// The minutes of a day at which an event happens.
fn events(place: Place, event: SunEvent, midnight: i64) -> Vec<i64> {
    let mut after = midnight - 1;
    let mut found = Vec::new();
    while let Some(next) = sun::next_after(place, event, 0, after, |_| None)
        && next.at < midnight + DAY
    {
        found.push((next.at - midnight) / 60);
        after = next.at;
    }
    found
}

fn published(field: &str) -> Vec<i64> {
    let number: Option<i64> = field.parse().ok();
    number
        .map(|hhmm| hhmm / 100 * 60 + hhmm % 100)
        .into_iter()
        .collect()
}

/// Both round to the minute, so two that differ by seconds may print one minute apart: that is
/// the most that is allowed, and nine of ten print the same.
#[test]
fn the_sun_keeps_to_the_almanac_to_the_minute_at_ten_places() {
    let (mut compared, mut same) = (0, 0);
    let mut places = BTreeSet::new();
    for line in include_str!("almanac.csv")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let fields: Vec<&str> = line.split(',').collect();
        let [name, north, east, ahead, what, date, first, last] = fields[..] else {
            panic!("{line}");
        };
        places.insert(name);
        let place = Place::new(north.parse().unwrap(), east.parse().unwrap()).unwrap();
        let ahead: i64 = ahead.parse().unwrap();
        let midnight = at(&format!("{date}T00:00:00Z")).as_millis() / 1000 - ahead * 3_600;
        let (rise, set) = match what {
            "sun" => (SunEvent::Sunrise, SunEvent::Sunset),
            _ => (SunEvent::Dawn, SunEvent::Dusk),
        };
        for (event, field) in [(rise, first), (set, last)] {
            let (found, published) = (events(place, event, midnight), published(field));
            assert_eq!(
                found.len(),
                published.len(),
                "{line}: {event:?} at {found:?}"
            );
            for (found, published) in found.into_iter().zip(published) {
                assert!(
                    (found - published).abs() <= 1,
                    "{line}: {event:?} at {found}"
                );
                compared += 1;
                same += usize::from(found == published);
            }
        }
    }
    assert_eq!(places.len(), 10);
    assert!(compared > 700, "{compared}");
    assert!(
        same * 10 >= compared * 9,
        "{same} of {compared} print the same"
    );
}

#[test]
fn beyond_the_polar_circle_a_sunset_waits_for_the_season() {
    // USNO: the sun that rises on 2014-05-18 sets on July 25.
    let tromso = home("Europe/Oslo", Some((69.5, 19.0)));
    let found = occurrences(
        &tromso,
        r#"{"kind":"sun","event":"sunset"}"#,
        USUAL,
        "2014-05-16T22:00:00Z",
        2,
    );
    // 23:06 by UTC+1; the sun comes in so flatly that seconds of its place are a minute.
    assert!(found[0].starts_with("2014-05-18T00:0"), "{}", found[0]);
    assert!(found[1].starts_with("2014-07-26T00:"), "{}", found[1]);
}

#[test]
fn offsets_days_and_dates_apply_to_the_instant_that_is_due() {
    let berlin = home("Europe/Berlin", Some((52.52, 13.40)));
    let from = "2027-06-01T00:00:00Z";
    let first = |json: &str| {
        let trigger = trigger(json);
        let plan = Plan {
            trigger: &trigger,
            gap: Gap::Skip,
            overlap: Overlap::First,
            home: &berlin,
        };
        plan.next_after(at(from)).unwrap()
    };
    let friday = first(r#"{"kind":"sun","event":"sunset","start_date":"2027-07-02"}"#);
    assert!(
        friday.local_text().starts_with("2027-07-02T21:"),
        "{friday:?}"
    );
    // Three hours after Friday's sunset it is Saturday.
    let later = first(
        r#"{"kind":"sun","event":"sunset","offset_minutes":180,"days":["SAT"],
            "start_date":"2027-07-01"}"#,
    );
    assert_eq!(later.at, friday.at.plus_millis(180 * 60_000));
}

#[test]
fn an_event_has_one_instant_whoever_asks_when() {
    for (north, east) in [
        (52.52, 13.40),
        (78.22, 15.63),
        (-77.85, 166.67),
        (1.3, -179.9),
    ] {
        let home = home("UTC", Some((north, east)));
        let trigger = trigger(r#"{"kind":"sun","event":"sunrise"}"#);
        let plan = Plan {
            trigger: &trigger,
            gap: Gap::Skip,
            overlap: Overlap::First,
            home: &home,
        };
        let start = at("2027-01-01T00:00:00Z");
        let year: Vec<Timestamp> = plan.after(start).map(|due| due.at).take(200).collect();
        for hours in (0..200 * 24).step_by(7) {
            let after = start.plus_millis(hours * 3_600_000);
            let expected = year.iter().find(|at| **at > after);
            if let Some(expected) = expected {
                assert_eq!(plan.next_after(after).map(|due| due.at), Some(*expected));
            }
        }
    }
}

#[test]
fn the_sun_is_up_between_its_rise_and_its_set() {
    let berlin = Place::new(52.52, 13.40).unwrap();
    let midnight = at("2027-06-01T00:00:00Z");
    let event = |event| {
        let found = sun::next_after(berlin, event, 0, midnight.as_millis() / 1000, |_| None);
        Timestamp::from_millis(found.unwrap().at * 1000)
    };
    let (rise, set) = (event(SunEvent::Sunrise), event(SunEvent::Sunset));
    for (instant, up) in [
        (rise.plus_millis(-60_000), false),
        (rise.plus_millis(60_000), true),
        (set.plus_millis(-60_000), true),
        (set.plus_millis(60_000), false),
    ] {
        assert_eq!(sun::is_up(berlin, instant), up, "{instant}");
    }
}
