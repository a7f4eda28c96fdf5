//! One entity of a device: its configuration, what is known of it, and how fresh that is.
//!
//! Owner of the state of an entity. It must never take a replay for news: a
//! retained message is no sample and no proof.

use super::availability::Reach;
use super::setup::{DeviceSetup, EntitySetup, RestoredState};
use super::timers::LazyTimer;
use crate::command::Command;
use crate::config::{Deadlines, EntityConfig};
use crate::history::{LastState, Sample};
use crate::ids::{DeviceId, EntityId, EntityRef};
use crate::template::Vars;
use crate::time::Timestamp;
use crate::value::Value;
use crate::view::{Availability, EntityView, Freshness, Pending};
use crate::wire::{Known, Reported};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Attributes kept of one entity: a device that invents new names for ever must not eat the memory.
const ATTRIBUTES_MAX: usize = 128;
/// Room that a device's own attributes of one entity may take, in bytes of memory; real ones
/// take a few KiB.
const ATTRIBUTES_ROOM: usize = 64 * 1024;
/// Longest deadline a person can set: an hour; a command that old surprises everybody.
const DEADLINE_MAX_MS: i64 = 3_600_000;
/// Shortest: a round trip over Wi-Fi to a sleeping chip takes this long.
const DEADLINE_MIN_MS: i64 = 100;
/// The last state is written at a change, else at most so often (it only spares a restart the
/// question, and the disk may be an SD card).
const RECORD_EVERY_MS: i64 = 60_000;

/// An entity and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    pub(super) id: EntityId,
    pub(super) config: EntityConfig,
    pub(super) vars: Vars,
    pub(super) deadlines: Deadlines,
    pub(super) not_announced: bool,
    pub(super) reach: Reach,
    pub(super) availability: Availability,
    pub(super) state: Option<Value>,
    pub(super) attributes: Arc<BTreeMap<String, Json>>,
    pub(super) freshness: Freshness,
    pub(super) reported_at: Option<Timestamp>,
    pub(super) changed_at: Option<Timestamp>,
    pub(super) expiry: LazyTimer,
    pub(super) off: LazyTimer,
    pub(super) last_command: Option<Arc<Command>>,
    pub(super) view: Arc<EntityView>,
    /// Whether `view` is older than the rest.
    pub(super) dirty: bool,
    recorded_at: Option<Timestamp>,
}

/// How something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Reported while the hub listens, received then.
    Live(Timestamp),
    /// A replay.
    Retained,
    /// Asked of an entity that reports nothing, acknowledged then.
    Assumed(Timestamp),
}

/// What became of a report.
#[derive(Debug, Default)]
pub(super) struct Learned {
    pub(super) sample: Option<Sample>,
    pub(super) last_state: Option<LastState>,
    /// Attributes that found no room.
    pub(super) dropped: usize,
}

impl Entity {
    pub(super) fn new(setup: EntitySetup, device_name: &str) -> Self {
        let name = setup
            .name
            .or_else(|| setup.config.name.clone())
            .unwrap_or_else(|| device_name.to_owned());
        let vars = Vars {
            name: name.clone(),
            entity_id: setup.id.to_string(),
        };
        let mut entity = Self {
            view: Arc::new(describe(&setup.id, &name, &setup.config)),
            deadlines: deadlines(&setup.config, setup.deadline_ms),
            reach: Reach::new(setup.config.availability.topics.len()),
            id: setup.id,
            config: setup.config,
            vars,
            not_announced: setup.not_announced,
            availability: Availability::Unavailable,
            state: None,
            attributes: Arc::default(),
            freshness: Freshness::Never,
            reported_at: None,
            changed_at: None,
            expiry: LazyTimer::default(),
            off: LazyTimer::default(),
            last_command: None,
            dirty: false,
            recorded_at: None,
        };
        if let Some(restored) = setup.restored {
            entity.restore(restored);
        }
        entity
    }

    fn restore(&mut self, restored: RestoredState) {
        self.freshness = match (&restored.state, restored.attributes.is_empty()) {
            (None, true) => Freshness::Never,
            _ => Freshness::Restored,
        };
        self.state = restored.state;
        self.attributes = Arc::new(restored.attributes);
        self.reported_at = restored.reported_at;
        self.changed_at = restored.changed_at;
    }

    /// Takes over what was known under an older configuration of the same entity.
    pub(super) fn inherit(&mut self, old: &Self) {
        self.state.clone_from(&old.state);
        self.attributes = Arc::clone(&old.attributes);
        self.freshness = old.freshness;
        self.reported_at = old.reported_at;
        self.changed_at = old.changed_at;
        self.last_command.clone_from(&old.last_command);
        self.recorded_at = old.recorded_at;
        if self.config.raw == old.config.raw {
            self.reach = old.reach.clone();
            self.expiry = old.expiry;
            self.off = old.off;
        }
    }

    /// What is known, as codecs see it.
    pub(super) fn known(&self) -> Known<'_> {
        Known {
            state: self.state.as_ref(),
            attributes: &self.attributes,
        }
    }

    /// Whether the state comes from the device in this life of the hub.
    pub(super) const fn is_reported(&self) -> bool {
        matches!(self.freshness, Freshness::Live | Freshness::Retained)
    }

    /// Whether the state is this word.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.state.as_ref().and_then(Value::as_word) == Some(word)
    }

    /// Takes in what a message said of state and attributes.
    pub(super) fn learn(
        &mut self,
        device: &DeviceId,
        reports: Vec<Reported>,
        source: Source,
    ) -> Learned {
        let was = self.freshness;
        let mut learned = Learned::default();
        let (mut spoke, mut changed, mut state_changed) = (false, false, false);
        let mut said = None;
        for report in reports {
            match report {
                Reported::State(state) => {
                    spoke = true;
                    state_changed |= self.set_state(&state, source);
                    said = state;
                }
                Reported::Attribute(name, value) => {
                    spoke = true;
                    changed |= self.set_attribute(name, value);
                }
                Reported::Attributes(map) => {
                    for (name, value) in map {
                        if self.has_room_for(&name, &value) {
                            changed |= self.set_attribute(name, value);
                        } else {
                            learned.dropped += 1;
                        }
                    }
                }
                Reported::Available { .. } | Reported::Refused(_) => {}
            }
        }
        changed |= state_changed;
        if spoke {
            self.freshen(source, changed);
        }
        if let (Source::Live(at), Some(value)) = (source, said) {
            // Numbers: every live report. Words: each change, and the first after a time when
            // nobody listened, so that history shows what held from then on.
            let is_point = value.as_number().is_some() || state_changed || was != Freshness::Live;
            learned.sample = is_point.then(|| self.sample(device, at, value));
        }
        learned.last_state = self.last_state(device, source, spoke, changed);
        learned
    }

    pub(super) fn sample(&self, device: &DeviceId, at: Timestamp, value: Value) -> Sample {
        Sample {
            target: self.target(device),
            at,
            value,
        }
    }

    pub(super) fn set_state(&mut self, state: &Option<Value>, source: Source) -> bool {
        if self.state == *state {
            return false;
        }
        self.state.clone_from(state);
        self.changed_at = match source {
            Source::Live(at) | Source::Assumed(at) => Some(at),
            // It changed while nobody listened: when is not known.
            Source::Retained => None,
        };
        true
    }

    fn has_room_for(&self, name: &str, value: &Json) -> bool {
        if self.attributes.get(name) == Some(value) {
            return true;
        }
        let others = self.attributes.iter().filter(|(other, _)| *other != name);
        let (count, taken) = others.fold((0, 0), |(count, taken), (other, value)| {
            (count + 1, taken + other.len() + room(value))
        });
        count < ATTRIBUTES_MAX && taken + name.len() + room(value) <= ATTRIBUTES_ROOM
    }

    fn set_attribute(&mut self, name: String, value: Json) -> bool {
        if self.attributes.get(&name) == Some(&value) {
            return false;
        }
        Arc::make_mut(&mut self.attributes).insert(name, value);
        true
    }

    fn freshen(&mut self, source: Source, changed: bool) {
        match source {
            Source::Live(at) => {
                self.freshness = Freshness::Live;
                self.reported_at = Some(at);
            }
            // The broker repeats at each subscription what was heard live: that is still so.
            Source::Retained if self.freshness == Freshness::Live && !changed => {}
            Source::Retained => {
                self.freshness = Freshness::Retained;
                self.reported_at = None;
            }
            Source::Assumed(_) => self.freshness = Freshness::Assumed,
        }
    }

    fn last_state(
        &mut self,
        device: &DeviceId,
        source: Source,
        spoke: bool,
        changed: bool,
    ) -> Option<LastState> {
        let is_old = |at: Timestamp| {
            self.recorded_at
                .is_none_or(|then| at.millis_since(then) >= RECORD_EVERY_MS)
        };
        let is_due = match source {
            Source::Live(at) => changed || (spoke && is_old(at)),
            Source::Retained => changed,
            Source::Assumed(_) => spoke,
        };
        if !is_due {
            return None;
        }
        if let Source::Live(at) = source {
            self.recorded_at = Some(at);
        }
        Some(self.to_last_state(device))
    }

    pub(super) fn to_last_state(&self, device: &DeviceId) -> LastState {
        LastState {
            target: self.target(device),
            state: self.state.clone(),
            attributes: self.attributes.as_ref().clone(),
            reported_at: self.reported_at,
            changed_at: self.changed_at,
        }
    }

    fn target(&self, device: &DeviceId) -> EntityRef {
        EntityRef {
            device: device.clone(),
            entity: self.id.clone(),
        }
    }

    /// Makes the view anew; says whether it differs from the one before.
    pub(super) fn refresh(&mut self, pending: Option<Pending>) -> bool {
        self.dirty = false;
        let old = self.view.as_ref();
        let is_same = old.availability == self.availability
            && old.state == self.state
            && (Arc::ptr_eq(&old.attributes, &self.attributes)
                || old.attributes == self.attributes)
            && old.freshness == self.freshness
            && old.reported_at == self.reported_at
            && old.changed_at == self.changed_at
            && old.pending == pending
            && old.last_command == self.last_command
            && old.not_announced == self.not_announced;
        if is_same {
            return false;
        }
        // Copies the description only if somebody still holds the former view.
        let view = Arc::make_mut(&mut self.view);
        view.availability = self.availability;
        view.state.clone_from(&self.state);
        view.attributes = Arc::clone(&self.attributes);
        view.freshness = self.freshness;
        view.reported_at = self.reported_at;
        view.changed_at = self.changed_at;
        view.pending = pending;
        view.last_command.clone_from(&self.last_command);
        view.not_announced = self.not_announced;
        true
    }
}

/// About how much memory a value takes, in bytes.
fn room(value: &Json) -> usize {
    let inside = match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(room).sum(),
        Json::Object(map) => map.iter().map(|(k, v)| k.len() + room(v)).sum(),
    };
    size_of::<Json>() + inside
}

/// The person's deadline, else the kind's.
fn deadlines(config: &EntityConfig, set_ms: Option<i64>) -> Deadlines {
    let kinds = config.deadlines();
    let Some(ms) = set_ms else { return kinds };
    let ms = ms.clamp(DEADLINE_MIN_MS, DEADLINE_MAX_MS);
    Deadlines {
        first_ms: ms,
        moving_ms: kinds.moving_ms.max(ms),
    }
}

/// The view of an entity of which nothing is known yet.
fn describe(id: &EntityId, name: &str, config: &EntityConfig) -> EntityView {
    EntityView {
        id: id.clone(),
        name: name.to_owned(),
        kind: config.kind,
        category: config.category,
        device_class: config.device_class.clone(),
        unit: config.unit.clone(),
        numeric: config.is_numeric(),
        range: config.range(),
        options: config.options().to_vec(),
        actions: config.actions(),
        availability: Availability::Unavailable,
        state: None,
        attributes: Arc::default(),
        freshness: Freshness::Never,
        reported_at: None,
        changed_at: None,
        pending: None,
        last_command: None,
        not_announced: false,
    }
}

/// The entities of a device, fresh from their setup.
pub(super) fn all(setup: &mut DeviceSetup) -> Vec<Entity> {
    std::mem::take(&mut setup.entities)
        .into_iter()
        .map(|e| Entity::new(e, &setup.name))
        .collect()
}
