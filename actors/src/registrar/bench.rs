//! Entities added to and taken from a device that was made by hand, and test payloads.
//!
//! Owner of what the maker of a device does one step at a time. It must never touch an
//! announced entity, and never let a test reach another device.

use super::By;
use super::by_hand::NewEntity;
use super::plan::ENTITIES_MAX;
use super::registry::Registry;
use crate::error::HubError;
use bytes::Bytes;
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::topic::valid_topic;
use iothome_store::{DevicePatch, Origin, StoredDevice};
use serde_json::json;
use std::collections::HashSet;
use std::sync::atomic::Ordering;

/// Longest test payload: more than a device is ever sent.
const TEST_MAX: usize = 8 * 1024;

/// A payload that somebody wants to try.
#[derive(Clone, Debug)]
pub struct TestPayload {
    /// The device that is being made; other devices' topics are refused.
    pub device: Option<DeviceId>,
    /// Where it goes.
    pub topic: String,
    /// What is sent.
    pub payload: String,
}

impl Registry {
    /// Adds an entity to a device that was made by hand. Answers its id and the new version.
    pub(super) async fn add_entity(
        &mut self,
        device: &DeviceId,
        new: NewEntity,
        version: Option<i64>,
        by: &By,
    ) -> Result<(EntityId, i64), HubError> {
        let stored = self.hand_made(device, version).await?;
        let shown = stored.entities.iter().filter(|e| e.withdrawn_at.is_none());
        if shown.count() >= ENTITIES_MAX {
            let problem = format!("must be at most {ENTITIES_MAX}");
            return Err(HubError::invalid("entities", &problem));
        }
        let mut taken: HashSet<EntityId> = stored.entities.iter().map(|e| e.id.clone()).collect();
        taken.extend(self.tools.store.removed_entity_ids(device).await?);
        if let Some(id) = &new.id
            && id.parse().is_ok_and(|id| taken.contains(&id))
        {
            return Err(HubError::Taken { field: "id".into() });
        }
        let mut entity = self.new_entity(device, 0, new, &mut taken)?;
        let last = stored.entities.iter().map(|e| e.position).max();
        entity.position = last.map_or(0, |last| last.saturating_add(1));
        let id = entity.id.clone();
        let patch = DevicePatch {
            entities: vec![entity],
            ..DevicePatch::default()
        };
        let stored = self.change(device, &patch, Some(stored.version)).await?;
        self.follow_topics(&stored).await?;
        let detail = json!({ "entity": id });
        self.audit(by, "entity_added", device.as_str(), detail);
        Ok((id, stored.version))
    }

    /// Takes an entity away for good; its id is never given again. Answers the new version.
    pub(super) async fn remove_entity(
        &mut self,
        device: &DeviceId,
        entity: &EntityId,
        version: Option<i64>,
        by: &By,
    ) -> Result<i64, HubError> {
        let stored = self.hand_made(device, version).await?;
        let found = stored.entities.iter().find(|e| e.id == *entity);
        let found = found.ok_or(HubError::NotFound)?;
        if found.config_topic.is_some() {
            return Err(HubError::Conflict {
                reason: "the entity is announced by the device and cannot be removed here".into(),
            });
        }
        let patch = DevicePatch {
            removed: vec![entity.clone()],
            ..DevicePatch::default()
        };
        let stored = self.change(device, &patch, Some(stored.version)).await?;
        self.follow_topics(&stored).await?;
        let detail = json!({ "entity": entity });
        self.audit(by, "entity_removed", device.as_str(), detail);
        Ok(stored.version)
    }

    async fn hand_made(
        &self,
        device: &DeviceId,
        version: Option<i64>,
    ) -> Result<StoredDevice, HubError> {
        let stored = self.tools.store.device(device).await?;
        let stored = stored.ok_or(HubError::NotFound)?;
        if version.is_some_and(|v| v != stored.version) {
            return Err(HubError::Stale);
        }
        if stored.origin != Origin::HandMade {
            return Err(HubError::Conflict {
                reason: "the device announces its entities itself".into(),
            });
        }
        Ok(stored)
    }

    /// Publishes a payload on purpose, on a topic that is no other device's.
    pub(super) fn send_test(&self, test: TestPayload, by: &By) -> Result<(), HubError> {
        let TestPayload {
            device,
            topic,
            payload,
        } = test;
        valid_topic(&topic).map_err(|e| HubError::invalid("topic", &e))?;
        if topic.starts_with('$') || self.is_announcing(&topic) {
            let problem = "is not for test payloads: nothing that a device takes comes there";
            return Err(HubError::invalid("topic", problem));
        }
        if payload.len() > TEST_MAX {
            let problem = format!("must have at most {TEST_MAX} bytes");
            return Err(HubError::invalid("payload", &problem));
        }
        if let Some(owner) = self.owner_besides(&topic, device.as_ref()) {
            let problem = format!("`{topic}` belongs to the device {owner}");
            return Err(HubError::invalid("topic", &problem));
        }
        let services = &self.tools.services;
        let (Some(mqtt), true) = (
            services.wire.mqtt(),
            services.broker_up.load(Ordering::SeqCst),
        ) else {
            return Err(HubError::Conflict {
                reason: "the broker is not connected".into(),
            });
        };
        let detail = json!({ "device": device, "bytes": payload.len() });
        mqtt.publish_test(&topic, Bytes::from(payload));
        self.audit(by, "test_payload_sent", &topic, detail);
        Ok(())
    }

    fn is_announcing(&self, topic: &str) -> bool {
        let rest = topic.strip_prefix(self.tools.rules.prefix.as_str());
        rest.is_some_and(|rest| rest.starts_with('/'))
    }
}

#[cfg(test)]
#[path = "bench_tests.rs"]
mod tests;
