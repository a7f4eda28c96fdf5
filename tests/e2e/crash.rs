//! `kill -9` while commands run: what was answered is never lost, and no press runs twice.
//!
//! A few kills from fixed seeds here; `cargo xtask soak` sets
//! `IOTHOME_TEST_KILLS` for the long run.

use crate::support::api::Api;
use crate::support::device::{Device, Door};
use crate::support::hub::{Hub, Start, folder};
use crate::support::mosquitto::Mosquitto;
use crate::support::{Dice, eventually};
use iothome_store::testing::PgServer;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Kills of an ordinary run.
const KILLS: u32 = 3;

fn kills() -> u32 {
    std::env::var("IOTHOME_TEST_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(KILLS)
}

fn gate() -> Value {
    json!({"id": "gate", "name": "Gate", "entities": [
        {"id": "light", "name": "Light", "kind": "switch", "deadline_ms": 3000, "config": {
            "command_topic": "gate/light/set", "state_topic": "gate/light"}},
        {"id": "opener", "name": "Opener", "kind": "button", "deadline_ms": 3000, "config": {
            "command_topic": "gate/opener/press"}}]})
}

fn device(door: &Door) -> Device {
    Device::connect(
        door,
        "gate",
        &["gate/light/set", "gate/opener/press"],
        |told| {
            let is_light = told.topic == "gate/light/set";
            if is_light {
                vec![("gate/light".into(), told.payload.clone(), false)]
            } else {
                Vec::new()
            }
        },
    )
}

/// Ids that the hub answered for, by action.
type Answered = BTreeMap<String, String>;

/// Asks commands until the hub is gone or `limit` is over; notes each id that was answered.
async fn ask_many(api: Api, answered: &mut Answered, dice: &mut Dice, limit: Duration) {
    let end = tokio::time::Instant::now() + limit;
    while tokio::time::Instant::now() < end {
        let (entity, action) = match dice.roll(3) {
            0 => ("light", "turn_on"),
            1 => ("light", "turn_off"),
            _ => ("opener", "press"),
        };
        let path = format!("/api/v1/devices/gate/entities/{entity}/commands");
        let (status, command) = api.post(&path, json!({"action": action})).await;
        if status.is_success() {
            let id = command["id"].as_str().expect("an id").to_owned();
            answered.insert(id, action.to_owned());
        } else {
            assert!(
                status == StatusCode::TOO_MANY_REQUESTS
                    || status == StatusCode::SERVICE_UNAVAILABLE,
                "{status} {command}"
            );
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// Kills the hub again and again while commands run, then compares all that can be compared.
async fn torment(start: &Start, door_of: impl Fn(&Hub, &Value) -> Door) {
    let folder = folder();
    let mut dice = Dice(0x1077_0e5e);
    let mut answered = Answered::new();
    let mut hub = start.on(folder.path()).await;
    let mut api = Api::set_up(&hub).await;
    let (status, made) = api.post("/api/v1/devices", gate()).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let mut told = Vec::new();
    for _ in 0..kills() {
        let gate = device(&door_of(&hub, &made));
        api.wait_for_broker().await;
        let limit = Duration::from_millis(300 + dice.roll(900));
        ask_many(api, &mut answered, &mut dice, limit).await;
        hub.kill().await;
        told.extend(gate.told());
        hub = start.on(folder.path()).await;
        api = Api::stranger(&hub)
            .sign_in("adam", "correct horse battery")
            .await;
    }
    let gate = device(&door_of(&hub, &made));
    for id in answered.keys() {
        eventually(&format!("{id} has exactly one end"), || async {
            let (status, command) = api.get(&format!("/api/v1/commands/{id}")).await;
            assert_eq!(status, StatusCode::OK, "an answered command is lost: {id}");
            command["ended_at"].is_string().then_some(())
        })
        .await;
    }
    told.extend(gate.told());
    let presses: Vec<_> = told
        .iter()
        .filter(|t| t.topic == "gate/opener/press")
        .collect();
    let ids: BTreeSet<_> = presses.iter().filter_map(|t| t.command.clone()).collect();
    assert_eq!(ids.len(), presses.len(), "a press was sent twice");
    for id in &ids {
        assert_eq!(
            api.get(&format!("/api/v1/commands/{id}")).await.0,
            StatusCode::OK,
            "a press without a row: {id}"
        );
    }
    assert!(
        answered.len() as u64 > u64::from(kills()),
        "commands ran: {}",
        answered.len()
    );
    assert!(!ids.is_empty(), "presses arrived");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_hub_killed_under_load_loses_nothing_it_answered() {
    torment(&Start::serve(), |hub, made| {
        let (host, port) = hub.broker();
        let text = |key: &str| {
            made["credential"][key]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        Door {
            host,
            port,
            sha256: hub.banner("sha256").to_owned(),
            username: text("username"),
            password: text("password"),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_on_postgresql_and_mosquitto_killed_under_load_loses_nothing_it_answered() {
    let broker = Mosquitto::start(&[("hub", "hub-word"), ("gate", "gate-word")]);
    let database = PgServer::shared().new_database();
    let start = Start::serve()
        .with("DATABASE_URL", database)
        .with(
            "MQTT_URL",
            format!("mqtts://hub:hub-word@127.0.0.1:{}", broker.port),
        )
        .with("MQTT_FINGERPRINT", broker.sha256.as_str());
    torment(&start, |_, _| Door {
        host: "127.0.0.1".into(),
        port: broker.port,
        sha256: broker.sha256.clone(),
        username: "gate".into(),
        password: "gate-word".into(),
    })
    .await;
}
