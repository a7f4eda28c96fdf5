//! Devices that announced themselves and wait for somebody to decide.
//!
//! Owner of the waiting devices in memory and of which of them must be written.
//! It must never accept one itself.

use super::plan::tidy_name;
use iothome_engine::discovery::Announced;
use iothome_engine::ids::slug_from_name;
use iothome_engine::kind::Kind;
use iothome_engine::time::Timestamp;
use iothome_engine::view::About;
use iothome_store::{AnnouncedConfig, NewDevice, NewStatus};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Configuration topics waiting altogether: what a flood can make the hub hold is bounded.
const TOPICS_MAX: usize = 16_384;

/// Configuration topics of one waiting device.
const TOPICS_OF_ONE_MAX: usize = 512;

/// A device that waits, as pages and REST show it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDeviceView {
    /// Its id among the new devices.
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// How it stands.
    pub status: NewStatus,
    /// Why, for a conflict.
    pub reason: Option<String>,
    /// What it says it is.
    pub about: About,
    /// Its entities: name and kind.
    pub entities: Vec<(String, Kind)>,
    /// The topics it announced itself on.
    pub topics: Vec<String>,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// When it was last seen.
    pub last_seen_at: Timestamp,
}

/// Who sent an announcement, and what is wrong with it.
pub(crate) struct Judged {
    /// The broker user that may write the topic, if the hub manages users.
    pub(crate) sender: Option<String>,
    /// Why it cannot be accepted.
    pub(crate) conflict: Option<String>,
    /// Whether its identity is that of a deleted device.
    pub(crate) removed: bool,
}

struct Waiting {
    row: NewDevice,
    sender: Option<String>,
    ignored: bool,
    removed: bool,
    about: About,
    /// The view, until something changes: a burst shows many that do not.
    shown: Option<Arc<NewDeviceView>>,
    /// By configuration topic: its entities, and why it conflicts.
    parts: BTreeMap<String, Part>,
}

struct Part {
    entities: Vec<(String, Kind)>,
    conflict: Option<String>,
}

/// One device goes by several keys, but only in the words of one sender: nobody joins another's.
type Key = (Option<String>, String);

/// All that wait.
#[derive(Default)]
pub(crate) struct WaitingRoom {
    devices: HashMap<String, Waiting>,
    by_key: HashMap<Key, String>,
    by_topic: HashMap<String, String>,
    changed: BTreeSet<String>,
    gone: BTreeSet<String>,
}

impl WaitingRoom {
    /// The waiting device that announced on this topic.
    pub(crate) fn on_topic(&self, topic: &str) -> Option<&str> {
        self.by_topic.get(topic).map(String::as_str)
    }

    /// The waiting device with one of these keys from this sender.
    pub(crate) fn with_keys(&self, sender: Option<&str>, keys: &[String]) -> Option<&str> {
        keys.iter().find_map(|key| {
            let key = (sender.map(str::to_owned), key.clone());
            self.by_key.get(&key).map(String::as_str)
        })
    }

    /// Takes back a stored row at start, before its announcements are noted again.
    pub(crate) fn restore(&mut self, row: &NewDevice) {
        let bare = NewDevice {
            announced: Vec::new(),
            ..row.clone()
        };
        let waiting = Waiting {
            sender: None,
            ignored: row.status == NewStatus::Ignored,
            removed: row.status == NewStatus::Removed,
            about: About::default(),
            shown: None,
            parts: BTreeMap::new(),
            row: bare,
        };
        self.devices.insert(row.id.clone(), waiting);
    }

    /// Notes an announcement. `None` if too many wait, else the device's id among the new ones.
    pub(crate) fn note(
        &mut self,
        announced: &Announced,
        payload: &str,
        judged: Judged,
        now: Timestamp,
    ) -> Option<String> {
        let id = self.place_for(announced, &judged, now)?;
        self.put(&id, announced, payload, judged, now);
        self.changed.insert(id.clone());
        Some(id)
    }

    /// The same for a row taken back by [`WaitingRoom::restore`]: nothing need be written.
    pub(crate) fn note_stored(
        &mut self,
        id: &str,
        announced: &Announced,
        payload: &str,
        judged: Judged,
    ) {
        if let Some(seen) = self.devices.get(id).map(|w| w.row.last_seen_at) {
            self.put(id, announced, payload, judged, seen);
        }
    }

    fn place_for(
        &mut self,
        announced: &Announced,
        judged: &Judged,
        now: Timestamp,
    ) -> Option<String> {
        if let Some(id) = self.on_topic(&announced.topic).map(str::to_owned) {
            // The same topic now speaks of another device: then it leaves the old one.
            let same = self.with_keys(judged.sender.as_deref(), &announced.identity.keys);
            if same == Some(&id) {
                return Some(id);
            }
            self.forget_topic(&announced.topic);
        }
        if self.by_topic.len() >= TOPICS_MAX {
            return None;
        }
        let known = self.with_keys(judged.sender.as_deref(), &announced.identity.keys);
        if let Some(id) = known.map(str::to_owned) {
            let room = self
                .devices
                .get(&id)
                .is_some_and(|w| w.parts.len() < TOPICS_OF_ONE_MAX);
            return room.then_some(id);
        }
        Some(self.add(announced, now))
    }

    fn add(&mut self, announced: &Announced, now: Timestamp) -> String {
        let name = name_of(announced);
        let id = slug_from_name(&name, "device", |id| self.devices.contains_key(id));
        let row = NewDevice {
            id: id.clone(),
            identity: Vec::new(),
            name,
            status: NewStatus::New,
            reason: None,
            announced: Vec::new(),
            first_seen_at: now,
            last_seen_at: now,
        };
        let waiting = Waiting {
            row,
            sender: None,
            ignored: false,
            removed: false,
            about: About::default(),
            shown: None,
            parts: BTreeMap::new(),
        };
        self.gone.remove(&id);
        self.devices.insert(id.clone(), waiting);
        id
    }

    fn put(
        &mut self,
        id: &str,
        announced: &Announced,
        payload: &str,
        judged: Judged,
        now: Timestamp,
    ) {
        let Some(waiting) = self.devices.get_mut(id) else {
            return;
        };
        for key in &announced.identity.keys {
            self.by_key
                .insert((judged.sender.clone(), key.clone()), id.to_owned());
            if !waiting.row.identity.contains(key) {
                waiting.row.identity.push(key.clone());
            }
        }
        self.by_topic.insert(announced.topic.clone(), id.to_owned());
        waiting.take(announced, payload, judged, now);
    }

    /// The topic announces nothing any more; with its last topic a device is gone.
    pub(crate) fn forget_topic(&mut self, topic: &str) {
        let Some(id) = self.by_topic.remove(topic) else {
            return;
        };
        let Some(waiting) = self.devices.get_mut(&id) else {
            return;
        };
        waiting.parts.remove(topic);
        waiting.row.announced.retain(|a| a.topic != topic);
        waiting.restate();
        if waiting.parts.is_empty() {
            self.forget(&id);
        } else {
            self.changed.insert(id);
        }
    }

    /// The device was accepted or is no longer announced.
    pub(crate) fn forget(&mut self, id: &str) {
        if self.devices.remove(id).is_none() {
            return;
        }
        self.by_key.retain(|_, device| device != id);
        self.by_topic.retain(|_, device| device != id);
        self.changed.remove(id);
        self.gone.insert(id.to_owned());
    }

    /// Somebody does not want it; `false` if there is none.
    pub(crate) fn ignore(&mut self, id: &str) -> bool {
        let Some(waiting) = self.devices.get_mut(id) else {
            return false;
        };
        waiting.ignored = true;
        waiting.restate();
        self.changed.insert(id.to_owned());
        true
    }

    /// The row of a waiting device.
    pub(crate) fn row(&self, id: &str) -> Option<&NewDevice> {
        self.devices.get(id).map(|w| &w.row)
    }

    /// Those that changed since the last call of `written` and stand as new.
    pub(crate) fn fresh(&self) -> Vec<String> {
        let is_new = |id: &&String| {
            self.devices
                .get(*id)
                .is_some_and(|w| w.row.status == NewStatus::New)
        };
        self.changed.iter().filter(is_new).cloned().collect()
    }

    /// What must be written: rows to put, ids to delete.
    pub(crate) fn unwritten(&self) -> (Vec<NewDevice>, Vec<String>) {
        let rows = self.changed.iter().filter_map(|id| self.row(id).cloned());
        (rows.collect(), self.gone.iter().cloned().collect())
    }

    /// Everything is written.
    pub(crate) fn written(&mut self) {
        self.changed.clear();
        self.gone.clear();
    }

    /// Whether anything must be written.
    pub(crate) fn is_changed(&self) -> bool {
        !self.changed.is_empty() || !self.gone.is_empty()
    }

    /// All that wait, the first seen first.
    pub(crate) fn views(&mut self) -> Vec<Arc<NewDeviceView>> {
        let mut views: Vec<_> = self.devices.values_mut().map(Waiting::view).collect();
        views.sort_by(|a, b| (a.first_seen_at, &a.id).cmp(&(b.first_seen_at, &b.id)));
        views
    }
}

impl Waiting {
    fn take(&mut self, announced: &Announced, payload: &str, judged: Judged, now: Timestamp) {
        let config = AnnouncedConfig {
            topic: announced.topic.clone(),
            hash: announced.hash.clone(),
            payload: payload.to_owned(),
        };
        self.row.announced.retain(|a| a.topic != config.topic);
        self.row.announced.push(config);
        self.row.last_seen_at = now;
        self.sender = judged.sender;
        self.removed |= judged.removed;
        if announced.about != About::default() {
            self.about = announced.about.clone();
        }
        if let Some(name) = announced.name.as_deref().and_then(tidy_name) {
            self.row.name = name;
        }
        let entities = announced.entities.iter().map(|e| {
            let name = e.config.name.as_deref().unwrap_or(&e.suggested_id);
            (tidy_name(name).unwrap_or_default(), e.config.kind)
        });
        let part = Part {
            entities: entities.collect(),
            conflict: judged.conflict,
        };
        self.parts.insert(announced.topic.clone(), part);
        self.restate();
    }

    fn restate(&mut self) {
        self.shown = None;
        let conflict = self.parts.values().find_map(|p| p.conflict.clone());
        self.row.status = match (&conflict, self.ignored, self.removed) {
            (Some(_), ..) => NewStatus::Conflict,
            (None, true, _) => NewStatus::Ignored,
            (None, false, true) => NewStatus::Removed,
            (None, false, false) => NewStatus::New,
        };
        self.row.reason = conflict;
    }

    fn view(&mut self) -> Arc<NewDeviceView> {
        if let Some(shown) = &self.shown {
            return Arc::clone(shown);
        }
        let parts = self.parts.values();
        let view = Arc::new(NewDeviceView {
            id: self.row.id.clone(),
            name: self.row.name.clone(),
            status: self.row.status,
            reason: self.row.reason.clone(),
            about: self.about.clone(),
            entities: parts.flat_map(|p| p.entities.iter().cloned()).collect(),
            topics: self.parts.keys().cloned().collect(),
            first_seen_at: self.row.first_seen_at,
            last_seen_at: self.row.last_seen_at,
        });
        self.shown = Some(Arc::clone(&view));
        view
    }
}

/// What to call a device that announces itself.
pub(crate) fn name_of(announced: &Announced) -> String {
    let named = announced.name.as_deref().and_then(tidy_name);
    let entity = announced.entities.first();
    named
        .or_else(|| {
            entity
                .and_then(|e| e.config.name.as_deref())
                .and_then(tidy_name)
        })
        .or_else(|| entity.and_then(|e| tidy_name(&e.suggested_id)))
        .unwrap_or_else(|| "device".to_owned())
}
