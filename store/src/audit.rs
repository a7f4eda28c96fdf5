//! Who did what, for those who must know later.
//!
//! Owner of `audit`. It must never hold a password, token or digest.

use crate::db::{Arg, Row, json};
use crate::insert::Insert;
use crate::{Store, StoreError};
use iothome_engine::ids::UserId;
use iothome_engine::time::Timestamp;

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who; `None` for the hub itself or somebody unknown.
    pub user: Option<UserId>,
    /// What they were called then.
    pub name: String,
    /// What they did: `sign_in`, `device_deleted`.
    pub action: String,
    /// To what.
    pub target: String,
    /// What else is worth knowing.
    pub detail: serde_json::Value,
}

const WRITE: Insert = Insert {
    into: "INSERT INTO audit (at, user_id, name, action, target, detail)",
    columns: 6,
    on_conflict: "",
};
/// Rows a step of pruning.
const CHUNK: i64 = 500;

fn write(entry: &AuditEntry) -> Result<Vec<Arg>, StoreError> {
    Ok(vec![
        entry.at.into(),
        entry.user.map(|u| u.to_string()).into(),
        entry.name.as_str().into(),
        entry.action.as_str().into(),
        entry.target.as_str().into(),
        json(&entry.detail, "audit entry")?.into(),
    ])
}

fn read(row: &Row) -> Result<(i64, AuditEntry), StoreError> {
    let user = row
        .opt_text(2)?
        .map(|u| u.parse().map_err(|e| StoreError::corrupt("audit entry", e)))
        .transpose()?;
    let entry = AuditEntry {
        at: row.at(1)?,
        user,
        name: row.text(3)?,
        action: row.text(4)?,
        target: row.text(5)?,
        detail: row.json(6, "audit entry")?,
    };
    Ok((row.int(0)?, entry))
}

impl Store {
    /// Adds entries, all or none.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn write_audit(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let rows = entries.iter().map(write).collect::<Result<_, _>>()?;
        let mut tx = self.house().begin().await?;
        WRITE.write(&mut tx, rows).await?;
        tx.commit().await
    }

    /// Entries with their numbers, the newest first, older than the number `before`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn audit(
        &self,
        limit: usize,
        before: Option<i64>,
    ) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        let rows = self
            .house()
            .all(
                "SELECT id, at, user_id, name, action, target, detail FROM audit
                 WHERE id < $1 ORDER BY id DESC LIMIT $2",
                [before.unwrap_or(i64::MAX).into(), crate::limit(limit)],
            )
            .await?;
        rows.iter().map(read).collect()
    }

    /// Drops entries older than `before`; tells how many.
    ///
    /// # Errors
    /// Whatever the database says; what was dropped until then stays dropped.
    pub async fn prune_audit(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            // From the oldest on: a clock that was set back keeps an entry a little longer.
            let gone = self
                .house()
                .run(
                    "DELETE FROM audit WHERE at < $1 AND id IN
                        (SELECT id FROM audit ORDER BY id LIMIT $2)",
                    [before.into(), CHUNK.into()],
                )
                .await?;
            dropped += gone;
            if gone == 0 {
                return Ok(dropped);
            }
        }
    }
}
