//! Opens the web door and closes it again.
//!
//! Owner of the listeners and of the order of the middleware. It must never
//! handle a request itself.

use crate::app::App;
use crate::config::WebConfig;
use crate::door::limits::{
    BODY_MAX, CONNECTIONS_PER_WORKER, HANDSHAKE_WAIT, HEAD_WAIT, KEEP_ALIVE, STOP_WAIT_S, WORKERS,
};
use crate::door::pass;
use crate::door::span::RequestSpan;
use crate::error::WebError;
use crate::{routes, standby};
use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::{HttpServer, web};
use iothome_actors::Hub;
use iothome_store::Store;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing_actix_web::TracingLogger;

/// How often the metrics recorder tidies its histograms.
const UPKEEP: Duration = Duration::from_secs(5);

/// The open web door.
pub struct Web {
    /// Where plain HTTP is served.
    pub http: Option<SocketAddr>,
    /// Where HTTPS is served.
    pub https: Option<SocketAddr>,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    closing: CancellationToken,
}

impl Web {
    /// Ends the streams, lets requests in flight finish (two seconds at the most) and closes.
    pub async fn stop(self) {
        self.closing.cancel();
        self.handle.stop(true).await;
        if let Ok(Err(error)) = self.server.await {
            tracing::warn!(%error, "the web server ended with an error");
        }
    }
}

/// Bound sockets, before anything is served on them.
struct Sockets {
    http: Option<TcpListener>,
    https: Option<TcpListener>,
}

impl Sockets {
    fn bind(config: &WebConfig) -> Result<Self, WebError> {
        let http = config.http.map(|a| bind(a, "IOTHOME_HTTP_LISTEN"));
        let https = config.https.as_ref();
        let https = https.map(|(a, _)| bind(*a, "IOTHOME_HTTPS_LISTEN"));
        Ok(Self {
            http: http.transpose()?,
            https: https.transpose()?,
        })
    }

    fn addresses(&self) -> std::io::Result<(Option<SocketAddr>, Option<SocketAddr>)> {
        let address =
            |socket: &Option<TcpListener>| socket.as_ref().map(TcpListener::local_addr).transpose();
        Ok((address(&self.http)?, address(&self.https)?))
    }
}

fn bind(address: SocketAddr, setting: &'static str) -> Result<TcpListener, WebError> {
    TcpListener::bind(address).map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => WebError::InUse { address, setting },
        _ => WebError::Listen {
            address,
            setting,
            source,
        },
    })
}

/// Opens the web door.
///
/// # Errors
/// [`WebError`] names the setting to change.
pub async fn serve(config: WebConfig, hub: Hub, store: Store) -> Result<Web, WebError> {
    let public = config.check()?;
    let sockets = Sockets::bind(&config)?;
    let (http, https) = sockets.addresses()?;
    let listen: Vec<SocketAddr> = [http, https].into_iter().flatten().collect();
    let tls = tls(&config);
    let app = web::Data::new(App::new(config, public, &listen, hub, store).await?);
    let closing = CancellationToken::new();
    tokio::spawn(look_after(app.clone(), closing.clone()));
    let served = Served::House(app, routes::table().into());
    open(sockets, tls, served, closing)
}

/// Opens a door that says only that this hub stands by (another one runs the house).
///
/// The main server can take over the addresses after `stop`.
///
/// # Errors
/// [`WebError`] names the setting to change.
pub async fn serve_standby(config: &WebConfig) -> Result<Web, WebError> {
    config.check()?;
    let sockets = Sockets::bind(config)?;
    open(
        sockets,
        tls(config),
        Served::Standby,
        CancellationToken::new(),
    )
}

fn tls(config: &WebConfig) -> Option<rustls::ServerConfig> {
    let (_, tls) = config.https.as_ref()?;
    Some(rustls::ServerConfig::clone(tls))
}

/// What a server serves.
#[derive(Clone)]
enum Served {
    House(web::Data<App>, Arc<[routes::Entry]>),
    Standby,
}

impl Served {
    fn configure(&self, services: &mut web::ServiceConfig) {
        match self {
            Self::House(app, table) => {
                services.app_data(app.clone());
                routes::configure(table, services);
            }
            Self::Standby => standby::configure(services),
        }
    }
}

fn open(
    sockets: Sockets,
    tls: Option<rustls::ServerConfig>,
    served: Served,
    closing: CancellationToken,
) -> Result<Web, WebError> {
    let (http, https) = sockets.addresses()?;
    let has_house = matches!(served, Served::House(..));
    let mut server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(web::PayloadConfig::new(BODY_MAX))
            .configure(|services| served.configure(services))
            .wrap(Compress::default())
            .wrap(Condition::new(has_house, from_fn(pass::pass)))
            .wrap(TracingLogger::<RequestSpan>::new())
    })
    .workers(WORKERS)
    .max_connections(CONNECTIONS_PER_WORKER)
    .client_request_timeout(HEAD_WAIT)
    .keep_alive(KEEP_ALIVE)
    .tls_handshake_timeout(HANDSHAKE_WAIT)
    .shutdown_timeout(STOP_WAIT_S)
    .tcp_nodelay(true)
    .disable_signals();
    if let Some(socket) = sockets.http {
        server = server.listen(socket)?;
    }
    if let (Some(socket), Some(tls)) = (sockets.https, tls) {
        server = server.listen_rustls_0_23(socket, tls)?;
    }
    let running = server.run();
    Ok(Web {
        http,
        https,
        handle: running.handle(),
        server: tokio::spawn(running),
        closing,
    })
}

/// Tidies the metrics while the door is open, and ends the streams when it closes.
async fn look_after(app: web::Data<App>, closing: CancellationToken) {
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            () = closing.cancelled() => return app.feed.stop(),
            _ = tick.tick() => {
                if let Some(prometheus) = &app.config.prometheus {
                    prometheus.run_upkeep();
                }
            }
        }
    }
}
