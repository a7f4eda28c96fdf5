//! The timers of one device: many instants, one sleeping task.
//!
//! Owner of the pending instants. A sensor with `expire_after` that reports a
//! thousand times a second moves one entry, it must never leave a task behind
//! for each report.

use iothome_engine::device::Timer;
use iothome_engine::time::Timestamp;
use std::collections::HashMap;
use std::time::Duration;
use tokio::task::AbortHandle;

/// The pending timers of a device.
#[derive(Default)]
pub(crate) struct Timers {
    due: HashMap<Timer, Timestamp>,
    sleeping: Option<(Timestamp, AbortHandle)>,
}

impl Timers {
    /// Sets the timer, or moves it.
    pub(crate) fn set(&mut self, timer: Timer, at: Timestamp) {
        self.due.insert(timer, at);
    }

    /// Takes the timers that are due, the earliest first.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<(Timer, Timestamp)> {
        let mut due: Vec<_> = self.due.extract_if(|_, at| *at <= now).collect();
        due.sort_by_key(|(_, at)| *at);
        due
    }

    /// The task that slept has woken the device: it no longer sleeps.
    pub(crate) fn woken(&mut self) {
        self.sleeping = None;
    }

    /// Makes sure that something wakes the device at the earliest instant. A task that wakes
    /// earlier is left to do so: moving a timer on, which is the common case, costs nothing.
    pub(crate) fn arm(&mut self, now: Timestamp, wake: impl FnOnce(Duration) -> AbortHandle) {
        let Some(earliest) = self.due.values().min().copied() else {
            return;
        };
        if let Some((at, task)) = &self.sleeping {
            if *at <= earliest {
                return;
            }
            task.abort();
        }
        self.sleeping = Some((earliest, wake(wait(now, earliest))));
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.sleeping {
            task.abort();
        }
    }
}

/// At least a millisecond (tokio's timer grain), so that a timer never wakes just before its time
/// again and again.
fn wait(now: Timestamp, at: Timestamp) -> Duration {
    let micros = u64::try_from(at.micros_since(now)).unwrap_or(0);
    Duration::from_micros(micros).max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn expire(name: &str) -> Timer {
        Timer::Expire(name.parse().expect("an id"))
    }

    fn sleeper(armed: &mut u32) -> impl FnOnce(Duration) -> AbortHandle + '_ {
        |_| {
            *armed += 1;
            tokio::spawn(std::future::pending::<()>()).abort_handle()
        }
    }

    #[tokio::test]
    async fn moving_a_timer_on_arms_no_second_task() {
        let (mut timers, mut armed) = (Timers::default(), 0);
        for n in 0..1_000 {
            timers.set(expire("a"), at(10_000 + n));
            timers.arm(at(n), sleeper(&mut armed));
        }
        assert_eq!(armed, 1);
        assert!(timers.take_due(at(10_998)).is_empty());
        assert_eq!(timers.take_due(at(10_999)), [(expire("a"), at(10_999))]);
    }

    #[tokio::test]
    async fn an_earlier_timer_replaces_the_sleeping_task() {
        let (mut timers, mut armed) = (Timers::default(), 0);
        timers.set(expire("late"), at(10_000));
        timers.arm(at(0), sleeper(&mut armed));
        timers.set(expire("early"), at(1_000));
        timers.arm(at(0), sleeper(&mut armed));
        assert_eq!(armed, 2);
        let due = timers.take_due(at(20_000));
        assert_eq!(
            due,
            [(expire("early"), at(1_000)), (expire("late"), at(10_000))]
        );
    }
}
