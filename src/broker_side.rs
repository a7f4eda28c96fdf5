//! The broker the hub talks to: the embedded one, or the one given.
//!
//! Owner of how the hub gets into its broker. Its password for the embedded broker
//! is made up at each start and never stored.

use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::names;
use crate::ports;
use crate::secrets;
use crate::settings::{Bind, BrokerChoice, BrokerTrust, MqttUrl};
use iothome_actors::{MqttConfig, SharedAccess};
use iothome_store::Store;
use iothome_tls::{Authority, Fingerprints};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// A dead connection is noticed within this time and a half.
const KEEP_ALIVE_S: u64 = 30;

/// Ends the connections of the user of that name.
type Cutter = Arc<dyn Fn(&str) + Send + Sync>;

/// Everything about the broker that the hub is told.
pub(crate) struct BrokerSide {
    pub(crate) mqtt: MqttConfig,
    /// As devices and people know it.
    pub(crate) address: String,
    pub(crate) fingerprints: Option<Fingerprints>,
    #[cfg(feature = "embedded")]
    pub(crate) embedded: Option<Arc<iothome_broker::Broker>>,
}

impl BrokerSide {
    pub(crate) async fn open(
        choice: &BrokerChoice,
        dir: &DataDir,
        authority: &Authority,
        store: &Store,
        access: &SharedAccess,
    ) -> Result<Self, StartError> {
        let client_id = client_id(store).await?;
        match choice {
            BrokerChoice::Given { url, trust } => given(url, trust, client_id),
            BrokerChoice::Embedded(bind) => embedded(bind, dir, authority, access, client_id).await,
        }
    }

    /// Whether the hub keeps this broker's users.
    pub(crate) fn is_embedded(&self) -> bool {
        #[cfg(feature = "embedded")]
        return self.embedded.is_some();
        #[cfg(not(feature = "embedded"))]
        return false;
    }

    /// What ends a user's connections.
    pub(crate) fn cutter(&self) -> Option<Cutter> {
        #[cfg(feature = "embedded")]
        if let Some(broker) = &self.embedded {
            let broker = Arc::downgrade(broker);
            return Some(Arc::new(move |username| {
                if let Some(broker) = broker.upgrade() {
                    broker.cut(username);
                }
            }));
        }
        None
    }

    /// Stops the embedded broker.
    pub(crate) async fn stop(self) {
        #[cfg(feature = "embedded")]
        if let Some(broker) = self.embedded.and_then(Arc::into_inner) {
            broker.stop().await;
        }
    }
}

/// Unique per installation, so that two hubs on one broker do not throw each other out.
async fn client_id(store: &Store) -> Result<String, StartError> {
    let fresh = secrets::token()?;
    let id = store
        .set_setting_if_absent("installation_id", &fresh)
        .await?;
    let short: String = id.chars().take(32).collect();
    Ok(format!("iothome-{short}"))
}

fn given(url: &MqttUrl, trust: &BrokerTrust, client_id: String) -> Result<BrokerSide, StartError> {
    let (tls, fingerprints) = match trust {
        BrokerTrust::Fingerprints(pins) => (iothome_tls::pinned_client(pins), None),
        BrokerTrust::Ca(path) => (iothome_tls::ca_client(&read_ca(path)?)?, None),
        BrokerTrust::System => (iothome_tls::system_client()?, None),
    };
    Ok(BrokerSide {
        mqtt: MqttConfig {
            host: url.host.clone(),
            port: url.port,
            username: url.username.clone(),
            password: url.password.as_ref().map(|p| p.expose().to_owned()),
            tls,
            client_id,
            keep_alive_s: KEEP_ALIVE_S,
        },
        address: format!("{}:{}", url.host, url.port),
        fingerprints,
        #[cfg(feature = "embedded")]
        embedded: None,
    })
}

fn read_ca(path: &Path) -> Result<Vec<u8>, StartError> {
    std::fs::read(path).map_err(|e| {
        StartError::Other(format!(
            "cannot read the broker's CA {}: {e}; change IOTHOME_MQTT_CA",
            path.display()
        ))
    })
}

#[cfg(not(feature = "embedded"))]
#[expect(
    clippy::unused_async,
    reason = "the same signature with the broker built in"
)]
async fn embedded(
    _bind: &Bind,
    _dir: &DataDir,
    _authority: &Authority,
    _access: &SharedAccess,
    _client_id: String,
) -> Result<BrokerSide, StartError> {
    Err(StartError::NoEmbeddedBroker)
}

#[cfg(feature = "embedded")]
async fn embedded(
    bind: &Bind,
    dir: &DataDir,
    authority: &Authority,
    access: &SharedAccess,
    client_id: String,
) -> Result<BrokerSide, StartError> {
    let identity = authority.broker()?;
    let password = secrets::token()?;
    let listen = ports::choose(bind)?;
    let config = iothome_broker::BrokerConfig {
        listen,
        cert_pem: identity.chain_pem.clone(),
        key_pem: identity.key_pem.clone(),
        data_dir: dir.broker(),
        hub: Some(own_credential(&password)?),
    };
    let broker = iothome_broker::start(config, Arc::clone(access))
        .await
        .map_err(|error| StartError::Broker(format!("{error}; change {}", bind.setting)))?;
    let listening = broker.address();
    Ok(BrokerSide {
        mqtt: MqttConfig {
            host: reachable_here(listening).to_string(),
            port: listening.port(),
            username: Some(OWN_NAME.to_owned()),
            password: Some(password),
            tls: iothome_tls::pinned_client(&[identity.fingerprints.sha256]),
            client_id,
            keep_alive_s: KEEP_ALIVE_S,
        },
        address: known_as(listening),
        fingerprints: Some(identity.fingerprints),
        embedded: Some(Arc::new(broker)),
    })
}

/// The hub's user at its own broker; no device can be called so, as ids hold no dot.
#[cfg(feature = "embedded")]
const OWN_NAME: &str = "iothome.hub";

#[cfg(feature = "embedded")]
fn own_credential(password: &str) -> Result<iothome_engine::access::Credential, StartError> {
    use iothome_engine::access::{Access, Credential, TopicRule};
    let now = crate::people::now();
    let everything = |access| TopicRule {
        filter: "#".to_owned(),
        access,
    };
    Ok(Credential {
        id: iothome_engine::ids::CredentialId::new(now, secrets::random()?),
        username: OWN_NAME.to_owned(),
        name: "The hub itself".to_owned(),
        device: None,
        secret_sha256: secrets::digest(password),
        topics: vec![everything(Access::Read), everything(Access::Write)],
        created_at: now,
    })
}

/// The address by which this machine reaches a listener of its own.
pub(crate) fn reachable_here(listening: SocketAddr) -> IpAddr {
    match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// The address by which devices reach it: on all addresses, the first of the local network.
pub(crate) fn known_as(listening: SocketAddr) -> String {
    let ip = match listening.ip() {
        ip if ip.is_unspecified() => names::addresses()
            .into_iter()
            .next()
            .unwrap_or_else(|| reachable_here(listening)),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port()).to_string()
}
