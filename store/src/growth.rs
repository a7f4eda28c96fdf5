//! How large the databases were, day by day.
//!
//! Owner of that short list. It must never hold more than a month of it.

use crate::{Store, StoreError};
use iothome_engine::time::Timestamp;
use serde::{Deserialize, Serialize};

const SETTING: &str = "database_sizes";
/// A month tells how fast a house grows.
const KEPT: usize = 30;
/// One measurement a day; a little less than a day, so that a nightly restart skips none.
const EVERY_MS: i64 = 20 * 3_600_000;

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredSize {
    /// When.
    pub at: Timestamp,
    /// Bytes on disk.
    pub bytes: u64,
}

impl Store {
    /// Measures the databases and notes it, unless that was done today.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn note_size(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut sizes = self.noted_sizes().await?;
        if sizes.last().is_some_and(|last| {
            let age = now.millis_since(last.at);
            (0..EVERY_MS).contains(&age)
        }) {
            return Ok(());
        }
        // A clock that was set back leaves measurements of a time to come: they are of no use.
        sizes.retain(|size| size.at < now);
        let bytes = self.size_bytes().await?;
        sizes.push(MeasuredSize { at: now, bytes });
        let surplus = sizes.len().saturating_sub(KEPT);
        let text = serde_json::to_string(&sizes[surplus..])
            .map_err(|e| StoreError::corrupt("size of the database", e))?;
        self.set_setting(SETTING, &text).await
    }

    /// The measurements of the last month, the oldest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn noted_sizes(&self) -> Result<Vec<MeasuredSize>, StoreError> {
        match self.setting(SETTING).await? {
            None => Ok(Vec::new()),
            Some(text) => serde_json::from_str(&text)
                .map_err(|e| StoreError::corrupt("size of the database", e)),
        }
    }
}
