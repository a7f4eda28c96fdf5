//! Instants as people of the home read them.
//!
//! Owner of how a moment is written. It must never read a clock: now and the
//! home's zone are arguments.

use crate::texts::Texts;
use iothome_engine::time::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

/// An instant, ready to be shown: absolute local time, which the script may turn into a relative one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    iso: String,
    short: String,
    full: String,
}

impl When {
    /// `at` in the home's zone; the day is left out when it is the day of `now`, and so are the
    /// seconds of what is to come on the minute.
    pub fn new(t: &Texts, at: Timestamp, now: Timestamp, zone: &TimeZone) -> Self {
        let local = zoned(at, zone);
        let today = zoned(now, zone).date();
        let is_planned = at > now && local.second() == 0;
        let short = if local.date() == today && is_planned {
            local.strftime("%H:%M").to_string()
        } else if local.date() == today {
            local.strftime("%H:%M:%S").to_string()
        } else if local.year() == today.year() {
            format!(
                "{}, {}",
                t.dates.day(local.datetime()),
                local.strftime("%H:%M")
            )
        } else {
            format!(
                "{}, {}",
                t.dates.day_of_year(local.datetime()),
                local.strftime("%H:%M")
            )
        };
        Self {
            iso: at.to_string(),
            short,
            full: t.dates.full(local.datetime()),
        }
    }

    /// The short form, for places that hold no markup (chart labels).
    pub fn short(&self) -> &str {
        &self.short
    }
}

fn zoned(at: Timestamp, zone: &TimeZone) -> jiff::ZonedDateTime {
    // The engine's instants lie within the years jiff knows; the epoch is only for the compiler.
    jiff::Timestamp::from_millisecond(at.as_millis())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned_datetime(zone.clone())
}

/// A moment the script may show as "3 min ago".
pub fn ago(when: &When) -> Markup {
    html! { time datetime=(when.iso) title=(when.full) data-ago { (when.short) } }
}

/// A moment that stays absolute.
pub fn at(when: &When) -> Markup {
    html! { time datetime=(when.iso) title=(when.full) { (when.short) } }
}

/// How long something lasted, in its two largest units: "3 h 12 min".
pub fn duration(t: &Texts, ms: i64) -> String {
    let seconds = (ms.max(0) + 500) / 1_000;
    let units = [
        (86_400, t.chart.days),
        (3_600, t.chart.hours),
        (60, t.chart.minutes),
        (1, t.chart.seconds),
    ];
    let first = units
        .iter()
        .position(|(size, _)| seconds >= *size)
        .unwrap_or(3);
    let (size, unit) = units[first];
    let whole = format!("{} {unit}", seconds / size);
    match units.get(first + 1) {
        Some((below, unit)) if seconds % size >= *below => {
            format!("{whole} {} {unit}", seconds % size / below)
        }
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{ENGLISH, GERMAN};

    #[test]
    fn a_moment_is_told_in_the_home_zone_and_names_the_day_only_when_it_is_another() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let now = Timestamp::parse("2026-11-24T07:52:37Z").expect("an instant");
        let today = When::new(&ENGLISH, now.plus_millis(-60_000), now, &zone);
        assert_eq!(today.short(), "08:51:37");
        let planned = now.plus_millis(3_600_000 - 37_000);
        let planned = When::new(&ENGLISH, planned, now, &zone);
        assert_eq!(planned.short(), "09:52");
        let earlier = When::new(&ENGLISH, now.plus_millis(-9 * 3_600_000), now, &zone);
        assert_eq!(earlier.short(), "23 Nov, 23:52");
        let german = When::new(&GERMAN, now.plus_millis(-9 * 3_600_000), now, &zone);
        assert_eq!(german.short(), "23. Nov., 23:52");
        assert!(
            ago(&german)
                .into_string()
                .contains("Montag, 23. November 2026, 23:52:37")
        );
        let long_ago = When::new(&ENGLISH, now.plus_millis(-400 * 86_400_000), now, &zone);
        assert_eq!(long_ago.short(), "20 Oct 2025, 09:52");
    }

    #[test]
    fn a_duration_is_told_in_its_two_largest_units() {
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_725, "1 h 2 min"),
            (7_200, "2 h"),
            (90_000, "1 d 1 h"),
            (-5, "0 s"),
        ] {
            assert_eq!(duration(&ENGLISH, seconds * 1_000), words);
        }
        assert_eq!(duration(&GERMAN, 3_725_000), "1 Std. 2 Min.");
    }

    #[test]
    fn the_farthest_instants_do_not_stop_a_page() {
        let now = Timestamp::from_millis(0);
        for far in [i64::MAX, i64::MIN] {
            let when = When::new(&ENGLISH, Timestamp::from_millis(far), now, &TimeZone::UTC);
            assert!(!when.short().is_empty());
        }
    }
}
