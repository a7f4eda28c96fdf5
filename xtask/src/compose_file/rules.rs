//! The rules that `docker-compose.yml` is held against.
//!
//! Owner of the lists. Every fault is named with its place, so that all can be mended
//! at once.

use super::reading::yaml;
use serde_json::{Map, Value};

/// Service fields that balena's supervisor knows, less those that its parser refuses.
const SERVICE: [&str; 43] = [
    "build",
    "cap_add",
    "cap_drop",
    "cgroup_parent",
    "command",
    "cpu_quota",
    "cpu_shares",
    "cpuset",
    "depends_on",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "entrypoint",
    "environment",
    "expose",
    "extra_hosts",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "ipc",
    "labels",
    "mac_address",
    "mem_limit",
    "mem_reservation",
    "network_mode",
    "networks",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "ports",
    "privileged",
    "read_only",
    "restart",
    "security_opt",
    "shm_size",
    "stop_grace_period",
    "stop_signal",
    "sysctls",
    "tmpfs",
    "volumes",
];
const BUILD: [&str; 8] = [
    "args",
    "cache_from",
    "context",
    "dockerfile",
    "extra_hosts",
    "labels",
    "shm_size",
    "target",
];
const NETWORK: [&str; 5] = ["driver", "driver_opts", "internal", "ipam", "labels"];
const VOLUME: [&str; 3] = ["driver", "driver_opts", "labels"];

/// Who is in which network.
const NETWORKS: [(&str, &[&str]); 5] = [
    ("init", &[]),
    ("hub", &["edge", "devices", "data"]),
    ("nginx", &["edge"]),
    ("mosquitto", &["devices"]),
    ("postgres", &["data"]),
];
const PORTS: [(&str, &[&str]); 2] = [
    ("nginx", &["80:8080", "443:8443"]),
    ("mosquitto", &["8883:8883"]),
];
/// Who mounts which volume; `:ro` where the reader must not write.
const MOUNTS: [(&str, &[&str]); 7] = [
    ("hub-data", &["init", "hub"]),
    ("hub-secrets", &["init", "hub:ro"]),
    ("nginx-tls", &["init", "hub", "nginx:ro"]),
    ("mosquitto-secrets", &["init", "mosquitto:ro"]),
    ("mosquitto-data", &["mosquitto"]),
    ("postgres-secrets", &["init", "postgres:ro"]),
    ("postgres-data", &["postgres"]),
];

/// Everything that is wrong with this text.
pub(super) fn faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if text.contains('$') {
        faults.push("no interpolation: there is a $".to_owned());
    }
    let compose = yaml(text);
    only(
        "the file",
        &compose,
        &["version", "services", "networks", "volumes"],
        &mut faults,
    );
    if compose["version"] != "2.4" {
        faults.push(format!("version is {}, not 2.4", compose["version"]));
    }
    for (name, service) in object(&compose["services"]) {
        service_faults(name, service, &mut faults);
    }
    for (name, network) in object(&compose["networks"]) {
        only(&format!("network {name}"), network, &NETWORK, &mut faults);
    }
    if compose["networks"]["data"]["internal"] != true {
        faults.push("network data is not internal".to_owned());
    }
    for (name, volume) in object(&compose["volumes"]) {
        only(&format!("volume {name}"), volume, &VOLUME, &mut faults);
    }
    mount_faults(&compose, &mut faults);
    faults
}

/// `64m` as 64.
pub(super) fn megabytes(limit: &Value) -> Option<u64> {
    limit.as_str()?.strip_suffix('m')?.parse().ok()
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn texts(value: &Value) -> Vec<&str> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).collect()
}

fn only(place: &str, value: &Value, allowed: &[&str], faults: &mut Vec<String>) {
    for (field, _) in object(value) {
        if !allowed.contains(&field.as_str()) {
            faults.push(format!("{place}: {field} is not one of balena's fields"));
        }
    }
}

fn of<'a>(table: &[(&str, &'a [&'a str])], name: &str) -> Option<&'a [&'a str]> {
    table
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, what)| *what)
}

fn service_faults(name: &str, service: &Value, faults: &mut Vec<String>) {
    only(name, service, &SERVICE, faults);
    only(&format!("{name}.build"), &service["build"], &BUILD, faults);
    let Some(networks) = of(&NETWORKS, name) else {
        faults.push(format!("{name} is a service that no rule knows"));
        return;
    };
    let is_init = name == "init";
    let mut must = |is_so: bool, field: &str| {
        if !is_so {
            faults.push(format!(
                "{name}: {field} is not as it must be: {}",
                service[field]
            ));
        }
    };
    must(texts(&service["networks"]) == networks, "networks");
    must(
        (service["network_mode"] == "none") == is_init,
        "network_mode",
    );
    must(
        texts(&service["ports"]) == of(&PORTS, name).unwrap_or_default(),
        "ports",
    );
    must(
        service["depends_on"].is_null() || service["depends_on"].is_array(),
        "depends_on",
    );
    must(
        service["security_opt"] == serde_json::json!(["no-new-privileges:true"]),
        "security_opt",
    );
    must(
        service["cap_drop"] == serde_json::json!(["ALL"]),
        "cap_drop",
    );
    must(service["cap_add"].is_null(), "cap_add");
    must(service["privileged"].is_null(), "privileged");
    must(service["devices"].is_null(), "devices");
    must(service["read_only"] == true, "read_only");
    must(megabytes(&service["mem_limit"]).is_some(), "mem_limit");
    must(
        service["pids_limit"].as_u64().is_some_and(|n| n > 0),
        "pids_limit",
    );
    must(
        service["restart"] == if is_init { "no" } else { "unless-stopped" },
        "restart",
    );
    let asks = texts(&service["healthcheck"]["test"]).first() == Some(&"CMD");
    must(asks != is_init, "healthcheck");
}

/// Each volume has its readers and no others, and every mount is of a named volume.
fn mount_faults(compose: &Value, faults: &mut Vec<String>) {
    for (name, service) in object(&compose["services"]) {
        for mount in texts(&service["volumes"]) {
            let volume = mount.split(':').next().unwrap_or_default();
            if compose["volumes"].get(volume).is_none() {
                faults.push(format!("{name}: {mount} is no named volume"));
            }
        }
    }
    for (volume, _) in object(&compose["volumes"]) {
        let found = readers(compose, volume);
        let wanted = of(&MOUNTS, volume).unwrap_or_default();
        if found.iter().map(String::as_str).ne(wanted.iter().copied()) {
            faults.push(format!(
                "{volume} is mounted by {found:?}, not by {wanted:?}"
            ));
        }
    }
}

/// In the order of [`MOUNTS`].
fn readers(compose: &Value, volume: &str) -> Vec<String> {
    let mut readers = Vec::new();
    for (service, _) in NETWORKS {
        for mount in texts(&compose["services"][service]["volumes"]) {
            let mut parts = mount.split(':');
            if parts.next() != Some(volume) {
                continue;
            }
            let read_only = parts.nth(1) == Some("ro");
            readers.push(format!("{service}{}", if read_only { ":ro" } else { "" }));
        }
    }
    readers
}
