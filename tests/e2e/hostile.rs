//! Bad input from devices and clients: said clearly, and nothing is lost by it.

use crate::embedded::{create, obedient, socket};
use crate::support::api::Api;
use crate::support::device::Device;
use crate::support::eventually;
use crate::support::hub::{Start, folder};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_talks_nonsense_harms_nobody_else() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let good = create(&hub, &api, socket("Good")).await;
    let bad = create(&hub, &api, json!({"name": "Bad", "entities": [
        {"id": "reading", "name": "Reading", "kind": "sensor", "config": {
            "state_topic": "iothome/bad/reading/state", "unit_of_measurement": "°C",
            "value_template": "{{ value_json.t }}"}},
        {"id": "loop", "name": "Loop", "kind": "sensor", "config": {
            "state_topic": "iothome/bad/loop/state",
            "value_template": "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}"}}
    ]})).await;
    let neighbour = obedient(&good);
    neighbour
        .report("esp8266/socket/status", "{\"relay\": 0}", false)
        .await;
    api.wait_for_state("good", "power", &json!("off")).await;

    let device = Device::connect(&bad, "bad", &[], |_| Vec::new());
    let topic = "iothome/bad/reading/state";
    let deep = "[".repeat(100_000);
    for payload in [
        b"\xff\xfe\x00".to_vec(),
        b"{\"t\": NaN}".to_vec(),
        b"{\"t\": 1e999}".to_vec(),
        b"{\"t\": {\"a\": []}}".to_vec(),
        deep.into_bytes(),
        vec![b'x'; 200_000],
        Vec::new(),
    ] {
        device.report(topic, payload, false).await;
    }
    device.report("iothome/bad/loop/state", "go", false).await;
    device
        .report(
            "homeassistant/sensor/bad/x/config",
            "{\"state_topic\": \"esp8266/socket/status\"}",
            true,
        )
        .await;
    for n in 0..2_000 {
        device
            .report(topic, format!("{{\"t\": {}}}", n % 50), false)
            .await;
    }
    device.report(topic, "{\"t\": 21.5}", false).await;
    api.wait_for_state("bad", "reading", &json!(21.5)).await;

    let command = api
        .command("good", "power", json!({"action": "turn_on"}))
        .await;
    assert_eq!(
        command["status"], "confirmed",
        "the neighbour does not notice: {command}"
    );
    let (_, new) = api.get("/api/v1/new-devices").await;
    let conflicts = new["items"].as_array().cloned().unwrap_or_default();
    assert!(
        conflicts.iter().all(|n| n["status"] == "conflict"),
        "another device's topic: {new}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_announcements_in_a_burst_leave_the_house_usable() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let good = create(&hub, &api, socket("Good")).await;
    let neighbour = obedient(&good);
    neighbour
        .report("esp8266/socket/status", "{\"relay\": 0}", false)
        .await;
    api.wait_for_state("good", "power", &json!("off")).await;
    let (_, made) = api
        .post("/api/v1/broker/credentials", json!({"name": "Flood", "device": null, "topics": [
            {"filter": "flood/#", "access": "write"}, {"filter": "homeassistant/#", "access": "write"}]}))
        .await;
    let text = |key: &str| {
        made[key]
            .as_str()
            .or_else(|| made["credential"][key].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let door = crate::support::device::Door {
        username: text("username"),
        password: text("password"),
        ..good
    };
    let flood = Device::connect(&door, "flood", &[], |_| Vec::new());
    for n in 0..10_000 {
        let config = json!({"name": "Reading", "unique_id": format!("f{n}"), "state_topic": format!("flood/{n}"),
            "device": {"identifiers": [format!("f{n}")], "name": format!("Flood {n}")}});
        flood
            .report(
                &format!("homeassistant/sensor/f{n}/reading/config"),
                config.to_string(),
                false,
            )
            .await;
    }
    let command = api
        .command("good", "power", json!({"action": "turn_on"}))
        .await;
    assert_eq!(command["status"], "confirmed", "{command}");
    eventually(
        "announcements wait, as many as the bound allows",
        || async {
            let (status, new) = api.get("/api/v1/new-devices").await;
            assert_eq!(status, StatusCode::OK);
            new["items"]
                .as_array()
                .filter(|items| items.len() >= 100)
                .map(|_| ())
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_request_is_a_problem_that_names_the_fault() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    create(&hub, &api, socket("Socket")).await;
    let commands = "/api/v1/devices/socket/entities/power/commands";
    let long = "x".repeat(5_000);
    let table: Vec<(Method, &str, Option<Value>, u16)> = vec![
        (
            Method::POST,
            commands,
            Some(json!({"action": "explode"})),
            422,
        ),
        (Method::POST, commands, Some(json!({"action": 7})), 422),
        (
            Method::POST,
            commands,
            Some(json!({"action": "turn_on", "surprise": 1})),
            422,
        ),
        (Method::POST, commands, Some(json!([])), 422),
        (Method::POST, commands, Some(json!({"action": "open"})), 422),
        (
            Method::POST,
            "/api/v1/devices/socket/entities/nothing/commands",
            Some(json!({"action": "turn_on"})),
            404,
        ),
        (
            Method::POST,
            "/api/v1/devices/nothing/entities/power/commands",
            Some(json!({"action": "turn_on"})),
            404,
        ),
        (
            Method::POST,
            "/api/v1/devices",
            Some(json!({"name": long, "entities": []})),
            422,
        ),
        (
            Method::POST,
            "/api/v1/devices",
            Some(json!({"name": "", "entities": []})),
            422,
        ),
        (
            Method::PATCH,
            "/api/v1/devices/socket",
            Some(json!({"colour": "red"})),
            422,
        ),
        (Method::GET, "/api/v1/devices/UPPER%20CASE", None, 404),
        (Method::GET, "/api/v1/commands/not-a-uuid", None, 404),
        (Method::GET, "/api/v1/nothing", None, 404),
        (Method::PUT, "/api/v1/devices", Some(json!({})), 405),
    ];
    for (method, path, body, expected) in table {
        let (status, problem) = api.request(method.clone(), path, body.as_ref()).await;
        let shown = format!(
            "{method} {path} {}: {status} {problem}",
            body.map_or(String::new(), |b| b.to_string().chars().take(80).collect())
        );
        assert!(status.is_client_error(), "{shown}");
        // 400 and 422 are both "your body is wrong"; which one is the parser's business.
        let same =
            status.as_u16() == expected || (expected == 422 && status == StatusCode::BAD_REQUEST);
        assert!(same, "expected {expected}: {shown}");
        assert!(
            problem["title"].is_string() && problem["status"] == status.as_u16(),
            "{shown}"
        );
    }
}
