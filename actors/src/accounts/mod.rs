//! The broker's accounts: told to a broker that keeps its own, and tried out.
//!
//! Owner of everything that manages an outside broker and of the self-test of any broker
//! that the hub manages. What there should be stands in the store; it must never decide
//! that, and it must never touch what the hub did not make.

mod actor;
mod dynsec;
mod line;
mod probe;
mod seal;
mod status;

pub use seal::Seal;
pub use status::{AccountsProblem, AccountsStatus, Outcome, Reconciled, SelfTest};

use crate::SharedAccess;
use crate::error::HubError;
use crate::mqtt::MqttConfig;
use crate::registrar::Cut;
use crate::root::{Kept, Recipe};
use crate::services::Services;
use actor::{AccountsActor, AccountsMsg};
use arc_swap::ArcSwap;
use iothome_engine::access::dynsec::House;
use iothome_engine::ids::CredentialId;
use iothome_store::Store;
use ractor::{Actor, ActorCell};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// How long somebody who makes, changes or deletes a credential waits for the broker. It is done
/// all the same, only later.
const FOLLOW_MAX: Duration = Duration::from_secs(4);

/// How long somebody waits for a self-test: behind a whole look at the accounts of a large house.
const TEST_MAX: Duration = Duration::from_secs(60);

/// Self-tests that may wait at once: people press a button twice.
const TESTS_MAX: usize = 4;

/// Where the accounts lie.
#[derive(Clone)]
pub(crate) enum Keeping {
    /// Nobody asks the hub.
    Operator,
    /// The embedded broker asks the hub at each packet.
    Embedded(Option<Cut>),
    /// The broker has a list of its own.
    Dynsec(Seal),
}

/// What the accounts' actor works with.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) services: Arc<Services>,
    pub(crate) store: Store,
    pub(crate) mqtt: MqttConfig,
    pub(crate) access: SharedAccess,
    pub(crate) keeping: Keeping,
}

/// The way to the broker's accounts. Clones lead to the same.
#[derive(Clone)]
pub(crate) struct Accounts {
    inner: Arc<Inner>,
}

struct Inner {
    tools: Tools,
    house: House,
    actor: Kept<AccountsMsg>,
    status: ArcSwap<AccountsStatus>,
    tests: Semaphore,
}

impl Accounts {
    pub(crate) fn new(tools: Tools) -> Self {
        Self {
            inner: Arc::new(Inner {
                // Unique per installation, as the client's id is.
                house: House::new(&tools.mqtt.client_id),
                tools,
                actor: Kept::default(),
                status: ArcSwap::default(),
                tests: Semaphore::new(TESTS_MAX),
            }),
        }
    }

    /// How the root starts, and starts again, the accounts' actor.
    pub(crate) fn recipe(&self) -> Recipe {
        let accounts = self.clone();
        Recipe::new("accounts", move |root: ActorCell| {
            let accounts = accounts.clone();
            Box::pin(async move {
                let spawned = Actor::spawn_linked(None, AccountsActor, accounts.clone(), root);
                let (actor, _) = spawned.await?;
                accounts.inner.actor.set(actor.clone());
                // One that failed may have left something half done.
                accounts.broker_up();
                Ok(actor.get_cell())
            })
        })
    }

    /// How they stand.
    pub(crate) fn status(&self) -> Arc<AccountsStatus> {
        self.inner.status.load_full()
    }

    /// The broker is there: its accounts are looked at, and it is tried out.
    pub(crate) fn broker_up(&self) {
        if self.is_up() && !matches!(self.inner.tools.keeping, Keeping::Operator) {
            self.inner.actor.cast(AccountsMsg::BrokerUp);
        }
    }

    /// A day has passed: the same again.
    pub(crate) fn day(&self) {
        self.broker_up();
    }

    /// Keeps a new password so that a broker that lost it can be told again.
    pub(crate) async fn keep(&self, credential: CredentialId, password: &str) {
        let Keeping::Dynsec(seal) = &self.inner.tools.keeping else {
            return;
        };
        let sealed = seal.close(credential, password);
        let kept = self.inner.tools.store.keep_sealed(credential, &sealed);
        if let Err(problem) = kept.await {
            // The page says of the credential that it needs a new password.
            tracing::error!(%credential, %problem, "a password could not be kept under seal");
        }
    }

    /// The user's credential was made, changed or deleted. Waits a moment for the broker to
    /// have it; what the broker is told later is told later.
    pub(crate) async fn follow(&self, username: &str) {
        if !matches!(self.inner.tools.keeping, Keeping::Dynsec(_)) || !self.is_up() {
            return;
        }
        let (reply, followed) = oneshot::channel();
        let message = AccountsMsg::Follow(username.to_owned(), reply);
        self.inner.actor.cast(message);
        if !matches!(tokio::time::timeout(FOLLOW_MAX, followed).await, Ok(Ok(()))) {
            tracing::warn!(username, "the broker has not taken the change yet");
        }
    }

    /// Looks at the accounts and tries the broker out, now.
    pub(crate) async fn test(&self) -> Result<(), HubError> {
        if matches!(self.inner.tools.keeping, Keeping::Operator) {
            return Err(HubError::Conflict {
                reason: "the hub makes no accounts at this broker, so it cannot try one".into(),
            });
        }
        if !self.is_up() {
            return Err(HubError::Conflict {
                reason: "the hub is not connected to the broker".into(),
            });
        }
        let _permit = self.inner.tests.try_acquire().map_err(|_| HubError::Busy)?;
        let (reply, tested) = oneshot::channel();
        self.inner.actor.cast(AccountsMsg::Test(reply));
        match tokio::time::timeout(TEST_MAX, tested).await {
            Ok(Ok(())) => match &self.status().problem {
                None => Ok(()),
                Some(problem) => Err(HubError::Conflict {
                    reason: problem.to_string(),
                }),
            },
            Ok(Err(_)) | Err(_) => Err(HubError::Busy),
        }
    }

    /// Whether the user name may be a new credential's: not one that stands for the hub itself,
    /// nor one that is known to be somebody else's at the broker.
    pub(crate) fn is_taken(&self, username: &str) -> bool {
        let status = self.status();
        let foreign = status.reconciled.as_ref().map(|r| Arc::clone(&r.foreign));
        self.inner.tools.mqtt.username.as_deref() == Some(username)
            || foreign.is_some_and(|names| names.iter().any(|name| name == username))
    }

    fn is_up(&self) -> bool {
        self.inner.tools.services.broker_up.load(Ordering::SeqCst)
    }
}

/// Whether the user is a throw-away one of the self-test.
pub(crate) fn is_throw_away(username: &str) -> bool {
    username.starts_with(probe::THROW_AWAY)
}
