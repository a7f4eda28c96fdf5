//! The web door's settings, and what the banner says of it.
//!
//! Owner of which names, certificate and addresses the web door gets.

use crate::banner::Banner;
use crate::broker_side::{BrokerSide, reachable_here};
use crate::error::StartError;
use crate::run::Place;
use crate::settings::{BalenaDevice, BrokerChoice, Mode};
use crate::{metrics_help, names, ports};
use iothome_engine::time::Timestamp;
use iothome_http::{AskCertificates, Certificate, CertificateRole, Web, WebConfig};
use iothome_tls::ServerIdentity;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Bounds of the histograms, in seconds: from a report's microseconds to a command's minute.
const BUCKETS: [f64; 14] = [
    0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 60.0,
];

/// Bounds of the histograms that count: up to the journal's largest batch.
const COUNTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Starts counting.
pub(crate) fn metrics() -> Result<PrometheusHandle, StartError> {
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS)
        .and_then(|b| b.set_buckets_for_metric(Matcher::Suffix("_batch_size".to_owned()), &COUNTS))
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|e| StartError::Other(format!("metrics cannot be counted: {e}")))?;
    metrics_help::describe();
    Ok(handle)
}

/// What the web door is told; the set-up code is added when the database is open.
pub(crate) fn config(place: &Place) -> Result<WebConfig, StartError> {
    let settings = &place.settings;
    let (cert, key) = match &settings.certificate {
        Some(own) => (own.cert.clone(), own.key.clone()),
        None => {
            let identity = place.authority.web()?;
            (identity.chain_pem, identity.key_pem)
        }
    };
    let https = match &settings.https {
        Some(bind) => Some((
            ports::choose(bind)?,
            iothome_tls::server_config(&cert, &key)?,
        )),
        None => None,
    };
    let mut hosts = names::of(settings);
    if let Some(own) = &settings.certificate
        && let Ok(pem) = std::fs::read_to_string(&own.cert)
    {
        hosts.extend(iothome_tls::names_of_pem(&pem)?);
    }
    let outside = settings.balena.as_ref().map(BalenaDevice::public_host);
    // A host, but no name of the certificate: balena shows its own.
    hosts.extend(outside.clone());
    Ok(WebConfig {
        http: settings.http.as_ref().map(ports::choose).transpose()?,
        https,
        public_url: settings.public_url.clone(),
        names: hosts,
        trusted_proxies: settings.trusted_proxies.clone(),
        setup_local_only: settings.setup_local_only,
        outside_host: outside,
        metrics_token: settings
            .metrics_token
            .as_ref()
            .map(|t| t.expose().to_owned()),
        demo: settings.mode == Mode::Demo,
        ca_pem: Some(place.authority.ca_pem().as_bytes().to_vec()),
        own_certificate: settings.certificate.is_some(),
        prometheus: Some(place.prometheus.clone()),
        warnings: place.warnings.clone(),
        log: Some(place.log.clone()),
        certificates: Some(certificates(place)),
        ..WebConfig::default()
    })
}

/// Reads the certificates anew each time, since the web certificate renews by itself and the
/// broker's may be prepared on the command line.
fn certificates(place: &Place) -> AskCertificates {
    let authority = Arc::clone(&place.authority);
    let own = place
        .settings
        .certificate
        .as_ref()
        .map(|own| own.cert.clone());
    let embedded = matches!(place.settings.broker, BrokerChoice::Embedded(_));
    Arc::new(move || {
        let web = match &own {
            Some(path) => std::fs::read_to_string(path)
                .ok()
                .and_then(|pem| of_pem(CertificateRole::Web, &pem)),
            None => authority
                .web()
                .ok()
                .map(|web| of(CertificateRole::Web, web)),
        };
        let broker = authority.broker().ok().filter(|_| embedded);
        let next = authority.next_broker().ok().flatten().filter(|_| embedded);
        let all = [
            web,
            broker.map(|broker| of(CertificateRole::Broker, broker)),
            next.map(|next| of(CertificateRole::NextBroker, next)),
            of_pem(CertificateRole::Authority, authority.ca_pem()),
        ];
        all.into_iter().flatten().collect()
    })
}

fn of(role: CertificateRole, identity: ServerIdentity) -> Certificate {
    Certificate {
        role,
        ends_at: instant(identity.not_after),
        sha256: identity.fingerprints.sha256.to_string(),
        sha1: identity.fingerprints.sha1,
    }
}

fn of_pem(role: CertificateRole, pem: &str) -> Option<Certificate> {
    let prints = iothome_tls::fingerprints_of_pem(pem).ok()?;
    Some(Certificate {
        role,
        ends_at: instant(iothome_tls::end_of_pem(pem).ok()?),
        sha256: prints.sha256.to_string(),
        sha1: prints.sha1,
    })
}

fn instant(at: SystemTime) -> Timestamp {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// What is told once everything listens.
pub(crate) fn banner(
    place: &Place,
    web: &Web,
    side: &BrokerSide,
    config: &WebConfig,
) -> Result<Banner, StartError> {
    let own_address = |scheme: &str, at: SocketAddr| {
        let here = SocketAddr::new(reachable_here(at), at.port());
        format!("{scheme}://{here}")
    };
    // Where a proxy shows the house's certificate, people come by the proxy.
    let behind_proxy = place.settings.web_tls_export.is_some();
    let url = place
        .settings
        .public_url
        .clone()
        .or_else(|| behind_proxy.then(|| "https://localhost".to_owned()))
        .or_else(|| web.http.map(|at| own_address("http", at)))
        .or_else(|| web.https.map(|at| own_address("https", at)));
    let shows_own_ca = web.https.is_some() && place.settings.certificate.is_none();
    Ok(Banner {
        url: url.unwrap_or_default(),
        setup_code: config.setup_code.clone(),
        broker: Some(side.address.clone()),
        sha256: side.sha256.map(|f| f.to_string()),
        sha1: side.sha1.clone(),
        ca: Some(place.authority.ca_path().display().to_string()),
        data_dir: place.dir.path().display().to_string(),
        lan: match web.https {
            Some(https) => lan(https),
            None if behind_proxy => vec!["https://<address of this machine>".to_owned()],
            None => Vec::new(),
        },
        web_sha256: shows_own_ca
            .then(|| {
                place
                    .authority
                    .web()
                    .map(|w| w.fingerprints.sha256.to_string())
            })
            .transpose()?,
        ..Banner::default()
    })
}

/// The addresses a phone can open.
fn lan(https: SocketAddr) -> Vec<String> {
    let address = |ip| format!("https://{}", SocketAddr::new(ip, https.port()));
    if https.ip().is_unspecified() {
        let found = names::addresses().into_iter();
        return found.filter(|ip| ip.is_ipv4()).map(address).collect();
    }
    vec![address(https.ip())]
}
