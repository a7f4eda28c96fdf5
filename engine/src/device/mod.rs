//! A device: the pure core of its actor.
//!
//! A plain struct with total functions: `now` and what happened go in, what ought
//! to happen comes out, equal in, equal out. Owner of the device's state and of
//! the life of its commands. It must never do anything itself: no clock, no
//! channel, no disk.

mod ask;
mod availability;
mod entity;
mod flight;
mod input;
mod lifecycle;
mod report;
mod setup;
mod timers;

#[cfg(test)]
mod tests;

pub use flight::MAX_IN_FLIGHT;
pub use input::{Effect, Input, Outgoing, Timer};
pub use lifecycle::RESEND_GRACE_MS;
pub use setup::{DeviceSetup, EntitySetup, RestoredState, Shared};

use crate::command::{Status, reason};
use crate::ids::{DeviceId, EntityId};
use crate::time::Timestamp;
use crate::view::{About, Availability, DeviceView, Health, Pending};
use entity::Entity;
use flight::Flight;
use report::{Message, wind_up};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A device with its entities and the commands under way.
#[derive(Clone, Debug)]
pub struct Device {
    id: DeviceId,
    name: String,
    room: Option<String>,
    icon: Option<String>,
    position: Option<i64>,
    about: Arc<About>,
    sender_verified: bool,
    version: i64,
    coalesced: u64,
    shared: Arc<Shared>,

    entities: Vec<Entity>,
    by_id: HashMap<EntityId, usize>,
    /// Which entities read a topic: what one report costs.
    topics: HashMap<String, Arc<[usize]>>,
    /// Commands under way in the order of acceptance.
    flights: Vec<Flight>,

    broker_up: bool,
    /// Whether the journal can write, as far as this device was told.
    journal_healthy: bool,
    quarantine: Option<String>,
    /// Whether anything live was ever heard of it.
    heard: bool,
    last_seen: Option<Timestamp>,
    availability: Availability,
    recorded_online: Option<bool>,
    revision: u64,

    /// Grows when `is_sensitive` may answer differently.
    sensitivity: u64,
    /// Entities whose view is to be made anew.
    marked: Vec<usize>,
    /// Whether something of the device itself changed.
    dirty: bool,
    reach_changed: bool,
}

impl Device {
    /// A device at the start of its actor. The broker counts as away until it is said to be up.
    ///
    /// The first input must be [`Input::Resumed`].
    pub fn new(mut setup: DeviceSetup, shared: Arc<Shared>, now: Timestamp) -> Self {
        let entities = entity::all(&mut setup);
        let mut device = Self {
            id: setup.id,
            name: setup.name,
            room: setup.room,
            icon: setup.icon,
            position: setup.position,
            about: Arc::new(setup.about),
            sender_verified: setup.sender_verified,
            version: setup.version,
            coalesced: setup.coalesced,
            shared,
            entities,
            by_id: HashMap::new(),
            topics: HashMap::new(),
            flights: Vec::new(),
            broker_up: false,
            journal_healthy: true,
            quarantine: None,
            heard: false,
            last_seen: None,
            availability: Availability::Unavailable,
            recorded_online: None,
            // A later life of the actor counts on from a higher number, so that no `ETag` repeats.
            revision: u64::try_from(now.as_micros()).unwrap_or(0),
            sensitivity: 0,
            marked: Vec::new(),
            dirty: false,
            reach_changed: false,
        };
        device.index();
        device.mark_all();
        device.settle(now, &mut Vec::new());
        device
    }

    /// What happened, and what ought to happen because of it.
    pub fn apply(&mut self, now: Timestamp, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.take(now, input, &mut effects);
        self.settle(now, &mut effects);
        effects
    }

    fn take(&mut self, now: Timestamp, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Reported {
                topic,
                payload,
                retained,
                received_at,
            } => {
                let message = Message {
                    topic: &topic,
                    payload: &payload,
                    retained,
                    received_at,
                };
                self.report(now, &message, effects);
            }
            Input::Stored { command } => self.stored(now, command, effects),
            Input::NotStored { command } => self.not_stored(now, command, effects),
            Input::SendingStored { command } => self.sending_stored(now, command, effects),
            Input::Journal { healthy } => self.journal_healthy = healthy,
            Input::Sent { command, at } => self.sent(now, command, at, effects),
            Input::Acknowledged { command } => self.acknowledged(now, command, effects),
            Input::Refused { command, reason } => self.refused(now, command, &reason, effects),
            Input::Fired { timer, at } => self.fired(now, timer, at, effects),
            Input::BrokerUp => self.broker_is_up(now, effects),
            Input::BrokerDown => self.broker_is_down(now, effects),
            Input::Resumed { commands } => {
                self.wind_up_all(now, effects);
                self.resume(now, commands, effects);
            }
            Input::Reconfigured(setup) => self.reconfigure(now, *setup, effects),
            Input::NotAnnounced { entities } => self.set_not_announced(&entities),
            Input::Coalesced { count } => {
                self.coalesced = self.coalesced.saturating_add(count);
                self.dirty |= count > 0;
            }
            Input::Quarantined { reason } => self.quarantine(now, reason, effects),
            Input::Released => {
                self.dirty |= self.quarantine.take().is_some();
                self.judge_all(now, effects);
            }
            Input::Removed => self.remove(now, effects),
        }
    }

    fn fired(&mut self, now: Timestamp, timer: Timer, at: Timestamp, effects: &mut Vec<Effect>) {
        match timer {
            Timer::Deadline(id) => self.deadline(now, id, at, effects),
            Timer::Resend(id) => self.resend(now, id, effects),
            Timer::Expire(entity) => self.expire(now, &entity, at, effects),
            Timer::OffDelay(entity) => self.switch_off(&entity, at, effects),
        }
    }

    fn broker_is_up(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.broker_up {
            return;
        }
        self.broker_up = true;
        self.judge_all(now, effects);
        self.mark_presses(effects);
        self.plan_resend(now, effects);
    }

    fn broker_is_down(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.broker_up = false;
        for entity in &mut self.entities {
            entity.reach.forget();
        }
        self.judge_all(now, effects);
    }

    fn quarantine(&mut self, now: Timestamp, why: String, effects: &mut Vec<Effect>) {
        self.quarantine = Some(why);
        self.dirty = true;
        let why = reason::QUARANTINED;
        self.end_where(now, Status::Unavailable, why, effects, |_| true);
        self.judge_all(now, effects);
    }

    fn remove(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let why = reason::DEVICE_REMOVED;
        self.end_where(now, Status::Rejected, why, effects, |_| true);
        self.entities.clear();
        self.marked.clear();
        self.index();
        self.dirty = true;
        self.reach_changed = true;
    }

    fn set_not_announced(&mut self, ids: &[EntityId]) {
        let missing: HashSet<&EntityId> = ids.iter().collect();
        for index in 0..self.entities.len() {
            let entity = &mut self.entities[index];
            let is_missing = missing.contains(&entity.id);
            if entity.not_announced != is_missing {
                entity.not_announced = is_missing;
                self.dirty = true;
                self.mark(index);
            }
        }
    }

    /// New configuration: what is known of an entity stays as long as its kind does.
    fn reconfigure(&mut self, now: Timestamp, mut setup: DeviceSetup, effects: &mut Vec<Effect>) {
        let mut old: HashMap<EntityId, Entity> =
            self.entities.drain(..).map(|e| (e.id.clone(), e)).collect();
        self.entities = entity::all(&mut setup);
        let mut kept = HashSet::new();
        for entity in &mut self.entities {
            if let Some(before) = old.remove(&entity.id)
                && before.config.kind == entity.config.kind
            {
                entity.inherit(&before);
                kept.insert(entity.id.clone());
            }
        }
        self.name = setup.name;
        self.room = setup.room;
        self.icon = setup.icon;
        self.position = setup.position;
        self.about = Arc::new(setup.about);
        self.sender_verified = setup.sender_verified;
        self.version = setup.version;
        self.coalesced = self.coalesced.max(setup.coalesced);
        self.dirty = true;
        self.marked.clear();
        self.index();
        self.mark_all();
        let why = reason::ENTITY_REMOVED;
        self.end_where(now, Status::Rejected, why, effects, |f| {
            !kept.contains(&f.command.entity)
        });
        self.wind_up_all(now, effects);
        self.judge_all(now, effects);
    }

    /// Starts the timers that states known from before need.
    fn wind_up_all(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        for entity in &mut self.entities {
            if entity.state.is_some() {
                let heard_at = entity.reported_at.unwrap_or(now);
                wind_up(entity, heard_at, effects);
            }
        }
    }

    fn index(&mut self) {
        self.sensitivity += 1;
        let mut topics: HashMap<String, Vec<usize>> = HashMap::new();
        self.by_id.clear();
        for (index, entity) in self.entities.iter().enumerate() {
            self.by_id.insert(entity.id.clone(), index);
            for topic in entity.config.read_topics() {
                topics.entry(topic.to_owned()).or_default().push(index);
            }
        }
        self.topics = topics.into_iter().map(|(t, i)| (t, i.into())).collect();
    }

    fn mark(&mut self, index: usize) {
        let entity = &mut self.entities[index];
        if !entity.dirty {
            entity.dirty = true;
            self.marked.push(index);
        }
    }

    fn mark_all(&mut self) {
        for index in 0..self.entities.len() {
            self.mark(index);
        }
        self.reach_changed = true;
    }

    /// Brings the view up to date; says `Changed` only if it differs.
    fn settle(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let mut changed = std::mem::take(&mut self.dirty);
        for index in std::mem::take(&mut self.marked) {
            let pending = self.pending(&self.entities[index].id);
            changed |= self.entities[index].refresh(pending);
        }
        if std::mem::take(&mut self.reach_changed) {
            let availability = self.roll_up();
            changed |= availability != self.availability;
            self.availability = availability;
            self.record_reach(now, effects);
        }
        if changed {
            self.revision += 1;
            effects.push(Effect::Changed);
        }
    }

    fn pending(&self, entity: &EntityId) -> Option<Pending> {
        let newest = self.flights.iter().rev().find(|f| f.is_for(entity))?;
        let command = &newest.command;
        Some(Pending {
            command: command.id,
            action: command.resolved,
            value: command.value.clone(),
            status: command.status,
            deadline_at: command.deadline_at,
        })
    }

    /// The device as pages, rules and REST see it. Cheap: entities are shared, not copied.
    pub fn view(&self) -> DeviceView {
        let (health, reason) = self.health();
        DeviceView {
            id: self.id.clone(),
            name: self.name.clone(),
            room: self.room.clone(),
            icon: self.icon.clone(),
            position: self.position,
            availability: self.availability,
            health,
            reason,
            sender_verified: self.sender_verified,
            about: Arc::clone(&self.about),
            last_seen: self.last_seen,
            coalesced: self.coalesced,
            revision: self.revision,
            version: self.version,
            entities: self.entities.iter().map(|e| Arc::clone(&e.view)).collect(),
        }
    }

    fn health(&self) -> (Health, Option<String>) {
        if let Some(why) = &self.quarantine {
            return (Health::Quarantined, Some(why.clone()));
        }
        let is_missing = !self.entities.is_empty() && self.entities.iter().all(|e| e.not_announced);
        if is_missing {
            let why = "it has not announced itself since the hub connected to the broker";
            return (Health::NotAnnounced, Some(why.to_owned()));
        }
        (Health::Ok, None)
    }

    /// Topics the hub subscribes to for this device, sorted.
    pub fn read_topics(&self) -> Vec<String> {
        let mut topics: Vec<String> = self.topics.keys().cloned().collect();
        topics.sort_unstable();
        topics
    }

    /// Whether a message on the topic may not be coalesced now: it tells availability, or it could
    /// end a command under way.
    pub fn is_sensitive(&self, topic: &str) -> bool {
        let Some(targets) = self.topics.get(topic) else {
            return false;
        };
        targets.iter().any(|index| {
            let entity = &self.entities[*index];
            let availability = &entity.config.availability.topics;
            availability.iter().any(|a| a.topic == topic)
                || self.flights.iter().any(|f| f.is_for(&entity.id))
        })
    }

    /// A number that stays the same while [`Self::is_sensitive`] answers the same for every topic,
    /// so that its answers need not be asked for again after each report.
    pub const fn sensitivity(&self) -> u64 {
        self.sensitivity
    }

    /// Whether any command is under way.
    pub fn has_pending(&self) -> bool {
        !self.flights.is_empty()
    }
}
