//! Small random numbers for pretended physics.
//!
//! Owner of the simulator's chance. It must never be used for secrets.

/// A xorshift generator (Marsaglia 2003): plenty for weather and doors.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        let mut seed = [0; 8];
        // Without random bytes every home is alike, which harms nobody.
        let _ = getrandom::fill(&mut seed);
        Self(u64::from_le_bytes(seed) | 1)
    }

    #[cfg(test)]
    pub(crate) const fn loaded(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Evenly between the two, ends included but for rounding.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        // 53 bits are what a double holds, so the division is exact.
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        low + (high - low) * unit
    }

    /// So many milliseconds, between the two numbers of seconds.
    pub(crate) fn seconds_ms(&mut self, low: f64, high: f64) -> u64 {
        // Seconds of a pretended event are small and positive: no cut-off happens.
        self.between(low, high).mul_add(1_000.0, 0.0) as u64
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}
