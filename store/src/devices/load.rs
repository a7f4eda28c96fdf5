//! Reads devices with everything that belongs to them.
//!
//! Owner of the reading side; it must never write.

use super::{Origin, StoredDevice, StoredEntity};
use crate::db::{Row, Tx, id};
use crate::{Store, StoreError};
use iothome_engine::ids::{DeviceId, EntityId};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

const DEVICES: &str = "SELECT id, name, room, about, origin, sender_verified, created_at, version,
    icon, position
    FROM devices WHERE deleted_at IS NULL";
const IDENTITIES: &str = "SELECT device_id, key FROM identities WHERE TRUE";
const ENTITIES: &str = "SELECT device_id, id, kind, name, raw, config_topic, config_hash, key,
    deadline_ms, position, withdrawn_at FROM entities
    WHERE deleted_at IS NULL";

fn device(row: &Row) -> Result<StoredDevice, StoreError> {
    let origin = row.text(4)?;
    Ok(StoredDevice {
        id: row.parsed(0, "device")?,
        name: row.text(1)?,
        room: row.opt_text(2)?,
        icon: row.opt_text(8)?,
        position: row.opt_int(9)?,
        about: row.json(3, "device")?,
        origin: Origin::from_word(&origin).ok_or_else(|| StoreError::corrupt("device", origin))?,
        identity: Vec::new(),
        sender_verified: row.flag(5)?,
        created_at: row.at(6)?,
        version: row.int(7)?,
        entities: Vec::new(),
    })
}

fn entity(row: &Row) -> Result<StoredEntity, StoreError> {
    Ok(StoredEntity {
        id: row.parsed(1, "entity")?,
        kind: row.parsed(2, "entity")?,
        name: row.opt_text(3)?,
        raw: row.json(4, "entity")?,
        config_topic: row.opt_text(5)?,
        config_hash: row.opt_text(6)?,
        key: row.opt_text(7)?,
        deadline_ms: row.opt_int(8)?,
        position: i32::try_from(row.int(9)?).map_err(|e| StoreError::corrupt("entity", e))?,
        withdrawn_at: row.opt_at(10)?,
    })
}

/// The rows of one device, or of all.
async fn rows(
    tx: &mut Tx,
    select: &str,
    key: &str,
    order: &str,
    only: Option<&DeviceId>,
) -> Result<Vec<Row>, StoreError> {
    let (filter, args) = match only {
        Some(device) => (format!("AND {key} = $1"), vec![id(device)]),
        None => (String::new(), Vec::new()),
    };
    let sql = format!("{select} {filter} ORDER BY {order}");
    tx.all(AssertSqlSafe(sql), args).await
}

/// One device, or all of them.
async fn load(tx: &mut Tx, only: Option<&DeviceId>) -> Result<Vec<StoredDevice>, StoreError> {
    let found = rows(tx, DEVICES, "id", "id", only).await?;
    let mut devices = found.iter().map(device).collect::<Result<Vec<_>, _>>()?;
    let places: HashMap<String, usize> = devices
        .iter()
        .enumerate()
        .map(|(place, device)| (device.id.to_string(), place))
        .collect();
    for row in rows(tx, IDENTITIES, "device_id", "key", only).await? {
        if let Some(&place) = places.get(&row.text(0)?) {
            devices[place].identity.push(row.text(1)?);
        }
    }
    let order = "device_id, position, id";
    for row in rows(tx, ENTITIES, "device_id", order, only).await? {
        if let Some(&place) = places.get(&row.text(0)?) {
            devices[place].entities.push(entity(&row)?);
        }
    }
    Ok(devices)
}

impl Store {
    /// Every device that is not deleted, by id.
    ///
    /// # Errors
    /// Whatever the database says; `Corrupt` if a row cannot be understood.
    pub async fn devices(&self) -> Result<Vec<StoredDevice>, StoreError> {
        let mut tx = self.house().snapshot().await?;
        load(&mut tx, None).await
    }

    /// The device, unless it is deleted.
    ///
    /// # Errors
    /// Whatever the database says; `Corrupt` if a row cannot be understood.
    pub async fn device(&self, device: &DeviceId) -> Result<Option<StoredDevice>, StoreError> {
        let mut tx = self.house().snapshot().await?;
        Ok(load(&mut tx, Some(device)).await?.pop())
    }

    /// Whether the id is or was a device's, and so is never given again.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn device_id_used(&self, device: &str) -> Result<bool, StoreError> {
        let row = self
            .house()
            .first("SELECT id FROM devices WHERE id = $1", [device.into()])
            .await?;
        Ok(row.is_some())
    }

    /// Ids of the device's entities that were removed for good, and so are never given again.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn removed_entity_ids(&self, device: &DeviceId) -> Result<Vec<EntityId>, StoreError> {
        let rows = self
            .house()
            .all(
                "SELECT id FROM entities WHERE device_id = $1 AND deleted_at IS NOT NULL",
                [id(device)],
            )
            .await?;
        rows.iter().map(|row| row.parsed(0, "entity")).collect()
    }

    /// Whose device one of these keys belongs to, and whether that device is deleted.
    ///
    /// If several devices share the keys, one that stands is told before a deleted one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn identity_owner(
        &self,
        keys: &[String],
    ) -> Result<Option<(DeviceId, bool)>, StoreError> {
        let mut tombstone = None;
        for key in keys {
            let row = self
                .house()
                .first(
                    "SELECT d.id, d.deleted_at FROM identities i
                     JOIN devices d ON d.id = i.device_id WHERE i.key = $1",
                    [key.as_str().into()],
                )
                .await?;
            let Some(row) = row else { continue };
            let owner = row.parsed(0, "device")?;
            if row.opt_int(1)?.is_none() {
                return Ok(Some((owner, false)));
            }
            tombstone = tombstone.or(Some((owner, true)));
        }
        Ok(tombstone)
    }
}
