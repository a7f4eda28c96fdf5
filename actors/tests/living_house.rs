//! The hub, the embedded broker and simulated devices together, over real TLS.

use iothome_actors::{
    Accept, Clock, DiscoveryMode, Hub, HubConfig, MqttConfig, NewCredential, SharedAccess,
    load_access,
};
use iothome_broker::{Broker, BrokerConfig};
use iothome_engine::access::{Access, Credential, TopicRule};
use iothome_engine::command::{Ask, Cause, Command, Status};
use iothome_engine::ids::{CredentialId, DeviceId, EntityId, EntityRef, SessionId, UserId};
use iothome_engine::kind::{Action, Kind};
use iothome_engine::policy::{Role, Subject};
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;
use iothome_engine::view::{Availability, DeviceView, EntityView, Freshness, Health};
use iothome_simulator::{Conduct, DeviceSpec, Home, Joining, SimulatorConfig, household};
use iothome_store::testing::TestStore;
use iothome_store::{NewStatus, Store};
use iothome_tls::{Authority, Fingerprint};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

const PATIENCE: Duration = Duration::from_secs(30);
/// What all the devices of the household that announce themselves have together.
const ENTITIES: usize = 18;
const OWN_PASSWORD: &str = "only for this test";

struct House {
    hub: Hub,
    broker: Arc<Broker>,
    home: Home,
    pin: Fingerprint,
    access: SharedAccess,
    store: TestStore,
    _dir: tempfile::TempDir,
}

impl House {
    /// The household, each device with a credential of its own, accepted as it announces itself.
    async fn new() -> Self {
        let store = TestStore::sqlite().await;
        let dir = tempfile::tempdir().expect("a folder");
        let access = load_access(&store.store).await.expect("reads");
        let (broker, pin) = broker(dir.path(), &access).await;
        let hub = hub(&store.store, &broker, pin, &access).await;
        let mut devices = Vec::new();
        for blueprint in household()
            .iter()
            .filter(|b| b.joining == Joining::Announced)
        {
            let new = NewCredential {
                name: blueprint.name.into(),
                device: Some(id(blueprint.id)),
                topics: None,
            };
            let issued = hub.create_credential(new, &admin()).await.expect("is made");
            devices.push(DeviceSpec::new(blueprint, issued.username, issued.password));
        }
        let home = Home::start(SimulatorConfig {
            host: broker.address().ip().to_string(),
            port: broker.address().port(),
            pins: vec![pin],
            discovery_prefix: "homeassistant".into(),
            devices,
        });
        let home = home.expect("starts");
        let house = Self {
            hub,
            broker,
            home,
            pin,
            access,
            store,
            _dir: dir,
        };
        house.accept_all().await;
        house
    }

    async fn accept_all(&self) {
        until("all devices", || {
            let new = self.hub.new_devices();
            new.iter().filter(|d| d.status == NewStatus::New).count() >= 10
        })
        .await;
        for new in self.hub.new_devices().iter() {
            let accepted = self
                .hub
                .accept_new(&new.id, Accept::default(), &admin())
                .await;
            accepted.expect("is accepted");
        }
        // A device of many single announcements may still be at it: its rest comes as an update.
        until("all their entities", || {
            let devices = self.hub.house().devices();
            devices.iter().map(|d| d.entities.len()).sum::<usize>() == ENTITIES
        })
        .await;
    }

    fn view(&self, device: &str) -> Arc<DeviceView> {
        self.hub.house().device(&id(device)).expect("is there")
    }

    fn entity(&self, device: &str, kind: Kind) -> Option<Arc<EntityView>> {
        self.hub
            .house()
            .device(&id(device))?
            .entities
            .iter()
            .find(|e| e.kind == kind)
            .cloned()
    }

    /// Waits until the device is online and its entity of that kind has a live state.
    async fn lives(&self, device: &str, kind: Kind) -> EntityId {
        until(device, || {
            self.entity(device, kind).is_some_and(|e| {
                e.availability == Availability::Online
                    && (kind == Kind::Button || e.state.is_some())
            })
        })
        .await;
        self.entity(device, kind).expect("is there").id.clone()
    }

    async fn ask(&self, device: &str, entity: &EntityId, action: Action) -> Command {
        let ask = Ask {
            id: self.hub.new_command_id(),
            target: EntityRef {
                device: id(device),
                entity: entity.clone(),
            },
            action,
            value: None,
            cause: Cause::User {
                user: admin().user,
                name: "adam".into(),
                session: SessionId::new(Timestamp::from_millis(1), [2; 10]),
            },
            idempotency: None,
        };
        let asked = self.hub.ask(ask).await.expect("is accepted");
        match asked.ended {
            None => asked.command,
            Some(ended) => tokio::time::timeout(PATIENCE, ended)
                .await
                .expect("ends in time")
                .expect("its end is told"),
        }
    }

    /// Another hub on the same store and broker.
    async fn restart(&mut self) {
        self.hub.shutdown().await;
        self.hub = hub(&self.store.store, &self.broker, self.pin, &self.access).await;
    }
}

async fn broker(dir: &std::path::Path, access: &SharedAccess) -> (Arc<Broker>, Fingerprint) {
    iothome_tls::install_provider();
    let names = ["127.0.0.1".to_owned()];
    let authority = Authority::open_or_create(&dir.join("tls"), &names, SystemTime::now());
    let identity = authority.expect("is made").broker().expect("is there");
    let everything = |access| TopicRule {
        filter: "#".into(),
        access,
    };
    let config = BrokerConfig {
        listen: "127.0.0.1:0".parse().expect("an address"),
        cert_pem: identity.chain_pem,
        key_pem: identity.key_pem,
        data_dir: dir.join("broker"),
        hub: Some(Credential {
            id: CredentialId::new(Timestamp::from_millis(1), [3; 10]),
            username: "the.hub".into(),
            name: "The hub".into(),
            device: None,
            secret_sha256: data_encoding::HEXLOWER.encode(&Sha256::digest(OWN_PASSWORD)),
            topics: vec![everything(Access::Read), everything(Access::Write)],
            created_at: Timestamp::from_millis(1),
        }),
    };
    let broker = Box::pin(iothome_broker::start(config, Arc::clone(access)));
    (
        Arc::new(broker.await.expect("starts")),
        identity.fingerprints.sha256,
    )
}

async fn hub(store: &Store, broker: &Arc<Broker>, pin: Fingerprint, access: &SharedAccess) -> Hub {
    let cutting: Arc<OnceLock<Arc<Broker>>> = Arc::default();
    let _ = cutting.set(Arc::clone(broker));
    let config = HubConfig {
        mqtt: MqttConfig {
            host: broker.address().ip().to_string(),
            port: broker.address().port(),
            username: Some("the.hub".into()),
            password: Some(OWN_PASSWORD.into()),
            tls: iothome_tls::pinned_client(&[pin]),
            client_id: "iothome-test".into(),
            keep_alive_s: 30,
        },
        broker_address: broker.address().to_string(),
        managed: true,
        discovery: DiscoveryMode::Ask,
        discovery_prefix: "homeassistant".into(),
        access: Arc::clone(access),
        cut: Some(Arc::new(move |user| {
            if let Some(broker) = cutting.get() {
                broker.cut(user);
            }
        })),
        dynsec: None,
        sha256: None,
        sha1: None,
        seen: iothome_tls::Seen::default(),
        password_workers: 1,
        scheduling: iothome_actors::Scheduling::default(),
    };
    let hub = Box::pin(Hub::start(config, store.clone(), Clock::system()));
    hub.await.expect("starts")
}

fn id(text: &str) -> DeviceId {
    text.parse().expect("an id")
}

fn admin() -> Subject {
    Subject {
        user: UserId::new(Timestamp::from_millis(1), [1; 10]),
        name: "adam".into(),
        role: Role::Admin,
        grants: HashMap::new(),
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, waiting).await.is_ok(),
        "not in time: {what}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_device_obeys_and_says_so() {
    let house = House::new().await;
    for (device, kind, action, expected) in [
        ("coffee", Kind::Switch, Action::TurnOff, Status::Confirmed),
        ("coffee", Kind::Switch, Action::Toggle, Status::Confirmed),
        ("lamp", Kind::Light, Action::TurnOn, Status::Confirmed),
        (
            "building-door",
            Kind::Button,
            Action::Press,
            Status::Delivered,
        ),
        ("front-door", Kind::Lock, Action::Unlock, Status::Confirmed),
        ("blind", Kind::Cover, Action::Close, Status::Confirmed),
    ] {
        let entity = house.lives(device, kind).await;
        let ended = house.ask(device, &entity, action).await;
        assert_eq!(ended.status, expected, "{device}: {:?}", ended.reason);
    }
    let coffee = house.entity("coffee", Kind::Switch).expect("is there");
    assert_eq!(
        (coffee.state.clone(), coffee.freshness),
        (Some(Value::word("on")), Freshness::Live)
    );
    assert!(house.view("coffee").sender_verified);
    house.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_away_or_mute_is_told_as_what_it_is() {
    let house = House::new().await;
    let lamp = house.lives("lamp", Kind::Light).await;
    house.home.set_plugged("lamp", false).expect("is there");
    until("its last will", || {
        house.view("lamp").availability == Availability::Offline
    })
    .await;
    let away = house.ask("lamp", &lamp, Action::TurnOn).await;
    assert_eq!(away.status, Status::Unavailable);
    let coffee = house.lives("coffee", Kind::Switch).await;
    let mute = Conduct {
        mute: true,
        ..Conduct::default()
    };
    house.home.set_conduct("coffee", mute).expect("is there");
    let before = house
        .entity("coffee", Kind::Switch)
        .expect("is there")
        .state
        .clone();
    let ended = house.ask("coffee", &coffee, Action::Toggle).await;
    assert_eq!(ended.status, Status::TimedOut);
    assert_eq!(
        house
            .entity("coffee", Kind::Switch)
            .expect("is there")
            .state,
        before
    );
    house.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_floods_and_one_that_sends_rubbish_harm_nobody() {
    let house = House::new().await;
    let coffee = house.lives("coffee", Kind::Switch).await;
    house.lives("fridge", Kind::Sensor).await;
    let flood = Conduct {
        flood_per_second: 1_000,
        ..Conduct::default()
    };
    house.home.set_conduct("fridge", flood).expect("is there");
    let garbage = Conduct {
        garbage: true,
        ..Conduct::default()
    };
    house
        .home
        .set_conduct("thermostat", garbage)
        .expect("is there");
    for _ in 0..10 {
        let ended = house.ask("coffee", &coffee, Action::Toggle).await;
        assert_eq!(ended.status, Status::Confirmed);
    }
    assert_eq!(house.view("fridge").health, Health::Ok);
    assert_eq!(house.view("thermostat").health, Health::Ok);
    house.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_everything_is_there_and_soon_live_again() {
    let mut house = House::new().await;
    let coffee = house.lives("coffee", Kind::Switch).await;
    let on = house.ask("coffee", &coffee, Action::TurnOn).await;
    assert_eq!(on.status, Status::Confirmed);
    let versions: Vec<_> = house
        .hub
        .house()
        .devices()
        .iter()
        .map(|d| (d.id.clone(), d.version))
        .collect();
    house.restart().await;
    assert_eq!(house.hub.house().len(), 10);
    let entity = house.entity("coffee", Kind::Switch).expect("is there");
    assert_eq!(entity.state, Some(Value::word("on")));
    house.lives("coffee", Kind::Switch).await;
    let off = house.ask("coffee", &coffee, Action::TurnOff).await;
    assert_eq!(off.status, Status::Confirmed);
    let after: Vec<_> = house
        .hub
        .house()
        .devices()
        .iter()
        .map(|d| (d.id.clone(), d.version))
        .collect();
    assert_eq!(after, versions, "the same announcements again are no work");
    assert!(house.hub.new_devices().is_empty());
    house.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_fails_hears_its_state_again_from_the_broker() {
    let house = House::new().await;
    house.lives("coffee", Kind::Switch).await;
    let before = house.view("coffee").revision;
    house.hub.fail_device(&id("coffee"));
    until("the next life", || house.view("coffee").revision > before).await;
    let entity = house.lives("coffee", Kind::Switch).await;
    let ended = house.ask("coffee", &entity, Action::Toggle).await;
    assert_eq!(ended.status, Status::Confirmed);
    house.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_device_is_shown_the_door() {
    let house = House::new().await;
    house.lives("coffee", Kind::Switch).await;
    let gone = house.hub.delete_device(&id("coffee"), None, &admin()).await;
    gone.expect("goes");
    assert!(house.hub.house().device(&id("coffee")).is_none());
    until("its connection ends", || {
        house
            .broker
            .clients()
            .iter()
            .all(|c| c.username != "coffee")
    })
    .await;
    house.hub.shutdown().await;
}
