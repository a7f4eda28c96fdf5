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

    /// A permit for what asks so many commands at once, or after how many seconds to ask again.
    pub(super) fn take(&mut self, commands: u16) -> Result<Permit, u64> {
        let now = Instant::now();
        let passed = now.duration_since(self.counted).as_secs_f64();
        self.tokens = (self.tokens + passed * RATE).min(RATE);
        self.counted = now;
        // More than a burst is never there: what asks for more takes all of it.
        let needed = f64::from(commands.max(1)).min(RATE);
        if self.tokens < needed {
            return Err(1);
        }
        let place = self.places.clone().try_acquire_owned().map_err(|_| 1_u64)?;
        self.tokens -= needed;
        Ok(Permit { _place: place })
    }

    /// Whether a command is in flight.
    pub(super) fn in_use(&self) -> bool {
        self.places.available_permits() < IN_FLIGHT
    }
}
