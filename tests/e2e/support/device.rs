//! A device under test, written from the outside: it speaks MQTT 5 and pins the broker.

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

/// How to reach a broker.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) sha256: String,
    pub(crate) username: String,
    pub(crate) password: String,
}

/// What a device was told: topic, payload, command id, retained.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) topic: String,
    pub(crate) payload: String,
    pub(crate) command: Option<String>,
    pub(crate) retained: bool,
    pub(crate) expiry_s: Option<u32>,
    /// Whether the broker says that it may have told it before.
    pub(crate) repeated: bool,
}

/// A connected device that answers each message by `obey`: the reports it publishes.
pub(crate) struct Device {
    pub(crate) client: AsyncClient,
    told: Arc<Mutex<Vec<Told>>>,
    failures: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// What a device reports when it is told something: topic, payload, retain.
pub(crate) type Reports = Vec<(String, String, bool)>;

impl Device {
    /// Connects and subscribes; keeps connecting until it is dropped.
    pub(crate) fn connect(
        door: &Door,
        client_id: &str,
        topics: &[&str],
        obey: impl Fn(&Told) -> Reports + Send + 'static,
    ) -> Self {
        let (client, mut events) = AsyncClient::new(options(door, client_id), 100);
        let told = Arc::new(Mutex::new(Vec::new()));
        let topics: Vec<String> = topics.iter().map(|t| (*t).to_owned()).collect();
        let failures = Arc::new(AtomicUsize::new(0));
        let (sender, record, failed) = (client.clone(), told.clone(), failures.clone());
        let task = tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        for topic in &topics {
                            let _ = sender.try_subscribe(topic, QoS::AtLeastOnce);
                        }
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let message = told_of(&publish);
                        for (topic, payload, retain) in obey(&message) {
                            let _ = sender.try_publish(topic, QoS::AtLeastOnce, retain, payload);
                        }
                        record.lock().expect("no test panics with it").push(message);
                    }
                    Ok(_) => {}
                    // The broker may be away; a real device tries again.
                    Err(_) => {
                        failed.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                }
            }
        });
        Self {
            client,
            told,
            failures,
            task,
        }
    }

    /// Everything it was told so far.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.lock().expect("no test panics with it").clone()
    }

    /// How often it was cut off or not let in.
    pub(crate) fn failures(&self) -> usize {
        self.failures.load(Ordering::Relaxed)
    }

    /// Publishes at QoS 1.
    pub(crate) async fn report(&self, topic: &str, payload: impl Into<Vec<u8>>, retain: bool) {
        self.client
            .publish(topic, QoS::AtLeastOnce, retain, payload.into())
            .await
            .expect("the client takes it");
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn options(door: &Door, client_id: &str) -> MqttOptions {
    iothome_tls::install_provider();
    let pin = door.sha256.parse().expect("a fingerprint");
    let mut options = MqttOptions::new(client_id, door.host.clone(), door.port);
    options.set_credentials(door.username.clone(), door.password.clone());
    options.set_clean_start(true);
    options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(
        iothome_tls::pinned_client(&[pin]),
    )));
    let mut network = options.network_options();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
    options
}

fn told_of(publish: &rumqttc::v5::mqttbytes::v5::Publish) -> Told {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let properties = publish.properties.as_ref();
    Told {
        topic: text(&publish.topic),
        payload: text(&publish.payload),
        command: properties
            .and_then(|p| p.correlation_data.as_ref())
            .map(|id| text(id)),
        retained: publish.retain,
        repeated: publish.dup,
        expiry_s: properties.and_then(|p| p.message_expiry_interval),
    }
}
