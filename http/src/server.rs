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
use actix_web::middleware::{Compress, from_fn};
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
pub async fn serve(config: WebConfig, hub: Hub, store: Store) -> Result<Web, WebError> {
    let public = config.check()?;
    let sockets = Sockets::bind(&config)?;
    let (http, https) = sockets.addresses()?;
    let listen: Vec<SocketAddr> = [http, https].into_iter().flatten().collect();
    let tls = config.https.as_ref().map(|(_, tls)| Arc::clone(tls));
    let prometheus = config.prometheus.clone();
    let app = web::Data::new(App::new(config, public, &listen, hub, store).await?);
    let closing = CancellationToken::new();
    let feed = Arc::clone(&app.feed);
    let closed = closing.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(UPKEEP);
        loop {
            tokio::select! {
                () = closed.cancelled() => break feed.stop(),
                _ = tick.tick() => if let Some(prometheus) = &prometheus { prometheus.run_upkeep() },
            }
        }
    });
    let table: Arc<[routes::Entry]> = routes::table().into();
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(app.clone())
            .app_data(web::PayloadConfig::new(BODY_MAX))
            .configure(|services| routes::configure(&table, services))
            .wrap(Compress::default())
            .wrap(from_fn(pass::pass))
            .wrap(TracingLogger::<RequestSpan>::new())
    });
    let (handle, server) = run(server, sockets, tls)?;
    Ok(Web {
        http,
        https,
        handle,
        server,
        closing,
    })
}

/// Opens a door that says only that this hub stands by (another one runs the house).
///
/// The main server takes over its addresses after `stop`.
pub async fn serve_standby(config: &WebConfig) -> Result<Web, WebError> {
    config.check()?;
    let sockets = Sockets::bind(config)?;
    let (http, https) = sockets.addresses()?;
    let tls = config.https.as_ref().map(|(_, tls)| Arc::clone(tls));
    let server = HttpServer::new(|| actix_web::App::new().configure(standby::configure));
    let (handle, server) = run(server, sockets, tls)?;
    Ok(Web {
        http,
        https,
        handle,
        server,
        closing: CancellationToken::new(),
    })
}

fn run<F, I, S, B>(
    server: HttpServer<F, I, S, B>,
    sockets: Sockets,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> std::io::Result<(ServerHandle, JoinHandle<std::io::Result<()>>)>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: actix_web::dev::IntoServiceFactory<S, actix_web::dev::Request> + 'static,
    S: actix_web::dev::ServiceFactory<actix_web::dev::Request, Config = actix_web::dev::AppConfig>
        + 'static,
    S::Error: Into<actix_web::Error>,
    S::InitError: std::fmt::Debug,
    S::Response: Into<actix_web::HttpResponse<B>>,
    B: actix_web::body::MessageBody + 'static,
{
    let mut server = server
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
        server = server.listen_rustls_0_23(socket, rustls::ServerConfig::clone(&tls))?;
    }
    let running = server.run();
    let handle = running.handle();
    Ok((handle, tokio::spawn(running)))
}
