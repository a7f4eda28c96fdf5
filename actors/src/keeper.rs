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
        let why = match event {
            SupervisionEvent::ActorFailed(_, error) => error.to_string(),
            // A child is stopped through its keeper only, so this was not asked for.
            SupervisionEvent::ActorTerminated(..) => "it was killed".to_owned(),
            _ => return Ok(()),
        };
        tracing::error!(
            actor = state.kept.name,
            why,
            "an actor ended and is started again"
        );
        metrics::counter!("iothome_actor_restarts_total", "actor" => state.kept.name).increment(1);
        state.respawn_later(&me);
        Ok(())
    }
}

/// What tests of kept actors stand on.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Stands for the hub: supervises and does nothing.
    pub(crate) struct Root;

    impl Root {
        pub(crate) async fn start() -> ActorRef<()> {
            Actor::spawn(None, Self, ()).await.expect("spawned").0
        }
    }

    impl Actor for Root {
        type Msg = ();
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }

        async fn handle_supervisor_evt(
            &self,
            _: ActorRef<()>,
            _: SupervisionEvent,
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::Root;
    use super::*;
    use std::sync::{Arc, Mutex};
    use tokio::sync::mpsc;

    /// Tells when it starts, and fails as it is told.
    struct Fragile;

    #[derive(Clone, Copy)]
    enum Fail {
        Panic,
        Err,
    }

    impl Actor for Fragile {
        type Msg = Fail;
        type State = ();
        type Arguments = mpsc::UnboundedSender<ActorRef<Fail>>;

        async fn pre_start(
            &self,
            me: ActorRef<Fail>,
            told: Self::Arguments,
        ) -> Result<(), ActorProcessingErr> {
            let _ = told.send(me);
            Ok(())
        }

        async fn handle(
            &self,
            _: ActorRef<Fail>,
            fail: Fail,
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            match fail {
                Fail::Panic => panic!("as a test"),
                Fail::Err => Err("as a test".into()),
            }
        }
    }

    async fn kept() -> (
        ActorRef<KeeperMessage>,
        mpsc::UnboundedReceiver<ActorRef<Fail>>,
    ) {
        let (told, started) = mpsc::unbounded_channel();
        let spawn: Spawn = Box::new(move |keeper| {
            let told = told.clone();
            Box::pin(async move {
                let (actor, _) = Actor::spawn_linked(None, Fragile, told, keeper).await?;
                Ok(actor.get_cell())
            })
        });
        let name = "fragile";
        let root = Root::start().await.get_cell();
        let keeper = keep(root, Kept { name, spawn }).await.expect("kept");
        (keeper, started)
    }

    #[tokio::test(start_paused = true)]
    async fn a_child_is_started_again_after_a_panic_an_error_and_a_kill() {
        let (_keeper, mut started) = kept().await;
        let child = started.recv().await.expect("started");
        child.cast(Fail::Panic).expect("sent");
        let child = started.recv().await.expect("started again");
        child.cast(Fail::Err).expect("sent");
        let child = started.recv().await.expect("started again");
        child.kill();
        started.recv().await.expect("started again");
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_ten_seconds_and_start_anew_after_a_healthy_minute() {
        let (_keeper, mut started) = kept().await;
        let waits = Arc::new(Mutex::new(Vec::new()));
        let mut child = started.recv().await.expect("started");
        for _ in 0..9 {
            let failed = Instant::now();
            child.cast(Fail::Err).expect("sent");
            child = started.recv().await.expect("started again");
            waits
                .lock()
                .expect("whole")
                .push(failed.elapsed().as_millis());
        }
        let waits = waits.lock().expect("whole").clone();
        assert!(waits.windows(2).all(|w| w[0] <= w[1]), "{waits:?}");
        assert!(waits[8] >= 9_900 && waits[8] < 11_000, "{waits:?}");
        tokio::time::sleep(HEALTHY).await;
        let failed = Instant::now();
        child.cast(Fail::Err).expect("sent");
        started.recv().await.expect("started again");
        assert!(failed.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_keeper_takes_its_child_along() {
        let (keeper, mut started) = kept().await;
        let child = started.recv().await.expect("started");
        keeper.stop(None);
        child.wait(None).await.expect("it ends");
        drop(child);
        assert!(started.recv().await.is_none(), "and starts no other");
    }
}
