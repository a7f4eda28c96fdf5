//! Triggers: when a schedule is due.
//!
//! Owner of the trigger's words. They are already checked: a trigger that exists
//! can be asked for its occurrences. It must never know what time it is.

use super::cron::CronLine;
use super::place::Zone;
use crate::time::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};
use serde::{Serialize, Serializer};

/// When a schedule is due. Without limits it goes on for ever.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trigger {
    /// What makes it due.
    #[serde(flatten)]
    pub when: When,
    /// The zone of all its local times; the home's if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// No occurrence has an earlier local date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Date>,
    /// No occurrence has a later local date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<Date>,
    /// Local dates without an occurrence, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_dates: Vec<Date>,
    /// The days of the week that have occurrences.
    #[serde(skip_serializing_if = "Days::is_all")]
    pub days: Days,
    /// Each occurrence runs up to so many seconds after its due instant.
    #[serde(skip_serializing_if = "is_zero")]
    pub jitter_seconds: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that serde asks for"
)]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Trigger {
    /// A trigger with no limits, in the home's zone.
    pub fn plain(when: When) -> Self {
        Self {
            when,
            zone: None,
            start_date: None,
            end_date: None,
            excluded_dates: Vec::new(),
            days: Days::ALL,
            jitter_seconds: 0,
        }
    }

    /// Whether an occurrence may have this local date.
    pub fn allows(&self, date: Date) -> bool {
        self.start_date.is_none_or(|start| start <= date)
            && self.end_date.is_none_or(|end| date <= end)
            && self.days.has(date.weekday())
            && self.excluded_dates.binary_search(&date).is_err()
    }
}

/// What makes a schedule due.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum When {
    /// Once, at a local date and time.
    At {
        /// The local date and time.
        #[serde(serialize_with = "write_date_time")]
        at: DateTime,
    },
    /// Again and again after the same elapsed time.
    Every {
        /// The time between two occurrences.
        seconds: u32,
        /// The instant from which the intervals are counted: the first occurrence there can be.
        anchor: Timestamp,
        /// Only at these local times of day.
        #[serde(skip_serializing_if = "Option::is_none")]
        window: Option<Window>,
    },
    /// A cron line of five fields, on local time.
    Cron {
        /// The line, normalised.
        expression: CronLine,
    },
    /// Before, at or after an event of the sun.
    Sun {
        /// The event.
        event: SunEvent,
        /// Minutes after it; negative for before.
        offset_minutes: i32,
    },
}

fn write_date_time<S: Serializer>(at: &DateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let seconds = if at.second() == 0 {
        String::new()
    } else {
        format!(":{:02}", at.second())
    };
    serializer.collect_str(&format_args!("{}T{}{seconds}", at.date(), hm(at.time())))
}

/// A time of day as `08:05`.
pub fn hm(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// A part of each day, half-open: `from` is in it, `to` is not. It may cross midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Its first minute.
    pub from: Time,
    /// The minute after its last.
    pub to: Time,
}

impl Window {
    /// Whether that local time of day is in it.
    pub fn has(&self, time: Time) -> bool {
        if self.from < self.to {
            return self.from <= time && time < self.to;
        }
        self.from <= time || time < self.to
    }

    /// Its end as people write it: midnight is 24:00, so that a whole day is `00:00` to `24:00`.
    pub fn end(&self) -> String {
        if self.to == Time::midnight() {
            return "24:00".to_owned();
        }
        hm(self.to)
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Window", 2)?;
        out.serialize_field("from", &hm(self.from))?;
        out.serialize_field("to", &self.end())?;
        out.end()
    }
}

/// An event of the sun: the upper limb at the horizon, or six degrees below it (civil twilight).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SunEvent {
    /// It comes up.
    Sunrise,
    /// It goes down.
    Sunset,
    /// Civil twilight begins in the morning.
    Dawn,
    /// Civil twilight ends in the evening.
    Dusk,
}

impl SunEvent {
    /// Every event.
    pub const ALL: [Self; 4] = [Self::Sunrise, Self::Sunset, Self::Dawn, Self::Dusk];

    /// The word used in REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sunrise => "sunrise",
            Self::Sunset => "sunset",
            Self::Dawn => "dawn",
            Self::Dusk => "dusk",
        }
    }

    /// The event with that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.as_str() == word)
    }
}

/// Days of the week: at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Days(u8);

impl Days {
    /// Every day.
    pub const ALL: Self = Self(0b111_1111);

    /// The words, Monday first.
    pub const WORDS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

    /// These days; `None` if there is none.
    pub fn of(days: impl IntoIterator<Item = Weekday>) -> Option<Self> {
        let bits = days.into_iter().fold(0, |bits, day| bits | Self::bit(day));
        (bits != 0).then_some(Self(bits))
    }

    const fn bit(day: Weekday) -> u8 {
        1 << day.to_monday_zero_offset()
    }

    /// Whether the day is one of them.
    pub const fn has(self, day: Weekday) -> bool {
        self.0 & Self::bit(day) != 0
    }

    /// Whether it is every day.
    pub const fn is_all(&self) -> bool {
        self.0 == Self::ALL.0
    }

    /// The days, Monday first.
    pub fn list(self) -> impl Iterator<Item = Weekday> {
        (0..7)
            .filter_map(|n| Weekday::from_monday_zero_offset(n).ok())
            .filter(move |day| self.has(*day))
    }

    /// The day with that word, in capitals or not.
    pub fn day_from_word(word: &str) -> Option<Weekday> {
        let at = Self::WORDS
            .iter()
            .position(|w| w.eq_ignore_ascii_case(word))?;
        Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok()
    }

    /// The word of a day.
    pub fn word(day: Weekday) -> &'static str {
        usize::try_from(day.to_monday_zero_offset())
            .ok()
            .and_then(|at| Self::WORDS.get(at).copied())
            .unwrap_or("MON")
    }
}

impl Serialize for Days {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.list().map(Self::word))
    }
}

/// What to do with a local time that a clock change leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// The first instant after the gap.
    #[default]
    NextValid,
    /// Not on that day.
    Skip,
}

/// What to do with a local time that a clock change repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// The first time.
    #[default]
    First,
    /// The second time.
    Second,
    /// Both times.
    Both,
}
