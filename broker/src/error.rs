//! Why the broker does not start, in sentences a person can act on.
//!
//! Owner of the crate's one error type.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the embedded broker could not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Another program listens there.
    #[error("{addr} is in use by another program")]
    PortInUse {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on {addr}: {source}")]
    Address {
        /// The address asked for.
        addr: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The folder cannot be used.
    #[error("cannot use the broker's folder {path}: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// What is in the folder cannot be used.
    #[error("cannot use what is in the broker's folder {path}: {problem}")]
    Storage {
        /// Its folder.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The broker crate refuses its configuration (certificate, folder).
    #[error("the broker cannot start: {0}")]
    Refused(String),
}
