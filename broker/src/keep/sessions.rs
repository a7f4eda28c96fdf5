//! Sessions and their waiting messages over an orderly restart.
//!
//! Owner of `sessions.json`. It is read once: after a crash there is none, and
//! clients start anew, rather than getting what they may have had already.

use mqtt5::broker::storage::{ClientSession, QueuedMessage};
use mqtt5::broker::{DynamicStorage, StorageBackend as _};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

fn path(dir: &Path) -> PathBuf {
    dir.join("sessions.json")
}

/// Puts the sessions of the last stop into `storage`.
pub(super) async fn restore(dir: &Path, storage: &DynamicStorage) -> io::Result<()> {
    let text = match std::fs::read(path(dir)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    std::fs::remove_file(path(dir))?;
    let kept: Vec<Value> = serde_json::from_slice(&text).unwrap_or_else(|error| {
        tracing::warn!(%error, "the broker's sessions cannot be read and are forgotten");
        Vec::new()
    });
    for mut one in kept {
        let session = serde_json::from_value::<ClientSession>(one["session"].take());
        let waiting = serde_json::from_value::<Vec<QueuedMessage>>(one["waiting"].take());
        let (Ok(session), Ok(waiting)) = (session, waiting) else {
            continue;
        };
        // Memory takes anything; its errors are those of other backends.
        let _ = storage.store_session(session).await;
        for mut message in waiting {
            message.recompute_expiry();
            if !message.is_expired() {
                let _ = storage.queue_message(message).await;
            }
        }
    }
    Ok(())
}

/// Writes the sessions that outlast their connection.
pub(super) async fn save(dir: &Path, storage: &DynamicStorage) -> io::Result<()> {
    let mut kept = Vec::new();
    for client_id in storage.session_client_ids().await.unwrap_or_default() {
        let Ok(Some(session)) = storage.get_session(&client_id).await else {
            continue;
        };
        if session.expiry_interval == Some(0) {
            continue;
        }
        let waiting = storage.get_queued_messages(&client_id).await;
        let waiting = waiting.unwrap_or_default();
        kept.push(json!({ "session": session, "waiting": waiting }));
    }
    if kept.is_empty() {
        return Ok(());
    }
    let draft = path(dir).with_extension("new");
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(&serde_json::to_vec(&kept)?)?;
    file.sync_data()?;
    std::fs::rename(draft, path(dir))
}
