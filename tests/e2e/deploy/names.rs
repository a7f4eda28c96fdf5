//! The name server that Docker gives every container, at 127.0.0.11.
//!
//! Owner of names in the networks. A service finds those that share a network with it, and
//! nobody else.

use super::compose::Service;
use super::stage::{address, role, within};
use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};

const SERVERS: [&str; 4] = ["nginx", "hub", "mosquitto", "postgres"];
const HEADER: usize = 12;
const TYPE_A: [u8; 2] = [0, 1];
const NO_SUCH_NAME: u8 = 3;

/// Answers in the namespace of `service` as long as the test runs.
pub(super) fn answer_in(service: &str) {
    let names = names_of(service);
    let socket = within(service, || UdpSocket::bind("127.0.0.11:53"));
    let socket = socket.expect("nobody else answers there");
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question) {
            if let Some(answer) = answer(&question[..length], &names) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
}

/// Who is found by name from there, and under which address.
fn names_of(service: &str) -> BTreeMap<String, IpAddr> {
    let own = Service::of(role(service)).networks();
    let found = SERVERS.iter().filter_map(|name| {
        let theirs = Service::of(name).networks();
        let shared = own.iter().find(|network| theirs.contains(network))?;
        Some(((*name).to_owned(), address(name, shared)))
    });
    found.collect()
}

/// One answer to one question (RFC 1035, section 4).
fn answer(question: &[u8], names: &BTreeMap<String, IpAddr>) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        name.push(String::from_utf8_lossy(question.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = question.get(at..at + 2)?;
    let known = names.get(&name.join("."));
    let address = known.filter(|_| kind == TYPE_A);
    let mut answer = question.get(..2)?.to_vec();
    let code = if known.is_some() { 0 } else { NO_SUCH_NAME };
    answer.extend([
        0x81,
        0x80 | code,
        0,
        1,
        0,
        u8::from(address.is_some()),
        0,
        0,
        0,
        0,
    ]);
    answer.extend(question.get(HEADER..at + 4)?);
    if let Some(IpAddr::V4(address)) = address {
        // The name is that of the question; class IN; for 5 s; four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}
