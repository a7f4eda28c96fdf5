//! How many commands a session may ask for: a rate and a number at once.
//!
//! Owner of the two limits. It must never make anybody wait: who is over them is told so.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Commands a second, and in a burst.
const RATE: f64 = 50.0;

/// Commands at once.
const IN_FLIGHT: usize = 20;

/// A place among the commands in flight; dropping it frees the place.
#[derive(Debug)]
pub struct Permit {
    _place: OwnedSemaphorePermit,
}

pub(super) struct Budget {
    tokens: f64,
    counted: Instant,
    places: Arc<Semaphore>,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            tokens: RATE,
            counted: Instant::now(),
            places: Arc::new(Semaphore::new(IN_FLIGHT)),
        }
    }

    /// A permit, or after how many seconds to ask again.
    pub(super) fn take(&mut self) -> Result<Permit, u64> {
        let now = Instant::now();
        let passed = now.duration_since(self.counted).as_secs_f64();
        self.tokens = (self.tokens + passed * RATE).min(RATE);
        self.counted = now;
        if self.tokens < 1.0 {
            return Err(1);
        }
        let place = self.places.clone().try_acquire_owned().map_err(|_| 1_u64)?;
        self.tokens -= 1.0;
        Ok(Permit { _place: place })
    }

    /// Whether a command is in flight.
    pub(super) fn in_use(&self) -> bool {
        self.places.available_permits() < IN_FLIGHT
    }
}
