//! How long to wait before trying again: capped, exponential, with jitter.
//!
//! Owner of the one waiting rule of the house. It must never roll dice or wait
//! itself: the random number is an argument, the wait is the caller's.

/// Doubles from `first_ms` to `cap_ms`; forgets on success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    first_ms: u64,
    cap_ms: u64,
    attempt: u32,
}

impl Backoff {
    /// Waits of about `first_ms`, doubling up to `cap_ms`.
    pub const fn new(first_ms: u64, cap_ms: u64) -> Self {
        Self {
            first_ms,
            cap_ms,
            attempt: 0,
        }
    }

    /// The next wait in milliseconds: between half of the doubled wait and the whole of it.
    ///
    /// Half of it is jitter, so that a thousand who lost the same thing at once do not come back
    /// at once.
    pub fn next_ms(&mut self, random: u32) -> u64 {
        let whole = self.step_ms();
        self.attempt = self.attempt.saturating_add(1);
        let half = whole / 2;
        let spread = u64::try_from((u128::from(whole - half) * u128::from(random)) >> 32);
        half + spread.unwrap_or(0)
    }

    /// The next wait without jitter, for one who waits alone.
    pub fn next_exact_ms(&mut self) -> u64 {
        let whole = self.step_ms();
        self.attempt = self.attempt.saturating_add(1);
        whole
    }

    /// How often it was tried since the last success.
    pub const fn attempts(&self) -> u32 {
        self.attempt
    }

    /// It worked: the next wait is the first again.
    pub const fn reset(&mut self) {
        self.attempt = 0;
    }

    fn step_ms(&self) -> u64 {
        // 2^32 times anything is beyond every sensible cap; a larger shift would overflow.
        let factor = 1_u64 << self.attempt.min(32);
        self.first_ms.saturating_mul(factor).min(self.cap_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_start_anew_after_success() {
        let mut b = Backoff::new(100, 1_000);
        let waits: Vec<u64> = (0..6).map(|_| b.next_exact_ms()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(b.attempts(), 6);
        b.reset();
        assert_eq!(b.next_exact_ms(), 100);
    }

    #[test]
    fn jitter_stays_between_half_and_whole() {
        for random in [0, 1, u32::MAX / 2, u32::MAX] {
            let mut b = Backoff::new(100, 60_000);
            for whole in [100, 200, 400, 800] {
                let wait = b.next_ms(random);
                assert!((whole / 2..=whole).contains(&wait), "{wait} of {whole}");
            }
        }
        assert_ne!(
            Backoff::new(100, 1_000).next_ms(0),
            Backoff::new(100, 1_000).next_ms(u32::MAX)
        );
    }

    #[test]
    fn endless_failure_overflows_nothing() {
        let mut b = Backoff::new(u64::MAX, u64::MAX);
        for _ in 0..100 {
            assert!(b.next_ms(u32::MAX) >= u64::MAX / 2);
        }
    }
}
