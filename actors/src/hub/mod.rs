//! The hub: the handle through which everybody speaks to the house.
//!
//! Owner of what the web and the binary may do with the house. Clones lead to the
//! same hub. It must never let an actor's reference out, and it does nothing by
//! itself: each call is handed to the actor whose business it is.

mod ask;
mod bench;
mod broker_users;
mod figures;
mod housekeeping;
mod people;
mod places;
mod start;
mod stop;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod schedule_edit_tests;
#[cfg(test)]
mod schedule_tests;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use start::supervisor_recipe;

pub use ask::Asked;
pub use figures::Queue;
pub use people::{NewPerson, PASSWORD_MIN, PersonPatch, check_password, check_user_name};
pub use places::SharedFavourites;

use crate::accounts::{Accounts, Seal};
use crate::clock::Clock;
use crate::error::HubError;
use crate::house::{Change, House};
use crate::mqtt::MqttConfig;
use crate::passwords::Passwords;
use crate::registrar::{
    Accept, By, Cut, DevicePatch, IssuedCredential, NewDevice, NewDeviceView, Registrar,
    RegistrarMsg,
};
use crate::root::{Kept, RootMsg};
use crate::scheduler::{Scheduler, Scheduling};
use crate::services::Services;
use crate::sessions::Sessions;
use crate::supervisor::SupervisorMsg;
use arc_swap::ArcSwap;
use iothome_engine::access::AccessList;
use iothome_engine::ids::DeviceId;
use iothome_engine::policy::Subject;
use iothome_engine::time::Timestamp;
use iothome_engine::view::DeviceView;
use iothome_store::{AuditEntry, Store};
use iothome_tls::Seen;
use ractor::ActorRef;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, oneshot};

/// The broker's access list: replaced whole, read by the broker at each packet.
pub type SharedAccess = Arc<ArcSwap<AccessList>>;

/// How long a changed device may take to show itself.
const SHOW_MAX: Duration = Duration::from_secs(1);

/// What becomes of devices that announce themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiscoveryMode {
    /// They wait until somebody accepts them.
    #[default]
    Ask,
    /// They become devices, unless there is a conflict.
    Accept,
    /// Nobody listens to them.
    Off,
}

/// How a hub is set up.
#[derive(Clone)]
pub struct HubConfig {
    /// The connection to the broker.
    pub mqtt: MqttConfig,
    /// The broker's address as devices and people know it.
    pub broker_address: String,
    /// Whether the hub manages the broker's users.
    pub managed: bool,
    /// What becomes of devices that announce themselves.
    pub discovery: DiscoveryMode,
    /// The first level of discovery topics; `homeassistant`.
    pub discovery_prefix: String,
    /// The broker's access list, from [`crate::load_access`].
    pub access: SharedAccess,
    /// Ends the connections of a broker user, if the broker is embedded.
    pub cut: Option<Cut>,
    /// Keeps passwords for a broker whose dynamic-security plugin the hub manages; `None` if
    /// there is no such broker.
    pub dynsec: Option<Seal>,
    /// SHA-256 of the broker's certificate, if it is known.
    pub sha256: Option<String>,
    /// SHA-1 of the broker's certificate, if it is known.
    pub sha1: Option<String>,
    /// The certificate that the broker showed last; it says more than the two above.
    pub seen: Seen,
    /// How many passwords are hashed at once.
    pub password_workers: usize,
    /// How scheduling is set up.
    pub scheduling: Scheduling,
}

/// The broker as pages and REST show it.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerStatus {
    /// Its address as devices know it.
    pub address: String,
    /// Whether the hub is connected to it.
    pub connected: bool,
    /// Since when it is connected, or not.
    pub since: Timestamp,
    /// Why it is not connected.
    pub problem: Option<String>,
    /// SHA-256 of its certificate.
    pub sha256: Option<String>,
    /// SHA-1 of its certificate, for old firmware.
    pub sha1: Option<String>,
    /// Who manages its users: `embedded`, `hub` or `operator`.
    pub managed_by: &'static str,
    /// Commands that it has not acknowledged.
    pub outbox: usize,
    /// Messages received.
    pub received: u64,
    /// Messages dropped: too large, or of an unknown topic.
    pub dropped: u64,
    /// Subscriptions that it refused.
    pub refused_subscriptions: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages received a second, over the last minute.
    pub received_per_second: f64,
    /// Messages sent a second, over the last minute.
    pub sent_per_second: f64,
}

/// The living house. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    config: HubConfig,
    services: Arc<Services>,
    store: Store,
    sessions: Sessions,
    passwords: Passwords,
    registrar: Registrar,
    accounts: Accounts,
    scheduler: Scheduler,
    supervisor: Arc<Kept<SupervisorMsg>>,
    root: ActorRef<RootMsg>,
    keys: ask::Keys,
    watched: places::Watched,
    /// The span of time in which this hub is known to have been alive.
    span: i64,
    started_at: Timestamp,
    stopping: AtomicBool,
}

/// The way to a hub that may be gone.
#[derive(Clone)]
pub(crate) struct WeakHub(std::sync::Weak<Inner>);

impl WeakHub {
    /// The hub, if it is not gone.
    pub(crate) fn upgrade(&self) -> Option<Hub> {
        self.0.upgrade().map(|inner| Hub { inner })
    }
}

/// Reads the broker's access list. It is shared with the broker before the hub starts.
///
/// # Errors
/// Whatever the store says.
pub async fn load_access(store: &Store) -> Result<SharedAccess, HubError> {
    let list = AccessList::new(store.credentials().await?);
    Ok(Arc::new(ArcSwap::from_pointee(list)))
}

impl Hub {
    /// Every device as it is now.
    pub fn house(&self) -> &House {
        &self.inner.services.house
    }

    /// What changes from now on. A receiver that lags must look at the whole house again.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.services.changes.subscribe()
    }

    /// The house's clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.services.clock
    }

    /// The durable state.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Who is signed in.
    pub fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    /// The schedules.
    pub fn scheduler(&self) -> &Scheduler {
        &self.inner.scheduler
    }

    /// A handle that does not keep the house alive, for the house's own actors.
    pub(crate) fn weak(&self) -> WeakHub {
        WeakHub(Arc::downgrade(&self.inner))
    }

    /// The pool that hashes passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    /// Whether the hub manages the broker's users.
    pub fn manages_broker(&self) -> bool {
        self.inner.config.managed
    }

    /// Whether writes of commands succeed.
    pub fn journal_healthy(&self) -> bool {
        self.inner.services.journal.healthy()
    }

    /// Whether the hub is shutting down.
    pub fn is_stopping(&self) -> bool {
        self.inner.stopping.load(Ordering::SeqCst)
    }

    /// The broker and the connection to it.
    pub fn broker(&self) -> BrokerStatus {
        let config = &self.inner.config;
        let status = self.inner.services.wire.mqtt().map(|m| m.status());
        let status = status.unwrap_or_default();
        let seen = config.seen.last();
        let (sha256, sha1) = match seen {
            Some(seen) => (Some(seen.sha256.to_string()), Some(seen.sha1)),
            None => (config.sha256.clone(), config.sha1.clone()),
        };
        BrokerStatus {
            address: config.broker_address.clone(),
            connected: status.connected,
            since: status.since,
            problem: status.problem,
            sha256,
            sha1,
            managed_by: match (config.managed, &config.dynsec) {
                (false, _) => "operator",
                (true, None) => "embedded",
                (true, Some(_)) => "hub",
            },
            outbox: status.outbox,
            received: status.received,
            dropped: status.dropped,
            refused_subscriptions: status.refused_subscriptions,
            sent: status.sent,
            received_per_second: status.received_per_second,
            sent_per_second: status.sent_per_second,
        }
    }

    /// Writes an audit entry, soon.
    pub fn audit(&self, entry: AuditEntry) {
        self.inner.services.journal.audit(entry);
    }

    /// Makes a device by hand, with a broker user of its own if that is wanted and the hub manages
    /// the broker's users.
    ///
    /// # Errors
    /// `Invalid` names the field; `Taken` if the id is or was a device's.
    pub async fn create_device(
        &self,
        new: NewDevice,
        by: &Subject,
    ) -> Result<(Arc<DeviceView>, Option<IssuedCredential>), HubError> {
        self.working()?;
        let (new, by) = (Box::new(new), By::from(by));
        let ask = |reply| RegistrarMsg::Create(new, by, reply);
        let (device, credential) = self.inner.registrar.ask(ask).await?;
        Ok((self.shown(&device)?, credential))
    }

    /// Changes what people may change of a device.
    ///
    /// # Errors
    /// `NotFound`, `Stale` if `if_match` is not its version, `Invalid` names the field.
    pub async fn update_device(
        &self,
        device: &DeviceId,
        patch: DevicePatch,
        if_match: Option<i64>,
        by: &Subject,
    ) -> Result<Arc<DeviceView>, HubError> {
        self.working()?;
        let (id, patch, by) = (device.clone(), Box::new(patch), By::from(by));
        let ask = |reply| RegistrarMsg::Update(id, patch, if_match, by, reply);
        let version = self.inner.registrar.ask(ask).await?;
        self.shown_at(device, version).await
    }

    /// Deletes a device: its commands end, its broker user goes, its history stays.
    ///
    /// # Errors
    /// `NotFound`, `Stale` if `if_match` is not its version.
    pub async fn delete_device(
        &self,
        device: &DeviceId,
        if_match: Option<i64>,
        by: &Subject,
    ) -> Result<(), HubError> {
        self.working()?;
        let (id, by) = (device.clone(), By::from(by));
        let ask = |reply| RegistrarMsg::Delete(id, if_match, by, reply);
        self.inner.registrar.ask(ask).await?;
        self.inner.scheduler.device_removed(device).await;
        Ok(())
    }

    /// Lets a device out of quarantine before its time is over.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if it is not quarantined.
    pub async fn release_device(&self, device: &DeviceId, by: &Subject) -> Result<(), HubError> {
        self.working()?;
        if self.house().device(device).is_none() {
            return Err(HubError::NotFound);
        }
        let (reply, released) = oneshot::channel();
        let message = SupervisorMsg::Release(device.clone(), reply);
        self.inner.supervisor.cast(message);
        match tokio::time::timeout(SHOW_MAX, released).await {
            Ok(Ok(true)) => {
                self.audit_by(
                    by,
                    "device_released",
                    device.as_str(),
                    serde_json::json!({}),
                );
                Ok(())
            }
            Ok(Ok(false)) => Err(HubError::Conflict {
                reason: "the device is not quarantined".into(),
            }),
            Ok(Err(_)) | Err(_) => Err(HubError::Busy),
        }
    }

    /// The devices that announced themselves and wait.
    pub fn new_devices(&self) -> Arc<Vec<Arc<NewDeviceView>>> {
        self.inner.registrar.waiting()
    }

    /// Makes a waiting device a device of the house.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with the reason if it claims what it may not have.
    pub async fn accept_new(
        &self,
        id: &str,
        accept: Accept,
        by: &Subject,
    ) -> Result<Arc<DeviceView>, HubError> {
        self.working()?;
        let (id, by) = (id.to_owned(), By::from(by));
        let ask = |reply| RegistrarMsg::Accept(id, accept, by, reply);
        let device = self.inner.registrar.ask(ask).await?;
        self.shown(&device)
    }

    /// Says that nobody wants a waiting device.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn ignore_new(&self, id: &str, by: &Subject) -> Result<(), HubError> {
        self.working()?;
        let (id, by) = (id.to_owned(), By::from(by));
        let ask = |reply| RegistrarMsg::Ignore(id, by, reply);
        self.inner.registrar.ask(ask).await
    }

    /// Makes a device fail, as a bug would.
    #[cfg(any(test, feature = "test-hooks"))]
    pub fn fail_device(&self, device: &DeviceId) {
        if let Some(cell) = self.house().cell(device) {
            cell.cast(crate::device::DeviceMsg::Fail);
        }
    }

    fn working(&self) -> Result<(), HubError> {
        if self.is_stopping() {
            return Err(HubError::Stopping);
        }
        Ok(())
    }

    fn shown(&self, device: &DeviceId) -> Result<Arc<DeviceView>, HubError> {
        self.house().device(device).ok_or(HubError::NotFound)
    }

    /// The device once it shows this version; what it shows if it takes too long.
    async fn shown_at(&self, device: &DeviceId, version: i64) -> Result<Arc<DeviceView>, HubError> {
        let cell = self.house().cell(device).ok_or(HubError::NotFound)?;
        let shown = async {
            while cell.view().version < version {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(SHOW_MAX, shown).await.is_err() {
            tracing::warn!(%device, "the device does not show its change yet");
        }
        Ok(cell.view())
    }

    fn audit_by(&self, by: &Subject, action: &str, target: &str, detail: serde_json::Value) {
        self.audit(AuditEntry {
            at: self.clock().now(),
            user: Some(by.user),
            name: by.name.clone(),
            action: action.to_owned(),
            target: target.to_owned(),
            detail,
        });
    }
}
