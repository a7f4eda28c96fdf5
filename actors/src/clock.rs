//! The house's clock: wall time carried by a monotonic one.
//!
//! Owner of every `now` in this crate. It must never go backwards between two
//! calls unless `follow` was called in between: latencies and deadlines are
//! measured with it.

use iothome_engine::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// A step of the wall clock smaller than this is left alone: reading two clocks
/// one after the other already differs by more than a few microseconds.
const STEP_MICROS: i64 = 50_000;

/// Tells the time. Clones share one time line.
///
/// Between two calls of [`Clock::follow`] it runs with tokio's clock, so a test
/// with paused time moves it by advancing tokio's time.
#[derive(Clone, Debug)]
pub struct Clock {
    line: Arc<Line>,
}

#[derive(Debug)]
struct Line {
    started: Instant,
    /// Wall time of `started`, in microseconds; moved only by `follow`.
    anchor_micros: AtomicI64,
    follows_wall: bool,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::anchored(wall(), true)
    }

    /// A clock that says `start` now and never looks at the machine's wall clock.
    pub fn starting_at(start: Timestamp) -> Self {
        Self::anchored(start, false)
    }

    fn anchored(at: Timestamp, follows_wall: bool) -> Self {
        Self {
            line: Arc::new(Line {
                started: Instant::now(),
                anchor_micros: AtomicI64::new(at.as_micros()),
                follows_wall,
            }),
        }
    }

    /// This instant.
    pub fn now(&self) -> Timestamp {
        let elapsed = self.line.started.elapsed().as_micros();
        let elapsed = i64::try_from(elapsed).unwrap_or(i64::MAX);
        let anchor = self.line.anchor_micros.load(Ordering::Relaxed);
        Timestamp::from_micros(anchor.saturating_add(elapsed))
    }

    /// Sets it, as somebody sets a wall clock.
    #[cfg(test)]
    pub(crate) fn shift(&self, micros: i64) {
        self.line.anchor_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Whether it looks at the machine's wall clock, which may be set.
    pub(crate) fn follows_wall(&self) -> bool {
        self.line.follows_wall
    }

    /// Takes over a step of the machine's wall clock (set by hand, by NTP, or after sleep).
    ///
    /// Answers by how many microseconds the clock was moved; 0 if it was not.
    pub fn follow(&self) -> i64 {
        if !self.line.follows_wall {
            return 0;
        }
        let step = wall().micros_since(self.now());
        if step.abs() < STEP_MICROS {
            return 0;
        }
        self.line.anchor_micros.fetch_add(step, Ordering::Relaxed);
        step
    }
}

fn wall() -> Timestamp {
    // A machine whose clock stands before 1970 is told as 1970: no instant of
    // the house lies before that.
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_started_at_an_instant_never_looks_at_the_wall() {
        let start = Timestamp::from_millis(1_000);
        let clock = Clock::starting_at(start);
        let first = clock.now();
        assert!(first >= start);
        assert_eq!(clock.follow(), 0);
        assert!(clock.clone().now() >= first);
    }

    #[test]
    fn the_system_clock_takes_over_a_step_of_the_wall() {
        let clock = Clock::system();
        let hour = 3_600_000_000;
        // As if the wall had been set back by an hour since the start.
        clock.line.anchor_micros.fetch_add(hour, Ordering::Relaxed);
        let step = clock.follow();
        assert!((step + hour).abs() < 5_000_000, "moved by {step}");
        assert!(clock.now().micros_since(wall()).abs() < 5_000_000);
    }
}
