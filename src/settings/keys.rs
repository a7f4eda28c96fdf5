//! The list of settings: one name each for flag, variable and TOML key.
//!
//! Owner of the names. Adding a setting starts here.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// The TOML key; `IOTHOME_` and this in capitals is the variable.
    pub(crate) name: &'static str,
    /// The flag, without its dashes: the name with `-` for `_`.
    pub(crate) flag: &'static str,
    /// What stands for the value in `--help`.
    pub(crate) value: &'static str,
    /// Whether its value may be shown.
    pub(crate) secret: bool,
    /// One line of help.
    pub(crate) help: &'static str,
}

const fn open(
    name: &'static str,
    flag: &'static str,
    value: &'static str,
    help: &'static str,
) -> Key {
    Key {
        name,
        flag,
        value,
        secret: false,
        help,
    }
}

const fn secret(
    name: &'static str,
    flag: &'static str,
    value: &'static str,
    help: &'static str,
) -> Key {
    Key {
        name,
        flag,
        value,
        secret: true,
        help,
    }
}

/// All settings.
pub(crate) const KEYS: [Key; 23] = [
    open(
        "data_dir",
        "data-dir",
        "FOLDER",
        "Folder for the database, certificates and the broker's files",
    ),
    secret(
        "database_url",
        "database-url",
        "URL",
        "sqlite:/folder/house.db or postgres://user:password@host/name",
    ),
    open(
        "http_listen",
        "http-listen",
        "ADDRESS",
        "Plain HTTP, for this machine or a proxy; `off` for none",
    ),
    open(
        "https_listen",
        "https-listen",
        "ADDRESS",
        "HTTPS; `off` for none",
    ),
    open(
        "https_cert",
        "https-cert",
        "FILE",
        "Own web certificate chain in PEM form",
    ),
    open(
        "https_key",
        "https-key",
        "FILE",
        "Its private key in PEM form",
    ),
    open(
        "web_tls_export",
        "web-tls-export",
        "FOLDER",
        "Folder for a copy of the web certificate, for a proxy in front",
    ),
    open(
        "public_url",
        "public-url",
        "URL",
        "The address people type, when a proxy stands in front",
    ),
    open(
        "trusted_proxies",
        "trusted-proxies",
        "CIDRS",
        "Networks whose X-Forwarded headers are believed",
    ),
    open(
        "names",
        "names",
        "NAMES",
        "More host names and addresses for the certificates",
    ),
    open(
        "setup_local_only",
        "setup-local-only",
        "BOOL",
        "true (unless set): set-up only from private addresses, and not by a public device URL",
    ),
    open(
        "broker_listen",
        "broker-listen",
        "ADDRESS",
        "The embedded broker's TLS listener",
    ),
    secret(
        "mqtt_url",
        "mqtt-url",
        "URL",
        "mqtts://user:password@host:port; given means no embedded broker",
    ),
    open(
        "mqtt_ca",
        "mqtt-ca",
        "FILE",
        "CA that signed the broker's certificate, in PEM form",
    ),
    open(
        "mqtt_fingerprint",
        "mqtt-fingerprint",
        "SHA256",
        "SHA-256 fingerprint of the broker's certificate",
    ),
    open(
        "mqtt_manage",
        "mqtt-manage",
        "HOW",
        "none or dynsec: who keeps the users of the broker at mqtt_url",
    ),
    open(
        "discovery",
        "discovery",
        "MODE",
        "ask, accept or off: what happens to devices that announce themselves",
    ),
    open(
        "discovery_prefix",
        "discovery-prefix",
        "PREFIX",
        "First level of the discovery topics",
    ),
    secret(
        "metrics_token",
        "metrics-token",
        "TOKEN",
        "Bearer token that may read /metrics",
    ),
    secret(
        "demo_password",
        "demo-password",
        "PASSWORD",
        "The demo user's password; a new one each start otherwise",
    ),
    secret(
        "backup_passphrase",
        "backup-passphrase",
        "PASSPHRASE",
        "What `backup` seals with and `restore` opens with",
    ),
    open(
        "schedules_per_user",
        "schedules-per-user",
        "NUMBER",
        "Most schedules of one user (1000 unless set)",
    ),
    open(
        "log",
        "log",
        "FILTER",
        "What is logged, such as info or iothome=debug",
    ),
];

impl Key {
    /// The flag.
    pub(crate) fn flag(&self) -> String {
        format!("--{}", self.flag)
    }

    /// The environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("{}{}", super::layers::PREFIX, self.name.to_uppercase())
    }
}

/// The setting of this name.
pub(crate) fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_its_key_with_dashes() {
        for key in KEYS {
            assert_eq!(key.flag, key.name.replace('_', "-"));
        }
    }
}
