//! The embedded hub: SQLite and its own broker, as a household starts it.

use crate::support::api::Api;
use crate::support::device::{Device, Door};
use crate::support::eventually;
use crate::support::hub::{Hub, Start, folder};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// A hand-made socket in the style of old firmware: `1`/`0`, and a JSON status.
pub(crate) fn socket(name: &str) -> Value {
    json!({"name": name, "room": "Workshop", "entities": [
        {"id": "power", "name": "Power", "kind": "switch", "config": {
            "command_topic": "esp8266/socket", "payload_on": "1", "payload_off": "0",
            "state_topic": "esp8266/socket/status", "value_template": "{{ value_json.relay }}",
            "state_on": "1", "state_off": "0"}}]})
}

/// Makes a device by REST; gives its door to the broker.
pub(crate) async fn create(hub: &Hub, api: &Api, body: Value) -> Door {
    let (status, made) = api.post("/api/v1/devices", body).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let (host, port) = hub.broker();
    Door {
        host,
        port,
        sha256: hub.banner("sha256").to_owned(),
        username: made["credential"]["username"]
            .as_str()
            .expect("a user name")
            .to_owned(),
        password: made["credential"]["password"]
            .as_str()
            .expect("a password")
            .to_owned(),
    }
}

/// The socket's firmware: does what it is told and says so.
pub(crate) fn obedient(door: &Door) -> Device {
    Device::connect(door, "esp8266-socket", &["esp8266/socket"], |told| {
        vec![(
            "esp8266/socket/status".into(),
            format!("{{\"relay\": {}}}", told.payload),
            false,
        )]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_sets_up_adds_a_socket_by_hand_and_switches_it() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let door = create(&hub, &api, socket("Socket")).await;
    let device = obedient(&door);
    device
        .report("esp8266/socket/status", "{\"relay\": 0}", false)
        .await;
    api.wait_for_state("socket", "power", &json!("off")).await;

    let command = api
        .command("socket", "power", json!({"action": "turn_on"}))
        .await;
    assert_eq!(command["status"], "confirmed", "{command}");
    assert!(
        command["latency_ms"].as_f64().is_some_and(|ms| ms > 0.0),
        "{command}"
    );
    assert_eq!(command["cause"]["name"], "adam", "{command}");
    let told = device.told();
    assert_eq!(told.len(), 1, "told once: {told:?}");
    assert_eq!(told[0].payload, "1");
    assert_eq!(
        told[0].command.as_deref(),
        command["id"].as_str(),
        "the id travels as correlation data"
    );
    assert!(
        !told[0].retained && told[0].expiry_s.is_some_and(|s| (1..=5).contains(&s)),
        "{told:?}"
    );

    let entity = api.entity("socket", "power").await;
    assert_eq!(
        (&entity["state"], &entity["freshness"]),
        (&json!("on"), &json!("live"))
    );
    let (status, found) = api
        .get(&format!(
            "/api/v1/commands/{}",
            command["id"].as_str().unwrap_or("")
        ))
        .await;
    assert_eq!(
        (status, &found["status"]),
        (StatusCode::OK, &json!("confirmed"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_nobody_confirms_times_out_and_the_last_true_state_stays() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let mut body = socket("Socket");
    body["entities"][0]["deadline_ms"] = json!(1000);
    let door = create(&hub, &api, body).await;
    let deaf = Device::connect(&door, "deaf", &["esp8266/socket"], |_| Vec::new());
    deaf.report("esp8266/socket/status", "{\"relay\": 0}", false)
        .await;
    api.wait_for_state("socket", "power", &json!("off")).await;

    let command = api
        .command("socket", "power", json!({"action": "turn_on"}))
        .await;
    assert_eq!(command["status"], "timed_out", "{command}");
    let entity = api.entity("socket", "power").await;
    assert_eq!(
        (&entity["state"], &entity["pending"]),
        (&json!("off"), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_lamp_waits_until_it_is_accepted_and_says_when_it_is_away() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let (status, made) = api
        .post(
            "/api/v1/broker/credentials",
            json!({"name": "Bridge", "device": null, "topics": [
            {"filter": "bridge/#", "access": "write"}, {"filter": "bridge/+/set", "access": "read"},
            {"filter": "homeassistant/#", "access": "write"}]}),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let (host, port) = hub.broker();
    let text = |key: &str| {
        made[key]
            .as_str()
            .or_else(|| made["credential"][key].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let door = Door {
        host,
        port,
        sha256: hub.banner("sha256").to_owned(),
        username: text("username"),
        password: text("password"),
    };
    let bridge = Device::connect(&door, "bridge", &["bridge/lamp/set"], |told| {
        vec![("bridge/lamp".into(), told.payload.clone(), false)]
    });
    let config = json!({"name": null, "unique_id": "lamp-1", "schema": "json", "brightness": true,
        "state_topic": "bridge/lamp", "command_topic": "bridge/lamp/set",
        "availability": [{"topic": "bridge/lamp/availability"}],
        "device": {"identifiers": ["lamp-1"], "name": "Desk lamp"}});
    bridge
        .report(
            "homeassistant/light/lamp-1/light/config",
            config.to_string(),
            true,
        )
        .await;

    let waiting = eventually("the lamp waits", || async {
        let (_, new) = api.get("/api/v1/new-devices").await;
        new["items"]
            .as_array()
            .and_then(|items| items.first().cloned())
    })
    .await;
    assert_eq!(waiting["name"], "Desk lamp", "{waiting}");
    let (_, devices) = api.get("/api/v1/devices").await;
    assert_eq!(
        devices["items"],
        json!([]),
        "not a device before it is accepted"
    );

    let path = format!(
        "/api/v1/new-devices/{}/accept",
        waiting["id"].as_str().unwrap_or("")
    );
    let (status, lamp) = api
        .post(&path, json!({"name": "Desk lamp", "room": "Study"}))
        .await;
    assert!(status.is_success(), "{status} {lamp}");
    let entity = lamp["entities"][0]["id"]
        .as_str()
        .expect("an entity")
        .to_owned();
    bridge
        .report("bridge/lamp/availability", "online", true)
        .await;
    eventually("the lamp is online", || async {
        (api.entity("desk-lamp", &entity).await["availability"] == "online").then_some(())
    })
    .await;
    let command = api
        .command(
            "desk-lamp",
            &entity,
            json!({"action": "set", "value": {"brightness": 40}}),
        )
        .await;
    assert_eq!(command["status"], "confirmed", "{command}");
    assert_eq!(
        api.entity("desk-lamp", &entity).await["attributes"]["brightness"],
        40
    );

    bridge
        .report("bridge/lamp/availability", "offline", true)
        .await;
    eventually("the lamp is away", || async {
        (api.entity("desk-lamp", &entity).await["availability"] == "offline").then_some(())
    })
    .await;
    let command = api
        .command("desk-lamp", &entity, json!({"action": "turn_off"}))
        .await;
    assert_eq!(
        (&command["status"], &command["reason"]),
        (&json!("unavailable"), &json!("device_offline"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_devices_users_states_and_the_fingerprint() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let door = create(&hub, &api, socket("Socket")).await;
    let device = obedient(&door);
    device
        .report("esp8266/socket/status", "{\"relay\": 1}", false)
        .await;
    api.wait_for_state("socket", "power", &json!("on")).await;
    drop(device);
    let sha256 = hub.banner("sha256").to_owned();
    assert_eq!(hub.stop().await, Some(0), "it ends in good order");

    let hub = Start::serve().on(folder.path()).await;
    assert_eq!(hub.banner("sha256"), sha256, "firmware pins it");
    let api = Api::stranger(&hub)
        .sign_in("adam", "correct horse battery")
        .await;
    let entity = api.entity("socket", "power").await;
    assert_eq!(
        (&entity["state"], &entity["freshness"]),
        (&json!("on"), &json!("restored"))
    );
    let device = obedient(&Door {
        port: hub.broker().1,
        ..door
    });
    eventually("the device is back", || async {
        let command = api
            .command("socket", "power", json!({"action": "turn_off"}))
            .await;
        (command["status"] == "confirmed").then_some(())
    })
    .await;
    drop(device);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_may_touch_only_its_own_topics_and_is_cut_off_when_deleted() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let one = create(&hub, &api, json!({"name": "One", "entities": []})).await;
    let two = create(&hub, &api, json!({"name": "Two", "entities": []})).await;
    let spy = Device::connect(
        &one,
        "spy",
        &["iothome/two/+/set", "iothome/one/+/set", "#"],
        |_| Vec::new(),
    );
    let victim = Device::connect(&two, "victim", &["iothome/two/+/set"], |_| Vec::new());
    // What is refused cannot be waited for; what is allowed comes after it and can.
    spy.report("iothome/two/x/set", "foreign", false).await;
    victim.report("iothome/two/y/state", "own", false).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(
        victim.told().is_empty(),
        "a foreign topic was written: {:?}",
        victim.told()
    );
    assert!(
        spy.told().is_empty(),
        "a foreign topic was read: {:?}",
        spy.told()
    );

    let (status, _) = api
        .request(reqwest::Method::DELETE, "/api/v1/devices/one", None)
        .await;
    assert!(status.is_success(), "{status}");
    eventually(
        "the deleted device is cut off and not let in again",
        || async { (spy.failures() >= 3).then_some(()) },
    )
    .await;
    assert_eq!(victim.failures(), 0, "the other one does not notice");
}
