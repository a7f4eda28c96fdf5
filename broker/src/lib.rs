//! The embedded MQTT broker of IoT Home: TLS, credentials and access lists from the hub.
//!
//! Owner of the broker's listener, its folder and its limits. It decides nothing
//! about who may do what: it asks the access list that the hub keeps. It must
//! never listen without TLS, and never let a type of the broker crate out.

mod door;
mod error;
mod guests;
mod keep;
mod listener;

pub use error::BrokerError;
pub use guests::ConnectedClient;

use arc_swap::ArcSwap;
use door::Door;
use guests::Guests;
use iothome_engine::access::{AccessList, Credential};
use keep::{Keeper, Notes};
use listener::{MAX_CLIENTS, Service};
use mqtt5::broker::config::BrokerConfig as Mqtt5Config;
use mqtt5::broker::router::{DeliveryLanes, MessageRouter};
use mqtt5::broker::storage::QueueLimits;
use mqtt5::broker::{DynamicStorage, MemoryBackend, StorageBackend as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

/// Larger than any discovery bundle seen in the field (Zigbee2MQTT: tens of kilobytes).
const MAX_PACKET_BYTES: usize = 256 * 1024;
/// A retained message is a state or a configuration; the rest of a packet's bound is not needed.
const MAX_RETAINED_BYTES: usize = 64 * 1024;
/// 10,000 devices with a configuration, a state and an availability, and room for more.
const MAX_RETAINED: usize = 50_000;
/// A device that slept longer than an hour asks for its state anew.
const MAX_SESSION_EXPIRY: Duration = Duration::from_secs(3_600);
/// The broker knows one bound for all: the hub subscribes to every topic its devices report
/// on, ten for each of two thousand. A device can spend it only within what it may read.
const MAX_SUBSCRIPTIONS: usize = 20_000;
/// What may wait for one client that is away: enough for a bridge's burst, and in bytes so
/// that one client cannot fill the memory of a small machine.
const QUEUE: QueueLimits = QueueLimits {
    max_messages: 10_000,
    max_bytes: 8 * 1024 * 1024,
};
/// Sessions end after an hour, so looking for ended ones every ten minutes is enough.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// The hub as a whole has three seconds to stop.
const STOP_WITHIN: Duration = Duration::from_millis(1_000);

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
    stop: broadcast::Sender<()>,
    /// Gives nothing, and ends when the last connection has.
    open: mpsc::Receiver<()>,
    /// What tells the keeper to finish, and its task.
    keeper: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    runtime: Handle,
}

/// What is needed to end a connection.
#[derive(Clone)]
struct Reach {
    router: Arc<MessageRouter>,
    storage: Arc<DynamicStorage>,
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
    let listener = listener::bind(config.listen)?;
    let address = listener
        .local_addr()
        .map_err(|source| BrokerError::Address {
            addr: config.listen,
            source,
        })?;
    let tls = listener::acceptor(&config.cert_pem, &config.key_pem).await?;

    let guests = Arc::new(Guests::default());
    let notes = Arc::new(Notes::default());
    let own = Door::new(access, config.hub, Arc::clone(&guests), Arc::clone(&notes));
    let door = Arc::new(own);
    let storage = Arc::new(DynamicStorage::Memory(MemoryBackend::with_queue_limits(
        QUEUE,
    )));
    let keeper = Keeper::open(&config.data_dir, Arc::clone(&storage), notes).await?;
    let reach = route(&config.data_dir, storage, &door).await?;
    door.set_cutter(cutter(&reach));
    let (stop, _) = broadcast::channel(1);
    let (opened, open) = mpsc::channel(1);
    let service = Service {
        config: Arc::new(limits(&door)),
        router: Arc::clone(&reach.router),
        storage: Arc::clone(&reach.storage),
        door: door.clone(),
        stop: stop.clone(),
        open: opened,
    };
    let (finish, finished) = oneshot::channel();
    let keeper = tokio::spawn(keeper.run(finished));
    tokio::spawn(sweep(reach.clone(), stop.subscribe()));
    let stopped = stop.subscribe();
    tokio::spawn(listener::accept(listener, tls, service, stopped));
    Ok(Broker {
        address,
        guests,
        door,
        reach,
        stop,
        open,
        keeper: Some((finish, keeper)),
        runtime: Handle::current(),
    })
}

/// A router that goes on with what is in the storage.
async fn route(
    path: &std::path::Path,
    storage: Arc<DynamicStorage>,
    door: &Arc<Door>,
) -> Result<Reach, BrokerError> {
    let damaged = |error: mqtt5::MqttError| BrokerError::Storage {
        path: path.to_owned(),
        problem: error.to_string(),
    };
    let router = MessageRouter::with_storage(Arc::clone(&storage))
        .with_fallback_queue_limits(QUEUE)
        .with_event_handler(door.clone())
        .with_retained_limits(MAX_RETAINED, MAX_RETAINED_BYTES);
    let expiry = u32::try_from(MAX_SESSION_EXPIRY.as_secs()).unwrap_or(u32::MAX);
    router.recover_sessions(expiry).await.map_err(damaged)?;
    router.initialize().await.map_err(damaged)?;
    Ok(Reach {
        router: Arc::new(router),
        storage,
    })
}

/// Forgets ended sessions and messages from time to time.
async fn sweep(reach: Reach, mut stopped: broadcast::Receiver<()>) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            _ = stopped.recv() => return,
        }
        if let Err(error) = reach.storage.cleanup_expired().await {
            tracing::warn!(%error, "the broker could not clear its folder of old messages");
        }
        reach.router.sweep_sessions().await;
    }
}

fn limits(door: &Arc<Door>) -> Mqtt5Config {
    Mqtt5Config::default()
        .with_bind_addresses(Vec::new())
        .with_max_clients(MAX_CLIENTS)
        .with_max_packet_size(MAX_PACKET_BYTES)
        .with_max_retained_messages(MAX_RETAINED)
        .with_max_retained_message_size(MAX_RETAINED_BYTES)
        .with_max_subscriptions_per_client(MAX_SUBSCRIPTIONS)
        .with_session_expiry(MAX_SESSION_EXPIRY)
        .with_sys_topics_enabled(false)
        .with_event_handler(door.clone())
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
        // Nobody listening means that everything has stopped already.
        let _ = self.stop.send(());
        if tokio::time::timeout(STOP_WITHIN, self.open.recv())
            .await
            .is_err()
        {
            tracing::warn!("some connections of the broker did not end in time");
        }
        let Some((finish, keeper)) = self.keeper.take() else {
            return;
        };
        // The keeper that ended already has nothing to finish.
        let _ = finish.send(());
        if tokio::time::timeout(STOP_WITHIN, keeper).await.is_err() {
            tracing::warn!("the broker could not write everything it keeps in time");
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.stop.send(());
    }
}

/// The router holds the door as its event handler, so the door holds the router weakly:
/// else neither would ever be let go.
fn cutter(reach: &Reach) -> Box<dyn Fn(String) + Send + Sync> {
    let router = Arc::downgrade(&reach.router);
    let storage = Arc::downgrade(&reach.storage);
    let runtime = Handle::current();
    Box::new(move |client_id| {
        if let (Some(router), Some(storage)) = (router.upgrade(), storage.upgrade()) {
            runtime.spawn(end_connection(Reach { router, storage }, client_id));
        }
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
    if let Err(error) = reach.storage.remove_session(&client_id).await {
        tracing::warn!(client_id, %error, "a session that was cut could not be removed");
    }
    reach
        .router
        .release_client(&client_id, taken.generation, false)
        .await;
    drop(slot);
}
