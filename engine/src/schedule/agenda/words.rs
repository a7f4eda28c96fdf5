//! What can happen to the agenda, and what ought to happen because of it.
//!
//! Owner of the words between the pure agenda and the actor around it. They must
//! never carry a handle, a clock or a channel.

use crate::ids::{CommandId, ScheduleId, UserId};
use crate::schedule::{ActionRun, Home, Occurrence, Schedule};
use crate::time::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;

/// Names one occurrence: its schedule and its due instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The due instant, to the millisecond.
    pub due_at: Timestamp,
}

impl Key {
    /// The key of an occurrence.
    pub const fn of(occurrence: &Occurrence) -> Self {
        Self {
            schedule: occurrence.schedule,
            due_at: occurrence.due_at,
        }
    }
}

/// What the store holds when the hub starts.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Every schedule, enabled or not.
    pub schedules: Vec<Arc<Schedule>>,
    /// The occurrences that have an action without an end, with all their actions.
    pub open: Vec<(Occurrence, Vec<ActionRun>)>,
    /// Of those actions' commands the ones that exist: they were asked before the hub stopped.
    pub asked: HashSet<CommandId>,
    /// The due instants after the last persisted one that have a row and were not run by hand. One
    /// that is left out is found when its row is to be written: this spares the attempt.
    pub decided: Vec<(ScheduleId, Timestamp)>,
    /// The last instant that was persisted.
    pub last_instant: Option<Timestamp>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The hub starts. The first input; everything before it is ignored.
    Loaded(Box<Loaded>),
    /// A schedule was made, changed, enabled, disabled, or its next occurrence is to be skipped.
    Saved(Arc<Schedule>),
    /// A schedule was deleted.
    Removed(ScheduleId),
    /// Somebody asked to run a schedule now. Its conditions are not asked. The occurrence is due at
    /// the next millisecond that is free and no whole second, so that it is never the trigger's.
    Run(ScheduleId),
    /// The home's zone or place changed.
    HomeChanged(Box<Home>),
    /// The timer fired, or the wall clock was seen to jump.
    Tick,
    /// The rows of [`Effect::Claim`] are durable.
    Written(Key),
    /// There already was such a row: somebody else decided it.
    AlreadyDecided(Key),
    /// The rows could not be written; they are tried again.
    NotWritten(Key),
    /// What became of [`Effect::Fire`].
    ActionEnded {
        /// Of which occurrence.
        key: Key,
        /// Which action.
        index: u16,
        /// What became of it.
        end: ActionEnd,
    },
    /// A person says that the clock is right although it is behind the last persisted instant.
    ClockTrusted,
}

/// What became of an action that was to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionEnd {
    /// It became a command.
    Fired,
    /// It was refused, for this reason.
    Failed(String),
    /// It could not be asked now (the database is away); it is tried again for a short while.
    NotNow(String),
}

/// What ought to happen, in this order.
///
/// [`Effect::Decide`], [`Effect::Record`] and [`Effect::Persist`] have no answer: they are to be
/// made durable in the order given, tried again until they are, and none before a claim that was
/// given earlier.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Insert these rows together; answer with [`Input::Written`], [`Input::AlreadyDecided`] or
    /// [`Input::NotWritten`]. Nothing of it may be asked before.
    Claim {
        /// The occurrence, claimed.
        occurrence: Occurrence,
        /// Its actions; those that are already superseded among them.
        actions: Vec<ActionRun>,
    },
    /// Insert these rows, which are ends from the start, unless there are such rows already.
    Decide(Vec<Occurrence>),
    /// Update these rows, which were claimed.
    Record {
        /// The occurrence, if it changed.
        occurrence: Option<Occurrence>,
        /// The actions that changed.
        actions: Vec<ActionRun>,
    },
    /// Ask this action, with the owner's rights at this moment; answer with
    /// [`Input::ActionEnded`].
    Fire {
        /// The action, with its command's id.
        run: ActionRun,
        /// The schedule's name.
        name: String,
        /// Whose rights it needs.
        owner: UserId,
    },
    /// Persist that this instant was reached.
    Persist(Timestamp),
    /// Wake the agenda with [`Input::Tick`] at this instant, or when the wall clock jumps;
    /// replaces the timer set before.
    SetTimer(Timestamp),
    /// The schedule has no occurrence any more.
    Finished(ScheduleId),
    /// To be said in the log.
    Warn(String),
}
