//! The certificate that a server showed: firmware pins it, so people ask for it.
//!
//! Owner of what is remembered of a checked handshake. It must never change the check's
//! outcome, and never remember a certificate that was refused.

use crate::Fingerprints;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::{Arc, Mutex, PoisonError};

/// Fingerprints of the leaf certificate that was accepted last. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<Option<Fingerprints>>>);

impl Seen {
    /// What was seen last; `None` before the first accepted handshake.
    pub fn last(&self) -> Option<Fingerprints> {
        self.lock().clone()
    }

    fn note(&self, der: &[u8]) {
        *self.lock() = Some(Fingerprints::of(der));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Fingerprints>> {
        // The value is replaced whole, so a panic elsewhere cannot have torn it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks as another verifier does, and remembers what passed.
#[derive(Debug)]
pub(crate) struct Watching {
    pub(crate) checks: Arc<dyn ServerCertVerifier>,
    pub(crate) seen: Seen,
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let checks = &self.checks;
        let verified = checks.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        self.seen.note(end_entity);
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.checks
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.checks
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.checks.supported_verify_schemes()
    }
}
