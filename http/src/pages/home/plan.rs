//! Which devices a home page shows, and where: one look at the whole house.
//!
//! Owner of the order of the page and of its portions. Page and live stream make
//! the same plan, so that the stream tells what the page shows. It must never hold a
//! device that the viewer may not see.

use super::filter::{Filter, InRoom};
use super::tally::{Sum, Tally};
use crate::app::App;
use crate::pages::schedules::next_up;
use iothome_actors::Hub;
use iothome_engine::ids::{DeviceId, RoomId, ScheduleId};
use iothome_engine::kind::Kind;
use iothome_engine::policy::{Right, Subject};
use iothome_engine::time::Timestamp;
use iothome_engine::view::DeviceView;
use iothome_store::Room;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Devices of one page: a house of this size is one page, and a page stays quick.
pub(super) const PORTION: usize = 200;

/// The key of devices in no room, as in addresses and element ids.
pub(super) const NO_ROOM: &str = "none";

/// A device as the plan knows it.
struct Known {
    view: Arc<DeviceView>,
    /// Its place in the order of rooms; after the last for those in no room.
    room: usize,
    tally: Tally,
    matches: bool,
}

/// A room's part of the page.
pub(super) struct Part {
    /// Its place in the order of rooms.
    pub(super) room: usize,
    /// Those that stand here.
    pub(super) shown: Vec<Arc<DeviceView>>,
    /// Those that stand among the favourites.
    pub(super) dear: Vec<Arc<DeviceView>>,
}

/// What the page shows.
pub(super) struct Plan {
    pub(super) rooms: Arc<Vec<Room>>,
    pub(super) filter: Filter,
    /// Favourites in the viewer's order, whether they stand apart or not.
    pub(super) favourites: Arc<Vec<DeviceId>>,
    /// Favourites that stand apart.
    pub(super) dear: Vec<Arc<DeviceView>>,
    pub(super) parts: Vec<Part>,
    /// Devices that match, in all portions.
    pub(super) found: usize,
    pub(super) total: Sum,
    /// What is going on in each room, by its place.
    pub(super) sums: Vec<Sum>,
    /// How many visible devices stand in each room, by its place.
    pub(super) inhabitants: Vec<usize>,
    /// Kinds that there are.
    pub(super) kinds: BTreeSet<Kind>,
    /// What each visible device adds, for the stream to follow.
    pub(super) tallies: HashMap<DeviceId, Counted>,
    /// Devices with a card on the page.
    pub(super) on_page: HashSet<DeviceId>,
    /// What is scheduled next.
    pub(super) next: Option<UpNext>,
}

/// The schedule that is due next.
#[derive(Clone, Debug)]
pub(super) struct UpNext {
    pub(super) id: ScheduleId,
    pub(super) name: String,
    pub(super) at: Timestamp,
}

/// What a device was counted as.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    pub(super) room: usize,
    pub(super) tally: Tally,
    pub(super) matches: bool,
}

impl Plan {
    /// Looks at the whole house.
    pub(super) fn make(
        hub: &Hub,
        subject: &Subject,
        filter: Filter,
        favourites: Arc<Vec<DeviceId>>,
    ) -> Self {
        let devices = hub.house().devices();
        let mut plan = Self::of(devices, hub.rooms(), subject, filter, favourites);
        plan.next = next_up(hub, subject).map(|(schedule, due)| UpNext {
            id: schedule.id,
            name: schedule.definition.name.clone(),
            at: due.at,
        });
        plan
    }

    /// Of these devices in these rooms.
    pub(super) fn of(
        devices: Vec<Arc<DeviceView>>,
        rooms: Arc<Vec<Room>>,
        subject: &Subject,
        filter: Filter,
        favourites: Arc<Vec<DeviceId>>,
    ) -> Self {
        let known = look(devices, subject, &rooms, &filter);
        let mut plan = Self {
            sums: vec![Sum::default(); rooms.len() + 1],
            inhabitants: vec![0; rooms.len() + 1],
            rooms,
            filter,
            favourites,
            dear: Vec::new(),
            parts: Vec::new(),
            found: 0,
            total: Sum::default(),
            kinds: BTreeSet::new(),
            tallies: HashMap::with_capacity(known.len()),
            on_page: HashSet::new(),
            next: None,
        };
        plan.count(&known);
        plan.place(known);
        plan
    }

    fn count(&mut self, known: &[Known]) {
        for one in known {
            self.total.add(one.tally);
            self.sums[one.room].add(one.tally);
            self.inhabitants[one.room] += 1;
            let used = one.view.entities.iter().filter(|e| e.category.is_none());
            self.kinds.extend(used.map(|e| e.kind));
            let counted = Counted {
                room: one.room,
                tally: one.tally,
                matches: one.matches,
            };
            self.tallies.insert(one.view.id.clone(), counted);
        }
    }

    /// Favourites first where nothing is searched for, then room by room, and of all that the
    /// portion that is asked for.
    fn place(&mut self, mut known: Vec<Known>) {
        known.retain(|one| one.matches);
        known.sort_by_cached_key(|one| {
            let place = one.view.position.unwrap_or(i64::MAX);
            let name = one.view.name.to_lowercase();
            (one.room, place, name, one.view.id.clone())
        });
        let apart: HashMap<&DeviceId, usize> = if self.filter.is_active() {
            HashMap::new()
        } else {
            self.favourites.iter().zip(0..).collect()
        };
        let (mut dear, rest): (Vec<_>, Vec<_>) = known
            .into_iter()
            .partition(|one| apart.contains_key(&one.view.id));
        self.found = rest.len();
        let last = self.found.saturating_sub(1) / PORTION;
        self.filter.portion = self.filter.portion.min(last);
        let start = self.filter.portion * PORTION;
        let shown: Vec<Known> = rest.into_iter().skip(start).take(PORTION).collect();
        dear.sort_by_key(|one| apart.get(&one.view.id).copied());
        let is_first = self.filter.portion == 0;
        self.fill_parts(shown, &dear);
        self.dear = dear.into_iter().map(|one| one.view).collect();
        if !is_first {
            self.dear.clear();
        }
        let cards = self.parts.iter().flat_map(|part| &part.shown);
        self.on_page = cards.chain(&self.dear).map(|v| v.id.clone()).collect();
    }

    fn fill_parts(&mut self, shown: Vec<Known>, dear: &[Known]) {
        for one in shown {
            match self.parts.last_mut() {
                Some(part) if part.room == one.room => part.shown.push(one.view),
                _ => self.parts.push(Part {
                    room: one.room,
                    shown: vec![one.view],
                    dear: Vec::new(),
                }),
            }
        }
        if self.filter.portion > 0 {
            return;
        }
        // A room all of whose devices are favourites is still a room.
        for one in dear {
            let at = self.parts.partition_point(|part| part.room < one.room);
            if self.parts.get(at).is_none_or(|part| part.room != one.room) {
                if self.is_in_portions() {
                    continue;
                }
                let part = Part {
                    room: one.room,
                    shown: Vec::new(),
                    dear: Vec::new(),
                };
                self.parts.insert(at, part);
            }
            self.parts[at].dear.push(Arc::clone(&one.view));
        }
    }

    /// Whether the page holds only a part of what was found.
    pub(super) const fn is_in_portions(&self) -> bool {
        self.found > PORTION
    }

    /// The room at that place; `None` for "in no room".
    pub(super) fn room(&self, place: usize) -> Option<&Room> {
        self.rooms.get(place)
    }

    /// The word for the room at that place in addresses and element ids.
    pub(super) fn key(&self, place: usize) -> &str {
        self.room(place).map_or(NO_ROOM, |room| room.id.as_str())
    }

    /// The place of a device's room.
    pub(super) fn place_of(&self, device: &DeviceView) -> usize {
        place_of(&self.rooms, device)
    }

    /// Whether what stands at that place is looked for.
    pub(super) fn is_chosen(&self, place: usize) -> bool {
        match &self.filter.room {
            None => false,
            Some(InRoom::None) => self.room(place).is_none(),
            Some(InRoom::Of(id)) => self.room(place).is_some_and(|room| room.id == *id),
        }
    }
}

fn place_of(rooms: &[Room], device: &DeviceView) -> usize {
    let place = |name: &String| rooms.iter().position(|room| room.name == *name);
    device.room.as_ref().and_then(place).unwrap_or(rooms.len())
}

fn look(
    devices: Vec<Arc<DeviceView>>,
    subject: &Subject,
    rooms: &[Room],
    filter: &Filter,
) -> Vec<Known> {
    let places: HashMap<&str, usize> = rooms.iter().map(|r| r.name.as_str()).zip(0..).collect();
    let visible = devices.into_iter();
    let visible = visible.filter(|view| subject.may(Right::View, &view.id));
    visible
        .map(|view| {
            let name = view.room.as_deref();
            let room = name.and_then(|name| places.get(name).copied());
            let room = room.unwrap_or(rooms.len());
            Known {
                tally: Tally::of(&view, subject.may(Right::Control, &view.id)),
                matches: filter.matches(&view, rooms.get(room).map(|r| &r.id)),
                room,
                view,
            }
        })
        .collect()
}

/// The devices of a room that the viewer may see, and whose it is to turn off.
pub(super) fn in_room(app: &App, subject: &Subject, room: Option<&RoomId>) -> Vec<Arc<DeviceView>> {
    let rooms = app.hub.rooms();
    let devices = app.hub.house().devices().into_iter();
    devices
        .filter(|view| subject.may(Right::View, &view.id))
        .filter(|view| rooms.get(place_of(&rooms, view)).map(|r| &r.id) == room)
        .collect()
}
