//! A command under way: how far it is, what would confirm it, what is held back.
//!
//! Owner of the steps between acceptance and end. It must never end a command by
//! itself: ends go through `lifecycle`, where they are written down.

use super::report::Touched;
use crate::command::Command;
use crate::ids::{CommandId, EntityId};
use crate::kind::Action;
use crate::time::Timestamp;
use crate::wire::{Publication, Wanted};

/// Commands under way for one device: more than a household asks at once, and little memory.
pub const MAX_IN_FLIGHT: usize = 64;

/// Reports held back until it is known whether they came after sending: the two events race by
/// microseconds only, so a handful is plenty.
const MAX_HELD: usize = 8;

/// How far a command is, seen from the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Durable first: waits for its row.
    Storing,
    /// A stored `press` without a sending mark: waits for the broker.
    AwaitingBroker,
    /// A `press` whose sending mark is being written.
    Marking,
    /// From the hub's former life: waits whether the device reports the wanted state.
    Resuming,
    /// In the outbox.
    Published,
    /// On the wire since then.
    Sent(Timestamp),
    /// The broker has it; on the wire since then.
    Acknowledged(Timestamp),
}

impl Phase {
    /// Whether the outbox may still hold it (so that its end must take it out).
    pub(super) const fn is_in_outbox(self) -> bool {
        matches!(self, Self::Published | Self::Sent(_))
    }

    /// Whether it was not given to the outbox in this life of the hub.
    pub(super) const fn is_waiting(self) -> bool {
        matches!(
            self,
            Self::Storing | Self::AwaitingBroker | Self::Marking | Self::Resuming
        )
    }
}

/// What a report means to a command that was sent before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It says what was asked.
    Confirmed,
    /// It says no, with this reason.
    Rejected(String),
    /// It says that the thing moves.
    Moving,
}

/// A command under way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) command: Command,
    pub(super) phase: Phase,
    pub(super) wanted: Wanted,
    /// What to publish; `None` while resuming (it is rendered when it is sent again).
    pub(super) publication: Option<Publication>,
    /// Whether the deadline was extended by a first movement.
    pub(super) moved: bool,
    held: Vec<(Timestamp, Outcome)>,
}

impl Flight {
    pub(super) fn new(command: Command, wanted: Wanted, phase: Phase) -> Self {
        Self {
            command,
            phase,
            wanted,
            publication: None,
            moved: false,
            held: Vec::new(),
        }
    }

    pub(super) const fn id(&self) -> CommandId {
        self.command.id
    }

    pub(super) fn is_for(&self, entity: &EntityId) -> bool {
        self.command.entity == *entity
    }

    pub(super) fn is_press(&self) -> bool {
        self.command.resolved == Action::Press
    }

    /// Whether the report spoke of what this command asks for.
    pub(super) const fn is_about(&self, touched: &Touched) -> bool {
        match self.wanted {
            // A lamp that is off may well remember how bright it was.
            Wanted::Brightness { .. } => touched.brightness && !touched.off,
            Wanted::Position { .. } | Wanted::Open | Wanted::Closed | Wanted::NotMoving => {
                touched.state || touched.position
            }
            Wanted::State(_) | Wanted::Number { .. } => touched.state,
            Wanted::Nothing => false,
        }
    }

    /// Keeps what a report means until `Sent` tells which of the two was first.
    pub(super) fn hold(&mut self, received_at: Timestamp, outcome: Outcome) {
        if self.held.len() == MAX_HELD {
            self.held.remove(0);
        }
        self.held.push((received_at, outcome));
    }

    /// Takes what was held back and came at or after `sent_at`, in arrival order.
    pub(super) fn release(&mut self, sent_at: Timestamp) -> Vec<Outcome> {
        std::mem::take(&mut self.held)
            .into_iter()
            .filter(|(received_at, _)| *received_at >= sent_at)
            .map(|(_, outcome)| outcome)
            .collect()
    }
}
