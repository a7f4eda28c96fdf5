//! What the web door is told when it opens.
//!
//! Owner of the settings of this crate as values. It must never read the
//! environment or a file.

use crate::door::origin::PublicUrl;
use crate::error::WebError;
use crate::log_filter::LogFilter;
use crate::warnings::Warnings;
use iothome_engine::time::Timestamp;
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::SocketAddr;
use std::sync::Arc;

/// A client that is connected to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerClient {
    /// The broker user it came in with.
    pub username: String,
    /// Its MQTT client id.
    pub client_id: String,
    /// Where it comes from.
    pub address: String,
    /// Since when.
    pub since: Timestamp,
}

/// Which certificate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateRole {
    /// The web door's.
    Web,
    /// The broker's: firmware pins it.
    Broker,
    /// The one that will follow the broker's.
    NextBroker,
    /// The hub's own certificate authority.
    Authority,
}

impl CertificateRole {
    /// The word in REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Broker => "broker",
            Self::NextBroker => "next_broker",
            Self::Authority => "authority",
        }
    }
}

/// A certificate as people compare and renew it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Which one.
    pub role: CertificateRole,
    /// When it ends.
    pub ends_at: Timestamp,
    /// SHA-256 of it.
    pub sha256: String,
    /// SHA-1 of it.
    pub sha1: String,
}

/// Tells who is connected to the broker, when asked.
pub type AskClients = Arc<dyn Fn() -> Vec<BrokerClient> + Send + Sync>;

/// Reads the certificates, when asked; it may read files.
pub type AskCertificates = Arc<dyn Fn() -> Vec<Certificate> + Send + Sync>;

/// Settings of the web server.
#[derive(Clone)]
pub struct WebConfig {
    /// Where to listen for plain HTTP; port 0 takes a free one.
    pub http: Option<SocketAddr>,
    /// Where to listen for HTTPS, with the certificate to show.
    pub https: Option<(SocketAddr, Arc<rustls::ServerConfig>)>,
    /// The address people use, if a proxy or a name stands before the hub.
    pub public_url: Option<String>,
    /// Names and addresses that may stand in the `Host` header (without port).
    pub names: Vec<String>,
    /// Peers whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// What opens `/metrics` as a Bearer token.
    pub metrics_token: Option<String>,
    /// The one-time code that opens set-up; `None` leaves set-up closed.
    pub setup_code: Option<String>,
    /// Whether set-up is for private addresses only, and not for `outside_host`.
    pub setup_local_only: bool,
    /// The host name by which the whole world reaches this hub, if there is one.
    pub outside_host: Option<String>,
    /// Whether this is the demo (pages say so).
    pub demo: bool,
    /// The hub's own CA for `/ca.crt`.
    pub ca_pem: Option<Vec<u8>>,
    /// Whether the certificate is the user's own, so that browsers may be told to insist on HTTPS.
    pub own_certificate: bool,
    /// What renders `/metrics`.
    pub prometheus: Option<PrometheusHandle>,
    /// Who is connected to the broker; `None` where the hub cannot know.
    pub broker_clients: Option<AskClients>,
    /// The certificates of the house; `None` where nobody keeps any.
    pub certificates: Option<AskCertificates>,
    /// What went wrong lately.
    pub warnings: Warnings,
    /// What is logged; `None` where it cannot be changed.
    pub log: Option<LogFilter>,
    /// Sign-ins a minute, per account and per address.
    pub sign_ins_per_minute: u32,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            http: None,
            https: None,
            public_url: None,
            names: Vec::new(),
            trusted_proxies: Vec::new(),
            metrics_token: None,
            setup_code: None,
            setup_local_only: true,
            outside_host: None,
            demo: false,
            ca_pem: None,
            own_certificate: false,
            prometheus: None,
            broker_clients: None,
            certificates: None,
            warnings: Warnings::default(),
            log: None,
            sign_ins_per_minute: crate::auth::throttle::SIGN_INS_PER_MINUTE,
        }
    }
}

impl WebConfig {
    /// Whether the server may start like this.
    pub(crate) fn check(&self) -> Result<Option<PublicUrl>, WebError> {
        if self.http.is_none() && self.https.is_none() {
            return Err(WebError::NoListener);
        }
        if let Some(address) = self.http
            && !address.ip().is_loopback()
            && self.trusted_proxies.is_empty()
        {
            return Err(WebError::PlainHttp(address));
        }
        match &self.public_url {
            None => Ok(None),
            Some(text) => PublicUrl::parse(text)
                .map(Some)
                .ok_or_else(|| WebError::PublicUrl(text.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(address: &str) -> WebConfig {
        WebConfig {
            http: address.parse().ok(),
            ..WebConfig::default()
        }
    }

    #[test]
    fn plain_http_beyond_loopback_needs_a_trusted_proxy_and_the_error_names_the_fix() {
        assert!(http("127.0.0.1:0").check().is_ok());
        assert!(http("[::1]:0").check().is_ok());
        let error = http("0.0.0.0:8080").check().expect_err("beyond loopback");
        assert!(error.to_string().contains("IOTHOME_TRUSTED_PROXIES"));
        let mut behind_proxy = http("0.0.0.0:8080");
        behind_proxy.trusted_proxies = vec!["172.16.0.0/12".parse().expect("a network")];
        assert!(behind_proxy.check().is_ok());
    }

    #[test]
    fn a_door_without_address_or_with_a_bad_public_one_stays_shut() {
        assert!(matches!(
            WebConfig::default().check(),
            Err(WebError::NoListener)
        ));
        let mut config = http("127.0.0.1:0");
        config.public_url = Some("home.example.org".into());
        assert!(matches!(config.check(), Err(WebError::PublicUrl(_))));
    }
}
