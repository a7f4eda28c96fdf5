//! When to restart what failed, and when to leave it alone.
//!
//! Owner of the restart policy, as a value: it must never restart anything
//! itself or read a clock.

use crate::backoff::Backoff;
use crate::time::Timestamp;
use std::collections::VecDeque;

/// Longest reason that is kept and shown, in characters: a panic message can hold a payload.
const REASON_MAX: usize = 200;

/// How much failure is borne, and for how long it is punished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// So many failures within the window are borne; one more is quarantine.
    pub attempts: usize,
    /// The window in milliseconds; also how long it must work to be forgiven.
    pub window_ms: i64,
    /// The wait before the second restart (the first is at once), doubling after that.
    pub first_wait_ms: u64,
    /// The longest wait before a restart.
    pub longest_wait_ms: u64,
    /// How long the first quarantine lasts; each further one twice as long.
    pub quarantine_ms: u64,
    /// The longest quarantine.
    pub longest_quarantine_ms: u64,
}

impl Policy {
    /// The policy for devices.
    ///
    /// Five restarts a minute: a poison message that is retained fails at each start and must not
    /// burn the processor; one that came once costs milliseconds. Five minutes of quarantine, at
    /// most six hours, so that a device whose trouble passed comes back by itself.
    pub const DEVICE: Self = Self {
        attempts: 5,
        window_ms: 60_000,
        first_wait_ms: 50,
        longest_wait_ms: 5_000,
        quarantine_ms: 5 * 60_000,
        longest_quarantine_ms: 6 * 3_600_000,
    };
}

/// What to do about a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Start it again after so many milliseconds.
    RestartAfter(u64),
    /// Leave it stopped until then, or until somebody releases it.
    Quarantine {
        /// Why, in words for a page.
        reason: String,
        /// When it is let out by itself.
        until: Timestamp,
    },
}

/// The failures of one supervised thing.
#[derive(Clone, Debug)]
pub struct Restarts {
    policy: Policy,
    failures: VecDeque<Timestamp>,
    wait: Backoff,
    sentence: Backoff,
    quarantined: Option<(String, Timestamp)>,
}

impl Restarts {
    /// No failure yet.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            failures: VecDeque::with_capacity(policy.attempts + 1),
            wait: Backoff::new(policy.first_wait_ms, policy.longest_wait_ms),
            sentence: Backoff::new(policy.quarantine_ms, policy.longest_quarantine_ms),
            quarantined: None,
        }
    }

    /// It failed with these words.
    pub fn failed(&mut self, now: Timestamp, words: &str) -> Verdict {
        if let Some((reason, until)) = self.quarantined.clone() {
            return Verdict::Quarantine { reason, until };
        }
        self.forget_old(now);
        self.failures.push_back(now);
        let count = self.failures.len();
        if count > self.policy.attempts {
            return self.quarantine(now, words);
        }
        // The first restart is at once: most poison comes once.
        let wait_ms = if count == 1 {
            0
        } else {
            self.wait.next_exact_ms()
        };
        Verdict::RestartAfter(wait_ms)
    }

    /// It works now. After a whole window without failure, everything is forgiven.
    pub fn healthy(&mut self, now: Timestamp) {
        self.forget_old(now);
        if self.failures.is_empty() && self.quarantined.is_none() {
            self.sentence.reset();
        }
    }

    /// Why it is quarantined, and until when.
    pub fn quarantined(&self) -> Option<(&str, Timestamp)> {
        self.quarantined.as_ref().map(|(r, t)| (r.as_str(), *t))
    }

    /// Lets it out if its time is over; says whether it did.
    pub fn release_if_due(&mut self, now: Timestamp) -> bool {
        let due = self.quarantined.as_ref().is_some_and(|(_, t)| *t <= now);
        due && self.release()
    }

    /// Lets it out now; says whether it was in.
    pub fn release(&mut self) -> bool {
        self.failures.clear();
        self.wait.reset();
        self.quarantined.take().is_some()
    }

    fn quarantine(&mut self, now: Timestamp, words: &str) -> Verdict {
        let ms = i64::try_from(self.sentence.next_exact_ms()).unwrap_or(i64::MAX);
        let until = now.plus_millis(ms);
        let words: String = words
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(REASON_MAX)
            .collect();
        let reason = format!(
            "failed {} times within {} s; last: {words}",
            self.failures.len(),
            self.policy.window_ms / 1000,
        );
        self.quarantined = Some((reason.clone(), until));
        Verdict::Quarantine { reason, until }
    }

    fn forget_old(&mut self, now: Timestamp) {
        let window_ms = self.policy.window_ms;
        // A failure in the future is from before the clock was set back.
        self.failures
            .retain(|at| (0..window_ms).contains(&now.millis_since(*at)));
        if self.failures.is_empty() {
            self.wait.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_millis(1_000_000);

    fn fail_until_quarantine(r: &mut Restarts, now: Timestamp) -> (usize, Verdict) {
        for n in 1..100 {
            let verdict = r.failed(now, "index out of bounds");
            if matches!(verdict, Verdict::Quarantine { .. }) {
                return (n, verdict);
            }
        }
        panic!("no quarantine after a hundred failures");
    }

    #[test]
    fn the_first_restart_is_at_once_and_the_next_ones_wait_longer() {
        let mut r = Restarts::new(Policy::DEVICE);
        let waits: Vec<Verdict> = (0..4).map(|_| r.failed(T0, "boom")).collect();
        assert_eq!(waits, [0, 50, 100, 200].map(Verdict::RestartAfter).to_vec());
    }

    #[test]
    fn too_many_failures_in_the_window_are_quarantine_with_the_reason() {
        let mut r = Restarts::new(Policy::DEVICE);
        let (n, verdict) = fail_until_quarantine(&mut r, T0);
        assert_eq!(n, 6);
        let Verdict::Quarantine { reason, until } = verdict else {
            panic!("quarantine expected");
        };
        assert_eq!(
            reason,
            "failed 6 times within 60 s; last: index out of bounds"
        );
        assert_eq!(until, T0.plus_millis(300_000));
        assert_eq!(r.quarantined(), Some((reason.as_str(), until)));
    }

    #[test]
    fn failures_far_apart_are_borne_for_ever() {
        let mut r = Restarts::new(Policy::DEVICE);
        for n in 0..1_000 {
            let now = T0.plus_millis(n * 60_000);
            assert_eq!(r.failed(now, "boom"), Verdict::RestartAfter(0));
        }
    }

    #[test]
    fn failures_from_before_the_clock_was_set_back_are_forgotten() {
        let mut r = Restarts::new(Policy::DEVICE);
        for _ in 0..5 {
            r.failed(T0, "boom");
        }
        let earlier = T0.plus_millis(-3_600_000);
        assert_eq!(r.failed(earlier, "boom"), Verdict::RestartAfter(0));
    }

    #[test]
    fn quarantine_ends_by_time_or_by_hand_and_not_before() {
        let mut r = Restarts::new(Policy::DEVICE);
        fail_until_quarantine(&mut r, T0);
        assert!(!r.release_if_due(T0.plus_millis(299_999)));
        assert!(r.release_if_due(T0.plus_millis(300_000)));
        assert_eq!(r.quarantined(), None);
        assert!(!r.release());
        assert_eq!(
            r.failed(T0.plus_millis(300_001), "boom"),
            Verdict::RestartAfter(0)
        );
    }

    #[test]
    fn the_next_quarantine_is_longer_until_it_worked_for_a_while() {
        let mut r = Restarts::new(Policy::DEVICE);
        fail_until_quarantine(&mut r, T0);
        r.release();
        fail_until_quarantine(&mut r, T0);
        assert_eq!(r.quarantined().map(|q| q.1), Some(T0.plus_millis(600_000)));
        r.release();
        r.healthy(T0.plus_millis(60_001));
        let later = T0.plus_millis(120_000);
        fail_until_quarantine(&mut r, later);
        assert_eq!(
            r.quarantined().map(|q| q.1),
            Some(later.plus_millis(300_000))
        );
    }

    #[test]
    fn a_panic_message_is_cut_and_holds_no_control_characters() {
        let mut r = Restarts::new(Policy::DEVICE);
        let words = "a\u{1b}[31m\n".repeat(1_000);
        for _ in 0..6 {
            r.failed(T0, &words);
        }
        let reason = r.quarantined().expect("quarantined").0.to_owned();
        assert!(reason.len() < 300 && !reason.chars().any(char::is_control));
    }
}
