//! `iothome cert …`: the fingerprints that devices pin and browsers show.
//!
//! Owner of that output. It must never print a key.

use crate::cli::CertTask;
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::names;
use crate::settings::Settings;
use iothome_tls::{Authority, ServerIdentity};
use std::fmt::Write;
use std::time::SystemTime;

/// The certificates of the data folder, made if they are not there.
pub(crate) fn authority(dir: &DataDir, settings: &Settings) -> Result<Authority, StartError> {
    let names = names::of(settings);
    Ok(Authority::open_or_create(
        &dir.tls(),
        &names,
        SystemTime::now(),
    )?)
}

/// Does what was asked and gives what is to be printed.
pub(crate) fn run(settings: &Settings, task: CertTask) -> Result<String, StartError> {
    let dir = DataDir::visit(&settings.data_dir)?;
    let authority = authority(&dir, settings)?;
    match task {
        CertTask::Show => {}
        CertTask::Prepare => {
            authority.prepare_broker(SystemTime::now())?;
        }
        CertTask::Switch => {
            authority.switch_broker()?;
        }
    }
    show(&authority)
}

fn show(authority: &Authority) -> Result<String, StartError> {
    let mut text = String::new();
    let title = "Broker certificate (devices pin this one)";
    part(&mut text, title, &authority.broker()?);
    if let Some(next) = authority.next_broker()? {
        let title = "Next broker certificate (let devices pin both, then `iothome cert switch`)";
        part(&mut text, title, &next);
    }
    let title = "Web certificate (renews by itself)";
    part(&mut text, title, &authority.web()?);
    let ca = authority.ca_path();
    let _ = writeln!(text, "Certificate authority\n  File     {}", ca.display());
    if let Ok(prints) = iothome_tls::fingerprints_of_pem(authority.ca_pem()) {
        let _ = writeln!(text, "  SHA-256  {}", prints.sha256);
    }
    Ok(text.trim_end().to_owned())
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
