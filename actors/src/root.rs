//! The root of the supervision tree: keeps the house's single actors alive.
//!
//! Owner of the journal's, the registrar's and the device supervisor's lives.
//! What they own lies outside of them, so each is simply started again. It must
//! never end because a child failed.

use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use ractor::{
    Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, Message, SpawnErr, SupervisionEvent,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Wait before the first restart; doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Longest wait before a restart: a house without its journal must come back soon.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

type Spawn =
    Arc<dyn Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> + Send + Sync>;

/// How to start one actor, as often as needed.
#[derive(Clone)]
pub(crate) struct Recipe {
    name: &'static str,
    spawn: Spawn,
}

impl Recipe {
    pub(crate) fn new(
        name: &'static str,
        spawn: impl Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, SpawnErr>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            name,
            spawn: Arc::new(spawn),
        }
    }
}

/// The present life of an actor that is started again when it fails.
pub(crate) struct Kept<M> {
    actor: ArcSwapOption<ActorRef<M>>,
}

impl<M> Default for Kept<M> {
    fn default() -> Self {
        Self {
            actor: ArcSwapOption::empty(),
        }
    }
}

impl<M: Message> Kept<M> {
    pub(crate) fn set(&self, actor: ActorRef<M>) {
        self.actor.store(Some(Arc::new(actor)));
    }

    /// Sends to the present life; a message to a dead one is lost, and its replies are dropped.
    pub(crate) fn cast(&self, message: M) {
        if let Some(actor) = self.actor.load_full() {
            // A failing actor is being restarted: the sender sees the dropped reply.
            let _ = actor.cast(message);
        }
    }
}

/// Messages of the root.
pub(crate) enum RootMsg {
    /// Start this actor and keep it alive.
    Keep(Recipe, tokio::sync::oneshot::Sender<Result<(), SpawnErr>>),
    /// Start it again.
    Again(Recipe, u32),
}

/// The root supervisor.
pub(crate) struct Root;

/// The children by their present id, with the number of restarts so far.
type Children = HashMap<ActorId, (Recipe, u32)>;

impl Actor for Root {
    type Msg = RootMsg;
    type State = Children;
    type Arguments = ();

    async fn pre_start(
        &self,
        _: ActorRef<RootMsg>,
        (): (),
    ) -> Result<Children, ActorProcessingErr> {
        Ok(Children::new())
    }

    async fn handle(
        &self,
        me: ActorRef<RootMsg>,
        message: RootMsg,
        children: &mut Children,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RootMsg::Keep(recipe, reply) => {
                let outcome = (recipe.spawn)(me.get_cell()).await;
                let outcome = outcome.map(|cell| {
                    children.insert(cell.get_id(), (recipe, 0));
                });
                // Whoever asked may be gone; the child stays.
                let _ = reply.send(outcome);
            }
            RootMsg::Again(recipe, restarts) => match (recipe.spawn)(me.get_cell()).await {
                Ok(cell) => {
                    children.insert(cell.get_id(), (recipe, restarts));
                }
                Err(problem) => {
                    tracing::error!(name = recipe.name, %problem, "cannot be started again; it will be tried again");
                    again(&me, recipe, restarts);
                }
            },
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<RootMsg>,
        event: SupervisionEvent,
        children: &mut Children,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, problem) => {
                if let Some((recipe, restarts)) = children.remove(&cell.get_id()) {
                    tracing::error!(name = recipe.name, %problem, restarts, "failed; starting it again");
                    metrics::counter!("iothome_restarts_total", "actor" => recipe.name)
                        .increment(1);
                    again(&me, recipe, restarts);
                }
            }
            SupervisionEvent::ActorTerminated(cell, ..) => {
                children.remove(&cell.get_id());
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}

fn again(me: &ActorRef<RootMsg>, recipe: Recipe, restarts: u32) {
    let wait = FIRST_WAIT
        .saturating_mul(1 << restarts.min(10))
        .min(LONGEST_WAIT);
    me.send_after(wait, move || {
        RootMsg::Again(recipe, restarts.saturating_add(1))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Fragile;

    impl Actor for Fragile {
        type Msg = bool;
        type State = ();
        type Arguments = ();
        async fn pre_start(&self, _: ActorRef<bool>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
        async fn handle(
            &self,
            _: ActorRef<bool>,
            panics: bool,
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            assert!(!panics, "asked to");
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_child_that_panics_is_started_again_and_the_root_stays() {
        let (root, _) = Actor::spawn(None, Root, ()).await.expect("starts");
        let kept: Arc<Kept<bool>> = Arc::default();
        let lives = Arc::new(AtomicU32::new(0));
        let (child, counter) = (Arc::clone(&kept), Arc::clone(&lives));
        let recipe = Recipe::new("fragile", move |cell| {
            let (child, counter) = (Arc::clone(&child), Arc::clone(&counter));
            Box::pin(async move {
                let (actor, _) = Actor::spawn_linked(None, Fragile, (), cell).await?;
                child.set(actor.clone());
                counter.fetch_add(1, Ordering::SeqCst);
                Ok(actor.get_cell())
            })
        });
        let (reply, kept_alive) = tokio::sync::oneshot::channel();
        root.cast(RootMsg::Keep(recipe, reply)).expect("runs");
        kept_alive.await.expect("answers").expect("starts");
        for life in 1..3 {
            kept.cast(true);
            while lives.load(Ordering::SeqCst) <= life {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        root.stop(None);
    }
}
