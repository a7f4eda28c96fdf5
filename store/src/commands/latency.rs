//! How quickly a device confirms.
//!
//! Owner of reading latencies. It must never walk through all commands there ever were.

use crate::db::id;
use crate::{Store, StoreError};
use iothome_engine::ids::DeviceId;
use iothome_engine::time::Timestamp;

const CONFIRMED: &str = "SELECT latency_micros FROM commands
    WHERE device_id = $1 AND accepted_at >= $2 AND status = 'confirmed'
        AND latency_micros IS NOT NULL
    ORDER BY accepted_at DESC LIMIT $3";

impl Store {
    /// Latencies in microseconds of the newest `limit` commands of a device that were accepted
    /// since then and confirmed, the newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn latencies(
        &self,
        device: &DeviceId,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<i64>, StoreError> {
        let args = [id(device), since.into(), crate::limit(limit)];
        let rows = self.house().all(CONFIRMED, args).await?;
        rows.iter().map(|row| row.int(0)).collect()
    }
}
