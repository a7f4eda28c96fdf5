//! A whole house for tests: store on disk, embedded broker, hub, web door.
//!
//! Owner of the harness. Every house has its own folder and its own ports, and
//! nothing of it outlives the test.

#![allow(unreachable_pub, reason = "shared by every test file")]
#![allow(dead_code, reason = "each test file uses its own part of the harness")]
#![allow(clippy::unwrap_used, reason = "a test may fail here")]

pub mod browser;
pub mod device;
pub mod events;

use iothome_actors::{Clock, DiscoveryMode, Hub, HubConfig, MqttConfig, load_access};
use iothome_broker::{Broker, BrokerConfig};
use iothome_engine::access::{Access, Credential, TopicRule};
use iothome_engine::ids::{CredentialId, UserId};
use iothome_engine::policy::Role;
use iothome_engine::time::Timestamp;
use iothome_http::{Web, WebConfig};
use iothome_store::{DatabaseUrl, Home, NewUser, Store};
use iothome_tls::{Authority, Fingerprint, pinned_client};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The administrator of every test house.
pub const ADMIN: (&str, &str) = ("adam", "correct horse battery");
/// The hub's own password at the broker.
const HUB_PASSWORD: &str = "the hub's own password";
/// Long enough for a busy machine; a test that waits this long fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running house.
pub struct TestHouse {
    /// `http://127.0.0.1:port`.
    pub url: String,
    /// `https://localhost:port`.
    pub https_url: String,
    /// Sends no cookies and follows no redirects by itself.
    pub client: Client,
    pub hub: Hub,
    pub store: Store,
    pub fingerprint: Fingerprint,
    pub broker_port: u16,
    web: Option<Web>,
    broker: Option<Broker>,
    _dir: tempfile::TempDir,
}

/// An answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {} {}", self.status, self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

pub async fn read(response: Response) -> Answer {
    Answer {
        status: response.status(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

/// Tokens of a session.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl TestHouse {
    /// A house that is set up.
    pub async fn start() -> Self {
        let house = Self::start_with(|_| {}).await;
        house.set_up().await;
        house
    }

    /// A house that nobody has set up, with changed settings of the web door.
    pub async fn start_with(change: impl FnOnce(&mut WebConfig)) -> Self {
        iothome_tls::install_provider();
        let dir = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::sqlite(&dir.path().join("house.db")).unwrap();
        let store = Store::open(&url).await.unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let tls = dir.path().join("tls");
        let authority = Authority::open_or_create(&tls, &names, SystemTime::now()).unwrap();
        let identity = authority.broker().unwrap();
        let fingerprint = identity.fingerprints.sha256;
        let access = load_access(&store).await.unwrap();
        let broker = iothome_broker::start(
            BrokerConfig {
                listen: "127.0.0.1:0".parse().unwrap(),
                cert_pem: identity.chain_pem,
                key_pem: identity.key_pem,
                data_dir: dir.path().join("broker"),
                hub: Some(hub_credential()),
            },
            Arc::clone(&access),
        )
        .await
        .unwrap();
        let broker_port = broker.address().port();
        let config = HubConfig {
            mqtt: MqttConfig {
                host: "127.0.0.1".into(),
                port: broker_port,
                username: Some("hub".into()),
                password: Some(HUB_PASSWORD.into()),
                tls: pinned_client(&[fingerprint]),
                client_id: "hub-of-a-test".into(),
                keep_alive_s: 30,
            },
            broker_address: broker.address().to_string(),
            managed: true,
            discovery: DiscoveryMode::Ask,
            discovery_prefix: "homeassistant".into(),
            access,
            cut: None,
            fingerprints: Some((fingerprint.to_string(), "not told".into())),
            password_workers: 2,
        };
        let hub = Hub::start(config, store.clone(), Clock::system())
            .await
            .unwrap();
        let identity = authority.web().unwrap();
        let tls = iothome_tls::server_config(&identity.chain_pem, &identity.key_pem).unwrap();
        let mut config = WebConfig {
            http: Some("127.0.0.1:0".parse().unwrap()),
            https: Some(("127.0.0.1:0".parse().unwrap(), tls)),
            sign_ins_per_minute: 1_000,
            ca_pem: Some(authority.ca_pem().into()),
            ..WebConfig::default()
        };
        change(&mut config);
        let web = iothome_http::serve(config, hub.clone(), store.clone())
            .await
            .unwrap();
        let port = web.http.expect("the test listens on HTTP").port();
        let https_port = web.https.expect("the test listens on HTTPS").port();
        Self {
            url: format!("http://127.0.0.1:{port}"),
            https_url: format!("https://localhost:{https_port}"),
            client: client_that_trusts(authority.ca_pem()),
            hub,
            store,
            fingerprint,
            broker_port,
            web: Some(web),
            broker: Some(broker),
            _dir: dir,
        }
    }

    /// Makes home and administrator, as set-up would.
    pub async fn set_up(&self) {
        let now = Timestamp::from_millis(1_795_506_757_000);
        let admin = NewUser {
            id: UserId::new(now, [1; 10]),
            name: ADMIN.0.into(),
            role: Role::Admin,
            password_hash: self.hub.passwords().hash(ADMIN.1.into()).await.unwrap(),
            created_at: now,
        };
        let home = Home {
            name: "Test home".into(),
            zone: "Europe/Berlin".into(),
            latitude: None,
            longitude: None,
            set_up_at: now,
        };
        assert!(self.store.set_up(&home, &admin).await.unwrap());
    }

    /// A request to a path.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Sends a request with a token and perhaps a JSON body.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = self.request(method, path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, Some(token), None).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(token), Some(body)).await
    }

    pub async fn patch(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(token), Some(body))
            .await
    }

    pub async fn put(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(token), Some(body)).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        self.send(Method::DELETE, path, Some(token), None).await
    }

    /// Tries to sign in.
    pub async fn login(&self, name: &str, password: &str) -> Answer {
        let body = json!({"username": name, "password": password});
        self.send(Method::POST, "/api/v1/auth/login", None, Some(body))
            .await
    }

    /// Signs in.
    pub async fn tokens(&self, name: &str, password: &str) -> Tokens {
        let answer = self.login(name, password).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        tokens_of(&answer.json())
    }

    /// Signs the administrator in.
    pub async fn admin(&self) -> String {
        self.tokens(ADMIN.0, ADMIN.1).await.access
    }

    /// Makes a member and signs them in: their id and access token.
    pub async fn member(&self, admin: &str, name: &str) -> (String, String) {
        let body = json!({"name": name, "password": "member's password"});
        let made = self.post("/api/v1/users", admin, body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let tokens = self.tokens(name, "member's password").await;
        (id, tokens.access)
    }

    /// Grants rights on a device.
    pub async fn grant(&self, admin: &str, device: &str, user: &str, rights: &[&str]) {
        let path = format!("/api/v1/devices/{device}/grants/{user}");
        let answer = self.put(&path, admin, json!({"rights": rights})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Enters a device with one switch `power` on the default topics; its broker user and password.
    pub async fn add_switch(&self, admin: &str, id: &str) -> (String, String) {
        let body = json!({
            "id": id,
            "name": format!("The {id}"),
            "room": "Kitchen",
            "entities": [{
                "id": "power",
                "kind": "switch",
                "config": {
                    "command_topic": format!("iothome/{id}/power/set"),
                    "state_topic": format!("iothome/{id}/power/state"),
                },
            }],
        });
        let made = self.post("/api/v1/devices", admin, body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let credential = &made.json()["credential"];
        let word = |name: &str| credential[name].as_str().unwrap().to_owned();
        (word("username"), word("password"))
    }

    /// Stops the house in order.
    pub async fn stop(mut self) {
        self.web.take().expect("it runs").stop().await;
        self.hub.shutdown().await;
        self.broker.take().expect("it runs").stop().await;
        self.store.close().await;
    }

    /// Stops the web door alone.
    pub async fn stop_web(&mut self) {
        self.web.take().expect("it runs").stop().await;
    }
}

/// The tokens of an answer.
pub fn tokens_of(body: &Value) -> Tokens {
    let word = |name: &str| body[name].as_str().unwrap().to_owned();
    Tokens {
        access: word("access_token"),
        refresh: word("refresh_token"),
    }
}

/// A client that does nothing by itself.
pub fn client_that_trusts(ca_pem: &str) -> Client {
    iothome_tls::install_provider();
    let ca = reqwest::Certificate::from_pem(ca_pem.as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only([ca])
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

fn hub_credential() -> Credential {
    let rule = |access| TopicRule {
        filter: "#".into(),
        access,
    };
    Credential {
        id: CredentialId::new(Timestamp::from_millis(0), [0; 10]),
        username: "hub".into(),
        name: "The hub".into(),
        device: None,
        secret_sha256: data_encoding::HEXLOWER.encode(&Sha256::digest(HUB_PASSWORD)),
        topics: vec![rule(Access::Read), rule(Access::Write)],
        created_at: Timestamp::from_millis(0),
    }
}

/// Looks again and again until it is so.
pub async fn until<F, Fut>(what: &str, mut so: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let wait = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("never so: {what}"));
}

/// Asserts that an answer is a problem document with that status.
pub fn assert_problem(answer: &Answer, status: u16, what: &str) -> Value {
    assert_eq!(answer.status, status, "{what}: {}", answer.text);
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{what}"
    );
    let document = answer.json();
    assert_eq!(document["status"], status, "{what}");
    for member in ["type", "title", "detail", "code"] {
        assert!(document[member].is_string(), "{what} lacks {member}");
    }
    document
}
