//! A timer that is pushed back by every report without being set each time.
//!
//! Owner of one saving: a sensor that reports a thousand times a second costs one
//! timer per `expire_after`, not a thousand. It must never wait itself.

use crate::time::Timestamp;

/// When something is due, and the one timer that is outstanding for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LazyTimer {
    due: Option<Timestamp>,
    set: Option<Timestamp>,
}

/// What a fired timer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ring {
    /// Nothing: it was replaced or called off.
    Stale,
    /// It was pushed back: set it again.
    Later(Timestamp),
    /// The time has come.
    Now,
}

impl LazyTimer {
    /// Makes it due at `at`; gives the instant to set a timer for, if none that is early enough runs.
    pub(super) fn push(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.due = Some(at);
        if self.set.is_some_and(|set| set <= at) {
            return None;
        }
        self.set = Some(at);
        Some(at)
    }

    /// Calls it off; an outstanding timer will ring stale.
    pub(super) fn clear(&mut self) {
        self.due = None;
    }

    /// The timer set for `at` fired.
    pub(super) fn ring(&mut self, at: Timestamp) -> Ring {
        if self.set != Some(at) {
            return Ring::Stale;
        }
        self.set = None;
        match self.due {
            None => Ring::Stale,
            Some(due) if due > at => {
                self.set = Some(due);
                Ring::Later(due)
            }
            Some(_) => {
                self.due = None;
                Ring::Now
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn pushing_back_sets_no_second_timer_and_the_first_rings_on() {
        let mut t = LazyTimer::default();
        assert_eq!(t.push(at(10)), Some(at(10)));
        assert_eq!(t.push(at(20)), None);
        assert_eq!(t.push(at(30)), None);
        assert_eq!(t.ring(at(10)), Ring::Later(at(30)));
        assert_eq!(t.ring(at(30)), Ring::Now);
        assert_eq!(t.ring(at(30)), Ring::Stale);
    }

    #[test]
    fn an_earlier_due_time_sets_an_earlier_timer() {
        let mut t = LazyTimer::default();
        t.push(at(30));
        assert_eq!(t.push(at(10)), Some(at(10)));
        assert_eq!(t.ring(at(30)), Ring::Stale);
        assert_eq!(t.ring(at(10)), Ring::Now);
    }

    #[test]
    fn called_off_it_rings_stale() {
        let mut t = LazyTimer::default();
        t.push(at(10));
        t.clear();
        assert_eq!(t.ring(at(10)), Ring::Stale);
        assert_eq!(t.push(at(20)), Some(at(20)));
    }
}
