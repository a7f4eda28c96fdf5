//! Makes, changes and deletes devices, each in one transaction.
//!
//! Owner of the writing side. It must never give an id a second time: rows of
//! what is gone stay as tombstones.

use super::{DevicePatch, StoredDevice, StoredEntity};
use crate::credentials::insert_credential;
use crate::db::{Arg, Tx, id, json};
use crate::rooms::ensure_room;
use crate::{Store, StoreError};
use iothome_engine::access::Credential;
use iothome_engine::ids::DeviceId;
use iothome_engine::time::Timestamp;

const PUT_ENTITY: &str = "INSERT INTO entities (device_id, id, kind, name, raw, config_topic,
        config_hash, key, deadline_ms, position, withdrawn_at, deleted_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL)
    ON CONFLICT (device_id, id) DO UPDATE SET kind = excluded.kind, name = excluded.name,
        raw = excluded.raw, config_topic = excluded.config_topic,
        config_hash = excluded.config_hash, key = excluded.key,
        deadline_ms = excluded.deadline_ms, position = excluded.position,
        withdrawn_at = excluded.withdrawn_at
    WHERE entities.deleted_at IS NULL";

/// A key of a tombstone goes to the new device; one of a standing device does not move.
const PUT_IDENTITY: &str = "INSERT INTO identities (key, device_id) VALUES ($1, $2)
    ON CONFLICT (key) DO UPDATE SET device_id = excluded.device_id
    WHERE identities.device_id = excluded.device_id
        OR identities.device_id IN (SELECT id FROM devices WHERE deleted_at IS NOT NULL)";

async fn put_entity(
    tx: &mut Tx,
    device: &DeviceId,
    entity: &StoredEntity,
) -> Result<(), StoreError> {
    let args: [Arg; 11] = [
        id(device),
        id(&entity.id),
        entity.kind.as_str().into(),
        entity.name.as_deref().into(),
        json(&entity.raw, "entity")?.into(),
        entity.config_topic.as_deref().into(),
        entity.config_hash.as_deref().into(),
        entity.key.as_deref().into(),
        entity.deadline_ms.into(),
        i64::from(entity.position).into(),
        entity.withdrawn_at.into(),
    ];
    match tx.run(PUT_ENTITY, args).await? {
        0 => Err(StoreError::Taken { what: "entity id" }),
        _ => Ok(()),
    }
}

async fn put_identity(tx: &mut Tx, device: &DeviceId, keys: &[String]) -> Result<(), StoreError> {
    for key in keys {
        let put = tx
            .run(PUT_IDENTITY, [key.as_str().into(), id(device)])
            .await?;
        if put == 0 {
            return Err(StoreError::Taken { what: "identity" });
        }
    }
    Ok(())
}

impl Store {
    /// Writes a new device down, with its entities and broker credentials.
    ///
    /// # Errors
    /// `Taken` if its id is or ever was a device's, or an identity or user name is another's.
    pub async fn create_device(
        &self,
        device: &StoredDevice,
        credentials: &[Credential],
    ) -> Result<(), StoreError> {
        let mut tx = self.house().begin().await?;
        let room = ensure_room(&mut tx, device.room.as_deref()).await?;
        let args: [Arg; 10] = [
            id(&device.id),
            device.name.as_str().into(),
            room.into(),
            json(&device.about, "device")?.into(),
            device.origin.as_str().into(),
            device.sender_verified.into(),
            device.created_at.into(),
            device.version.into(),
            device.icon.as_deref().into(),
            device.position.into(),
        ];
        tx.run(
            "INSERT INTO devices (id, name, room, about, origin, sender_verified, created_at,
                version, icon, position, deleted_at, history_kept)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL, TRUE)",
            args,
        )
        .await
        .map_err(|e| e.or_taken("device id"))?;
        put_identity(&mut tx, &device.id, &device.identity).await?;
        for entity in &device.entities {
            put_entity(&mut tx, &device.id, entity).await?;
        }
        for credential in credentials {
            insert_credential(&mut tx, credential).await?;
        }
        tx.commit().await
    }

    /// Changes a device, all or nothing; tells its new version.
    ///
    /// `version` is the one that was read, if it matters.
    ///
    /// # Errors
    /// `NotFound`, `Stale`, or `Taken` if an entity's id was removed for good or
    /// an identity is another device's.
    pub async fn update_device(
        &self,
        device: &DeviceId,
        patch: &DevicePatch,
        version: Option<i64>,
    ) -> Result<i64, StoreError> {
        let mut tx = self.house().begin().await?;
        let about = patch
            .about
            .as_ref()
            .map(|a| json(a, "device"))
            .transpose()?;
        let room = ensure_room(&mut tx, patch.room.as_ref().and_then(|r| r.as_deref())).await?;
        let args: [Arg; 12] = [
            id(device),
            patch.name.as_deref().into(),
            patch.room.is_some().into(),
            room.into(),
            about.into(),
            patch.sender_verified.is_some().into(),
            patch.sender_verified.unwrap_or_default().into(),
            version.into(),
            patch.icon.is_some().into(),
            patch.icon.clone().flatten().into(),
            patch.position.is_some().into(),
            patch.position.flatten().into(),
        ];
        let changed = tx
            .first(
                "UPDATE devices SET name = COALESCE($2, name),
                    room = CASE WHEN $3 THEN $4 ELSE room END,
                    about = COALESCE($5, about),
                    sender_verified = CASE WHEN $6 THEN $7 ELSE sender_verified END,
                    icon = CASE WHEN $9 THEN $10 ELSE icon END,
                    position = CASE WHEN $11 THEN $12
                        WHEN $3 AND room IS DISTINCT FROM $4 THEN NULL ELSE position END,
                    version = version + 1
                 WHERE id = $1 AND deleted_at IS NULL AND ($8 IS NULL OR version = $8)
                 RETURNING version",
                args,
            )
            .await?;
        let Some(row) = changed else {
            return Err(why_unchanged(&mut tx, device).await?);
        };
        put_identity(&mut tx, device, &patch.identity).await?;
        for entity in &patch.entities {
            put_entity(&mut tx, device, entity).await?;
        }
        for entity in &patch.removed {
            // The version is what counts up here; the instant of removal is of no use.
            tx.run(
                "UPDATE entities SET deleted_at = 0 WHERE device_id = $1 AND id = $2",
                [id(device), id(entity)],
            )
            .await?;
        }
        let version = row.int(0)?;
        tx.commit().await?;
        Ok(version)
    }

    /// Deletes a device with its grants, entities and broker credentials; tells
    /// the broker user names that are revoked.
    ///
    /// Its id, identity and history stay, so that it is known if it comes back.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_device(
        &self,
        device: &DeviceId,
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let mut tx = self.house().begin().await?;
        let gone = tx
            .run(
                "UPDATE devices SET deleted_at = $2, version = version + 1
                 WHERE id = $1 AND deleted_at IS NULL",
                [id(device), now.into()],
            )
            .await?;
        crate::users::found(gone)?;
        tx.run("DELETE FROM grants WHERE device_id = $1", [id(device)])
            .await?;
        tx.run("DELETE FROM favourites WHERE device_id = $1", [id(device)])
            .await?;
        tx.run("DELETE FROM entities WHERE device_id = $1", [id(device)])
            .await?;
        let revoked = tx
            .all(
                "DELETE FROM credentials WHERE device_id = $1 RETURNING username",
                [id(device)],
            )
            .await?;
        tx.commit().await?;
        revoked.iter().map(|row| row.text(0)).collect()
    }
}

/// The row is there but its version is another, or it is not there.
async fn why_unchanged(tx: &mut Tx, device: &DeviceId) -> Result<StoreError, StoreError> {
    let there = tx
        .first(
            "SELECT version FROM devices WHERE id = $1 AND deleted_at IS NULL",
            [id(device)],
        )
        .await?;
    Ok(match there {
        Some(_) => StoreError::Stale,
        None => StoreError::NotFound,
    })
}
