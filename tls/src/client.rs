//! How a client of ours checks a server: by fingerprint, by a given CA, or by the public ones.
//!
//! Owner of verification. It must never offer a way to skip it.

use crate::seen::Watching;
use crate::{Fingerprint, Seen, TlsError};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;

/// Where Linux distributions keep the public certificate authorities.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("ring's provider has cipher suites for TLS 1.2 and 1.3")
}

/// How a server is known.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// By one of these fingerprints.
    ///
    /// Name and expiry are not looked at: the pin says more than both, and firmware does the same.
    /// Two pins let a certificate be changed without a moment in which nobody may connect.
    Pins(&'a [Fingerprint]),
    /// By the certificate authorities in this PEM text and no others.
    Ca(&'a [u8]),
    /// By the public certificate authorities this machine knows.
    System,
}

impl Trust<'_> {
    fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        let roots = match self {
            Self::Pins(pins) => return Ok(pinning(pins)),
            Self::Ca(pem) => given_roots(pem)?,
            Self::System => system_roots()?,
        };
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
        let verifier = verifier
            .build()
            .map_err(|e| TlsError::BadText(e.to_string()))?;
        Ok(verifier)
    }
}

/// A client that checks the server so, and lets `seen` know whom it accepted.
pub fn watched_client(trust: &Trust<'_>, seen: &Seen) -> Result<Arc<ClientConfig>, TlsError> {
    let watching = Watching {
        checks: trust.verifier()?,
        seen: seen.clone(),
    };
    Ok(client(Arc::new(watching)))
}

/// A client that talks only to a server whose certificate has one of these fingerprints.
pub fn pinned_client(pins: &[Fingerprint]) -> Arc<ClientConfig> {
    client(pinning(pins))
}

/// A client that trusts the certificate authorities in this PEM text and no others.
pub fn ca_client(ca_pem: &[u8]) -> Result<Arc<ClientConfig>, TlsError> {
    Ok(client(Trust::Ca(ca_pem).verifier()?))
}

/// A client that trusts the public certificate authorities this machine knows.
pub fn system_client() -> Result<Arc<ClientConfig>, TlsError> {
    Ok(client(Trust::System.verifier()?))
}

fn client(verifier: Arc<dyn ServerCertVerifier>) -> Arc<ClientConfig> {
    let config = builder()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Arc::new(config)
}

fn pinning(pins: &[Fingerprint]) -> Arc<dyn ServerCertVerifier> {
    Arc::new(PinVerifier {
        pins: pins.to_vec(),
        provider: provider(),
    })
}

fn given_roots(ca_pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem) {
        let certificate = certificate.map_err(|e| TlsError::BadText(e.to_string()))?;
        roots.add(certificate)?;
    }
    if roots.is_empty() {
        return Err(TlsError::BadText("it holds no certificate".to_owned()));
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let named = std::env::var("SSL_CERT_FILE").ok();
    let mut places: Vec<&str> = named.as_deref().into_iter().collect();
    places.extend(SYSTEM_ROOTS);
    let mut roots = RootCertStore::empty();
    for place in &places {
        let Ok(pem) = std::fs::read(place) else {
            continue;
        };
        // One broken entry in a bundle of hundreds must not lock us out.
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
        if !roots.is_empty() {
            break;
        }
    }
    if roots.is_empty() {
        let looked_at = places.join(", ");
        return Err(TlsError::NoSystemRoots { looked_at });
    }
    Ok(roots)
}

#[derive(Debug)]
struct PinVerifier {
    pins: Vec<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.pins.contains(&Fingerprint::of(end_entity)) {
            return Ok(ServerCertVerified::assertion());
        }
        let refused = CertificateError::ApplicationVerificationFailure;
        Err(rustls::Error::InvalidCertificate(refused))
    }

    // The signatures prove that the server holds the pinned certificate's key:
    // without them a copy of the public certificate would pass.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
