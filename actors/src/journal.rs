//! The journal: durable writes of commands, many in one transaction.
//!
//! Owner of the queue of writes; the queue lives outside the actor, so nothing is
//! lost when the actor fails. Writes keep the order in which they were given. It
//! must never decide what a failed write means: it tells, and tries again.

use crate::root::{Kept, Recipe};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use iothome_engine::command::CommandWrite;
use iothome_store::{AuditEntry, Store, StoreError};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef};
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Writes in one transaction: enough that a flood costs few fsyncs, few enough
/// that one transaction stays well under 100 ms on an SD card.
const BATCH_MAX: usize = 256;

/// Acceptances waiting to be written; beyond it new ones fail at once. At a
/// measured 50 batches a second on slow disks that is less than a second of work.
const QUEUE_MAX: usize = 8_192;

/// Ends and marks waiting: each belongs to an acceptance, so they get as much again.
const QUEUE_HARD_MAX: usize = 2 * QUEUE_MAX;

/// Audit entries waiting; beyond it the oldest goes, counted.
const AUDIT_MAX: usize = 4_096;

/// One transaction; longer means that the database hangs.
const WRITE_MAX: Duration = Duration::from_secs(3);

/// Wait after a failed write. Not longer, because askers wait for the answer.
const RETRY: Duration = Duration::from_millis(500);

/// A write that fails so often while others succeed is given up: it can never succeed.
const ATTEMPTS_MAX: u32 = 8;

/// How the journal writes: the store's functions, or a test's.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) commands: Arc<dyn Fn(Vec<CommandWrite>) -> Written + Send + Sync>,
    pub(crate) audit: Arc<dyn Fn(Vec<AuditEntry>) -> Written + Send + Sync>,
}

/// The outcome of a write, later.
pub(crate) type Written = BoxFuture<'static, Result<(), StoreError>>;

impl Writer {
    /// Writes to the store.
    pub(crate) fn to(store: &Store) -> Self {
        let (first, second) = (store.clone(), store.clone());
        Self {
            commands: Arc::new(move |writes| {
                let store = first.clone();
                Box::pin(async move { store.write_commands(&writes).await })
            }),
            audit: Arc::new(move |entries| {
                let store = second.clone();
                Box::pin(async move { store.write_audit(&entries).await })
            }),
        }
    }
}

/// Called once: `true` when the write is durable, `false` when it failed (it is
/// then still tried again) or was given up. Dropping it says `false`.
pub(crate) struct Done(Option<Box<dyn FnOnce(bool) + Send>>);

impl Done {
    pub(crate) fn new(tell: impl FnOnce(bool) + Send + 'static) -> Self {
        Self(Some(Box::new(tell)))
    }

    fn tell(&mut self, durable: bool) {
        if let Some(tell) = self.0.take() {
            tell(durable);
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        self.tell(false);
    }
}

enum Item {
    Write {
        // Boxed: the queue is a ring that would keep its largest size for ever.
        write: Box<CommandWrite>,
        done: Done,
        attempts: u32,
    },
    Barrier(oneshot::Sender<()>),
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    audit: VecDeque<AuditEntry>,
    /// So many writes at the front go one by one: one of them spoilt its batch.
    singly: usize,
}

/// The way to the journal. Clones write to the same one.
#[derive(Clone)]
pub(crate) struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Writer,
    queue: Mutex<Queue>,
    healthy: AtomicBool,
    woken: AtomicBool,
    actor: Kept<JournalMsg>,
}

pub(crate) enum JournalMsg {
    /// Something waits in the queue.
    Wake,
}

impl Journal {
    /// How many acceptances may wait.
    pub(crate) const QUEUE_MAX: usize = QUEUE_MAX;
    /// How many audit entries may wait.
    pub(crate) const AUDIT_MAX: usize = AUDIT_MAX;

    /// An empty journal; its actor is started by [`Journal::recipe`].
    pub(crate) fn new(writer: Writer) -> Self {
        Self {
            inner: Arc::new(Inner {
                writer,
                queue: Mutex::default(),
                healthy: AtomicBool::new(true),
                woken: AtomicBool::new(false),
                actor: Kept::default(),
            }),
        }
    }

    /// How the root starts, and starts again, the journal's actor.
    pub(crate) fn recipe(&self) -> Recipe {
        let journal = self.clone();
        Recipe::new("journal", move |root: ActorCell| {
            let journal = journal.clone();
            Box::pin(async move {
                let (actor, _) =
                    Actor::spawn_linked(None, JournalActor, Arc::clone(&journal.inner), root)
                        .await?;
                journal.inner.actor.set(actor.clone());
                journal.inner.woken.store(false, Ordering::Release);
                journal.wake();
                Ok(actor.get_cell())
            })
        })
    }

    /// Queues a write. `done` is told once, from the journal's actor: it must not block.
    pub(crate) fn write(&self, write: CommandWrite, done: Done) {
        if let Err(mut done) = self.enqueue(write, done) {
            metrics::counter!("iothome_journal_refused_total").increment(1);
            done.tell(false);
            return;
        }
        self.wake();
    }

    fn enqueue(&self, write: CommandWrite, done: Done) -> Result<(), Done> {
        let mut queue = self.inner.lock();
        let max = match write {
            CommandWrite::Accepted(..) => QUEUE_MAX,
            CommandWrite::Sending(_) | CommandWrite::Ended(_) => QUEUE_HARD_MAX,
        };
        if queue.items.len() >= max {
            return Err(done);
        }
        queue.items.push_back(Item::Write {
            write: Box::new(write),
            done,
            attempts: 0,
        });
        Ok(())
    }

    /// Queues an audit entry.
    pub(crate) fn audit(&self, entry: AuditEntry) {
        let mut queue = self.inner.lock();
        if queue.audit.len() >= AUDIT_MAX {
            queue.audit.pop_front();
            metrics::counter!("iothome_audit_dropped_total").increment(1);
        }
        queue.audit.push_back(entry);
        drop(queue);
        self.wake();
    }

    /// Resolves when everything queued before is durable or given up; `false` after `patience`.
    pub(crate) async fn barrier(&self, patience: Duration) -> bool {
        let (tell, reached) = oneshot::channel();
        self.inner.lock().items.push_back(Item::Barrier(tell));
        self.wake();
        matches!(tokio::time::timeout(patience, reached).await, Ok(Ok(())))
    }

    /// Whether the last write worked.
    pub(crate) fn healthy(&self) -> bool {
        self.inner.healthy.load(Ordering::Relaxed)
    }

    /// How many rows of commands and how many audit entries wait.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let queue = self.inner.lock();
        (queue.items.len(), queue.audit.len())
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_empty(&self) -> bool {
        let queue = self.inner.lock();
        queue.items.is_empty() && queue.audit.is_empty()
    }

    fn wake(&self) {
        if !self.inner.woken.swap(true, Ordering::AcqRel) {
            self.inner.actor.cast(JournalMsg::Wake);
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes until nothing waits or a write fails; says whether all is written.
    async fn drain(&self) -> bool {
        loop {
            let batch = self.lock().front();
            if batch.is_empty() {
                // What could not be written was given up: nothing is left that is not durable.
                self.healthy.store(true, Ordering::Relaxed);
                break;
            }
            self.gauge();
            let count = batch.len();
            let outcome = self.timed(count, (self.writer.commands)(batch)).await;
            if !self.settle(count, outcome) {
                return false;
            }
        }
        self.drain_audit().await
    }

    #[expect(clippy::cast_precision_loss, reason = "the queue is bounded")]
    fn gauge(&self) {
        metrics::gauge!("iothome_journal_waiting").set(self.lock().items.len() as f64);
    }

    async fn drain_audit(&self) -> bool {
        loop {
            let batch: Vec<AuditEntry> = {
                let queue = self.lock();
                queue.audit.iter().take(BATCH_MAX).cloned().collect()
            };
            if batch.is_empty() {
                return true;
            }
            let count = batch.len();
            if let Err(problem) = attempt((self.writer.audit)(batch)).await {
                tracing::error!(%problem, "the audit cannot be written; it will be tried again");
                return false;
            }
            let mut queue = self.lock();
            let written = count.min(queue.audit.len());
            queue.audit.drain(..written);
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a batch has at most 256 entries"
    )]
    async fn timed(&self, count: usize, written: Written) -> Result<(), Failure> {
        let started = Instant::now();
        let outcome = attempt(written).await;
        metrics::histogram!("iothome_journal_write_seconds")
            .record(started.elapsed().as_secs_f64());
        metrics::histogram!("iothome_journal_batch_size").record(count as f64);
        outcome
    }

    /// Takes the outcome of the first `count` writes; says whether to go on.
    fn settle(&self, count: usize, outcome: Result<(), Failure>) -> bool {
        match outcome {
            Ok(()) => {
                self.healthy.store(true, Ordering::Relaxed);
                let finished = self.lock().finish(count);
                for mut done in finished {
                    done.tell(true);
                }
                true
            }
            Err(failure) => {
                tracing::error!(%failure, count, "commands cannot be written; they will be tried again");
                metrics::counter!("iothome_journal_failures_total").increment(1);
                self.healthy.store(false, Ordering::Relaxed);
                let told = self.lock().postpone(count, &failure);
                for mut done in told {
                    done.tell(false);
                }
                false
            }
        }
    }
}

impl Queue {
    /// The next writes, which stay in the queue until they are written. Tells leading barriers.
    fn front(&mut self) -> Vec<CommandWrite> {
        while matches!(self.items.front(), Some(Item::Barrier(_))) {
            if let Some(Item::Barrier(tell)) = self.items.pop_front() {
                // Whoever waited may have lost patience.
                let _ = tell.send(());
            }
        }
        let max = if self.singly > 0 { 1 } else { BATCH_MAX };
        self.items
            .iter()
            .take(max)
            .map_while(|item| match item {
                Item::Write { write, .. } => Some(write.as_ref().clone()),
                Item::Barrier(_) => None,
            })
            .collect()
    }

    fn finish(&mut self, count: usize) -> Vec<Done> {
        self.singly = self.singly.saturating_sub(count);
        self.items
            .drain(..count)
            .filter_map(|item| match item {
                Item::Write { done, .. } => Some(done),
                Item::Barrier(_) => None,
            })
            .collect()
    }

    /// Keeps the first `count` writes for another attempt and gives the tellers of those that
    /// somebody waits for. The end of a command is told only when it is durable.
    fn postpone(&mut self, count: usize, failure: &Failure) -> Vec<Done> {
        let mut told = Vec::new();
        for item in self.items.iter_mut().take(count) {
            let Item::Write {
                write,
                done,
                attempts,
            } = item
            else {
                continue;
            };
            *attempts += 1;
            if !matches!(**write, CommandWrite::Ended(_)) {
                told.push(Done(done.0.take()));
            }
        }
        if failure.is_lasting() {
            self.isolate(count, &mut told);
        }
        told
    }

    /// One write spoils the others' transaction: from here they go one by one, and the culprit,
    /// once it is found and has failed often enough, is given up.
    fn isolate(&mut self, count: usize, told: &mut Vec<Done>) {
        if count > 1 {
            self.singly = count;
            return;
        }
        let hopeless = matches!(self.items.front(), Some(Item::Write { attempts, .. }) if *attempts >= ATTEMPTS_MAX);
        if hopeless && let Some(Item::Write { write, done, .. }) = self.items.pop_front() {
            tracing::error!(?write, "a command's write is given up");
            metrics::counter!("iothome_journal_given_up_total").increment(1);
            self.singly = self.singly.saturating_sub(1);
            told.push(done);
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the database did not answer within {} s", WRITE_MAX.as_secs())]
    Slow,
    #[error("the store panicked")]
    Panicked,
}

impl Failure {
    /// Whether the database answered and refused, so that waiting changes nothing.
    fn is_lasting(&self) -> bool {
        match self {
            Self::Store(problem) => !problem.is_passing(),
            Self::Slow => false,
            Self::Panicked => true,
        }
    }
}

async fn attempt(written: Written) -> Result<(), Failure> {
    let guarded = AssertUnwindSafe(written).catch_unwind();
    match tokio::time::timeout(WRITE_MAX, guarded).await {
        Ok(Ok(outcome)) => Ok(outcome?),
        Ok(Err(_)) => Err(Failure::Panicked),
        Err(_) => Err(Failure::Slow),
    }
}

struct JournalActor;

impl Actor for JournalActor {
    type Msg = JournalMsg;
    type State = Arc<Inner>;
    type Arguments = Arc<Inner>;

    async fn pre_start(
        &self,
        _: ActorRef<JournalMsg>,
        inner: Arc<Inner>,
    ) -> Result<Arc<Inner>, ActorProcessingErr> {
        Ok(inner)
    }

    /// Writing is awaited here: while one transaction runs, the next batch gathers in the queue.
    async fn handle(
        &self,
        myself: ActorRef<JournalMsg>,
        JournalMsg::Wake: JournalMsg,
        inner: &mut Arc<Inner>,
    ) -> Result<(), ActorProcessingErr> {
        // Before draining, so that a write queued meanwhile wakes again.
        inner.woken.store(false, Ordering::Release);
        if !inner.drain().await {
            // Until the retry, `woken` stays set: each new write would else try at once.
            inner.woken.store(true, Ordering::Release);
            myself.send_after(RETRY, || JournalMsg::Wake);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
