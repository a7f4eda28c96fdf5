//! What the broker keeps over a restart: retained messages, sessions, waiting messages.
//!
//! Owner of the broker's folder. Writing is behind the broker's back: a report must
//! not wait for a disk before it is delivered, and a chatty house must not wear an SD
//! card out. A topic that comes or goes is on disk within seconds; a value that merely
//! changed within minutes, since devices say it again when they come back; sessions
//! and waiting messages at a stop. It must never write a message twice at a time.

mod log;
mod sessions;

use crate::BrokerError;
use log::Log;
use mqtt5::broker::{DynamicStorage, StorageBackend as _};
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A discovery configuration that was acknowledged is safe after this long.
const FRESH_EVERY: Duration = Duration::from_secs(5);
/// 500 topics that change all the time cost a few megabytes an hour.
const CHANGED_EVERY: Duration = Duration::from_secs(300);

/// Topics whose retained message differs from what is on disk.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<Sets>);

#[derive(Debug, Default)]
struct Sets {
    on_disk: HashSet<String>,
    /// Came or went.
    fresh: BTreeSet<String>,
    /// Has another value.
    changed: BTreeSet<String>,
}

impl Notes {
    fn sets(&self) -> MutexGuard<'_, Sets> {
        // Sets of plain strings are whole at any moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A retained message was set or cleared.
    pub(crate) fn note(&self, topic: &str, cleared: bool) {
        let mut sets = self.sets();
        let is_change = !cleared && sets.on_disk.contains(topic);
        let set = if is_change {
            &mut sets.changed
        } else {
            &mut sets.fresh
        };
        if !set.contains(topic) {
            set.insert(topic.to_owned());
        }
    }

    fn take(&self, also_changed: bool) -> BTreeSet<String> {
        let mut sets = self.sets();
        let mut taken = std::mem::take(&mut sets.fresh);
        if also_changed {
            taken.append(&mut sets.changed);
        }
        taken
    }

    /// Gives topics back that could not be written.
    fn put_back(&self, topics: BTreeSet<String>) {
        self.sets().fresh.extend(topics);
    }

    fn is_on_disk(&self, topic: &str, is_there: bool) {
        let mut sets = self.sets();
        if is_there {
            sets.on_disk.insert(topic.to_owned());
        } else {
            sets.on_disk.remove(topic);
        }
    }
}

/// The folder, open.
pub(crate) struct Keeper {
    dir: PathBuf,
    storage: Arc<DynamicStorage>,
    notes: Arc<Notes>,
    log: Option<Log>,
}

impl Keeper {
    /// Opens the folder and puts what is kept in it into `storage`.
    pub(crate) async fn open(
        dir: &Path,
        storage: Arc<DynamicStorage>,
        notes: Arc<Notes>,
    ) -> Result<Self, BrokerError> {
        let fail = |source| BrokerError::Folder {
            path: dir.to_owned(),
            source,
        };
        std::fs::create_dir_all(dir).map_err(fail)?;
        let (log, messages) = Log::open(dir).map_err(fail)?;
        for message in messages {
            notes.is_on_disk(&message.topic, true);
            let topic = message.topic.clone();
            // Memory takes anything; its errors are those of other backends.
            let _ = storage.store_retained_message(&topic, message).await;
        }
        sessions::restore(dir, &storage).await.map_err(fail)?;
        Ok(Self {
            dir: dir.to_owned(),
            storage,
            notes,
            log: Some(log),
        })
    }

    /// Writes from time to time, and everything at the end.
    pub(crate) async fn run(mut self, mut finish: oneshot::Receiver<()>) {
        let mut changed_at = Instant::now() + CHANGED_EVERY;
        loop {
            tokio::select! {
                // Told to finish, or whoever could tell is gone.
                _ = &mut finish => break,
                () = tokio::time::sleep(FRESH_EVERY) => {}
            }
            let is_due = Instant::now() >= changed_at;
            if is_due {
                changed_at = Instant::now() + CHANGED_EVERY;
            }
            self.write(is_due).await;
        }
        self.write(true).await;
        if let Err(error) = sessions::save(&self.dir, &self.storage).await {
            tracing::warn!(%error, "the broker could not write its sessions");
        }
    }

    async fn write(&mut self, also_changed: bool) {
        let topics = self.notes.take(also_changed);
        if topics.is_empty() {
            return;
        }
        let Some(mut log) = self.log.take() else {
            return;
        };
        let mut lines = Vec::new();
        for topic in &topics {
            let message = self.storage.get_retained_message(topic).await;
            lines.push((topic.clone(), message.ok().flatten()));
        }
        let written = tokio::task::spawn_blocking(move || {
            let written = log.append(&lines);
            (log, lines, written)
        })
        .await;
        let Ok((log, lines, written)) = written else {
            tracing::error!("writing the broker's retained messages broke off");
            return;
        };
        self.log = Some(log);
        match written {
            Ok(()) => {
                for (topic, message) in lines {
                    self.notes.is_on_disk(&topic, message.is_some());
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the broker's retained messages could not be written");
                self.notes.put_back(topics);
            }
        }
    }
}

#[cfg(test)]
#[path = "keep/tests.rs"]
mod tests;
