//! The home's own certificate authority: made once, kept for good.
//!
//! Owner of the folder with `ca`, `broker` and `web` (`.pem` and `.key` each).
//! It must never change the broker's certificate by itself: firmware pins it.
//! The web certificate it makes anew before it ends and when names change.

use crate::certificate::{self, Leaf};
use crate::files::{private_dir, read, read_private, write_private};
use crate::{Fingerprints, TlsError};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: Duration = Duration::from_secs(86_400);
/// Longer than any leaf, so that trusting the CA on a phone is done once.
const CA_DAYS: u32 = 20 * 365;
/// Ten years: firmware that pins this leaf is not updated often.
const BROKER_DAYS: u32 = 10 * 365;
/// Phones refuse longer ones (Apple: 825 days for own CAs, 398 for public ones).
const WEB_DAYS: u32 = 397;
/// A third before the end, so that a hub that slept for months still renews in time.
const WEB_RENEW_DAYS: u32 = WEB_DAYS / 3;
const BROKER_TITLE: &str = "IoT Home broker";
/// The broker certificate that will follow.
const NEXT: &str = "broker-next";
/// Clocks of small machines run late: a certificate is valid from a day before it is made.
const SLACK: Duration = DAY;

/// What [`Authority::renew_web`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The web certificate is still good.
    Kept,
    /// A new one was made.
    Renewed,
}

/// A server certificate on disk.
#[derive(Clone, Debug)]
pub struct ServerIdentity {
    /// The chain: the leaf, then the CA.
    pub chain_pem: PathBuf,
    /// The private key.
    pub key_pem: PathBuf,
    /// The leaf's fingerprints.
    pub fingerprints: Fingerprints,
    /// The names and addresses it is for.
    pub names: Vec<String>,
    /// When it ends.
    pub not_after: SystemTime,
}

/// The certificate authority in one folder.
#[derive(Debug)]
pub struct Authority {
    dir: PathBuf,
    names: BTreeSet<String>,
    ca_pem: String,
}

impl Authority {
    /// Opens the authority in `dir`, or makes it there with both server certificates.
    ///
    /// `names` are the host names and addresses the servers are reached by. If they
    /// changed since the last start, the web certificate is made anew and the
    /// broker's is kept.
    pub fn open_or_create(dir: &Path, names: &[String], now: SystemTime) -> Result<Self, TlsError> {
        private_dir(dir)?;
        let ca_pem = match Pair::find(dir, "ca")? {
            Some(ca) => read(&ca.pem)?,
            None => make_ca(dir, now)?,
        };
        let authority = Self {
            dir: dir.to_owned(),
            names: names.iter().map(|n| n.to_lowercase()).collect(),
            ca_pem,
        };
        finish_switch(dir)?;
        if Pair::find(dir, "broker")?.is_none() {
            authority.make_leaf("broker", BROKER_TITLE, BROKER_DAYS, now)?;
        }
        authority.renew_web(now)?;
        Ok(authority)
    }

    /// The CA's certificate in PEM form, for phones and `mosquitto_pub --cafile`.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The folder of all of them.
    pub fn folder(&self) -> &Path {
        &self.dir
    }

    /// Where the CA's certificate is.
    pub fn ca_path(&self) -> PathBuf {
        Pair::named(&self.dir, "ca").pem
    }

    /// The broker's certificate.
    pub fn broker(&self) -> Result<ServerIdentity, TlsError> {
        self.identity("broker")
    }

    /// The web server's certificate.
    pub fn web(&self) -> Result<ServerIdentity, TlsError> {
        self.identity("web")
    }

    /// The broker certificate that will follow, if one was prepared.
    pub fn next_broker(&self) -> Result<Option<ServerIdentity>, TlsError> {
        match Pair::find(&self.dir, NEXT)? {
            Some(_) => self.identity(NEXT).map(Some),
            None => Ok(None),
        }
    }

    /// Makes the broker certificate that will follow, so that its fingerprint can be told to
    /// devices beforehand; the one prepared earlier stays.
    pub fn prepare_broker(&self, now: SystemTime) -> Result<ServerIdentity, TlsError> {
        if Pair::find(&self.dir, NEXT)?.is_none() {
            self.make_leaf(NEXT, BROKER_TITLE, BROKER_DAYS, now)?;
        }
        self.identity(NEXT)
    }

    /// Puts the prepared broker certificate in the place of the present one, on purpose only:
    /// devices that pin the present fingerprint alone are locked out. The broker shows it from
    /// its next start on.
    pub fn switch_broker(&self) -> Result<ServerIdentity, TlsError> {
        let Some(next) = Pair::find(&self.dir, NEXT)? else {
            return Err(TlsError::NothingPrepared);
        };
        let present = Pair::named(&self.dir, "broker");
        rename(&next.key, &present.key)?;
        finish_switch(&self.dir)?;
        self.broker()
    }

    /// Makes the web certificate anew if it ends soon, does not read, or names other hosts.
    pub fn renew_web(&self, now: SystemTime) -> Result<Renewal, TlsError> {
        if self.web_is_good(now) {
            return Ok(Renewal::Kept);
        }
        self.make_leaf("web", "IoT Home", WEB_DAYS, now)?;
        Ok(Renewal::Renewed)
    }

    fn web_is_good(&self, now: SystemTime) -> bool {
        let pair = Pair::named(&self.dir, "web");
        let Ok(leaf) = pair.leaf() else {
            return false;
        };
        let usable = crate::server_config(&pair.pem, &pair.key).is_ok();
        usable && leaf.names == self.names && leaf.not_after > now + DAY * WEB_RENEW_DAYS
    }

    fn identity(&self, name: &str) -> Result<ServerIdentity, TlsError> {
        let pair = Pair::named(&self.dir, name);
        let leaf = pair.leaf()?;
        Ok(ServerIdentity {
            fingerprints: Fingerprints::of(&leaf.der),
            names: leaf.names.into_iter().collect(),
            not_after: leaf.not_after,
            chain_pem: pair.pem,
            key_pem: pair.key,
        })
    }

    fn make_leaf(
        &self,
        file: &str,
        title: &str,
        days: u32,
        now: SystemTime,
    ) -> Result<(), TlsError> {
        let ca = Pair::named(&self.dir, "ca");
        let ca_key = KeyPair::from_pem(&read_private(&ca.key)?)
            .map_err(|e| TlsError::bad(&ca.key, "private key in PEM form", e))?;
        let issuer = Issuer::from_ca_cert_pem(&self.ca_pem, ca_key)
            .map_err(|e| TlsError::bad(&ca.pem, "certificate in PEM form", e))?;

        let names: Vec<String> = self.names.iter().cloned().collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = title_of(title);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, days);
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &issuer)?;
        let chain = format!("{}{}", leaf.pem(), self.ca_pem);
        Pair::named(&self.dir, file).write(&chain, &key)
    }
}

/// The second half of a switch: the key is in place already, the certificate follows it.
/// Repeated at each start, so that a power cut in between leaves no broken pair.
fn finish_switch(dir: &Path) -> Result<(), TlsError> {
    let (present, next) = (Pair::named(dir, "broker"), Pair::named(dir, NEXT));
    if !next.pem.exists() || next.key.exists() {
        return Ok(());
    }
    let key = KeyPair::from_pem(&read_private(&present.key)?)
        .map_err(|e| TlsError::bad(&present.key, "private key in PEM form", e))?;
    belongs(&present, &next.leaf()?, &key)?;
    rename(&next.pem, &present.pem)
}

fn rename(from: &Path, to: &Path) -> Result<(), TlsError> {
    std::fs::rename(from, to).map_err(|e| TlsError::write(to, e))
}

fn make_ca(dir: &Path, now: SystemTime) -> Result<String, TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = title_of("IoT Home CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, CA_DAYS);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Pair::named(dir, "ca").write(&certificate.pem(), &key)?;
    Ok(certificate.pem())
}

fn title_of(title: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, title);
    name.push(DnType::OrganizationName, "IoT Home");
    name
}

fn set_validity(params: &mut CertificateParams, now: SystemTime, days: u32) {
    let epoch = date_time_ymd(1970, 1, 1);
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    // Whole seconds: a certificate holds no smaller unit.
    let since = Duration::from_secs(since.as_secs());
    params.not_before = epoch + since.saturating_sub(SLACK);
    params.not_after = epoch + since + DAY * days;
}

/// A certificate and its key, side by side in the folder.
struct Pair {
    pem: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn named(dir: &Path, name: &str) -> Self {
        Self {
            pem: dir.join(format!("{name}.pem")),
            key: dir.join(format!("{name}.key")),
        }
    }

    /// The pair if it is there, with its key checked; an error if only the certificate is.
    fn find(dir: &Path, name: &str) -> Result<Option<Self>, TlsError> {
        let pair = Self::named(dir, name);
        // The key is written first, so a key alone is a first start that was cut short.
        if !pair.pem.exists() {
            return Ok(None);
        }
        if !pair.key.exists() {
            return Err(TlsError::Half {
                present: pair.pem,
                missing: pair.key,
            });
        }
        let key = read_private(&pair.key)?;
        let certificate = pair.leaf()?;
        KeyPair::from_pem(&key)
            .map_err(|e| TlsError::bad(&pair.key, "private key in PEM form", e))
            .and_then(|key| belongs(&pair, &certificate, &key))?;
        Ok(Some(pair))
    }

    fn leaf(&self) -> Result<Leaf, TlsError> {
        let text = read(&self.pem)?;
        certificate::leaf(&text)
            .map_err(|problem| TlsError::bad(&self.pem, "certificate in PEM form", problem))
    }

    fn write(&self, chain: &str, key: &KeyPair) -> Result<(), TlsError> {
        write_private(&self.key, &key.serialize_pem())?;
        write_private(&self.pem, chain)
    }
}

fn belongs(pair: &Pair, certificate: &Leaf, key: &KeyPair) -> Result<(), TlsError> {
    use rcgen::PublicKeyData;
    if certificate.public_key == key.der_bytes() {
        return Ok(());
    }
    let problem = "it is not the key of the certificate beside it";
    Err(TlsError::bad(&pair.key, "private key", problem))
}

#[cfg(test)]
#[path = "authority_tests.rs"]
mod tests;
