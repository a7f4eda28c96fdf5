//! The embedded broker in this program.
//!
//! Owner of the hub's way into it: a user whose password is made up at each start,
//! is told to nobody and stored nowhere.

use crate::broker_side::{BrokerSide, KEEP_ALIVE_S, reachable_here};
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::settings::Bind;
use crate::{names, ports, secrets};
use iothome_actors::{MqttConfig, SharedAccess};
use iothome_engine::access::{Access, Credential, TopicRule};
use iothome_tls::Authority;
use std::net::SocketAddr;
use std::sync::Arc;

/// The hub's user at its own broker; no device can be called so, as ids hold no dot.
const OWN_NAME: &str = "iothome.hub";

/// Starts it, with a way in for the hub alone.
pub(crate) async fn open(
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
        sha256: Some(identity.fingerprints.sha256),
        sha1: Some(identity.fingerprints.sha1),
        // The hub gave the broker its certificate, so there is nothing to be learned.
        seen: iothome_tls::Seen::default(),
        seal: None,
        embedded: Some(Arc::new(broker)),
    })
}

fn own_credential(password: &str) -> Result<Credential, StartError> {
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

/// The address by which devices reach it: on all addresses, the first of the local network.
fn known_as(listening: SocketAddr) -> String {
    let ip = match listening.ip() {
        ip if ip.is_unspecified() => names::addresses()
            .into_iter()
            .next()
            .unwrap_or_else(|| reachable_here(listening)),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port()).to_string()
}
