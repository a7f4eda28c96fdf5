//! What entities reported, and what that comes to over time.
//!
//! Owner of the history database: samples, roll-ups, last states, availability
//! and losses. It must never make a command wait: its connections are its own,
//! and every transaction of it is short.

mod band;
mod marks;
mod query;
mod retention;
mod roll_up;
mod series;
mod write;

pub use band::{BAND_SLOTS_MAX, Band};
use iothome_engine::history::{LastState, Sample};
use iothome_engine::ids::{DeviceId, EntityRef};
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;

/// Five minutes, the fine bucket.
pub(crate) const FIVE_MINUTES_MS: i64 = 300_000;
/// An hour, the coarse bucket.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// What the recorder gathered: written in one transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryBatch {
    /// Live reports. Of two of one entity in one millisecond the later counts.
    pub samples: Vec<Sample>,
    /// Last known states; of two of one entity the later counts.
    pub last_states: Vec<LastState>,
    /// Devices that came (`true`) or went.
    pub availability: Vec<(DeviceId, Timestamp, bool)>,
    /// How many reports of an entity were coalesced or dropped until then.
    ///
    /// Those of one entity in one millisecond add up within a batch and replace
    /// what is stored, so that writing a batch again counts nothing twice.
    pub losses: Vec<(EntityRef, Timestamp, u32)>,
}

/// How long history is kept; hourly roll-ups are kept for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days of samples.
    pub raw_days: u32,
    /// Days of 5-minute roll-ups, of availability and of losses.
    pub five_minute_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            raw_days: 10,
            five_minute_days: 90,
        }
    }
}

/// How fine a history is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// Every sample; of words every change.
    Raw,
    /// Buckets of five minutes.
    FiveMinutes,
    /// Buckets of an hour.
    Hour,
}

impl Resolution {
    /// The length of a bucket in milliseconds; 1 for samples.
    pub const fn bucket_ms(self) -> i64 {
        match self {
            Self::Raw => 1,
            Self::FiveMinutes => FIVE_MINUTES_MS,
            Self::Hour => HOUR_MS,
        }
    }
}

/// Points a page of history holds at most.
pub const HISTORY_PAGE_MAX: usize = 5_000;

/// A question about an entity's past, from `from` up to but not including `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Whose history.
    pub target: EntityRef,
    /// The first instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// How fine.
    pub resolution: Resolution,
    /// Whether the entity's state is a number; else it is a word at each change.
    pub numeric: bool,
    /// `next` of the page before.
    pub after: Option<i64>,
    /// Points on the page; at most `HISTORY_PAGE_MAX`.
    pub limit: usize,
}

/// A page of history.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryPage {
    /// Its points, in order of time.
    pub points: Points,
    /// When nothing could be known, within what this page covers.
    pub gaps: Vec<Gap>,
    /// How many reports are not among the samples, within what this page covers.
    pub lost: u64,
    /// Where the next page goes on, if there is one.
    pub next: Option<i64>,
}

/// Points of a page, with instants in Unix milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Points {
    /// Samples: numbers, or words where they change.
    Raw(Vec<(i64, Value)>),
    /// Roll-ups.
    Buckets(Vec<Bucket>),
}

/// What a number did in one bucket of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// When the bucket begins.
    pub at: i64,
    /// The lowest sample.
    pub min: f64,
    /// The mean of the samples.
    pub mean: f64,
    /// The highest sample.
    pub max: f64,
    /// How many samples.
    pub count: i64,
}

/// A stretch of time in which nothing could be known, in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its first instant.
    pub from: i64,
    /// The instant after its last.
    pub to: i64,
    /// Why.
    pub kind: GapKind,
}

/// Who was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GapKind {
    /// The hub did not run.
    Hub,
    /// The device was offline.
    Device,
}

impl GapKind {
    /// The word used in REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Device => "device",
        }
    }
}

/// The start of the bucket that an instant falls into.
pub(crate) const fn floor_to(at: i64, bucket_ms: i64) -> i64 {
    at.div_euclid(bucket_ms).saturating_mul(bucket_ms)
}

/// A value as its two columns: number and word, one of them empty.
pub(crate) fn columns(value: Option<&Value>) -> (crate::db::Arg, crate::db::Arg) {
    let number = value.and_then(Value::as_number);
    let word = value.and_then(Value::as_word);
    (number.into(), word.into())
}

/// The value of its two columns; `None` if both are empty.
pub(crate) fn value(number: Option<f64>, word: Option<String>) -> Option<Value> {
    number.and_then(Value::number).or(word.map(Value::Word))
}
