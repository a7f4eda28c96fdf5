//! Rooms: their names, icons and order, and the order of devices in them.
//!
//! Owner of `rooms` and of devices' positions. A device names its room, so there is
//! always a room for every name that a device gives. It must never let two names
//! differ only in case, and never leave a device in a room that is not there.

use crate::db::{Arg, Row, Turn, Tx, id};
use crate::{Store, StoreError};
use iothome_engine::ids::{DeviceId, RoomId, slug_from_name};
use std::collections::HashSet;

/// A room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// What the household calls it.
    pub name: String,
    /// The picture that a person chose for it.
    pub icon: Option<String>,
    /// Its place: lower comes first; equal ones by name.
    pub position: i64,
    /// Grows with every change; 1 when made.
    pub version: i64,
}

/// What is to change of a room; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomPatch {
    /// A new name, for its devices too.
    pub name: Option<String>,
    /// Another picture, or none.
    pub icon: Option<Option<String>>,
    /// Another place.
    pub position: Option<i64>,
}

const ALL: &str = "SELECT id, name, icon, position, version FROM rooms";

fn read(row: &Row) -> Result<Room, StoreError> {
    Ok(Room {
        id: row.parsed(0, "room")?,
        name: row.text(1)?,
        icon: row.opt_text(2)?,
        position: row.int(3)?,
        version: row.int(4)?,
    })
}

/// In the household's order. Sorted here: the databases do not agree on what comes first.
fn in_order(rows: &[Row]) -> Result<Vec<Room>, StoreError> {
    let mut rooms = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    rooms.sort_by_cached_key(|r| (r.position, r.name.to_lowercase(), r.id.clone()));
    Ok(rooms)
}

async fn all(tx: &mut Tx) -> Result<Vec<Room>, StoreError> {
    in_order(&tx.all(ALL, []).await?)
}

/// The room of that name, in any case.
fn named<'a>(rooms: &'a [Room], name: &str) -> Option<&'a Room> {
    let exact = rooms.iter().find(|r| r.name == name);
    let key = name.to_lowercase();
    exact.or_else(|| rooms.iter().find(|r| r.name.to_lowercase() == key))
}

/// Makes sure that there is a room of that name; tells the name as the room has it.
pub(crate) async fn ensure_room(
    tx: &mut Tx,
    name: Option<&str>,
) -> Result<Option<String>, StoreError> {
    let Some(name) = name else { return Ok(None) };
    tx.take_turn(Turn::Rooms).await?;
    let rooms = all(tx).await?;
    if let Some(room) = named(&rooms, name) {
        return Ok(Some(room.name.clone()));
    }
    insert(tx, &rooms, name, None).await?;
    Ok(Some(name.to_owned()))
}

/// Writes a new room down, after all others.
async fn insert(
    tx: &mut Tx,
    rooms: &[Room],
    name: &str,
    icon: Option<&str>,
) -> Result<Room, StoreError> {
    let taken: HashSet<&str> = rooms.iter().map(|r| r.id.as_str()).collect();
    let made = slug_from_name(name, "room", |id| taken.contains(id));
    let room = Room {
        id: made.parse().map_err(|e| StoreError::corrupt("room", e))?,
        name: name.to_owned(),
        icon: icon.map(str::to_owned),
        position: rooms.iter().map(|r| r.position + 1).max().unwrap_or(0),
        version: 1,
    };
    let args: [Arg; 5] = [
        id(&room.id),
        room.name.as_str().into(),
        room.icon.as_deref().into(),
        room.position.into(),
        room.version.into(),
    ];
    tx.run(
        "INSERT INTO rooms (id, name, icon, position, version) VALUES ($1, $2, $3, $4, $5)",
        args,
    )
    .await
    .map_err(|e| e.or_taken("room name"))?;
    Ok(room)
}

/// The room as it was read, if it still is.
fn fresh(rooms: &[Room], room: &RoomId, version: Option<i64>) -> Result<Room, StoreError> {
    let found = rooms.iter().find(|r| r.id == *room);
    let found = found.ok_or(StoreError::NotFound)?;
    if version.is_some_and(|v| v != found.version) {
        return Err(StoreError::Stale);
    }
    Ok(found.clone())
}

fn ids(rows: &[Row]) -> Result<Vec<DeviceId>, StoreError> {
    rows.iter().map(|row| row.parsed(0, "device")).collect()
}

impl Store {
    /// Every room, in the household's order.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn rooms(&self) -> Result<Vec<Room>, StoreError> {
        in_order(&self.house().all(ALL, []).await?)
    }

    /// Makes a room, after all others.
    ///
    /// # Errors
    /// `Taken` if a room has the name, in any case.
    pub async fn create_room(&self, name: &str, icon: Option<&str>) -> Result<Room, StoreError> {
        let mut tx = self.house().begin().await?;
        tx.take_turn(Turn::Rooms).await?;
        let rooms = all(&mut tx).await?;
        if named(&rooms, name).is_some() {
            return Err(StoreError::Taken { what: "room name" });
        }
        let room = insert(&mut tx, &rooms, name, icon).await?;
        tx.commit().await?;
        Ok(room)
    }

    /// Changes a room; tells it, and the devices that were renamed with it.
    ///
    /// `version` is the one that was read, if it matters.
    ///
    /// # Errors
    /// `NotFound`, `Stale`, or `Taken` if another room has the name, in any case.
    pub async fn update_room(
        &self,
        room: &RoomId,
        patch: &RoomPatch,
        version: Option<i64>,
    ) -> Result<(Room, Vec<DeviceId>), StoreError> {
        let mut tx = self.house().begin().await?;
        tx.take_turn(Turn::Rooms).await?;
        let rooms = all(&mut tx).await?;
        let mut changed = fresh(&rooms, room, version)?;
        let before = changed.name.clone();
        if let Some(name) = &patch.name {
            if named(&rooms, name).is_some_and(|other| other.id != *room) {
                return Err(StoreError::Taken { what: "room name" });
            }
            changed.name.clone_from(name);
        }
        if let Some(icon) = &patch.icon {
            changed.icon.clone_from(icon);
        }
        changed.position = patch.position.unwrap_or(changed.position);
        changed.version += 1;
        let args: [Arg; 5] = [
            id(room),
            changed.name.as_str().into(),
            changed.icon.as_deref().into(),
            changed.position.into(),
            changed.version.into(),
        ];
        tx.run(
            "UPDATE rooms SET name = $2, icon = $3, position = $4, version = $5 WHERE id = $1",
            args,
        )
        .await?;
        let moved = if changed.name == before {
            Vec::new()
        } else {
            rename_in_devices(&mut tx, &before, Some(&changed.name)).await?
        };
        tx.commit().await?;
        Ok((changed, moved))
    }

    /// Puts rooms in this order; those not named come after, as they were.
    ///
    /// # Errors
    /// `NotFound` if one is not there.
    pub async fn order_rooms(&self, order: &[RoomId]) -> Result<(), StoreError> {
        let mut tx = self.house().begin().await?;
        tx.take_turn(Turn::Rooms).await?;
        let rooms = all(&mut tx).await?;
        for room in order {
            fresh(&rooms, room, None)?;
        }
        let rest = rooms.iter().map(|r| &r.id).filter(|r| !order.contains(r));
        for (place, room) in (0_i64..).zip(order.iter().chain(rest)) {
            tx.run(
                "UPDATE rooms SET position = $2, version = version + 1
                 WHERE id = $1 AND position <> $2",
                [id(room), place.into()],
            )
            .await?;
        }
        tx.commit().await
    }

    /// Deletes a room; tells the devices that were in it and now are in none.
    ///
    /// # Errors
    /// `NotFound`, `Stale`.
    pub async fn delete_room(
        &self,
        room: &RoomId,
        version: Option<i64>,
    ) -> Result<Vec<DeviceId>, StoreError> {
        let mut tx = self.house().begin().await?;
        tx.take_turn(Turn::Rooms).await?;
        let rooms = all(&mut tx).await?;
        let gone = fresh(&rooms, room, version)?;
        tx.run("DELETE FROM rooms WHERE id = $1", [id(room)])
            .await?;
        let left = rename_in_devices(&mut tx, &gone.name, None).await?;
        tx.commit().await?;
        Ok(left)
    }

    /// Gives devices their places, in this order; tells those whose place has changed.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn order_devices(&self, order: &[DeviceId]) -> Result<Vec<DeviceId>, StoreError> {
        let mut tx = self.house().begin().await?;
        let mut changed = Vec::new();
        for (place, device) in (0_i64..).zip(order) {
            let moved = tx
                .run(
                    "UPDATE devices SET position = $2, version = version + 1
                     WHERE id = $1 AND deleted_at IS NULL AND position IS DISTINCT FROM $2",
                    [id(device), place.into()],
                )
                .await?;
            if moved > 0 {
                changed.push(device.clone());
            }
        }
        tx.commit().await?;
        Ok(changed)
    }
}

/// Devices of a room follow its name; out of every room they have no place.
async fn rename_in_devices(
    tx: &mut Tx,
    before: &str,
    now: Option<&str>,
) -> Result<Vec<DeviceId>, StoreError> {
    let rows = tx
        .all(
            "UPDATE devices SET room = $2, version = version + 1,
                position = CASE WHEN $2 IS NULL THEN NULL ELSE position END
             WHERE room = $1 AND deleted_at IS NULL RETURNING id",
            [before.into(), now.into()],
        )
        .await?;
    ids(&rows)
}
