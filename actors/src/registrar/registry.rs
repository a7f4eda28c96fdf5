//! What the registrar knows and works with.
//!
//! Owner of the registrar's state: index, waiting room, what was heard since the
//! connect. It is rebuilt from the store; it must never be the only place of
//! anything that matters.

use super::index::Index;
use super::waiting::WaitingRoom;
use super::{By, SharedRooms};
use crate::SharedAccess;
use crate::accounts::Accounts;
use crate::error::HubError;
use crate::house::Change;
use crate::root::Kept;
use crate::services::Services;
use crate::setup::{self, Newcomer, Past};
use crate::supervisor::SupervisorMsg;
use data_encoding::HEXLOWER;
use iothome_engine::device::{DeviceSetup, Input};
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_store::{AuditEntry, DevicePatch, Store, StoredDevice};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long withdrawn entities are kept for return under the same id.
const WITHDRAWN_KEPT_MS: i64 = 30 * 24 * 3_600 * 1_000;

/// Configuration topics whose last payload is remembered. Beyond it the memory starts anew: then
/// a replay is parsed once more, which is cheap.
const SEEN_MAX: usize = 65_536;

/// Changed devices that are read one at a time.
const ONE_BY_ONE: usize = 32;

/// How long the start or end of a device's actor is waited for.
const ACTOR_MAX: Duration = Duration::from_secs(5);

/// How discovery is done.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Whether the hub manages the broker's users.
    pub(crate) managed: bool,
    /// Whether new devices become devices by themselves.
    pub(crate) accept: bool,
    /// The discovery prefix.
    pub(crate) prefix: String,
}

/// Ends the connections of a broker user.
pub type Cut = Arc<dyn Fn(&str) + Send + Sync>;

/// What the registrar works with.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) services: Arc<Services>,
    pub(crate) store: Store,
    pub(crate) supervisor: Arc<Kept<SupervisorMsg>>,
    pub(crate) access: SharedAccess,
    pub(crate) cut: Option<Cut>,
    pub(crate) accounts: Accounts,
    pub(crate) rules: Rules,
}

/// The registrar's state.
pub(crate) struct Registry {
    pub(super) tools: Tools,
    pub(super) index: Index,
    pub(crate) waiting: WaitingRoom,
    /// Digest of the last payload dealt with, by configuration topic.
    pub(super) seen: HashMap<String, [u8; 32]>,
    /// Configuration topics heard since the connect.
    pub(super) heard: HashSet<String>,
    /// Entities that were not announced within the grace.
    pub(super) missing: HashMap<DeviceId, Vec<EntityId>>,
    epoch: u64,
    pub(super) shown_change: bool,
    pub(super) rooms: SharedRooms,
}

impl Registry {
    /// Builds the state from the store.
    pub(crate) async fn load(tools: Tools, rooms: SharedRooms) -> Result<Self, HubError> {
        let mut registry = Self {
            index: Index::default(),
            waiting: WaitingRoom::default(),
            seen: HashMap::new(),
            heard: HashSet::new(),
            missing: HashMap::new(),
            epoch: 0,
            shown_change: false,
            rooms,
            tools,
        };
        for stored in registry.tools.store.devices().await? {
            let setup = registry.setup(&stored);
            registry.index.put(&stored, &setup);
            // What is stored is what was announced: its replay is no work, not even parsing.
            for entity in stored.entities.iter().filter(|e| e.withdrawn_at.is_none()) {
                if let (Some(topic), Some(hash)) = (&entity.config_topic, &entity.config_hash) {
                    registry.remember_hash(topic, hash);
                }
            }
        }
        registry.read_rooms().await?;
        registry.restore_missing();
        registry.restore_waiting().await?;
        Ok(registry)
    }

    /// What is marked as not announced in the house, if this is not the registrar's first life.
    fn restore_missing(&mut self) {
        for cell in self.tools.services.house.cells() {
            let view = cell.view();
            let marked = view.entities.iter().filter(|e| e.not_announced);
            let marked: Vec<EntityId> = marked.map(|e| e.id.clone()).collect();
            if !marked.is_empty() {
                self.missing.insert(view.id.clone(), marked);
            }
        }
    }

    /// The setup of a stored device as it stands now.
    pub(super) fn setup(&self, stored: &StoredDevice) -> DeviceSetup {
        let missing = self.missing.get(&stored.id);
        let past = |entity: &EntityId| Past {
            restored: None,
            not_announced: missing.is_some_and(|m| m.contains(entity)),
        };
        let services = &self.tools.services;
        let shared = services.shared.load();
        setup::setup_of(stored, &shared.templates, &services.complaints, past)
    }

    /// Writes the change down and tells the device's actor. Answers the new version.
    pub(super) async fn change(
        &mut self,
        device: &DeviceId,
        patch: &DevicePatch,
        version: Option<i64>,
    ) -> Result<StoredDevice, HubError> {
        self.tools
            .store
            .update_device(device, patch, version)
            .await?;
        let stored = self.tools.store.device(device).await?;
        let stored = stored.ok_or(HubError::NotFound)?;
        let setup = self.setup(&stored);
        self.index.put(&stored, &setup);
        let supervisor = &self.tools.supervisor;
        supervisor.cast(SupervisorMsg::Reconfigure(Box::new(setup)));
        Ok(stored)
    }

    /// Tells the actors of devices that were just written down how they are placed now.
    pub(super) async fn follow(&mut self, devices: &[DeviceId]) -> Result<(), HubError> {
        // Reading one by one is quicker for a room, reading all is quicker for a house.
        let stored = if devices.len() > ONE_BY_ONE {
            let wanted: HashSet<&DeviceId> = devices.iter().collect();
            let mut all = self.tools.store.devices().await?;
            all.retain(|d| wanted.contains(&d.id));
            all
        } else {
            let mut some = Vec::with_capacity(devices.len());
            for device in devices {
                some.extend(self.tools.store.device(device).await?);
            }
            some
        };
        for stored in stored {
            let setup = self.setup(&stored);
            self.index.put(&stored, &setup);
            let supervisor = &self.tools.supervisor;
            supervisor.cast(SupervisorMsg::Reconfigure(Box::new(setup)));
        }
        Ok(())
    }

    /// Starts the actors of devices that were just written down.
    pub(super) async fn start(&mut self, devices: Vec<StoredDevice>) -> Result<(), HubError> {
        let mut newcomers = Vec::with_capacity(devices.len());
        for stored in devices {
            let setup = self.setup(&stored);
            self.index.put(&stored, &setup);
            newcomers.push(Newcomer::fresh(setup));
        }
        let (reply, started) = oneshot::channel();
        self.tools
            .supervisor
            .cast(SupervisorMsg::Start(newcomers, reply));
        match tokio::time::timeout(ACTOR_MAX, started).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(HubError::Busy),
        }
    }

    /// Ends the actor of a device that was just deleted.
    pub(super) async fn stop(&mut self, device: &DeviceId) {
        self.index.remove(device);
        self.missing.remove(device);
        let (reply, stopped) = oneshot::channel();
        let supervisor = &self.tools.supervisor;
        supervisor.cast(SupervisorMsg::Remove(device.clone(), reply));
        if !matches!(tokio::time::timeout(ACTOR_MAX, stopped).await, Ok(Ok(()))) {
            tracing::warn!(%device, "the deleted device's actor has not ended yet");
        }
    }

    /// The broker is connected and will replay what is retained. Answers the number of this connect.
    pub(super) fn broker_up(&mut self) -> u64 {
        self.heard.clear();
        self.epoch += 1;
        self.epoch
    }

    /// Marks what was not announced since the connect with that number.
    pub(super) fn grace_over(&mut self, epoch: u64) {
        // While the broker is away nothing can be announced; the next connect asks again.
        let away = !self.tools.services.broker_up.load(Ordering::SeqCst);
        if epoch != self.epoch || away {
            return;
        }
        let heard = &self.heard;
        let missing: HashMap<DeviceId, Vec<EntityId>> = self
            .index
            .iter()
            .map(|(device, known)| {
                let unheard = known
                    .announced
                    .iter()
                    .filter(|(_, topic)| !heard.contains(topic));
                (device.clone(), unheard.map(|(id, _)| id.clone()).collect())
            })
            .filter(|(_, entities): &(_, Vec<_>)| !entities.is_empty())
            .collect();
        let before = std::mem::replace(&mut self.missing, missing);
        let all = before.keys().chain(self.missing.keys());
        let all: HashSet<DeviceId> = all.cloned().collect();
        for device in all {
            if before.get(&device) != self.missing.get(&device) {
                self.tell_missing(&device);
            }
        }
    }

    /// The topic was heard: its entities are announced.
    pub(super) fn heard(&mut self, topic: &str) {
        if !self.heard.contains(topic) {
            self.heard.insert(topic.to_owned());
        }
        let Some(device) = self.index.by_config_topic(topic).cloned() else {
            return;
        };
        let announced = self.index.announced(&device);
        let Some(missing) = self.missing.get_mut(&device) else {
            return;
        };
        let before = missing.len();
        missing.retain(|id| !announced.iter().any(|(e, t)| e == id && t == topic));
        let changed = missing.len() != before;
        if changed {
            self.tell_missing(&device);
        }
        if self.missing.get(&device).is_some_and(Vec::is_empty) {
            self.missing.remove(&device);
        }
    }

    fn tell_missing(&self, device: &DeviceId) {
        let entities = self.missing.get(device).cloned().unwrap_or_default();
        if let Some(cell) = self.tools.services.house.cell(device) {
            let input = Input::NotAnnounced { entities };
            cell.cast(crate::device::DeviceMsg::input(input));
        }
    }

    /// Remembers what was dealt with in an earlier life.
    pub(super) fn remember_hash(&mut self, topic: &str, hash: &str) {
        let digest = HEXLOWER.decode(hash.as_bytes()).ok();
        if let Some(digest) = digest.and_then(|d| d.try_into().ok()) {
            self.remember(topic, digest);
        }
    }

    /// Remembers what was dealt with.
    pub(super) fn remember(&mut self, topic: &str, digest: [u8; 32]) {
        if self.seen.len() >= SEEN_MAX {
            self.seen.clear();
        }
        self.seen.insert(topic.to_owned(), digest);
    }

    /// Entities that were withdrawn long ago go for good.
    pub(super) async fn drop_withdrawn(&mut self) {
        let before = self
            .tools
            .services
            .clock
            .now()
            .plus_millis(-WITHDRAWN_KEPT_MS);
        let devices = match self.tools.store.devices().await {
            Ok(devices) => devices,
            Err(problem) => {
                tracing::error!(%problem, "withdrawn entities are looked at again tomorrow");
                return;
            }
        };
        for stored in devices {
            let old = stored
                .entities
                .iter()
                .filter(|e| e.withdrawn_at.is_some_and(|t| t < before));
            let removed: Vec<_> = old.map(|e| e.id.clone()).collect();
            if removed.is_empty() {
                continue;
            }
            let patch = DevicePatch {
                removed,
                ..DevicePatch::default()
            };
            if let Err(problem) = self.change(&stored.id, &patch, None).await {
                tracing::error!(device = %stored.id, %problem, "withdrawn entities stay for now");
            }
        }
    }

    /// Writes an audit entry.
    pub(super) fn audit(&self, by: &By, action: &str, target: &str, detail: serde_json::Value) {
        let services = &self.tools.services;
        services.journal.audit(AuditEntry {
            at: services.clock.now(),
            user: by.user,
            name: by.name.clone(),
            action: action.to_owned(),
            target: target.to_owned(),
            detail,
        });
    }

    /// Whether who waits has changed since the last call.
    pub(super) fn take_shown_change(&mut self) -> bool {
        std::mem::take(&mut self.shown_change)
    }

    pub(super) fn tell_directory(&self) {
        self.tools.services.tell(Change::Directory);
    }
}
