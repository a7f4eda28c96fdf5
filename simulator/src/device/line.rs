//! A device's line to the broker: MQTT 5 over TLS, pinned, with its own back-off.
//!
//! Owner of the client. The task that polls it does nothing else, and the device
//! never waits for it: both would stand still waiting for each other.

use crate::DeviceSpec;
use crate::device::Way;
use crate::dice::Dice;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, LastWill, Packet};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use rumqttc::{NetworkOptions, TlsConfiguration, Transport};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Requests that may wait for the line: a flooding device's portion fits.
const REQUESTS: usize = 256;
/// Messages that may wait for the device; the line then reads no further.
const EVENTS: usize = 64;
/// First and longest pause before connecting again.
const PAUSE_MS: (u64, u64) = (250, 8_000);
/// Unacknowledged reports. The client sets a table of this size aside, and its own bound
/// (65,535) would cost ten megabytes a device.
const IN_FLIGHT: u16 = 50;
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// A goodbye is two small packets.
const GOODBYE_WITHIN: Duration = Duration::from_millis(500);

pub(super) enum LineEvent {
    Up,
    Down(String),
    /// The broker is not the one whose fingerprint the device has burnt in.
    Refused(String),
    Message {
        topic: String,
        payload: String,
    },
}

pub(super) struct Line {
    client: AsyncClient,
    events: mpsc::Receiver<LineEvent>,
    leaving: CancellationToken,
    availability: String,
    poller: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.poller.abort();
    }
}

impl Line {
    pub(super) fn open(spec: &DeviceSpec, way: &Way, base: &str) -> Self {
        let availability = format!("{base}/{}", spec.model.availability_topic());
        let mut options = MqttOptions::new(format!("sim-{}", spec.id), &way.host, way.port);
        let will = LastWill::new(&availability, "offline", QoS::AtLeastOnce, true, None);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        let tls = TlsConfiguration::Rustls(Arc::clone(&way.tls));
        options
            .set_credentials(&spec.username, &spec.password)
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_start(true)
            .set_outgoing_inflight_upper_limit(IN_FLIGHT)
            .set_last_will(will)
            .set_network_options(network)
            .set_transport(Transport::tls_with_config(tls));
        let (client, eventloop) = AsyncClient::new(options, REQUESTS);
        let (sender, events) = mpsc::channel(EVENTS);
        let leaving = CancellationToken::new();
        let poller = tokio::spawn(poll(eventloop, sender, leaving.clone()));
        Self {
            client,
            events,
            leaving,
            availability,
            poller,
        }
    }

    pub(super) async fn next(&mut self) -> LineEvent {
        match self.events.recv().await {
            Some(event) => event,
            // The poller ends only when the device leaves, and then nobody asks.
            None => std::future::pending().await,
        }
    }

    pub(super) fn listen(&self, topics: &[String]) {
        let filter = |topic: &String| Filter::new(topic, QoS::AtLeastOnce);
        let filters: Vec<Filter> = topics.iter().map(filter).collect();
        if let Err(error) = self.client.try_subscribe_many(filters) {
            tracing::debug!(%error, "a simulated device could not subscribe");
        }
    }

    /// Hands a report to the line; false if it is full.
    pub(super) fn say(&self, topic: &str, payload: impl Into<Vec<u8>>, retain: bool) -> bool {
        let payload = payload.into();
        self.client
            .try_publish(topic, QoS::AtLeastOnce, retain, payload)
            .is_ok()
    }

    /// The same without waiting for an acknowledgement or keeping it.
    pub(super) fn say_lightly(&self, topic: &str, payload: String) -> bool {
        self.client
            .try_publish(topic, QoS::AtMostOnce, false, payload)
            .is_ok()
    }

    pub(super) async fn say_goodbye(mut self) {
        self.leaving.cancel();
        self.say(&self.availability, "offline", true);
        if self.client.try_disconnect().is_err() {
            return;
        }
        let drained = async { while self.events.recv().await.is_some() {} };
        // Too late is not worse than a plug that was pulled: the last will speaks.
        let _ = tokio::time::timeout(GOODBYE_WITHIN, drained).await;
    }
}

async fn poll(
    mut eventloop: EventLoop,
    events: mpsc::Sender<LineEvent>,
    leaving: CancellationToken,
) {
    let mut dice = Dice::new();
    let mut pause_ms = PAUSE_MS.0;
    loop {
        let event = match eventloop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                pause_ms = PAUSE_MS.0;
                LineEvent::Up
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => LineEvent::Message {
                topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                payload: String::from_utf8_lossy(&publish.payload).into_owned(),
            },
            Ok(_) => continue,
            Err(_) if leaving.is_cancelled() => return,
            Err(ConnectionError::Tls(error)) => LineEvent::Refused(error.to_string()),
            Err(error) => LineEvent::Down(error.to_string()),
        };
        let failed = matches!(event, LineEvent::Down(_) | LineEvent::Refused(_));
        if events.send(event).await.is_err() {
            return;
        }
        if failed {
            let jitter = dice.next() % (pause_ms / 2);
            tokio::time::sleep(Duration::from_millis(pause_ms + jitter)).await;
            pause_ms = (pause_ms * 2).min(PAUSE_MS.1);
        }
    }
}
