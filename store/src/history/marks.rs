//! How far roll-ups and retention came.
//!
//! Owner of `marks`: each is the instant before which a job is done.

use super::{HOUR_MS, floor_to};
use crate::StoreError;
use crate::db::Tx;

/// A job that remembers how far it came.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// Samples before it are in 5-minute buckets.
    Rolled5m,
    /// 5-minute buckets before it are in hourly ones.
    Rolled1h,
    /// Samples before it may be gone.
    PrunedRaw,
    /// 5-minute buckets before it may be gone.
    Pruned5m,
}

impl Mark {
    const fn name(self) -> &'static str {
        match self {
            Self::Rolled5m => "rolled_5m",
            Self::Rolled1h => "rolled_1h",
            Self::PrunedRaw => "pruned_raw",
            Self::Pruned5m => "pruned_5m",
        }
    }

    /// Where it stands; `None` if the job never ran.
    pub(super) async fn get(self, tx: &mut Tx) -> Result<Option<i64>, StoreError> {
        let row = tx
            .first("SELECT at FROM marks WHERE name = $1", [self.name().into()])
            .await?;
        row.map(|row| row.int(0)).transpose()
    }

    /// Puts it there.
    pub(super) async fn set(self, tx: &mut Tx, at: i64) -> Result<(), StoreError> {
        tx.run(
            "INSERT INTO marks (name, at) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET at = excluded.at",
            [self.name().into(), at.into()],
        )
        .await?;
        Ok(())
    }

    /// Puts it there if it stands later.
    pub(super) async fn lower(self, tx: &mut Tx, at: i64) -> Result<(), StoreError> {
        tx.run(
            "UPDATE marks SET at = $2 WHERE name = $1 AND at > $2",
            [self.name().into(), at.into()],
        )
        .await?;
        Ok(())
    }

    /// Brings every mark that stands after `now` back to the hour that `now` is in.
    pub(super) async fn clamp_all(tx: &mut Tx, now: i64) -> Result<(), StoreError> {
        tx.run(
            "UPDATE marks SET at = $2 WHERE at > $1",
            [now.into(), floor_to(now, HOUR_MS).into()],
        )
        .await?;
        Ok(())
    }
}
