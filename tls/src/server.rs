//! The server side: a TLS configuration that notices when its certificate was renewed.
//!
//! Owner of the certificate a listener shows. It must never drop a working
//! certificate for a broken file: the old one is shown until a good one is there.

use crate::TlsError;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Handshakes look at the files at most this often: a renewal is days early, so a minute is soon enough.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// A server configuration for this certificate chain and key; a renewed pair is taken up while running.
pub fn server_config(cert_pem: &Path, key_pem: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let resolver = Reloading::open(cert_pem, key_pem)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    Ok(Arc::new(config))
}

struct Reloading {
    cert_pem: PathBuf,
    key_pem: PathBuf,
    shown: Mutex<Shown>,
}

struct Shown {
    key: Arc<CertifiedKey>,
    looked_at: Instant,
}

impl Reloading {
    fn open(cert_pem: &Path, key_pem: &Path) -> Result<Self, TlsError> {
        let key = Arc::new(load(cert_pem, key_pem)?);
        let shown = Shown {
            key,
            looked_at: Instant::now(),
        };
        Ok(Self {
            cert_pem: cert_pem.to_owned(),
            key_pem: key_pem.to_owned(),
            shown: Mutex::new(shown),
        })
    }

    fn key(&self, now: Instant) -> Arc<CertifiedKey> {
        // A poisoned lock holds a whole key all the same: it is replaced in one assignment.
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(shown.looked_at) >= LOOK_EVERY {
            shown.looked_at = now;
            // Read, not compared by time: two writes within a tick of the file system's clock
            // look the same.
            if let Ok(key) = load(&self.cert_pem, &self.key_pem) {
                shown.key = Arc::new(key);
            }
        }
        Arc::clone(&shown.key)
    }
}

impl ResolvesServerCert for Reloading {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key(Instant::now()))
    }
}

impl fmt::Debug for Reloading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloading")
            .field("cert_pem", &self.cert_pem)
            .finish_non_exhaustive()
    }
}

/// Reads a chain and its key and checks that they belong together.
fn load(cert_pem: &Path, key_pem: &Path) -> Result<CertifiedKey, TlsError> {
    let chain_text = std::fs::read(cert_pem).map_err(|e| TlsError::read(cert_pem, e))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain_text)
        .collect::<Result<_, _>>()
        .map_err(|e| TlsError::bad(cert_pem, "certificate in PEM form", e))?;
    if chain.is_empty() {
        let problem = "it holds no certificate";
        return Err(TlsError::bad(cert_pem, "certificate in PEM form", problem));
    }
    let key_text = std::fs::read(key_pem).map_err(|e| TlsError::read(key_pem, e))?;
    let key = PrivateKeyDer::from_pem_slice(&key_text)
        .map_err(|e| TlsError::bad(key_pem, "private key in PEM form", e))?;
    let provider = rustls::crypto::ring::default_provider();
    CertifiedKey::from_der(chain, key, &provider)
        .map_err(|e| TlsError::bad(key_pem, "private key of that certificate", e))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;
    use crate::Authority;
    use std::time::SystemTime;

    fn future() -> Instant {
        Instant::now() + LOOK_EVERY * 2
    }

    #[test]
    fn a_renewed_certificate_is_shown_without_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let names = ["localhost".to_owned()];
        let authority = Authority::open_or_create(&dir.path().join("tls"), &names, now).unwrap();
        let web = authority.web().unwrap();
        let shown = Reloading::open(&web.chain_pem, &web.key_pem).unwrap();
        let before = shown.key(Instant::now());

        authority
            .renew_web(now + Duration::from_secs(390 * 86_400))
            .unwrap();
        let after = shown.key(future());
        assert_ne!(before.cert[0], after.cert[0]);
    }

    #[test]
    fn files_of_ones_own_that_are_exchanged_are_shown_without_a_restart() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let names = ["home.example.org".to_owned()];
        for folder in ["old", "new"] {
            let at = dir.path().join(folder);
            Authority::open_or_create(&at, &names, SystemTime::now()).unwrap();
        }
        // As certbot does it: the files are links, and the links are exchanged.
        let live = dir.path().join("live");
        symlink(dir.path().join("old"), &live).unwrap();
        let shown = Reloading::open(&live.join("web.pem"), &live.join("web.key")).unwrap();
        let before = shown.key(Instant::now());
        let next = dir.path().join("next");
        symlink(dir.path().join("new"), &next).unwrap();
        std::fs::rename(&next, &live).unwrap();
        assert_eq!(
            before.cert,
            shown.key(Instant::now()).cert,
            "not yet looked at"
        );
        let after = shown.key(future());
        assert_ne!(before.cert[0], after.cert[0]);

        // Half of a pair is no pair: the good one is shown until the other half comes.
        let old = dir.path().join("old");
        std::fs::copy(old.join("web.pem"), dir.path().join("new/web.pem")).unwrap();
        assert_eq!(after.cert, shown.key(future() + LOOK_EVERY).cert);
        std::fs::copy(old.join("web.key"), dir.path().join("new/web.key")).unwrap();
        assert_eq!(before.cert, shown.key(future() + LOOK_EVERY * 2).cert);
    }

    #[test]
    fn a_broken_file_does_not_take_the_certificate_away() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned()];
        let authority =
            Authority::open_or_create(&dir.path().join("tls"), &names, SystemTime::now()).unwrap();
        let web = authority.web().unwrap();
        let shown = Reloading::open(&web.chain_pem, &web.key_pem).unwrap();
        let before = shown.key(Instant::now());
        std::fs::write(&web.chain_pem, "nonsense").unwrap();
        assert_eq!(before.cert, shown.key(future()).cert);
    }
}
