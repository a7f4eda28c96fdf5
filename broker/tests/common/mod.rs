//! A broker in a folder of its own, and clients that talk to it over TLS.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "a test may stop at once, and not every test uses every helper"
)]

use arc_swap::ArcSwap;
use iothome_broker::{Broker, BrokerConfig, start};
use iothome_engine::access::{Access, AccessList, Credential, TopicRule};
use iothome_engine::ids::CredentialId;
use iothome_engine::time::Timestamp;
use iothome_tls::{Authority, pinned_client};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, LastWill, Packet, PubAckReason, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, MqttOptions};
use rumqttc::{NetworkOptions, TlsConfiguration, Transport};
use sha2::Digest;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Far longer than anything here takes, so that only a hang fails a test.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct House {
    pub dir: tempfile::TempDir,
    pub access: Arc<ArcSwap<AccessList>>,
    pub tls: Arc<rustls::ClientConfig>,
    authority: Authority,
}

pub fn credential(username: &str, reads: &[&str], writes: &[&str]) -> Credential {
    let rule = |access| {
        move |filter: &&str| TopicRule {
            filter: (*filter).to_owned(),
            access,
        }
    };
    let reads = reads.iter().map(rule(Access::Read));
    let topics = reads
        .chain(writes.iter().map(rule(Access::Write)))
        .collect();
    Credential {
        id: CredentialId::new(Timestamp::from_millis(1), [0; 10]),
        username: username.to_owned(),
        name: username.to_owned(),
        device: None,
        secret_sha256: digest(&password(username)),
        topics,
        created_at: Timestamp::from_millis(1),
    }
}

pub fn password(username: &str) -> String {
    format!("secret of {username}")
}

pub fn digest(text: &str) -> String {
    let bytes: [u8; 32] = sha2::Sha256::digest(text.as_bytes()).into();
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A lamp and a fridge that may touch their own topics.
pub fn two_devices() -> Vec<Credential> {
    vec![
        credential("lamp", &["iothome/lamp/+/set"], &["iothome/lamp/#"]),
        credential("fridge", &["iothome/fridge/+/set"], &["iothome/fridge/#"]),
    ]
}

impl House {
    pub fn new(credentials: Vec<Credential>) -> Self {
        iothome_tls::install_provider();
        let dir = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let authority =
            Authority::open_or_create(&dir.path().join("tls"), &names, SystemTime::now()).unwrap();
        let pin = authority.broker().unwrap().fingerprints.sha256;
        Self {
            access: Arc::new(ArcSwap::from_pointee(AccessList::new(credentials))),
            tls: pinned_client(&[pin]),
            authority,
            dir,
        }
    }

    pub fn config(&self) -> BrokerConfig {
        let identity = self.authority.broker().unwrap();
        BrokerConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            cert_pem: identity.chain_pem,
            key_pem: identity.key_pem,
            data_dir: self.dir.path().join("broker"),
            hub: Some(credential("hub", &["#"], &["#"])),
        }
    }

    pub async fn open(&self) -> Broker {
        start(self.config(), Arc::clone(&self.access))
            .await
            .unwrap()
    }

    pub fn options(&self, at: SocketAddr, username: &str, client_id: &str) -> MqttOptions {
        let mut options = MqttOptions::new(client_id, at.ip().to_string(), at.port());
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        let tls = TlsConfiguration::Rustls(Arc::clone(&self.tls));
        options
            .set_credentials(username, password(username))
            .set_network_options(network)
            .set_clean_start(true)
            .set_connection_timeout(60)
            .set_outgoing_inflight_upper_limit(20)
            .set_transport(Transport::tls_with_config(tls));
        options
    }

    /// Connects and waits until the broker has said yes.
    pub async fn guest(&self, broker: &Broker, username: &str) -> Guest {
        let id = format!("{username}-client");
        Guest::enter(self.options(broker.address(), username, &id))
            .await
            .unwrap()
    }
}

/// A connected client.
pub struct Guest {
    pub client: AsyncClient,
    events: mpsc::UnboundedReceiver<Result<Event, ConnectionError>>,
    poller: JoinHandle<()>,
}

impl Drop for Guest {
    /// Without a goodbye: the connection just ends.
    fn drop(&mut self) {
        self.poller.abort();
    }
}

impl Guest {
    /// Connects once; no second attempt.
    pub async fn enter(options: MqttOptions) -> Result<Self, ConnectionError> {
        let (client, mut eventloop) = AsyncClient::new(options, 100);
        let (sender, events) = mpsc::unbounded_channel();
        let poller = tokio::spawn(async move {
            loop {
                let event = eventloop.poll().await;
                let ended = event.is_err();
                if sender.send(event).is_err() || ended {
                    return;
                }
            }
        });
        let mut guest = Self {
            client,
            events,
            poller,
        };
        match guest.next().await {
            Some(Ok(Event::Incoming(Packet::ConnAck(_)))) => Ok(guest),
            Some(Err(error)) => Err(error),
            other => panic!("neither yes nor no: {other:?}"),
        }
    }

    async fn next(&mut self) -> Option<Result<Event, ConnectionError>> {
        tokio::time::timeout(PATIENCE, self.events.recv())
            .await
            .expect("something happens on the line")
    }

    async fn next_packet(&mut self) -> Option<Packet> {
        loop {
            match self.next().await {
                Some(Ok(Event::Incoming(packet))) => return Some(packet),
                Some(Ok(Event::Outgoing(_))) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    pub async fn subscribe(&mut self, filter: &str) -> SubscribeReasonCode {
        self.client
            .subscribe(filter, QoS::AtLeastOnce)
            .await
            .unwrap();
        loop {
            if let Packet::SubAck(ack) = self.next_packet().await.unwrap() {
                return ack.return_codes[0];
            }
        }
    }

    pub async fn publish(&mut self, topic: &str, payload: &str, retain: bool) -> PubAckReason {
        self.client
            .publish(topic, QoS::AtLeastOnce, retain, payload.to_owned())
            .await
            .unwrap();
        loop {
            if let Packet::PubAck(ack) = self.next_packet().await.unwrap() {
                return ack.reason;
            }
        }
    }

    /// The next message: topic, payload, retained.
    pub async fn message(&mut self) -> (String, String, bool) {
        loop {
            if let Packet::Publish(publish) = self.next_packet().await.unwrap() {
                return (
                    String::from_utf8_lossy(&publish.topic).into_owned(),
                    String::from_utf8_lossy(&publish.payload).into_owned(),
                    publish.retain,
                );
            }
        }
    }

    /// Waits until the broker closes the connection.
    pub async fn until_closed(&mut self) {
        while self.next_packet().await.is_some() {}
    }
}

/// The broker's no.
pub fn refusal(result: Result<Guest, ConnectionError>) -> ConnectReturnCode {
    match result {
        Err(ConnectionError::ConnectionRefused(code)) => code,
        Err(other) => panic!("refused in another way: {other:?}"),
        Ok(_) => panic!("it was let in"),
    }
}

pub fn will(topic: &str) -> LastWill {
    LastWill::new(topic, "gone", QoS::AtLeastOnce, false, None)
}

/// Waits for something that happens soon, for as long as it takes.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{what} did not come about");
}
