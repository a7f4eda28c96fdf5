//! The embedded MQTT broker of IoT Home: TLS, credentials and access lists from the hub.
//!
//! Owner of the broker's listener, its folder and its limits. It decides nothing
//! about who may do what: it asks the access list that the hub keeps. It must
//! never listen without TLS, and never let a type of the broker crate out.

mod door;
mod error;
mod guests;

pub use error::BrokerError;
pub use guests::ConnectedClient;

use arc_swap::ArcSwap;
use door::Door;
use guests::Guests;
use iothome_engine::access::{AccessList, Credential};
use mqtt5::broker::config::{BrokerConfig as Mqtt5Config, StorageConfig, TlsConfig};
use mqtt5::broker::router::{DeliveryLanes, MessageRouter};
use mqtt5::broker::{
    BrokerShutdownHandle, DynamicStorage, MqttBroker, StorageBackend as _, StorageBackendType,
};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Larger than any discovery bundle seen in the field (Zigbee2MQTT: tens of kilobytes).
const MAX_PACKET_BYTES: usize = 256 * 1024;
/// A retained message is a state or a configuration; the rest of a packet's bound is not needed.
const MAX_RETAINED_BYTES: usize = 64 * 1024;
/// 10,000 devices with a configuration, a state and an availability, and room for more.
const MAX_RETAINED: usize = 50_000;
/// A device that slept longer than an hour asks for its state anew.
const MAX_SESSION_EXPIRY: Duration = Duration::from_secs(3_600);
/// A device subscribes to a handful of topics; a bridge to some hundred.
const MAX_SUBSCRIPTIONS: usize = 1_000;
/// What may wait for one client that is away: enough for a bridge's burst.
const MAX_QUEUED: usize = 10_000;
/// The same in bytes, so that one client cannot fill the memory of a small machine.
const MAX_QUEUED_BYTES: usize = 8 * 1024 * 1024;
/// Far above a house of 10,000 devices; the system's limit on open files is the real bound.
const MAX_CLIENTS: usize = 20_000;
/// Starting means reading a folder; longer than this is a broken disk.
const START_WITHIN: Duration = Duration::from_secs(20);
/// The hub as a whole has three seconds to stop.
const STOP_WITHIN: Duration = Duration::from_millis(1_500);

/// Where the broker listens and keeps its things.
#[derive(Debug)]
pub struct BrokerConfig {
    /// The TLS listener; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate chain in PEM form.
    pub cert_pem: PathBuf,
    /// Its private key in PEM form.
    pub key_pem: PathBuf,
    /// Folder for sessions and retained messages.
    pub data_dir: PathBuf,
    /// The hub's own way in, apart from the devices' access list and never stored.
    pub hub: Option<Credential>,
}

/// A running broker; dropping it stops it.
pub struct Broker {
    address: SocketAddr,
    guests: Arc<Guests>,
    door: Arc<Door>,
    reach: Reach,
    stop: BrokerShutdownHandle,
    running: Option<JoinHandle<()>>,
    runtime: Handle,
}

/// What is needed to end a connection.
#[derive(Clone)]
struct Reach {
    router: Arc<MessageRouter>,
    storage: Option<Arc<DynamicStorage>>,
}

/// Starts the broker and returns once it accepts connections.
///
/// `access` is asked at every connection, publication and subscription, so a
/// change counts at once for what comes after it; [`Broker::cut`] ends what is
/// already connected.
pub async fn start(
    config: BrokerConfig,
    access: Arc<ArcSwap<AccessList>>,
) -> Result<Broker, BrokerError> {
    // The broker crate takes the process's provider; a second installation changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    check_address(config.listen)?;
    std::fs::create_dir_all(&config.data_dir).map_err(|source| BrokerError::Folder {
        path: config.data_dir.clone(),
        source,
    })?;

    let guests = Arc::new(Guests::default());
    let door = Arc::new(Door::new(access, config.hub.clone(), Arc::clone(&guests)));
    let mut settings = limits(&config);
    settings.event_handler = Some(door.clone());
    let mut mqtt = MqttBroker::with_config(settings)
        .await
        .map_err(|error| BrokerError::from_mqtt(config.listen, &error))?
        .with_auth_provider(door.clone());
    let address = mqtt.tls_local_addr().ok_or(BrokerError::PortInUse {
        addr: config.listen,
    })?;
    let reach = Reach {
        router: mqtt.router(),
        storage: mqtt.storage(),
    };
    door.set_cutter(cutter(&reach));
    let stop = mqtt.shutdown_handle();
    let mut ready = mqtt.ready_receiver();
    let running = tokio::spawn(async move {
        if let Err(error) = mqtt.run().await {
            tracing::error!(%error, "the embedded broker stopped");
        }
    });
    let broker = Broker {
        address,
        guests,
        door,
        reach,
        stop,
        running: Some(running),
        runtime: Handle::current(),
    };
    match tokio::time::timeout(START_WITHIN, ready.changed()).await {
        Ok(Ok(())) => Ok(broker),
        _ => Err(BrokerError::NotReady {
            path: config.data_dir,
        }),
    }
}

/// Finds out early and exactly whether the address is free: the broker crate only warns.
fn check_address(addr: SocketAddr) -> Result<(), BrokerError> {
    match std::net::TcpListener::bind(addr) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Err(BrokerError::PortInUse { addr })
        }
        Err(source) => Err(BrokerError::Address { addr, source }),
    }
}

fn limits(config: &BrokerConfig) -> Mqtt5Config {
    let tls = TlsConfig::new(config.cert_pem.clone(), config.key_pem.clone())
        .with_bind_addresses(vec![config.listen]);
    let storage = StorageConfig::new()
        .with_backend(StorageBackendType::File)
        .with_base_dir(config.data_dir.clone())
        .with_max_queued_messages_per_client(MAX_QUEUED)
        .with_max_queued_bytes_per_client(MAX_QUEUED_BYTES);
    let mut settings = Mqtt5Config::default()
        .with_bind_addresses(Vec::new())
        .with_tls(tls)
        .with_storage(storage)
        .with_max_clients(MAX_CLIENTS)
        .with_max_packet_size(MAX_PACKET_BYTES)
        .with_max_retained_messages(MAX_RETAINED)
        .with_max_retained_message_size(MAX_RETAINED_BYTES)
        .with_max_subscriptions_per_client(MAX_SUBSCRIPTIONS)
        .with_session_expiry(MAX_SESSION_EXPIRY)
        .with_sys_topics_enabled(false);
    // The door refuses whoever has no credential; `false` here would demand a password file.
    settings.auth_config.allow_anonymous = true;
    // A house that comes back after a power cut connects all at once from few addresses.
    settings.auth_config.rate_limit.enabled = false;
    settings
}

impl Broker {
    /// The address it listens on, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every live connection of this user and forgets its sessions.
    pub fn cut(&self, username: &str) {
        for client_id in self.guests.of(username) {
            self.runtime
                .spawn(end_connection(self.reach.clone(), client_id));
        }
    }

    /// Who is connected now.
    pub fn clients(&self) -> Vec<ConnectedClient> {
        self.guests.all()
    }

    /// How many connections, publications and subscriptions were refused since the start.
    pub fn refused(&self) -> u64 {
        self.door.refused()
    }

    /// Says goodbye to every client, writes what is to be kept and stops listening.
    pub async fn stop(mut self) {
        self.stop.shutdown();
        let Some(running) = self.running.take() else {
            return;
        };
        let abort = running.abort_handle();
        if tokio::time::timeout(STOP_WITHIN, running).await.is_err() {
            tracing::warn!("the embedded broker did not stop in time and was ended");
            abort.abort();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop.shutdown();
    }
}

/// The router holds the door as its event handler, so the door holds the router weakly:
/// else neither would ever let go of the folder's lock.
fn cutter(reach: &Reach) -> Box<dyn Fn(String) + Send + Sync> {
    let router = Arc::downgrade(&reach.router);
    let storage = reach.storage.as_ref().map(Arc::downgrade);
    let runtime = Handle::current();
    Box::new(move |client_id| {
        let Some(router) = router.upgrade() else {
            return;
        };
        let storage = storage.as_ref().and_then(Weak::upgrade);
        runtime.spawn(end_connection(Reach { router, storage }, client_id));
    })
}

/// Takes the client's place as a newer connection would, which makes the broker close the old
/// one, and leaves neither subscriptions nor a session behind.
async fn end_connection(reach: Reach, client_id: String) {
    let slot = reach.router.lock_session(&client_id).await;
    let (lanes, _lanes) = DeliveryLanes::channel(1);
    let (displaced, _displaced) = oneshot::channel();
    let queue = reach.router.queue_handle(&client_id);
    let taken = reach
        .router
        .register_session(client_id.clone(), lanes, queue, displaced, true)
        .await;
    if let Some(storage) = &reach.storage
        && let Err(error) = storage.remove_session(&client_id).await
    {
        tracing::warn!(client_id, %error, "a session that was cut could not be removed");
    }
    reach
        .router
        .release_client(&client_id, taken.generation, false)
        .await;
    drop(slot);
}
