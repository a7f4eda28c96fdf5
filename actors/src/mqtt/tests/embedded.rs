//! The MQTT side against the embedded broker: it must work the same.

use super::broker::{PATIENCE, Peer};
use super::rig::{Rig, acknowledged, config, properties, wait_until_subscribed};
use super::*;
use arc_swap::ArcSwap;
use iothome_broker::{Broker, BrokerConfig, start};
use iothome_engine::access::{Access, AccessList, Credential, TopicRule};
use iothome_engine::ids::CredentialId;
use iothome_tls::{Authority, pinned_client};
use std::net::SocketAddr;
use std::time::SystemTime;
use tempfile::TempDir;

struct House {
    folder: TempDir,
    authority: Authority,
    tls: Arc<rustls::ClientConfig>,
}

impl House {
    fn new() -> Self {
        iothome_tls::install_provider();
        let folder = tempfile::tempdir().expect("a folder");
        let names = ["localhost".to_owned()];
        let tls = folder.path().join("tls");
        let authority = Authority::open_or_create(&tls, &names, SystemTime::now()).expect("made");
        let pin = authority.broker().expect("made").fingerprints.sha256;
        Self {
            tls: pinned_client(&[pin]),
            folder,
            authority,
        }
    }

    /// The hub may publish commands to everybody but the safe.
    async fn open(&self, listen: SocketAddr) -> Broker {
        let identity = self.authority.broker().expect("made");
        let writes = ["lamp/#", "homeassistant/#"];
        let broker = BrokerConfig {
            listen,
            cert_pem: identity.chain_pem,
            key_pem: identity.key_pem,
            data_dir: self.folder.path().join("broker"),
            hub: Some(credential("hub", &["#"], &writes)),
        };
        let devices = vec![credential("lamp", &["#"], &["#"])];
        let access = Arc::new(ArcSwap::from_pointee(AccessList::new(devices)));
        start(broker, access).await.expect("it starts")
    }

    async fn hub(&self, port: u16) -> Rig {
        let mut config = config(self.tls.clone(), port);
        config.username = Some("hub".into());
        config.password = Some("secret".into());
        Rig::start_with(config).await
    }

    async fn peer(&self, port: u16, filters: &[&str]) -> Peer {
        Peer::connect_as(&self.tls, port, "lamp", Some(("lamp", "secret")), filters).await
    }
}

fn credential(username: &str, reads: &[&str], writes: &[&str]) -> Credential {
    let rule = |access, filters: &[&str]| {
        let rule = move |filter: &&str| TopicRule {
            filter: (*filter).to_owned(),
            access,
        };
        filters.iter().map(rule).collect::<Vec<_>>()
    };
    Credential {
        id: CredentialId::new(Timestamp::from_millis(1), [0; 10]),
        username: username.to_owned(),
        name: username.to_owned(),
        device: None,
        secret_sha256: crate::random::sha256_hex(b"secret"),
        topics: [rule(Access::Read, reads), rule(Access::Write, writes)].concat(),
        created_at: Timestamp::from_millis(1),
    }
}

fn anywhere() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_and_reports_travel_and_what_is_not_allowed_is_refused() {
    let house = House::new();
    let broker = house.open(anywhere()).await;
    let port = broker.address().port();
    let mut peer = house
        .peer(port, &["lamp/set", "homeassistant/status"])
        .await;
    let mut rig = house.hub(port).await;
    assert_eq!(peer.next_text().await, "online");
    rig.until(&MqttEvent::Up).await;
    let command = rig.publish("lamp/set", "ON", 4_500);
    rig.until(&acknowledged(command)).await;
    let got = peer.next().await;
    let (expiry, correlation) = properties(&got);
    assert_eq!(
        (got.retain, correlation),
        (false, Some(command.to_string()))
    );
    assert!((1..=5).contains(&expiry.expect("an expiry")));
    let refused = rig.publish("safe/set", "OPEN", 60_000);
    let outcome = rig.outcome().await;
    assert!(matches!(outcome, MqttEvent::Refused { command, .. } if command == refused));
    peer.publish("lamp/state", "ON", true).await;
    let mut lamp = rig.listen("lamp", &["lamp/state"]);
    let replay = lamp.next().await;
    assert_eq!(
        (replay.payload.as_ref(), replay.retained),
        (&b"ON"[..], true)
    );
    peer.publish("lamp/state", "OFF", true).await;
    let news = lamp.next().await;
    assert_eq!((news.payload.as_ref(), news.retained), (&b"OFF"[..], false));
    rig.mqtt.stop().await;
    assert_eq!(peer.next_text().await, "offline");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_and_subscriptions_survive_a_restart_of_the_broker() {
    let house = House::new();
    let broker = house.open(anywhere()).await;
    let address = broker.address();
    let mut rig = house.hub(address.port()).await;
    let mut lamp = rig.listen("lamp", &["lamp/state"]);
    rig.until(&MqttEvent::Up).await;
    broker.stop().await;
    rig.until(&MqttEvent::Down).await;
    let commands: Vec<_> = (0..50)
        .map(|n| rig.publish("lamp/set", &n.to_string(), 120_000))
        .collect();
    let broker = house.open(address).await;
    for command in commands {
        assert_eq!(rig.outcome().await, acknowledged(command));
    }
    let mut peer = house.peer(address.port(), &[]).await;
    wait_until_subscribed(&mut peer, &mut lamp, "lamp/state").await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_may_subscribe_to_thousands_of_topics() {
    let house = House::new();
    let broker = house.open(anywhere()).await;
    let port = broker.address().port();
    let mut rig = house.hub(port).await;
    let topics: Vec<String> = (0..3_000).map(|n| format!("lamp/{n}")).collect();
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    let mut lamp = rig.listen("lamp", &topics);
    rig.until(&MqttEvent::Up).await;
    let mut peer = house.peer(port, &[]).await;
    let every = async {
        for topic in topics.iter().step_by(100).chain(topics.last()) {
            wait_for_probe(&mut peer, &mut lamp, topic).await;
        }
    };
    tokio::time::timeout(PATIENCE, every)
        .await
        .expect("all of them");
    assert_eq!(rig.mqtt.status().refused_subscriptions, 0);
    broker.stop().await;
}

async fn wait_for_probe(peer: &mut Peer, lamp: &mut Listener, topic: &str) {
    loop {
        peer.publish(topic, "probe", true).await;
        let arrived = tokio::time::timeout(Duration::from_secs(2), lamp.next()).await;
        if arrived.is_ok_and(|message| *message.topic == *topic) {
            return;
        }
    }
}
