//! A REST client of the hub, as somebody would write one.

use super::eventually;
use super::hub::Hub;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// A signed-in client.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
    token: String,
}

/// A status and the JSON that came with it (`null` where there was none).
pub(crate) type Answer = (StatusCode, Value);

impl Api {
    /// Somebody who has not signed in.
    pub(crate) fn stranger(hub: &Hub) -> Self {
        iothome_tls::install_provider();
        let client = Client::builder().build().expect("an HTTP client");
        Self {
            client,
            base: hub.url().to_owned(),
            token: String::new(),
        }
    }

    /// Somebody with a client of their own, at that address.
    pub(crate) fn at(client: Client, base: &str) -> Self {
        Self {
            client,
            base: base.to_owned(),
            token: String::new(),
        }
    }

    /// Sets the hub up with its code and signs in as the first administrator.
    pub(crate) async fn set_up(hub: &Hub) -> Self {
        let stranger = Self::stranger(hub);
        let (status, body) = stranger
            .post(
                "/api/v1/setup",
                json!({"code": hub.banner("setup_code"), "home": "Test home", "zone": "Europe/Berlin",
                       "latitude": 52.5, "longitude": 13.4,
                       "username": "adam", "password": "correct horse battery"}),
            )
            .await;
        assert!(status.is_success(), "set-up: {status} {body}");
        stranger.sign_in("adam", "correct horse battery").await
    }

    /// The demo user of a demo.
    pub(crate) async fn demo(hub: &Hub) -> Self {
        Self::stranger(hub)
            .sign_in(hub.banner("user"), hub.banner("password"))
            .await
    }

    /// The same client, signed in as somebody.
    pub(crate) async fn sign_in(&self, username: &str, password: &str) -> Self {
        let (status, body) = self
            .post(
                "/api/v1/auth/login",
                json!({"username": username, "password": password}),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "sign-in of {username}: {body}");
        let token = body["access_token"]
            .as_str()
            .expect("an access token")
            .to_owned();
        Self {
            token,
            ..self.clone()
        }
    }

    /// These words open no door.
    pub(crate) async fn is_refused_with(&self, username: &str, password: &str) {
        let body = json!({"username": username, "password": password});
        let (status, body) = self.post("/api/v1/auth/login", body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{username}: {body}");
    }

    /// Every device, as REST tells it.
    pub(crate) async fn devices(&self) -> Vec<Value> {
        let (status, body) = self.get("/api/v1/devices?limit=500").await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body["items"].as_array().cloned().unwrap_or_default()
    }

    /// Any request.
    pub(crate) async fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .unwrap_or_else(|e| panic!("{path}: {e}"));
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// POST that may find nobody.
    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        let request = self.client.post(format!("{}{path}", self.base));
        let response = request.bearer_auth(&self.token).json(body).send().await;
        let response = response.ok()?;
        let status = response.status();
        let text = response.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// The access token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// GET.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, None).await
    }

    /// GET of something that is no JSON.
    pub(crate) async fn text(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.base));
        let response = request.bearer_auth(&self.token).send().await;
        let response = response.unwrap_or_else(|e| panic!("{path}: {e}"));
        response.text().await.unwrap_or_default()
    }

    /// POST with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path, Some(&body)).await
    }

    /// DELETE that has to work.
    pub(crate) async fn delete(&self, path: &str) {
        let (status, body) = self.request(Method::DELETE, path, None).await;
        assert!(status.is_success(), "{path}: {status} {body}");
    }

    /// Asks a command and waits for its end.
    pub(crate) async fn command(&self, device: &str, entity: &str, body: Value) -> Value {
        let path = format!("/api/v1/devices/{device}/entities/{entity}/commands?wait=20s");
        let (status, command) = self.post(&path, body).await;
        assert_eq!(status, StatusCode::OK, "the command has ended: {command}");
        command
    }

    /// One entity as it is now.
    pub(crate) async fn entity(&self, device: &str, entity: &str) -> Value {
        let (status, body) = self.get(&format!("/api/v1/devices/{device}")).await;
        assert_eq!(status, StatusCode::OK, "{device}: {body}");
        let entities = body["entities"].as_array().cloned().unwrap_or_default();
        entities
            .into_iter()
            .find(|e| e["id"] == entity)
            .unwrap_or_else(|| panic!("no {entity} in {body}"))
    }

    /// Waits until the entity has that state.
    pub(crate) async fn wait_for_state(&self, device: &str, entity: &str, state: &Value) -> Value {
        eventually(&format!("{device}/{entity} is {state}"), || async {
            let found = self.entity(device, entity).await;
            (found["state"] == *state).then_some(found)
        })
        .await
    }

    /// Waits until the device's entity of that kind is online and has that state.
    ///
    /// Ids of entities follow from what devices announce, so they are looked up by kind.
    pub(crate) async fn wait_for_kind(&self, device: &str, kind: &str, state: Value) {
        eventually(&format!("the {kind} of {device} is {state}"), || async {
            let (_, body) = self.get(&format!("/api/v1/devices/{device}")).await;
            let entities = body["entities"].as_array()?;
            let mut found = entities.iter().filter(|e| e["kind"] == kind);
            found.any(|e| e["state"] == state).then_some(())
        })
        .await;
    }

    /// Waits until the hub is connected to its broker.
    pub(crate) async fn wait_for_broker(&self) {
        eventually("the hub reaches its broker", || async {
            let (_, broker) = self.get("/api/v1/broker").await;
            (broker["connected"] == true).then_some(())
        })
        .await;
    }
}
