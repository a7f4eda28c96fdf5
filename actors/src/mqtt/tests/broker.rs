//! What the tests stand on: a real Mosquitto with TLS, a gate before it that can be
//! shut, and a device that speaks MQTT by itself.

use iothome_tls::{Fingerprint, pinned_client};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use rumqttc::{NetworkOptions, TlsConfiguration, Transport};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const MOSQUITTO: &str = "/usr/sbin/mosquitto";

/// Anything that is waited for comes within this, however busy the machine is.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);

pub(super) struct Mosquitto {
    folder: TempDir,
    child: Option<Child>,
    pub(super) port: u16,
    pub(super) tls: Arc<rustls::ClientConfig>,
}

impl Mosquitto {
    pub(super) async fn start(more: &str) -> Self {
        Self::start_with_acl(more, "topic readwrite #\n").await
    }

    pub(super) async fn start_with_acl(more: &str, acl: &str) -> Self {
        assert!(
            Path::new(MOSQUITTO).exists(),
            "these tests need Mosquitto: apt-get install mosquitto"
        );
        iothome_tls::install_provider();
        let folder = tempfile::tempdir().expect("a folder");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("cert.pem"), made.cert.pem()).expect("written");
        std::fs::write(file("key.pem"), made.signing_key.serialize_pem()).expect("written");
        let port = free_port();
        let config = format!(
            "listener {port} 127.0.0.1\ncertfile {}\nkeyfile {}\nuser root\nset_tcp_nodelay true\n\
             allow_anonymous true\npersistence false\nlog_dest none\nacl_file {}\n{more}\n",
            file("cert.pem").display(),
            file("key.pem").display(),
            file("acl").display(),
        );
        std::fs::write(file("acl"), acl).expect("written");
        std::fs::write(file("mosquitto.conf"), config).expect("written");
        let tls = pinned_client(&[Fingerprint::of(made.cert.der())]);
        let mut broker = Self {
            folder,
            child: None,
            port,
            tls,
        };
        broker.start_again().await;
        broker
    }

    /// `kill -9`: nothing is saved, no connection is closed politely.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(super) async fn start_again(&mut self) {
        let child = Command::new(MOSQUITTO)
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto starts");
        self.child = Some(child);
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("mosquitto does not listen on port {}", self.port);
    }

    /// Stops or resumes the process, as a broker that hangs.
    pub(super) fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        let done = Command::new("kill").args([signal, &id]).status();
        assert!(done.expect("kill runs").success());
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("an address").port()
}

/// What the gate does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Passes them on.
    Open,
    /// Holds them: the other end seems to hang.
    Stalled,
    /// Cuts connections and takes no new ones.
    Shut,
}

/// A TCP proxy before the broker.
pub(super) struct GateKeeper {
    pub(super) port: u16,
    gate: watch::Sender<Gate>,
    task: JoinHandle<()>,
}

impl GateKeeper {
    pub(super) async fn before(broker: &Mosquitto, first: Gate) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (gate, seen) = watch::channel(first);
        let to = broker.port;
        let task = tokio::spawn(async move {
            while let Ok((hub, _)) = listener.accept().await {
                if *seen.borrow() != Gate::Shut {
                    tokio::spawn(pass(hub, to, seen.clone()));
                }
            }
        });
        Self { port, gate, task }
    }

    pub(super) fn set(&self, gate: Gate) {
        self.gate.send_replace(gate);
    }
}

impl Drop for GateKeeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(hub: TcpStream, to: u16, gate: watch::Receiver<Gate>) {
    let Ok(broker) = TcpStream::connect(("127.0.0.1", to)).await else {
        return;
    };
    hub.set_nodelay(true).expect("set");
    broker.set_nodelay(true).expect("set");
    let (from_hub, to_hub) = hub.into_split();
    let (from_broker, to_broker) = broker.into_split();
    let mut shut = gate.clone();
    tokio::select! {
        () = pass_one_way(from_hub, to_broker, gate.clone()) => {}
        () = pass_one_way(from_broker, to_hub, gate) => {}
        _ = shut.wait_for(|gate| *gate == Gate::Shut) => {}
    }
}

/// Looks at the gate after reading: what was sent after it was stalled never passes.
async fn pass_one_way(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut gate: watch::Receiver<Gate>,
) {
    let mut bytes = vec![0; 65_536];
    loop {
        let Ok(n @ 1..) = from.read(&mut bytes).await else {
            return;
        };
        if gate.wait_for(|gate| *gate != Gate::Stalled).await.is_err()
            || *gate.borrow() == Gate::Shut
            || to.write_all(&bytes[..n]).await.is_err()
        {
            return;
        }
    }
}

/// A device with its own connection; it subscribes again by itself.
pub(super) struct Peer {
    client: AsyncClient,
    received: mpsc::UnboundedReceiver<Publish>,
    acked: mpsc::UnboundedReceiver<()>,
    task: JoinHandle<()>,
}

impl Peer {
    pub(super) async fn connect(broker: &Mosquitto, id: &str, filters: &[&str]) -> Self {
        Self::connect_as(&broker.tls, broker.port, id, None, filters).await
    }

    pub(super) async fn connect_as(
        tls: &Arc<rustls::ClientConfig>,
        port: u16,
        id: &str,
        credentials: Option<(&str, &str)>,
        filters: &[&str],
    ) -> Self {
        let mut options = MqttOptions::new(id, "localhost", port);
        if let Some((username, password)) = credentials {
            options.set_credentials(username, password);
        }
        let tls = TlsConfiguration::Rustls(tls.clone());
        options.set_transport(Transport::tls_with_config(tls));
        options.set_max_packet_size(Some(4 * 1024 * 1024));
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        let (client, mut events) = AsyncClient::new(options, 4096);
        let (tell, received) = mpsc::unbounded_channel();
        let (tell_ack, mut acked) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let _ = tell.send(publish);
                    }
                    Ok(Event::Incoming(Packet::PubAck(_) | Packet::SubAck(_))) => {
                        let _ = tell_ack.send(());
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        for filter in filters {
            client
                .subscribe(*filter, QoS::AtLeastOnce)
                .await
                .expect("asked");
            timeout(PATIENCE, acked.recv()).await.expect("subscribed");
        }
        Self {
            client,
            received,
            acked,
            task,
        }
    }

    pub(super) async fn publish(&mut self, topic: &str, payload: impl Into<Vec<u8>>, retain: bool) {
        self.client
            .publish(topic, QoS::AtLeastOnce, retain, payload.into())
            .await
            .expect("asked");
        timeout(PATIENCE, self.acked.recv())
            .await
            .expect("the broker has it");
    }

    pub(super) async fn next(&mut self) -> Publish {
        timeout(PATIENCE, self.received.recv())
            .await
            .expect("a message arrives")
            .expect("the peer lives")
    }

    pub(super) async fn next_text(&mut self) -> String {
        String::from_utf8(self.next().await.payload.to_vec()).expect("text")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
