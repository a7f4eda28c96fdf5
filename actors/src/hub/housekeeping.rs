//! What the hub does by itself as time passes.
//!
//! Owner of the hub's sign of life and of the pruning of what grew old. It must
//! never hurry: everything here may fail and is done again later.

use super::Hub;
use crate::registrar::RegistrarMsg;
use crate::root::Recipe;
use crate::supervisor::SupervisorMsg;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The grain of the hub's liveness spans.
const MINUTE: Duration = Duration::from_secs(60);

/// Minutes between two prunings.
const PRUNE_EVERY: u64 = 60;

/// Minutes of a day.
const DAY: u64 = 24 * 60;

/// How long commands and occurrences are kept.
const COMMANDS_KEPT_MS: i64 = 90 * 24 * 3_600 * 1_000;

/// How long the audit is kept.
const AUDIT_KEPT_MS: i64 = 365 * 24 * 3_600 * 1_000;

pub(super) struct Minute;

struct Housekeeper;

struct Keeping {
    hub: Weak<super::Inner>,
    minutes: u64,
}

/// How the root starts the housekeeper.
pub(super) fn recipe(hub: &Hub) -> Recipe {
    // Weak, so that the hub's own actors do not keep it alive.
    let hub = Arc::downgrade(&hub.inner);
    Recipe::new("housekeeping", move |root: ActorCell| {
        let hub = Weak::clone(&hub);
        Box::pin(async move {
            let (actor, _) = Actor::spawn_linked(None, Housekeeper, hub, root).await?;
            actor.send_interval(MINUTE, || Minute);
            Ok(actor.get_cell())
        })
    })
}

impl Actor for Housekeeper {
    type Msg = Minute;
    type State = Keeping;
    type Arguments = Weak<super::Inner>;

    async fn pre_start(
        &self,
        _: ActorRef<Minute>,
        hub: Weak<super::Inner>,
    ) -> Result<Keeping, ActorProcessingErr> {
        Ok(Keeping { hub, minutes: 0 })
    }

    async fn handle(
        &self,
        _: ActorRef<Minute>,
        Minute: Minute,
        keeping: &mut Keeping,
    ) -> Result<(), ActorProcessingErr> {
        let Some(inner) = keeping.hub.upgrade() else {
            return Ok(());
        };
        keeping.minutes += 1;
        Hub { inner }.minute(keeping.minutes).await;
        Ok(())
    }
}

impl Hub {
    async fn minute(&self, minutes: u64) {
        let moved = self.clock().follow();
        if moved != 0 {
            tracing::warn!(micros = moved, "the machine's clock was set");
        }
        let (inner, now) = (&self.inner, self.clock().now());
        if let Err(problem) = inner.store.extend_span(inner.span, now).await {
            tracing::error!(%problem, "the hub's sign of life could not be written");
        }
        inner.supervisor.cast(SupervisorMsg::Minute);
        if minutes % PRUNE_EVERY == 1 {
            self.prune().await;
            if let Err(problem) = inner.store.note_size(now).await {
                tracing::warn!(%problem, "the size of the database could not be noted");
            }
        }
        if minutes % DAY == 1 {
            inner.registrar.tell(RegistrarMsg::Day);
            inner.accounts.day();
        }
    }

    async fn prune(&self) {
        let (store, now) = (&self.inner.store, self.clock().now());
        let commands = store
            .prune_commands(now.plus_millis(-COMMANDS_KEPT_MS))
            .await;
        let occurrences = store
            .prune_occurrences(now.plus_millis(-COMMANDS_KEPT_MS))
            .await;
        let audit = store.prune_audit(now.plus_millis(-AUDIT_KEPT_MS)).await;
        let sessions = store.prune_sessions(now).await;
        for (what, outcome) in [
            ("commands", commands),
            ("occurrences", occurrences),
            ("audit", audit),
            ("sessions", sessions),
        ] {
            match outcome {
                Ok(0) => {}
                Ok(count) => tracing::info!(what, count, "old rows were dropped"),
                Err(problem) => tracing::error!(what, %problem, "old rows are dropped later"),
            }
        }
    }
}
