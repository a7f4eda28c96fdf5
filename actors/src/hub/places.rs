//! Rooms, places in them, and favourites: what people arrange.
//!
//! Owner of nothing: rooms are the registrar's, favourites the store's. It must
//! never decide who may arrange what.

use super::Hub;
use crate::error::HubError;
use crate::house::Change;
use crate::registrar::{By, RegistrarMsg};
use arc_swap::ArcSwap;
use iothome_engine::ids::{DeviceId, RoomId, UserId};
use iothome_engine::policy::Subject;
use iothome_store::{FAVOURITES_MAX, Room, RoomPatch};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How long devices may take to show where they are now.
const SHOW_MAX: Duration = Duration::from_secs(1);

/// A user's favourites as they are now.
pub type SharedFavourites = Arc<ArcSwap<Vec<DeviceId>>>;

/// The favourites that somebody looks at. Bounded by the users whose pages are open.
#[derive(Default)]
pub(super) struct Watched {
    lists: Mutex<HashMap<UserId, Weak<ArcSwap<Vec<DeviceId>>>>>,
}

impl Watched {
    /// The list of this user, the same for all who look.
    fn join(&self, user: UserId, now: Vec<DeviceId>) -> SharedFavourites {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|_, list| list.strong_count() > 0);
        if let Some(list) = lists.get(&user).and_then(Weak::upgrade) {
            list.store(Arc::new(now));
            return list;
        }
        let list = SharedFavourites::new(ArcSwap::from_pointee(now));
        lists.insert(user, Arc::downgrade(&list));
        list
    }

    fn tell(&self, user: UserId, now: Vec<DeviceId>) {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = lists.get(&user).and_then(Weak::upgrade) {
            list.store(Arc::new(now));
        }
    }
}

impl Hub {
    /// The rooms, in the household's order.
    pub fn rooms(&self) -> Arc<Vec<Room>> {
        self.inner.registrar.rooms()
    }

    /// Makes a room, after all others.
    ///
    /// # Errors
    /// `Taken` if a room has the name; `Invalid` names the field.
    pub async fn create_room(
        &self,
        name: String,
        icon: Option<String>,
        by: &Subject,
    ) -> Result<Room, HubError> {
        self.working()?;
        let by = By::from(by);
        let ask = |reply| RegistrarMsg::CreateRoom(name, icon, by, reply);
        self.inner.registrar.ask(ask).await
    }

    /// Changes a room's name, for its devices too, its picture or its place.
    ///
    /// # Errors
    /// `NotFound`, `Stale` if `if_match` is not its version, `Taken`; `Invalid` names the field.
    pub async fn update_room(
        &self,
        room: &RoomId,
        patch: RoomPatch,
        if_match: Option<i64>,
        by: &Subject,
    ) -> Result<Room, HubError> {
        self.working()?;
        let before = self.name_of(room);
        let (id, by) = (room.clone(), By::from(by));
        let ask = |reply| RegistrarMsg::UpdateRoom(id, patch, if_match, by, reply);
        let changed = self.inner.registrar.ask(ask).await?;
        if let Some(before) = before.filter(|name| *name != changed.name) {
            self.left(&before).await;
        }
        Ok(changed)
    }

    /// Puts the rooms in this order; those not named come after, as they were.
    ///
    /// # Errors
    /// `NotFound` if one is not there.
    pub async fn order_rooms(&self, order: Vec<RoomId>, by: &Subject) -> Result<(), HubError> {
        self.working()?;
        let by = By::from(by);
        let ask = |reply| RegistrarMsg::OrderRooms(order, by, reply);
        self.inner.registrar.ask(ask).await
    }

    /// Deletes a room; its devices are in no room then.
    ///
    /// # Errors
    /// `NotFound`, `Stale` if `if_match` is not its version.
    pub async fn delete_room(
        &self,
        room: &RoomId,
        if_match: Option<i64>,
        by: &Subject,
    ) -> Result<(), HubError> {
        self.working()?;
        let before = self.name_of(room);
        let (id, by) = (room.clone(), By::from(by));
        let ask = |reply| RegistrarMsg::DeleteRoom(id, if_match, by, reply);
        self.inner.registrar.ask(ask).await?;
        if let Some(before) = before {
            self.left(&before).await;
        }
        Ok(())
    }

    /// Puts devices of a room in this order.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn order_devices(&self, order: Vec<DeviceId>, by: &Subject) -> Result<(), HubError> {
        self.working()?;
        let by = By::from(by);
        let places = order.clone();
        let ask = |reply| RegistrarMsg::OrderDevices(order, by, reply);
        self.inner.registrar.ask(ask).await?;
        self.shows(|| {
            (0_i64..).zip(&places).all(|(place, id)| {
                let view = self.house().device(id);
                view.is_none_or(|v| v.position == Some(place))
            })
        })
        .await;
        Ok(())
    }

    /// A user's favourites, kept up to date for as long as somebody holds them.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn watch_favourites(&self, user: UserId) -> Result<SharedFavourites, HubError> {
        let now = self.inner.store.favourites(user).await?;
        Ok(self.inner.watched.join(user, now))
    }

    /// Adds a device to a user's favourites, or takes it out; other pages of theirs are told.
    ///
    /// # Errors
    /// `NotFound` if there is no such device; `Conflict` if there are too many.
    pub async fn set_favourite(
        &self,
        user: UserId,
        device: &DeviceId,
        dear: bool,
    ) -> Result<(), HubError> {
        self.working()?;
        let store = &self.inner.store;
        if dear {
            let now = store.favourites(user).await?;
            if now.len() >= FAVOURITES_MAX && !now.contains(device) {
                return Err(too_many());
            }
            store.add_favourite(user, device).await?;
        } else {
            store.remove_favourite(user, device).await?;
        }
        self.tell_favourites(user).await
    }

    /// Sets a user's favourites, in this order.
    ///
    /// # Errors
    /// `NotFound` if one of the devices is not there; `Conflict` if there are too many.
    pub async fn set_favourites(&self, user: UserId, devices: &[DeviceId]) -> Result<(), HubError> {
        self.working()?;
        if devices.len() > FAVOURITES_MAX {
            return Err(too_many());
        }
        self.inner.store.set_favourites(user, devices).await?;
        self.tell_favourites(user).await
    }

    async fn tell_favourites(&self, user: UserId) -> Result<(), HubError> {
        let now = self.inner.store.favourites(user).await?;
        self.inner.watched.tell(user, now);
        self.inner.services.tell(Change::Directory);
        Ok(())
    }

    fn name_of(&self, room: &RoomId) -> Option<String> {
        let rooms = self.rooms();
        let found = rooms.iter().find(|r| r.id == *room);
        found.map(|r| r.name.clone())
    }

    /// Waits until no device says that it stands in the room of that name.
    async fn left(&self, room: &str) {
        self.shows(|| {
            let cells = self.house().cells();
            cells.iter().all(|c| c.view().room.as_deref() != Some(room))
        })
        .await;
    }

    /// Waits until the house shows what was changed, so that the next page tells it.
    async fn shows(&self, is_shown: impl Fn() -> bool) {
        let shown = async {
            while !is_shown() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(SHOW_MAX, shown).await.is_err() {
            tracing::warn!("not all devices show where they are now");
        }
    }
}

fn too_many() -> HubError {
    HubError::Conflict {
        reason: format!("there are at most {FAVOURITES_MAX} favourites"),
    }
}
