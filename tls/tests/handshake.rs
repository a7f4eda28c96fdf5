//! Real handshakes: who gets to talk to whom.
#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use iothome_tls::{
    Authority, Fingerprint, Seen, Trust, ca_client, fingerprints_of_pem, names_of_pem,
    pinned_client, server_config, watched_client,
};
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use std::sync::Arc;
use std::time::SystemTime;

/// Shuttles the handshake's bytes between both ends; `Err` is the client's refusal.
fn shake(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
    host: &str,
) -> Result<(), rustls::Error> {
    let mut server = ServerConnection::new(Arc::clone(server))?;
    let name = host.to_owned().try_into().unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name)?;
    // Ten rounds are more than any TLS handshake needs.
    for _ in 0..10 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
        if !client.is_handshaking() && !server.is_handshaking() {
            return Ok(());
        }
    }
    panic!("the handshake does not end");
}

struct Ends {
    _dir: tempfile::TempDir,
    authority: Authority,
    server: Arc<ServerConfig>,
}

fn ends() -> Ends {
    let dir = tempfile::tempdir().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let authority =
        Authority::open_or_create(&dir.path().join("tls"), &names, SystemTime::now()).unwrap();
    let broker = authority.broker().unwrap();
    let server = server_config(&broker.chain_pem, &broker.key_pem).unwrap();
    Ends {
        _dir: dir,
        authority,
        server,
    }
}

#[test]
fn the_right_pin_is_let_in_under_any_name_and_a_wrong_one_is_refused() {
    let ends = ends();
    let right = ends.authority.broker().unwrap().fingerprints.sha256;
    let wrong = Fingerprint::of(b"another certificate");
    let accept = |pins: &[Fingerprint]| shake(&ends.server, &pinned_client(pins), "any.example");
    assert_eq!(accept(&[right]), Ok(()));
    assert_eq!(accept(&[wrong, right]), Ok(()));
    assert!(accept(&[wrong]).is_err());
    assert!(accept(&[]).is_err());
}

#[test]
fn the_leaf_of_an_accepted_handshake_is_seen_and_that_of_a_refused_one_is_not() {
    let ends = ends();
    let prints = ends.authority.broker().unwrap().fingerprints;
    let ca = ends.authority.ca_pem().as_bytes();
    for (trust, host, right) in [
        (Trust::Pins(&[prints.sha256]), "any.example", true),
        (
            Trust::Pins(&[Fingerprint::of(b"another")]),
            "localhost",
            false,
        ),
        (Trust::Ca(ca), "localhost", true),
        (Trust::Ca(ca), "evil.example", false),
    ] {
        let seen = Seen::default();
        let client = watched_client(&trust, &seen).unwrap();
        assert_eq!(shake(&ends.server, &client, host).is_ok(), right);
        assert_eq!(seen.last(), right.then(|| prints.clone()));
    }
}

#[test]
fn the_homes_ca_is_enough_for_the_names_in_the_certificate_and_no_others() {
    let ends = ends();
    let client = ca_client(ends.authority.ca_pem().as_bytes()).unwrap();
    assert_eq!(shake(&ends.server, &client, "localhost"), Ok(()));
    assert_eq!(shake(&ends.server, &client, "127.0.0.1"), Ok(()));
    assert!(shake(&ends.server, &client, "evil.example").is_err());
}

#[test]
fn another_homes_ca_is_refused() {
    let (ours, theirs) = (ends(), ends());
    let client = ca_client(theirs.authority.ca_pem().as_bytes()).unwrap();
    assert!(shake(&ours.server, &client, "localhost").is_err());
    assert!(ca_client(b"no certificate here").is_err());
}

#[test]
fn a_pem_text_tells_its_fingerprints_and_names() {
    let ends = ends();
    let broker = ends.authority.broker().unwrap();
    let pem = std::fs::read_to_string(broker.chain_pem).unwrap();
    assert_eq!(fingerprints_of_pem(&pem).unwrap(), broker.fingerprints);
    assert_eq!(names_of_pem(&pem).unwrap(), ["127.0.0.1", "localhost"]);
    assert!(fingerprints_of_pem("nothing").is_err());
}
