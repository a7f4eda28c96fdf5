//! The accounts' actor: one exchange with the broker at a time.
//!
//! Owner of the order of looks, changes and tests, and of trying again. It must never hold
//! anything durable: after a crash a look at the broker finds what is left to do.

use super::dynsec::{self, Desired};
use super::line::Line;
use super::probe::Probe;
use super::status::{AccountsProblem, AccountsStatus, Outcome, SelfTest};
use super::{Accounts, Keeping, Seal};
use crate::random;
use iothome_engine::access::dynsec::{Fault, Found, Step, Wanted};
use iothome_engine::access::{AccessList, Credential};
use iothome_engine::backoff::Backoff;
use iothome_engine::ids::CredentialId;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// First and longest wait before what failed is tried again.
const FIRST_WAIT_MS: u64 = 5_000;
const LONGEST_WAIT_MS: u64 = 5 * 60_000;

/// How long after a connect an embedded broker is tried out: devices come back first.
const TEST_AFTER: Duration = Duration::from_secs(1);

pub(super) enum AccountsMsg {
    /// The broker is there.
    BrokerUp,
    /// What failed is tried again; the number tells a wait that was overtaken.
    Again(u64),
    /// The account of that name was changed.
    Follow(String, oneshot::Sender<()>),
    /// Look at everything and try it out.
    Test(oneshot::Sender<()>),
}

pub(super) struct AccountsActor;

pub(super) struct State {
    accounts: Accounts,
    backoff: Backoff,
    /// Number of the wait that counts.
    waits: u64,
}

impl Actor for AccountsActor {
    type Msg = AccountsMsg;
    type State = State;
    type Arguments = Accounts;

    async fn pre_start(
        &self,
        _: ActorRef<AccountsMsg>,
        accounts: Accounts,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State {
            accounts,
            backoff: Backoff::new(FIRST_WAIT_MS, LONGEST_WAIT_MS),
            waits: 0,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<AccountsMsg>,
        message: AccountsMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            AccountsMsg::BrokerUp => {
                state.backoff.reset();
                state.waits += 1;
                match state.accounts.inner.tools.keeping {
                    Keeping::Embedded(_) => state.wait(&me, TEST_AFTER),
                    Keeping::Dynsec(_) | Keeping::Operator => state.look(&me).await,
                }
            }
            AccountsMsg::Again(wait) if wait == state.waits => state.look(&me).await,
            AccountsMsg::Again(_) => {}
            AccountsMsg::Follow(username, reply) => {
                state.follow(&me, &username).await;
                // Whoever asked may have lost patience; what was done stays done.
                let _ = reply.send(());
            }
            AccountsMsg::Test(reply) => {
                state.look(&me).await;
                let _ = reply.send(());
            }
        }
        Ok(())
    }
}

impl State {
    /// Looks at everything, mends it, and tries the broker out.
    async fn look(&mut self, me: &ActorRef<AccountsMsg>) {
        if !self.accounts.is_up() {
            // The next connect looks.
            return;
        }
        match self.looked().await {
            Ok(()) => self.backoff.reset(),
            Err(problem) => self.failed(me, problem),
        }
    }

    async fn looked(&self) -> Result<(), AccountsProblem> {
        let tools = &self.accounts.inner.tools;
        let mut line = Line::open(&tools.mqtt).await?;
        if let Keeping::Dynsec(seal) = &tools.keeping {
            let desired = self.desired(seal).await?;
            let (house, now) = (&self.accounts.inner.house, tools.services.clock.now());
            let (reconciled, faults) = dynsec::reconcile(&mut line, house, &desired, now).await?;
            if reconciled.changes > 0 || !faults.is_empty() {
                let (changes, faults) = (reconciled.changes, faults.len());
                tracing::info!(changes, faults, "the broker's accounts were looked at");
            }
            self.note(|status| {
                status.reconciled = Some(reconciled);
                status.faults = faults;
            });
        }
        self.tried(&mut line).await?;
        line.close().await;
        self.note(|status| status.problem = None);
        Ok(())
    }

    async fn desired(&self, seal: &Seal) -> Result<Desired, AccountsProblem> {
        let desired = Desired::read(&self.accounts.inner.tools.store, seal).await;
        desired.map_err(|e| AccountsProblem::Store(e.to_string()))
    }

    /// Makes a throw-away account, tries it, and takes it away. If that is cut short, the next
    /// look takes it away.
    async fn tried(&self, line: &mut Line) -> Result<(), AccountsProblem> {
        let inner = &self.accounts.inner;
        let probe = Probe::new();
        let (wanted, password) = (
            Wanted::throw_away(probe.name(), &probe.rules()),
            random::secret(),
        );
        let (username, role) = (wanted.username.clone(), wanted.role.clone());
        let mqtt = &inner.tools.mqtt;
        match &inner.tools.keeping {
            Keeping::Operator => Ok(()),
            Keeping::Embedded(cut) => {
                let now = inner.tools.services.clock.now();
                let credential = Credential {
                    id: CredentialId::new(now, random::bytes()),
                    username: username.clone(),
                    name: username.clone(),
                    device: None,
                    secret_sha256: random::sha256_hex(password.as_bytes()),
                    topics: probe.rules(),
                    created_at: now,
                };
                let access = &inner.tools.access;
                // One that was cut short by a failure of this actor may have left its account.
                access.rcu(|list| {
                    let left = list.iter().find(|c| super::is_throw_away(&c.username));
                    left.map_or_else(|| AccessList::clone(list), |c| list.without(&c.username))
                });
                access.rcu(|list| list.with(credential.clone()));
                self.tested(probe.run(mqtt, line, &username, &password).await);
                access.rcu(|list| list.without(&username));
                if let Some(cut) = cut {
                    cut(&username);
                }
                Ok(())
            }
            Keeping::Dynsec(_) => {
                let made = Desired::one(wanted, password.clone());
                let brought = dynsec::bring(line, &inner.house, &made, &Found::default()).await?;
                self.tested(match brought.faults.first() {
                    Some(fault) => Outcome::Failed(format!(
                        "the throw-away account cannot be made: {}",
                        fault.detail.as_deref().unwrap_or_default()
                    )),
                    None => probe.run(mqtt, line, &username, &password).await,
                });
                let gone = [Step::DeleteAccount(username), Step::DeleteRole(role)];
                let gone = gone.map(|step| step.command(&inner.house, None, None));
                line.ask(gone.to_vec()).await?;
                Ok(())
            }
        }
    }

    fn tested(&self, outcome: Outcome) {
        let at = self.accounts.inner.tools.services.clock.now();
        let test = SelfTest { at, outcome };
        match &test.outcome {
            _ if test.is_open() => tracing::error!(
                outcome = ?test.outcome,
                "the broker lets an account touch topics that are not its own"
            ),
            Outcome::Failed(problem) => {
                tracing::warn!(problem, "the broker could not be tried out");
            }
            Outcome::Tried { .. } => {}
        }
        self.note(|status| status.self_test = Some(test));
    }

    /// Brings one account to what the house has written down.
    async fn follow(&mut self, me: &ActorRef<AccountsMsg>, username: &str) {
        let followed = self.followed(username).await;
        match followed {
            Ok(faults) => self.note(|status| {
                status.faults.retain(|fault| fault.username != username);
                status.faults.extend(faults);
            }),
            Err(problem) => self.failed(me, problem),
        }
    }

    async fn followed(&self, username: &str) -> Result<Vec<Fault>, AccountsProblem> {
        let tools = &self.accounts.inner.tools;
        let Keeping::Dynsec(seal) = &tools.keeping else {
            return Ok(Vec::new());
        };
        let desired = self.desired(seal).await?.only(username);
        let mut line = Line::open(&tools.mqtt).await?;
        let house = &self.accounts.inner.house;
        let brought = dynsec::follow(&mut line, house, username, &desired).await?;
        line.close().await;
        Ok(brought.faults)
    }

    /// Tells what is wrong, and tries everything again later.
    fn failed(&mut self, me: &ActorRef<AccountsMsg>, problem: AccountsProblem) {
        tracing::warn!(%problem, "the broker's accounts could not be looked after; trying again");
        self.note(|status| status.problem = Some(problem));
        let wait_ms = self.backoff.next_exact_ms();
        self.wait(me, Duration::from_millis(wait_ms));
    }

    fn wait(&mut self, me: &ActorRef<AccountsMsg>, time: Duration) {
        self.waits += 1;
        let wait = self.waits;
        me.send_after(time, move || AccountsMsg::Again(wait));
    }

    /// Changes what is shown. This actor alone writes it.
    fn note(&self, change: impl FnOnce(&mut AccountsStatus)) {
        let shown = &self.accounts.inner.status;
        let mut status = AccountsStatus::clone(&shown.load());
        change(&mut status);
        shown.store(Arc::new(status));
    }
}
