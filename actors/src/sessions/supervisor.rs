//! Starts the actor of a session when it is first needed, and forgets it when it ends.
//!
//! Owner of the directory of running sessions. It must never wait for the
//! database: each session loads itself.

use super::Shared;
use super::actor::{SessionActor, SessionMessage};
use iothome_engine::ids::SessionId;
use ractor::{
    Actor, ActorId, ActorProcessingErr, ActorRef, ActorStatus, RpcReplyPort, SupervisionEvent,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Most sessions that run at once: a thousand times a household, some 70 MB.
const MOST_RUNNING: usize = 10_000;

/// Old rows are dropped so often.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);

pub(super) enum SupervisorMessage {
    /// The actor of a session, started if need be; `None` if too many run.
    Start(SessionId, RpcReplyPort<Option<ActorRef<SessionMessage>>>),
    /// Drop old rows.
    Prune,
}

pub(super) struct SessionSupervisor;

pub(super) struct State {
    shared: Arc<Shared>,
    sessions: HashMap<ActorId, SessionId>,
}

impl Actor for SessionSupervisor {
    type Msg = SupervisorMessage;
    type State = State;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        me: ActorRef<Self::Msg>,
        shared: Arc<Shared>,
    ) -> Result<State, ActorProcessingErr> {
        // The sessions of a supervisor before this one ended with it.
        shared.running().clear();
        me.send_interval(PRUNE_EVERY, || SupervisorMessage::Prune);
        shared.supervisor_is(me);
        Ok(State {
            shared,
            sessions: HashMap::new(),
        })
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMessage::Start(id, reply) => {
                let actor = state.start(id, &me).await;
                let _ = reply.send(actor);
            }
            SupervisorMessage::Prune => state.prune(),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(actor, error) => {
                // The next request starts it anew from its row.
                tracing::error!(%error, "a session failed");
                state.forget(actor.get_id());
            }
            SupervisionEvent::ActorTerminated(actor, ..) => state.forget(actor.get_id()),
            _ => {}
        }
        Ok(())
    }
}

impl State {
    async fn start(
        &mut self,
        id: SessionId,
        me: &ActorRef<SupervisorMessage>,
    ) -> Option<ActorRef<SessionMessage>> {
        let known = self.shared.running().get(&id).cloned();
        if let Some(actor) = known.filter(|a| a.get_status() <= ActorStatus::Running) {
            return Some(actor);
        }
        if self.sessions.len() >= MOST_RUNNING {
            tracing::error!("too many sessions run at once");
            return None;
        }
        let arguments = (id, self.shared.clone());
        let spawned = Actor::spawn_linked(None, SessionActor, arguments, me.get_cell()).await;
        let actor = match spawned {
            Ok((actor, _)) => actor,
            Err(error) => {
                tracing::error!(%error, "a session could not be started");
                return None;
            }
        };
        self.sessions.insert(actor.get_id(), id);
        self.shared.running().insert(id, actor.clone());
        Some(actor)
    }

    fn forget(&mut self, actor: ActorId) {
        let Some(id) = self.sessions.remove(&actor) else {
            return;
        };
        let mut running = self.shared.running();
        // A successor may already stand in its place.
        if running.get(&id).is_some_and(|a| a.get_id() == actor) {
            running.remove(&id);
        }
    }

    fn prune(&self) {
        let (store, now) = (self.shared.store.clone(), self.shared.clock.now());
        tokio::spawn(async move {
            if let Err(error) = store.prune_sessions(now).await {
                tracing::warn!(%error, "old sessions could not be dropped");
            }
        });
    }
}
