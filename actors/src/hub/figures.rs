//! How the hub is: its queues, its parts, its age.
//!
//! Owner of what the house tells of itself. It must never hold anything up: each
//! figure is read as it is.

use super::Hub;
use crate::inbox::Inbox;
use crate::journal::Journal;
use crate::mqtt::OUTBOX_MAX;
use crate::recorder::Recorder;
use crate::registrar::Registrar;
use iothome_engine::time::Timestamp;

/// A queue of the hub: how much waits, and how much may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// `outbox`, `commands`, `audit`, `history`, `announcements` or `inbox` (of the device that is
    /// furthest behind).
    pub name: &'static str,
    /// How much waits.
    pub waiting: usize,
    /// How much may.
    pub bound: usize,
}

impl Hub {
    /// Every queue that could be full one day.
    pub fn queues(&self) -> Vec<Queue> {
        let inner = &self.inner;
        let queue = |name, waiting, bound| Queue {
            name,
            waiting,
            bound,
        };
        let (commands, audit) = inner.services.journal.waiting();
        vec![
            queue("outbox", self.broker().outbox, OUTBOX_MAX),
            queue("commands", commands, Journal::QUEUE_MAX),
            queue("audit", audit, Journal::AUDIT_MAX),
            queue(
                "history",
                inner.services.recorder.waiting(),
                Recorder::WAITING_MAX,
            ),
            queue(
                "announcements",
                inner.registrar.backlog(),
                Registrar::BACKLOG_MAX,
            ),
            queue("inbox", inner.services.house.fullest_inbox(), Inbox::MOST),
        ]
    }

    /// Whether history is being written.
    pub fn recorder_healthy(&self) -> bool {
        self.inner.services.recorder.healthy()
    }

    /// Since when this hub runs.
    pub fn started_at(&self) -> Timestamp {
        self.inner.started_at
    }
}
