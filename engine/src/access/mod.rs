//! Who may touch which topic at the broker.
//!
//! Owner of the access rule that the embedded broker asks and that production
//! brokers are told. It must never see a stored password, only its digest.

pub mod dynsec;
mod list;
mod owner;

#[cfg(test)]
mod tests;

pub use list::AccessList;
pub use owner::{Verdict, judge};

use crate::config::EntityConfig;
use crate::ids::{CredentialId, DeviceId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where Home Assistant's way of greeting devices is published: read by all, owned by none.
const STATUS_TOPIC: &str = "homeassistant/status";

/// What a client may do on a topic, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Subscribe to it.
    Read,
    /// Publish to it.
    Write,
}

/// One line of a credential's access list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicRule {
    /// A topic filter (MQTT 5, section 4.7).
    pub filter: String,
    /// What the client may do there.
    pub access: Access,
}

impl TopicRule {
    fn read(filter: impl Into<String>) -> Self {
        Self {
            filter: filter.into(),
            access: Access::Read,
        }
    }

    fn write(filter: impl Into<String>) -> Self {
        Self {
            filter: filter.into(),
            access: Access::Write,
        }
    }
}

/// A broker user that the hub manages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// The MQTT user name.
    pub username: String,
    /// The name a person knows it by.
    pub name: String,
    /// The one device it belongs to; `None` for a join credential.
    pub device: Option<DeviceId>,
    /// SHA-256 of its random password, in lower-case hex.
    pub secret_sha256: String,
    /// What it may touch.
    pub topics: Vec<TopicRule>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a device may touch that has its own credential and announces itself.
pub fn default_device_topics(device: &DeviceId) -> Vec<TopicRule> {
    vec![
        TopicRule::write(format!("iothome/{device}/#")),
        TopicRule::write(format!("homeassistant/+/{device}/config")),
        TopicRule::write(format!("homeassistant/+/{device}/+/config")),
        TopicRule::read(format!("iothome/{device}/+/set")),
        TopicRule::read(STATUS_TOPIC),
    ]
}

/// Exactly the topics of entities that were entered by hand: the device writes what
/// the hub reads, and reads what the hub writes.
pub fn hand_made_topics(configs: &[EntityConfig]) -> Vec<TopicRule> {
    let mut rules: Vec<TopicRule> = Vec::new();
    for config in configs {
        let written = config.read_topics().into_iter().map(TopicRule::write);
        let read = config.write_topics().into_iter().map(TopicRule::read);
        for rule in written.chain(read) {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
    }
    rules
}
