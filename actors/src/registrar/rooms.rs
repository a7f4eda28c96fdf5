//! Rooms, their order, and the order of devices in them.
//!
//! Owner of what people change of rooms, and of the list of rooms that everybody
//! reads. It must never show a room that is not stored.

use super::By;
use super::accept::checked;
use super::registry::Registry;
use crate::error::HubError;
use iothome_engine::ids::{DeviceId, RoomId};
use iothome_store::{Room, RoomPatch};
use serde_json::json;
use std::sync::Arc;

/// Rooms of a house: a large school has about two hundred, and each is on the page.
pub const ROOMS_MAX: usize = 300;

/// The longest word for a picture.
const ICON_MAX: usize = 32;

/// The last place that can be given: far beyond any list, and still exact in JSON.
const POSITION_MAX: i64 = 1_000_000;

/// A word for a picture; which words there are is the pages' matter.
pub(super) fn checked_icon(icon: Option<String>) -> Result<Option<String>, HubError> {
    let Some(icon) = icon else { return Ok(None) };
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if icon.is_empty() || icon.len() > ICON_MAX || !icon.bytes().all(plain) {
        return Err(HubError::invalid("icon", "is no word for a picture"));
    }
    Ok(Some(icon))
}

/// A place in a list.
pub(super) fn checked_position(position: Option<i64>) -> Result<Option<i64>, HubError> {
    if position.is_some_and(|p| !(0..=POSITION_MAX).contains(&p)) {
        let problem = format!("must be 0 to {POSITION_MAX}");
        return Err(HubError::invalid("position", &problem));
    }
    Ok(position)
}

impl Registry {
    /// The room that somebody gave a device, by its own name if there is such a room.
    pub(super) fn checked_room(&self, room: Option<String>) -> Result<Option<String>, HubError> {
        let Some(name) = checked("room", room)? else {
            return Ok(None);
        };
        let rooms = self.rooms.load();
        let key = name.to_lowercase();
        let exact = rooms.iter().find(|r| r.name == name);
        let known = exact.or_else(|| rooms.iter().find(|r| r.name.to_lowercase() == key));
        match known {
            Some(room) => Ok(Some(room.name.clone())),
            None if rooms.len() < ROOMS_MAX => Ok(Some(name)),
            None => Err(too_many("room")),
        }
    }

    /// Reads the rooms; everybody is told if they are others than before.
    pub(super) async fn read_rooms(&mut self) -> Result<(), HubError> {
        let rooms = self.tools.store.rooms().await?;
        if **self.rooms.load() != rooms {
            self.rooms.store(Arc::new(rooms));
            self.tell_directory();
        }
        Ok(())
    }

    /// A device may have brought a room along.
    pub(super) async fn look_at_rooms(&mut self) {
        if let Err(problem) = self.read_rooms().await {
            tracing::error!(%problem, "the rooms are shown as they were");
        }
    }

    /// Makes a room.
    pub(super) async fn create_room(
        &mut self,
        name: String,
        icon: Option<String>,
        by: &By,
    ) -> Result<Room, HubError> {
        let name = checked("name", Some(name))?.unwrap_or_default();
        let icon = checked_icon(icon)?;
        if self.rooms.load().len() >= ROOMS_MAX {
            return Err(too_many("name"));
        }
        let store = &self.tools.store;
        let room = store.create_room(&name, icon.as_deref()).await?;
        self.read_rooms().await?;
        self.audit(
            by,
            "room_created",
            room.id.as_str(),
            json!({ "name": name }),
        );
        Ok(room)
    }

    /// Changes a room's name, for its devices too, its picture or its place.
    pub(super) async fn update_room(
        &mut self,
        room: &RoomId,
        patch: RoomPatch,
        version: Option<i64>,
        by: &By,
    ) -> Result<Room, HubError> {
        let patch = RoomPatch {
            name: checked("name", patch.name)?,
            icon: patch.icon.map(checked_icon).transpose()?,
            position: checked_position(patch.position)?,
        };
        let store = &self.tools.store;
        if patch == RoomPatch::default() {
            let rooms = store.rooms().await?;
            let same = rooms.into_iter().find(|r| r.id == *room);
            let same = same.ok_or(HubError::NotFound)?;
            return match version {
                Some(v) if v != same.version => Err(HubError::Stale),
                _ => Ok(same),
            };
        }
        let (changed, moved) = store.update_room(room, &patch, version).await?;
        self.follow(&moved).await?;
        self.read_rooms().await?;
        let detail = json!({ "name": changed.name, "devices": moved.len() });
        self.audit(by, "room_changed", room.as_str(), detail);
        Ok(changed)
    }

    /// Puts the rooms in an order.
    pub(super) async fn order_rooms(&mut self, order: &[RoomId], by: &By) -> Result<(), HubError> {
        self.tools.store.order_rooms(order).await?;
        self.read_rooms().await?;
        self.audit(by, "rooms_ordered", "rooms", json!({}));
        Ok(())
    }

    /// Deletes a room; its devices are in no room.
    pub(super) async fn delete_room(
        &mut self,
        room: &RoomId,
        version: Option<i64>,
        by: &By,
    ) -> Result<(), HubError> {
        let left = self.tools.store.delete_room(room, version).await?;
        self.follow(&left).await?;
        self.read_rooms().await?;
        let detail = json!({ "devices": left.len() });
        self.audit(by, "room_deleted", room.as_str(), detail);
        Ok(())
    }

    /// Puts devices in an order, that of their room.
    pub(super) async fn order_devices(
        &mut self,
        order: &[DeviceId],
        by: &By,
    ) -> Result<(), HubError> {
        let moved = self.tools.store.order_devices(order).await?;
        if moved.is_empty() {
            return Ok(());
        }
        self.follow(&moved).await?;
        self.tell_directory();
        self.audit(by, "devices_ordered", "devices", json!({}));
        Ok(())
    }
}

fn too_many(field: &str) -> HubError {
    HubError::invalid(
        field,
        &format!("there are {ROOMS_MAX} rooms, the most there can be"),
    )
}
