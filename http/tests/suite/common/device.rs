//! A device of its own over TLS, for tests: a switch that obeys, or does not.

use super::{PATIENCE, TestHouse};
use iothome_tls::pinned_client;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What it does with a command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Reports the new state.
    Obeys,
    /// Hears it and says nothing.
    IsSilent,
}

/// A connected switch.
pub(crate) struct Switch {
    id: String,
    client: AsyncClient,
    heard: watch::Receiver<u32>,
    task: JoinHandle<()>,
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Switch {
    /// Connects, subscribes, and says that it is off.
    pub(crate) async fn connect(
        house: &TestHouse,
        id: &str,
        credential: &(String, String),
        manner: Manner,
    ) -> Self {
        let mut options = MqttOptions::new(id, "127.0.0.1", house.broker_port);
        options.set_credentials(&credential.0, &credential.1);
        options.set_keep_alive(Duration::from_secs(30));
        let tls = pinned_client(&[house.fingerprint]);
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
        let (client, mut events) = AsyncClient::new(options, 32);
        let set = format!("iothome/{id}/power/set");
        client.subscribe(&set, QoS::AtLeastOnce).await.unwrap();
        let (ready, mut subscribed) = watch::channel(false);
        let (count, heard) = watch::channel(0);
        let (answerer, state) = (client.clone(), format!("iothome/{id}/power/state"));
        let task = tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        let _ = ready.send(true);
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        count.send_modify(|n| *n += 1);
                        if manner == Manner::Obeys {
                            let _ = answerer.try_publish(
                                state.clone(),
                                QoS::AtLeastOnce,
                                false,
                                publish.payload,
                            );
                        }
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        let wait = subscribed.wait_for(|ready| *ready);
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("the device subscribes")
            .unwrap();
        let switch = Self {
            id: id.to_owned(),
            client,
            heard,
            task,
        };
        switch.report("OFF").await;
        switch
    }

    /// Reports a state.
    pub(crate) async fn report(&self, state: &str) {
        let topic = format!("iothome/{}/power/state", self.id);
        self.client
            .publish(topic, QoS::AtLeastOnce, false, state.to_owned())
            .await
            .unwrap();
    }

    /// Announces something on a discovery topic, retained.
    pub async fn announce(&self, topic: &str, config: &serde_json::Value) {
        self.client
            .publish(topic, QoS::AtLeastOnce, true, config.to_string())
            .await
            .unwrap();
    }

    /// How many commands it has heard.
    pub(crate) fn heard(&self) -> u32 {
        *self.heard.borrow()
    }
}

/// Publishes retained messages as a broker user and waits until the broker has them all.
pub(crate) async fn publish_retained(
    house: &TestHouse,
    credential: &(String, String),
    messages: &[(&str, String)],
) {
    let mut options = MqttOptions::new("announcer", "127.0.0.1", house.broker_port);
    options.set_credentials(&credential.0, &credential.1);
    let tls = pinned_client(&[house.fingerprint]);
    options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    let (client, mut events) = AsyncClient::new(options, 32);
    for (topic, payload) in messages {
        let qos = QoS::AtLeastOnce;
        client
            .publish(*topic, qos, true, payload.clone())
            .await
            .unwrap();
    }
    let mut left = messages.len();
    let all = async {
        while left > 0 {
            if let Event::Incoming(Packet::PubAck(_)) = events.poll().await.unwrap() {
                left -= 1;
            }
        }
    };
    tokio::time::timeout(PATIENCE, all)
        .await
        .expect("the broker takes them");
}
