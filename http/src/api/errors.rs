//! What the house, the store and the sessions refused, as problem documents.
//!
//! Owner of the translation. It must never show a cause from inside the hub.

use crate::api::conditional;
use crate::problem::Problem;
use actix_web::http::StatusCode;
use iothome_actors::{AskError, HubError, PasswordError, SessionError};
use iothome_engine::command::Refusal;
use iothome_store::StoreError;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken { what } => taken(what),
            StoreError::Stale => conditional::stale(),
            StoreError::NotFound => Self::not_found("there is no such thing"),
            StoreError::LastAdmin => last_admin(),
            error if error.is_passing() => {
                tracing::warn!(%error, "the database did not answer a request");
                Self::unavailable("database_away", "the hub's database does not answer now")
            }
            error => Self::internal(&error),
        }
    }
}

/// The store names the thing ("user name"), the document the request's field ("name").
fn taken(what: &str) -> Problem {
    let field = match what {
        "user name" => "username",
        other => other.rsplit(' ').next().unwrap_or(other),
    };
    Problem::conflict("taken", format!("this {what} is already taken")).field(field)
}

fn last_admin() -> Problem {
    Problem::conflict(
        "last_admin",
        "the last administrator cannot be removed, demoted or disabled",
    )
}

impl From<HubError> for Problem {
    fn from(error: HubError) -> Self {
        match error {
            HubError::NotFound => Self::not_found("there is no such thing"),
            HubError::Taken { field } => taken(&field),
            HubError::Invalid { field, problem } => Self::invalid(field, problem),
            HubError::Stale => conditional::stale(),
            HubError::Conflict { reason } => Self::conflict("conflict", reason),
            HubError::LastAdmin => last_admin(),
            HubError::Store(error) => error.into(),
            HubError::Stopping => stopping(),
            HubError::Busy => Self::unavailable("busy", "the hub is busy; try again"),
            error @ HubError::Start { .. } => Self::internal(&error),
        }
    }
}

fn stopping() -> Problem {
    Problem::unavailable("stopping", "the hub is shutting down").retry_after(5)
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::NoDevice => Self::not_found("there is no such device"),
            AskError::Refused(refusal) => refusal.into(),
            AskError::NotDurable { command, sent } => {
                Self::unavailable("not_durable", error_text(sent))
                    .with("command", command.to_string())
                    .with("sent", sent)
            }
            AskError::KeyReused => Self::invalid(
                "Idempotency-Key",
                "this Idempotency-Key was used for another request",
            ),
            AskError::Store(error) => error.into(),
            AskError::Busy => Self::unavailable("busy", "the device is busy; try again"),
            AskError::Stopping => stopping(),
        }
    }
}

const fn error_text(sent: bool) -> &'static str {
    if sent {
        "the hub cannot write to its database; the command was sent all the same and \
         will be recorded as soon as that works"
    } else {
        "the hub cannot write to its database; the command was not sent"
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::UnknownEntity(_) => Self::not_found("the device has no such entity"),
            Refusal::WrongAction { .. } => Self::invalid("action", detail),
            Refusal::BadValue(_) => Self::invalid("value", detail),
            Refusal::StateUnknown => Self::conflict("state_unknown", detail).field("action"),
            Refusal::NotDurable(_) => Self::unavailable("not_durable", detail).with("sent", false),
            Refusal::TooManyInFlight(_) => Self::too_many(detail, 1),
        }
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Ended => Self::unauthorized(),
            SessionError::Throttled { retry_after_s } => Self::too_many(
                "too many commands: at most 50 a second and 20 at once for each session",
                retry_after_s,
            ),
            SessionError::Store(error) => error.into(),
            SessionError::TooManyStreams => Self::too_many(error.to_string(), 10),
            SessionError::Busy => Self::unavailable("busy", error.to_string()),
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => {
                Self::unavailable("busy", "too many sign-ins at once; try again").retry_after(2)
            }
            PasswordError::TooLong => Self::invalid("password", error.to_string()),
            PasswordError::Broken => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "passwords_broken",
                "passwords cannot be checked now",
            )
            .retry_after(10),
        }
    }
}
