//! Devices entered by hand, and what people change of any device.
//!
//! Owner of hand-made configurations: each is parsed before it is stored, so that
//! what is stored can run. It must never change an announced configuration.

use super::accept::checked;
use super::credentials::{IssuedCredential, device_topics};
use super::plan::{ENTITIES_MAX, free_id};
use super::registry::Registry;
use super::{By, Created};
use crate::error::HubError;
use crate::services::Act;
use iothome_engine::config::{EntityConfig, Raw, unknown_keys};
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::kind::Kind;
use iothome_engine::view::About;
use iothome_store::{Origin, StoredDevice, StoredEntity};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

/// The shortest deadline that somebody can set: a broker's round trip over a slow link.
const DEADLINE_MIN_MS: i64 = 100;

/// The longest deadline that somebody can set.
const DEADLINE_MAX_MS: i64 = 10 * 60 * 1_000;

/// A device that somebody enters.
#[derive(Clone, Debug, Default)]
pub struct NewDevice {
    /// Its id; made from the name if left out.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its room.
    pub room: Option<String>,
    /// Its entities; none if it will announce itself.
    pub entities: Vec<NewEntity>,
    /// Whether it gets a broker user of its own.
    pub credential: bool,
}

/// An entity that somebody enters.
#[derive(Clone, Debug)]
pub struct NewEntity {
    /// Its id; made from the name if left out.
    pub id: Option<String>,
    /// Its name; the device's if left out.
    pub name: Option<String>,
    /// Its kind.
    pub kind: Kind,
    /// How long its commands may take.
    pub deadline_ms: Option<i64>,
    /// Its configuration in discovery words.
    pub config: Raw,
}

/// What somebody changes of a device; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct DevicePatch {
    /// Its name.
    pub name: Option<String>,
    /// Its room, or none.
    pub room: Option<Option<String>>,
    /// The picture that stands for it, or the one of what it is.
    pub icon: Option<Option<String>>,
    /// Its place in its room, or after those that have one.
    pub position: Option<Option<i64>>,
    /// Its entities.
    pub entities: BTreeMap<EntityId, EntityPatch>,
}

/// What somebody changes of an entity; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct EntityPatch {
    /// Its name; `Some(None)` gives it back its own.
    pub name: Option<Option<String>>,
    /// How long its commands may take; `Some(None)` is the kind's own.
    pub deadline_ms: Option<Option<i64>>,
    /// Its configuration, whole; only of a hand-made entity.
    pub config: Option<Raw>,
}

impl Registry {
    /// Makes a device by hand.
    pub(super) async fn create(&mut self, new: NewDevice, by: &By) -> Result<Created, HubError> {
        let name = checked("name", Some(new.name))?.unwrap_or_default();
        let room = self.checked_room(new.room)?;
        if new.entities.len() > ENTITIES_MAX {
            return Err(HubError::invalid(
                "entities",
                &format!("must be at most {ENTITIES_MAX}"),
            ));
        }
        let id = match &new.id {
            Some(id) => id.parse().map_err(|e| HubError::invalid("id", &e))?,
            None => self.free_device_id(&name).await?,
        };
        let entities = self.new_entities(&id, new.entities)?;
        let (credential, issued) = self.own_credential(&id, &name, &entities, new.credential);
        let stored = StoredDevice {
            id: id.clone(),
            name,
            room,
            icon: None,
            position: None,
            about: About::default(),
            origin: Origin::HandMade,
            identity: Vec::new(),
            sender_verified: self.tools.rules.managed,
            created_at: self.tools.services.clock.now(),
            version: 1,
            entities,
        };
        let credentials = credential.as_slice();
        self.tools.store.create_device(&stored, credentials).await?;
        if let (Some(credential), Some(issued)) = (credential, &issued) {
            let accounts = &self.tools.accounts;
            accounts.keep(credential.id, &issued.password).await;
            self.admit(&credential);
            accounts.follow(&credential.username).await;
        }
        self.look_at_rooms().await;
        self.start(vec![stored]).await?;
        self.audit(
            by,
            "device_created",
            id.as_str(),
            json!({ "credential": issued.is_some() }),
        );
        Ok((id, issued))
    }

    fn own_credential(
        &self,
        id: &DeviceId,
        name: &str,
        entities: &[StoredEntity],
        wanted: bool,
    ) -> (
        Option<iothome_engine::access::Credential>,
        Option<IssuedCredential>,
    ) {
        if !wanted || !self.tools.rules.managed {
            return (None, None);
        }
        let shared = self.tools.services.shared.load();
        let configs: Vec<EntityConfig> = entities
            .iter()
            .filter_map(|e| EntityConfig::parse(e.kind, &e.raw, &shared.templates).ok())
            .collect();
        let topics = device_topics(id, &configs);
        let (credential, issued) = self.issue(id.as_str(), name, Some(id.clone()), topics);
        (Some(credential), Some(issued))
    }

    fn new_entities(
        &self,
        device: &DeviceId,
        new: Vec<NewEntity>,
    ) -> Result<Vec<StoredEntity>, HubError> {
        let mut taken: HashSet<EntityId> = HashSet::new();
        // Ids that were asked for are given first, so that a made one never takes them.
        for (n, entity) in new.iter().enumerate() {
            let Some(id) = &entity.id else { continue };
            let field = format!("entities[{n}].id");
            let id: EntityId = id.parse().map_err(|e| HubError::invalid(&field, &e))?;
            if !taken.insert(id) {
                return Err(HubError::Taken { field });
            }
        }
        let mut entities = Vec::with_capacity(new.len());
        for (n, entity) in new.into_iter().enumerate() {
            entities.push(self.new_entity(device, n, entity, &mut taken)?);
        }
        Ok(entities)
    }

    pub(super) fn new_entity(
        &self,
        device: &DeviceId,
        n: usize,
        new: NewEntity,
        taken: &mut HashSet<EntityId>,
    ) -> Result<StoredEntity, HubError> {
        let at = format!("entities[{n}]");
        let name = checked(&format!("{at}.name"), new.name)?;
        check_deadline(&at, new.deadline_ms)?;
        let raw = self.checked_config(&format!("{at}.config"), device, new.kind, &new.config)?;
        let id = match new.id {
            Some(id) => id
                .parse()
                .map_err(|e| HubError::invalid(format!("{at}.id"), &e))?,
            None => {
                let own = raw.get("name").and_then(|v| v.as_str());
                let wanted = name.as_deref().or(own).unwrap_or(new.kind.as_str());
                free_id(taken, wanted, new.kind.as_str())
            }
        };
        taken.insert(id.clone());
        Ok(StoredEntity {
            id,
            kind: new.kind,
            name,
            raw,
            config_topic: None,
            config_hash: None,
            key: None,
            deadline_ms: new.deadline_ms,
            position: i32::try_from(n).unwrap_or(i32::MAX),
            withdrawn_at: None,
        })
    }

    /// The stored form of a configuration that a person typed: typing errors are told, not dropped,
    /// and nobody reaches another device through its topics.
    fn checked_config(
        &self,
        field: &str,
        device: &DeviceId,
        kind: Kind,
        raw: &Raw,
    ) -> Result<Raw, HubError> {
        if let Some(key) = unknown_keys(kind, raw).first() {
            let problem = format!("is not known for a {kind}");
            return Err(HubError::invalid(format!("{field}.{key}"), &problem));
        }
        let shared = self.tools.services.shared.load();
        let config = EntityConfig::parse(kind, raw, &shared.templates)
            .map_err(|e| HubError::invalid(format!("{field}.{}", e.field), &e.problem))?;
        let topics = config
            .read_topics()
            .into_iter()
            .chain(config.write_topics());
        for topic in topics {
            if let Some(owner) = self.owner_besides(topic, Some(device)) {
                let key = raw.iter().find(|(_, v)| v.as_str() == Some(topic));
                let key = key.map_or("topic", |(key, _)| key);
                let problem = format!("`{topic}` belongs to the device {owner}");
                return Err(HubError::invalid(format!("{field}.{key}"), &problem));
            }
        }
        Ok(config.raw)
    }

    /// The other device that a topic belongs to, by its use or by its broker user.
    pub(super) fn owner_besides(&self, topic: &str, own: Option<&DeviceId>) -> Option<DeviceId> {
        let access = self.tools.access.load();
        let by_use = self.index.owner(topic);
        let owner = by_use.or_else(|| access.other_owner(topic, own).cloned());
        owner.filter(|owner| Some(owner) != own)
    }

    /// Changes what people may change of a device. Answers its new version.
    pub(super) async fn update(
        &mut self,
        device: &DeviceId,
        patch: DevicePatch,
        version: Option<i64>,
        by: &By,
    ) -> Result<i64, HubError> {
        let stored = self
            .tools
            .store
            .device(device)
            .await?
            .ok_or(HubError::NotFound)?;
        if version.is_some_and(|v| v != stored.version) {
            return Err(HubError::Stale);
        }
        let name = checked("name", patch.name)?;
        let room = match patch.room {
            Some(room) => Some(self.checked_room(room)?),
            None => None,
        };
        let icon = patch.icon.map(super::rooms::checked_icon).transpose()?;
        let position = patch.position.map(super::rooms::checked_position);
        let position = position.transpose()?;
        let mut entities = Vec::with_capacity(patch.entities.len());
        let mut configured = false;
        for (id, change) in patch.entities {
            configured |= change.config.is_some();
            entities.push(self.changed_entity(&stored, &id, change)?);
        }
        let changes = iothome_store::DevicePatch {
            name,
            room,
            icon,
            position,
            entities,
            ..iothome_store::DevicePatch::default()
        };
        if super::plan::is_empty(&changes) {
            return Ok(stored.version);
        }
        let stored = self.change(device, &changes, Some(stored.version)).await?;
        self.look_at_rooms().await;
        if configured {
            self.follow_topics(&stored).await?;
        }
        self.audit(
            by,
            "device_changed",
            device.as_str(),
            json!({ "version": stored.version }),
        );
        Ok(stored.version)
    }

    fn changed_entity(
        &self,
        stored: &StoredDevice,
        id: &EntityId,
        change: EntityPatch,
    ) -> Result<StoredEntity, HubError> {
        let at = format!("entities.{id}");
        let shown = stored
            .entities
            .iter()
            .find(|e| e.id == *id && e.withdrawn_at.is_none());
        let Some(mut entity) = shown.cloned() else {
            return Err(HubError::invalid(at, "the device has no such entity"));
        };
        if let Some(name) = change.name {
            entity.name = checked(&format!("{at}.name"), name)?;
        }
        if let Some(deadline_ms) = change.deadline_ms {
            check_deadline(&at, deadline_ms)?;
            entity.deadline_ms = deadline_ms;
        }
        if let Some(config) = change.config {
            if entity.config_topic.is_some() {
                let problem = "is announced by the device and cannot be changed here";
                return Err(HubError::invalid(format!("{at}.config"), problem));
            }
            entity.raw =
                self.checked_config(&format!("{at}.config"), &stored.id, entity.kind, &config)?;
        }
        Ok(entity)
    }

    /// Deletes a device: its commands end, its broker user goes, its announcements are cleared.
    pub(super) async fn delete(
        &mut self,
        device: &DeviceId,
        version: Option<i64>,
        by: &By,
    ) -> Result<(), HubError> {
        let stored = self
            .tools
            .store
            .device(device)
            .await?
            .ok_or(HubError::NotFound)?;
        if version.is_some_and(|v| v != stored.version) {
            return Err(HubError::Stale);
        }
        let now = self.tools.services.clock.now();
        let revoked = self.tools.store.delete_device(device, now).await?;
        for username in &revoked {
            self.revoke(username);
            self.tools.accounts.follow(username).await;
        }
        let topics: HashSet<String> = stored
            .entities
            .iter()
            .filter_map(|e| e.config_topic.clone())
            .collect();
        for topic in topics {
            // If it is announced again in the same words, that is news.
            self.seen.remove(&topic);
            self.tools.services.wire.act(Act::ClearRetained(topic));
        }
        self.stop(device).await;
        self.audit(
            by,
            "device_deleted",
            device.as_str(),
            json!({ "name": stored.name }),
        );
        Ok(())
    }
}

fn check_deadline(at: &str, deadline_ms: Option<i64>) -> Result<(), HubError> {
    if deadline_ms.is_some_and(|ms| !(DEADLINE_MIN_MS..=DEADLINE_MAX_MS).contains(&ms)) {
        let problem = format!("must be {DEADLINE_MIN_MS} to {DEADLINE_MAX_MS}");
        return Err(HubError::invalid(format!("{at}.deadline_ms"), &problem));
    }
    Ok(())
}
