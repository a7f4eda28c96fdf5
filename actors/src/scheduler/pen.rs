//! The pen: writes decisions and ends, many in one transaction.
//!
//! Owner of the rows on their way to the store, and of the order of an occurrence's
//! rows: decided before ended. One transaction runs at a time; what comes meanwhile
//! gathers. It must never tell of a row before it is durable.

use super::ways::{Rows, Ways};
use crate::hooks;
use futures_util::FutureExt;
use iothome_engine::schedule::OccurrenceState;
use iothome_engine::schedule::agenda::Key;
use iothome_store::{Decided, Settled, StoreError};
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Rows of each sort in one transaction: few fsyncs for a flood, and a command that waits for the
/// disk waits some tens of milliseconds at most.
const BATCH_MAX: usize = 500;

/// One transaction; longer means that the database hangs.
const WRITE_MAX: Duration = Duration::from_secs(3);

/// Wait after a failed write.
const RETRY: Duration = Duration::from_millis(500);

/// Ends gather for so long, because nothing waits for them: after a crash they are found again by
/// their commands.
const GATHER: Duration = Duration::from_millis(200);

/// An end that fails so often while the database answers is given up: it can never succeed.
const ATTEMPTS_MAX: u32 = 8;

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claimed {
    /// It is ours, and durable.
    Ours,
    /// Somebody else decided it.
    Others,
    /// It could not be written.
    NotWritten,
}

/// Told what became of decisions.
pub(super) type Tell = Box<dyn Fn(Vec<(Key, Claimed)>) + Send + Sync>;

#[derive(Default)]
struct Queue {
    decided: VecDeque<Decided>,
    /// Bounded by the actions under way: each ends once.
    settled: VecDeque<Settled>,
    working: bool,
    closed: bool,
    /// So many transactions have one row: a row spoilt its batch.
    singly: usize,
    attempts: u32,
}

/// The pen of one life of the scheduler.
pub(super) struct Pen {
    ways: Ways,
    tell: Tell,
    queue: Mutex<Queue>,
    more: Notify,
    idle: Notify,
}

impl Pen {
    pub(super) fn new(ways: Ways, tell: Tell) -> Arc<Self> {
        Arc::new(Self {
            ways,
            tell,
            queue: Mutex::default(),
            more: Notify::new(),
            idle: Notify::new(),
        })
    }

    /// Writes a decision, soon.
    pub(super) fn decide(self: &Arc<Self>, decided: Decided) {
        self.lock().decided.push_back(decided);
        self.go();
    }

    /// Writes ends, in a moment.
    pub(super) fn settle(self: &Arc<Self>, settled: Vec<Settled>) {
        self.lock().settled.extend(settled);
        self.go();
    }

    /// Takes no more decisions and resolves when nothing is being written, or after `patience`.
    pub(super) async fn close(&self, patience: Duration) {
        self.lock().closed = true;
        self.more.notify_one();
        let emptied = async {
            loop {
                let idle = self.idle.notified();
                if !self.lock().working {
                    return;
                }
                idle.await;
            }
        };
        if tokio::time::timeout(patience, emptied).await.is_err() {
            tracing::warn!("not every end of an occurrence is written yet; the next start does it");
        }
    }

    fn go(self: &Arc<Self>) {
        let mut queue = self.lock();
        if queue.closed {
            queue.decided.clear();
        }
        let begin = !std::mem::replace(&mut queue.working, true);
        drop(queue);
        self.more.notify_one();
        if begin {
            tokio::spawn(Arc::clone(self).work());
        }
    }

    async fn work(self: Arc<Self>) {
        // Ends: when nothing waits.
        loop {
            self.gather().await;
            let rows = self.next();
            if rows.decided.is_empty() && rows.settled.is_empty() {
                if self.stop_if_empty() {
                    return;
                }
                continue;
            }
            let outcome = self.write(rows.clone()).await;
            if !self.finish(rows, outcome) {
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Says that nothing waits, unless something does.
    fn stop_if_empty(&self) -> bool {
        let mut queue = self.lock();
        if queue.decided.is_empty() && queue.settled.is_empty() {
            queue.working = false;
            drop(queue);
            self.idle.notify_waiters();
            return true;
        }
        false
    }

    async fn gather(&self) {
        let until = tokio::time::sleep(GATHER);
        tokio::pin!(until);
        loop {
            {
                let queue = self.lock();
                let full = queue.settled.len() >= BATCH_MAX || queue.settled.is_empty();
                if full || !queue.decided.is_empty() || queue.closed {
                    return;
                }
            }
            tokio::select! {
                () = &mut until => return,
                () = self.more.notified() => {}
            }
        }
    }

    fn next(&self) -> Rows {
        let mut queue = self.lock();
        if queue.closed {
            // Whoever would hear of them is gone.
            queue.decided.clear();
        }
        let max = if queue.singly > 0 { 1 } else { BATCH_MAX };
        queue.singly = queue.singly.saturating_sub(1);
        let take = max.min(queue.decided.len());
        let decided: Vec<Decided> = queue.decided.drain(..take).collect();
        // An end of something that is not decided yet waits for it.
        let take = match (queue.decided.is_empty(), max) {
            (false, _) => 0,
            (true, 1) if !decided.is_empty() => 0,
            (true, max) => max.min(queue.settled.len()),
        };
        let settled = queue.settled.drain(..take).collect();
        Rows { decided, settled }
    }

    async fn write(&self, rows: Rows) -> Result<Vec<bool>, Failure> {
        let (claims, ends) = (!rows.decided.is_empty(), !rows.settled.is_empty());
        if claims {
            hooks::pass(hooks::CLAIM);
        }
        if ends {
            hooks::pass(hooks::RECORD);
        }
        // Another hub may have the house: what it decides is not ours to write.
        if !(self.ways.is_active)(()).await {
            return Err(Failure::Standby);
        }
        let started = tokio::time::Instant::now();
        let written = AssertUnwindSafe((self.ways.write)(rows)).catch_unwind();
        let outcome = match tokio::time::timeout(WRITE_MAX, written).await {
            Ok(Ok(outcome)) => outcome.map_err(Failure::Store),
            Ok(Err(_)) => Err(Failure::Panicked),
            Err(_) => Err(Failure::Slow),
        };
        metrics::histogram!("iothome_occurrences_write_seconds")
            .record(started.elapsed().as_secs_f64());
        if outcome.is_ok() && claims {
            hooks::pass(hooks::CLAIMED);
        }
        if outcome.is_ok() && ends {
            hooks::pass(hooks::RECORDED);
        }
        outcome
    }

    /// Takes the outcome of a transaction; says whether to go on at once.
    fn finish(&self, rows: Rows, outcome: Result<Vec<bool>, Failure>) -> bool {
        match outcome {
            Ok(ours) => {
                self.lock().attempts = 0;
                let mut told = Vec::new();
                for (decided, ours) in rows.decided.iter().zip(ours) {
                    let claimed = if ours { Claimed::Ours } else { Claimed::Others };
                    count(decided, claimed);
                    if is_claim(decided) {
                        told.push((Key::of(&decided.occurrence), claimed));
                    }
                }
                (self.tell)(told);
                true
            }
            Err(failure) => {
                let (decided, settled) = (rows.decided.len(), rows.settled.len());
                tracing::error!(%failure, decided, settled, "occurrences cannot be written; they will be tried again");
                metrics::counter!("iothome_occurrences_write_failures_total").increment(1);
                let told = self.postpone(rows, &failure);
                (self.tell)(told);
                false
            }
        }
    }

    /// Keeps what nobody else would bring again (ends, and decisions that are ends from the
    /// start); gives the claims that the agenda will bring again.
    fn postpone(&self, rows: Rows, failure: &Failure) -> Vec<(Key, Claimed)> {
        let mut queue = self.lock();
        let Rows {
            mut decided,
            mut settled,
        } = rows;
        if failure.is_lasting() {
            queue.attempts += 1;
            let count = decided.len() + settled.len();
            if count > 1 {
                queue.singly = count;
            } else if queue.attempts >= ATTEMPTS_MAX {
                tracing::error!(?decided, ?settled, "a row of an occurrence is given up");
                queue.attempts = 0;
                settled.clear();
                // What is claimed the agenda gives up, in its own time.
                decided.retain(is_claim);
            }
        } else {
            // Those that wait behind come again too, in their order: a later row of a schedule
            // must not stand without the earlier one.
            decided.extend(std::mem::take(&mut queue.decided));
        }
        for end in settled.into_iter().rev() {
            queue.settled.push_front(end);
        }
        let (claims, ends): (Vec<_>, Vec<_>) = decided.into_iter().partition(is_claim);
        for decided in ends.into_iter().rev() {
            queue.decided.push_front(decided);
        }
        let keys = claims.iter().map(|d| Key::of(&d.occurrence));
        keys.map(|key| (key, Claimed::NotWritten)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the agenda waits for this row.
fn is_claim(decided: &Decided) -> bool {
    decided.occurrence.state == OccurrenceState::Claimed
}

fn count(decided: &Decided, claimed: Claimed) {
    let state = match claimed {
        Claimed::Ours => decided.occurrence.state.as_str(),
        Claimed::Others => "others",
        Claimed::NotWritten => "not_written",
    };
    metrics::counter!("iothome_occurrences_decided_total", "state" => state).increment(1);
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(StoreError),
    #[error("the database did not answer within {} s", WRITE_MAX.as_secs())]
    Slow,
    #[error("the store panicked")]
    Panicked,
    #[error("this hub does not run the house now")]
    Standby,
}

impl Failure {
    /// Whether the database answered and refused, so that waiting changes nothing.
    fn is_lasting(&self) -> bool {
        match self {
            Self::Store(problem) => !problem.is_passing(),
            Self::Slow | Self::Standby => false,
            Self::Panicked => true,
        }
    }
}
