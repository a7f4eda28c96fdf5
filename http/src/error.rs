//! Why the web door does not open.
//!
//! Owner of the start-up errors of this crate, each a sentence that names the
//! setting to change. What goes wrong with one request is a `Problem` instead.

use std::net::SocketAddr;

/// Why the web server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Neither an HTTP nor an HTTPS address is given.
    #[error("the hub listens nowhere: set IOTHOME_HTTP_LISTEN or IOTHOME_HTTPS_LISTEN")]
    NoListener,
    /// Another program holds the address.
    #[error("{address} is in use by another program: stop it or change {setting}")]
    InUse {
        /// The address.
        address: SocketAddr,
        /// The setting that names it.
        setting: &'static str,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; change {setting}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The setting that names it.
        setting: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// Passwords would cross the network in the clear.
    #[error(
        "plain HTTP on {0} would carry passwords over the network unencrypted: use \
         IOTHOME_HTTPS_LISTEN, or name the proxy that adds HTTPS in IOTHOME_TRUSTED_PROXIES, \
         or set IOTHOME_HTTP_LISTEN to a loopback address such as 127.0.0.1:8080"
    )]
    PlainHttp(SocketAddr),
    /// The public address is no address.
    #[error(
        "IOTHOME_PUBLIC_URL={0:?} is not an address such as https://home.example.org: it needs http:// or https://, a host, and no path"
    )]
    PublicUrl(String),
    /// The database did not give or take the web key.
    #[error("the web door's keys cannot be read from the database: {0}")]
    Keys(String),
    /// The system gave no random bytes.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// Anything else of the server.
    #[error("the web server cannot start: {0}")]
    Server(#[from] std::io::Error),
}
