//! Jitter: a delay that looks random and is always the same.
//!
//! Owner of spreading occurrences. It must never roll dice: after a crash the same
//! occurrence has the same delay.

use crate::ids::ScheduleId;
use crate::time::Timestamp;
use sha2::{Digest, Sha256};

/// How long after its due instant an occurrence runs, in milliseconds: less than `seconds`.
pub fn jitter_ms(schedule: ScheduleId, due_at: Timestamp, seconds: u32) -> i64 {
    if seconds == 0 {
        return 0;
    }
    let mut hash = Sha256::new();
    hash.update(schedule.as_uuid().as_bytes());
    hash.update(due_at.as_millis().to_be_bytes());
    let hash = hash.finalize();
    let mut first = [0; 4];
    first.copy_from_slice(&hash[..4]);
    // Scales 32 random bits to the range, as a multiplication and a shift.
    let spread = (u64::from(u32::from_be_bytes(first)) * u64::from(seconds) * 1000) >> 32;
    i64::try_from(spread).unwrap_or(0)
}
