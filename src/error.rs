//! Why the program does not start, in one sentence: what, where, and which setting to change.
//!
//! Owner of the binary's one error type.

use crate::settings::Problems;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the program ends with a failure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the configuration is wrong:\n{0}")]
    Settings(#[from] Problems),
    #[error("cannot use the data folder {path}: {source}; change it with IOTHOME_DATA_DIR")]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "{path} belongs to the demo, and a real home must not be mixed with it: give another folder with IOTHOME_DATA_DIR"
    )]
    DemoFolder { path: PathBuf },
    #[error(
        "{path} was not made by the demo, and the demo changes users and passwords: give another folder with IOTHOME_DATA_DIR"
    )]
    NoDemoFolder { path: PathBuf },
    #[error(
        "a restore into {path} was cut short, and the house in it may be half of one: run `iothome restore` again with --force"
    )]
    UnfinishedRestore { path: PathBuf },
    #[error("{0}; the data folder is set by IOTHOME_DATA_DIR")]
    Certificates(#[from] iothome_tls::TlsError),
    #[error("cannot listen on {address}: the port is in use; change {setting}")]
    PortInUse {
        address: SocketAddr,
        setting: String,
    },
    #[error("cannot listen on {address}: {source}; change {setting}")]
    Address {
        address: SocketAddr,
        setting: String,
        source: std::io::Error,
    },
    #[error("no port of the {tried} from {address} on is free; change {setting}")]
    NoFreePort {
        address: SocketAddr,
        tried: u16,
        setting: String,
    },
    #[cfg(not(feature = "embedded"))]
    #[error(
        "this program was built without the embedded broker: give a broker with IOTHOME_MQTT_URL, or use a build with the feature `embedded`"
    )]
    NoEmbeddedBroker,
    #[cfg(not(feature = "embedded"))]
    #[error("the demo needs the embedded broker, and this program was built without it")]
    NoDemo,
    #[cfg(feature = "embedded")]
    #[error("the embedded broker does not start: {0}")]
    Broker(String),
    #[error("{0}")]
    Store(#[from] iothome_store::StoreError),
    #[error("{0}")]
    Hub(String),
    #[error("{0}")]
    Web(String),
    #[error("{0}")]
    Other(String),
}
