//! The access list: every broker user the hub manages.
//!
//! Owner of authentication and of the two questions a broker asks. It is built once
//! and replaced whole, so that no reader ever waits.

use super::{Access, Credential, STATUS_TOPIC, TopicRule};
use crate::ids::DeviceId;
use crate::topic;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// Levels that many filters share; they would make poor index words.
const COMMON_LEVELS: &[&str] = &[
    "homeassistant",
    "iothome",
    "config",
    "state",
    "set",
    "status",
    "+",
    "#",
    "",
];

/// One rule of one credential.
type Line = (Arc<Credential>, usize);

/// Broker users by name, with an index from topics to the rules that may match them.
#[derive(Clone, Debug, Default)]
pub struct AccessList {
    by_name: BTreeMap<String, Arc<Credential>>,
    /// Rules by one literal level of their filter: a topic that matches has that level.
    by_level: HashMap<Box<str>, Vec<Line>>,
    /// Rules of common words and wildcards only.
    anywhere: Vec<Line>,
}

impl AccessList {
    /// A list of these credentials; of two with one name the later counts.
    pub fn new(credentials: Vec<Credential>) -> Self {
        Self::index(
            credentials
                .into_iter()
                .map(|c| (c.username.clone(), Arc::new(c)))
                .collect(),
        )
    }

    fn index(by_name: BTreeMap<String, Arc<Credential>>) -> Self {
        let mut list = Self {
            by_name,
            ..Self::default()
        };
        for credential in list.by_name.values() {
            for (i, rule) in credential.topics.iter().enumerate() {
                let line = (Arc::clone(credential), i);
                let mut levels = rule.filter.split('/');
                match levels.rfind(|level| !COMMON_LEVELS.contains(level)) {
                    Some(level) => list.by_level.entry(level.into()).or_default().push(line),
                    None => list.anywhere.push(line),
                }
            }
        }
        list
    }

    /// The list with this credential added, or put in the place of the one with its name.
    #[must_use]
    pub fn with(&self, credential: Credential) -> Self {
        let mut by_name = self.by_name.clone();
        by_name.insert(credential.username.clone(), Arc::new(credential));
        Self::index(by_name)
    }

    /// The list without the credential of that name.
    #[must_use]
    pub fn without(&self, username: &str) -> Self {
        let mut by_name = self.by_name.clone();
        by_name.remove(username);
        Self::index(by_name)
    }

    /// The credential of that name.
    pub fn get(&self, username: &str) -> Option<&Credential> {
        self.by_name.get(username).map(AsRef::as_ref)
    }

    /// Every credential, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Credential> {
        self.by_name.values().map(AsRef::as_ref)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Whether the password is that user's. Takes the same time for a wrong password and
    /// an unknown user.
    pub fn authenticate(&self, username: &str, password: &[u8]) -> bool {
        let presented = data_encoding::HEXLOWER.encode(&Sha256::digest(password));
        let nobody = "0".repeat(64);
        let (stored, known) = match self.get(username) {
            Some(credential) => (credential.secret_sha256.as_str(), true),
            None => (nobody.as_str(), false),
        };
        let equal: bool = presented.as_bytes().ct_eq(stored.as_bytes()).into();
        equal && known
    }

    /// Whether the user may publish to the topic.
    pub fn may_write(&self, username: &str, topic: &str) -> bool {
        topic::valid_topic(topic).is_ok()
            && self.get(username).is_some_and(|credential| {
                rules(credential, Access::Write).any(|rule| topic::matches(&rule.filter, topic))
            })
    }

    /// Whether the user may subscribe to the filter: one rule must cover all of it.
    pub fn may_read(&self, username: &str, filter: &str) -> bool {
        topic::valid_filter(filter).is_ok()
            && self.get(username).is_some_and(|credential| {
                rules(credential, Access::Read).any(|rule| topic::covers(&rule.filter, filter))
            })
    }

    /// The credentials with a rule of that access which matches the topic, each once.
    pub(super) fn who(&self, access: Access, topic: &str) -> Vec<&Credential> {
        let mut found: Vec<&Credential> = Vec::new();
        let by_level = topic
            .split('/')
            .filter_map(|level| self.by_level.get(level));
        for (credential, i) in by_level.flatten().chain(&self.anywhere) {
            let rule = &credential.topics[*i];
            let fits = rule.access == access && topic::matches(&rule.filter, topic);
            if fits && !found.iter().any(|c| c.username == credential.username) {
                found.push(credential.as_ref());
            }
        }
        found
    }

    /// The one device whose own credential the topic belongs to; none if several may touch it.
    pub fn owner_of(&self, topic: &str) -> Option<&DeviceId> {
        let owners = self.owners_of(topic);
        owners.first().copied().filter(|_| owners.len() == 1)
    }

    /// A device other than this one whose own credential may touch the topic: the first by id.
    pub fn other_owner(&self, topic: &str, own: Option<&DeviceId>) -> Option<&DeviceId> {
        let owners = self.owners_of(topic);
        owners.into_iter().find(|owner| Some(*owner) != own)
    }

    /// The devices whose own credentials may touch the topic. What many devices touch under
    /// one join credential, and the greeting topic, belong to none.
    fn owners_of(&self, topic: &str) -> BTreeSet<&DeviceId> {
        if topic == STATUS_TOPIC {
            return BTreeSet::new();
        }
        [Access::Write, Access::Read]
            .into_iter()
            .flat_map(|access| self.who(access, topic))
            .filter_map(|credential| credential.device.as_ref())
            .collect()
    }
}

fn rules(credential: &Credential, access: Access) -> impl Iterator<Item = &TopicRule> {
    credential
        .topics
        .iter()
        .filter(move |rule| rule.access == access)
}
