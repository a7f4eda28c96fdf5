//! The MQTT side against a broker that breaks the rules: it replays a retained message larger
//! than the hub said it takes, at every connection.

use super::rig::{Rig, acknowledged, config};
use super::*;
use iothome_tls::{Fingerprint, pinned_client, server_config};
use std::sync::atomic::AtomicUsize;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const LARGE: usize = 300 * 1024;

struct Careless {
    port: u16,
    tls: Arc<rustls::ClientConfig>,
    connections: Arc<AtomicUsize>,
    _folder: TempDir,
}

impl Careless {
    async fn start() -> Self {
        iothome_tls::install_provider();
        let folder = tempfile::tempdir().expect("a folder");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
        let (cert, key) = (folder.path().join("cert"), folder.path().join("key"));
        std::fs::write(&cert, made.cert.pem()).expect("written");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
        let acceptor = TlsAcceptor::from(server_config(&cert, &key).expect("read"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move { while serve(&mut stream).await.is_some() {} });
            }
        });
        Self {
            port,
            tls: pinned_client(&[Fingerprint::of(made.cert.der())]),
            connections,
            _folder: folder,
        }
    }
}

/// Answers one packet; `None` when the connection ends.
async fn serve(stream: &mut TlsStream<TcpStream>) -> Option<()> {
    let first = stream.read_u8().await.ok()?;
    let mut body = vec![0; read_length(stream).await?];
    stream.read_exact(&mut body).await.ok()?;
    let number = [*body.first().unwrap_or(&0), *body.get(1).unwrap_or(&0)];
    let mut answer = Vec::new();
    match first >> 4 {
        1 => answer.extend([0x20, 3, 0, 0, 0]),
        3 if first & 6 == 2 => {
            let topic = usize::from(u16::from_be_bytes(number));
            answer.extend([0x40, 2, body[2 + topic], body[3 + topic]]);
        }
        8 => {
            answer.extend([0x90, 4, number[0], number[1], 0, 1]);
            if String::from_utf8_lossy(&body).contains("lamp/state") {
                answer.extend(publish("lamp/state", &vec![b'x'; LARGE]));
                answer.extend(publish("lamp/other", b"ON"));
            }
        }
        12 => answer.extend([0xd0, 0]),
        _ => {}
    }
    stream.write_all(&answer).await.ok()?;
    stream.flush().await.ok()
}

async fn read_length(stream: &mut TlsStream<TcpStream>) -> Option<usize> {
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let byte = stream.read_u8().await.ok()?;
        length |= usize::from(byte & 127) << shift;
        if byte < 128 {
            break;
        }
    }
    Some(length)
}

/// A retained publish packet of quality 0.
fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut length = 2 + topic.len() + 1 + payload.len();
    let mut packet = vec![0x31];
    while length >= 128 {
        packet.push((length % 128) as u8 | 128);
        length /= 128;
    }
    packet.push(length as u8);
    packet.extend((topic.len() as u16).to_be_bytes());
    packet.extend(topic.as_bytes());
    packet.push(0);
    packet.extend(payload);
    packet
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packet_larger_than_agreed_costs_one_connection_and_is_then_dropped() {
    let broker = Careless::start().await;
    let mut rig = Rig::start_with(config(broker.tls.clone(), broker.port)).await;
    let mut lamp = rig.listen("lamp", &["lamp/state", "lamp/other"]);
    let message = lamp.next().await;
    assert_eq!(&*message.topic, "lamp/other");
    let command = rig.publish("lamp/set", "ON", 60_000);
    rig.until(&acknowledged(command)).await;
    assert_eq!(broker.connections.load(Ordering::SeqCst), 2);
    let status = rig.mqtt.status();
    assert!(status.connected);
    assert!(status.dropped >= 1, "the large one is counted");
}
