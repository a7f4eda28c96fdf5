//! What an announcement leads to: no work, an update, or a device that waits.
//!
//! Owner of the order in which announcements are judged. The topic decides who
//! speaks; it must never let one sender speak for another's device.

use super::plan;
use super::registry::Registry;
use super::waiting::Judged;
use crate::error::HubError;
use bytes::Bytes;
use iothome_engine::access::{Verdict, judge};
use iothome_engine::discovery::{self, Announced, Announcement};
use iothome_engine::ids::DeviceId;
use iothome_store::NewDevice;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An announcement as it came: topic and payload.
type Raw = (String, Bytes);

/// An announcement that concerns an accepted device.
struct Update {
    announced: Announced,
    raw: Raw,
}

impl Registry {
    /// Deals with a batch; answers those that must be tried again.
    pub(super) async fn announced(&mut self, batch: Vec<Raw>) -> Vec<Raw> {
        let mut updates: BTreeMap<DeviceId, Vec<Update>> = BTreeMap::new();
        let mut failed = Vec::new();
        for (topic, payload) in batch {
            let digest: [u8; 32] = Sha256::digest(&payload).into();
            if !payload.is_empty() && self.seen.get(&topic) == Some(&digest) {
                metrics::counter!("iothome_announcements_same_total").increment(1);
                self.heard(&topic);
                continue;
            }
            match self.parse(&topic, &payload) {
                Some(Announcement::Removed { .. }) => {
                    if !self.withdrawn(&topic).await {
                        failed.push((topic, payload));
                    }
                }
                Some(Announcement::Announced(announced)) => {
                    self.remember(&topic, digest);
                    let raw = (topic, payload);
                    match self.route(announced, &raw).await {
                        Ok(None) => {}
                        Ok(Some((device, announced))) => {
                            updates
                                .entry(device)
                                .or_default()
                                .push(Update { announced, raw });
                        }
                        Err(()) => failed.push(raw),
                    }
                }
                // The old topic of entities that move to a new one: they are updated there.
                Some(Announcement::Migrate | Announcement::Unsupported { .. }) | None => {
                    self.remember(&topic, digest);
                }
            }
        }
        for (device, updates) in updates {
            failed.extend(self.update_announced(&device, updates).await);
        }
        if self.tools.rules.accept {
            self.accept_fresh().await;
        }
        self.write_waiting().await;
        for (topic, _) in &failed {
            self.seen.remove(topic);
        }
        failed
    }

    fn parse(&self, topic: &str, payload: &[u8]) -> Option<Announcement> {
        let services = &self.tools.services;
        let shared = services.shared.load();
        let prefix = &self.tools.rules.prefix;
        // A bug in the parser must cost this announcement, not all that wait with it.
        let parsed = catch_unwind(AssertUnwindSafe(|| {
            discovery::parse(prefix, topic, payload, &shared.templates)
        }));
        match parsed {
            Ok(Ok(announcement)) => {
                if let Announcement::Unsupported { component } = &announcement {
                    // Not the device's fault: it is counted, not complained of.
                    metrics::counter!("iothome_announcements_unsupported_total").increment(1);
                    tracing::debug!(topic, component, "not supported yet");
                }
                Some(announcement)
            }
            Ok(Err(problem)) => {
                services.complaints.note(topic, &problem.to_string());
                None
            }
            Err(_) => {
                services
                    .complaints
                    .note(topic, "the announcement broke the parser");
                None
            }
        }
    }

    /// Decides whom the announcement concerns. `Err`: the store could not be asked.
    async fn route(
        &mut self,
        announced: Announced,
        (topic, payload): &Raw,
    ) -> Result<Option<(DeviceId, Announced)>, ()> {
        let services = &self.tools.services;
        for (component, why) in &announced.skipped {
            services
                .complaints
                .note(topic, &format!("{component}: {why}"));
        }
        let device = self.device_of(&announced);
        let (sender, conflict) = self.judge(&announced, device.as_ref());
        if let (Some(device), None) = (&device, &conflict) {
            self.leave_waiting(topic);
            return Ok(Some((device.clone(), announced)));
        }
        if announced.entities.is_empty() {
            return Ok(None);
        }
        let removed = device.is_none() && self.is_tombstone(&announced, sender.as_deref()).await?;
        let judged = Judged {
            sender,
            conflict,
            removed,
        };
        let now = self.tools.services.clock.now();
        let text = String::from_utf8_lossy(payload);
        if self.waiting.note(&announced, &text, judged, now).is_none() {
            let services = &self.tools.services;
            services
                .complaints
                .note("discovery", "too many devices wait; more are not noted");
        }
        self.shown_change = true;
        Ok(None)
    }

    /// The accepted device that this is about: by its identity, or made known in advance with a
    /// broker user of its own.
    fn device_of(&self, announced: &Announced) -> Option<DeviceId> {
        if let Some(device) = self.index.by_identity(&announced.identity.keys) {
            return Some(device.clone());
        }
        let access = self.tools.access.load();
        let owner = access.owner_of(&announced.topic)?;
        self.index.has(owner).then(|| owner.clone())
    }

    /// Who sent it, and why it cannot be accepted.
    pub(super) fn judge(
        &self,
        announced: &Announced,
        device: Option<&DeviceId>,
    ) -> (Option<String>, Option<String>) {
        let configs = announced.entities.iter().map(|e| &e.config);
        let reads: Vec<&str> = configs.clone().flat_map(|c| c.read_topics()).collect();
        let writes: Vec<&str> = configs.flat_map(|c| c.write_topics()).collect();
        let access = self.tools.access.load();
        let managed = self.tools.rules.managed;
        let owner = |topic: &str| self.index.owner(topic);
        let verdict = judge(
            &access,
            managed,
            &announced.topic,
            &reads,
            &writes,
            owner,
            device,
        );
        match verdict {
            Verdict::NotVerified => (None, None),
            Verdict::Conflict { reason } => (None, Some(reason)),
            Verdict::Verified { username } => {
                let stranger = device.filter(|d| !self.index.speaks_for(&access, &username, d));
                let conflict = stranger.map(|d| {
                    format!("it claims to be the device {d}, for which {username} does not speak")
                });
                (Some(username), conflict)
            }
        }
    }

    async fn is_tombstone(&self, announced: &Announced, sender: Option<&str>) -> Result<bool, ()> {
        let keys = &announced.identity.keys;
        if self.waiting.with_keys(sender, keys).is_some() {
            // Already asked when it was first noted.
            return Ok(false);
        }
        match self.tools.store.identity_owner(keys).await {
            Ok(owner) => Ok(owner.is_some_and(|(_, deleted)| deleted)),
            Err(problem) => {
                tracing::error!(%problem, "an announcement is looked at again");
                Err(())
            }
        }
    }

    /// It is a part of an accepted device now.
    fn leave_waiting(&mut self, topic: &str) {
        if self.waiting.on_topic(topic).is_some() {
            self.waiting.forget_topic(topic);
            self.shown_change = true;
        }
    }

    /// An empty configuration. `false` if the store could not be written.
    async fn withdrawn(&mut self, topic: &str) -> bool {
        self.seen.remove(topic);
        self.leave_waiting(topic);
        let Some(device) = self.index.by_config_topic(topic).cloned() else {
            return true;
        };
        let now = self.tools.services.clock.now();
        let stored = match self.tools.store.device(&device).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return true,
            Err(problem) => {
                tracing::error!(%device, %problem, "an entity's withdrawal is tried again");
                return false;
            }
        };
        let patch = plan::withdrawal(&stored, topic, now);
        if plan::is_empty(&patch) {
            return true;
        }
        if let Err(problem) = self.change(&device, &patch, None).await {
            tracing::error!(%device, %problem, "an entity's withdrawal could not be written");
            return !matches!(problem, HubError::Store(e) if e.is_passing());
        }
        tracing::info!(%device, topic, "entities were taken from view");
        true
    }

    /// Updates an accepted device; answers what must be tried again.
    async fn update_announced(&mut self, device: &DeviceId, updates: Vec<Update>) -> Vec<Raw> {
        let outcome = self.try_update(device, &updates).await;
        match outcome {
            Ok(()) => {
                for update in &updates {
                    self.heard(&update.raw.0);
                }
                Vec::new()
            }
            Err(HubError::Store(problem)) if problem.is_passing() => {
                tracing::error!(%device, %problem, "the device's announcement is tried again");
                updates.into_iter().map(|u| u.raw).collect()
            }
            Err(problem) => {
                // Trying again would change nothing; the device goes on as it was.
                let complaints = &self.tools.services.complaints;
                complaints.note(device.as_str(), &format!("its announcement: {problem}"));
                Vec::new()
            }
        }
    }

    async fn try_update(&mut self, device: &DeviceId, updates: &[Update]) -> Result<(), HubError> {
        let Some(stored) = self.tools.store.device(device).await? else {
            return Ok(());
        };
        let gone = self.tools.store.removed_entity_ids(device).await?;
        let announced: Vec<Announced> = updates.iter().map(|u| u.announced.clone()).collect();
        let now = self.tools.services.clock.now();
        let mut patch = plan::update(&stored, &announced, &gone, now);
        // A key that another device goes by stays that device's.
        let free = |key: &String| self.index.by_identity(std::slice::from_ref(key)).is_none();
        patch.identity.retain(free);
        if plan::is_empty(&patch) {
            metrics::counter!("iothome_announcements_same_total").increment(1);
            return Ok(());
        }
        self.change(device, &patch, None).await?;
        tracing::info!(%device, entities = patch.entities.len(), "the device's announcement changed it");
        Ok(())
    }

    /// Writes down who waits. What fails stays unwritten, and is tried again.
    pub(super) async fn write_waiting(&mut self) {
        if !self.waiting.is_changed() {
            return;
        }
        self.shown_change = true;
        let (rows, gone) = self.waiting.unwritten();
        let store = &self.tools.store;
        let mut outcome = store.put_new_devices(&rows).await;
        for id in &gone {
            if outcome.is_ok() {
                outcome = store.delete_new_device(id).await.map(|_| ());
            }
        }
        match outcome {
            Ok(()) => self.waiting.written(),
            Err(problem) => tracing::error!(%problem, "new devices are written down later"),
        }
    }

    /// Takes back who waited before the start, judged anew.
    pub(super) async fn restore_waiting(&mut self) -> Result<(), HubError> {
        for row in self.tools.store.new_devices().await? {
            self.waiting.restore(&row);
            for config in &row.announced {
                self.remember_hash(&config.topic, &config.hash);
            }
            for announced in self.parse_row(&row) {
                let device = self.device_of(&announced.0);
                let (sender, conflict) = self.judge(&announced.0, device.as_ref());
                if device.is_some() && conflict.is_none() {
                    // It was accepted, and the hub ended before the row went.
                    self.waiting.forget(&row.id);
                    break;
                }
                let judged = Judged {
                    sender,
                    conflict,
                    removed: false,
                };
                self.waiting
                    .note_stored(&row.id, &announced.0, &announced.1, judged);
            }
        }
        self.write_waiting().await;
        self.shown_change = true;
        Ok(())
    }

    /// The announcements of a waiting device that still parse.
    pub(super) fn parse_row(&self, row: &NewDevice) -> Vec<(Announced, String)> {
        let parsed = row.announced.iter().filter_map(|config| {
            match self.parse(&config.topic, config.payload.as_bytes()) {
                Some(Announcement::Announced(announced)) => {
                    Some((announced, config.payload.clone()))
                }
                _ => None,
            }
        });
        parsed.collect()
    }
}
