//! The MQTT side as the house holds it, with a stand-in for the house.

use super::super::*;
use super::broker::{Mosquitto, PATIENCE, Peer};
use crate::inbox::{Inbox, Message};
use crate::keeper::testing::Root;
use rumqttc::v5::mqttbytes::v5::Publish;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

pub(super) struct Rig {
    pub(super) mqtt: Mqtt,
    pub(super) routes: Arc<Routes>,
    events: mpsc::UnboundedReceiver<MqttEvent>,
    pub(super) announced: mpsc::UnboundedReceiver<(String, Bytes, bool)>,
    root: ActorRef<()>,
    pub(super) clock: Clock,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.root.kill();
    }
}

impl Rig {
    pub(super) async fn start(broker: &Mosquitto, port: u16) -> Self {
        Self::start_with(config(broker.tls.clone(), port)).await
    }

    pub(super) async fn start_with(config: MqttConfig) -> Self {
        let root = Root::start().await;
        let clock = Clock::system();
        let routes = Arc::new(Routes::default());
        let (tell_event, events) = mpsc::unbounded_channel();
        let (tell_announced, announced) = mpsc::unbounded_channel();
        let setup = MqttSetup {
            config,
            discovery_prefix: Some("homeassistant".into()),
            status_prefix: "homeassistant".into(),
            routes: routes.clone(),
            discovery: Arc::new(move |topic, payload, retained| {
                let _ = tell_announced.send((topic.to_owned(), payload, retained));
            }),
            events: Arc::new(move |event| {
                let _ = tell_event.send(event);
            }),
        };
        let mqtt = Mqtt::start(setup, clock.clone(), root.get_cell())
            .await
            .expect("started");
        Self {
            mqtt,
            routes,
            events,
            announced,
            root,
            clock,
        }
    }

    pub(super) async fn event(&mut self) -> MqttEvent {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("an event comes")
            .expect("the hub lives")
    }

    pub(super) async fn until(&mut self, wanted: &MqttEvent) {
        self.first(|event| event == wanted).await;
    }

    /// The next event that ends a publication.
    pub(super) async fn outcome(&mut self) -> MqttEvent {
        let ends = |event: &MqttEvent| {
            matches!(
                event,
                MqttEvent::Acknowledged { .. } | MqttEvent::Refused { .. }
            )
        };
        self.first(ends).await
    }

    /// One deadline over all events: a connection that comes and goes for ever is none.
    async fn first(&mut self, wanted: impl Fn(&MqttEvent) -> bool) -> MqttEvent {
        let search = async {
            loop {
                let event = self.events.recv().await.expect("the hub lives");
                if wanted(&event) {
                    return event;
                }
            }
        };
        timeout(PATIENCE, search).await.expect("the event comes")
    }

    /// The actor hears of an acknowledgement a moment after the house does.
    pub(super) async fn until_outbox_is_empty(&self) {
        let empty = async {
            while self.mqtt.status().outbox > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, empty).await.expect("it empties");
    }

    pub(super) fn publish(&self, topic: &str, payload: &str, deadline_ms: i64) -> CommandId {
        self.ask(topic, payload, deadline_ms, false)
    }

    pub(super) fn ask(
        &self,
        topic: &str,
        payload: &str,
        deadline_ms: i64,
        once: bool,
    ) -> CommandId {
        let now = self.clock.now();
        let command = CommandId::new(now, crate::random::bytes());
        let outgoing = Outgoing {
            command,
            topic: topic.into(),
            payload: payload.as_bytes().to_vec(),
            deadline_at: now.plus_millis(deadline_ms),
            at_most_once: once,
        };
        self.mqtt.publish(outgoing, lamp());
        command
    }

    pub(super) fn listen(&self, device: &str, topics: &[&str]) -> Listener {
        let (tell, woken) = mpsc::unbounded_channel();
        let inbox = Inbox::new(move || {
            let _ = tell.send(());
        });
        let topics = topics.iter().map(|t| (*t).to_owned()).collect();
        self.routes
            .set(&device.parse().expect("an id"), topics, &inbox);
        Listener { inbox, woken }
    }
}

/// A device's end of its inbox.
pub(super) struct Listener {
    inbox: Arc<Inbox>,
    woken: mpsc::UnboundedReceiver<()>,
}

impl Listener {
    pub(super) async fn next(&mut self) -> Message {
        loop {
            if let Some(message) = self.inbox.drain(1).0.pop() {
                return message;
            }
            timeout(PATIENCE, self.woken.recv())
                .await
                .expect("a message arrives")
                .expect("the inbox lives");
        }
    }

    pub(super) async fn next_text(&mut self) -> String {
        String::from_utf8(self.next().await.payload.to_vec()).expect("text")
    }
}

pub(super) fn lamp() -> DeviceId {
    "lamp".parse().expect("an id")
}

pub(super) fn acknowledged(command: CommandId) -> MqttEvent {
    MqttEvent::Acknowledged {
        device: lamp(),
        command,
    }
}

pub(super) fn properties(publish: &Publish) -> (Option<u32>, Option<String>) {
    let properties = publish.properties.clone().unwrap_or_default();
    let correlation = properties
        .correlation_data
        .map(|data| String::from_utf8(data.to_vec()).expect("text"));
    (properties.message_expiry_interval, correlation)
}

pub(super) fn config(tls: Arc<rustls::ClientConfig>, port: u16) -> MqttConfig {
    MqttConfig {
        host: "localhost".into(),
        port,
        username: None,
        password: None,
        tls,
        client_id: "hub".into(),
        keep_alive_s: 5,
    }
}

pub(super) async fn wait_until_subscribed(peer: &mut Peer, listener: &mut Listener, topic: &str) {
    loop {
        peer.publish(topic, "probe", false).await;
        if let Ok(message) = timeout(Duration::from_millis(200), listener.next()).await {
            assert_eq!(message.payload, "probe");
            while timeout(Duration::from_millis(200), listener.next())
                .await
                .is_ok()
            {}
            return;
        }
    }
}
