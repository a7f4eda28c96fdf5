//! What is dear to whom: devices that a user wants to see first.
//!
//! Owner of `favourites`. It must never hold a favourite on a deleted device.

use crate::db::{Tx, id};
use crate::users::found;
use crate::{Store, StoreError};
use iothome_engine::ids::{DeviceId, UserId};

/// Favourites of one user: more would no longer be a choice, and all are on the first page.
pub const FAVOURITES_MAX: usize = 60;

impl Store {
    /// The user's favourites, in their order.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn favourites(&self, user: UserId) -> Result<Vec<DeviceId>, StoreError> {
        let rows = self
            .house()
            .all(
                "SELECT device_id FROM favourites WHERE user_id = $1 ORDER BY position, device_id",
                [id(user)],
            )
            .await?;
        rows.iter().map(|row| row.parsed(0, "favourite")).collect()
    }

    /// Sets the user's favourites, in this order, in place of all others.
    ///
    /// # Errors
    /// `NotFound` if there is no such user or one of the devices is not there.
    pub async fn set_favourites(
        &self,
        user: UserId,
        devices: &[DeviceId],
    ) -> Result<(), StoreError> {
        let mut tx = self.house().begin().await?;
        tx.run("DELETE FROM favourites WHERE user_id = $1", [id(user)])
            .await?;
        for (place, device) in (0_i64..).zip(devices) {
            put(&mut tx, user, device, place).await?;
        }
        tx.commit().await
    }

    /// Adds a favourite after the others; one that is there keeps its place.
    ///
    /// # Errors
    /// `NotFound` if there is no such user or device.
    pub async fn add_favourite(&self, user: UserId, device: &DeviceId) -> Result<(), StoreError> {
        let mut tx = self.house().begin().await?;
        let row = tx
            .first(
                "SELECT COALESCE(MAX(position) + 1, 0) FROM favourites WHERE user_id = $1",
                [id(user)],
            )
            .await?;
        let place = row.map_or(Ok(0), |row| row.int(0))?;
        put(&mut tx, user, device, place).await?;
        tx.commit().await
    }

    /// Takes a favourite away; `false` if it was none.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn remove_favourite(
        &self,
        user: UserId,
        device: &DeviceId,
    ) -> Result<bool, StoreError> {
        let gone = self
            .house()
            .run(
                "DELETE FROM favourites WHERE user_id = $1 AND device_id = $2",
                [id(user), id(device)],
            )
            .await?;
        Ok(gone > 0)
    }
}

async fn put(tx: &mut Tx, user: UserId, device: &DeviceId, place: i64) -> Result<(), StoreError> {
    // Only of a device that stands; a row that is there is touched, so that it counts as found.
    let set = tx
        .run(
            "INSERT INTO favourites (user_id, device_id, position)
             SELECT $1, id, $3 FROM devices WHERE id = $2 AND deleted_at IS NULL
             ON CONFLICT (user_id, device_id) DO UPDATE SET position = favourites.position",
            [id(user), id(device), place.into()],
        )
        .await
        .map_err(StoreError::or_not_found)?;
    found(set)
}
