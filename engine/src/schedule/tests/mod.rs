//! Tests of the schedule types and their calculus.

#![allow(clippy::unwrap_used)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "tests build their JSON in place"
)]

mod agenda;
mod calculus;
mod cron;
mod judge;
mod model;
mod read;
mod simulate;
mod sun;

use crate::schedule::{Gap, Home, Overlap, Place, Plan, Trigger, Zone, read_preview};
use crate::time::Timestamp;

/// Whether the long repetitions run in full.
#[expect(
    clippy::disallowed_methods,
    reason = "how long the tests run is the runner's choice"
)]
fn soak() -> bool {
    std::env::var("IOTHOME_SOAK").is_ok_and(|value| value == "1")
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect(text)
}

fn zone(name: &str) -> jiff::tz::TimeZone {
    Zone::named(name).expect(name).time_zone().clone()
}

fn home(zone_name: &str, place: Option<(f64, f64)>) -> Home {
    Home {
        zone: zone(zone_name),
        place: place.map(|(north, east)| Place::new(north, east).expect("on the globe")),
    }
}

fn trigger(json: &str) -> Trigger {
    let json: serde_json::Value = serde_json::from_str(json).expect(json);
    read_preview(
        &serde_json::json!({ "trigger": json }),
        at("2027-01-01T00:00:00Z"),
    )
    .expect("a trigger")
    .trigger
}

/// The local texts of the first occurrences, with their notes.
fn occurrences(
    home: &Home,
    json: &str,
    (gap, overlap): (Gap, Overlap),
    from: &str,
    count: usize,
) -> Vec<String> {
    let trigger = trigger(json);
    let plan = Plan {
        trigger: &trigger,
        gap,
        overlap,
        home,
    };
    plan.after(at(from))
        .take(count)
        .map(|due| match due.note {
            None => due.local_text(),
            Some(note) => format!("{} {note:?}", due.local_text()),
        })
        .collect()
}
