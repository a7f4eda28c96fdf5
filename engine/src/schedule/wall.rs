//! Wall time: what the clock on the wall shows, and which instants show it.
//!
//! Owner of the step between instants and wall time. Both are whole seconds here:
//! an instant since the Unix epoch, a wall time as if it were UTC. It must never
//! decide which of two instants is meant.

use jiff::Timestamp as Instant;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

pub(super) const DAY: i64 = 86_400;

/// No occurrence is looked for at or after this instant: 2200-01-01T00:00:00Z. It bounds every
/// search, and no zone's rules are known so far ahead.
pub(super) const HORIZON: i64 = 7_258_118_400;

/// The instants that show a wall time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// One does.
    Once(i64),
    /// None does: clocks were set forward over it, at this instant.
    Never { gap_end: i64 },
    /// Two do: clocks were set back over it.
    Twice { first: i64, second: i64 },
}

fn instant(seconds: i64) -> Instant {
    // Clamped to what jiff can hold; the horizon lies far within.
    Instant::from_second(seconds).unwrap_or(Instant::UNIX_EPOCH)
}

/// The offset from UTC at an instant, in seconds.
pub(super) fn offset_at(zone: &TimeZone, at: i64) -> i64 {
    i64::from(zone.to_offset(instant(at)).seconds())
}

/// What the wall shows at an instant.
pub(super) fn wall_of(zone: &TimeZone, at: i64) -> i64 {
    at + offset_at(zone, at)
}

/// The date and time of a wall time.
pub(super) fn civil(wall: i64) -> DateTime {
    Offset::UTC.to_datetime(instant(wall))
}

/// The date of a wall time.
pub(super) fn date_of(wall: i64) -> Date {
    civil(wall).date()
}

/// The time of day of a wall time.
pub(super) fn time_of(wall: i64) -> Time {
    civil(wall).time()
}

/// A date and time as a wall time.
pub(super) fn wall_at(at: DateTime) -> i64 {
    Offset::UTC
        .to_timestamp(at)
        .map_or(HORIZON, Instant::as_second)
}

/// Which instants show that wall time.
pub(super) fn shown(zone: &TimeZone, wall: i64) -> Shown {
    let at = |offset: Offset| wall - i64::from(offset.seconds());
    match zone.to_ambiguous_timestamp(civil(wall)).offset() {
        AmbiguousOffset::Unambiguous { offset } => Shown::Once(at(offset)),
        AmbiguousOffset::Fold { before, after } => Shown::Twice {
            first: at(before),
            second: at(after),
        },
        AmbiguousOffset::Gap { before, after } => Shown::Never {
            gap_end: change_between(zone, at(after), at(before)),
        },
    }
}

/// The instant of the clock change in `(low, high]`: the offset differs at its ends.
fn change_between(zone: &TimeZone, mut low: i64, mut high: i64) -> i64 {
    let before = offset_at(zone, low);
    // Halves a span of a day at most: seventeen steps.
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if offset_at(zone, middle) == before {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The first instant after `at` at which the offset may change.
pub(super) fn next_change(zone: &TimeZone, at: i64) -> Option<i64> {
    let change = zone.following(instant(at)).next()?;
    Some(change.timestamp().as_second()).filter(|change| *change > at)
}
