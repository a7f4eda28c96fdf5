//! Home Assistant's MQTT discovery: devices that say themselves what they are.
//!
//! Owner of reading an announcement. It must never decide whether the announcement is
//! believed; that is for `access` and the household.

mod abbreviations;
mod identity;
mod read;
mod topic;

#[cfg(test)]
mod tests;

pub use identity::Identity;
pub use topic::{ConfigTopic, filters};

use crate::config::{ConfigError, EntityConfig};
use crate::template::Templates;
use crate::view::About;
use sha2::{Digest, Sha256};

pub(crate) type Map = serde_json::Map<String, serde_json::Value>;

/// Longest announcement, in bytes. A bundle of a device with a hundred entities is about 60 KiB.
pub const ANNOUNCEMENT_MAX: usize = 256 * 1024;

/// Most entities that one announcement may bring.
pub const ENTITIES_MAX: usize = 256;

/// Why an announcement cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// The topic ends in `config` but does not follow the grammar.
    #[error("the topic is not <prefix>/<component>/[<node>/]<object>/config")]
    Topic,
    /// It is longer than [`ANNOUNCEMENT_MAX`].
    #[error("the announcement is longer than {ANNOUNCEMENT_MAX} bytes")]
    TooLong,
    /// It is not text.
    #[error("the announcement is not UTF-8")]
    NotText,
    /// It is no JSON object.
    #[error("the announcement is no JSON object: {0}")]
    NotJson(String),
    /// A bundle says of no device what it is.
    #[error("the bundle needs a `device` with `identifiers` or `connections`")]
    NoIdentity,
    /// A bundle shares more than is good to copy into each component.
    #[error("the options that the bundle's components share are too long")]
    SharedOptions,
    /// It has no component, or more than [`ENTITIES_MAX`].
    #[error("the bundle needs 1 to {ENTITIES_MAX} components")]
    Components,
    /// The entity's configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// What a message on a configuration topic says.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "lives for one message; a box would only cost an allocation"
)]
pub enum Announcement {
    /// The entities of that topic are gone.
    Removed {
        /// The configuration topic.
        topic: String,
    },
    /// A device and its entities.
    Announced(Announced),
    /// A component of Home Assistant that is no entity of ours.
    Unsupported {
        /// Its name.
        component: String,
    },
    /// The device is about to announce the same entities on another topic.
    Migrate,
}

/// A device and those of its entities that one topic announces.
#[derive(Clone, Debug, PartialEq)]
pub struct Announced {
    /// The configuration topic.
    pub topic: String,
    /// SHA-256 of the payload in lower-case hex: the same again is no work.
    pub hash: String,
    /// What the device is known by.
    pub identity: Identity,
    /// What the device says it is.
    pub about: About,
    /// The device's name.
    pub name: Option<String>,
    /// The room that it suggests.
    pub suggested_area: Option<String>,
    /// The program that announces it, such as `Zigbee2MQTT 2.1`.
    pub origin: Option<String>,
    /// Its entities.
    pub entities: Vec<AnnouncedEntity>,
    /// Components that bring no entity, each with the reason.
    pub skipped: Vec<(String, String)>,
}

/// An entity as it is announced.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnouncedEntity {
    /// What it is known by for ever: `unique_id`, else its topic and component.
    pub key: String,
    /// An id that suits it; unique within this announcement.
    pub suggested_id: String,
    /// Its configuration.
    pub config: EntityConfig,
}

/// Reads a message on a configuration topic.
pub fn parse(
    prefix: &str,
    topic: &str,
    payload: &[u8],
    templates: &Templates,
) -> Result<Announcement, DiscoveryError> {
    let place = ConfigTopic::parse(prefix, topic)?.ok_or(DiscoveryError::Topic)?;
    if payload.is_empty() {
        return Ok(Announcement::Removed {
            topic: topic.to_owned(),
        });
    }
    if payload.len() > ANNOUNCEMENT_MAX {
        return Err(DiscoveryError::TooLong);
    }
    if !place.is_bundle() && place.kind().is_none() {
        return Ok(Announcement::Unsupported {
            component: place.component,
        });
    }
    let root = read_root(payload)?;
    if root.get("migrate_discovery") == Some(&true.into()) {
        return Ok(Announcement::Migrate);
    }
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(payload));
    read::announced(&place, topic, hash, root, templates).map(Announcement::Announced)
}

fn read_root(payload: &[u8]) -> Result<Map, DiscoveryError> {
    let text = std::str::from_utf8(payload).map_err(|_| DiscoveryError::NotText)?;
    match crate::wire::parse_json(text).map_err(DiscoveryError::NotJson)? {
        serde_json::Value::Object(map) => {
            Ok(abbreviations::expand(abbreviations::Block::General, map))
        }
        _ => Err(DiscoveryError::NotJson(
            "it is another JSON value".to_owned(),
        )),
    }
}
