//! Which user has which rights on which device.
//!
//! Owner of `grants`. It must never hold a grant on a deleted device.

use crate::db::{Row, Tx, id};
use crate::users::found;
use crate::{Store, StoreError};
use iothome_engine::ids::{DeviceId, UserId};
use iothome_engine::policy::Rights;
use std::collections::HashMap;

fn rights(row: &Row, column: usize) -> Result<Rights, StoreError> {
    u8::try_from(row.int(column)?)
        .map(Rights::from_bits)
        .map_err(|e| StoreError::corrupt("grant", e))
}

async fn set(
    tx: &mut Tx,
    user: UserId,
    device: &DeviceId,
    rights: Rights,
) -> Result<(), StoreError> {
    if rights.is_empty() {
        tx.run(
            "DELETE FROM grants WHERE user_id = $1 AND device_id = $2",
            [id(user), id(device)],
        )
        .await?;
        return Ok(());
    }
    // Only on a device that stands.
    let set = tx
        .run(
            "INSERT INTO grants (user_id, device_id, rights)
             SELECT $1, id, $3 FROM devices WHERE id = $2 AND deleted_at IS NULL
             ON CONFLICT (user_id, device_id) DO UPDATE SET rights = excluded.rights",
            [id(user), id(device), i64::from(rights.bits()).into()],
        )
        .await
        .map_err(StoreError::or_not_found)?;
    found(set)
}

impl Store {
    /// The user's grants.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn grants_of(&self, user: UserId) -> Result<HashMap<DeviceId, Rights>, StoreError> {
        let rows = self
            .house()
            .all(
                "SELECT g.device_id, g.rights FROM grants g JOIN devices d ON d.id = g.device_id
                 WHERE g.user_id = $1 AND d.deleted_at IS NULL",
                [id(user)],
            )
            .await?;
        rows.iter()
            .map(|row| Ok((row.parsed(0, "grant")?, rights(row, 1)?)))
            .collect()
    }

    /// Who has rights on the device, in the order the users were made, after `after`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn grants_on(
        &self,
        device: &DeviceId,
        limit: usize,
        after: Option<UserId>,
    ) -> Result<Vec<(UserId, Rights)>, StoreError> {
        let after = after.map(|a| a.to_string()).unwrap_or_default();
        let rows = self
            .house()
            .all(
                "SELECT user_id, rights FROM grants WHERE device_id = $1 AND user_id > $2
                 ORDER BY user_id LIMIT $3",
                [id(device), after.into(), crate::limit(limit)],
            )
            .await?;
        rows.iter()
            .map(|row| Ok((row.parsed(0, "grant")?, rights(row, 1)?)))
            .collect()
    }

    /// Sets the user's rights on the device; no right takes the grant away.
    ///
    /// # Errors
    /// `NotFound` if there is no such user or device.
    pub async fn set_grant(
        &self,
        user: UserId,
        device: &DeviceId,
        rights: Rights,
    ) -> Result<(), StoreError> {
        let mut tx = self.house().begin().await?;
        set(&mut tx, user, device, rights).await?;
        tx.commit().await
    }

    /// Sets many grants, all of them or none; no right takes a grant away.
    ///
    /// # Errors
    /// `NotFound` if one of the users or devices is gone.
    pub async fn set_grants(
        &self,
        grants: &[(UserId, DeviceId, Rights)],
    ) -> Result<(), StoreError> {
        let mut tx = self.house().begin().await?;
        for (user, device, rights) in grants {
            set(&mut tx, *user, device, *rights).await?;
        }
        tx.commit().await
    }

    /// Takes the grant away; `false` if there was none.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn remove_grant(&self, user: UserId, device: &DeviceId) -> Result<bool, StoreError> {
        let gone = self
            .house()
            .run(
                "DELETE FROM grants WHERE user_id = $1 AND device_id = $2",
                [id(user), id(device)],
            )
            .await?;
        Ok(gone > 0)
    }
}
