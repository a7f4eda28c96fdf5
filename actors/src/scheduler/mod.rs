//! The scheduler: what is to be done when, decided once and done.
//!
//! Owner of the handle through which pages and REST read and change schedules, and of
//! the actor that runs them. A change is durable before the actor hears of it. It must
//! never decide when something is due: the engine's agenda does.

mod actor;
mod book;
mod edit;
mod finish;
mod fire;
mod look;
mod pen;
mod portable;
mod rights;
mod start;
mod ways;

#[cfg(test)]
mod tests;

pub use actor::State as SchedulerState;
pub use edit::SavedBy;
pub use look::{Caused, Frequent, Happened, Occurring, Upcoming, WeekAhead};
pub use portable::{Bundle, Imported};
pub use rights::disabled;
pub(crate) use rights::may_schedule;
pub use start::{built_at, read_schedule_home};

use crate::error::HubError;
use crate::root::Kept;
use crate::services::Services;
use actor::SchedulerMsg;
use arc_swap::ArcSwap;
use book::Book;
use iothome_engine::ids::DeviceId;
use iothome_engine::schedule::{Home, SCHEDULES_PER_USER, ScheduleError};
use iothome_engine::time::Timestamp;
use iothome_store::{HouseLock, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::Mutex;

/// How scheduling is set up.
#[derive(Clone)]
pub struct Scheduling {
    /// Most schedules of one user.
    pub per_user: usize,
    /// The house's lock: without it nothing is decided or fired. `None` where nobody else can
    /// have the house, as in a test.
    pub lock: Option<Arc<HouseLock>>,
}

impl Default for Scheduling {
    fn default() -> Self {
        Self {
            per_user: SCHEDULES_PER_USER,
            lock: None,
        }
    }
}

/// Why a schedule was not made, changed or run.
#[derive(Debug, thiserror::Error)]
pub enum SchedulingError {
    /// There is no such schedule, or none that they may see.
    #[error("there is no such schedule")]
    NotFound,
    /// They see the device, or the schedule, but may not schedule it.
    #[error("{field}: you may not schedule the device {device}")]
    Denied {
        /// Which field, with its path.
        field: String,
        /// Which device.
        device: DeviceId,
    },
    /// What was written down is wrong; every fault.
    #[error("{}", .0.first().map_or_else(String::new, ToString::to_string))]
    Faults(Vec<ScheduleError>),
    /// Nobody may have more.
    #[error("you have {0} schedules; more are not allowed")]
    TooMany(usize),
    /// Anything else.
    #[error(transparent)]
    Hub(#[from] HubError),
}

impl From<StoreError> for SchedulingError {
    fn from(error: StoreError) -> Self {
        Self::Hub(error.into())
    }
}

/// The way to the schedules. Clones lead to the same ones.
#[derive(Clone)]
pub struct Scheduler {
    inner: Arc<Inner>,
}

struct Inner {
    services: Arc<Services>,
    store: Store,
    book: Book,
    /// Changes go one after the other: the store, the book and the actor hear of them in one order.
    edits: Mutex<()>,
    home: ArcSwap<Home>,
    actor: Kept<SchedulerMsg>,
    scheduling: Scheduling,
    /// Whether schedules run; the actor writes it.
    running: Arc<AtomicBool>,
    /// Since when this hub sees states: a condition's duration counts from here at the earliest.
    began: Timestamp,
}

impl Scheduler {
    /// The home's zone and place, as schedules use them.
    pub fn home(&self) -> Arc<Home> {
        self.inner.home.load_full()
    }

    /// Most schedules of one user.
    pub fn per_user(&self) -> usize {
        self.inner.scheduling.per_user
    }

    /// Now, to the millisecond, as the store keeps it.
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.inner.services.clock.now().as_millis())
    }
}
