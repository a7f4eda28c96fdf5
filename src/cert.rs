//! `iothome cert show`: the fingerprints that devices pin and browsers show.
//!
//! Owner of that output. It must never print a key.

use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::names;
use crate::settings::Settings;
use iothome_tls::{Authority, ServerIdentity};
use std::fmt::Write;
use std::time::SystemTime;

/// The certificates of the data folder, made if they are not there.
pub(crate) fn authority(dir: &DataDir, settings: &Settings) -> Result<Authority, StartError> {
    let names = names::certificate_names(&settings.names, settings.public_url.as_deref());
    Ok(Authority::open_or_create(
        &dir.tls(),
        &names,
        SystemTime::now(),
    )?)
}

/// The text of `cert show`.
pub(crate) fn show(settings: &Settings) -> Result<String, StartError> {
    let dir = DataDir::open(&settings.data_dir, settings.mode)?;
    let authority = authority(&dir, settings)?;
    let mut text = String::new();
    part(
        &mut text,
        "Broker certificate (devices pin this one)",
        &authority.broker()?,
    );
    part(
        &mut text,
        "Web certificate (renews by itself)",
        &authority.web()?,
    );
    let ca = authority.ca_path();
    let _ = writeln!(text, "Certificate authority\n  File     {}", ca.display());
    if let Ok(prints) = iothome_tls::fingerprints_of_pem(authority.ca_pem()) {
        let _ = writeln!(text, "  SHA-256  {}", prints.sha256);
    }
    Ok(text)
}

fn part(text: &mut String, title: &str, identity: &ServerIdentity) {
    let until = jiff::Timestamp::try_from(identity.not_after)
        .map_or_else(|_| "?".to_owned(), |t| t.strftime("%Y-%m-%d").to_string());
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{title}\n  SHA-256  {}\n  SHA-1    {}\n  Until    {until}\n  Names    {}\n  File     {}\n",
        identity.fingerprints.sha256,
        identity.fingerprints.sha1,
        identity.names.join(", "),
        identity.chain_pem.display(),
    );
}
