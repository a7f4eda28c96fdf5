//! What `docker-compose.yml` may say: balena's subset, three ports, one volume a reader.
//!
//! Owner of the list of fields and where it comes from:
//!
//! - allowed: <https://docs.balena.io/reference/supervisor/docker-compose/>, "Supported fields",
//!   read in November 2026 (Compose file format 2.4);
//! - refused when pushed: the deny lists in `lib/compose.ts` of
//!   <https://github.com/balena-io-modules/balena-compose-parser> at commit 0715504.
//!
//! It must never take a field for allowed because Docker knows it.

mod reading;
mod rules;

use reading::yaml;
use serde_json::Value;
use std::fs;

fn file(name: &str) -> String {
    let path = crate::command::root().join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The file with one passage changed: what the rules must notice.
fn spoilt(from: &str, to: &str) -> Vec<String> {
    let text = file("docker-compose.yml");
    assert!(text.contains(from), "{from:?} is in the file");
    rules::faults(&text.replacen(from, to, 1))
}

#[test]
fn the_compose_file_keeps_to_what_balena_takes_and_to_the_walls() {
    assert_eq!(rules::faults(&file("docker-compose.yml")), [""; 0]);
}

#[test]
fn each_rule_notices_what_breaks_it() {
    let breaks = [
        ("version: \"2.4\"", "version: \"3.8\"", "version"),
        ("restart: unless-stopped", "cpus: 1.0", "cpus"),
        ("pids_limit: 128", "logging: {driver: none}", "logging"),
        (
            "mem_limit: 32m\n    pids",
            "memswap_limit: 64m\n    pids",
            "memswap_limit",
        ),
        ("hub-data:/data", "/srv:/data", "named volume"),
        ("hub-data:/data", "./data:/data", "named volume"),
        (
            "IOTHOME_NAMES: \"\"",
            "IOTHOME_NAMES: \"${NAMES}\"",
            "interpolation",
        ),
        (
            "depends_on: [init, hub]",
            "depends_on: {hub: {condition: service_healthy}}",
            "depends_on",
        ),
        (
            "[\"no-new-privileges:true\"]",
            "[\"apparmor:unconfined\"]",
            "security_opt",
        ),
        ("nginx-tls:/tls:ro", "hub-data:/tls:ro", "hub-data"),
        (
            "nginx-tls:/tls:ro",
            "postgres-secrets:/tls:ro",
            "postgres-secrets",
        ),
        ("nginx-tls:/tls:ro", "nginx-tls:/tls", "nginx-tls"),
        ("\"8883:8883\"", "\"5432:5432\"", "ports"),
        ("networks: [data]", "networks: [data, edge]", "networks"),
        ("internal: true", "internal: false", "internal"),
        ("  devices: {}", "  devices: {external: true}", "external"),
        ("cap_drop: [ALL]", "cap_drop: [NET_RAW]", "cap_drop"),
        ("read_only: true", "read_only: false", "read_only"),
        ("restart: \"no\"", "restart: always", "restart"),
        (
            "test: [\"CMD\", \"/iothome\", \"health\"]",
            "test: [NONE]",
            "healthcheck",
        ),
        (
            "  postgres-data: {}",
            "  postgres-data: {external: true}",
            "external",
        ),
    ];
    for (from, to, word) in breaks {
        let faults = spoilt(from, to);
        assert!(
            faults.iter().any(|fault| fault.contains(word)),
            "{from:?} as {to:?} gives {faults:?}"
        );
    }
}

#[test]
fn the_limits_fit_a_machine_with_512_mb() {
    let compose = yaml(&file("docker-compose.yml"));
    let services = compose["services"].as_object().expect("services");
    let total: u64 = services
        .iter()
        .filter(|(name, _)| *name != "init")
        .map(|(name, service)| {
            rules::megabytes(&service["mem_limit"]).unwrap_or_else(|| panic!("{name}"))
        })
        .sum();
    // 512 MB less 16 for the graphics, and about 150 for balenaOS and its supervisor.
    assert!(total <= 346, "{total} MB");
}

#[test]
fn what_balena_lacks_stands_in_the_override_and_bounds_every_log() {
    let services = yaml(&file("docker-compose.yml"))["services"].clone();
    let more = yaml(&file("docker-compose.override.yml"));
    for name in services.as_object().expect("services").keys() {
        let service = more["services"][name].as_object();
        let service = service.unwrap_or_else(|| panic!("{name} has no bound for its log"));
        assert_eq!(service.keys().collect::<Vec<_>>(), ["logging"], "{name}");
        let options = &service["logging"]["options"];
        assert!(
            options["max-size"].is_string() && options["max-file"].is_string(),
            "{name}"
        );
    }
}

#[test]
fn every_image_has_a_user_without_rights_and_a_pinned_base() {
    for name in ["hub", "nginx", "mosquitto", "postgres"] {
        let text = file(&format!("deploy/{name}/Dockerfile"));
        let last = |word: &str| {
            text.lines()
                .filter_map(|l| l.strip_prefix(word))
                .next_back()
        };
        let user = last("USER ").unwrap_or_default();
        let uid: u32 = user
            .split(':')
            .next()
            .unwrap_or_default()
            .parse()
            .unwrap_or(0);
        assert!(uid >= 10_000, "{name} runs as {user:?}");
        let base = text.lines().find_map(|l| l.strip_prefix("ARG BASE="));
        assert_eq!(base, Some("debian:bookworm-slim"), "{name}");
        for from in text.lines().filter_map(|l| l.strip_prefix("FROM ")) {
            assert!(
                from.starts_with("${BASE}") || from == "scratch",
                "{name}: {from}"
            );
        }
    }
}

#[test]
fn balena_yml_names_this_version_its_devices_and_settings_that_there_are() {
    let balena = yaml(&file("balena.yml"));
    for field in ["name", "description"] {
        assert!(
            balena[field].as_str().is_some_and(|t| !t.is_empty()),
            "{field}"
        );
    }
    assert_eq!(balena["type"], "sw.application");
    assert_eq!(balena["version"], env!("CARGO_PKG_VERSION"));
    let data = &balena["data"];
    let types = data["supportedDeviceTypes"]
        .as_array()
        .expect("device types");
    assert!(types.contains(&data["defaultDeviceType"]));
    // One for each architecture that the image is made for.
    for slug in [
        "raspberry-pi",
        "raspberrypi3",
        "raspberrypi4-64",
        "generic-amd64",
    ] {
        assert!(types.contains(&Value::from(slug)), "{slug}");
    }
    let known = file("src/settings/keys.rs");
    for entry in data["applicationEnvironmentVariables"]
        .as_array()
        .expect("variables")
    {
        for name in entry.as_object().expect("a name and a value").keys() {
            let key = name
                .strip_prefix("IOTHOME_")
                .unwrap_or_default()
                .to_lowercase();
            assert!(known.contains(&format!("\"{key}\"")), "{name} is a setting");
        }
    }
}
