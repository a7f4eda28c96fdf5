//! A batch of command writes, folded to one row a command.
//!
//! Owner of the order of writes within a batch. It must never let two rows of
//! one statement be the same command: PostgreSQL refuses that.

use crate::StoreError;
use crate::db::{Arg, Tx, id, json};
use crate::insert::Insert;
use iothome_engine::command::{Command, CommandWrite, Idempotency};
use iothome_engine::ids::CommandId;
use std::collections::{BTreeMap, BTreeSet};

const INTO: &str = "INSERT INTO commands (id, device_id, entity_id, action, resolved, value,
    cause, status, reason, accepted_at, deadline_at, ended_at, latency_micros, sending,
    idempotency_key, body_sha256)";

/// An acceptance adds nothing to a row that is there but its key.
const ACCEPTED: Insert = Insert {
    into: INTO,
    columns: 16,
    on_conflict: "ON CONFLICT (id) DO UPDATE SET idempotency_key = excluded.idempotency_key,
            body_sha256 = excluded.body_sha256
        WHERE commands.idempotency_key IS NULL AND excluded.idempotency_key IS NOT NULL",
};

/// An end is written once; what the acceptance said stays.
const ENDED: Insert = Insert {
    into: INTO,
    columns: 16,
    on_conflict: "ON CONFLICT (id) DO UPDATE SET status = excluded.status,
            reason = excluded.reason, ended_at = excluded.ended_at,
            latency_micros = excluded.latency_micros,
            idempotency_key = COALESCE(commands.idempotency_key, excluded.idempotency_key),
            body_sha256 = COALESCE(commands.body_sha256, excluded.body_sha256)
        WHERE commands.ended_at IS NULL",
};

/// What is known of one command within the batch.
struct Folded<'a> {
    command: &'a Command,
    key: Option<&'a Idempotency>,
}

/// Rows to write, by command.
pub(super) struct Batch {
    accepted: Vec<Vec<Arg>>,
    ended: Vec<Vec<Arg>>,
    sending: BTreeSet<CommandId>,
}

impl Batch {
    /// Folds the writes in their order.
    pub(super) fn of(writes: &[CommandWrite]) -> Result<Self, StoreError> {
        let mut rows: BTreeMap<CommandId, Folded<'_>> = BTreeMap::new();
        let mut sending = BTreeSet::new();
        for write in writes {
            let (command, key) = match write {
                CommandWrite::Accepted(command, key) => (command, key.as_ref()),
                CommandWrite::Ended(command) => (command, None),
                CommandWrite::Sending(command) => {
                    sending.insert(*command);
                    continue;
                }
            };
            let row = rows.entry(command.id).or_insert(Folded { command, key });
            row.key = row.key.or(key);
            if !row.command.status.is_end() && command.status.is_end() {
                row.command = command;
            }
        }
        let mut batch = Self {
            accepted: Vec::new(),
            ended: Vec::new(),
            sending,
        };
        for row in rows.values() {
            let args = args(row)?;
            if row.command.status.is_end() {
                batch.ended.push(args);
            } else {
                batch.accepted.push(args);
            }
        }
        Ok(batch)
    }

    /// Writes the rows, then the marks: a mark needs its row.
    pub(super) async fn write(self, tx: &mut Tx) -> Result<(), StoreError> {
        ACCEPTED.write(tx, self.accepted).await?;
        ENDED.write(tx, self.ended).await?;
        for command in self.sending {
            tx.run(
                "UPDATE commands SET sending = TRUE WHERE id = $1",
                [id(command)],
            )
            .await?;
        }
        Ok(())
    }
}

fn args(row: &Folded<'_>) -> Result<Vec<Arg>, StoreError> {
    let command = row.command;
    let value = command.value.as_ref().map(|v| json(v, "command"));
    Ok(vec![
        id(command.id),
        id(&command.device),
        id(&command.entity),
        command.action.as_str().into(),
        command.resolved.as_str().into(),
        value.transpose()?.into(),
        json(&command.cause, "command")?.into(),
        command.status.as_str().into(),
        command.reason.as_deref().into(),
        command.accepted_at.into(),
        command.deadline_at.into(),
        command.ended_at.into(),
        command.latency_micros.into(),
        command.sending.into(),
        row.key.map(|k| k.key.as_str()).into(),
        row.key.map(|k| k.body_sha256.as_str()).into(),
    ])
}
