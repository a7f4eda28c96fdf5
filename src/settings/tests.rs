//! Which value wins, and what is said about a wrong one.
#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use super::*;
use std::collections::BTreeMap;

struct Home {
    dir: tempfile::TempDir,
    sources: Sources,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut sources = Sources::default();
        let home = dir.path().display().to_string();
        sources.variables.insert("HOME".to_owned(), home);
        Self { dir, sources }
    }

    fn file(mut self, toml: &str) -> Self {
        let path = self.dir.path().join("config.toml");
        std::fs::write(&path, toml).unwrap();
        self.sources.file = Some(path);
        self
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.sources
            .variables
            .insert(name.to_owned(), value.to_owned());
        self
    }

    fn flag(mut self, name: &str, value: &str) -> Self {
        self.sources.flags.insert(name.to_owned(), value.to_owned());
        self
    }

    fn read(&self, mode: Mode) -> Result<Settings, Problems> {
        let layers = Layers::merge(&self.sources);
        Settings::read(&layers, mode, &self.sources.variables)
    }

    fn problems(&self, mode: Mode) -> BTreeMap<String, String> {
        let problems = self.read(mode).unwrap_err().0;
        problems
            .into_iter()
            .map(|p| (p.origin, p.problem))
            .collect()
    }
}

fn port(bind: Option<&Bind>) -> u16 {
    bind.map_or(0, |b| b.address.port())
}

#[test]
fn without_any_setting_the_defaults_stand() {
    let settings = Home::new().read(Mode::Serve).unwrap();
    assert!(settings.data_dir.ends_with(".local/share/iothome"));
    assert!(
        settings
            .database_url
            .expose()
            .ends_with("/iothome/house.db")
    );
    let http = settings.http.unwrap();
    assert_eq!(http.address.to_string(), "127.0.0.1:8080");
    assert!(!http.may_move);
    assert_eq!(settings.https.unwrap().address.to_string(), "0.0.0.0:8443");
    assert_eq!(settings.discovery, Discovery::Ask);
    let BrokerChoice::Embedded(broker) = settings.broker else {
        panic!("the embedded broker is the default");
    };
    assert_eq!(broker.address.to_string(), "0.0.0.0:8883");
}

#[test]
fn the_demo_keeps_to_this_machine_and_to_a_folder_of_its_own() {
    let settings = Home::new().read(Mode::Demo).unwrap();
    assert!(settings.data_dir.ends_with("iothome-demo"));
    assert_eq!(settings.https, None);
    assert!(settings.http.unwrap().may_move);
    let home = Home::new()
        .flag("http_listen", "0.0.0.0:8080")
        .var("IOTHOME_DATABASE_URL", "postgres://u:p@h/d")
        .var("IOTHOME_MQTT_URL", "mqtts://u:p@h");
    let problems = home.problems(Mode::Demo);
    assert!(problems.contains_key("--http-listen"));
    assert!(problems.contains_key("IOTHOME_DATABASE_URL"));
    assert!(problems.contains_key("IOTHOME_MQTT_URL"));
}

#[test]
fn a_flag_beats_a_variable_beats_the_file_beats_the_default() {
    let file = Home::new().file("http_listen = \"127.0.0.1:1001\"\nlog = \"debug\"");
    assert_eq!(port(file.read(Mode::Serve).unwrap().http.as_ref()), 1001);
    let var = file.var("IOTHOME_HTTP_LISTEN", "127.0.0.1:1002");
    assert_eq!(port(var.read(Mode::Serve).unwrap().http.as_ref()), 1002);
    let flag = var.flag("http_listen", "127.0.0.1:1003");
    let settings = flag.read(Mode::Serve).unwrap();
    assert_eq!(port(settings.http.as_ref()), 1003);
    assert!(!settings.http.unwrap().may_move);
    assert_eq!(settings.log.as_deref(), Some("debug"));
}

#[test]
fn a_variable_that_ends_in_file_is_read_from_that_file() {
    let home = Home::new();
    let path = home.dir.path().join("secret");
    std::fs::write(&path, "mqtts://hub:hunter2@broker\n").unwrap();
    let home = home.var("IOTHOME_MQTT_URL_FILE", &path.display().to_string());
    let settings = home.read(Mode::Serve).unwrap();
    let BrokerChoice::Given { url, .. } = &settings.broker else {
        panic!("a broker was given");
    };
    assert_eq!(url.password.as_ref().unwrap().expose(), "hunter2");
    assert!(!format!("{settings:?}").contains("hunter2"));

    let both = home.var("IOTHOME_MQTT_URL", "mqtts://x");
    assert!(
        both.problems(Mode::Serve)
            .contains_key("IOTHOME_MQTT_URL_FILE")
    );
    let missing = Home::new().var("IOTHOME_METRICS_TOKEN_FILE", "/nonexistent");
    assert!(
        missing
            .problems(Mode::Serve)
            .contains_key("IOTHOME_METRICS_TOKEN_FILE")
    );
}

#[test]
fn every_wrong_key_is_named_at_once() {
    let home = Home::new()
        .file("htpp_listen = \"x\"\ncolour = \"red\"\ndiscovery = \"perhaps\"\n[names]\na = 1");
    let problems = home.read(Mode::Serve).unwrap_err().to_string();
    for wrong in ["`htpp_listen`", "`colour`", "`names`", "`discovery`"] {
        assert!(problems.contains(wrong), "{problems}");
    }
    let home = Home::new().var("IOTHOME_HTPP_LISTEN", "x");
    let layers = Layers::merge(&home.sources);
    assert_eq!(layers.strangers, ["IOTHOME_HTPP_LISTEN"]);
}

#[test]
fn every_wrong_value_is_named_with_the_place_it_came_from() {
    let home = Home::new()
        .file("https_listen = \"nowhere\"\nhttps_cert = \"a.pem\"\ntrusted_proxies = [\"10.0.0.0/8\", \"x\"]")
        .var("IOTHOME_DISCOVERY", "perhaps")
        .var("IOTHOME_MQTT_FINGERPRINT", "AB")
        .flag("http_listen", "8080");
    let problems = home.read(Mode::Serve).unwrap_err().to_string();
    for wrong in [
        "`https_listen` in",
        "`https_cert` in",
        "`trusted_proxies` in",
        "IOTHOME_DISCOVERY",
        "IOTHOME_MQTT_FINGERPRINT",
        "--http-listen",
    ] {
        assert!(problems.contains(wrong), "{wrong} is not in:\n{problems}");
    }
}

#[test]
fn plain_http_beyond_this_machine_needs_a_proxy() {
    let open = Home::new().flag("http_listen", "0.0.0.0:8080");
    let problems = open.problems(Mode::Serve);
    assert!(problems["--http-listen"].contains("trusted_proxies"));
    let proxied = open.var("IOTHOME_TRUSTED_PROXIES", "172.16.0.0/12, 10.0.0.0/8");
    assert_eq!(proxied.read(Mode::Serve).unwrap().trusted_proxies.len(), 2);
}

#[test]
fn lists_are_arrays_in_the_file_and_commas_elsewhere() {
    let file = Home::new().file("names = [\"hub.example\", \"10.1.2.3\"]");
    assert_eq!(
        file.read(Mode::Serve).unwrap().names,
        ["hub.example", "10.1.2.3"]
    );
    let var = Home::new().var("IOTHOME_NAMES", "hub.example, 10.1.2.3");
    assert_eq!(
        var.read(Mode::Serve).unwrap().names,
        ["hub.example", "10.1.2.3"]
    );
}

#[test]
fn the_listing_shows_no_secret() {
    let home = Home::new()
        .var("IOTHOME_METRICS_TOKEN", "hunter2")
        .var("IOTHOME_DATABASE_URL", "postgres://u:hunter2@db/house")
        .flag("log", "debug");
    let layers = Layers::merge(&home.sources);
    let listing = layers::listing(&layers);
    assert_eq!(listing.len(), 3);
    assert!(!format!("{listing:?}").contains("hunter2"));
    assert!(format!("{listing:?}").contains("db/house"));
}

#[test]
fn set_up_is_for_the_home_network_unless_it_is_said_otherwise() {
    let local_only = |home: Home| home.read(Mode::Serve).unwrap().setup_local_only;
    assert!(local_only(Home::new()));
    let open = Home::new().var("IOTHOME_SETUP_LOCAL_ONLY", "false");
    assert!(!local_only(open));
    let wrong = Home::new().var("IOTHOME_SETUP_LOCAL_ONLY", "yes");
    let problems = wrong.problems(Mode::Serve);
    assert!(problems["IOTHOME_SETUP_LOCAL_ONLY"].contains("true or false"));
}

#[test]
fn on_balena_the_hub_knows_its_names_by_itself() {
    let id = "0123456789abcdef0123456789abcdef";
    let settings = Home::new().var("BALENA_DEVICE_UUID", id);
    let settings = settings.read(Mode::Serve).unwrap();
    assert!(crate::names::of(&settings).contains(&"0123456.local".to_owned()));
    assert!(settings.balena.is_some());
}
