//! Cron lines: five fields, normalised, on wall time.
//!
//! Owner of the one place that knows `saffron`. A line is rewritten before saffron
//! sees it: weekday numbers become names (saffron counts them otherwise than cron
//! does), ranges that wrap around become plain ones (saffron gets them wrong, or
//! panics). It must never know a zone: wall time goes in and comes out.

use super::cron_fields::{self, Field};
use chrono::{DateTime, Utc};
use saffron::Cron;
use serde::{Serialize, Serializer};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Longest line, in bytes: sixty minutes listed one by one fit.
const LINE_MAX: usize = 512;

/// The example that every fault of a line shows.
pub(super) const EXAMPLE: &str = "30 2 * * MON-FRI";

/// A cron line that matches some time.
#[derive(Clone)]
pub struct CronLine {
    text: Arc<str>,
    cron: Cron,
    periodic: bool,
}

impl CronLine {
    /// Parses and normalises a line; the error is a sentence.
    pub fn parse(line: &str) -> Result<Self, String> {
        if line.len() > LINE_MAX {
            return Err(format!("the line is longer than {LINE_MAX} bytes"));
        }
        if line.trim_start().starts_with('@') {
            return Err("words such as @daily are not known; write five fields".to_owned());
        }
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(format!(
                "the line has {} fields; it needs five: minute, hour, day of month, month, day of week",
                fields.len()
            ));
        };
        let hour = cron_fields::normalise(Field::Hour, hour)?;
        let text = [
            cron_fields::normalise(Field::Minute, minute)?,
            hour.clone(),
            cron_fields::normalise(Field::Day, day)?,
            cron_fields::normalise(Field::Month, month)?,
            cron_fields::normalise(Field::Weekday, weekday)?,
        ]
        .join(" ");
        let cron = compile(&text)?;
        Ok(Self {
            text: text.into(),
            cron,
            periodic: hour.starts_with('*'),
        })
    }

    /// The normalised line.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether another line means the same, whichever way it is written: `MON-FRI` is
    /// `MON,TUE,WED,THU,FRI`.
    pub fn is_same(&self, other: &Self) -> bool {
        let fields = Field::ALL.into_iter();
        let texts = self.text.split(' ').zip(other.text.split(' '));
        fields
            .zip(texts)
            .all(|(field, (one, two))| cron_fields::is_same(field, one, two))
    }

    /// Whether the hour is `*` or `*/n`: such a line follows elapsed time over a clock change.
    pub const fn is_periodic(&self) -> bool {
        self.periodic
    }

    /// The first matching minute after `wall`: seconds of wall time, counted as if it were UTC.
    pub fn next_after(&self, wall: i64) -> Option<i64> {
        let wall = DateTime::<Utc>::from_timestamp(wall, 0)?;
        let next = guarded(|| self.cron.next_after(wall)).flatten()?;
        Some(next.timestamp())
    }

    /// Whether the minute of that wall time matches.
    pub fn matches(&self, wall: i64) -> bool {
        DateTime::<Utc>::from_timestamp(wall, 0)
            .and_then(|wall| guarded(|| self.cron.contains(wall)))
            .unwrap_or(false)
    }
}

fn compile(text: &str) -> Result<Cron, String> {
    let parsed = guarded(|| text.parse::<Cron>())
        .and_then(Result::ok)
        .ok_or_else(|| format!("{text:?} cannot be read as a cron line"))?;
    if guarded(|| parsed.any()) == Some(true) {
        return Ok(parsed);
    }
    Err("the line never matches: no month has such a day".to_owned())
}

/// Runs a call into saffron. The rewriting above leaves out all that is known to make it panic;
/// what is not known must not take the hub with it.
fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

impl PartialEq for CronLine {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CronLine {}

impl fmt::Debug for CronLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for CronLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for CronLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
