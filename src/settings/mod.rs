//! What the program was asked to do: settings, parsed and checked.
//!
//! Owner of the typed settings. Everything is parsed here, at the edge; nothing
//! after this reads a variable or a file of settings again.

mod balena;
mod check;
pub(crate) mod keys;
pub(crate) mod layers;
mod mqtt_url;

pub(crate) use balena::BalenaDevice;
pub(crate) use layers::{Layers, Sources};
pub(crate) use mqtt_url::MqttUrl;

use crate::secret::{Secret, without_credentials};
use iothome_tls::Fingerprint;
use ipnet::IpNet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Which of the two ways the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A home of one's own.
    Serve,
    /// The simulated home.
    Demo,
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bind {
    pub(crate) address: SocketAddr,
    /// A default of the demo: the next free port will do.
    pub(crate) may_move: bool,
    /// The setting to change if it cannot be had.
    pub(crate) setting: String,
}

/// What happens to devices that announce themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Discovery {
    Ask,
    Accept,
    Off,
}

/// How the broker at `mqtt_url` is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BrokerTrust {
    Fingerprints(Vec<Fingerprint>),
    Ca(PathBuf),
    System,
}

/// Who keeps the users of the broker at `mqtt_url`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manage {
    /// Its operator.
    None,
    /// The hub, through Mosquitto's dynamic-security plugin.
    Dynsec,
}

/// The broker the hub uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BrokerChoice {
    Embedded(Bind),
    Given {
        url: MqttUrl,
        trust: BrokerTrust,
        manage: Manage,
    },
}

/// The user's own web certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnCertificate {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// All settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    pub(crate) data_dir: PathBuf,
    pub(crate) database_url: Secret,
    pub(crate) http: Option<Bind>,
    pub(crate) https: Option<Bind>,
    pub(crate) certificate: Option<OwnCertificate>,
    pub(crate) web_tls_export: Option<PathBuf>,
    pub(crate) public_url: Option<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) names: Vec<String>,
    /// Whether set-up is for the home network alone.
    pub(crate) setup_local_only: bool,
    /// What this machine is called on balena, if it runs there.
    pub(crate) balena: Option<BalenaDevice>,
    pub(crate) broker: BrokerChoice,
    pub(crate) discovery: Discovery,
    pub(crate) discovery_prefix: String,
    pub(crate) metrics_token: Option<Secret>,
    #[cfg_attr(
        not(feature = "embedded"),
        expect(
            dead_code,
            reason = "checked all the same; there is no demo without the broker"
        )
    )]
    pub(crate) demo_password: Option<Secret>,
    pub(crate) backup_passphrase: Option<Secret>,
    /// Most schedules of one user.
    pub(crate) schedules_per_user: usize,
    pub(crate) log: Option<String>,
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) origin: String,
    pub(crate) problem: String,
}

/// Everything that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, origin: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Problem {
            origin: origin.into(),
            problem: problem.into(),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, Problem { origin, problem }) in self.0.iter().enumerate() {
            let line = if n == 0 { "" } else { "\n" };
            write!(f, "{line}{origin}: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// How a secret setting is shown: an address keeps its host, anything else nothing.
fn hidden(name: &str, value: &str) -> String {
    if name.ends_with("_url") && value.contains("://") {
        return without_credentials(value);
    }
    "[secret]".to_owned()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
