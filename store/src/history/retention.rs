//! Retention: what is old goes, a little at a time.
//!
//! Owner of forgetting. It must never delete samples that are not rolled up,
//! never hold the writer for long, and never forget what is in force.

use super::marks::Mark;
use super::{HOUR_MS, Retention, floor_to};
use crate::db::{Arg, Turn, id};
use crate::{Store, StoreError};
use iothome_engine::time::Timestamp;
use sqlx::AssertSqlSafe;

/// Rows a transaction deletes at most: a few milliseconds, between which the
/// recorder gets its turn.
const CHUNK: i64 = 2_000;
const DAY_MS: i64 = 86_400_000;

/// A table that is forgotten by time, key by key.
#[derive(Clone, Copy)]
struct Table {
    name: &'static str,
    key: &'static str,
}

const SAMPLES: Table = Table::of_series("samples");
const ROLLUP_5M: Table = Table::of_series("rollup_5m");
const ROLLUP_1H: Table = Table::of_series("rollup_1h");
const LOSSES: Table = Table::of_series("losses");
const AVAILABILITY: Table = Table {
    name: "availability",
    key: "device_id",
};

impl Table {
    const fn of_series(name: &'static str) -> Self {
        Self {
            name,
            key: "series",
        }
    }
}

fn days(days: u32) -> i64 {
    i64::from(days) * DAY_MS
}

impl Store {
    /// Drops what is older than `retention` says; tells how many rows went.
    ///
    /// The newest sample before the cut stays, and so does the newest
    /// availability: they say what was in force at the cut.
    ///
    /// # Errors
    /// Whatever the database says; what was dropped until then stays dropped.
    pub async fn prune_history(
        &self,
        now: Timestamp,
        retention: &Retention,
    ) -> Result<u64, StoreError> {
        let now = now.as_millis();
        let raw_cut = self
            .cut(
                now - days(retention.raw_days),
                Mark::Rolled5m,
                Mark::PrunedRaw,
            )
            .await?;
        let five_cut = self
            .cut(
                now - days(retention.five_minute_days),
                Mark::Rolled1h,
                Mark::Pruned5m,
            )
            .await?;
        let mut dropped = 0;
        for key in self.keys("SELECT id FROM series ORDER BY id").await? {
            if let Some(cut) = raw_cut
                && let Some(in_force) = self.newest(SAMPLES, &key, cut).await?
            {
                dropped += self.drop_before(SAMPLES, &key, in_force).await?;
            }
            if let Some(cut) = five_cut {
                dropped += self.drop_before(ROLLUP_5M, &key, cut).await?;
                dropped += self.drop_before(LOSSES, &key, cut).await?;
            }
        }
        let old = now - days(retention.five_minute_days);
        for key in self.devices_of_availability().await? {
            if let Some(in_force) = self.newest(AVAILABILITY, &key, old).await? {
                dropped += self.drop_before(AVAILABILITY, &key, in_force).await?;
            }
        }
        dropped += self.forget_deleted(old).await?;
        Ok(dropped)
    }

    /// Where to cut: at `wanted`, but not before all until there is rolled up.
    ///
    /// `None` if nothing was ever rolled up. The mark is set before anything is
    /// deleted, so that roll-ups never go back to where samples may be gone.
    async fn cut(
        &self,
        wanted: i64,
        rolled: Mark,
        pruned: Mark,
    ) -> Result<Option<i64>, StoreError> {
        let mut tx = self.history_db().begin().await?;
        tx.take_turn(Turn::History).await?;
        let Some(rolled) = rolled.get(&mut tx).await? else {
            return Ok(None);
        };
        let cut = floor_to(wanted.min(rolled), HOUR_MS);
        let before = pruned.get(&mut tx).await?.unwrap_or(i64::MIN);
        pruned.set(&mut tx, cut.max(before)).await?;
        tx.commit().await?;
        Ok(Some(cut))
    }

    /// The newest instant at or before `cut`.
    async fn newest(&self, table: Table, key: &Arg, cut: i64) -> Result<Option<i64>, StoreError> {
        let Table { name, key: column } = table;
        let sql = format!("SELECT MAX(at) FROM {name} WHERE {column} = $1 AND at <= $2");
        let args = [key.clone(), cut.into()];
        let row = self.history_db().first(AssertSqlSafe(sql), args).await?;
        row.map_or(Ok(None), |row| row.opt_int(0))
    }

    /// Deletes a key's rows before `cut`, chunk by chunk.
    async fn drop_before(&self, table: Table, key: &Arg, cut: i64) -> Result<u64, StoreError> {
        let Table { name, key: column } = table;
        let nth = format!(
            "SELECT at FROM {name} WHERE {column} = $1 AND at < $2 ORDER BY at LIMIT 1 OFFSET $3"
        );
        let delete = format!("DELETE FROM {name} WHERE {column} = $1 AND at < $2");
        let mut dropped = 0;
        loop {
            let args = [key.clone(), cut.into(), CHUNK.into()];
            let row = self
                .history_db()
                .first(AssertSqlSafe(nth.clone()), args)
                .await?;
            let chunk_end = row.map(|row| row.int(0)).transpose()?;
            let args = [key.clone(), chunk_end.unwrap_or(cut).into()];
            dropped += self
                .history_db()
                .run(AssertSqlSafe(delete.clone()), args)
                .await?;
            // Ends: each round but the last deletes a chunk, and nobody adds old rows so fast.
            if chunk_end.is_none() {
                return Ok(dropped);
            }
        }
    }

    async fn keys(&self, sql: &'static str) -> Result<Vec<Arg>, StoreError> {
        let rows = self.history_db().all(sql, []).await?;
        rows.iter().map(|row| Ok(row.int(0)?.into())).collect()
    }

    async fn devices_of_availability(&self) -> Result<Vec<Arg>, StoreError> {
        let rows = self
            .history_db()
            .all("SELECT DISTINCT device_id FROM availability", [])
            .await?;
        rows.iter().map(|row| Ok(row.text(0)?.into())).collect()
    }

    /// Forgets the history of devices that were deleted before `cut`, hourly roll-ups too.
    async fn forget_deleted(&self, cut: i64) -> Result<u64, StoreError> {
        let gone = self
            .house()
            .all(
                "SELECT id FROM devices WHERE deleted_at < $1 AND history_kept = TRUE",
                [cut.into()],
            )
            .await?;
        let mut dropped = 0;
        for row in gone {
            let device = row.text(0)?;
            dropped += self.forget_device(&device).await?;
            // Last: if anything fails before, the next run does it again.
            self.house()
                .run(
                    "UPDATE devices SET history_kept = FALSE WHERE id = $1",
                    [id(&device)],
                )
                .await?;
        }
        Ok(dropped)
    }

    async fn forget_device(&self, device: &str) -> Result<u64, StoreError> {
        let series = self
            .history_db()
            .all("SELECT id FROM series WHERE device_id = $1", [id(device)])
            .await?;
        let mut dropped = 0;
        for row in series {
            let key = Arg::from(row.int(0)?);
            for table in [SAMPLES, ROLLUP_5M, ROLLUP_1H, LOSSES] {
                dropped += self.drop_before(table, &key, i64::MAX).await?;
            }
            dropped += self
                .history_db()
                .run("DELETE FROM last_states WHERE series = $1", [key])
                .await?;
        }
        dropped += self
            .drop_before(AVAILABILITY, &id(device), i64::MAX)
            .await?;
        Ok(dropped)
    }
}
