//! The house of the bench: a broker, a store, devices, and hubs that come and go.

use super::schedule_id;
use arc_swap::ArcSwap;
use iothome_actors::{Clock, DiscoveryMode, Hub, HubConfig, MqttConfig, Scheduling, load_access};
use iothome_broker::{Broker, BrokerConfig};
use iothome_engine::access::{Access, AccessList, Credential, TopicRule};
use iothome_engine::ids::{CredentialId, DeviceId, EntityId, UserId};
use iothome_engine::kind::Kind;
use iothome_engine::policy::{Role, Subject};
use iothome_engine::schedule::{Definition, Schedule, read_definition};
use iothome_engine::time::Timestamp;
use iothome_engine::view::About;
use iothome_store::{
    DatabaseUrl, NewUser, Origin, ScheduleWrite, Store, StoredDevice, StoredEntity,
};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use serde_json::{Value, json};
use sha2::Digest as _;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Devices, and switches of each: fewer than may be under way at once for one device.
const DEVICES: usize = 1_000;
const SWITCHES: usize = 10;
const SECRET: &str = "for this run only";

/// When each publication arrived. Bounded by what the bench publishes.
pub(crate) type Heard = UnboundedReceiver<Timestamp>;

/// All in this process, on SQLite.
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) broker: Broker,
    pub(crate) owner: Subject,
    tls: Arc<rustls::ClientConfig>,
}

impl House {
    /// With its devices, without schedules.
    pub(crate) async fn new(folder: &Path) -> Self {
        let names = ["localhost".to_owned()];
        let now = std::time::SystemTime::now();
        let authority = iothome_tls::Authority::open_or_create(&folder.join("tls"), &names, now);
        let identity = authority.expect("certificates").broker();
        let identity = identity.expect("the broker's certificate");
        let url = DatabaseUrl::sqlite(&folder.join("house.db")).expect("a file name");
        let store = Store::open(&url).await.expect("a store");
        for number in 0..DEVICES {
            let made = store.create_device(&device(number), &[]).await;
            made.expect("a device");
        }
        let owner = Subject {
            user: user_id(),
            name: "ada".into(),
            role: Role::Admin,
            grants: HashMap::new(),
        };
        let user = NewUser {
            id: owner.user,
            name: owner.name.clone(),
            role: owner.role,
            password_hash: String::new(),
            created_at: Timestamp::from_millis(0),
        };
        store.create_user(&user).await.expect("a user");
        let config = BrokerConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            cert_pem: identity.chain_pem.clone(),
            key_pem: identity.key_pem.clone(),
            data_dir: folder.join("broker"),
            hub: None,
        };
        let open = Arc::new(ArcSwap::from_pointee(AccessList::new(vec![everything()])));
        let broker = iothome_broker::start(config, open).await.expect("a broker");
        let tls = iothome_tls::pinned_client(&[identity.fingerprints.sha256]);
        Self {
            store,
            broker,
            owner,
            tls,
        }
    }

    /// A hub whose schedules run.
    pub(crate) async fn hub(&self) -> Hub {
        let config = HubConfig {
            mqtt: MqttConfig {
                host: "localhost".into(),
                port: self.broker.address().port(),
                username: Some("bench".into()),
                password: Some(SECRET.into()),
                tls: self.tls.clone(),
                client_id: "hub".into(),
                keep_alive_s: 30,
            },
            broker_address: self.broker.address().to_string(),
            managed: false,
            discovery: DiscoveryMode::Off,
            discovery_prefix: "homeassistant".into(),
            access: load_access(&self.store).await.expect("an access list"),
            cut: None,
            dynsec: None,
            sha256: None,
            sha1: None,
            seen: iothome_tls::Seen::default(),
            password_workers: 1,
            scheduling: Scheduling {
                per_user: usize::MAX,
                lock: None,
            },
        };
        let hub = Hub::start(config, self.store.clone(), Clock::system()).await;
        let hub = hub.expect("a hub");
        while !hub.scheduler().state().await.is_ok_and(|s| s.running) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        hub
    }

    /// A schedule of the owner.
    pub(crate) fn owned(&self, definition: Definition) -> Schedule {
        schedule(self.owner.user, definition)
    }

    /// Writes schedules while no hub runs.
    pub(crate) async fn write(&self, made: &[Schedule]) {
        for made in made.chunks(1_000) {
            let made: Vec<_> = made.iter().cloned().map(ScheduleWrite::Made).collect();
            self.store.write_schedules(&made).await.expect("written");
        }
    }

    /// A client whose messages go nowhere.
    pub(crate) fn client(&self, name: &str) -> AsyncClient {
        let (client, events) = AsyncClient::new(self.options(name), 1_000);
        tokio::spawn(drain(events, None));
        client
    }

    /// Hears every command.
    pub(crate) async fn subscriber(&self) -> Heard {
        let (sender, heard) = unbounded_channel();
        let (client, events) = AsyncClient::new(self.options("subscriber"), 100);
        tokio::spawn(drain(events, Some((sender, client.clone()))));
        let subscribed = client.subscribe("bench/#", QoS::AtLeastOnce).await;
        subscribed.expect("the client takes it");
        tokio::time::sleep(Duration::from_millis(500)).await;
        heard
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

/// The client comes along so that it lives as long as its events.
async fn drain(mut events: EventLoop, heard: Option<(UnboundedSender<Timestamp>, AsyncClient)>) {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::Publish(_))) => {
                if let Some((heard, _)) = &heard
                    && heard.send(now()).is_err()
                {
                    return;
                }
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// This instant, to the microsecond.
pub(crate) fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("in range"))
}

/// The owner's id.
pub(crate) fn user_id() -> UserId {
    UserId::new(Timestamp::from_millis(1), [7; 10])
}

/// A schedule that is new now.
pub(crate) fn schedule(owner: UserId, definition: Definition) -> Schedule {
    let made_at = Timestamp::from_millis(now().as_millis());
    Schedule {
        id: schedule_id(),
        owner,
        definition,
        disabled_reason: None,
        skip_due_at: None,
        version: 1,
        created_at: made_at,
        updated_at: made_at,
    }
}

/// Turns the n-th switch on.
pub(crate) fn definition(trigger: &Value, policy: &str, n: usize) -> Definition {
    let (device, entity) = (n / SWITCHES % DEVICES, n % SWITCHES);
    let json = json!({"name": format!("Schedule {n}"), "trigger": trigger,
        "missed": {"policy": policy}, "actions": [{"device": format!("device-{device}"),
        "entity": format!("switch-{entity}"), "action": "turn_on"}]});
    read_definition(&json, Some(now())).expect("it is well written")
}

/// Where a switch is told.
pub(crate) fn topic(device: &DeviceId, entity: &EntityId) -> String {
    format!("bench/{}/{}", device.as_str(), entity.as_str())
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

fn device(number: usize) -> StoredDevice {
    let id: DeviceId = format!("device-{number}").parse().expect("an id");
    let entities = (0..SWITCHES).map(|n| switch(&id, n)).collect();
    StoredDevice {
        id,
        name: format!("Device {number}"),
        room: None,
        icon: None,
        position: None,
        about: About::default(),
        origin: Origin::HandMade,
        identity: Vec::new(),
        sender_verified: true,
        created_at: Timestamp::from_millis(0),
        version: 1,
        entities,
    }
}

fn switch(device: &DeviceId, n: usize) -> StoredEntity {
    let id: EntityId = format!("switch-{n}").parse().expect("an id");
    let Value::Object(raw) = json!({"command_topic": topic(device, &id)}) else {
        unreachable!("it is an object")
    };
    StoredEntity {
        id,
        kind: Kind::Switch,
        name: None,
        raw,
        config_topic: None,
        config_hash: None,
        key: None,
        deadline_ms: None,
        position: i32::try_from(n).unwrap_or(0),
        withdrawn_at: None,
    }
}
