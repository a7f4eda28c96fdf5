//! The broker the hub talks to: the embedded one, or the one given.
//!
//! Owner of how the hub gets into its broker. Its password for the embedded broker
//! is made up at each start and never stored.

use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::secrets;
use crate::settings::{BrokerChoice, BrokerTrust, Manage, MqttUrl};
use iothome_actors::{MqttConfig, Seal, SharedAccess};
use iothome_http::AskClients;
#[cfg(feature = "embedded")]
use iothome_http::BrokerClient;
use iothome_store::Store;
use iothome_tls::{Authority, Fingerprint, Seen, Trust, watched_client};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// A dead connection is noticed within this time and a half.
pub(crate) const KEEP_ALIVE_S: u64 = 30;

/// Ends the connections of the user of that name.
type Cutter = Arc<dyn Fn(&str) + Send + Sync>;

/// Everything about the broker that the hub is told.
pub(crate) struct BrokerSide {
    pub(crate) mqtt: MqttConfig,
    /// As devices and people know it.
    pub(crate) address: String,
    /// SHA-256 of its certificate: told by the operator, or of the embedded broker's own.
    pub(crate) sha256: Option<Fingerprint>,
    /// SHA-1, which only the certificate itself tells.
    pub(crate) sha1: Option<String>,
    /// Keeps passwords, if the hub manages a broker that is not its own.
    pub(crate) seal: Option<Seal>,
    /// The certificate that it shows on the hub's own connections.
    pub(crate) seen: Seen,
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
            BrokerChoice::Given { url, trust, manage } => {
                let mut side = given(url, trust, client_id)?;
                if *manage == Manage::Dynsec {
                    side.seal = Some(crate::secrets::seal(&dir.seal())?);
                }
                Ok(side)
            }
            #[cfg(feature = "embedded")]
            BrokerChoice::Embedded(bind) => {
                crate::embedded::open(bind, dir, authority, access, client_id).await
            }
            #[cfg(not(feature = "embedded"))]
            BrokerChoice::Embedded(bind) => {
                let _ = (bind, dir, authority, access);
                Err(StartError::NoEmbeddedBroker)
            }
        }
    }

    /// Whether the hub keeps this broker's users.
    pub(crate) fn is_managed(&self) -> bool {
        #[cfg(feature = "embedded")]
        if self.embedded.is_some() {
            return true;
        }
        self.seal.is_some()
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

    /// Who is connected, if the broker is ours to ask.
    pub(crate) fn clients(&self) -> Option<AskClients> {
        #[cfg(feature = "embedded")]
        if let Some(broker) = &self.embedded {
            let broker = Arc::downgrade(broker);
            return Some(Arc::new(move || {
                let clients = broker.upgrade().map(|b| b.clients()).unwrap_or_default();
                let told = clients.into_iter().map(|client| BrokerClient {
                    username: client.username,
                    client_id: client.client_id,
                    address: client.address.to_string(),
                    since: client.connected_at,
                });
                told.collect()
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
    let seen = Seen::default();
    let (tls, sha256) = match trust {
        BrokerTrust::Fingerprints(pins) => (
            watched_client(&Trust::Pins(pins), &seen)?,
            pins.first().copied(),
        ),
        BrokerTrust::Ca(path) => (watched_client(&Trust::Ca(&read_ca(path)?), &seen)?, None),
        BrokerTrust::System => (watched_client(&Trust::System, &seen)?, None),
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
        address: address(url),
        sha256,
        sha1: None,
        seen,
        seal: None,
        #[cfg(feature = "embedded")]
        embedded: None,
    })
}

/// Host and port as people write them: an IPv6 address stands in brackets.
fn address(url: &MqttUrl) -> String {
    url.host.parse::<Ipv6Addr>().map_or_else(
        |_| format!("{}:{}", url.host, url.port),
        |ip| SocketAddr::new(ip.into(), url.port).to_string(),
    )
}

fn read_ca(path: &Path) -> Result<Vec<u8>, StartError> {
    std::fs::read(path).map_err(|e| {
        StartError::Other(format!(
            "cannot read the broker's CA {}: {e}; change IOTHOME_MQTT_CA",
            path.display()
        ))
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    #[test]
    fn an_ipv6_broker_is_told_in_brackets() {
        let told = |url: &str| address(&MqttUrl::parse(url).unwrap());
        assert_eq!(told("mqtts://[::1]:8884"), "[::1]:8884");
        assert_eq!(told("mqtts://broker.lan:8884"), "broker.lan:8884");
    }
}
