//! Who may touch which topic at the broker.
//!
//! Owner of the access rule that the embedded broker asks and that production
//! brokers are told. It must never see a password, only its digest.

use crate::ids::{CredentialId, DeviceId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

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
