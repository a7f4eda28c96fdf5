//! The API's event stream.

use crate::common::device::{Manner, Switch};
use crate::common::events::Events;
use crate::common::{ADMIN, TestHouse};
use serde_json::json;
use std::time::{Duration, Instant};

const COMMANDS: &str = "/api/v1/devices/socket/entities/power/commands";

async fn house_with_switch() -> (TestHouse, String, Switch) {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let switch = Switch::connect(&house, "socket", &credential, Manner::Obeys).await;
    let token = admin.clone();
    crate::common::until("the state is known", || async {
        let device = house.get("/api/v1/devices/socket", &token).await.json();
        device["entities"][0]["state"] == "off"
    })
    .await;
    (house, admin, switch)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_states_commands_and_devices_that_come_and_go() {
    let (house, admin, switch) = house_with_switch().await;
    let mut events = Events::open(&house, &admin, None).await;
    events.place().await;
    switch.report("ON").await;
    let event = events
        .find(|e| e.name == "entity" && e.data["entity"]["state"] == "on")
        .await;
    assert_eq!(event.data["device"], "socket");
    assert_eq!(event.data["entity"]["id"], "power");
    let asked = house
        .post(COMMANDS, &admin, json!({"action": "turn_off"}))
        .await
        .json();
    let ended = events
        .find(|e| {
            e.name == "command" && e.data["id"] == asked["id"] && e.data["ended_at"].is_string()
        })
        .await;
    assert_eq!(ended.data["status"], "confirmed");
    house.add_switch(&admin, "lamp").await;
    let came = events
        .find(|e| e.name == "device" && e.data["id"] == "lamp")
        .await;
    assert_eq!(came.data["name"], "The lamp");
    assert_eq!(
        house.delete("/api/v1/devices/lamp", &admin).await.status,
        204
    );
    events
        .find(|e| e.name == "device" && e.data["id"] == "lamp" && e.data["removed"] == true)
        .await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_comes_back_gets_what_it_missed_or_is_told_to_resync() {
    let (house, admin, switch) = house_with_switch().await;
    let mut events = Events::open(&house, &admin, None).await;
    let place = events.place().await;
    drop(events);
    switch.report("ON").await;
    let token = admin.clone();
    crate::common::until("on", || async {
        let device = house.get("/api/v1/devices/socket", &token).await.json();
        device["entities"][0]["state"] == "on"
    })
    .await;
    let mut events = Events::open(&house, &admin, Some(&place)).await;
    let missed = events.find(|e| e.name == "entity").await;
    assert_eq!(missed.data["entity"]["state"], "on");
    let mut events = Events::open(&house, &admin, Some("another-boot-7")).await;
    assert_eq!(events.next().await.unwrap().name, "resync");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_session_and_a_lost_grant_filters_it() {
    let (house, admin, switch) = house_with_switch().await;
    let (id, eve) = house.member(&admin, "eve").await;
    house.grant(&admin, "socket", &id, &["view"]).await;
    let mut events = Events::open(&house, &eve, None).await;
    events.place().await;
    switch.report("ON").await;
    events.find(|e| e.name == "entity").await;
    let grant = format!("/api/v1/devices/socket/grants/{id}");
    assert_eq!(house.delete(&grant, &admin).await.status, 204);
    let gone = events.find(|e| e.name == "device").await;
    assert_eq!(
        (&gone.data["id"], &gone.data["removed"]),
        (&json!("socket"), &json!(true))
    );
    switch.report("OFF").await;
    house.grant(&admin, "socket", &id, &["view"]).await;
    let back = events.find(|_| true).await;
    assert_eq!(back.name, "device", "nothing leaked in between");
    let started = Instant::now();
    let path = format!("/api/v1/users/{id}");
    assert_eq!(
        house
            .patch(&path, &admin, json!({"disabled": true}))
            .await
            .status,
        200
    );
    while events.next().await.is_some() {}
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "it ended by itself"
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_hub_ends_its_streams_and_a_forged_token_opens_none() {
    let mut house = TestHouse::start().await;
    let tokens = house.tokens(ADMIN.0, ADMIN.1).await;
    let mut events = Events::open(&house, &tokens.access, None).await;
    events.place().await;
    let forged = house.get("/api/v1/events", "forged").await;
    crate::common::assert_problem(&forged, 401, "a forged token");
    house.stop_web().await;
    assert!(events.next().await.is_none());
}
