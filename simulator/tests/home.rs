//! The simulated home at a real broker.
#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use arc_swap::ArcSwap;
use iothome_broker::{Broker, BrokerConfig};
use iothome_engine::access::{Access, AccessList, Credential, TopicRule};
use iothome_engine::ids::CredentialId;
use iothome_engine::time::Timestamp;
use iothome_simulator::{
    Conduct, DeviceSpec, DeviceStatus, Home, Joining, SimulatorConfig, household,
};
use iothome_tls::{Authority, Fingerprint, pinned_client};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use sha2::Digest;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;

/// Far longer than anything here takes, so that only a hang fails a test.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everything that was said, newest last, as the owner of the broker hears it.
type Heard = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

struct Place {
    _dir: tempfile::TempDir,
    pin: Fingerprint,
    broker: Broker,
    heard: Heard,
    owner: AsyncClient,
    poller: JoinHandle<()>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.poller.abort();
    }
}

fn user(name: &str, topics: &[(&str, Access)]) -> Credential {
    let secret: [u8; 32] = sha2::Sha256::digest(format!("secret of {name}")).into();
    let rule = |(filter, access): &(&str, Access)| TopicRule {
        filter: (*filter).to_owned(),
        access: *access,
    };
    Credential {
        id: CredentialId::new(Timestamp::from_millis(1), [0; 10]),
        username: name.to_owned(),
        name: name.to_owned(),
        device: None,
        secret_sha256: secret.iter().map(|b| format!("{b:02x}")).collect(),
        topics: topics.iter().map(rule).collect(),
        created_at: Timestamp::from_millis(1),
    }
}

/// What a hub would grant to a device: its own topics and its own announcements.
fn device_user(id: &str) -> Credential {
    if id == "esp8266" {
        return user(
            id,
            &[
                ("esp8266/socket", Access::Read),
                ("esp8266/socket/status", Access::Write),
                ("esp8266/socket/availability", Access::Write),
            ],
        );
    }
    user(
        id,
        &[
            (&format!("iothome/{id}/#"), Access::Write),
            (&format!("homeassistant/+/{id}/config"), Access::Write),
            (&format!("homeassistant/+/{id}/+/config"), Access::Write),
            (&format!("iothome/{id}/+/set"), Access::Read),
            ("homeassistant/status", Access::Read),
        ],
    )
}

fn spec(id: &str) -> DeviceSpec {
    let home = household();
    let blueprint = home.iter().find(|b| b.id == id).unwrap();
    DeviceSpec::new(blueprint, id.to_owned(), format!("secret of {id}"))
}

impl Place {
    async fn new() -> Self {
        iothome_tls::install_provider();
        let dir = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned()];
        let authority =
            Authority::open_or_create(&dir.path().join("tls"), &names, SystemTime::now()).unwrap();
        let identity = authority.broker().unwrap();
        let pin = identity.fingerprints.sha256;
        let devices = household().iter().map(|b| device_user(b.id)).collect();
        let config = BrokerConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            cert_pem: identity.chain_pem,
            key_pem: identity.key_pem,
            data_dir: dir.path().join("broker"),
            hub: Some(user("owner", &[("#", Access::Read), ("#", Access::Write)])),
        };
        let access = Arc::new(ArcSwap::from_pointee(AccessList::new(devices)));
        let broker = iothome_broker::start(config, access).await.unwrap();
        let heard = Heard::default();
        let (owner, poller) = listen(&broker, pin, Arc::clone(&heard)).await;
        Self {
            _dir: dir,
            pin,
            broker,
            heard,
            owner,
            poller,
        }
    }

    fn start(&self, devices: Vec<DeviceSpec>) -> Home {
        Home::start(SimulatorConfig {
            host: "127.0.0.1".to_owned(),
            port: self.broker.address().port(),
            pins: vec![self.pin],
            discovery_prefix: "homeassistant".to_owned(),
            devices,
        })
        .unwrap()
    }

    fn last(&self, topic: &str) -> Option<String> {
        let heard = self.heard.lock().unwrap();
        let of_topic = heard.iter().rev().find(|(t, _)| t == topic);
        of_topic.map(|(_, payload)| String::from_utf8_lossy(payload).into_owned())
    }

    fn all(&self, topic: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let of_topic = heard.iter().filter(|(t, _)| t == topic);
        of_topic
            .map(|(_, payload)| String::from_utf8_lossy(payload).into_owned())
            .collect()
    }

    async fn says(&self, topic: &str, payload: &str) {
        until(&format!("{topic} = {payload}"), || {
            self.last(topic).as_deref() == Some(payload)
        })
        .await;
    }

    async fn order(&self, topic: &str, payload: &str) {
        let payload = payload.to_owned();
        let ordered = self.owner.publish(topic, QoS::AtLeastOnce, false, payload);
        ordered.await.unwrap();
    }
}

async fn listen(broker: &Broker, pin: Fingerprint, heard: Heard) -> (AsyncClient, JoinHandle<()>) {
    let mut options = MqttOptions::new("owner", "127.0.0.1", broker.address().port());
    let tls = TlsConfiguration::Rustls(pinned_client(&[pin]));
    options
        .set_credentials("owner", "secret of owner")
        .set_outgoing_inflight_upper_limit(50)
        .set_transport(Transport::tls_with_config(tls));
    let (client, mut eventloop) = AsyncClient::new(options, 100);
    client.subscribe("#", QoS::AtLeastOnce).await.unwrap();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let mut ready = Some(ready);
    let poller = tokio::spawn(async move {
        while let Ok(event) = eventloop.poll().await {
            match event {
                Event::Incoming(Packet::SubAck(_)) => {
                    let _ = ready.take().map(|r| r.send(()));
                }
                Event::Incoming(Packet::Publish(publish)) => {
                    let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                    let said = (topic, publish.payload.to_vec());
                    heard.lock().unwrap().push(said);
                }
                _ => {}
            }
        }
    });
    is_ready.await.unwrap();
    (client, poller)
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{what} did not come about");
}

async fn until_status(home: &Home, id: &str, is_so: impl Fn(&DeviceStatus) -> bool) {
    until(id, || home.status().get(id).is_some_and(&is_so)).await;
}

#[tokio::test]
async fn the_whole_home_connects_and_announces_itself_within_its_own_rights() {
    let place = Place::new().await;
    let home = place.start(household().iter().map(|b| spec(b.id)).collect());
    until("everybody", || home.status().values().all(|s| s.connected)).await;
    place.says("iothome/fridge/availability", "online").await;
    place.says("esp8266/socket/availability", "online").await;
    until("the status", || {
        place.last("esp8266/socket/status").is_some()
    })
    .await;
    for announced in household().iter().filter(|b| b.joining != Joining::ByHand) {
        until(announced.id, || {
            let heard = place.heard.lock().unwrap();
            let mut configs = heard.iter().filter(|(t, _)| t.ends_with("/config"));
            configs.any(|(topic, payload)| {
                let text = String::from_utf8_lossy(payload);
                topic.contains(&format!("/{}/", announced.id))
                    && text.contains(announced.area)
                    && text.contains(announced.name)
            })
        })
        .await;
    }
    assert_eq!(
        place.broker.refused(),
        0,
        "a device touched what is not its own"
    );
    home.stop().await;
    place.says("iothome/lamp/availability", "offline").await;
}

#[tokio::test]
async fn devices_do_what_they_are_told_and_say_so() {
    let place = Place::new().await;
    let home = place.start(["coffee", "lamp", "blind", "esp8266"].map(spec).into());
    until("all", || home.status().values().all(|s| s.connected)).await;
    place.says("iothome/coffee/switch/state", "OFF").await;

    place.order("iothome/coffee/switch/set", "ON").await;
    place.says("iothome/coffee/switch/state", "ON").await;
    place.order("iothome/lamp/brightness/set", "51").await;
    place.says("iothome/lamp/brightness/state", "51").await;
    place.order("esp8266/socket", "1").await;
    until("the socket", || {
        let status = place.last("esp8266/socket/status");
        status.is_some_and(|s| s.contains("\"state\":1"))
    })
    .await;

    place.order("iothome/blind/position/set", "70").await;
    place.says("iothome/blind/blind/state", "closing").await;
    place.says("iothome/blind/blind/state", "stopped").await;
    place.says("iothome/blind/position/state", "70").await;
    let on_the_way = place.all("iothome/blind/position/state");
    assert!(on_the_way.len() > 2, "{on_the_way:?}");
    home.stop().await;
}

#[tokio::test]
async fn a_wrong_fingerprint_is_met_with_silence() {
    let place = Place::new().await;
    let mut suspicious = spec("lamp");
    suspicious.own_pins = Some(vec![Fingerprint::of(b"another broker")]);
    let home = place.start(vec![suspicious, spec("coffee")]);
    until_status(&home, "coffee", |s| s.connected).await;
    until_status(&home, "lamp", |s| s.refusal.is_some()).await;
    let status = &home.status()["lamp"];
    assert_eq!((status.connected, status.connections), (false, 0));
    let users: Vec<String> = place
        .broker
        .clients()
        .into_iter()
        .map(|c| c.username)
        .collect();
    assert_eq!(users, ["coffee", "owner"]);
    assert_eq!(place.broker.refused(), 0, "it showed its password");
    home.stop().await;
}

#[tokio::test]
async fn a_pulled_plug_is_told_by_the_last_will_and_the_device_comes_back() {
    let place = Place::new().await;
    let home = place.start(vec![spec("lamp")]);
    place.says("iothome/lamp/availability", "online").await;
    home.set_plugged("lamp", false).unwrap();
    place.says("iothome/lamp/availability", "offline").await;
    home.set_plugged("lamp", true).unwrap();
    place.says("iothome/lamp/availability", "online").await;
    until_status(&home, "lamp", |s| s.connections == 2).await;
    home.stop().await;
}

#[tokio::test]
async fn a_device_misbehaves_on_request() {
    let place = Place::new().await;
    let home = place.start(["lamp", "coffee", "fridge", "thermostat"].map(spec).into());
    until("all", || home.status().values().all(|s| s.connected)).await;
    place.says("iothome/lamp/light/state", "ON").await;

    let mute = Conduct {
        mute: true,
        ..Conduct::default()
    };
    home.set_conduct("lamp", mute).unwrap();
    place.order("iothome/lamp/light/set", "OFF").await;
    until_status(&home, "lamp", |s| s.commands == 1).await;
    let last = home.status()["lamp"].last_command.clone();
    assert_eq!(last, Some(("light/set".to_owned(), "OFF".to_owned())));

    let slow = Conduct {
        slow_ms: Some(50),
        ..Conduct::default()
    };
    home.set_conduct("coffee", slow).unwrap();
    place.order("iothome/coffee/switch/set", "ON").await;
    place.says("iothome/coffee/switch/state", "ON").await;

    let flood = Conduct {
        flood_per_second: 1_000,
        ..Conduct::default()
    };
    home.set_conduct("thermostat", flood).unwrap();
    until_status(&home, "thermostat", |s| s.reports > 200).await;

    let garbage = Conduct {
        garbage: true,
        ..Conduct::default()
    };
    home.set_conduct("fridge", garbage).unwrap();
    place.order("homeassistant/status", "online").await;
    until("garbage", || {
        let heard = place.heard.lock().unwrap();
        let mut status = heard.iter().filter(|(t, _)| t == "iothome/fridge/status");
        status.any(|(_, payload)| payload.len() == 64)
    })
    .await;
    assert_eq!(
        place.last("iothome/lamp/light/state").as_deref(),
        Some("ON")
    );
    assert!(home.set_conduct("toaster", Conduct::default()).is_err());
    home.stop().await;
}

#[tokio::test]
async fn two_devices_of_one_id_are_refused() {
    let config = SimulatorConfig {
        host: "127.0.0.1".to_owned(),
        port: 1,
        pins: Vec::new(),
        discovery_prefix: "homeassistant".to_owned(),
        devices: vec![spec("lamp"), spec("lamp")],
    };
    assert!(Home::start(config).is_err());
    let ids: BTreeMap<_, _> = household().iter().map(|b| (b.id, b.model)).collect();
    assert!(ids.len() >= 11);
}
