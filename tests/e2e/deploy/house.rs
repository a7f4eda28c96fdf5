//! The house as it is deployed: every service of `docker-compose.yml`, in its networks.
//!
//! Owner of the services and of who is asked how from outside.

use super::image::Image;
use super::service::Contained;
use super::stage::{HOME, address};
use super::{names, stage};
use crate::support::api::Api;
use crate::support::device::Door;
use crate::support::eventually;
use reqwest::Client;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// What the household types, and the certificate names.
pub(super) const NAME: &str = "home.test";
/// Nginx's own ports; 80 and 443 are published to them.
pub(super) const PLAIN: u16 = 8080;
pub(super) const TLS: u16 = 8443;
pub(super) const BROKER: u16 = 8883;

/// A running house.
pub(super) struct House {
    folder: PathBuf,
    pub(super) postgres: Contained,
    pub(super) mosquitto: Contained,
    pub(super) nginx: Contained,
    pub(super) hub: Contained,
    pub(super) standby: Contained,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl House {
    /// Builds everything from nothing and waits until the hub is ready; the standby waits its turn.
    pub(super) async fn build(folder: PathBuf) -> Self {
        stage::build();
        for service in ["nginx", "hub", "mosquitto", "postgres", "standby"] {
            names::answer_in(service);
        }
        let hub = [("IOTHOME_NAMES", NAME), ("IOTHOME_LOG", "info")];
        let image = Image::build("hub", &folder);
        let made =
            |name, more: &[_]| Contained::new(name, &Image::build(name, &folder), &folder, more);
        let init = Contained::new("init", &image, &folder, &[]);
        let mut house = Self {
            postgres: made("postgres", &[]),
            mosquitto: made("mosquitto", &[]),
            nginx: made("nginx", &[("LOOK_EVERY_S", "1")]),
            hub: Contained::new("hub", &image, &folder, &hub),
            standby: Contained::new("standby", &image, &folder, &hub),
            folder,
        };
        assert!(init.run_once().contains("Made certificates"));
        assert_eq!(init.run_once().trim(), "Nothing to do.");
        house.mosquitto.start();
        house.nginx.start();
        house.postgres.start();
        // A hub that finds no database at its start ends, and is started again.
        eventually("the database is there", || async {
            house.postgres.is_healthy().then_some(())
        })
        .await;
        house.hub.start();
        // A worker with the first certificate, which lacks the household's name, may answer a
        // moment longer than the new one has begun to.
        for _ in 0..10 {
            house.until_ready().await;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        house
    }

    /// A volume's folder.
    pub(super) fn volume(&self, name: &str) -> PathBuf {
        self.folder.join("volumes").join(name)
    }

    /// Waits until a visitor at home sees a hub that is ready, with the certificate trusted.
    pub(super) async fn until_ready(&self) {
        eventually("the hub is ready behind Nginx", || async {
            let client = self.visitor(HOME);
            let reply = ask(&client, "/health/ready").await?;
            (reply.status == 200).then_some(())
        })
        .await;
    }

    /// Waits until every service says that it is well, in the way that Docker asks.
    pub(super) async fn until_healthy(&self) {
        for service in [&self.postgres, &self.mosquitto, &self.nginx, &self.hub] {
            eventually(&format!("{} is healthy", service.name()), || async {
                service.is_healthy().then_some(())
            })
            .await;
        }
    }

    /// Waits until the second hub says that it waits for the first.
    pub(super) async fn until_stands_by(&self) {
        let ready = format!("http://{}:8080/health/ready", address("standby", "edge"));
        eventually("the second hub stands by", || async {
            let told = reply(Client::new().get(&ready)).await?;
            (told.status == 503 && told.text.contains("standby")).then_some(())
        })
        .await;
    }

    /// A browser or program at that address, which trusts the house's authority and nobody else.
    pub(super) fn visitor(&self, from: Ipv4Addr) -> Client {
        iothome_tls::install_provider();
        let pem = std::fs::read(self.volume("hub-data").join("tls/ca.pem"));
        let ca = reqwest::Certificate::from_pem(&pem.expect("the authority's certificate"));
        let nginx = SocketAddr::new(address("nginx", "edge"), TLS);
        Client::builder()
            .tls_certs_only([ca.expect("a certificate")])
            .resolve(NAME, nginx)
            .local_address(IpAddr::V4(from))
            .redirect(reqwest::redirect::Policy::none())
            .cookie_store(true)
            // Nginx may end idle connections when it loads a new certificate.
            .pool_max_idle_per_host(0)
            .build()
            .expect("an HTTP client")
    }

    /// The code that a person reads in the hub's log.
    pub(super) fn setup_code(&self) -> String {
        let log = self.hub.log();
        let line = log
            .lines()
            .find_map(|l| l.trim().strip_prefix("Set-up code"));
        line.expect("the log shows the code").trim().to_owned()
    }

    /// Sets the house up through Nginx and signs the first administrator in.
    pub(super) async fn set_up(&self) -> Api {
        let api = Api::at(self.visitor(HOME), &base());
        let (status, body) = api
            .post(
                "/api/v1/setup",
                json!({"code": self.setup_code(), "home": "Test home", "zone": "Europe/Berlin",
                       "latitude": 52.5, "longitude": 13.4,
                       "username": "adam", "password": "correct horse battery"}),
            )
            .await;
        assert!(status.is_success(), "set-up: {status} {body}");
        api.sign_in("adam", "correct horse battery").await
    }

    /// Where a device comes in, with the fingerprint that the hub shows for it to pin.
    pub(super) async fn door(&self, api: &Api, credential: &Value) -> Door {
        let pem = std::fs::read_to_string(self.volume("mosquitto-secrets").join("broker.pem"));
        let prints = iothome_tls::fingerprints_of_pem(&pem.expect("the broker's certificate"));
        let sha256 = prints.expect("a certificate").sha256.to_string();
        let (_, broker) = api.get("/api/v1/broker").await;
        assert_eq!(broker["sha256"], sha256.as_str(), "{broker}");
        let text = |key: &str| {
            credential[key]
                .as_str()
                .expect("the hub makes it")
                .to_owned()
        };
        Door {
            host: address("mosquitto", "devices").to_string(),
            port: BROKER,
            sha256,
            username: text("username"),
            password: text("password"),
        }
    }

    /// One line of SQL as the hub's own role, over the network of the database.
    pub(super) fn sql(&self, query: &str) -> String {
        let url = std::fs::read_to_string(self.volume("hub-secrets").join("database_url"));
        let url = url.expect("the hub's secret");
        let there = address("postgres", "data").to_string();
        let url = url.trim().replace("@postgres:", &format!("@{there}:"));
        let arguments = ["netns", "exec", "hub", "psql", &url, "-qAtc", query];
        super::apart::run("ip", &arguments).trim().to_owned()
    }
}

/// The address that people type.
pub(super) fn base() -> String {
    format!("https://{NAME}:{TLS}")
}

/// GET over HTTPS; `None` while there is no answer.
pub(super) async fn ask(client: &Client, path: &str) -> Option<Reply> {
    reply(client.get(format!("{}{path}", base()))).await
}

/// Sends it and reads everything.
pub(super) async fn reply(request: reqwest::RequestBuilder) -> Option<Reply> {
    let response = request.send().await.ok()?;
    Some(Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.ok()?,
    })
}

/// Whether a connection from the namespace of `service` comes about.
pub(super) fn reaches(service: &str, to: SocketAddr) -> bool {
    let patience = std::time::Duration::from_secs(2);
    stage::within(service, move || {
        std::net::TcpStream::connect_timeout(&to, patience).is_ok()
    })
}

impl Reply {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or_default()
    }
}

/// The file that a path of the image has in the sources.
pub(super) fn source(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}
