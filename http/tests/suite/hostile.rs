//! Bad input: a problem document each, never a 500.

use crate::common::{Answer, TestHouse, assert_problem, read};
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

async fn send(house: &TestHouse, method: &str, path: &str, token: &str) -> Answer {
    let method: Method = method.parse().unwrap();
    house.send(method, path, Some(token), None).await
}

async fn house_with_socket() -> (TestHouse, String) {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    (house, admin)
}

/// Body, status, field ("" for none).
type Body = (&'static str, u16, &'static str);

const COMMAND_BODIES: [Body; 14] = [
    ("", 400, ""),
    ("{", 400, ""),
    ("not json", 400, ""),
    ("\u{0}", 400, ""),
    (r#"{"action":"set","value":NaN}"#, 400, ""),
    (r#"{"action":"set","value":1e999}"#, 422, "value"),
    ("[]", 422, "body"),
    ("null", 422, "body"),
    ("{}", 422, "action"),
    (r#"{"action":7}"#, 422, "action"),
    (r#"{"action":"explode"}"#, 422, "action"),
    (r#"{"action":"turn_on","extra":1}"#, 422, "extra"),
    (r#"{"action":"press"}"#, 422, "action"),
    (r#"{"action":"open"}"#, 422, "action"),
];

const DEVICE_BODIES: [Body; 5] = [
    (r#"{"name":""}"#, 422, "name"),
    (r#"{"name":"x","id":"Not An Id"}"#, 422, "id"),
    (r#"{"name":"x","id":"socket"}"#, 409, "id"),
    (
        r#"{"name":"x","entities":[{"kind":"toaster","config":{}}]}"#,
        422,
        "entities[0].kind",
    ),
    (
        r#"{"name":"x","entities":[{"kind":"switch","config":[]}]}"#,
        422,
        "entities[0].config",
    ),
];

const DEVICE_CHANGES: [Body; 3] = [
    (r#"{"name":7}"#, 422, "name"),
    (r#"{"colour":"red"}"#, 422, "colour"),
    (
        r#"{"entities":{"power":{"size":1}}}"#,
        422,
        "entities.power.size",
    ),
];

const USER_BODIES: [Body; 3] = [
    (r#"{"username":"eve"}"#, 422, "password"),
    (r#"{"username":"eve","password":"short"}"#, 422, "password"),
    (
        r#"{"username":"eve","password":"long enough","role":"king"}"#,
        422,
        "role",
    ),
];

const LOGIN_BODIES: [Body; 2] = [
    (r#"{"username":"adam"}"#, 422, "password"),
    (r#"{"username":1,"password":"x"}"#, 422, "username"),
];

const REFRESH_BODIES: [Body; 1] = [(r#"{"refresh_token":null}"#, 422, "refresh_token")];

const CREDENTIAL_BODIES: [Body; 2] = [
    (r#"{"name":"x","device":"A B"}"#, 422, "device"),
    (
        r##"{"name":"x","topics":[{"filter":"a/#","access":"own"}]}"##,
        422,
        "topics[0].access",
    ),
];

const ROUTES: [(&str, &str, &[Body]); 7] = [
    ("POST", SWITCH, &COMMAND_BODIES),
    ("POST", "/api/v1/devices", &DEVICE_BODIES),
    ("PATCH", "/api/v1/devices/socket", &DEVICE_CHANGES),
    ("POST", "/api/v1/users", &USER_BODIES),
    ("POST", "/api/v1/auth/login", &LOGIN_BODIES),
    ("POST", "/api/v1/auth/refresh", &REFRESH_BODIES),
    ("POST", "/api/v1/broker/credentials", &CREDENTIAL_BODIES),
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_are_refused_and_the_field_is_named() {
    let (house, admin) = house_with_socket().await;
    for (method, path, bodies) in ROUTES {
        for (body, status, field) in bodies {
            let answer = raw(&house, method, path, &admin, body.as_bytes()).await;
            let what = format!("{method} {path} {body}");
            let problem = assert_problem(&answer, *status, &what);
            if !field.is_empty() {
                assert_eq!(problem["field"], *field, "{what}: {problem}");
            }
        }
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_deep_too_long_or_no_text_are_refused() {
    let (house, admin) = house_with_socket().await;
    let deep = format!(r#"{{"action":"set","value":{}"#, "[".repeat(5_000));
    let answer = raw(&house, "POST", SWITCH, &admin, deep.as_bytes()).await;
    assert_problem(&answer, 400, "deep");
    let closed = format!("{deep}{}}}", "]".repeat(5_000));
    let answer = raw(&house, "POST", SWITCH, &admin, closed.as_bytes()).await;
    assert_problem(&answer, 422, "deep, but well-formed");
    let answer = raw(&house, "POST", SWITCH, &admin, b"{\"action\":\"\xff\"}").await;
    assert!(answer.status.is_client_error(), "not UTF-8");
    let long = "x".repeat(300);
    for (path, field, body) in [
        (
            "/api/v1/users",
            "username",
            json!({"username": long, "password": "long enough"}),
        ),
        ("/api/v1/devices", "name", json!({"name": long})),
    ] {
        let answer = house.post(path, &admin, body).await;
        assert_eq!(assert_problem(&answer, 422, path)["field"], field);
    }
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

const NOBODY: &str = "0190a0a0-0000-7000-8000-000000000000";
const HISTORY: &str = "/api/v1/devices/socket/entities/power/history";

const ADDRESSES: [(&str, &str, u16); 23] = [
    ("GET", "/api/v1/devices/nothing", 404),
    ("GET", "/api/v1/devices/Not%20An%20Id", 404),
    ("GET", "/api/v1/devices/%00", 404),
    ("GET", "/api/v1/devices/..%2F..%2Fetc", 404),
    (
        "GET",
        "/api/v1/devices/socket/entities/nothing/history",
        404,
    ),
    ("GET", "/api/v1/commands/not-a-uuid", 404),
    ("POST", "/api/v1/new-devices/nothing/ignore", 404),
    ("GET", "/api", 404),
    ("GET", "/api/v1/", 404),
    ("GET", "/api/v2/devices", 404),
    ("GET", "/api/v1/devices?limit=0", 400),
    ("GET", "/api/v1/devices?limit=99999", 400),
    ("GET", "/api/v1/devices?limit=-1", 400),
    ("GET", "/api/v1/devices?colour=red", 400),
    ("GET", "/api/v1/users?after=x", 400),
    ("GET", "/api/v1/devices/socket/commands?before=x", 400),
    ("GET", "/api/v1/devices/socket/commands?limit=x", 400),
    ("DELETE", "/api/v1/devices", 405),
    ("PUT", "/api/v1/devices/socket", 405),
    ("GET", "/api/v1/auth/login", 405),
    ("HEAD", "/api/v1/events", 405),
    ("TRACE", "/api/v1/devices", 405),
    ("BREW", "/api/v1/devices", 405),
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_addresses_and_methods_are_refused() {
    let (house, admin) = house_with_socket().await;
    for (method, path, status) in ADDRESSES {
        let answer = send(&house, method, path, &admin).await;
        let what = format!("{method} {path}");
        if method == "HEAD" {
            assert_eq!(answer.status, status, "{what}");
        } else {
            assert_problem(&answer, status, &what);
        }
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
async fn ids_of_nobody_and_nothing_are_not_found() {
    let (house, admin) = house_with_socket().await;
    let long = "x".repeat(2_000);
    for (method, path) in [
        ("GET", format!("/api/v1/devices/{long}")),
        ("GET", format!("/api/v1/commands/{NOBODY}")),
        ("GET", format!("/api/v1/users/{NOBODY}")),
        ("DELETE", format!("/api/v1/users/{NOBODY}")),
        ("DELETE", format!("/api/v1/devices/socket/grants/{NOBODY}")),
        ("DELETE", format!("/api/v1/broker/credentials/{NOBODY}")),
        (
            "POST",
            format!("/api/v1/broker/credentials/{NOBODY}/rotate"),
        ),
    ] {
        let answer = send(&house, method, &path, &admin).await;
        assert_problem(&answer, 404, &path[..60.min(path.len())]);
    }
    let path = format!("/api/v1/devices/socket/grants/{NOBODY}");
    let answer = house.put(&path, &admin, json!({"rights": ["view"]})).await;
    assert_problem(&answer, 404, "a grant for nobody");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_refuses_what_it_cannot_tell() {
    let (house, admin) = house_with_socket().await;
    for (query, status, field) in [
        ("from=yesterday", 400, "from"),
        ("resolution=2d", 400, "resolution"),
        ("resolution=5m", 422, "resolution"),
        ("after=x", 400, "after"),
        ("colour=red", 400, "colour"),
    ] {
        let answer = house.get(&format!("{HISTORY}?{query}"), &admin).await;
        let problem = assert_problem(&answer, status, query);
        assert_eq!(problem["field"], field, "{query}");
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
