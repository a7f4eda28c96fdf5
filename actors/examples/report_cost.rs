//! The cost of one report in a small, a middling and a huge house.
//!
//! A client publishes to one device after another over TLS; the figure is the
//! time from the publication to the change on the house's broadcast. The floor is
//! the same publication to a bare subscriber in the same run. It prints and
//! never judges.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::expect_used, reason = "a bench stops where it cannot go on")]

use arc_swap::ArcSwap;
use iothome_actors::{Change, Clock, DiscoveryMode, Hub, HubConfig, MqttConfig, load_access};
use iothome_broker::{Broker, BrokerConfig};
use iothome_engine::access::{Access, AccessList, Credential, TopicRule};
use iothome_engine::ids::{CredentialId, DeviceId};
use iothome_engine::kind::Kind;
use iothome_engine::time::Timestamp;
use iothome_engine::view::About;
use iothome_store::{DatabaseUrl, Origin, Store, StoredDevice, StoredEntity};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use sha2::Digest as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

/// Reports measured per house.
const REPORTS: usize = 2_000;
/// Reports before the first measured one.
const WARM_UP: usize = 200;
/// A report that takes longer is lost.
const LOST_AFTER: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() {
    iothome_tls::install_provider();
    println!(
        "| devices | report to change, median | p99 | floor (bare subscriber), median | p99 |"
    );
    println!("|---|---|---|---|---|");
    for devices in [100, 1_000, 10_000] {
        measure(devices).await;
    }
}

/// Prints one line of the table.
async fn measure(devices: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bench = Bench::start(devices, folder.path()).await;
    let (client, _task) = bench.client("publisher");
    let mut changes = bench.hub.changes();
    subscribed(&client, &mut changes, devices).await;
    let mut house = Vec::with_capacity(REPORTS);
    for n in 0..WARM_UP + REPORTS {
        let device = n * 7919 % devices;
        let begun = Instant::now();
        publish(&client, &topic(device), n).await;
        wait_for(&mut changes, &id(device)).await;
        if n >= WARM_UP {
            house.push(begun.elapsed());
        }
    }
    let floor = bench.floor(&client).await;
    let (house, floor) = (Spread::of(house), Spread::of(floor));
    println!("| {devices} | {house} | {floor} |");
    bench.hub.shutdown().await;
    bench.broker.stop().await;
}

/// Waits until the hub hears every device: subscribing to ten thousand topics takes a moment.
async fn subscribed(client: &AsyncClient, changes: &mut Receiver<Change>, devices: usize) {
    for device in 0..devices {
        let begun = Instant::now();
        loop {
            publish(
                client,
                &topic(device),
                begun.elapsed().subsec_millis() as usize,
            )
            .await;
            let id = id(device);
            let heard = wait_for(changes, &id);
            if tokio::time::timeout(Duration::from_millis(250), heard)
                .await
                .is_ok()
            {
                break;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "device {device} is never heard"
            );
        }
    }
}

async fn publish(client: &AsyncClient, topic: &str, n: usize) {
    client
        .publish(
            topic,
            QoS::AtLeastOnce,
            false,
            format!("{}.{}", n % 90, n % 10),
        )
        .await
        .expect("the client takes it");
}

async fn wait_for(changes: &mut Receiver<Change>, device: &DeviceId) {
    let heard = async {
        loop {
            match changes.recv().await {
                Ok(Change::Device(changed)) if changed == *device => return,
                // Behind only while ten thousand devices come up: whoever waits then asks again.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => panic!("the house is gone"),
            }
        }
    };
    tokio::time::timeout(LOST_AFTER, heard)
        .await
        .expect("the report became a change");
}

/// A broker and a hub with so many devices, all in this process.
struct Bench {
    hub: Hub,
    broker: Broker,
    tls: Arc<rustls::ClientConfig>,
}

const SECRET: &str = "for this run only";

impl Bench {
    async fn start(devices: usize, folder: &std::path::Path) -> Self {
        let names = ["localhost".to_owned()];
        let now = std::time::SystemTime::now();
        let authority = iothome_tls::Authority::open_or_create(&folder.join("tls"), &names, now)
            .expect("certificates");
        let identity = authority.broker().expect("the broker's certificate");
        let url = DatabaseUrl::sqlite(&folder.join("house.db")).expect("a file name");
        let store = Store::open(&url).await.expect("a store");
        for number in 0..devices {
            store
                .create_device(&sensor(number), &[])
                .await
                .expect("a device");
        }
        let access = load_access(&store).await.expect("an access list");
        let open = Arc::new(ArcSwap::from_pointee(AccessList::new(vec![everything()])));
        let config = BrokerConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            cert_pem: identity.chain_pem.clone(),
            key_pem: identity.key_pem.clone(),
            data_dir: folder.join("broker"),
            hub: None,
        };
        let broker = iothome_broker::start(config, open).await.expect("a broker");
        let tls = iothome_tls::pinned_client(&[identity.fingerprints.sha256]);
        let config = HubConfig {
            mqtt: MqttConfig {
                host: "localhost".into(),
                port: broker.address().port(),
                username: Some("bench".into()),
                password: Some(SECRET.into()),
                tls: tls.clone(),
                client_id: "hub".into(),
                keep_alive_s: 30,
            },
            broker_address: broker.address().to_string(),
            managed: false,
            discovery: DiscoveryMode::Off,
            discovery_prefix: "homeassistant".into(),
            access,
            cut: None,
            dynsec: None,
            sha256: None,
            sha1: None,
            seen: iothome_tls::Seen::default(),
            password_workers: 1,
            scheduling: iothome_actors::Scheduling::default(),
        };
        let hub = Hub::start(config, store, Clock::system())
            .await
            .expect("a hub");
        while !hub.broker().connected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { hub, broker, tls }
    }

    /// A client whose messages go nowhere.
    fn client(&self, name: &str) -> (AsyncClient, tokio::task::JoinHandle<()>) {
        let (client, events) = AsyncClient::new(self.options(name), 100);
        (client, tokio::spawn(drain(events, None)))
    }

    /// The same publications, heard by a bare subscriber.
    async fn floor(&self, client: &AsyncClient) -> Vec<Duration> {
        let (sender, mut heard) = mpsc::channel(100);
        let (subscriber, events) = AsyncClient::new(self.options("subscriber"), 100);
        let task = tokio::spawn(drain(events, Some(sender)));
        subscriber
            .subscribe("floor", QoS::AtLeastOnce)
            .await
            .expect("it takes it");
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut times = Vec::with_capacity(REPORTS);
        for n in 0..WARM_UP + REPORTS {
            let begun = Instant::now();
            publish(client, "floor", n).await;
            let got = tokio::time::timeout(LOST_AFTER, heard.recv()).await;
            got.expect("the subscriber hears it")
                .expect("the subscriber lives");
            if n >= WARM_UP {
                times.push(begun.elapsed());
            }
        }
        task.abort();
        times
    }

    fn options(&self, name: &str) -> MqttOptions {
        let mut options = MqttOptions::new(name, "localhost", self.broker.address().port());
        options.set_credentials("bench", SECRET);
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(
            self.tls.clone(),
        )));
        let mut network = options.network_options();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        options
    }
}

async fn drain(mut events: EventLoop, heard: Option<mpsc::Sender<()>>) {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::Publish(_))) => {
                if let Some(heard) = &heard {
                    heard.send(()).await.expect("the bench listens");
                }
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

fn everything() -> Credential {
    let rule = |access| TopicRule {
        filter: "#".into(),
        access,
    };
    Credential {
        id: CredentialId::new(Timestamp::from_millis(0), [0; 10]),
        username: "bench".into(),
        name: "bench".into(),
        device: None,
        secret_sha256: data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(SECRET)),
        topics: vec![rule(Access::Read), rule(Access::Write)],
        created_at: Timestamp::from_millis(0),
    }
}

fn id(device: usize) -> DeviceId {
    format!("device-{device}").parse().expect("an id")
}

fn topic(device: usize) -> String {
    format!("bench/{device}/state")
}

fn sensor(device: usize) -> StoredDevice {
    let config = serde_json::json!({"state_topic": topic(device), "unit_of_measurement": "°C"});
    let serde_json::Value::Object(raw) = config else {
        unreachable!("it is an object")
    };
    StoredDevice {
        id: id(device),
        name: format!("Device {device}"),
        room: None,
        icon: None,
        position: None,
        about: About::default(),
        origin: Origin::HandMade,
        identity: Vec::new(),
        sender_verified: true,
        created_at: Timestamp::from_millis(0),
        version: 1,
        entities: vec![StoredEntity {
            id: "reading".parse().expect("an id"),
            kind: Kind::Sensor,
            name: None,
            raw,
            config_topic: None,
            config_hash: None,
            key: None,
            deadline_ms: None,
            position: 0,
            withdrawn_at: None,
        }],
    }
}

/// Median and 99th percentile.
struct Spread(Duration, Duration);

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let at = |part: usize| {
            times
                .get(times.len() * part / 100)
                .copied()
                .unwrap_or_default()
        };
        Self(at(50), at(99))
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} µs | {} µs", self.0.as_micros(), self.1.as_micros())
    }
}
