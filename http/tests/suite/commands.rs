//! Commands over REST against a real device at a real broker.

use crate::common::device::{Manner, Switch};
use crate::common::{Answer, TestHouse, assert_problem, read, until};
use reqwest::Method;
use serde_json::{Value, json};

const COMMANDS: &str = "/api/v1/devices/socket/entities/power/commands";

async fn house_with(manner: Manner) -> (TestHouse, String, Switch) {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let switch = Switch::connect(&house, "socket", &credential, manner).await;
    let token = admin.clone();
    until("the state is known", || async {
        entity(&house, &token).await["state"] == "off"
    })
    .await;
    (house, admin, switch)
}

async fn entity(house: &TestHouse, token: &str) -> Value {
    let device = house.get("/api/v1/devices/socket", token).await.json();
    device["entities"][0].clone()
}

async fn ask_with_key(house: &TestHouse, token: &str, key: &str, body: Value) -> Answer {
    let request = house
        .request(Method::POST, COMMANDS)
        .bearer_auth(token)
        .header("idempotency-key", key)
        .json(&body);
    read(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_the_device_obeys_is_confirmed_and_can_be_looked_up() {
    let (house, admin, _switch) = house_with(Manner::Obeys).await;
    let path = format!("{COMMANDS}?wait=10s");
    let answer = house
        .post(&path, &admin, json!({"action": "turn_on"}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let command = answer.json();
    assert_eq!(command["status"], "confirmed", "{command}");
    assert_eq!(command["cause"]["name"], "adam");
    assert!(command["latency_ms"].as_f64().unwrap() > 0.0);
    assert!(command["ended_at"].is_string());
    let location = answer.header("location").to_owned();
    assert_eq!(
        location,
        format!("/api/v1/commands/{}", command["id"].as_str().unwrap())
    );
    assert_eq!(house.get(&location, &admin).await.json(), command);
    assert_eq!(entity(&house, &admin).await["state"], "on");
    let toggled = house
        .post(&path, &admin, json!({"action": "toggle"}))
        .await
        .json();
    assert_eq!(
        (&toggled["action"], &toggled["resolved"]),
        (&json!("toggle"), &json!("turn_off"))
    );
    assert_eq!(toggled["status"], "confirmed");
    for list in [COMMANDS, "/api/v1/devices/socket/commands"] {
        let page = house.get(&format!("{list}?limit=1"), &admin).await.json();
        assert_eq!(page["items"][0]["id"], toggled["id"]);
        let before = page["next"].as_str().unwrap();
        let older = house
            .get(&format!("{list}?before={before}"), &admin)
            .await
            .json();
        assert_eq!(older["items"][0]["id"], command["id"]);
        assert_eq!(older["next"], Value::Null);
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_end_the_answer_is_202_and_the_command_is_pending() {
    let (house, admin, switch) = house_with(Manner::IsSilent).await;
    let answer = house
        .post(
            &format!("{COMMANDS}?wait=1s"),
            &admin,
            json!({"action": "turn_on"}),
        )
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let command = answer.json();
    let step = command["status"].as_str().unwrap();
    assert!(
        ["accepted", "sent", "acknowledged"].contains(&step),
        "{command}"
    );
    until("the broker has it", || async {
        house.get(answer.header("location"), &admin).await.json()["status"] == "acknowledged"
    })
    .await;
    assert_eq!(
        entity(&house, &admin).await["pending"]["command"],
        command["id"]
    );
    switch.report("ON").await;
    until("confirmed", || async {
        house.get(answer.header("location"), &admin).await.json()["status"] == "confirmed"
    })
    .await;
    let path = format!("{COMMANDS}?wait=31s");
    let bad = house
        .post(&path, &admin, json!({"action": "turn_on"}))
        .await;
    assert_eq!(
        assert_problem(&bad, 400, "too long a wait")["field"],
        "wait"
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_and_body_is_the_same_command() {
    let (house, admin, switch) = house_with(Manner::Obeys).await;
    let on = json!({"action": "turn_on"});
    let asked = (0..8).map(|_| ask_with_key(&house, &admin, "one click", on.clone()));
    let answers = futures_util::future::join_all(asked).await;
    let ids: std::collections::BTreeSet<String> = answers
        .iter()
        .map(|answer| answer.json()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 1, "one click is one command");
    until("the device heard it", || async { switch.heard() == 1 }).await;
    until("ended", || async {
        ask_with_key(&house, &admin, "one click", on.clone())
            .await
            .json()["status"]
            == "confirmed"
    })
    .await;
    let other_body = ask_with_key(&house, &admin, "one click", json!({"action": "turn_off"})).await;
    let problem = assert_problem(&other_body, 422, "another body");
    assert_eq!(problem["field"], "Idempotency-Key");
    let other_key = ask_with_key(&house, &admin, "another click", on.clone()).await;
    assert!(!ids.contains(other_key.json()["id"].as_str().unwrap()));
    let (id, eve) = house.member(&admin, "eve").await;
    house.grant(&admin, "socket", &id, &["control"]).await;
    let hers = ask_with_key(&house, &eve, "one click", on).await;
    assert!(
        !ids.contains(hers.json()["id"].as_str().unwrap()),
        "keys are per user"
    );
    let long = ask_with_key(
        &house,
        &admin,
        &"k".repeat(300),
        json!({"action": "turn_on"}),
    )
    .await;
    assert_problem(&long, 400, "too long a key");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_sees_and_drives_only_what_is_granted() {
    let (house, admin, _switch) = house_with(Manner::Obeys).await;
    house.add_switch(&admin, "safe").await;
    let (id, eve) = house.member(&admin, "eve").await;
    let on = || json!({"action": "turn_on"});
    let device = "/api/v1/devices/socket";
    assert_problem(&house.get(device, &eve).await, 404, "not granted");
    assert_problem(&house.post(COMMANDS, &eve, on()).await, 404, "not granted");
    assert_eq!(
        house.get("/api/v1/devices", &eve).await.json()["items"],
        json!([])
    );
    house.grant(&admin, "socket", &id, &["view"]).await;
    assert_eq!(house.get(device, &eve).await.status, 200);
    assert_problem(&house.post(COMMANDS, &eve, on()).await, 403, "view only");
    assert_problem(
        &house.patch(device, &eve, json!({"name": "x"})).await,
        403,
        "view only",
    );
    assert_problem(&house.delete(device, &eve).await, 403, "view only");
    house.grant(&admin, "socket", &id, &["control"]).await;
    let path = format!("{COMMANDS}?wait=10s");
    let done = house.post(&path, &eve, on()).await.json();
    assert_eq!(
        (&done["status"], &done["cause"]["name"]),
        (&json!("confirmed"), &json!("eve"))
    );
    let list = house.get("/api/v1/devices", &eve).await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_problem(
        &house.get("/api/v1/devices/safe", &eve).await,
        404,
        "another device",
    );
    let command = format!("/api/v1/commands/{}", done["id"].as_str().unwrap());
    assert_eq!(house.get(&command, &eve).await.status, 200);
    let grant = format!("{device}/grants/{id}");
    assert_eq!(house.delete(&grant, &admin).await.status, 204);
    assert_problem(&house.get(device, &eve).await, 404, "taken away");
    assert_problem(&house.get(&command, &eve).await, 404, "taken away");
    for (method, path) in [
        (Method::GET, "/api/v1/users"),
        (Method::GET, "/api/v1/broker"),
        (Method::GET, "/api/v1/broker/credentials"),
        (Method::GET, "/api/v1/new-devices"),
    ] {
        let answer = house.send(method, path, Some(&eve), None).await;
        assert_problem(&answer, 403, path);
    }
    let make = house
        .post("/api/v1/devices", &eve, json!({"name": "mine"}))
        .await;
    assert_problem(&make, 403, "a member makes no devices");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn toggling_what_nobody_knows_is_a_conflict() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    let answer = house
        .post(COMMANDS, &admin, json!({"action": "toggle"}))
        .await;
    let problem = assert_problem(&answer, 409, "unknown state");
    assert_eq!(problem["code"], "state_unknown");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_asks_too_fast_is_slowed_down() {
    let (house, admin, _switch) = house_with(Manner::Obeys).await;
    let asked = (0..200).map(|_| house.post(COMMANDS, &admin, json!({"action": "turn_on"})));
    let answers = futures_util::future::join_all(asked).await;
    let refused: Vec<&Answer> = answers.iter().filter(|a| a.status == 429).collect();
    assert!(!refused.is_empty(), "200 at once are too many");
    for answer in refused {
        assert_problem(answer, 429, "too fast");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    let fine = answers.iter().filter(|a| a.status.is_success()).count();
    assert!(fine > 0, "some went through");
    assert!(answers.iter().all(|a| !a.status.is_server_error()));
    house.stop().await;
}
