//! The demo, as a newcomer meets it: a live home from one command.

use crate::support::api::Api;
use crate::support::eventually;
use crate::support::hub::{Hub, Start, folder, run, stderr};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Everything that the demo holds when it has come to life.
const DEVICES: usize = 11;

/// The devices, once so many of them are online.
async fn living_home(api: &Api, online: usize) -> Vec<Value> {
    eventually(&format!("{online} devices are online"), || async {
        let devices = api.devices().await;
        let there = devices.iter().filter(|d| d["availability"] == "online");
        (there.count() >= online).then_some(devices)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_gives_a_live_home() {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    let devices = living_home(&api, DEVICES).await;
    let texts = |key: &str| -> BTreeSet<String> {
        let found = devices.iter().filter_map(|d| d[key].as_str());
        found.map(str::to_owned).collect()
    };
    assert_eq!(texts("room").len(), 4, "{:?}", texts("room"));
    assert!(texts("id").contains("esp8266"), "the one entered by hand");
    let kinds: BTreeSet<&str> = devices
        .iter()
        .flat_map(|d| d["entities"].as_array().map_or(&[][..], Vec::as_slice))
        .filter_map(|e| e["kind"].as_str())
        .collect();
    for kind in [
        "switch",
        "light",
        "sensor",
        "binary_sensor",
        "number",
        "select",
        "button",
        "cover",
        "lock",
    ] {
        assert!(kinds.contains(kind), "no {kind} in {kinds:?}");
    }
    let (_, new) = api.get("/api/v1/new-devices").await;
    let waiting = new["items"].as_array().cloned().unwrap_or_default();
    assert_eq!(waiting.len(), 1, "one device waits: {new}");
    assert_eq!(waiting[0]["name"], "Smoke detector", "{new}");
    every_figure_has_help(&api).await;
    assert_eq!(hub.stop().await, Some(0));
}

async fn every_figure_has_help(api: &Api) {
    let metrics = api.text("/metrics").await;
    let mut figures = 0;
    for line in metrics.lines().filter_map(|l| l.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap_or_default();
        let help = format!("# HELP {name} ");
        assert!(metrics.contains(&help), "no help for {name}");
        figures += 1;
    }
    assert!(figures > 5, "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_the_demo_obeys() {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    living_home(&api, DEVICES).await;
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
        (
            "select",
            json!({"action": "set", "value": "Wool"}),
            "confirmed",
        ),
        ("button", json!({"action": "press"}), "delivered"),
        ("lock", json!({"action": "unlock"}), "confirmed"),
        ("cover", json!({"action": "stop"}), "confirmed"),
    ] {
        for (device, entity) in entities_of(&api, kind).await {
            let command = api.command(&device, &entity, body.clone()).await;
            assert_eq!(command["status"], end, "{device} {kind}: {command}");
        }
    }
}

/// Ids of entities follow from what devices announce, so they are looked up by kind.
async fn entities_of(api: &Api, kind: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for device in api.devices().await {
        let entities = device["entities"].as_array().cloned().unwrap_or_default();
        for entity in entities.iter().filter(|e| e["kind"] == kind) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            found.push((text(&device["id"]), text(&entity["id"])));
        }
    }
    assert!(!found.is_empty(), "no {kind} in the demo");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn each_start_has_a_new_password_and_the_same_home() {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let told = |hub: &Hub, key: &str| hub.banner(key).to_owned();
    let (password, print) = (told(&hub, "password"), told(&hub, "sha256"));
    living_home(&Api::demo(&hub).await, DEVICES).await;
    assert_eq!(hub.stop_by("INT").await, Some(0));

    let hub = Start::demo().on(folder.path()).await;
    assert_ne!(told(&hub, "password"), password);
    assert_eq!(told(&hub, "sha256"), print);
    Api::stranger(&hub).is_refused_with("demo", &password).await;
    living_home(&Api::demo(&hub).await, DEVICES).await;
    assert_eq!(hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_goes_on_without_what_its_user_deleted() {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    living_home(&api, DEVICES).await;
    api.delete("/api/v1/devices/esp8266").await;
    api.delete("/api/v1/devices/fridge").await;
    assert_eq!(hub.stop().await, Some(0));

    // The fridge may announce itself again; the one entered by hand cannot.
    let hub = Start::demo().on(folder.path()).await;
    let devices = living_home(&Api::demo(&hub).await, DEVICES - 2).await;
    assert!(devices.iter().all(|d| d["id"] != "esp8266"));
    assert_eq!(hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_made_device_gets_its_broker_user_back() {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    let (_, users) = api.get("/api/v1/broker/credentials").await;
    let users = users["items"].as_array().cloned().unwrap_or_default();
    let own = users.iter().find(|c| c["device"] == "esp8266");
    let own = own.and_then(|c| c["id"].as_str()).expect("its broker user");
    api.delete(&format!("/api/v1/broker/credentials/{own}"))
        .await;
    assert_eq!(hub.stop().await, Some(0));

    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    eventually("the hand-made device is online", || async {
        let (_, device) = api.get("/api/v1/devices/esp8266").await;
        (device["availability"] == "online").then_some(())
    })
    .await;
    assert_eq!(hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_password_is_taken() {
    let folder = folder();
    let start = Start::demo().flag("--demo-password", "correct horse battery");
    let hub = start.on(folder.path()).await;
    assert_eq!(hub.banner("password"), "correct horse battery");
    Api::demo(&hub).await;
    assert_eq!(hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_does_not_listen_beyond_this_machine() {
    let folder = folder();
    let output = run(folder.path(), &["demo", "--http-listen", "0.0.0.0:0"]).await;
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(said.contains("--http-listen"), "{said}");
}
