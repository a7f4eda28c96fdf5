//! The stretch of time a chart shows, and where its axis is marked.
//!
//! Owner of marks that fall on the home's own hours and days, also where its clock is put
//! forward or back.

use crate::texts::Texts;
use crate::time::When;
use iothome_engine::time::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Marks on an axis: more would run into each other on a phone.
const MARKS_MAX: i64 = 6;
/// Candidates looked at, so that no range makes the search endless.
const TRIES_MAX: usize = 400;

/// A stretch of time, with its axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    /// Its first instant.
    pub from_ms: i64,
    /// The instant after its last.
    pub to_ms: i64,
    /// Its first instant in words.
    pub from: When,
    /// Its last in words.
    pub to: When,
    /// The home's zone by name, for the script.
    pub zone: String,
    marks: Vec<(i64, String)>,
}

/// How far marks are apart.
#[derive(Clone, Copy)]
enum Step {
    Minutes(i64),
    Days(i64),
    Months(i64),
}

const STEPS: [Step; 17] = [
    Step::Minutes(5),
    Step::Minutes(10),
    Step::Minutes(15),
    Step::Minutes(30),
    Step::Minutes(60),
    Step::Minutes(120),
    Step::Minutes(240),
    Step::Minutes(360),
    Step::Minutes(720),
    Step::Days(1),
    Step::Days(2),
    Step::Days(7),
    Step::Days(14),
    Step::Months(1),
    Step::Months(3),
    Step::Months(6),
    Step::Months(12),
];

impl Step {
    const fn length_ms(self) -> i64 {
        match self {
            Self::Minutes(n) => n * MINUTE_MS,
            Self::Days(n) => n * DAY_MS,
            Self::Months(n) => n * 30 * DAY_MS,
        }
    }

    /// The first mark at or before that moment of the wall's clock.
    fn first(self, local: DateTime) -> DateTime {
        let midnight = local.date().to_datetime(jiff::civil::Time::midnight());
        match self {
            Self::Minutes(_) | Self::Days(_) => midnight,
            Self::Months(n) => {
                let month = i64::from(local.month()) - 1;
                let first = i8::try_from(month - month % n.min(12) + 1).unwrap_or(1);
                DateTime::new(local.year(), first, 1, 0, 0, 0, 0).unwrap_or(midnight)
            }
        }
    }

    fn times(self, count: i64) -> Span {
        match self {
            Self::Minutes(n) => (n * count).minutes(),
            Self::Days(n) => (n * count).days(),
            Self::Months(n) => (n * count).months(),
        }
    }
}

impl Period {
    /// From one instant to a later one, seen at `now` in the home's zone.
    pub fn new(
        t: &Texts,
        (from, to): (Timestamp, Timestamp),
        now: Timestamp,
        zone: &TimeZone,
    ) -> Self {
        let (from_ms, to_ms) = (from.as_millis(), to.as_millis().max(from.as_millis() + 1));
        Self {
            from_ms,
            to_ms,
            from: When::new(t, from, now, zone),
            to: When::new(t, to, now, zone),
            zone: zone.iana_name().unwrap_or("UTC").to_owned(),
            marks: marks(t, from_ms, to_ms, zone),
        }
    }

    /// How long it is.
    pub const fn length_ms(&self) -> i64 {
        self.to_ms - self.from_ms
    }

    /// Where an instant lies, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "years in ms fit 2^53")]
    pub fn share(&self, at: i64) -> f64 {
        ((at - self.from_ms) as f64 / self.length_ms() as f64).clamp(0.0, 1.0)
    }
}

fn marks(t: &Texts, from: i64, to: i64, zone: &TimeZone) -> Vec<(i64, String)> {
    let enough = (to - from) / MARKS_MAX;
    let fits = STEPS.iter().find(|step| step.length_ms() >= enough);
    let mut step = fits.copied().unwrap_or(Step::Months(12));
    if let Step::Months(12) = step {
        // Decades have marks every few years.
        step = Step::Months(12 * (enough / (365 * DAY_MS) + 1));
    }
    let Ok(start) = jiff::Timestamp::from_millisecond(from) else {
        return Vec::new();
    };
    let first = step.first(start.to_zoned_datetime(zone.clone()).datetime());
    let mut marks: Vec<(i64, String)> = Vec::new();
    for count in (0..).take(TRIES_MAX) {
        let Ok(local) = first.checked_add(step.times(count)) else {
            break;
        };
        let Ok(zoned) = local.to_zoned_datetime(zone.clone()) else {
            break;
        };
        let at = zoned.timestamp().as_millisecond();
        if at > to {
            break;
        }
        // Where an hour does not exist two marks would fall on one instant.
        if at >= from && marks.last().is_none_or(|(last, _)| *last < at) {
            // What the wall shows then, also where the clock skips an hour.
            marks.push((at, label(t, step, zoned.datetime())));
        }
    }
    marks
}

fn label(t: &Texts, step: Step, local: DateTime) -> String {
    match step {
        Step::Minutes(_) if local.time() == jiff::civil::Time::midnight() => t.dates.day(local),
        Step::Minutes(_) => local.strftime("%H:%M").to_string(),
        Step::Days(_) => t.dates.day(local),
        Step::Months(n) if n >= 12 => local.year().to_string(),
        Step::Months(_) => {
            let month = usize::try_from(local.month() - 1).unwrap_or_default();
            let month = t.dates.months.get(month).copied().unwrap_or_default();
            match local.month() {
                1 => format!("{month} {}", local.year()),
                _ => month.to_owned(),
            }
        }
    }
}

/// The period as an axis of the plotting library.
pub(super) struct TimeAxis(pub(super) Period);

impl Ranged for TimeAxis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = i64;

    fn map(&self, value: &i64, (low, high): (i32, i32)) -> i32 {
        let wide = f64::from(high - low);
        #[expect(clippy::cast_possible_truncation, reason = "a share of an i32")]
        let place = (self.0.share(*value) * wide).round() as i32;
        low + place
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<i64> {
        let marks = self.0.marks.iter().map(|(at, _)| *at);
        marks.take(hint.max_num_points()).collect()
    }

    fn range(&self) -> Range<i64> {
        self.0.from_ms..self.0.to_ms
    }
}

impl ValueFormatter<i64> for TimeAxis {
    fn format_ext(&self, value: &i64) -> String {
        let mark = self.0.marks.iter().find(|(at, _)| at == value);
        mark.map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{ENGLISH, GERMAN};

    fn labels(t: &Texts, from: &str, hours: i64) -> Vec<String> {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let from = Timestamp::parse(from).expect("an instant");
        let to = from.plus_millis(hours * HOUR_MS);
        let period = Period::new(t, (from, to), to, &zone);
        period.marks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn marks_fall_on_hours_days_and_months_of_the_home() {
        assert_eq!(
            labels(&ENGLISH, "2026-11-24T07:52:37Z", 1),
            ["09:00", "09:10", "09:20", "09:30", "09:40", "09:50"]
        );
        assert_eq!(
            labels(&ENGLISH, "2026-11-24T07:52:37Z", 24),
            ["12:00", "16:00", "20:00", "25 Nov", "04:00", "08:00"]
        );
        assert_eq!(
            labels(&GERMAN, "2026-11-17T07:52:37Z", 7 * 24),
            ["19. Nov.", "21. Nov.", "23. Nov."]
        );
        assert_eq!(labels(&ENGLISH, "2026-01-17T07:52:37Z", 24 * 365).len(), 4);
        assert_eq!(
            labels(&ENGLISH, "2006-01-17T00:00:00Z", 24 * 3_650).len(),
            5
        );
    }

    #[test]
    fn on_the_day_the_clock_is_put_forward_marks_stay_on_the_wall_s_hours() {
        assert_eq!(
            labels(&ENGLISH, "2027-03-28T00:30:00Z", 3),
            [
                "01:30", "03:00", "03:30", "04:00", "04:30", "05:00", "05:30"
            ]
        );
    }

    #[test]
    fn there_are_never_more_marks_than_fit() {
        for hours in [
            1, 2, 5, 11, 13, 24, 30, 48, 100, 168, 500, 720, 2_000, 9_000, 87_600,
        ] {
            let found = labels(&ENGLISH, "2026-11-24T07:52:37Z", hours).len();
            assert!((2..=7).contains(&found), "{hours} hours: {found}");
        }
    }
}
