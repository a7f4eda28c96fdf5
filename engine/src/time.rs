//! Instants in UTC, to the microsecond.
//!
//! Owner of the one time type that crosses rooms. It must never read a clock.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An instant in UTC: microseconds since the Unix epoch.
///
/// The database keeps milliseconds; the microseconds exist so that the latency
/// of a command can be told as a fraction of a millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The largest instant that formats as RFC 3339 (end of year 9999).
const MAX_MICROS: i64 = 253_402_207_200_000_000;

impl Timestamp {
    /// From microseconds since the Unix epoch, clamped to the years -9999..9999.
    pub const fn from_micros(micros: i64) -> Self {
        if micros > MAX_MICROS {
            Self(MAX_MICROS)
        } else if micros < -MAX_MICROS {
            Self(-MAX_MICROS)
        } else {
            Self(micros)
        }
    }

    /// From milliseconds since the Unix epoch (the database's unit).
    pub const fn from_millis(millis: i64) -> Self {
        Self::from_micros(millis.saturating_mul(1000))
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant plus so many milliseconds.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_micros(self.0.saturating_add(millis.saturating_mul(1000)))
    }

    /// Microseconds from `earlier` to this instant; negative if it is later.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Milliseconds from `earlier` to this instant, rounded down; negative if it is later.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.micros_since(earlier).div_euclid(1000)
    }

    /// Parses an RFC 3339 date-time with any offset; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        Some(Self::from_micros(parsed.as_microsecond()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds: `2026-11-24T07:52:37.123Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.as_millis()) {
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => f.write_str("9999-12-31T23:59:59.999Z"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("expected an RFC 3339 date-time such as 2026-11-24T07:52:37Z")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_prints_as_rfc_3339_in_utc_and_reads_back() {
        let t = Timestamp::from_millis(1_795_506_757_123);
        assert_eq!(t.to_string(), "2026-11-24T07:52:37.123Z");
        assert_eq!(Timestamp::parse("2026-11-24T08:52:37.123+01:00"), Some(t));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn the_farthest_instants_still_print() {
        assert!(
            Timestamp::from_millis(i64::MAX)
                .to_string()
                .starts_with("9999-")
        );
        assert!(
            Timestamp::from_millis(i64::MIN)
                .to_string()
                .starts_with('-')
        );
    }

    #[test]
    fn milliseconds_round_down_also_before_1970() {
        assert_eq!(Timestamp::from_micros(-1).as_millis(), -1);
        assert_eq!(Timestamp::from_micros(1999).as_millis(), 1);
    }
}
