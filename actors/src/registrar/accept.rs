//! Accepting and ignoring devices that wait.
//!
//! Owner of the step from an announcement to a device of the house. It must never
//! accept a conflict, whoever asks.

use super::By;
use super::plan::{self, NAME_MAX};
use super::registry::Registry;
use crate::error::HubError;
use iothome_engine::discovery::Announced;
use iothome_engine::ids::{DeviceId, slug_from_name};
use iothome_store::StoredDevice;
use serde_json::json;
use std::collections::HashSet;

/// Ids tried for a new device: each is `name-2`, `name-3`… of those that were used before.
const IDS_TRIED: usize = 1_000;

/// What somebody says when they accept a device.
#[derive(Clone, Debug, Default)]
pub struct Accept {
    /// Its name, if not the one it gave itself.
    pub name: Option<String>,
    /// Its room.
    pub room: Option<String>,
}

impl Registry {
    /// Makes a waiting device a device of the house.
    pub(super) async fn accept(
        &mut self,
        id: &str,
        accept: Accept,
        by: &By,
    ) -> Result<DeviceId, HubError> {
        let stored = self.admit_waiting(id, accept, by).await?;
        let device = stored.id.clone();
        self.write_waiting().await;
        self.start(vec![stored]).await?;
        Ok(device)
    }

    /// Discovery mode `accept`: all that wait as new become devices, and start together.
    pub(super) async fn accept_fresh(&mut self) {
        let hub = By {
            user: None,
            name: "discovery".to_owned(),
        };
        let mut accepted = Vec::new();
        for id in self.waiting.fresh() {
            match self.admit_waiting(&id, Accept::default(), &hub).await {
                Ok(stored) => accepted.push(stored),
                Err(problem) => tracing::warn!(device = id, %problem, "the new device waits"),
            }
        }
        if !accepted.is_empty()
            && let Err(problem) = self.start(accepted).await
        {
            tracing::error!(%problem, "accepted devices start late");
        }
    }

    /// Writes a waiting device down as one of the house. That it no longer waits is written by the
    /// caller; until then the next start would see by its identity that it is accepted.
    async fn admit_waiting(
        &mut self,
        id: &str,
        accept: Accept,
        by: &By,
    ) -> Result<StoredDevice, HubError> {
        let row = self.waiting.row(id).ok_or(HubError::NotFound)?.clone();
        let name = checked("name", accept.name)?.unwrap_or_else(|| row.name.clone());
        let room = self.checked_room(accept.room)?;
        let parsed = self.parse_row(&row);
        let announced: Vec<Announced> = parsed.into_iter().map(|(a, _)| a).collect();
        if announced.is_empty() {
            let reason = "nothing of its announcement can be understood any more";
            return Err(conflict(reason));
        }
        let sender = self.check_acceptable(&announced)?;
        let device = self.id_for(&name, sender.as_deref()).await?;
        let now = self.tools.services.clock.now();
        let verified = sender.is_some();
        let stored = plan::acceptance(device.clone(), name, room, verified, &announced, now);
        self.tools.store.create_device(&stored, &[]).await?;
        self.look_at_rooms().await;
        self.waiting.forget(id);
        // At once, so that the next of a batch sees whose these topics are now.
        let setup = self.setup(&stored);
        self.index.put(&stored, &setup);
        for one in &announced {
            self.heard.insert(one.topic.clone());
        }
        let detail = json!({ "announced_as": id });
        self.audit(by, "device_accepted", device.as_str(), detail);
        Ok(stored)
    }

    /// Judges all its announcements as things are now; answers the sender, if it is verified.
    fn check_acceptable(&self, announced: &[Announced]) -> Result<Option<String>, HubError> {
        let mut senders = HashSet::new();
        for one in announced {
            if let Some(device) = self.index.by_identity(&one.identity.keys) {
                return Err(conflict(format!("it claims to be the device {device}")));
            }
            let (sender, problem) = self.judge(one, None);
            if let Some(reason) = problem {
                return Err(conflict(reason));
            }
            senders.insert(sender);
        }
        let first = senders.iter().next().cloned().flatten();
        if senders.len() > 1 {
            return Err(conflict("several senders announce parts of it"));
        }
        Ok(first)
    }

    /// The id that its broker user was made for, else one from the name.
    async fn id_for(&self, name: &str, sender: Option<&str>) -> Result<DeviceId, HubError> {
        let access = self.tools.access.load_full();
        let own = sender
            .and_then(|s| access.get(s))
            .and_then(|c| c.device.clone());
        if let Some(device) = own
            && !self.tools.store.device_id_used(device.as_str()).await?
        {
            return Ok(device);
        }
        self.free_device_id(name).await
    }

    /// An id from the name that no device has or had, and that no broker user waits for.
    pub(super) async fn free_device_id(&self, name: &str) -> Result<DeviceId, HubError> {
        let access = self.tools.access.load_full();
        let reserved: HashSet<String> = access
            .iter()
            .filter_map(|c| c.device.as_ref().map(ToString::to_string))
            .collect();
        let mut used = HashSet::new();
        for _ in 0..IDS_TRIED {
            let is_taken = |id: &str| {
                used.contains(id)
                    || reserved.contains(id)
                    || id.parse().is_ok_and(|id: DeviceId| self.index.has(&id))
            };
            let id = slug_from_name(name, "device", is_taken);
            if !self.tools.store.device_id_used(&id).await? {
                return Ok(id.parse().expect("a slug follows the grammar of ids"));
            }
            used.insert(id);
        }
        Err(HubError::Taken { field: "id".into() })
    }

    /// Somebody does not want it.
    pub(super) async fn ignore(&mut self, id: &str, by: &By) -> Result<(), HubError> {
        if !self.waiting.ignore(id) {
            return Err(HubError::NotFound);
        }
        self.write_waiting().await;
        self.audit(by, "device_ignored", id, json!({}));
        Ok(())
    }
}

fn conflict(reason: impl Into<String>) -> HubError {
    HubError::Conflict {
        reason: reason.into(),
    }
}

/// A name or room that a person gave: not empty, not too long, without control characters.
pub(super) fn checked(field: &str, text: Option<String>) -> Result<Option<String>, HubError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(HubError::invalid(field, "must not be empty"));
    }
    if trimmed.chars().count() > NAME_MAX {
        return Err(HubError::invalid(
            field,
            &format!("must have at most {NAME_MAX} characters"),
        ));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(HubError::invalid(field, "must not hold control characters"));
    }
    Ok(Some(trimmed.to_owned()))
}
