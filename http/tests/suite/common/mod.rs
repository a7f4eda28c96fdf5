//! A whole house for tests: store on disk, embedded broker, hub, web door.
//!
//! Owner of the harness. Every house has its own folder and its own ports, and
//! nothing of it outlives the test.

#![allow(unreachable_pub, reason = "shared by every test file")]
#![allow(dead_code, reason = "each test file uses its own part of the harness")]
#![allow(clippy::unwrap_used, reason = "a test may fail here")]

pub(crate) mod browser;
pub(crate) mod device;
pub(crate) mod events;

use iothome_actors::{Clock, DiscoveryMode, Hub, HubConfig, MqttConfig, SharedAccess, load_access};
use iothome_broker::{Broker, BrokerConfig};
use iothome_engine::access::{Access, Credential, TopicRule};
use iothome_engine::ids::{CredentialId, UserId};
use iothome_engine::policy::Role;
use iothome_engine::time::Timestamp;
use iothome_http::{AskClients, BrokerClient, Web, WebConfig};
use iothome_store::{DatabaseUrl, Home, NewUser, Store};
use iothome_tls::{Authority, Fingerprint, ServerIdentity, pinned_client};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The administrator of every test house.
pub(crate) const ADMIN: (&str, &str) = ("adam", "correct horse battery");
/// The hub's own password at the broker.
const HUB_PASSWORD: &str = "the hub's own password";
/// Long enough for a busy machine; a test that waits this long fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running house.
pub(crate) struct TestHouse {
    /// `http://127.0.0.1:port`.
    pub(crate) url: String,
    /// `https://localhost:port`.
    pub(crate) https_url: String,
    /// Sends no cookies and follows no redirects by itself.
    pub(crate) client: Client,
    pub(crate) hub: Hub,
    pub(crate) store: Store,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) broker_port: u16,
    web: Option<Web>,
    broker: Option<Arc<Broker>>,
    _dir: tempfile::TempDir,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {} {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn read(response: Response) -> Answer {
    Answer {
        status: response.status(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

/// Tokens of a session.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl TestHouse {
    /// A house that is set up.
    pub(crate) async fn start() -> Self {
        let house = Self::start_with(|_| {}).await;
        house.set_up().await;
        house
    }

    /// A house that nobody has set up, with changed settings of the web door.
    pub(crate) async fn start_with(change: impl FnOnce(&mut WebConfig)) -> Self {
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
        let broker = Arc::new(broker(dir.path(), identity, Arc::clone(&access)).await);
        let broker_port = broker.address().port();
        let config = hub_config(broker.address(), fingerprint, access);
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
            broker_clients: Some(clients_of(&broker)),
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
    pub(crate) async fn set_up(&self) {
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
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Sends a request with a token and perhaps a JSON body.
    pub(crate) async fn send(
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

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, Some(token), None).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(token), Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(token), Some(body))
            .await
    }

    pub(crate) async fn put(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(token), Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> Answer {
        self.send(Method::DELETE, path, Some(token), None).await
    }

    /// Tries to sign in.
    pub(crate) async fn login(&self, name: &str, password: &str) -> Answer {
        let body = json!({"username": name, "password": password});
        self.send(Method::POST, "/api/v1/auth/login", None, Some(body))
            .await
    }

    /// Signs in.
    pub(crate) async fn tokens(&self, name: &str, password: &str) -> Tokens {
        let answer = self.login(name, password).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        tokens_of(&answer.json())
    }

    /// Signs the administrator in.
    pub(crate) async fn admin(&self) -> String {
        self.tokens(ADMIN.0, ADMIN.1).await.access
    }

    /// Makes a member and signs them in: their id and access token.
    pub(crate) async fn member(&self, admin: &str, name: &str) -> (String, String) {
        let body = json!({"username": name, "password": "member's password"});
        let made = self.post("/api/v1/users", admin, body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let tokens = self.tokens(name, "member's password").await;
        (id, tokens.access)
    }

    /// Grants rights on a device.
    pub(crate) async fn grant(&self, admin: &str, device: &str, user: &str, rights: &[&str]) {
        let path = format!("/api/v1/devices/{device}/grants/{user}");
        let answer = self.put(&path, admin, json!({"rights": rights})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Enters a device with one switch `power` on the default topics; its broker user and password.
    pub(crate) async fn add_switch(&self, admin: &str, id: &str) -> (String, String) {
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
    pub(crate) async fn stop(mut self) {
        self.web.take().expect("it runs").stop().await;
        self.hub.shutdown().await;
        let broker = self.broker.take().expect("it runs");
        if let Some(broker) = Arc::into_inner(broker) {
            broker.stop().await;
        }
        self.store.close().await;
    }

    /// Stops the web door alone.
    pub(crate) async fn stop_web(&mut self) {
        self.web.take().expect("it runs").stop().await;
    }
}

/// The tokens of an answer.
pub(crate) fn tokens_of(body: &Value) -> Tokens {
    let word = |name: &str| body[name].as_str().unwrap().to_owned();
    Tokens {
        access: word("access_token"),
        refresh: word("refresh_token"),
    }
}

/// A client that does nothing by itself.
pub(crate) fn client_that_trusts(ca_pem: &str) -> Client {
    iothome_tls::install_provider();
    let ca = reqwest::Certificate::from_pem(ca_pem.as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only([ca])
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

async fn broker(dir: &Path, identity: ServerIdentity, access: SharedAccess) -> Broker {
    let config = BrokerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        cert_pem: identity.chain_pem,
        key_pem: identity.key_pem,
        data_dir: dir.join("broker"),
        hub: Some(hub_credential()),
    };
    iothome_broker::start(config, access).await.unwrap()
}

fn clients_of(broker: &Arc<Broker>) -> AskClients {
    let broker = Arc::downgrade(broker);
    Arc::new(move || {
        let clients = broker.upgrade().map(|b| b.clients()).unwrap_or_default();
        let told = clients.into_iter().map(|client| BrokerClient {
            username: client.username,
            client_id: client.client_id,
            address: client.address.to_string(),
            since: client.connected_at,
        });
        told.collect()
    })
}

fn hub_config(broker: SocketAddr, fingerprint: Fingerprint, access: SharedAccess) -> HubConfig {
    HubConfig {
        mqtt: MqttConfig {
            host: "127.0.0.1".into(),
            port: broker.port(),
            username: Some("hub".into()),
            password: Some(HUB_PASSWORD.into()),
            tls: pinned_client(&[fingerprint]),
            client_id: "hub-of-a-test".into(),
            keep_alive_s: 30,
        },
        broker_address: broker.to_string(),
        managed: true,
        discovery: DiscoveryMode::Ask,
        discovery_prefix: "homeassistant".into(),
        access,
        cut: None,
        dynsec: None,
        sha256: Some(fingerprint.to_string()),
        sha1: Some("not told".into()),
        seen: iothome_tls::Seen::default(),
        password_workers: 2,
        scheduling: iothome_actors::Scheduling::default(),
    }
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
pub(crate) async fn until<F, Fut>(what: &str, mut so: F)
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
pub(crate) fn assert_problem(answer: &Answer, status: u16, what: &str) -> Value {
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
