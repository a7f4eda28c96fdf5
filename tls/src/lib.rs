//! Certificates, fingerprints and TLS configurations of IoT Home.
//!
//! Owner of the home's own small certificate authority and of how every part of
//! the program checks the other end of a TLS connection. It must never open a
//! connection, and never let a private key out of its folder.

mod authority;
mod certificate;
mod client;
mod error;
mod files;
mod fingerprint;
mod seen;
mod server;

pub use authority::{Authority, Renewal, ServerIdentity};
pub use certificate::{end_of_pem, fingerprints_of_pem, names_of_pem};
pub use client::{Trust, ca_client, pinned_client, system_client, watched_client};
pub use error::TlsError;
pub use files::private_dir;
pub use fingerprint::{Fingerprint, FingerprintError, Fingerprints};
pub use seen::Seen;
pub use server::server_config;

/// Makes ring the process's TLS provider. Call it first in `main` and in tests;
/// calling it again changes nothing.
pub fn install_provider() {
    // An error only says that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
