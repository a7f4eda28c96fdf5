//! The broker: in reach, the one that is trusted, and it lets the hub in.
//!
//! Owner of these lines of the report, and of the one packet that asks. A visit ends
//! right after the answer, under a client id of its own, so that it disturbs nobody.

use super::Report;
use crate::error::StartError;
use crate::secrets;
use crate::settings::{BrokerChoice, BrokerTrust, MqttUrl, Settings};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// A broker that needs longer than this is as good as away.
const WITHIN: Duration = Duration::from_secs(5);
const PART: &str = "broker";

pub(super) fn look(
    report: &mut Report,
    settings: &Settings,
    is_running: bool,
) -> Result<(), StartError> {
    match &settings.broker {
        BrokerChoice::Embedded(_) if !is_running => {
            report.ok(PART, "it is the hub's own, which is not running");
        }
        BrokerChoice::Embedded(bind) => {
            let host = crate::broker_side::reachable_here(bind.address).to_string();
            let pem = settings.data_dir.join("tls/broker.pem");
            let pin = std::fs::read_to_string(&pem)
                .map_err(|e| e.to_string())
                .and_then(|pem| iothome_tls::fingerprints_of_pem(&pem).map_err(|e| e.to_string()));
            let visit = pin.and_then(|pin| {
                let tls = iothome_tls::pinned_client(&[pin.sha256]);
                open(&host, bind.address.port(), &tls).map(|_| ())
            });
            match visit {
                Ok(()) => report.ok(PART, "the hub's own shows the certificate that devices pin"),
                Err(problem) => report.fault(
                    PART,
                    format!("the hub's own does not show its certificate: {problem}"),
                    "after `iothome cert switch` it shows the new one from its next start on: restart the hub",
                ),
            }
        }
        BrokerChoice::Given { url, trust, .. } => {
            let place = format!("{}:{}", url.host, url.port);
            let answer = match client(trust) {
                Ok(tls) => open(&url.host, url.port, &tls).and_then(|stream| sign_in(stream, url)),
                Err(problem) => Err(problem),
            };
            match answer {
                Ok(0) => report.ok(PART, format!("{place} lets the hub in")),
                Ok(4 | 5) => report.fault(
                    PART,
                    format!("{place} refuses the hub's user name or password"),
                    "check the user and password in IOTHOME_MQTT_URL and the broker's accounts",
                ),
                Ok(code) => report.fault(
                    PART,
                    format!("{place} refuses the hub with code {code}"),
                    "see the broker's log",
                ),
                Err(problem) => report.fault(
                    PART,
                    format!("{place}: {problem}"),
                    "check that the broker runs, IOTHOME_MQTT_URL, and IOTHOME_MQTT_FINGERPRINT or IOTHOME_MQTT_CA",
                ),
            }
        }
    }
    Ok(())
}

fn client(trust: &BrokerTrust) -> Result<Arc<ClientConfig>, String> {
    match trust {
        BrokerTrust::Fingerprints(pins) => Ok(iothome_tls::pinned_client(pins)),
        BrokerTrust::Ca(path) => {
            let pem = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
            iothome_tls::ca_client(&pem).map_err(|e| e.to_string())
        }
        BrokerTrust::System => iothome_tls::system_client().map_err(|e| e.to_string()),
    }
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A connection whose certificate was checked.
fn open(host: &str, port: u16, tls: &Arc<ClientConfig>) -> Result<Stream, String> {
    let addresses = (host, port)
        .to_socket_addrs()
        .map_err(|e| format!("no address: {e}"))?;
    let mut problem = "no address".to_owned();
    for address in addresses {
        let stream = match TcpStream::connect_timeout(&address, WITHIN) {
            Ok(stream) => stream,
            Err(error) => {
                problem = error.to_string();
                continue;
            }
        };
        let bounded = stream
            .set_read_timeout(Some(WITHIN))
            .and_then(|()| stream.set_write_timeout(Some(WITHIN)));
        bounded.map_err(|e| e.to_string())?;
        let name = host
            .to_owned()
            .try_into()
            .map_err(|_| format!("{host:?} is no host name"))?;
        let session = ClientConnection::new(Arc::clone(tls), name).map_err(|e| e.to_string())?;
        let mut stream = StreamOwned::new(session, stream);
        while stream.conn.is_handshaking() {
            let done = stream.conn.complete_io(&mut stream.sock);
            done.map_err(|e| format!("its certificate is not accepted: {e}"))?;
        }
        return Ok(stream);
    }
    Err(problem)
}

/// Says who we are; gives the code of the answer (MQTT 3.1.1, section 3.2.2.3).
fn sign_in(mut stream: Stream, url: &MqttUrl) -> Result<u8, String> {
    let password = url.password.as_ref().map(|p| p.expose());
    let token = secrets::token().map_err(|e| e.to_string())?;
    let packet = connect(
        &format!("iothome-doctor-{}", &token[..8]),
        url.username.as_deref(),
        password,
    )?;
    stream.write_all(&packet).map_err(|e| e.to_string())?;
    let mut answer = [0; 4];
    stream
        .read_exact(&mut answer)
        .map_err(|e| format!("no answer: {e}"))?;
    // DISCONNECT, so that the broker does not think that we were lost.
    let _ = stream.write_all(&[0xe0, 0]);
    match answer {
        [0x20, 2, _, code] => Ok(code),
        _ => Err("it does not speak MQTT".to_owned()),
    }
}

/// CONNECT with a clean session (section 3.1).
fn connect(id: &str, user: Option<&str>, password: Option<&str>) -> Result<Vec<u8>, String> {
    let too_long = || "the user name or password is too long for MQTT".to_owned();
    let mut flags = 0x02;
    let mut rest = Vec::new();
    for (text, flag) in [(Some(id), 0), (user, 0x80), (password, 0x40)] {
        let Some(text) = text else { continue };
        flags |= flag;
        let length = u16::try_from(text.len()).map_err(|_| too_long())?;
        rest.extend(length.to_be_bytes());
        rest.extend(text.as_bytes());
    }
    let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 4, flags, 0, 10];
    body.extend(rest);
    let mut packet = vec![0x10];
    let mut left = body.len();
    // Seven bits a byte, the lowest first; at most four bytes hold all that fits above.
    loop {
        let low = u8::try_from(left % 128).unwrap_or(0);
        left /= 128;
        packet.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    packet.extend(body);
    Ok(packet)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    #[test]
    fn the_packet_is_as_the_standard_says() {
        let packet = connect("a", Some("u"), Some("pw")).unwrap();
        let expected = [
            0x10, 20, 0, 4, b'M', b'Q', b'T', b'T', 4, 0xc2, 0, 10, 0, 1, b'a', 0, 1, b'u', 0, 2,
            b'p', b'w',
        ];
        assert_eq!(packet, expected);
        let long = connect("a", Some("u"), Some(&"p".repeat(200))).unwrap();
        assert_eq!(
            usize::from(long[1] & 0x7f) + usize::from(long[2]) * 128,
            long.len() - 3
        );
    }
}
