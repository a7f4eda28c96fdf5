//! Numbers of series: one for each entity that ever reported.
//!
//! Owner of `series`. Its rows are never deleted, so a number that was read once
//! may be remembered.

use crate::db::id;
use crate::insert::Insert;
use crate::{Store, StoreError};
use iothome_engine::ids::EntityRef;
use std::collections::{BTreeSet, HashMap};
use std::sync::PoisonError;

const NEW: Insert = Insert {
    into: "INSERT INTO series (device_id, entity_id)",
    columns: 2,
    on_conflict: "ON CONFLICT (device_id, entity_id) DO NOTHING",
};
const NUMBER: &str = "SELECT id FROM series WHERE device_id = $1 AND entity_id = $2";

impl Store {
    /// The numbers of these entities; new ones get one.
    pub(super) async fn series_of(
        &self,
        targets: &BTreeSet<&EntityRef>,
    ) -> Result<HashMap<EntityRef, i64>, StoreError> {
        let mut numbers = HashMap::new();
        let mut missing = Vec::new();
        for &target in targets {
            match self.remembered(target) {
                Some(number) => {
                    numbers.insert(target.clone(), number);
                }
                None => missing.push(target),
            }
        }
        if missing.is_empty() {
            return Ok(numbers);
        }
        let mut tx = self.history_db().begin().await?;
        let rows = missing.iter().map(|t| vec![id(&t.device), id(&t.entity)]);
        NEW.write(&mut tx, rows.collect()).await?;
        let mut found = Vec::new();
        for target in missing {
            let row = tx
                .first(NUMBER, [id(&target.device), id(&target.entity)])
                .await?;
            let row = row.ok_or_else(|| StoreError::corrupt("series", "it is not there"))?;
            found.push((target.clone(), row.int(0)?));
        }
        tx.commit().await?;
        // Only now: a number that was taken back must not be remembered.
        self.remember(&found);
        numbers.extend(found);
        Ok(numbers)
    }

    /// The number of an entity that has one.
    pub(super) async fn known_series(&self, target: &EntityRef) -> Result<Option<i64>, StoreError> {
        if let Some(number) = self.remembered(target) {
            return Ok(Some(number));
        }
        let row = self
            .history_db()
            .first(NUMBER, [id(&target.device), id(&target.entity)])
            .await?;
        let number = row.map(|row| row.int(0)).transpose()?;
        if let Some(number) = number {
            self.remember(&[(target.clone(), number)]);
        }
        Ok(number)
    }

    fn remembered(&self, target: &EntityRef) -> Option<i64> {
        let cache = self.series_cache().read();
        let cache = cache.unwrap_or_else(PoisonError::into_inner);
        cache.get(target).copied()
    }

    fn remember(&self, found: &[(EntityRef, i64)]) {
        let cache = self.series_cache().write();
        let mut cache = cache.unwrap_or_else(PoisonError::into_inner);
        cache.extend(found.iter().cloned());
    }
}
