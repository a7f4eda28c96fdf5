//! Bad input: a problem document each, never a 500.

#![allow(clippy::unwrap_used, reason = "a test may fail here")]

mod common;

use common::{Answer, TestHouse, assert_problem, read};
use reqwest::Method;
use serde_json::json;

const SWITCH: &str = "/api/v1/devices/socket/entities/power/commands";

/// Sends raw bytes as JSON.
async fn raw(house: &TestHouse, method: &str, path: &str, token: &str, body: &[u8]) -> Answer {
    let request = house
        .request(method.parse::<Method>().unwrap(), path)
        .bearer_auth(token)
        .header("content-type", "application/json")
        .body(body.to_vec());
    read(request.send().await.unwrap()).await
}

async fn house_with_socket() -> (TestHouse, String) {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    (house, admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_are_refused_and_the_field_is_named() {
    let (house, admin) = house_with_socket().await;
    let deep = format!(r#"{{"action":"set","value":{}"#, "[".repeat(5_000));
    let long = "x".repeat(300);
    // Method, path, body, status, field ("" for none).
    let table: Vec<(&str, &str, String, u16, &str)> = vec![
        ("POST", SWITCH, String::new(), 400, ""),
        ("POST", SWITCH, "{".into(), 400, ""),
        ("POST", SWITCH, "not json".into(), 400, ""),
        ("POST", SWITCH, "\u{0}".into(), 400, ""),
        ("POST", SWITCH, deep, 400, ""),
        (
            "POST",
            SWITCH,
            r#"{"action":"set","value":1e999}"#.into(),
            422,
            "value",
        ),
        (
            "POST",
            SWITCH,
            r#"{"action":"set","value":NaN}"#.into(),
            400,
            "",
        ),
        ("POST", SWITCH, "[]".into(), 422, "body"),
        ("POST", SWITCH, "null".into(), 422, "body"),
        ("POST", SWITCH, "{}".into(), 422, "action"),
        ("POST", SWITCH, r#"{"action":7}"#.into(), 422, "action"),
        (
            "POST",
            SWITCH,
            r#"{"action":"explode"}"#.into(),
            422,
            "action",
        ),
        (
            "POST",
            SWITCH,
            r#"{"action":"turn_on","extra":1}"#.into(),
            422,
            "extra",
        ),
        (
            "POST",
            SWITCH,
            r#"{"action":"press"}"#.into(),
            422,
            "action",
        ),
        ("POST", SWITCH, r#"{"action":"open"}"#.into(), 422, "action"),
        (
            "POST",
            "/api/v1/auth/login",
            r#"{"username":"adam"}"#.into(),
            422,
            "password",
        ),
        (
            "POST",
            "/api/v1/auth/login",
            r#"{"username":1,"password":"x"}"#.into(),
            422,
            "username",
        ),
        (
            "POST",
            "/api/v1/auth/refresh",
            r#"{"refresh_token":null}"#.into(),
            422,
            "refresh_token",
        ),
        (
            "POST",
            "/api/v1/users",
            r#"{"name":"eve"}"#.into(),
            422,
            "password",
        ),
        (
            "POST",
            "/api/v1/users",
            r#"{"name":"eve","password":"short"}"#.into(),
            422,
            "password",
        ),
        (
            "POST",
            "/api/v1/users",
            format!(r#"{{"name":"{long}","password":"long enough"}}"#),
            422,
            "name",
        ),
        (
            "POST",
            "/api/v1/users",
            r#"{"name":"eve","password":"long enough","role":"king"}"#.into(),
            422,
            "role",
        ),
        (
            "POST",
            "/api/v1/devices",
            r#"{"name":""}"#.into(),
            422,
            "name",
        ),
        (
            "POST",
            "/api/v1/devices",
            format!(r#"{{"name":"{long}"}}"#),
            422,
            "name",
        ),
        (
            "POST",
            "/api/v1/devices",
            r#"{"name":"x","id":"Not An Id"}"#.into(),
            422,
            "id",
        ),
        (
            "POST",
            "/api/v1/devices",
            r#"{"name":"x","id":"socket"}"#.into(),
            409,
            "id",
        ),
        (
            "POST",
            "/api/v1/devices",
            r#"{"name":"x","entities":[{"kind":"toaster","config":{}}]}"#.into(),
            422,
            "entities[0].kind",
        ),
        (
            "POST",
            "/api/v1/devices",
            r#"{"name":"x","entities":[{"kind":"switch","config":[]}]}"#.into(),
            422,
            "entities[0].config",
        ),
        (
            "PATCH",
            "/api/v1/devices/socket",
            r#"{"name":7}"#.into(),
            422,
            "name",
        ),
        (
            "PATCH",
            "/api/v1/devices/socket",
            r#"{"colour":"red"}"#.into(),
            422,
            "colour",
        ),
        (
            "PATCH",
            "/api/v1/devices/socket",
            r#"{"entities":{"power":{"size":1}}}"#.into(),
            422,
            "entities.power.size",
        ),
        (
            "POST",
            "/api/v1/broker/credentials",
            r#"{"name":"x","device":"A B"}"#.into(),
            422,
            "device",
        ),
        (
            "POST",
            "/api/v1/broker/credentials",
            r##"{"name":"x","topics":[{"filter":"a/#","access":"own"}]}"##.into(),
            422,
            "topics[0].access",
        ),
    ];
    for (method, path, body, status, field) in table {
        let answer = raw(&house, method, path, &admin, body.as_bytes()).await;
        let what = format!(
            "{method} {path} {}",
            body.chars().take(80).collect::<String>()
        );
        let problem = assert_problem(&answer, status, &what);
        if !field.is_empty() {
            assert_eq!(problem["field"], field, "{what}: {problem}");
        }
    }
    let not_utf8 = raw(&house, "POST", SWITCH, &admin, b"{\"action\":\"\xff\"}").await;
    assert!(not_utf8.status.is_client_error());
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_made_configuration_with_a_mistake_is_refused_with_the_key() {
    let (house, admin) = house_with_socket().await;
    for (config, key) in [
        (json!({}), "command_topic"),
        (json!({"command_topic": "a/#"}), "command_topic"),
        (
            json!({"command_topic": "a", "state_topik": "b"}),
            "state_topik",
        ),
        (
            json!({"command_topic": "a", "value_template": "{{ broken"}),
            "value_template",
        ),
        (json!({"command_topic": {}}), "command_topic"),
    ] {
        let body = json!({"name": "x", "entities": [{"kind": "switch", "config": config}]});
        let answer = house.post("/api/v1/devices", &admin, body).await;
        let problem = assert_problem(&answer, 422, &config.to_string());
        let field = problem["field"].as_str().unwrap();
        assert!(field.ends_with(key), "{config}: {problem}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_addresses_and_methods_are_refused() {
    let (house, admin) = house_with_socket().await;
    let long = "x".repeat(2_000);
    let uuid = "0190a0a0-0000-7000-8000-000000000000";
    let table: Vec<(&str, String, u16)> = vec![
        ("GET", "/api/v1/devices/nothing".into(), 404),
        ("GET", "/api/v1/devices/Not%20An%20Id".into(), 404),
        ("GET", format!("/api/v1/devices/{long}"), 404),
        ("GET", "/api/v1/devices/%00".into(), 404),
        ("GET", "/api/v1/devices/..%2F..%2Fetc".into(), 404),
        (
            "GET",
            "/api/v1/devices/socket/entities/nothing/history".into(),
            404,
        ),
        ("GET", "/api/v1/commands/not-a-uuid".into(), 404),
        ("GET", format!("/api/v1/commands/{uuid}"), 404),
        ("GET", format!("/api/v1/users/{uuid}"), 404),
        ("DELETE", format!("/api/v1/users/{uuid}"), 404),
        (
            "DELETE",
            format!("/api/v1/devices/socket/grants/{uuid}"),
            404,
        ),
        ("DELETE", format!("/api/v1/broker/credentials/{uuid}"), 404),
        ("POST", "/api/v1/new-devices/nothing/ignore".into(), 404),
        ("GET", "/api".into(), 404),
        ("GET", "/api/v1/".into(), 404),
        ("GET", "/api/v2/devices".into(), 404),
        ("GET", "/api/v1/devices?limit=0".into(), 400),
        ("GET", "/api/v1/devices?limit=99999".into(), 400),
        ("GET", "/api/v1/devices?limit=-1".into(), 400),
        ("GET", "/api/v1/devices?colour=red".into(), 400),
        ("GET", "/api/v1/users?after=x".into(), 400),
        (
            "GET",
            "/api/v1/devices/socket/commands?before=x".into(),
            400,
        ),
        (
            "GET",
            "/api/v1/devices/socket/entities/power/history?from=yesterday".into(),
            400,
        ),
        (
            "GET",
            "/api/v1/devices/socket/entities/power/history?resolution=2d".into(),
            400,
        ),
        (
            "GET",
            "/api/v1/devices/socket/entities/power/history?resolution=5m".into(),
            422,
        ),
        ("DELETE", "/api/v1/devices".into(), 405),
        ("PUT", "/api/v1/devices/socket".into(), 405),
        ("GET", "/api/v1/auth/login".into(), 405),
        ("TRACE", "/api/v1/devices".into(), 405),
        ("BREW", "/api/v1/devices".into(), 405),
    ];
    for (method, path, status) in table {
        let method: Method = method.parse().unwrap();
        let answer = house.send(method.clone(), &path, Some(&admin), None).await;
        let what: String = format!("{method} {path}").chars().take(100).collect();
        assert_problem(&answer, status, &what);
        if status == 405 {
            assert!(
                !answer.header("allow").is_empty(),
                "{what} names what it takes"
            );
        }
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_large_or_of_another_kind_are_refused() {
    let (house, admin) = house_with_socket().await;
    let huge = vec![b' '; 2 * 1024 * 1024];
    let declared = raw(&house, "POST", SWITCH, &admin, &huge).await;
    assert_problem(&declared, 413, "declared as huge");
    let chunks =
        futures_util::stream::iter((0..64).map(|_| Ok::<_, std::io::Error>(vec![b' '; 65_536])));
    let request = house
        .request(Method::POST, SWITCH)
        .bearer_auth(&admin)
        .header("content-type", "application/json")
        .body(reqwest::Body::wrap_stream(chunks));
    // The server may close before all is sent; if it answers, it says so.
    if let Ok(response) = request.send().await {
        assert_problem(&read(response).await, 413, "huge in pieces");
    }
    let form = house
        .request(Method::POST, SWITCH)
        .bearer_auth(&admin)
        .form(&[("action", "turn_on")]);
    assert_problem(&read(form.send().await.unwrap()).await, 415, "a form");
    house.stop().await;
}
