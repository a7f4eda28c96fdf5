//! Devices and their entities as they are configured.
//!
//! Owner of `devices`, `identities` and `entities`. It must never hold a state,
//! and never give an id a second time.

mod load;
mod save;

use iothome_engine::config::Raw;
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::kind::Kind;
use iothome_engine::time::Timestamp;
use iothome_engine::view::About;

/// How the house came to know a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Somebody entered it.
    HandMade,
    /// It announced itself.
    Discovered,
}

impl Origin {
    /// The word used in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HandMade => "hand_made",
            Self::Discovered => "discovered",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::HandMade, Self::Discovered]
            .into_iter()
            .find(|o| o.as_str() == word)
    }
}

/// A device as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDevice {
    /// Its id.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// Its room.
    pub room: Option<String>,
    /// The picture that a person chose for it.
    pub icon: Option<String>,
    /// Its place in its room; without one it comes after those that have one, by name.
    pub position: Option<i64>,
    /// What it says it is.
    pub about: About,
    /// How the house came to know it.
    pub origin: Origin,
    /// What discovery knows it by.
    pub identity: Vec<String>,
    /// Whether its broker user is one that the hub manages.
    pub sender_verified: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with every change of the device or its entities; 1 when made.
    pub version: i64,
    /// Its entities, in the order pages show them.
    pub entities: Vec<StoredEntity>,
}

/// An entity as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEntity {
    /// Its id within the device.
    pub id: EntityId,
    /// Its kind.
    pub kind: Kind,
    /// The name that a person gave it.
    pub name: Option<String>,
    /// Its configuration in discovery words.
    pub raw: Raw,
    /// The topic it was announced on.
    pub config_topic: Option<String>,
    /// What the announcement hashed to.
    pub config_hash: Option<String>,
    /// What discovery knows it by: its `unique_id`, else its topic.
    pub key: Option<String>,
    /// A deadline that a person set.
    pub deadline_ms: Option<i64>,
    /// Its place on pages.
    pub position: i32,
    /// When its announcement was taken back; it may return under the same id.
    pub withdrawn_at: Option<Timestamp>,
}

/// What is to change of a device, all or nothing; what is `None` or empty stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DevicePatch {
    /// A new name.
    pub name: Option<String>,
    /// Another room, or none: there it has no position until one is given.
    pub room: Option<Option<String>>,
    /// Another picture, or none.
    pub icon: Option<Option<String>>,
    /// Another position, or none.
    pub position: Option<Option<i64>>,
    /// What it now says it is.
    pub about: Option<About>,
    /// Whether its broker user is one that the hub manages.
    pub sender_verified: Option<bool>,
    /// Further keys that discovery knows it by.
    pub identity: Vec<String>,
    /// Entities that are new or changed.
    pub entities: Vec<StoredEntity>,
    /// Entities that go for good; their ids are never given again.
    pub removed: Vec<EntityId>,
}
