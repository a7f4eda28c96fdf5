//! `iothome deploy-init`: what the containers of one house need before they can start.
//!
//! Owner of the CA, the certificates, the passwords and the broker's first account in
//! the volumes of `docker-compose.yml`. It makes what is missing and never changes
//! what is there, so it may run at every start.

use crate::error::StartError;
use crate::secrets;
use data_encoding::BASE64;
use iothome_tls::Authority;
use ring::pbkdf2;
use serde_json::{Value, json};
use std::fs;
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How the hub finds the other services, by the names of `docker-compose.yml`.
const DATABASE_HOST: &str = "postgres:5432";
const BROKER_NAME: &str = "mosquitto";
const BROKER_PORT: u16 = 8883;
/// The hub's account at the broker.
const BROKER_USER: &str = "iothome-hub";
/// Readable for the one service that mounts the volume, through the common group.
const SHARED_FILE: u32 = 0o640;
/// What the plugin itself uses. The password is random with 256 bits, so that guessing it is
/// hopeless at any count, and each connection of the hub costs the broker this much.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(101).expect("it is not zero");

/// The folders the volumes are mounted on.
struct Volumes {
    hub_data: PathBuf,
    hub_secrets: PathBuf,
    nginx_tls: PathBuf,
    mosquitto: PathBuf,
    postgres: PathBuf,
}

/// Makes what is missing below `into`; says what was made.
pub(crate) fn run(into: &Path, names: &[String]) -> Result<String, StartError> {
    let at = |name: &str| into.join(name);
    let volumes = Volumes {
        hub_data: at("hub-data"),
        hub_secrets: at("hub-secrets"),
        nginx_tls: at("nginx-tls"),
        mosquitto: at("mosquitto-secrets"),
        postgres: at("postgres-secrets"),
    };
    let mut made = Vec::new();
    volumes.certificates(names, &mut made)?;
    volumes.database(&mut made)?;
    // Last: the hub waits for these, so when it starts everything else is there.
    volumes.broker(&mut made)?;
    Ok(match made.as_slice() {
        [] => "Nothing to do.".to_owned(),
        made => format!("Made {}.", made.join(", ")),
    })
}

impl Volumes {
    /// The house's authority lives with the hub; readers get copies of their own certificate.
    fn certificates(&self, names: &[String], made: &mut Vec<String>) -> Result<(), StartError> {
        let is_new = !self.hub_data.join("tls/ca.pem").exists();
        let complete =
            self.nginx_tls.join("web.pem").exists() && self.mosquitto.join("broker.pem").exists();
        let mut names = names.to_vec();
        names.push(BROKER_NAME.to_owned());
        if is_new || !complete {
            Authority::open_or_create(&self.hub_data.join("tls"), &names, SystemTime::now())?;
            made.push("certificates".to_owned());
        }
        let tls = self.hub_data.join("tls");
        if !complete {
            copy_pair(&tls, &self.nginx_tls, "web")?;
        }
        // The hub prepares and switches the broker's certificate; here it reaches the broker.
        copy_pair(&tls, &self.mosquitto, "broker")?;
        // For the broker's own health check, which comes in by TLS like everyone.
        copy_if_changed(&tls, &self.mosquitto, "ca.pem")
    }

    fn database(&self, made: &mut Vec<String>) -> Result<(), StartError> {
        keep_or_make(
            &self.postgres.join("superuser_password"),
            secrets::token,
            made,
        )?;
        let password = keep_or_make(&self.postgres.join("hub_password"), secrets::token, made)?;
        let url = format!("postgres://iothome:{password}@{DATABASE_HOST}/iothome");
        keep_or_make(&self.hub_secrets.join("database_url"), || Ok(url), made)?;
        Ok(())
    }

    fn broker(&self, made: &mut Vec<String>) -> Result<(), StartError> {
        let password = keep_or_make(&self.mosquitto.join("hub_password"), secrets::token, made)?;
        let accounts = || first_accounts(&password);
        let file = self.mosquitto.join("dynamic-security.json");
        keep_or_make(&file, accounts, made)?;
        let url = format!("mqtts://{BROKER_USER}:{password}@{BROKER_NAME}:{BROKER_PORT}");
        keep_or_make(&self.hub_secrets.join("mqtt_url"), || Ok(url), made)?;
        Ok(())
    }
}

/// The text of the file, made if it is not there.
fn keep_or_make(
    file: &Path,
    make: impl FnOnce() -> Result<String, StartError>,
    made: &mut Vec<String>,
) -> Result<String, StartError> {
    match fs::read_to_string(file) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(file, &error)),
    }
    let text = make()?;
    write_shared(file, &text)?;
    made.push(
        file.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    );
    Ok(text)
}

/// Copies certificate and key if they differ: the key first, since the reader looks at both.
pub(crate) fn copy_pair(from: &Path, to: &Path, name: &str) -> Result<(), StartError> {
    copy_if_changed(from, to, &format!("{name}.key"))?;
    copy_if_changed(from, to, &format!("{name}.pem"))
}

fn copy_if_changed(from: &Path, to: &Path, file: &str) -> Result<(), StartError> {
    let (source, target) = (from.join(file), to.join(file));
    let text = fs::read_to_string(&source).map_err(|e| failed(&source, &e))?;
    if fs::read_to_string(&target).is_ok_and(|there| there == text) {
        return Ok(());
    }
    write_shared(&target, &text)
}

/// Written whole or not at all, and for the group only.
fn write_shared(file: &Path, text: &str) -> Result<(), StartError> {
    let draft = file.with_extension("new");
    let write = || {
        fs::write(&draft, text)?;
        fs::set_permissions(&draft, fs::Permissions::from_mode(SHARED_FILE))?;
        fs::File::open(&draft)?.sync_all()?;
        fs::rename(&draft, file)
    };
    write().map_err(|e| failed(file, &e))
}

fn failed(file: &Path, error: &std::io::Error) -> StartError {
    StartError::Other(format!("{}: {error}", file.display()))
}

/// The plugin's file with the hub's account alone (Mosquitto's `dynamic-security.json`).
fn first_accounts(password: &str) -> Result<String, StartError> {
    let salt = secrets::random::<12>()?;
    let mut hash = [0; 64];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA512;
    pbkdf2::derive(algorithm, ITERATIONS, &salt, password.as_bytes(), &mut hash);
    let accounts = json!({
        "defaultACLAccess": {
            "publishClientSend": false,
            "publishClientReceive": false,
            "subscribe": false,
            "unsubscribe": true,
        },
        "clients": [{
            "username": BROKER_USER,
            "textname": "The hub",
            "salt": BASE64.encode(&salt),
            "password": BASE64.encode(&hash),
            "iterations": ITERATIONS.get(),
            "roles": [{ "rolename": BROKER_USER, "priority": 0 }],
        }],
        "groups": [],
        "roles": [{ "rolename": BROKER_USER, "acls": everything() }],
    });
    Ok(format!("{accounts:#}"))
}

/// The hub may read and write everything, and manage the accounts.
fn everything() -> Vec<Value> {
    let kinds = [
        "publishClientSend",
        "publishClientReceive",
        "subscribePattern",
        "unsubscribePattern",
    ];
    let topics = ["#", "$SYS/#", "$CONTROL/dynamic-security/#"];
    let all = kinds
        .iter()
        .flat_map(|kind| topics.map(|topic| (kind, topic)));
    all.map(|(kind, topic)| json!({"acltype": kind, "topic": topic, "priority": 0, "allow": true}))
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    fn volumes() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "hub-secrets",
            "nginx-tls",
            "mosquitto-secrets",
            "postgres-secrets",
        ] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        dir
    }

    fn everything_in(dir: &Path) -> Vec<(PathBuf, String)> {
        let mut files = Vec::new();
        let mut folders = vec![dir.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.clone(), fs::read_to_string(&path).unwrap()));
                }
            }
        }
        files.sort();
        files
    }

    #[test]
    fn a_second_run_changes_nothing() {
        iothome_tls::install_provider();
        let dir = volumes();
        let first = run(dir.path(), &["home.example".to_owned()]).unwrap();
        assert!(first.starts_with("Made "), "{first}");
        let before = everything_in(dir.path());
        assert_eq!(
            run(dir.path(), &["home.example".to_owned()]).unwrap(),
            "Nothing to do."
        );
        assert_eq!(everything_in(dir.path()), before);
    }

    #[test]
    fn no_reader_but_the_hub_gets_the_authority_s_key_and_every_copy_is_for_the_group_only() {
        iothome_tls::install_provider();
        let dir = volumes();
        run(dir.path(), &[]).unwrap();
        let ca_key = fs::read_to_string(dir.path().join("hub-data/tls/ca.key")).unwrap();
        for (path, text) in everything_in(dir.path()) {
            if path.starts_with(dir.path().join("hub-data")) {
                continue;
            }
            assert_ne!(text, ca_key, "{}", path.display());
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, SHARED_FILE, "{}", path.display());
        }
    }

    #[test]
    fn a_lost_volume_of_the_hub_is_filled_again_with_the_same_passwords() {
        iothome_tls::install_provider();
        let dir = volumes();
        run(dir.path(), &[]).unwrap();
        let url = dir.path().join("hub-secrets/database_url");
        let before = fs::read_to_string(&url).unwrap();
        fs::remove_file(&url).unwrap();
        assert_eq!(run(dir.path(), &[]).unwrap(), "Made database_url.");
        assert_eq!(fs::read_to_string(&url).unwrap(), before);
    }

    #[test]
    fn the_broker_s_first_account_has_a_hash_and_no_password() {
        let text = first_accounts("a secret word").unwrap();
        assert!(!text.contains("a secret word"));
        let accounts: Value = serde_json::from_str(&text).unwrap();
        let hash = accounts["clients"][0]["password"].as_str().unwrap();
        assert_eq!(BASE64.decode(hash.as_bytes()).unwrap().len(), 64);
    }
}
