//! The demo, as a newcomer meets it.

use crate::support::{Running, folder, run, stderr};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn devices(answer: &Value) -> &[Value] {
    answer["items"].as_array().map_or(&[], Vec::as_slice)
}

#[tokio::test]
async fn the_demo_is_a_living_home() {
    let (_dir, home) = folder();
    let hub = Running::start(&home, &["demo"]).await;
    let token = hub.sign_in(hub.told("user"), hub.told("password")).await;
    let token = token.expect("the password on the banner is right");

    let all_online = |answer: &Value| {
        let all = devices(answer);
        let away = |d: &&Value| d["availability"] != "online";
        all.len() >= 10 && all.iter().filter(away).count() == 0
    };
    let answer = hub.until(&token, "/api/v1/devices", all_online).await;
    let all = devices(&answer);
    let rooms: BTreeSet<&str> = all.iter().filter_map(|d| d["room"].as_str()).collect();
    assert_eq!(rooms.len(), 4, "{rooms:?}");
    assert!(
        all.iter().any(|d| d["id"] == "esp8266"),
        "the one entered by hand"
    );
    let waiting = hub.get(&token, "/api/v1/new-devices").await;
    let waiting = serde_json::to_string(&waiting).unwrap();
    assert!(waiting.contains("Smoke detector"), "{waiting}");

    for device in ["coffee", "esp8266"] {
        let switch = switch_of(&hub, &token, device).await;
        let path = format!("/api/v1/devices/{device}/entities/{switch}/commands?wait=10s");
        let ended = hub
            .post(&token, &path, json!({ "action": "turn_on" }))
            .await;
        assert_eq!(ended["status"], "confirmed", "{ended}");
    }
    assert!(hub.stop("TERM").await.success());
}

/// Ids of entities follow from what devices announce, so they are looked up by kind.
async fn switch_of(hub: &Running, token: &str, device: &str) -> String {
    let device = hub.get(token, &format!("/api/v1/devices/{device}")).await;
    let entities = device["entities"].as_array().unwrap();
    let switch = entities.iter().find(|e| e["kind"] == "switch").unwrap();
    switch["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_start_has_a_new_password_and_the_same_home() {
    let (_dir, home) = folder();
    let hub = Running::start(&home, &["demo"]).await;
    let first = (
        hub.told("password").to_owned(),
        hub.told("sha256").to_owned(),
    );
    let token = hub.sign_in("demo", &first.0).await.unwrap();
    let complete = |answer: &Value| devices(answer).len() >= 10;
    hub.until(&token, "/api/v1/devices", complete).await;
    assert!(hub.stop("INT").await.success());

    let hub = Running::start(&home, &["demo"]).await;
    assert_ne!(hub.told("password"), first.0);
    assert_eq!(hub.told("sha256"), first.1);
    assert_eq!(hub.sign_in("demo", &first.0).await, None);
    let token = hub.sign_in("demo", hub.told("password")).await.unwrap();
    let back = |answer: &Value| {
        let online = |d: &&Value| d["availability"] == "online";
        devices(answer).iter().filter(online).count() >= 10
    };
    hub.until(&token, "/api/v1/devices", back).await;
    assert!(hub.stop("TERM").await.success());
}

#[tokio::test]
async fn a_demo_goes_on_without_what_its_user_deleted() {
    let (_dir, home) = folder();
    let hub = Running::start(&home, &["demo"]).await;
    let token = hub.sign_in("demo", hub.told("password")).await.unwrap();
    let complete = |answer: &Value| devices(answer).len() >= 10;
    hub.until(&token, "/api/v1/devices", complete).await;
    hub.delete(&token, "/api/v1/devices/esp8266").await;
    hub.delete(&token, "/api/v1/devices/fridge").await;
    assert!(hub.stop("TERM").await.success());

    let hub = Running::start(&home, &["demo"]).await;
    let token = hub.sign_in("demo", hub.told("password")).await.unwrap();
    let back = |answer: &Value| {
        let online = |d: &&Value| d["availability"] == "online";
        devices(answer).iter().filter(online).count() >= 8
    };
    let answer = hub.until(&token, "/api/v1/devices", back).await;
    assert!(devices(&answer).iter().all(|d| d["id"] != "esp8266"));
    assert!(hub.stop("TERM").await.success());
}

#[tokio::test]
async fn a_hand_made_device_gets_its_broker_user_back() {
    let (_dir, home) = folder();
    let hub = Running::start(&home, &["demo"]).await;
    let token = hub.sign_in("demo", hub.told("password")).await.unwrap();
    let users = hub.get(&token, "/api/v1/broker/credentials").await;
    let own = devices(&users).iter().find(|c| c["device"] == "esp8266");
    let own = own.and_then(|c| c["id"].as_str()).unwrap();
    let path = format!("/api/v1/broker/credentials/{own}");
    hub.delete(&token, &path).await;
    assert!(hub.stop("TERM").await.success());

    let hub = Running::start(&home, &["demo"]).await;
    let token = hub.sign_in("demo", hub.told("password")).await.unwrap();
    let online = |device: &Value| device["availability"] == "online";
    hub.until(&token, "/api/v1/devices/esp8266", online).await;
    assert!(hub.stop("TERM").await.success());
}

#[tokio::test]
async fn a_given_password_is_taken() {
    let (_dir, home) = folder();
    let arguments = ["demo", "--demo-password", "correct horse battery"];
    let hub = Running::start(&home, &arguments).await;
    assert_eq!(hub.told("password"), "correct horse battery");
    assert!(hub.sign_in("demo", "correct horse battery").await.is_some());
    assert!(hub.stop("TERM").await.success());
}

#[tokio::test]
async fn the_demo_does_not_listen_beyond_this_machine() {
    let (_dir, home) = folder();
    let output = run(&home, &["demo", "--http-listen", "0.0.0.0:0"]).await;
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("--http-listen"),
        "{}",
        stderr(&output)
    );
}
