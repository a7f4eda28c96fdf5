//! The first ten minutes: the one-time code.

use crate::common::{Answer, TestHouse, assert_problem};
use reqwest::Method;
use serde_json::{Value, json};

async fn unset(code: &str) -> TestHouse {
    let code = code.to_owned();
    TestHouse::start_with(|config| config.setup_code = Some(code)).await
}

fn request(code: &str) -> Value {
    json!({"code": code, "home": "Our home", "zone": "Europe/Berlin", "latitude": 52.5,
        "longitude": 13.4, "username": "adam", "password": "correct horse"})
}

async fn set_up(house: &TestHouse, body: Value) -> Answer {
    house
        .send(Method::POST, "/api/v1/setup", None, Some(body))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_sets_the_home_up_once_and_then_there_is_nothing_there() {
    let code = iothome_http::new_setup_code().unwrap();
    let house = unset(&code).await;
    let typed = code.to_lowercase().replace('-', " ");
    let answer = set_up(&house, request(&typed)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json()["role"], "admin");
    let home = house.store.home().await.unwrap().unwrap();
    assert_eq!(
        (home.name.as_str(), home.zone.as_str()),
        ("Our home", "Europe/Berlin")
    );
    assert_problem(
        &set_up(&house, request(&code)).await,
        404,
        "the second time",
    );
    assert_problem(
        &set_up(&house, request("wrong")).await,
        404,
        "a guess after",
    );
    let tokens = house.tokens("adam", "correct horse").await;
    assert_eq!(house.get("/api/v1/users", &tokens.access).await.status, 200);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_set_up_cannot_take_is_named_and_does_not_use_the_code_up() {
    let house = unset("ABCD").await;
    for (field, value) in [
        ("home", json!("")),
        ("home", json!("x".repeat(65))),
        ("zone", json!("Mars/Olympus")),
        ("latitude", json!(91)),
        ("longitude", json!(null)),
        ("username", json!("\n")),
        ("password", json!("short")),
        ("password", json!(7)),
    ] {
        let mut body = request("ABCD");
        body[field] = value.clone();
        let problem = assert_problem(&set_up(&house, body).await, 422, field);
        assert_eq!(problem["field"], field, "{value}");
    }
    assert_eq!(set_up(&house, request("abcd")).await.status, 201);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_wrong_codes_close_set_up_until_the_next_start() {
    let house = unset("RIGHT").await;
    for _ in 0..10 {
        assert_problem(&set_up(&house, request("WRONG")).await, 403, "wrong");
    }
    let problem = assert_problem(&set_up(&house, request("RIGHT")).await, 403, "ended");
    assert_eq!(problem["code"], "code_ended");
    assert!(house.store.home().await.unwrap().is_none());
    house.stop().await;
}
