//! What a device is made from: its stored configuration and what was last known.
//!
//! Owner of the shapes the store's rows become; it must never hold a row.

use crate::config::EntityConfig;
use crate::ids::{DeviceId, EntityId};
use crate::template::Templates;
use crate::time::Timestamp;
use crate::value::Value;
use crate::view::About;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A device as it is stored.
#[derive(Clone, Debug)]
pub struct DeviceSetup {
    /// Its id.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// Its room.
    pub room: Option<String>,
    /// The picture that a person chose for it.
    pub icon: Option<String>,
    /// Its place in its room.
    pub position: Option<i64>,
    /// What it says about itself.
    pub about: About,
    /// Whether the broker lets nobody else send in its name.
    pub sender_verified: bool,
    /// Version of the stored configuration.
    pub version: i64,
    /// Its entities in the order pages show them.
    pub entities: Vec<EntitySetup>,
    /// How many reports were coalesced in an earlier life of its actor.
    pub coalesced: u64,
}

/// An entity as it is stored.
#[derive(Clone, Debug)]
pub struct EntitySetup {
    /// Its id.
    pub id: EntityId,
    /// The name a person gave it; else its configuration's, else the device's.
    pub name: Option<String>,
    /// Its configuration.
    pub config: EntityConfig,
    /// The deadline of its commands, if a person set one.
    pub deadline_ms: Option<i64>,
    /// Whether its configuration was not seen since the hub subscribed.
    pub not_announced: bool,
    /// What was known of it before the start.
    pub restored: Option<RestoredState>,
}

/// The last state of an entity from the store.
#[derive(Clone, Debug, PartialEq)]
pub struct RestoredState {
    /// Its state.
    pub state: Option<Value>,
    /// Its attributes.
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// When it was reported.
    pub reported_at: Option<Timestamp>,
    /// When the state last changed.
    pub changed_at: Option<Timestamp>,
}

/// What every device of the house shares.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The template engine with its cache.
    pub templates: Arc<Templates>,
    /// The home's time zone, for templates that print local time.
    pub zone: jiff::tz::TimeZone,
}
