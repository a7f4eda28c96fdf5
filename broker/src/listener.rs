//! The broker's TLS listener.
//!
//! Owner of accepting: each handshake runs by itself and is given up in time. The
//! broker crate's own listener does one handshake after the other without a bound, so
//! that a single silent connection would lock every device out; hence this one. It
//! must never wait for a client.

use crate::BrokerError;
use mqtt5::broker::DynamicStorage;
use mqtt5::broker::auth::AuthProvider;
use mqtt5::broker::client_handler::ClientHandler;
use mqtt5::broker::config::BrokerConfig as Mqtt5Config;
use mqtt5::broker::resource_monitor::{ResourceLimits, ResourceMonitor};
use mqtt5::broker::router::MessageRouter;
use mqtt5::broker::sys_topics::BrokerStats;
use mqtt5::broker::tls_acceptor::{TlsAcceptorConfig, TlsStreamWrapper};
use mqtt5::broker::transport::BrokerTransport;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio_rustls::TlsAcceptor;

/// Connections that may wait in the kernel: a whole house after a power cut.
const BACKLOG: u32 = 4_096;
/// A slow microcontroller needs two seconds for its handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Far above a house of 10,000 devices; the system's limit on open files is the real bound.
pub(crate) const MAX_CLIENTS: usize = 20_000;
/// When accepting fails (no file handles left, as a rule), trying at once would only burn.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes the address; a port in use is an error of its own.
pub(crate) fn bind(addr: SocketAddr) -> Result<TcpListener, BrokerError> {
    let listen = || {
        let socket = match addr {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // Else a restart has to wait for the old connections to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AddrInUse => BrokerError::PortInUse { addr },
        _ => BrokerError::Address { addr, source },
    })
}

/// Reads the certificate.
pub(crate) async fn acceptor(cert_pem: &Path, key_pem: &Path) -> Result<TlsAcceptor, BrokerError> {
    let chain = TlsAcceptorConfig::load_cert_chain_from_file(cert_pem).await;
    let key = TlsAcceptorConfig::load_private_key_from_file(key_pem).await;
    chain
        .and_then(|chain| key.map(|key| (chain, key)))
        .and_then(|(chain, key)| TlsAcceptorConfig::new(chain, key).build_acceptor())
        .map_err(|error| BrokerError::Refused(error.to_string()))
}

/// What every connection is served with.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) config: Arc<Mqtt5Config>,
    pub(crate) router: Arc<MessageRouter>,
    pub(crate) storage: Arc<DynamicStorage>,
    pub(crate) door: Arc<dyn AuthProvider>,
    pub(crate) stop: broadcast::Sender<()>,
    /// Lives as long as any connection does; nothing is ever sent.
    pub(crate) open: mpsc::Sender<()>,
}

/// Accepts until the stop signal.
///
/// `stopped` is subscribed by the caller, so that a stop before the first turn is heard.
pub(crate) async fn accept(
    listener: TcpListener,
    tls: TlsAcceptor,
    service: Service,
    mut stopped: broadcast::Receiver<()>,
) {
    let room = Arc::new(Semaphore::new(MAX_CLIENTS));
    let stats = Arc::new(BrokerStats::new());
    let monitor = Arc::new(ResourceMonitor::new(no_limits()));
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "the broker could not accept a connection");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
            _ = stopped.recv() => return,
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            tracing::warn!(%address, "the broker is full and turned a connection away");
            continue;
        };
        let (tls, service) = (tls.clone(), service.clone());
        let watch = (Arc::clone(&stats), Arc::clone(&monitor));
        let mut stopped = service.stop.subscribe();
        tokio::spawn(async move {
            let shaken = tokio::select! {
                shaken = shake_hands(&tls, stream, address) => shaken,
                // Else a silent connection would hold up the end.
                _ = stopped.recv() => None,
            };
            if let Some(transport) = shaken {
                serve(transport, address, service, watch, stopped).await;
            }
            drop(place);
        });
    }
}

async fn shake_hands(
    tls: &TlsAcceptor,
    stream: TcpStream,
    address: SocketAddr,
) -> Option<BrokerTransport> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%address, %error, "TCP_NODELAY could not be set");
    }
    match tokio::time::timeout(HANDSHAKE_WITHIN, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(BrokerTransport::tls(TlsStreamWrapper::new(stream))),
        Ok(Err(error)) => {
            tracing::debug!(%address, %error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(%address, "a TLS handshake took too long");
            None
        }
    }
}

async fn serve(
    transport: BrokerTransport,
    address: SocketAddr,
    service: Service,
    (stats, monitor): (Arc<BrokerStats>, Arc<ResourceMonitor>),
    stopped: broadcast::Receiver<()>,
) {
    let handler = ClientHandler::new(
        transport,
        address,
        service.config,
        service.router,
        service.door,
        Some(service.storage),
        stats,
        monitor,
        stopped,
    );
    // Boxed: the crate's handler is a very large future.
    if let Err(error) = Box::pin(handler.run()).await {
        tracing::debug!(%address, %error, "a connection ended");
    }
    drop(service.open);
}

/// Connections are bounded above, messages by the hub's own bounds on what it takes in.
fn no_limits() -> ResourceLimits {
    ResourceLimits {
        max_connections: MAX_CLIENTS,
        max_connections_per_ip: MAX_CLIENTS,
        max_message_rate_per_client: 0,
        max_bandwidth_per_client: 0,
        max_connection_rate: u32::MAX,
        rate_limit_window: Duration::from_secs(1),
    }
}
