//! What the registrar knows of the accepted devices, to answer without the store.
//!
//! Owner of four maps: who announces on which topic, who goes by which identity,
//! who owns which topic, who has which broker user. It must never hold a whole
//! configuration: that is the store's.

use iothome_engine::access::AccessList;
use iothome_engine::config::EntityConfig;
use iothome_engine::device::DeviceSetup;
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_store::StoredDevice;
use std::collections::{HashMap, HashSet};

/// An accepted device.
#[derive(Default)]
pub(crate) struct Known {
    identity: Vec<String>,
    /// Announced entities that are not withdrawn, each with its configuration topic.
    pub(crate) announced: Vec<(EntityId, String)>,
    /// Every topic that it was announced on, those of withdrawn entities too.
    config_topics: HashSet<String>,
    topics: Vec<String>,
}

/// The accepted devices.
#[derive(Default)]
pub(crate) struct Index {
    devices: HashMap<DeviceId, Known>,
    by_identity: HashMap<String, DeviceId>,
    by_config_topic: HashMap<String, DeviceId>,
    owners: HashMap<String, DeviceId>,
}

impl Index {
    /// Adds the device, or takes it over anew.
    pub(crate) fn put(&mut self, stored: &StoredDevice, setup: &DeviceSetup) {
        self.remove(&stored.id);
        let id = &stored.id;
        let shown = stored.entities.iter().filter(|e| e.withdrawn_at.is_none());
        let announced: Vec<_> = shown
            .filter_map(|e| Some((e.id.clone(), e.config_topic.clone()?)))
            .collect();
        let topics: HashSet<String> = setup
            .entities
            .iter()
            .flat_map(|e| owned_topics(&e.config))
            .map(str::to_owned)
            .collect();
        for key in &stored.identity {
            self.by_identity.insert(key.clone(), id.clone());
        }
        let config_topics: HashSet<String> = stored
            .entities
            .iter()
            .filter_map(|e| e.config_topic.clone())
            .collect();
        for topic in &config_topics {
            self.by_config_topic.insert(topic.clone(), id.clone());
        }
        for topic in &topics {
            self.owners
                .entry(topic.clone())
                .or_insert_with(|| id.clone());
        }
        let known = Known {
            identity: stored.identity.clone(),
            announced,
            config_topics,
            topics: topics.into_iter().collect(),
        };
        self.devices.insert(id.clone(), known);
    }

    /// Forgets the device.
    pub(crate) fn remove(&mut self, device: &DeviceId) {
        let Some(known) = self.devices.remove(device) else {
            return;
        };
        for key in &known.identity {
            remove_own(&mut self.by_identity, key, device);
        }
        for topic in &known.topics {
            remove_own(&mut self.owners, topic, device);
        }
        for topic in &known.config_topics {
            remove_own(&mut self.by_config_topic, topic, device);
        }
    }

    /// Whether the device is accepted.
    pub(crate) fn has(&self, device: &DeviceId) -> bool {
        self.devices.contains_key(device)
    }

    /// Every device with its announced entities.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&DeviceId, &Known)> {
        self.devices.iter()
    }

    /// Its announced entities.
    pub(crate) fn announced(&self, device: &DeviceId) -> &[(EntityId, String)] {
        self.devices.get(device).map_or(&[], |k| &k.announced)
    }

    /// The device that goes by one of these keys.
    pub(crate) fn by_identity(&self, keys: &[String]) -> Option<&DeviceId> {
        keys.iter().find_map(|key| self.by_identity.get(key))
    }

    /// The device that announced something on this topic.
    pub(crate) fn by_config_topic(&self, topic: &str) -> Option<&DeviceId> {
        self.by_config_topic.get(topic)
    }

    /// The device that owns this state or command topic.
    pub(crate) fn owner(&self, topic: &str) -> Option<DeviceId> {
        self.owners.get(topic).cloned()
    }

    /// Whether the sender of `config_topic` is one that speaks for the device: its own credential,
    /// or one that may also write what the device was announced on.
    pub(crate) fn speaks_for(
        &self,
        access: &AccessList,
        username: &str,
        device: &DeviceId,
    ) -> bool {
        let own = access.get(username).and_then(|c| c.device.as_ref());
        let announced = self.devices.get(device).map(|k| &k.config_topics);
        let mut announced = announced.into_iter().flatten();
        own == Some(device) || (own.is_none() && announced.any(|t| access.may_write(username, t)))
    }
}

fn remove_own(map: &mut HashMap<String, DeviceId>, key: &str, device: &DeviceId) {
    if map.get(key) == Some(device) {
        map.remove(key);
    }
}

/// The topics that belong to the entity alone. Availability topics do not: a bridge has one for
/// all its devices.
pub(crate) fn owned_topics(config: &EntityConfig) -> impl Iterator<Item = &str> {
    let shared: HashSet<&str> = config
        .availability
        .topics
        .iter()
        .map(|a| a.topic.as_str())
        .collect();
    let all = config
        .read_topics()
        .into_iter()
        .chain(config.write_topics());
    all.filter(move |topic| !shared.contains(topic))
}
