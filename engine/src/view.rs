//! What pages, rules and REST see of a device: plain facts at one moment.
//!
//! Owner of the read shape. A device actor is its sole writer; it must never
//! hold anything that only the actor needs.

use crate::command::{Command, Status};
use crate::ids::{CommandId, DeviceId, EntityId};
use crate::kind::{Action, Kind};
use crate::time::Timestamp;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whether a device or entity can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// It said so, or it has no availability topic and reported.
    Online,
    /// It said so, or its last will did.
    Offline,
    /// Never heard of.
    Unknown,
    /// The hub has no broker, or the device is quarantined.
    Unavailable,
}

/// Whether the hub is content with the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nothing to say.
    Ok,
    /// Its actor failed too often and is stopped until somebody or time lets it back.
    Quarantined,
    /// Its discovery configuration was not seen since the hub subscribed.
    NotAnnounced,
}

/// Where a state comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Reported while the hub listened.
    Live,
    /// A retained message: when it was reported is not known.
    Retained,
    /// From the store at start, not yet heard again.
    Restored,
    /// What was last asked of an entity that reports nothing.
    Assumed,
    /// No state yet.
    Never,
}

/// Where an entity belongs on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// A setting of the device.
    Config,
    /// Tells how the device itself is (signal strength, firmware).
    Diagnostic,
}

/// Limits of a number, brightness or position.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Step between values.
    pub step: f64,
}

/// A command that has no end yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Its id.
    pub command: CommandId,
    /// What is asked (resolved).
    pub action: Action,
    /// The value of `set`.
    pub value: Option<serde_json::Value>,
    /// How far it is: accepted, sent or acknowledged.
    pub status: Status,
    /// When it times out.
    pub deadline_at: Timestamp,
}

/// An entity at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityView {
    /// Its id within the device.
    pub id: EntityId,
    /// Its name; for the main entity often the device's.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Setting or diagnostic; `None` for what the household uses.
    pub category: Option<Category>,
    /// Home Assistant's device class, such as `temperature` or `door`.
    pub device_class: Option<String>,
    /// Unit of measurement, such as `°C`.
    pub unit: Option<String>,
    /// Whether its state is a number, by its configuration: so is its history.
    pub numeric: bool,
    /// Limits of a number; of a light's brightness or a cover's position in per cent.
    pub range: Option<Range>,
    /// Options of a select or of an enumerated sensor; empty for others.
    pub options: Vec<String>,
    /// Actions it takes.
    pub actions: Vec<Action>,
    /// Whether it can be reached.
    pub availability: Availability,
    /// Its last known state; `None` if never heard or reported as unknown.
    pub state: Option<Value>,
    /// Further facts: `brightness`, `position`, and the device's own attributes.
    pub attributes: Arc<BTreeMap<String, serde_json::Value>>,
    /// Where the state comes from.
    pub freshness: Freshness,
    /// When it was last reported; `None` for a retained replay.
    pub reported_at: Option<Timestamp>,
    /// When the state last changed.
    pub changed_at: Option<Timestamp>,
    /// The newest command under way.
    pub pending: Option<Pending>,
    /// The newest command that ended while this hub ran.
    pub last_command: Option<Arc<Command>>,
    /// Whether its configuration was not seen since the hub subscribed, or it was taken from view.
    pub not_announced: bool,
}

/// A device at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceView {
    /// Its id.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// Its room, if it is in one.
    pub room: Option<String>,
    /// The picture that a person chose for it, a word of the pages' set.
    pub icon: Option<String>,
    /// Its place in its room: lower comes first; `None` comes after all, by name.
    pub position: Option<i64>,
    /// Roll-up of its entities' availability.
    pub availability: Availability,
    /// Whether the hub is content with it.
    pub health: Health,
    /// Why not, in words.
    pub reason: Option<String>,
    /// Whether the broker lets nobody else send in its name; else pages say "sender not verified".
    pub sender_verified: bool,
    /// What the device says it is: manufacturer, model, firmware version.
    pub about: Arc<About>,
    /// When anything was last heard from it while the hub listened.
    pub last_seen: Option<Timestamp>,
    /// How many reports were coalesced because the device was behind.
    pub coalesced: u64,
    /// Grows with every change of this view; an `ETag` of the state.
    pub revision: u64,
    /// Version of its stored configuration (name, room, entities): the `ETag` of REST.
    pub version: i64,
    /// Its entities, in the order pages show them. Shared, so that a report copies one of them and
    /// not all.
    pub entities: Vec<Arc<EntityView>>,
}

impl DeviceView {
    /// The entity with that id.
    pub fn entity(&self, id: &EntityId) -> Option<&EntityView> {
        self.entities.iter().map(Arc::as_ref).find(|e| e.id == *id)
    }
}

/// What a device says about itself in discovery (`device` block).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// `manufacturer`.
    pub manufacturer: Option<String>,
    /// `model`.
    pub model: Option<String>,
    /// `sw_version`.
    pub sw_version: Option<String>,
    /// `hw_version`.
    pub hw_version: Option<String>,
    /// `serial_number`.
    pub serial_number: Option<String>,
    /// `identifiers`.
    pub identifiers: Vec<String>,
    /// `connections`, each a type and a value.
    pub connections: Vec<(String, String)>,
}
