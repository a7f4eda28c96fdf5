//! `iothome health`: asks a running hub whether it is ready, for containers and scripts.
//!
//! Owner of that one question. It must never open the database: it looks from outside.

use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::settings::{Bind, Settings};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// A hub that needs longer than this to say that it is well is not.
const WITHIN: Duration = Duration::from_secs(3);
/// The head and a short body; whatever else comes is not read.
const ANSWER_MAX: u64 = 16 * 1024;

/// Succeeds if the hub answers `200` on `/health/ready`.
pub(crate) fn ask(settings: &Settings) -> Result<String, StartError> {
    let answer = match (&settings.http, &settings.https) {
        (Some(http), _) => plain(http),
        (None, Some(https)) => encrypted(https, settings),
        (None, None) => return Err(unwell("it listens nowhere")),
    };
    let answer = answer.map_err(|problem| unwell(&problem))?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    if status == "200" {
        return Ok("ready".to_owned());
    }
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Err(unwell(&format!("it answers {status} {}", body.trim())))
}

fn unwell(problem: &str) -> StartError {
    StartError::Other(format!("the hub is not ready: {problem}"))
}

/// Where a listener on all addresses is reached from here.
fn here(bind: &Bind) -> SocketAddr {
    let ip = match bind.address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.address.port())
}

fn connect(bind: &Bind) -> Result<TcpStream, String> {
    let address = here(bind);
    let stream =
        TcpStream::connect_timeout(&address, WITHIN).map_err(|e| format!("{address}: {e}"))?;
    let bounded = stream
        .set_read_timeout(Some(WITHIN))
        .and_then(|()| stream.set_write_timeout(Some(WITHIN)));
    bounded.map_err(|e| e.to_string())?;
    Ok(stream)
}

fn plain(bind: &Bind) -> Result<String, String> {
    converse(connect(bind)?, here(bind))
}

/// Over HTTPS the hub's own certificate is pinned, so the name does not matter.
fn encrypted(bind: &Bind, settings: &Settings) -> Result<String, String> {
    let chain = match &settings.certificate {
        Some(own) => own.cert.clone(),
        None => DataDir::visit(&settings.data_dir)
            .map_err(|e| e.to_string())?
            .tls()
            .join("web.pem"),
    };
    let pem = std::fs::read_to_string(&chain).map_err(|e| format!("{}: {e}", chain.display()))?;
    let pin = iothome_tls::fingerprints_of_pem(&pem).map_err(|e| e.to_string())?;
    let config = iothome_tls::pinned_client(&[pin.sha256]);
    let name = here(bind).ip().into();
    let session = rustls::ClientConnection::new(Arc::clone(&config), name);
    let session = session.map_err(|e| e.to_string())?;
    converse(
        rustls::StreamOwned::new(session, connect(bind)?),
        here(bind),
    )
}

fn converse(mut stream: impl Read + Write, host: SocketAddr) -> Result<String, String> {
    let question =
        format!("GET /health/ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream
        .write_all(question.as_bytes())
        .map_err(|e| e.to_string())?;
    let mut answer = Vec::new();
    // A server that closes without a TLS goodbye has still said what it said.
    let read = stream.take(ANSWER_MAX).read_to_end(&mut answer);
    if answer.is_empty() {
        return Err(read.map_or_else(|e| e.to_string(), |_| "no answer".to_owned()));
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
