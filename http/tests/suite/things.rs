//! Devices, users and credentials over REST: making, changing, taking away.

use crate::common::device::publish_retained;
use crate::common::{Answer, TestHouse, assert_problem, read, until};
use reqwest::Method;
use serde_json::{Value, json};

async fn patch_if(house: &TestHouse, path: &str, token: &str, tag: &str, body: Value) -> Answer {
    let request = house
        .request(Method::PATCH, path)
        .bearer_auth(token)
        .header("if-match", tag)
        .header("content-type", "application/merge-patch+json")
        .body(body.to_string());
    read(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_entered_read_changed_and_deleted() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let body = json!({"name": "Old socket", "room": "Hall", "entities": [{
        "kind": "switch",
        "config": {"command_topic": "esp8266/socket", "state_topic": "esp8266/socket/status",
            "payload_on": "1", "payload_off": "0", "value_template": "{{ value_json.on }}"},
    }]});
    let made = house.post("/api/v1/devices", &admin, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let device = made.json();
    assert_eq!(device["id"], "old-socket");
    assert_eq!(device["broker_managed_by"], "embedded");
    assert!(device["credential"]["password"].as_str().unwrap().len() >= 22);
    assert_eq!(made.header("location"), "/api/v1/devices/old-socket");
    let path = "/api/v1/devices/old-socket";
    let read = house.get(path, &admin).await;
    assert!(!read.text.contains("password"), "it is told once");
    let entity = &read.json()["entities"][0];
    assert_eq!(entity["actions"], json!(["turn_on", "turn_off", "toggle"]));
    assert_eq!(
        (&entity["state"], &entity["freshness"]),
        (&Value::Null, &json!("never"))
    );
    let tag = read.header("etag").to_owned();
    let changed = patch_if(
        &house,
        path,
        &admin,
        &tag,
        json!({"name": "Socket", "room": null}),
    )
    .await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(
        (&changed.json()["name"], &changed.json()["room"]),
        (&json!("Socket"), &Value::Null)
    );
    assert_ne!(changed.header("etag"), tag);
    let stale = patch_if(&house, path, &admin, &tag, json!({"name": "Again"})).await;
    assert_problem(&stale, 412, "a stale tag");
    let strange = patch_if(&house, path, &admin, "W/\"x\"", json!({"name": "Again"})).await;
    assert_problem(&strange, 412, "a strange tag");
    assert_eq!(house.delete(path, &admin).await.status, 204);
    assert_problem(&house.get(path, &admin).await, 404, "gone");
    let again = house
        .post(
            "/api/v1/devices",
            &admin,
            json!({"name": "x", "id": "old-socket"}),
        )
        .await;
    assert_problem(&again, 409, "an id is never used again");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_comes_in_pages() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for n in 0..7 {
        house.add_switch(&admin, &format!("d{n}")).await;
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/api/v1/devices?limit=3{after}");
        let page = house.get(&path, &admin).await.json();
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|d| d["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let all: Vec<String> = (0..7).map(|n| format!("d{n}")).collect();
    assert_eq!(seen, all);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let me = house.get("/api/v1/me", &admin).await.json();
    let path = format!("/api/v1/users/{}", me["id"].as_str().unwrap());
    for change in [json!({"disabled": true}), json!({"role": "member"})] {
        let answer = house.patch(&path, &admin, change).await;
        assert_eq!(
            assert_problem(&answer, 409, "the last")["code"],
            "last_admin"
        );
    }
    assert_problem(&house.delete(&path, &admin).await, 409, "the last");
    let (id, _) = house.member(&admin, "eve").await;
    let taken = json!({"username": "EVE", "password": "long enough"});
    let taken = house.post("/api/v1/users", &admin, taken).await;
    assert_eq!(
        assert_problem(&taken, 409, "the same name")["field"],
        "username"
    );
    let eve = format!("/api/v1/users/{id}");
    let tag = house.get(&eve, &admin).await.header("etag").to_owned();
    let promoted = patch_if(&house, &eve, &admin, &tag, json!({"role": "admin"})).await;
    assert_eq!(promoted.json()["role"], "admin");
    assert_problem(
        &patch_if(&house, &eve, &admin, &tag, json!({})).await,
        412,
        "stale",
    );
    assert_eq!(
        house.delete(&path, &admin).await.status,
        204,
        "now another is left"
    );
    assert_eq!(house.get("/api/v1/me", &admin).await.status, 401);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_users_are_made_listed_rotated_and_deleted() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let body = json!({"name": "Zigbee2MQTT", "device": null,
        "topics": [{"filter": "zigbee2mqtt/#", "access": "write"}]});
    let made = house.post("/api/v1/broker/credentials", &admin, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    let list = house.get("/api/v1/broker/credentials", &admin).await;
    assert!(!list.text.contains(made["password"].as_str().unwrap()));
    assert!(!list.text.contains("sha256"));
    let list = list.json();
    let found = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["id"] == made["id"])
        .unwrap();
    assert_eq!(
        found["topics"],
        json!([{"filter": "zigbee2mqtt/#", "access": "write"}])
    );
    let path = format!(
        "/api/v1/broker/credentials/{}",
        made["id"].as_str().unwrap()
    );
    let rotated = house
        .post(&format!("{path}/rotate"), &admin, json!({}))
        .await
        .json();
    assert_eq!(rotated["username"], made["username"]);
    assert_ne!(rotated["password"], made["password"]);
    assert_eq!(house.delete(&path, &admin).await.status, 204);
    assert_problem(&house.delete(&path, &admin).await, 404, "gone");
    let broker = house.get("/api/v1/broker", &admin).await.json();
    assert_eq!(broker["sha256"], house.fingerprint.to_string());
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_told_with_its_kind_and_resolution() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    let path = "/api/v1/devices/socket/entities/power/history";
    let page = house.get(path, &admin).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let page = page.json();
    assert_eq!(
        (&page["kind"], &page["resolution"]),
        (&json!("state"), &json!("raw"))
    );
    assert!(page["points"].is_array() && page["gaps"].is_array());
    assert!(page.as_object().unwrap().contains_key("unit"));
    let from = "2026-01-01T00:00:00%2B01:00";
    let range = house
        .get(
            &format!("{path}?from={from}&to=2026-01-02T00:00:00Z"),
            &admin,
        )
        .await;
    assert_eq!(range.status, 200, "{}", range.text);
    let inverted = format!("{path}?from=2026-01-02T00:00:00Z&to={from}");
    let inverted = house.get(&inverted, &admin).await;
    assert_problem(&inverted, 400, "from after to");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_announces_itself_waits_and_is_accepted_or_is_a_conflict() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let rules = [
        ("homeassistant/+/#", "write"),
        ("bridge/#", "write"),
        ("bridge/#", "read"),
    ]
    .map(|(filter, access)| json!({"filter": filter, "access": access}));
    let body = json!({"name": "Bridge", "topics": rules});
    let made = house.post("/api/v1/broker/credentials", &admin, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let word = |name: &str| made.json()[name].as_str().unwrap().to_owned();
    let bridge = (word("username"), word("password"));
    let config = |id: &str, command: &str| {
        json!({"name": null, "unique_id": id, "command_topic": command,
            "state_topic": format!("bridge/{id}"),
            "device": {"identifiers": [id], "name": format!("The {id}")}})
        .to_string()
    };
    let messages = [
        (
            "homeassistant/switch/fan/config",
            config("fan", "bridge/fan/set"),
        ),
        (
            "homeassistant/switch/thief/config",
            config("thief", "iothome/safe/door/set"),
        ),
    ];
    publish_retained(&house, &bridge, &messages).await;
    until("both wait", || async {
        let waiting = house.get("/api/v1/new-devices", &admin).await.json();
        waiting["items"].as_array().unwrap().len() == 2
    })
    .await;
    let waiting = house.get("/api/v1/new-devices", &admin).await.json();
    let find = |name: &str| {
        let all = waiting["items"].as_array().unwrap();
        all.iter().find(|w| w["name"] == name).unwrap().clone()
    };
    let (fan, thief) = (find("The fan"), find("The thief"));
    assert_eq!(
        (&fan["status"], &thief["status"]),
        (&json!("new"), &json!("conflict"))
    );
    assert!(thief["reason"].is_string());
    let accept =
        |new: &Value| format!("/api/v1/new-devices/{}/accept", new["id"].as_str().unwrap());
    let refused = house.post(&accept(&thief), &admin, json!({})).await;
    assert_problem(&refused, 409, "a conflict cannot be accepted");
    let accepted = house
        .post(&accept(&fan), &admin, json!({"room": "Attic"}))
        .await;
    assert_eq!(accepted.status, 201, "{}", accepted.text);
    let device = house.get(accepted.header("location"), &admin).await.json();
    assert_eq!(
        (&device["name"], &device["room"]),
        (&json!("The fan"), &json!("Attic"))
    );
    assert_problem(
        &house.post(&accept(&fan), &admin, json!({})).await,
        404,
        "accepted before",
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_thing_must_have_cannot_be_taken_from_it_with_null() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    let (eve, _) = house.member(&admin, "eve").await;
    let user = format!("/api/v1/users/{eve}");
    for (path, field) in [
        ("/api/v1/devices/socket", "name"),
        (user.as_str(), "username"),
        (user.as_str(), "role"),
        (user.as_str(), "disabled"),
        (user.as_str(), "password"),
    ] {
        let answer = house.patch(path, &admin, json!({ field: null })).await;
        assert_eq!(assert_problem(&answer, 422, field)["field"], field);
    }
    let gone = house
        .patch("/api/v1/devices/socket", &admin, json!({"room": null}))
        .await;
    assert_eq!(gone.json()["room"], json!(null), "{}", gone.text);
    house.stop().await;
}
