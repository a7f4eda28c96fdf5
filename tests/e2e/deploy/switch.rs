//! A device behind 8883, switched by a person in front of 443.
//!
//! Owner of the story's one device.

use super::house::{House, ask, base, reply};
use super::stage::HOME;
use crate::support::api::Api;
use crate::support::device::{Device, Door};
use crate::support::eventually;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

/// The device, and how it came in.
pub(super) struct Gate {
    pub(super) device: Device,
    pub(super) door: Door,
}

/// Makes the device in the dashboard's API and lets it connect with the password it was given.
pub(super) async fn makes_a_device(house: &House, api: &Api) -> Gate {
    let body = json!({"id": "gate", "name": "Gate", "entities": [
        {"id": "light", "name": "Light", "kind": "switch", "deadline_ms": 3000, "config": {
            "command_topic": "gate/light/set", "state_topic": "gate/light"}},
        {"id": "opener", "name": "Opener", "kind": "button", "deadline_ms": 3000, "config": {
            "command_topic": "gate/opener/press"}}]});
    let (status, made) = api.post("/api/v1/devices", body).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    api.wait_for_broker().await;
    let door = house.door(api, &made["credential"]).await;
    let topics = ["gate/light/set", "gate/opener/press"];
    let device = Device::connect(&door, "gate", &topics, |told| {
        let state = ("gate/light".to_owned(), told.payload.clone(), false);
        Vec::from_iter((told.topic == "gate/light/set").then_some(state))
    });
    device.report("gate/light", "OFF", false).await;
    api.wait_for_state("gate", "light", &json!("off")).await;
    Gate { device, door }
}

/// Signs in as a person does and presses the button on the card.
pub(super) async fn from_the_dashboard(house: &House, api: &Api, gate: &Gate) {
    let person = signed_in(house).await;
    let page = ask(&person, "/").await.expect("an answer");
    assert_eq!(page.status, 200);
    let action = "/devices/gate/entities/light/commands";
    assert!(
        page.text.contains(action),
        "its card is on the page: {}",
        page.text
    );
    let csrf = field(&page.text, "csrf");
    let form = [("csrf", csrf.as_str()), ("action", "turn_on"), ("back", "")];
    let pressed = reply(from_here(person.post(format!("{}{action}", base()))).form(&form));
    let pressed = pressed.await.expect("an answer");
    assert_eq!(pressed.status, 303, "{}", pressed.text);

    api.wait_for_state("gate", "light", &json!("on")).await;
    let (_, commands) = api
        .get("/api/v1/devices/gate/entities/light/commands")
        .await;
    let command = &commands["items"][0];
    assert_eq!(command["status"], "confirmed", "{commands}");
    let told = gate.device.told();
    assert_eq!(told.len(), 1, "told once: {told:?}");
    assert_eq!(told[0].command.as_deref(), command["id"].as_str());
}

/// A browser that has gone through the sign-in page.
pub(super) async fn signed_in(house: &House) -> Client {
    let person = house.visitor(HOME);
    let page = ask(&person, "/sign-in").await.expect("an answer");
    let mut form = vec![("username", "adam"), ("password", "correct horse battery")];
    let csrf = page
        .text
        .contains("name=\"csrf\"")
        .then(|| field(&page.text, "csrf"));
    form.extend(csrf.as_deref().map(|csrf| ("csrf", csrf)));
    let sent = reply(from_here(person.post(format!("{}/sign-in", base()))).form(&form));
    let sent = sent.await.expect("an answer");
    assert_eq!(sent.status, 303, "{}", sent.text);
    let cookies: Vec<_> = sent.headers.get_all("set-cookie").iter().collect();
    let safe = |cookie: &&reqwest::header::HeaderValue| {
        let text = cookie.to_str().unwrap_or_default();
        text.starts_with("__Host-") && text.contains("Secure") && text.contains("HttpOnly")
    };
    assert!(
        !cookies.is_empty() && cookies.iter().all(safe),
        "{cookies:?}"
    );
    person
}

/// As a browser marks its own page's requests.
fn from_here(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    request.header("origin", base())
}

/// The value of a form's hidden field.
fn field(page: &str, name: &str) -> String {
    let (_, after) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .expect("the field");
    after.split('"').next().unwrap_or_default().to_owned()
}

/// A device that pins another certificate does not come in, and says nothing to the broker.
pub(super) async fn refuses_another_fingerprint(door: &Door) {
    let mut wrong = door.clone();
    wrong.sha256 = "ab".repeat(32);
    let stranger = Device::connect(&wrong, "stranger", &["gate/light/set"], |_| Vec::new());
    eventually("it turns away", || async {
        (stranger.failures() > 2).then_some(())
    })
    .await;
    assert!(stranger.told().is_empty());
}

/// Asks a command and waits a moment for its end; `None` where there is no good answer.
pub(super) async fn command(api: &Api, entity: &str, action: &str) -> Option<Value> {
    let path = format!("/api/v1/devices/gate/entities/{entity}/commands?wait=2s");
    let (status, command) = api.try_post(&path, &json!({"action": action})).await?;
    if status.is_success() {
        return Some(command);
    }
    let passing = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    assert!(passing.contains(&status), "{status} {command}");
    None
}
