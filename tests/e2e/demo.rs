//! The demo: a live home from one command.

use crate::support::api::Api;
use crate::support::eventually;
use crate::support::hub::{Start, folder};
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn one_command_gives_a_live_home() {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    let devices = eventually("nine devices in four rooms", || async {
        let (_, body) = api.get("/api/v1/devices?limit=100").await;
        let devices = body["items"].as_array().cloned().unwrap_or_default();
        let rooms: BTreeSet<_> = devices
            .iter()
            .filter_map(|d| d["room"].as_str().map(str::to_owned))
            .collect();
        (devices.len() >= 10 && rooms.len() >= 4).then_some(devices)
    })
    .await;
    let kinds: BTreeSet<_> = devices
        .iter()
        .flat_map(|d| d["entities"].as_array().cloned().unwrap_or_default())
        .filter_map(|e| e["kind"].as_str().map(str::to_owned))
        .collect();
    for kind in [
        "switch",
        "light",
        "sensor",
        "binary_sensor",
        "number",
        "button",
        "cover",
        "lock",
    ] {
        assert!(kinds.contains(kind), "no {kind} in {kinds:?}");
    }
    let metrics = api.text("/metrics").await;
    for line in metrics.lines().filter_map(|l| l.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap_or_default();
        let help = format!("# HELP {name} ");
        assert!(metrics.contains(&help), "no help for {name}");
    }
    let (_, new) = api.get("/api/v1/new-devices").await;
    assert_eq!(
        new["items"].as_array().map(Vec::len),
        Some(1),
        "one device waits: {new}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_the_demo_obeys() {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    for (kind, body, end) in [
        ("switch", json!({"action": "turn_on"}), "confirmed"),
        (
            "light",
            json!({"action": "set", "value": {"brightness": 40}}),
            "confirmed",
        ),
        (
            "number",
            json!({"action": "set", "value": 21.5}),
            "confirmed",
        ),
        ("button", json!({"action": "press"}), "delivered"),
        ("lock", json!({"action": "unlock"}), "confirmed"),
        ("cover", json!({"action": "stop"}), "confirmed"),
    ] {
        let (device, entity) = online_entity(&api, kind).await;
        let command = api.command(&device, &entity, body).await;
        assert_eq!(command["status"], end, "{kind}: {command}");
    }
}

/// Device and entity of that kind that is online.
async fn online_entity(api: &Api, kind: &str) -> (String, String) {
    eventually(&format!("a {kind} that is online"), || async {
        let (_, body) = api.get("/api/v1/devices?limit=100").await;
        let devices = body["items"].as_array().cloned().unwrap_or_default();
        devices.iter().find_map(|device| {
            let entities = device["entities"].as_array()?;
            let entity = entities
                .iter()
                .find(|e| e["kind"] == kind && e["availability"] == "online")?;
            Some((
                device["id"].as_str()?.to_owned(),
                entity["id"].as_str()?.to_owned(),
            ))
        })
    })
    .await
}
