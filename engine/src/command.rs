//! Commands: what was asked, by whom, how far it came and how it ended.
//!
//! Owner of the command's words and of its one rule: exactly one end. The steps
//! between are decided by `device`; this file must never know about topics.

use crate::ids::{CommandId, DeviceId, EntityId, EntityRef, SessionId, UserId};
use crate::kind::Action;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How far a command came.
///
/// `Accepted`, `Sent` and `Acknowledged` are steps; every other status is an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Decided and recorded; not yet on the wire.
    Accepted,
    /// Handed to the broker connection.
    Sent,
    /// The broker has it (PUBACK, MQTT 5 section 3.4).
    Acknowledged,
    /// The device reported what was asked, after it was sent.
    Confirmed,
    /// The broker has it and the entity has nothing to confirm it by.
    Delivered,
    /// The broker, the device or a template refused it.
    Rejected,
    /// No matching report came before the deadline.
    TimedOut,
    /// A newer command to the same entity took its place.
    Superseded,
    /// The device is away or quarantined.
    Unavailable,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 9] = [
        Self::Accepted,
        Self::Sent,
        Self::Acknowledged,
        Self::Confirmed,
        Self::Delivered,
        Self::Rejected,
        Self::TimedOut,
        Self::Superseded,
        Self::Unavailable,
    ];

    /// The word used in REST and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Acknowledged => "acknowledged",
            Self::Confirmed => "confirmed",
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed_out",
            Self::Superseded => "superseded",
            Self::Unavailable => "unavailable",
        }
    }

    /// Whether nothing follows.
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Accepted | Self::Sent | Self::Acknowledged)
    }

    /// Whether the command did what was asked, as far as can be known.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Confirmed | Self::Delivered)
    }

    /// The status with that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who or what asked: carried from the click to the confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// A signed-in person.
    User {
        /// Who.
        user: UserId,
        /// Their name when they asked.
        name: String,
        /// In which session.
        session: SessionId,
    },
    /// An occurrence of a schedule.
    Schedule {
        /// The schedule's id.
        schedule: String,
        /// The schedule's name when it fired.
        name: String,
        /// The occurrence.
        due_at: Timestamp,
    },
}

impl Cause {
    /// The name a person knows it by.
    pub fn name(&self) -> &str {
        match self {
            Self::User { name, .. } | Self::Schedule { name, .. } => name,
        }
    }

    /// Whether a person or client waits for the answer (else it is durable first).
    pub const fn is_asked(&self) -> bool {
        matches!(self, Self::User { .. })
    }
}

/// What somebody asks of an entity: parsed and sized, not yet checked against the entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The id the command will have.
    pub id: CommandId,
    /// Of which entity.
    pub target: EntityRef,
    /// What.
    pub action: Action,
    /// The value of `set`: a number, a word, or an object such as `{"brightness":40}`.
    pub value: Option<serde_json::Value>,
    /// Who asked.
    pub cause: Cause,
    /// `Idempotency-Key` of the request, with what it must be the same as.
    pub idempotency: Option<Idempotency>,
}

/// The promise of RFC draft `Idempotency-Key`: the same key and body is the same command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Scope and key: `<user>/<path>/<key>`.
    pub key: String,
    /// SHA-256 of the body in lower-case hex.
    pub body_sha256: String,
}

/// A command: one row, one id, exactly one end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Its id, on the wire the MQTT 5 correlation data.
    pub id: CommandId,
    /// The device.
    pub device: DeviceId,
    /// The entity.
    pub entity: EntityId,
    /// The action as it was asked (`toggle` stays `toggle`).
    pub action: Action,
    /// The action as it is carried out (`toggle` becomes `turn_on` or `turn_off`).
    pub resolved: Action,
    /// The value of `set`, as it was asked.
    pub value: Option<serde_json::Value>,
    /// Who or what asked.
    pub cause: Cause,
    /// How far it came.
    pub status: Status,
    /// Why it ended so, as a code such as `hub_restarted`, or the device's own words.
    pub reason: Option<String>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it times out.
    pub deadline_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Microseconds from acceptance to the end.
    pub latency_micros: Option<i64>,
    /// Whether the durable mark says that sending a `press` has begun.
    pub sending: bool,
}

impl Command {
    /// The entity it is for.
    pub fn target(&self) -> EntityRef {
        EntityRef {
            device: self.device.clone(),
            entity: self.entity.clone(),
        }
    }

    /// Latency in milliseconds with a fraction, as REST tells it.
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds of a command fit 2^53"
    )]
    pub fn latency_ms(&self) -> Option<f64> {
        self.latency_micros.map(|us| us as f64 / 1000.0)
    }

    /// Ends the command. The first end stands: a later call changes nothing and says `false`.
    pub fn end(&mut self, now: Timestamp, status: Status, reason: Option<String>) -> bool {
        if self.status.is_end() || !status.is_end() {
            return false;
        }
        self.status = status;
        self.reason = reason;
        // A clock set back between the two must not make a negative latency.
        let now = now.max(self.accepted_at);
        self.ended_at = Some(now);
        self.latency_micros = Some(now.micros_since(self.accepted_at));
        true
    }
}

/// What is to be written down about a command: two durable writes, and the mark of a `press`.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandWrite {
    /// It was accepted; with the key that makes asking again the same command.
    Accepted(Command, Option<Idempotency>),
    /// Sending a `press` begins: from here on it is never sent again.
    Sending(CommandId),
    /// It ended.
    Ended(Command),
}

/// Reasons that the hub itself gives, as codes (pages translate them).
pub mod reason {
    /// No matching report came in time.
    pub const NO_CONFIRMATION: &str = "no_confirmation";
    /// The hub stopped while the command was under way.
    pub const HUB_RESTARTED: &str = "hub_restarted";
    /// The device said it is offline.
    pub const DEVICE_OFFLINE: &str = "device_offline";
    /// The device failed too often and is quarantined.
    pub const QUARANTINED: &str = "quarantined";
    /// The device was deleted.
    pub const DEVICE_REMOVED: &str = "device_removed";
    /// The entity is no longer announced.
    pub const ENTITY_REMOVED: &str = "entity_removed";
    /// A newer command to the same entity.
    pub const NEWER_COMMAND: &str = "newer_command";
    /// The lock reports that it is jammed.
    pub const JAMMED: &str = "jammed";
    /// The broker refused the publication.
    pub const BROKER_REFUSED: &str = "broker_refused";
    /// The command template could not be rendered.
    pub const TEMPLATE_FAILED: &str = "template_failed";
    /// The row could not be written, so the command was not carried out.
    pub const NOT_DURABLE: &str = "not_durable";
    /// The broker was not reached before the deadline.
    pub const BROKER_AWAY: &str = "broker_away";
}

/// Why an ask became no command: nothing was recorded, nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The device has no such entity.
    #[error("the device has no entity {0:?}")]
    UnknownEntity(String),
    /// The entity's kind does not take this action.
    #[error("{action} cannot be asked of this {kind}; it takes: {allowed}")]
    WrongAction {
        /// What was asked.
        action: Action,
        /// The entity's kind.
        kind: crate::kind::Kind,
        /// The actions it takes, separated by commas.
        allowed: String,
    },
    /// The value is missing, of the wrong type or out of range.
    #[error("{0}")]
    BadValue(String),
    /// `toggle` of an entity whose state nobody knows.
    #[error("the state is not known, so it cannot be toggled: ask turn_on or turn_off")]
    StateUnknown,
    /// A durable-first action while the database cannot be written.
    #[error("the hub cannot write to its database, so it does not {0} now")]
    NotDurable(Action),
    /// Too many commands are under way for this device.
    #[error("too many commands are under way for this device; at most {0}")]
    TooManyInFlight(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        let now = Timestamp::from_millis(1_000);
        Command {
            id: CommandId::new(now, [0; 10]),
            device: "lamp".parse().expect("an id"),
            entity: "light".parse().expect("an id"),
            action: Action::TurnOn,
            resolved: Action::TurnOn,
            value: None,
            cause: Cause::User {
                user: UserId::new(now, [1; 10]),
                name: "eve".into(),
                session: SessionId::new(now, [2; 10]),
            },
            status: Status::Sent,
            reason: None,
            accepted_at: now,
            deadline_at: now.plus_millis(5_000),
            ended_at: None,
            latency_micros: None,
            sending: false,
        }
    }

    #[test]
    fn the_first_end_stands() {
        let mut c = command();
        assert!(c.end(Timestamp::from_micros(1_009_250), Status::Confirmed, None));
        assert!(!c.end(Timestamp::from_millis(9_000), Status::TimedOut, None));
        assert_eq!((c.status, c.latency_ms()), (Status::Confirmed, Some(9.25)));
    }

    #[test]
    fn a_step_is_no_end_and_a_clock_set_back_gives_no_negative_latency() {
        let mut c = command();
        assert!(!c.end(c.accepted_at, Status::Acknowledged, None));
        assert!(c.end(Timestamp::from_millis(1), Status::TimedOut, None));
        assert_eq!(c.latency_micros, Some(0));
    }

    #[test]
    fn statuses_read_back_from_their_words() {
        for status in Status::ALL {
            assert_eq!(Status::from_word(status.as_str()), Some(status));
        }
    }
}
