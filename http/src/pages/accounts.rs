//! The accounts at the broker in words of pages, and the button that tries the broker out.
//!
//! Owner of that mapping. What is well and what is not is the house's to say.

use super::add_device::Nothing;
use super::visit::{Visit, see_other};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::problem::Answer;
use actix_web::web;
use iothome_actors::{AccountsProblem, Hub, HubError, Outcome, SelfTest};
use iothome_engine::access::dynsec::{Fault, FaultKind};
use iothome_engine::time::Timestamp;
use iothome_views::links;
use iothome_views::pages::accounts as view;
use iothome_views::time::When;

/// How they stand.
pub(super) fn part(hub: &Hub, visit: &Visit) -> view::Accounts {
    let status = hub.accounts();
    let when = |at: Timestamp| When::new(visit.t, at, visit.now, &visit.zone);
    let faults = status.faults.iter();
    view::Accounts {
        look: status.reconciled.as_ref().map(|look| view::LastLook {
            at: when(look.at),
            accounts: look.accounts,
            changes: look.changes,
            foreign: look.foreign.len(),
            open_defaults: look.open_defaults.clone(),
        }),
        problem: status.problem.as_ref().map(|problem| match problem {
            AccountsProblem::NoAnswer => view::AccountsProblem::NoAnswer,
            AccountsProblem::NotAllowed => view::AccountsProblem::NotAllowed,
            other => view::AccountsProblem::Other(other.to_string()),
        }),
        faults: faults
            .map(|fault| (fault.username.clone(), worded(fault)))
            .collect(),
        test: match (&status.self_test, hub.manages_broker()) {
            (_, false) => view::Test::NotOurs,
            (None, true) => view::Test::Never,
            (Some(test), true) => tested(test, when(test.at)),
        },
    }
}

fn tested(test: &SelfTest, at: When) -> view::Test {
    match &test.outcome {
        Outcome::Tried {
            read_refused,
            write_refused,
        } => view::Test::Tried {
            at,
            read_refused: *read_refused,
            write_refused: *write_refused,
        },
        Outcome::Failed(problem) => view::Test::Failed {
            at,
            problem: problem.clone(),
        },
    }
}

fn worded(fault: &Fault) -> view::AccountFault {
    match fault.kind {
        FaultKind::Taken => view::AccountFault::Taken,
        FaultKind::PasswordLost => view::AccountFault::PasswordLost,
        FaultKind::Refused => view::AccountFault::Refused(fault.detail.clone().unwrap_or_default()),
    }
}

/// What is wrong with the account of that user, if something is.
pub(crate) fn fault_of(hub: &Hub, username: &str) -> Option<view::AccountFault> {
    let status = hub.accounts();
    let mut faults = status.faults.iter();
    faults.find(|fault| fault.username == username).map(worded)
}

/// Tries the broker out, now; the page shows what came out.
pub(crate) async fn test(app: web::Data<App>, user: CurrentUser, _form: Form<Nothing>) -> Answer {
    user.admin()?;
    match app.hub.test_broker(&user.subject).await {
        // Why it could not be tried is on that page, too.
        Ok(()) | Err(HubError::Conflict { .. }) => Ok(see_other(links::BROKER)),
        Err(error) => Err(error.into()),
    }
}
