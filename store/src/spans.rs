//! When the hub was alive.
//!
//! Owner of `hub_spans`. What lies between two spans is a gap in every history;
//! the end of the newest is the last instant that is known to have been.

use crate::db::Row;
use crate::{Store, StoreError};
use iothome_engine::time::Timestamp;

impl Store {
    /// Begins a span now; tells its number.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn open_span(&self, now: Timestamp) -> Result<i64, StoreError> {
        let rows = self
            .house()
            .returning(
                "INSERT INTO hub_spans (started_at, ended_at) VALUES ($1, $1) RETURNING id",
                [now.into()],
            )
            .await?;
        rows.first().map_or(Err(StoreError::NotFound), |r| r.int(0))
    }

    /// Says that the hub is still alive; a span never shrinks.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn extend_span(&self, span: i64, now: Timestamp) -> Result<(), StoreError> {
        self.house()
            .run(
                "UPDATE hub_spans SET ended_at = $2 WHERE id = $1 AND ended_at < $2",
                [span.into(), now.into()],
            )
            .await?;
        Ok(())
    }

    /// The last instant that the hub is known to have been alive at.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn last_instant(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = self
            .house()
            .first("SELECT MAX(ended_at) FROM hub_spans", [])
            .await?;
        row.as_ref().map_or(Ok(None), |r: &Row| r.opt_at(0))
    }
}
