//! The accounts at the broker over REST, and the self-test.
//!
//! Owner of their JSON form. It must never hold a password.

use crate::api::words::Instant;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::problem::Answer;
use actix_web::{HttpResponse, web};
use iothome_actors::{AccountsStatus, Hub, Outcome};
use iothome_engine::access::dynsec::FaultKind;
use iothome_engine::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// How the accounts stand at a broker that keeps its own list and that the hub manages.
#[derive(Serialize, ToSchema)]
#[schema(as = BrokerAccounts)]
pub(crate) struct AccountsBody {
    /// When they were last looked at to the end.
    #[schema(value_type = Option<Instant>)]
    reconciled_at: Option<Timestamp>,
    /// Accounts that the hub keeps there.
    kept: usize,
    /// Things that had to be done at the last look.
    changes: usize,
    /// Accounts that the hub did not make, and leaves alone.
    foreign: usize,
    /// What the broker allows where no list says anything, and should not.
    open_defaults: Vec<String>,
    /// Why the last look came to no end.
    problem: Option<String>,
    /// Accounts that are not as they should be.
    faults: Vec<FaultBody>,
}

/// An account that is not as it should be.
#[derive(Serialize, ToSchema)]
#[schema(as = BrokerAccountFault)]
pub(crate) struct FaultBody {
    /// MQTT user name.
    username: String,
    /// `taken`, `password_lost` or `refused`.
    fault: &'static str,
    /// In the broker's words, if it said something.
    detail: Option<String>,
}

/// What a throw-away account, made like a device's, could do with another's topics.
#[derive(Serialize, ToSchema)]
#[schema(as = BrokerSelfTest)]
pub(crate) struct SelfTestBody {
    /// `refused` is well; `open` is not; `failed` could not be tried; `not_tested` not yet, or
    /// the hub makes no accounts at this broker.
    result: &'static str,
    /// When.
    #[schema(value_type = Option<Instant>)]
    at: Option<Timestamp>,
    /// Whether reading was refused.
    read_refused: Option<bool>,
    /// Whether writing was refused.
    write_refused: Option<bool>,
    /// Why it could not be tried.
    problem: Option<String>,
}

/// The word for what is wrong with an account.
const fn word(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Taken => "taken",
        FaultKind::PasswordLost => "password_lost",
        FaultKind::Refused => "refused",
    }
}

/// What is wrong with the account of that user, if something is.
pub(super) fn fault_of(status: &AccountsStatus, username: &str) -> Option<&'static str> {
    let mut faults = status.faults.iter();
    let fault = faults.find(|fault| fault.username == username);
    fault.map(|fault| word(fault.kind))
}

impl AccountsBody {
    /// As they are now; nothing where the broker asks the hub, or somebody else manages them.
    pub(super) fn of(hub: &Hub) -> Option<Self> {
        if hub.broker().managed_by != "hub" {
            return None;
        }
        let status = hub.accounts();
        let look = status.reconciled.as_ref();
        let faults = status.faults.iter().map(|fault| FaultBody {
            username: fault.username.clone(),
            fault: word(fault.kind),
            detail: fault.detail.clone(),
        });
        Some(Self {
            reconciled_at: look.map(|l| l.at),
            kept: look.map_or(0, |l| l.accounts),
            changes: look.map_or(0, |l| l.changes),
            foreign: look.map_or(0, |l| l.foreign.len()),
            open_defaults: look.map(|l| l.open_defaults.clone()).unwrap_or_default(),
            problem: status.problem.as_ref().map(ToString::to_string),
            faults: faults.collect(),
        })
    }
}

impl SelfTestBody {
    /// The last one.
    pub(super) fn of(hub: &Hub) -> Self {
        let status = hub.accounts();
        let mut body = Self {
            result: "not_tested",
            at: None,
            read_refused: None,
            write_refused: None,
            problem: None,
        };
        let Some(test) = &status.self_test else {
            return body;
        };
        body.at = Some(test.at);
        match &test.outcome {
            Outcome::Failed(problem) => {
                body.result = "failed";
                body.problem = Some(problem.clone());
            }
            Outcome::Tried {
                read_refused,
                write_refused,
            } => {
                body.result = if test.is_open() { "open" } else { "refused" };
                body.read_refused = Some(*read_refused);
                body.write_refused = Some(*write_refused);
            }
        }
        body
    }
}

/// Looks at the accounts and tries the broker out with a throw-away one, now.
#[utoipa::path(post, path = "/api/v1/broker/self-test", tag = "broker",
    responses((status = 200, body = SelfTestBody), (status = 403), (status = 409)))]
pub(crate) async fn test(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    app.hub.test_broker(&user.subject).await?;
    Ok(HttpResponse::Ok().json(SelfTestBody::of(&app.hub)))
}
