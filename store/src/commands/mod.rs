//! Commands: what was asked, and how it ended.
//!
//! Owner of `commands`. It must never overwrite an end, and never lose one
//! because the acceptance was not written.

mod batch;
mod latency;

use crate::db::{Row, id};
use crate::{Store, StoreError};
use iothome_engine::command::{Command, CommandWrite, Status};
use iothome_engine::ids::{CommandId, DeviceId, EntityId, ScheduleId};
use iothome_engine::time::Timestamp;

/// How long an idempotency key counts: 24 hours.
const KEY_MS: i64 = 86_400_000;
/// Rows a step of pruning: short enough that a command waiting to be written does not notice.
const CHUNK: i64 = 500;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, device_id, entity_id, action, resolved, value, cause, status, reason,
                accepted_at, deadline_at, ended_at, latency_micros, sending, body_sha256
             FROM commands ",
            $rest
        )
    };
}

const ONE: &str = select!("WHERE id = $1");
const BY_KEY: &str = select!(
    "WHERE idempotency_key = $1 AND accepted_at > $2 ORDER BY accepted_at DESC, id DESC LIMIT 1"
);
const OF_DEVICE: &str = select!(
    "WHERE device_id = $1
        AND ($2 = '' OR (accepted_at, id) < (SELECT accepted_at, id FROM commands WHERE id = $2))
     ORDER BY accepted_at DESC, id DESC LIMIT $3"
);
const OF_ENTITY: &str = select!(
    "WHERE device_id = $1
        AND ($2 = '' OR (accepted_at, id) < (SELECT accepted_at, id FROM commands WHERE id = $2))
        AND entity_id = $4
     ORDER BY accepted_at DESC, id DESC LIMIT $3"
);
// Sorted here, not there: asked for an order, SQLite leaves the small index of
// open commands for one that walks through all there ever were.
const OPEN_OF_DEVICE: &str = select!("WHERE device_id = $1 AND ended_at IS NULL");
const OPEN: &str = select!("WHERE ended_at IS NULL");
const CAUSED: &str = select!(
    "WHERE id IN (SELECT command_id FROM occurrence_actions
        WHERE schedule_id = $1 AND due_at BETWEEN $2 AND $3)"
);

/// Reads commands, the oldest first.
fn oldest_first(rows: &[Row]) -> Result<Vec<Command>, StoreError> {
    let mut commands = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    commands.sort_by_key(|command| (command.accepted_at, command.id));
    Ok(commands)
}

fn read(row: &Row) -> Result<Command, StoreError> {
    const WHAT: &str = "command";
    let status = row.text(7)?;
    let value = row.opt_text(5)?;
    Ok(Command {
        id: row.parsed(0, WHAT)?,
        device: row.parsed(1, WHAT)?,
        entity: row.parsed(2, WHAT)?,
        action: row.parsed(3, WHAT)?,
        resolved: row.parsed(4, WHAT)?,
        value: value
            .map(|v| serde_json::from_str(&v).map_err(|e| StoreError::corrupt(WHAT, e)))
            .transpose()?,
        cause: row.json(6, WHAT)?,
        status: Status::from_word(&status).ok_or_else(|| StoreError::corrupt(WHAT, status))?,
        reason: row.opt_text(8)?,
        accepted_at: row.at(9)?,
        deadline_at: row.at(10)?,
        ended_at: row.opt_at(11)?,
        latency_micros: row.opt_int(12)?,
        sending: row.flag(13)?,
    })
}

impl Store {
    /// Writes what happened to commands: all of it or nothing, in one transaction.
    ///
    /// Writing the same again changes nothing. An acceptance that comes after
    /// the end adds only its idempotency key; an end without an acceptance
    /// writes the whole row; the first end stands.
    ///
    /// # Errors
    /// Whatever the database says; then nothing of the batch is written.
    pub async fn write_commands(&self, writes: &[CommandWrite]) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        let batch = batch::Batch::of(writes)?;
        let mut tx = self.house().begin().await?;
        batch.write(&mut tx).await?;
        tx.commit().await
    }

    /// The command.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn command(&self, command: CommandId) -> Result<Option<Command>, StoreError> {
        let row = self.house().first(ONE, [id(command)]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The newest command of the last 24 hours with this idempotency key, and the digest of its body.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn command_by_key(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<(Command, String)>, StoreError> {
        let since = now.plus_millis(-KEY_MS);
        let row = self
            .house()
            .first(BY_KEY, [key.into(), since.into()])
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((read(&row)?, row.opt_text(14)?.unwrap_or_default())))
    }

    /// Commands of a device or of one of its entities, the newest first, older than `before`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn commands_of(
        &self,
        device: &DeviceId,
        entity: Option<&EntityId>,
        limit: usize,
        before: Option<CommandId>,
    ) -> Result<Vec<Command>, StoreError> {
        let before = before.map(|b| b.to_string()).unwrap_or_default();
        let mut args = vec![id(device), before.into(), crate::limit(limit)];
        let sql = match entity {
            Some(entity) => {
                args.push(id(entity));
                OF_ENTITY
            }
            None => OF_DEVICE,
        };
        let rows = self.house().all(sql, args).await?;
        rows.iter().map(read).collect()
    }

    /// Commands of a device that have no end, the oldest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn open_commands(&self, device: &DeviceId) -> Result<Vec<Command>, StoreError> {
        let rows = self.house().all(OPEN_OF_DEVICE, [id(device)]).await?;
        oldest_first(&rows)
    }

    /// Every command that has no end, the oldest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn open_commands_all(&self) -> Result<Vec<Command>, StoreError> {
        let rows = self.house().all(OPEN, []).await?;
        oldest_first(&rows)
    }

    /// The commands that occurrences of a schedule caused, the oldest first; both ends count.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn commands_caused(
        &self,
        schedule: ScheduleId,
        due: (Timestamp, Timestamp),
    ) -> Result<Vec<Command>, StoreError> {
        let args = [id(schedule), due.0.into(), due.1.into()];
        let rows = self.house().all(CAUSED, args).await?;
        oldest_first(&rows)
    }

    /// Drops ended commands that were accepted before `before`; tells how many.
    ///
    /// # Errors
    /// Whatever the database says; what was dropped until then stays dropped.
    pub async fn prune_commands(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            let gone = self
                .house()
                .run(
                    "DELETE FROM commands WHERE id IN (SELECT id FROM commands
                        WHERE accepted_at < $1 AND ended_at IS NOT NULL LIMIT $2)",
                    [before.into(), CHUNK.into()],
                )
                .await?;
            dropped += gone;
            // Ends: each round but the last takes rows that no other adds.
            if gone == 0 {
                return Ok(dropped);
            }
        }
    }
}
