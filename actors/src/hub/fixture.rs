//! A house for tests: a real store, and a probe in place of the broker.

use super::start::{broker_is, on_event};
use super::{DiscoveryMode, Hub, HubConfig, load_access};
use crate::clock::Clock;
use crate::mqtt::{MqttConfig, MqttEvent};
use crate::registrar::{NewDevice, NewEntity};
use crate::services::{Act, Wire};
use bytes::Bytes;
use iothome_engine::command::{Ask, Cause};
use iothome_engine::device::Outgoing;
use iothome_engine::ids::{DeviceId, EntityRef, SessionId, UserId};
use iothome_engine::kind::{Action, Kind};
use iothome_engine::policy::{Role, Subject};
use iothome_engine::supervision::Policy;
use iothome_engine::time::Timestamp;
use iothome_engine::view::{DeviceView, EntityView};
use iothome_store::Store;
use iothome_store::testing::TestStore;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

/// Longest wait in a test: only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Three restarts, quick, so that tests need not wait.
pub(crate) const QUICK: Policy = Policy {
    attempts: 3,
    window_ms: 60_000,
    first_wait_ms: 5,
    longest_wait_ms: 20,
    quarantine_ms: 3_600_000,
    longest_quarantine_ms: 3_600_000,
};

pub(crate) struct Fixture {
    pub(crate) hub: Hub,
    pub(crate) acts: mpsc::UnboundedReceiver<Act>,
    pub(crate) cuts: Arc<Mutex<Vec<String>>>,
    pub(crate) home: TestStore,
    config: HubConfig,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(DiscoveryMode::Ask, true).await
    }

    pub(crate) async fn with(discovery: DiscoveryMode, managed: bool) -> Self {
        let home = TestStore::sqlite().await;
        let store = home.store.clone();
        let cuts: Arc<Mutex<Vec<String>>> = Arc::default();
        let cut = Arc::clone(&cuts);
        let config = HubConfig {
            mqtt: MqttConfig {
                host: "localhost".into(),
                port: 1,
                username: None,
                password: None,
                tls: iothome_tls::pinned_client(&[]),
                client_id: "test".into(),
                keep_alive_s: 30,
            },
            broker_address: "localhost:1".into(),
            managed,
            discovery,
            discovery_prefix: "homeassistant".into(),
            access: load_access(&store).await.expect("reads"),
            cut: Some(Arc::new(move |user| {
                cut.lock().expect("whole").push(user.to_owned());
            })),
            dynsec: None,
            sha256: None,
            sha1: None,
            seen: iothome_tls::Seen::default(),
            password_workers: 1,
            scheduling: crate::scheduler::Scheduling::default(),
        };
        let (hub, acts) = start(&config, &store).await;
        Self {
            hub,
            acts,
            cuts,
            home,
            config,
        }
    }

    /// Kills the hub without a word, and starts another one on the same store.
    pub(crate) async fn crash(&mut self) {
        self.hub.inner.root.kill();
        // What was under way in the store's own threads settles.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (hub, acts) = start(&self.config, &self.home.store).await;
        (self.hub, self.acts) = (hub, acts);
    }

    pub(crate) fn broker_is(&self, up: bool) {
        broker_is(&self.hub.inner.services, up);
    }

    pub(crate) fn event(&self, event: MqttEvent) {
        let inner = &self.hub.inner;
        on_event(&inner.services, &inner.registrar, &inner.accounts, true)(event);
    }

    /// A hand-made switch with a state topic.
    pub(crate) async fn switch(&self, name: &str) -> DeviceId {
        self.device(name, vec![switch_entity(name, None)]).await
    }

    pub(crate) async fn device(&self, name: &str, entities: Vec<NewEntity>) -> DeviceId {
        let new = NewDevice {
            name: name.into(),
            entities,
            ..NewDevice::default()
        };
        let (view, _) = self
            .hub
            .create_device(new, &admin())
            .await
            .expect("is made");
        view.id.clone()
    }

    /// The broker delivers a message.
    pub(crate) fn deliver(&self, topic: &str, payload: &str) {
        let services = &self.hub.inner.services;
        let payload = Bytes::from(payload.to_owned());
        let now = services.clock.now();
        assert!(
            services.routes.deliver(topic, &payload, false, now),
            "{topic} has a route"
        );
    }

    pub(crate) fn announce(&self, topic: &str, payload: &Value) {
        let registrar = &self.hub.inner.registrar;
        registrar.announce(topic, Bytes::from(payload.to_string()));
    }

    pub(crate) fn withdraw(&self, topic: &str) {
        self.hub.inner.registrar.announce(topic, Bytes::new());
    }

    /// The next command that is published.
    pub(crate) async fn published(&mut self) -> Outgoing {
        let next = async {
            loop {
                match self.acts.recv().await {
                    Some(Act::Publish(_, outgoing)) => return outgoing,
                    Some(_) => {}
                    None => panic!("the house is gone"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .expect("something is published")
    }

    /// Says that the broker took the command.
    pub(crate) fn sent(&self, device: &DeviceId, outgoing: &Outgoing) {
        let (device, command) = (device.clone(), outgoing.command);
        let at = self.hub.clock().now();
        self.event(MqttEvent::Sent {
            device: device.clone(),
            command,
            at,
        });
        self.event(MqttEvent::Acknowledged { device, command });
    }

    pub(crate) fn view(&self, device: &DeviceId) -> Arc<DeviceView> {
        self.hub.house().device(device).expect("is there")
    }

    pub(crate) fn entity(&self, device: &DeviceId) -> Arc<EntityView> {
        Arc::clone(&self.view(device).entities[0])
    }
}

async fn start(config: &HubConfig, store: &Store) -> (Hub, mpsc::UnboundedReceiver<Act>) {
    let (probe, acts) = mpsc::unbounded_channel();
    let (wire, clock) = (Wire::probe(probe), Clock::system());
    let hub = Hub::prepare(config.clone(), store.clone(), clock, wire, QUICK);
    let hub = Box::pin(hub).await.expect("starts");
    broker_is(&hub.inner.services, true);
    (hub, acts)
}

pub(crate) fn admin() -> Subject {
    Subject {
        user: UserId::new(Timestamp::from_millis(1), [1; 10]),
        name: "adam".into(),
        role: Role::Admin,
        grants: HashMap::new(),
    }
}

pub(crate) fn switch_entity(name: &str, deadline_ms: Option<i64>) -> NewEntity {
    let config = json!({
        "command_topic": format!("{name}/set"),
        "state_topic": format!("{name}/state"),
    });
    entity(Kind::Switch, deadline_ms, &config)
}

pub(crate) fn entity(kind: Kind, deadline_ms: Option<i64>, config: &Value) -> NewEntity {
    NewEntity {
        id: Some("main".into()),
        name: None,
        kind,
        deadline_ms,
        config: config.as_object().expect("an object").clone(),
    }
}

impl Hub {
    pub(crate) fn test_ask(&self, device: &DeviceId, action: Action) -> Ask {
        Ask {
            id: self.new_command_id(),
            target: EntityRef {
                device: device.clone(),
                entity: "main".parse().expect("an id"),
            },
            action,
            value: None,
            cause: Cause::User {
                user: admin().user,
                name: "adam".into(),
                session: SessionId::new(Timestamp::from_millis(1), [2; 10]),
            },
            idempotency: None,
        }
    }
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, waiting).await.is_ok(),
        "not in time: {what}"
    );
}

impl Hub {
    pub(crate) fn inner_registrar(&self) -> crate::registrar::Registrar {
        self.inner.registrar.clone()
    }

    pub(crate) fn shared_access(&self) -> super::SharedAccess {
        Arc::clone(&self.inner.config.access)
    }
}
