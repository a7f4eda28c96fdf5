//! Writes history in batches, behind everybody's back.
//!
//! Owner of the way from a device to the history database. Whoever records
//! never waits: history must never slow control. What cannot be kept is
//! coalesced per entity and counted, and history says so.

mod buffer;

use crate::Clock;
use crate::keeper::{self, KeeperMessage, Kept};
use buffer::{Buffer, MOST_SAMPLES};
use iothome_engine::history::{LastState, Sample};
use iothome_engine::ids::{DeviceId, EntityRef};
use iothome_engine::time::Timestamp;
use iothome_store::{HistoryBatch, Retention, Store};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr, call_t};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Between two writes: a crash loses at most this much of the history.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// So many samples are written without waiting for the second to pass.
const WRITE_AT: usize = 500;

/// Roll-ups are made of whole five minutes, and looking is cheap.
const ROLL_UP_EVERY: Duration = Duration::from_secs(60);

/// Retention deletes by age in days; once an hour keeps each deletion short.
const PRUNE_EVERY: u32 = 60;

/// How long a flush may take at the end of the program.
const FLUSH_MS: u64 = 2_000;

/// Handle of the recorder; clones share it.
#[derive(Clone)]
pub(crate) struct Recorder {
    shared: Arc<Shared>,
    keeper: ActorRef<KeeperMessage>,
}

struct Shared {
    store: Store,
    clock: Clock,
    buffer: Mutex<Buffer>,
    actor: Mutex<Option<ActorRef<RecorderMessage>>>,
    /// Whether a write was asked for and has not begun.
    asked: AtomicBool,
    /// Whether the last write failed: that is said once.
    failing: AtomicBool,
}

impl Recorder {
    /// How many samples may wait in full.
    pub(crate) const WAITING_MAX: usize = MOST_SAMPLES;

    /// How many samples wait.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.buffer().samples()
    }

    /// Whether the last write worked.
    pub(crate) fn healthy(&self) -> bool {
        !self.shared.failing.load(Ordering::Relaxed)
    }

    /// Starts it under `supervisor`.
    pub(crate) async fn start(
        store: Store,
        clock: Clock,
        supervisor: ActorCell,
    ) -> Result<Self, SpawnErr> {
        let shared = Arc::new(Shared {
            store,
            clock,
            buffer: Mutex::default(),
            actor: Mutex::default(),
            asked: AtomicBool::new(false),
            failing: AtomicBool::new(false),
        });
        let child = shared.clone();
        let spawn: keeper::Spawn = Box::new(move |keeper| {
            let shared = child.clone();
            Box::pin(async move {
                let (actor, _) = Actor::spawn_linked(None, RecorderActor, shared, keeper).await?;
                Ok(actor.get_cell())
            })
        });
        let kept = Kept {
            name: "recorder",
            spawn,
        };
        let keeper = keeper::keep(supervisor, kept).await?;
        Ok(Self { shared, keeper })
    }

    /// A live report became a point of history.
    pub(crate) fn record(&self, sample: Sample) {
        let many = {
            let mut buffer = self.shared.buffer();
            buffer.record(sample);
            buffer.samples() >= WRITE_AT
        };
        if many {
            self.shared.ask_for_a_write();
        }
    }

    /// The last state of an entity, for the next start.
    pub(crate) fn last_state(&self, state: LastState) {
        self.shared.buffer().last_state(state);
    }

    /// A device came or went.
    pub(crate) fn availability(&self, device: &DeviceId, at: Timestamp, online: bool) {
        self.shared.buffer().availability(device, at, online);
    }

    /// Reports of an entity were coalesced before they reached the recorder.
    pub(crate) fn lost(&self, target: EntityRef, at: Timestamp, count: u32) {
        self.shared.buffer().lost(target, at, count);
    }

    /// Writes what waits now; `false` if not all could be written.
    pub(crate) async fn flush(&self) -> bool {
        let Some(actor) = self.shared.actor().clone() else {
            return false;
        };
        call_t!(actor, RecorderMessage::Flush, FLUSH_MS).unwrap_or(false)
    }

    /// Writes what waits, and ends.
    pub(crate) async fn stop(&self) {
        if !self.flush().await {
            tracing::warn!("the last of the history could not be written");
        }
        self.keeper.stop(None);
    }
}

impl Shared {
    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        // A torn buffer can at worst miscount what was lost.
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn actor(&self) -> MutexGuard<'_, Option<ActorRef<RecorderMessage>>> {
        self.actor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask_for_a_write(&self) {
        if self.asked.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(actor) = self.actor().as_ref() {
            // If it is being restarted, its first tick writes.
            let _ = actor.cast(RecorderMessage::Write);
        }
    }
}

enum RecorderMessage {
    /// Time to write.
    Write,
    /// Time to roll up, and now and then to prune.
    Tidy,
    Flush(RpcReplyPort<bool>),
}

struct RecorderActor;

struct State {
    shared: Arc<Shared>,
    /// What could not be written yet; goes before anything newer.
    unwritten: Option<HistoryBatch>,
    tidies: u32,
    tidying: Option<JoinHandle<()>>,
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(task) = &self.tidying {
            task.abort();
        }
        if let Some(batch) = self.unwritten.take() {
            self.shared.buffer().put_back(batch);
        }
    }
}

impl Actor for RecorderActor {
    type Msg = RecorderMessage;
    type State = State;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        me: ActorRef<Self::Msg>,
        shared: Arc<Shared>,
    ) -> Result<State, ActorProcessingErr> {
        me.send_interval(WRITE_EVERY, || RecorderMessage::Write);
        me.send_interval(ROLL_UP_EVERY, || RecorderMessage::Tidy);
        shared.asked.store(false, Ordering::Relaxed);
        *shared.actor() = Some(me);
        Ok(State {
            shared,
            unwritten: None,
            tidies: 0,
            tidying: None,
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RecorderMessage::Write => {
                state.shared.asked.store(false, Ordering::Relaxed);
                state.write_all().await;
            }
            RecorderMessage::Tidy => state.tidy(),
            RecorderMessage::Flush(reply) => {
                let written = state.write_all().await;
                let _ = reply.send(written);
            }
        }
        Ok(())
    }
}

impl State {
    /// Writes batch after batch until nothing waits; `false` at the first failure.
    async fn write_all(&mut self) -> bool {
        loop {
            let Some(batch) = self.next_batch() else {
                return true;
            };
            match self.shared.store.write_history(&batch).await {
                Ok(()) => self.shared.failing.store(false, Ordering::Relaxed),
                Err(error) => {
                    self.failed(&error);
                    self.unwritten = Some(batch);
                    return false;
                }
            }
        }
    }

    fn next_batch(&mut self) -> Option<HistoryBatch> {
        let next = self.unwritten.take();
        next.or_else(|| self.shared.buffer().take())
    }

    fn failed(&mut self, error: &iothome_store::StoreError) {
        metrics::counter!("iothome_history_write_failures_total").increment(1);
        if !self.shared.failing.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "history cannot be written; trying again every second");
        }
    }

    /// Rolls up and prunes beside the writing, one run at a time.
    fn tidy(&mut self) {
        if self
            .tidying
            .as_ref()
            .is_some_and(|task| !task.is_finished())
        {
            return;
        }
        self.tidies = self.tidies.wrapping_add(1);
        let prune = self.tidies % PRUNE_EVERY == 1;
        let (store, now) = (self.shared.store.clone(), self.shared.clock.now());
        self.tidying = Some(tokio::spawn(async move {
            if let Err(error) = store.roll_up(now).await {
                tracing::error!(%error, "history could not be rolled up");
                return;
            }
            let pruned = if prune {
                store.prune_history(now, &Retention::default()).await.err()
            } else {
                None
            };
            if let Some(error) = pruned {
                tracing::error!(%error, "old history could not be deleted");
            }
        }));
    }
}

#[cfg(test)]
mod tests;
