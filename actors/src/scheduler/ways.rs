//! The ways out of the scheduler: clock, house, store, devices.
//!
//! Owner of what the actor may reach, as plain functions, so that a test can put a
//! whole year into a second. Nothing here may decide anything.

use crate::clock::Clock;
use futures_util::future::BoxFuture;
use iothome_engine::command::Ask;
use iothome_engine::ids::{CommandId, EntityRef, ScheduleId, UserId};
use iothome_engine::policy::Subject;
use iothome_engine::schedule::Reading;
use iothome_engine::schedule::agenda::Loaded;
use iothome_engine::time::Timestamp;
use iothome_store::{Decided, Settled, StoreError};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Something that is answered later.
pub(super) type Later<T> = BoxFuture<'static, T>;

/// A function that is answered later.
pub(super) type Way<A, T> = Arc<dyn Fn(A) -> Later<T> + Send + Sync>;

/// What is written of occurrences in one transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// What is decided.
    pub(super) decided: Vec<Decided>,
    /// What ended.
    pub(super) settled: Vec<Settled>,
}

/// What became of an ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its command is durable.
    Asked,
    /// It was refused, for this reason.
    Refused(String),
    /// It was not done now, and nothing was recorded.
    NotNow(String),
    /// Nobody knows: its row says it, if there is one.
    Unknown(String),
}

/// The ways out.
#[derive(Clone)]
pub(super) struct Ways {
    pub(super) clock: Clock,
    /// What an entity says now.
    pub(super) read: Arc<dyn Fn(&EntityRef) -> Reading + Send + Sync>,
    /// What the store holds of schedules and occurrences.
    pub(super) load: Way<(), Result<Loaded, StoreError>>,
    /// Writes rows; answers which of what was decided is ours.
    pub(super) write: Way<Rows, Result<Vec<bool>, StoreError>>,
    /// Persists the instant that was reached.
    pub(super) persist: Way<Timestamp, Result<(), StoreError>>,
    /// Who that user is at this moment; `None` if they may not be here.
    pub(super) subject: Way<UserId, Result<Option<Subject>, StoreError>>,
    /// Asks something of a device.
    pub(super) ask: Way<Ask, Outcome>,
    /// Whether the command has a row.
    pub(super) is_recorded: Way<CommandId, Result<bool, StoreError>>,
    /// Turns off what has nothing to come any more.
    pub(super) finish: Way<Vec<ScheduleId>, ()>,
    /// Whether schedules run, for whoever does not wait for the actor.
    pub(super) running: Arc<AtomicBool>,
    /// Whether this hub still is the one that runs the house.
    pub(super) is_active: Way<(), bool>,
    /// Whether devices can be heard and asked.
    pub(super) is_ready: Arc<dyn Fn() -> bool + Send + Sync>,
}
