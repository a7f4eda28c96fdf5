//! One connection to the broker, from the first byte to the last.
//!
//! Owner of the client library. Each connection has a fresh client, because the
//! library's memory of an old one is not to be trusted (it forgets, and it can
//! get stuck); the outbox remembers instead. The loop must never wait for
//! anything but the socket: a message goes straight into its devices' inboxes.

use super::actor::MqttMessage;
use super::flight::{Cargo, Flight};
use super::outbox::Key;
use super::{MqttConfig, MqttEvent, Shared};
use bytes::Bytes;
use ractor::ActorRef;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnectProperties, ConnectReturnCode, LastWill, Packet, PubAck, PubAckReason, Publish,
    SubAck, SubscribeReasonCode,
};
use rumqttc::v5::mqttbytes::{Error as WireError, QoS};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, StateError};
use rumqttc::{NetworkOptions, Outgoing, TlsConfiguration, Transport};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Largest packet taken from the broker. Discovery bundles of big devices reach some
/// 30 KB; a broker that keeps the standard drops what is larger, before sending it.
pub(crate) const PACKET_MAX: u32 = 256 * 1024;

/// The largest packet MQTT knows: the last step for a broker that sends what it should not.
const PACKET_MAX_EVER: u32 = 268_435_455 + 5;

/// How long the broker keeps the session: a blink of the network loses no report.
const SESSION_EXPIRY_S: u32 = 60;

/// Time for the TCP, TLS and MQTT handshakes together.
const CONNECT_TIMEOUT_S: u64 = 5;

/// Requests that wait in the client: more than the actor ever has under way.
pub(crate) const REQUESTS: usize = 256;

/// Most publications without acknowledgement; brokers often allow just 20.
pub(crate) const WINDOW: u16 = 64;

/// Room for packet numbers: far more than the window, so that they seldom clash.
const NUMBERS: u16 = 1024;

/// Why a connection ended.
#[derive(Debug)]
pub(crate) enum Loss {
    /// The hub said goodbye.
    Goodbye,
    /// The broker sent a packet larger than it was told it may.
    TooLarge,
    /// Anything else, in words.
    Failed(String),
}

/// The parts of a connection the actor keeps.
pub(crate) struct Line {
    pub(crate) client: AsyncClient,
    pub(crate) flight: SharedFlight,
}

/// What is under way; locked for a moment by the actor (asks) and the loop (answers).
#[derive(Clone, Default)]
pub(crate) struct SharedFlight(Arc<Mutex<Flight>>);

impl SharedFlight {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Flight> {
        // Every change is one step, so a panic elsewhere cannot have torn it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The loop's side of a connection.
pub(crate) struct Connection {
    events: EventLoop,
    flight: SharedFlight,
    shared: Arc<Shared>,
    actor: ActorRef<MqttMessage>,
    generation: u64,
    patience: Duration,
    up: Option<UpGuard>,
}

/// Says `Down` when the connection ends, however it ends.
struct UpGuard(Arc<Shared>);

impl Drop for UpGuard {
    fn drop(&mut self) {
        self.0.went_down();
        (self.0.events)(MqttEvent::Down);
    }
}

/// Makes a client that is not yet connected.
pub(crate) fn prepare(
    shared: &Arc<Shared>,
    actor: ActorRef<MqttMessage>,
    generation: u64,
    packet_max: u32,
) -> (Line, Connection) {
    let options = with_session(options(&shared.config, packet_max), shared, packet_max);
    let patience = patience(options.keep_alive());
    let (client, events) = AsyncClient::new(options, REQUESTS);
    let flight = SharedFlight::default();
    let line = Line {
        client,
        flight: flight.clone(),
    };
    let connection = Connection {
        events,
        flight,
        shared: shared.clone(),
        actor,
        generation,
        patience,
        up: None,
    };
    (line, connection)
}

/// Pings go out every keep-alive, so a loop that says nothing for three hangs in a write.
fn patience(keep_alive: Duration) -> Duration {
    keep_alive * 3 + Duration::from_secs(CONNECT_TIMEOUT_S)
}

/// How every client of the hub reaches the broker: no session, no last will.
pub(crate) fn options(config: &MqttConfig, packet_max: u32) -> MqttOptions {
    let mut options = MqttOptions::new(&config.client_id, &config.host, config.port);
    let tls = TlsConfiguration::Rustls(config.tls.clone());
    let mut properties = ConnectProperties::new();
    properties.max_packet_size = Some(packet_max);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_TIMEOUT_S);
    options
        .set_transport(Transport::tls_with_config(tls))
        // The library refuses less than five seconds.
        .set_keep_alive(Duration::from_secs(config.keep_alive_s.max(5)))
        .set_connection_timeout(CONNECT_TIMEOUT_S)
        .set_connect_properties(properties)
        .set_network_options(network);
    if let Some(username) = &config.username {
        options.set_credentials(username, config.password.as_deref().unwrap_or_default());
    }
    options
}

/// The house's own client: its session outlives a blink, and the broker says when it is gone.
fn with_session(mut options: MqttOptions, shared: &Shared, packet_max: u32) -> MqttOptions {
    let mut properties = ConnectProperties::new();
    properties.session_expiry_interval = Some(SESSION_EXPIRY_S);
    properties.max_packet_size = Some(packet_max);
    let will = LastWill::new(
        &shared.status_topic,
        "offline",
        QoS::AtMostOnce,
        false,
        None,
    );
    options
        .set_clean_start(false)
        .set_connect_properties(properties)
        .set_outgoing_inflight_upper_limit(NUMBERS)
        .set_last_will(will);
    options
}

/// The next packet limit after the broker broke one: the message that did it is then read
/// and dropped, instead of ending every connection on which it is replayed.
pub(crate) const fn larger_limit(limit: u32) -> u32 {
    match limit.checked_mul(16) {
        Some(larger) if larger < PACKET_MAX_EVER => larger,
        _ => PACKET_MAX_EVER,
    }
}

impl Connection {
    /// Runs until the connection ends.
    pub(crate) async fn run(mut self) -> Loss {
        loop {
            let event = match tokio::time::timeout(self.patience, self.events.poll()).await {
                Ok(Ok(event)) => event,
                Ok(Err(error)) => return self.ended(&error),
                Err(_) => return Loss::Failed("the broker takes nothing any more".into()),
            };
            if matches!(event, Event::Outgoing(Outgoing::Disconnect)) {
                return Loss::Goodbye;
            }
            self.on_event(event);
        }
    }

    /// What was read before the error still counts.
    fn ended(&mut self, error: &ConnectionError) -> Loss {
        for event in std::mem::take(&mut self.events.state.events) {
            if self.up.is_some() {
                self.on_event(event);
            }
        }
        loss(error)
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Incoming(Packet::Publish(publish)) => self.on_publish(&publish),
            Event::Incoming(Packet::PubAck(ack)) => self.on_puback(&ack),
            Event::Incoming(Packet::ConnAck(ack)) => self.on_connack(&ack),
            Event::Incoming(Packet::SubAck(ack)) => self.on_suback(&ack),
            Event::Incoming(Packet::UnsubAck(_)) => self.tell(MqttMessage::Subscribed),
            Event::Outgoing(Outgoing::Publish(number)) => self.on_written(number),
            Event::Outgoing(Outgoing::AwaitAck(number)) => self.flight.lock().held(number),
            Event::Outgoing(Outgoing::Subscribe(number)) => {
                self.flight.lock().subscribe_written(number);
            }
            Event::Incoming(_) | Event::Outgoing(_) => {}
        }
    }

    fn tell(&self, message: impl FnOnce(u64) -> MqttMessage) {
        // The actor outlives its connections; if it is gone, this one is about to be.
        let _ = self.actor.cast(message(self.generation));
    }

    fn on_connack(&mut self, ack: &ConnAck) {
        let properties = ack.properties.as_ref();
        let window = properties.and_then(|p| p.receive_max).unwrap_or(WINDOW);
        let max_packet = properties.and_then(|p| p.max_packet_size);
        if let Some(seconds) = properties.and_then(|p| p.server_keep_alive) {
            self.patience = patience(Duration::from_secs(seconds.into()));
        }
        // Before the first message: a device must know that the broker is there again.
        self.shared.routes.restart(&self.shared.filters);
        self.shared.went_up();
        (self.shared.events)(MqttEvent::Up);
        self.up = Some(UpGuard(self.shared.clone()));
        let window = window.min(WINDOW);
        self.tell(|generation| MqttMessage::Opened {
            generation,
            window,
            max_packet,
        });
    }

    fn on_publish(&self, publish: &Publish) {
        let shared = &self.shared;
        let Ok(topic) = std::str::from_utf8(&publish.topic) else {
            return shared.counts.drop_message("topic_not_text", "");
        };
        if publish.payload.len() > PACKET_MAX as usize {
            return shared.counts.drop_message("too_large", topic);
        }
        shared.counts.received();
        let (payload, retained) = (&publish.payload, publish.retain);
        let now = shared.clock.now();
        let mut wanted = shared.routes.deliver(topic, payload, retained, now);
        if shared.is_discovery(topic) {
            wanted = true;
            (shared.discovery)(topic, payload.clone(), retained);
        }
        if !wanted {
            shared.counts.drop_message("unknown_topic", topic);
        }
    }

    fn on_written(&self, number: u16) {
        self.shared.counts.sent();
        let written = self.flight.lock().written(number).cloned();
        if let Some((device, command)) = written.and_then(command_of) {
            let at = self.shared.clock.now();
            (self.shared.events)(MqttEvent::Sent {
                device,
                command,
                at,
            });
        }
    }

    fn on_puback(&mut self, ack: &PubAck) {
        let Some(cargo) = self.flight.lock().acknowledged(ack.pkid) else {
            return;
        };
        let key = cargo.key;
        let taken = matches!(
            ack.reason,
            PubAckReason::Success | PubAckReason::NoMatchingSubscribers
        );
        if !taken {
            self.free_held(ack.pkid);
        }
        if let Some((device, command)) = command_of(cargo) {
            (self.shared.events)(if taken {
                MqttEvent::Acknowledged { device, command }
            } else {
                tracing::warn!(%device, %command, reason = ?ack.reason, "the broker refused a command");
                let reason = iothome_engine::command::reason::BROKER_REFUSED.to_owned();
                MqttEvent::Refused {
                    device,
                    command,
                    reason,
                }
            });
        }
        self.tell(|generation| MqttMessage::Settled { generation, key });
    }

    /// The library forgets a packet it holds back if the one before it is refused, and
    /// then sends nothing any more: the actor asks for it anew.
    fn free_held(&mut self, number: u16) {
        let held = &mut self.events.state.collision;
        if held.as_ref().is_some_and(|p| p.pkid == number) {
            *held = None;
            if let Some(Cargo { key, .. }) = self.flight.lock().held_dropped() {
                self.tell(|generation| MqttMessage::GivenBack { generation, key });
            }
        }
    }

    fn on_suback(&self, ack: &SubAck) {
        let filters = self.flight.lock().subscribe_acknowledged(ack.pkid);
        for (filter, code) in filters.iter().zip(&ack.return_codes) {
            if !matches!(code, SubscribeReasonCode::Success(_)) {
                self.shared.counts.subscription_refused();
                tracing::warn!(%filter, reason = ?code, "the broker refused a subscription");
            }
        }
        self.tell(MqttMessage::Subscribed);
    }
}

fn command_of(
    cargo: Cargo,
) -> Option<(
    iothome_engine::ids::DeviceId,
    iothome_engine::ids::CommandId,
)> {
    match (cargo.key, cargo.device) {
        (Key::Command(command), Some(device)) => Some((device, command)),
        _ => None,
    }
}

fn loss(error: &ConnectionError) -> Loss {
    match error {
        ConnectionError::MqttState(StateError::Deserialization(
            WireError::PayloadSizeLimitExceeded { .. },
        )) => Loss::TooLarge,
        ConnectionError::ConnectionRefused(code) => Loss::Failed(refusal(*code)),
        other => Loss::Failed(other.to_string()),
    }
}

fn refusal(code: ConnectReturnCode) -> String {
    match code {
        ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
            "the broker refuses the hub's user name or password".into()
        }
        other => format!("the broker refuses the connection: {other:?}"),
    }
}

/// The message that tells device emitters whether the hub is there.
pub(crate) fn say(client: &AsyncClient, topic: &str, word: &'static str) {
    // Quality 0, as Home Assistant does: it is no news a minute later. If the request
    // queue is full, the connection is about to be lost, and the next one says it.
    let payload = Bytes::from_static(word.as_bytes());
    let _ = client.try_publish(topic, QoS::AtMostOnce, false, payload);
}
