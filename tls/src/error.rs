//! What can go wrong with certificates, in sentences a person can act on.
//!
//! Owner of the crate's one error type. It must never carry key material.

use std::path::PathBuf;

/// Why certificates could not be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file or folder that cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file or folder that cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A private file that others on the machine can read.
    #[error(
        "{path} holds private keys but is open to others (mode {mode:04o}): run `chmod {wanted:o} {path}`"
    )]
    Open {
        /// Which.
        path: PathBuf,
        /// The mode found.
        mode: u32,
        /// The mode it should have.
        wanted: u32,
    },
    /// One half of a key pair is gone.
    #[error(
        "{present} is there but {missing} is not: put {missing} back from a backup, or remove both to make new ones (devices that pin the old fingerprint must then be told the new one)"
    )]
    Half {
        /// The file that is there.
        present: PathBuf,
        /// The file that is missing.
        missing: PathBuf,
    },
    /// A file that is not what its name says.
    #[error("{path} is not a usable {what}: {problem}")]
    Bad {
        /// Which.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A certificate given as text that cannot be used.
    #[error("the certificate text is not usable: {0}")]
    BadText(String),
    /// A switch without a certificate to switch to.
    #[error("no next broker certificate was prepared: run `iothome cert prepare` first")]
    NothingPrepared,
    /// A certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    /// rustls refuses the pieces.
    #[error("TLS cannot be set up: {0}")]
    Rustls(#[from] rustls::Error),
    /// The machine has no list of public certificate authorities.
    #[error(
        "this machine has no list of public certificate authorities (looked at {looked_at}): install the package `ca-certificates`, or give the broker's own CA or fingerprint"
    )]
    NoSystemRoots {
        /// The places tried.
        looked_at: String,
    },
}

impl TlsError {
    pub(crate) fn read(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn write(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn bad(
        path: &std::path::Path,
        what: &'static str,
        problem: impl std::fmt::Display,
    ) -> Self {
        Self::Bad {
            path: path.to_owned(),
            what,
            problem: problem.to_string(),
        }
    }
}
