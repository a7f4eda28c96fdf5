//! Reading certificates: names, end and fingerprints.
//!
//! Owner of what we look at in a certificate. It must never judge trust: rustls does.

use crate::{Fingerprints, TlsError};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_parser::extensions::GeneralName;

/// The parts of a leaf certificate that decide whether it is still good.
pub(crate) struct Leaf {
    pub(crate) der: CertificateDer<'static>,
    /// The raw public key, as rcgen gives it for a key pair.
    pub(crate) public_key: Vec<u8>,
    pub(crate) names: BTreeSet<String>,
    pub(crate) not_after: SystemTime,
}

/// Reads the first certificate of a PEM text.
pub(crate) fn leaf(pem: &str) -> Result<Leaf, String> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| e.to_string())?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(|e| e.to_string())?;
    let names = parsed
        .subject_alternative_name()
        .map_err(|e| e.to_string())?
        .map(|san| san.value.general_names.iter().filter_map(name).collect())
        .unwrap_or_default();
    let public_key = parsed.public_key().subject_public_key.data.to_vec();
    let seconds = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
    let not_after = UNIX_EPOCH + Duration::from_secs(seconds);
    Ok(Leaf {
        public_key,
        names,
        not_after,
        der,
    })
}

fn name(general: &GeneralName<'_>) -> Option<String> {
    match general {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|a| a.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// The fingerprints of the first certificate in a PEM text.
pub fn fingerprints_of_pem(pem: &str) -> Result<Fingerprints, TlsError> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|e| TlsError::BadText(e.to_string()))?;
    Ok(Fingerprints::of(&der))
}

/// The host names and addresses that the first certificate in a PEM text is for.
pub fn names_of_pem(pem: &str) -> Result<Vec<String>, TlsError> {
    let leaf = leaf(pem).map_err(TlsError::BadText)?;
    Ok(leaf.names.into_iter().collect())
}

/// When the first certificate in a PEM text ends.
pub fn end_of_pem(pem: &str) -> Result<SystemTime, TlsError> {
    let leaf = leaf(pem).map_err(TlsError::BadText)?;
    Ok(leaf.not_after)
}
