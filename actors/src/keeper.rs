//! Keeps one child actor alive: starts it again after a failure, with back-off.
//!
//! Owner of the restarts of the actors that the whole house needs (MQTT,
//! recorder, sessions). It never gives up: a house without them is worth nothing. It
//! must never be asked for work: callers reach the child through its own handle.

use ractor::concurrency::Duration;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use std::future::Future;
use std::pin::Pin;
use tokio::time::Instant;

/// First wait before a restart; doubles with each failure in a row.
const FIRST_WAIT_MS: u64 = 100;

/// Longest wait: a person who repairs the cause does not want to wait longer.
const LONGEST_WAIT_MS: u64 = 10_000;

/// A child that lived this long is taken for healthy, and its failures are forgotten.
const HEALTHY: Duration = Duration::from_secs(60);

type Spawning = Pin<Box<dyn Future<Output = Result<ActorCell, SpawnErr>> + Send>>;

/// Starts the child, linked to the cell it is given.
pub(crate) type Spawn = Box<dyn Fn(ActorCell) -> Spawning + Send + Sync>;

/// What to keep.
pub(crate) struct Kept {
    /// Its name in the log.
    pub(crate) name: &'static str,
    /// How to start it.
    pub(crate) spawn: Spawn,
}

/// Starts a keeper under `supervisor`, and its child.
pub(crate) async fn keep(
    supervisor: ActorCell,
    kept: Kept,
) -> Result<ActorRef<KeeperMessage>, SpawnErr> {
    let (keeper, _) = Actor::spawn_linked(None, Keeper, kept, supervisor).await?;
    Ok(keeper)
}

pub(crate) struct Keeper;

pub(crate) enum KeeperMessage {
    Respawn,
}

pub(crate) struct State {
    kept: Kept,
    failures: u32,
    started: Instant,
}

impl State {
    async fn spawn(&mut self, keeper: ActorCell) -> Result<(), SpawnErr> {
        self.started = Instant::now();
        (self.kept.spawn)(keeper).await.map(drop)
    }

    fn next_wait(&mut self) -> Duration {
        if self.started.elapsed() >= HEALTHY {
            self.failures = 0;
        }
        let wait = FIRST_WAIT_MS << self.failures.min(10);
        self.failures = self.failures.saturating_add(1);
        Duration::from_millis(wait.min(LONGEST_WAIT_MS))
    }

    fn respawn_later(&mut self, me: &ActorRef<KeeperMessage>) {
        me.send_after(self.next_wait(), || KeeperMessage::Respawn);
    }
}

impl Actor for Keeper {
    type Msg = KeeperMessage;
    type State = State;
    type Arguments = Kept;

    async fn pre_start(
        &self,
        me: ActorRef<Self::Msg>,
        kept: Kept,
    ) -> Result<State, ActorProcessingErr> {
        let mut state = State {
            kept,
            failures: 0,
            started: Instant::now(),
        };
        state.spawn(me.get_cell()).await?;
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        KeeperMessage::Respawn: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        if let Err(error) = state.spawn(me.get_cell()).await {
            tracing::error!(actor = state.kept.name, %error, "an actor could not be started again");
            state.respawn_later(&me);
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(_, error) = event {
            tracing::error!(actor = state.kept.name, %error, "an actor failed and is started again");
            metrics::counter!("iothome_actor_restarts_total", "actor" => state.kept.name)
                .increment(1);
            state.respawn_later(&me);
        }
        Ok(())
    }
}
