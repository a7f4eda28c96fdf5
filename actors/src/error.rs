//! What can go wrong with what is asked of the house, in the house's words.
//!
//! Owner of the two error types that leave this crate beside those of sessions
//! and passwords. It must never carry a secret or a payload.

use iothome_engine::command::Refusal;
use iothome_engine::ids::CommandId;
use iothome_store::StoreError;

/// Why an ask gave no durable command.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no such device.
    #[error("there is no such device")]
    NoDevice,
    /// The device cannot do that: nothing was recorded and nothing sent.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The row could not be written.
    #[error("the hub cannot write to its database; the command was {}sent", if *.sent { "" } else { "not " })]
    NotDurable {
        /// The command's id; if it was sent, its row is written as soon as that works.
        command: CommandId,
        /// Whether it was published all the same.
        sent: bool,
    },
    /// The same idempotency key came with another body.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The database could not be asked whether the key was used.
    #[error(transparent)]
    Store(StoreError),
    /// The device's actor is being restarted, or too much waits: asking again later may help.
    #[error("the device is busy; try again")]
    Busy,
    /// The hub is shutting down.
    #[error("the hub is shutting down")]
    Stopping,
}

/// Why the house did not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// There is no such thing.
    #[error("there is no such thing")]
    NotFound,
    /// The name or id is in use, or was and is never given again.
    #[error("this {field} is already taken")]
    Taken {
        /// `id`, `name`, `username`.
        field: String,
    },
    /// A field does not say what it must.
    #[error("`{field}`: {problem}")]
    Invalid {
        /// Which field, with its path.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The thing was changed since it was read.
    #[error("it was changed in the meantime: read it again")]
    Stale,
    /// It cannot be done as things are.
    #[error("{reason}")]
    Conflict {
        /// Why.
        reason: String,
    },
    /// The house would be left without an administrator.
    #[error("the last administrator cannot be removed, demoted or disabled")]
    LastAdmin,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// A part of the house could not be started.
    #[error("{part} cannot be started: {problem}")]
    Start {
        /// Which.
        part: &'static str,
        /// Why.
        problem: String,
    },
    /// The hub is shutting down.
    #[error("the hub is shutting down")]
    Stopping,
    /// Too much waits: asking again later may help.
    #[error("the hub is busy; try again")]
    Busy,
}

impl HubError {
    pub(crate) fn invalid(
        field: impl Into<String>,
        problem: &(impl std::fmt::Display + ?Sized),
    ) -> Self {
        Self::Invalid {
            field: field.into(),
            problem: problem.to_string(),
        }
    }

    pub(crate) fn start(part: &'static str, problem: &(impl std::fmt::Display + ?Sized)) -> Self {
        Self::Start {
            part,
            problem: problem.to_string(),
        }
    }
}

impl From<StoreError> for HubError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken { what } => Self::Taken { field: what.into() },
            StoreError::Stale => Self::Stale,
            StoreError::NotFound => Self::NotFound,
            StoreError::LastAdmin => Self::LastAdmin,
            other => Self::Store(other),
        }
    }
}
