//! From merged texts to settings that cannot be wrong.
//!
//! Owner of every check between settings. It collects all problems: whoever mends a
//! configuration wants to do it once.

use super::{
    BalenaDevice, Bind, BrokerChoice, BrokerTrust, Discovery, Layers, Manage, Mode, MqttUrl,
    OwnCertificate, Problems, Settings,
};
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

impl Settings {
    /// Reads the settings out of the layers. `variables` tells where a user's data lives.
    pub(crate) fn read(
        layers: &Layers,
        mode: Mode,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, Problems> {
        let mut reading = Reading {
            layers,
            mode,
            problems: layers.problems.clone(),
        };
        let data_dir = reading.data_dir(variables);
        let settings = Self {
            mode,
            database_url: reading.database_url(&data_dir),
            http: reading.bind("http_listen", Some("127.0.0.1:8080")),
            https: reading.bind("https_listen", reading.https_default()),
            certificate: reading.certificate(),
            web_tls_export: layers.text("web_tls_export").map(PathBuf::from),
            public_url: reading.public_url(),
            trusted_proxies: reading.items("trusted_proxies"),
            names: reading.names(),
            setup_local_only: reading.yes_or_no("setup_local_only", true),
            balena: BalenaDevice::find(variables),
            broker: reading.broker(),
            discovery: reading.discovery(),
            discovery_prefix: reading.discovery_prefix(),
            metrics_token: layers.text("metrics_token").map(Secret::new),
            demo_password: reading.demo_password(),
            backup_passphrase: layers.text("backup_passphrase").map(Secret::new),
            schedules_per_user: reading.schedules_per_user(),
            log: layers.text("log"),
            data_dir,
        };
        reading.between(&settings);
        if reading.problems.is_empty() {
            return Ok(settings);
        }
        Err(reading.problems)
    }
}

struct Reading<'a> {
    layers: &'a Layers,
    mode: Mode,
    problems: Problems,
}

impl Reading<'_> {
    fn wrong(&mut self, name: &str, problem: impl Into<String>) {
        self.problems.add(self.layers.origin(name), problem);
    }

    fn https_default(&self) -> Option<&'static str> {
        (self.mode == Mode::Serve).then_some("0.0.0.0:8443")
    }

    fn data_dir(&mut self, variables: &BTreeMap<String, String>) -> PathBuf {
        if let Some(dir) = self.layers.text("data_dir") {
            return dir.into();
        }
        let home = |name: &str| variables.get(name).filter(|v| !v.is_empty());
        let base = match (home("XDG_DATA_HOME"), home("HOME")) {
            (Some(data), _) => PathBuf::from(data),
            (None, Some(home)) => PathBuf::from(home).join(".local/share"),
            (None, None) => {
                self.wrong("data_dir", "there is no HOME, so a folder must be given");
                PathBuf::new()
            }
        };
        base.join(match self.mode {
            Mode::Serve => "iothome",
            Mode::Demo => "iothome-demo",
        })
    }

    fn database_url(&mut self, data_dir: &std::path::Path) -> Secret {
        let given = self.layers.text("database_url");
        if given.is_some() && self.mode == Mode::Demo {
            let problem = "the demo keeps to a database of its own in its data folder: unset this";
            self.wrong("database_url", problem);
        }
        let url = given.unwrap_or_else(|| format!("sqlite:{}/house.db", data_dir.display()));
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if !known.iter().any(|scheme| url.starts_with(scheme)) {
            let problem = "sqlite:/folder/house.db or postgres://user:password@host/name is needed";
            self.wrong("database_url", problem);
        }
        Secret::new(url)
    }

    /// An address, `off`, or the default.
    fn bind(&mut self, name: &'static str, default: Option<&str>) -> Option<Bind> {
        let given = self.layers.text(name);
        let is_default = given.is_none();
        let text = given.or_else(|| default.map(str::to_owned))?;
        if text == "off" {
            return None;
        }
        let address: SocketAddr = self.parsed(name, &text, "an address such as 127.0.0.1:8080")?;
        if self.mode == Mode::Demo && !address.ip().is_loopback() {
            let problem = "the demo listens on this machine only: use a 127.0.0.1 address";
            self.wrong(name, problem);
        }
        Some(Bind {
            address,
            may_move: is_default && self.mode == Mode::Demo,
            setting: self.layers.origin(name),
        })
    }

    fn parsed<T: FromStr>(&mut self, name: &str, text: &str, needed: &str) -> Option<T> {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.wrong(name, format!("{text:?} is not {needed}"));
        }
        parsed
    }

    fn items<T: FromStr<Err: Display>>(&mut self, name: &str) -> Vec<T> {
        let mut items = Vec::new();
        for text in self.layers.list(name) {
            match text.parse() {
                Ok(item) => items.push(item),
                Err(error) => self.wrong(name, format!("{text:?}: {error}")),
            }
        }
        items
    }

    fn certificate(&mut self) -> Option<OwnCertificate> {
        let file = |name| self.layers.text(name).map(PathBuf::from);
        match (file("https_cert"), file("https_key")) {
            (Some(cert), Some(key)) => Some(OwnCertificate { cert, key }),
            (None, None) => None,
            (Some(_), None) => {
                self.wrong("https_cert", "https_key must be given too");
                None
            }
            (None, Some(_)) => {
                self.wrong("https_key", "https_cert must be given too");
                None
            }
        }
    }

    fn public_url(&mut self) -> Option<String> {
        let url = self.layers.text("public_url")?;
        let url = url.trim_end_matches('/').to_owned();
        let host = ["https://", "http://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme));
        let is_plain = host.is_some_and(|h| !h.is_empty() && !h.contains(['/', '?', '#', '@']));
        if !is_plain {
            self.wrong("public_url", "https://name or https://name:port is needed");
        }
        Some(url)
    }

    fn names(&mut self) -> Vec<String> {
        let names = self.layers.list("names");
        for name in &names {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-.:*".contains(c);
            if name.len() > 253 || !name.chars().all(plain) {
                self.wrong("names", format!("{name:?} is no host name or address"));
            }
        }
        names
    }

    fn yes_or_no(&mut self, name: &'static str, default: bool) -> bool {
        match self.layers.text(name) {
            None => default,
            Some(text) => self.parsed(name, &text, "true or false").unwrap_or(default),
        }
    }

    fn broker(&mut self) -> BrokerChoice {
        let trust = self.trust();
        let manage = self.manage();
        let Some(url) = self.layers.text("mqtt_url") else {
            if manage == Manage::Dynsec {
                let problem = "it needs mqtt_url: the embedded broker's users are the hub's anyway";
                self.wrong("mqtt_manage", problem);
            }
            return self.embedded(trust.as_ref());
        };
        if self.mode == Mode::Demo {
            self.wrong("mqtt_url", "the demo has a broker of its own: unset this");
        }
        match MqttUrl::parse(&url) {
            Ok(url) => {
                if manage == Manage::Dynsec && (url.username.is_none() || url.password.is_none()) {
                    let problem = "dynsec needs a user and a password in mqtt_url that may manage the broker's accounts";
                    self.wrong("mqtt_manage", problem);
                }
                BrokerChoice::Given {
                    url,
                    trust: trust.unwrap_or(BrokerTrust::System),
                    manage,
                }
            }
            Err(problem) => {
                self.wrong("mqtt_url", problem);
                self.embedded(None)
            }
        }
    }

    fn manage(&mut self) -> Manage {
        match self.layers.text("mqtt_manage").as_deref() {
            None | Some("none") => Manage::None,
            Some("dynsec") => Manage::Dynsec,
            Some(other) => {
                self.wrong("mqtt_manage", format!("{other:?} is not none or dynsec"));
                Manage::None
            }
        }
    }

    fn embedded(&mut self, trust: Option<&BrokerTrust>) -> BrokerChoice {
        match trust {
            Some(BrokerTrust::Ca(_)) => self.wrong("mqtt_ca", "it needs mqtt_url"),
            Some(BrokerTrust::Fingerprints(_)) => {
                self.wrong("mqtt_fingerprint", "it needs mqtt_url");
            }
            Some(BrokerTrust::System) | None => {}
        }
        let default = match self.mode {
            Mode::Serve => "0.0.0.0:8883",
            Mode::Demo => "127.0.0.1:8883",
        };
        let off = Bind {
            address: ([127, 0, 0, 1], 0).into(),
            may_move: false,
            setting: String::new(),
        };
        let given = self.layers.text("broker_listen");
        let bind = self.bind("broker_listen", Some(default));
        if given.as_deref() == Some("off") {
            self.wrong(
                "broker_listen",
                "without the embedded broker mqtt_url is needed",
            );
        }
        BrokerChoice::Embedded(bind.unwrap_or(off))
    }

    fn trust(&mut self) -> Option<BrokerTrust> {
        let pins = self.items("mqtt_fingerprint");
        let ca = self.layers.text("mqtt_ca").map(PathBuf::from);
        match (pins.is_empty(), ca) {
            (false, Some(_)) => {
                self.wrong("mqtt_ca", "give either the CA or the fingerprint");
                None
            }
            (false, None) => Some(BrokerTrust::Fingerprints(pins)),
            (true, Some(ca)) => Some(BrokerTrust::Ca(ca)),
            (true, None) => None,
        }
    }

    fn discovery(&mut self) -> Discovery {
        match self.layers.text("discovery").as_deref() {
            None | Some("ask") => Discovery::Ask,
            Some("accept") => Discovery::Accept,
            Some("off") => Discovery::Off,
            Some(other) => {
                self.wrong("discovery", format!("{other:?} is not ask, accept or off"));
                Discovery::Ask
            }
        }
    }

    fn discovery_prefix(&mut self) -> String {
        let prefix = self.layers.text("discovery_prefix");
        let prefix = prefix.unwrap_or_else(|| "homeassistant".to_owned());
        let ends_well = !prefix.starts_with(['/', '$']) && !prefix.ends_with('/');
        if !ends_well || prefix.contains(['+', '#', '\0']) || prefix.len() > 200 {
            let problem = "a topic without wildcards, and with no / at its ends, is needed";
            self.wrong("discovery_prefix", problem);
        }
        prefix
    }

    fn schedules_per_user(&mut self) -> usize {
        const MAX: usize = 1_000_000;
        let Some(text) = self.layers.text("schedules_per_user") else {
            return iothome_engine::schedule::SCHEDULES_PER_USER;
        };
        let needed = "a whole number such as 1000";
        let number = self
            .parsed("schedules_per_user", &text, needed)
            .unwrap_or(1);
        if number == 0 || number > MAX {
            self.wrong("schedules_per_user", format!("1 to {MAX} is needed"));
        }
        number
    }

    fn demo_password(&mut self) -> Option<Secret> {
        let password = self.layers.text("demo_password")?;
        // The same bound that sign-in has: argon2 must not be fed books.
        if password.chars().count() < 8 || password.len() > 1_000 {
            self.wrong("demo_password", "between 8 and 1,000 letters are needed");
        }
        Some(Secret::new(password))
    }

    /// Checks that need more than one setting.
    fn between(&mut self, settings: &Settings) {
        let is_open = settings
            .http
            .as_ref()
            .is_some_and(|http| !http.address.ip().is_loopback());
        if is_open && settings.trusted_proxies.is_empty() {
            let problem = "plain HTTP beyond this machine needs a proxy in front: set trusted_proxies to its network, or listen on 127.0.0.1 and use https_listen";
            self.wrong("http_listen", problem);
        }
        if settings.http.is_none() && settings.https.is_none() {
            let problem = "with http_listen and https_listen both off nobody can come in";
            self.wrong("https_listen", problem);
        }
    }
}
