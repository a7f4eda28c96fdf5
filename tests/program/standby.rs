//! Two hubs, one house: the second waits and takes over.

use crate::support::{PATIENCE, Running, Waiting, folder};
use iothome_store::testing::PgServer;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

#[tokio::test]
async fn a_second_hub_stands_by_and_takes_over_when_the_first_ends() {
    let database = tokio::task::spawn_blocking(|| PgServer::shared().new_database());
    let database = database.await.unwrap();
    let (_first_dir, first_home) = folder();
    let (_second_dir, second_home) = folder();
    let first = Running::start(&first_home, &["serve", "--database-url", &database]).await;
    assert!(!first.told("setup_code").is_empty());

    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let arguments = [
        "serve",
        "--database-url",
        &database,
        "--http-listen",
        &listen,
    ];
    let second = Waiting::start(&second_home, &arguments);
    second
        .until_answers(&listen, "/health/ready", 503, "standby")
        .await;
    second
        .until_answers(&listen, "/health/live", 200, "live")
        .await;
    second
        .until_answers(&listen, "/api/v1/devices", 503, "standby")
        .await;
    assert!(first.stop("TERM").await.success());

    let second = second.until_running().await;
    assert_eq!(second.told("url"), format!("http://{listen}"));
    let answer = second.http.get(second.url("/health/ready")).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    assert!(second.stop("TERM").await.success());
}

#[tokio::test]
async fn a_hub_that_stands_by_can_be_stopped() {
    let database = tokio::task::spawn_blocking(|| PgServer::shared().new_database());
    let database = database.await.unwrap();
    let (_first_dir, first_home) = folder();
    let (_second_dir, second_home) = folder();
    let first = Running::start(&first_home, &["serve", "--database-url", &database]).await;
    let listen = format!("127.0.0.1:{}", free_port());
    let arguments = [
        "serve",
        "--database-url",
        &database,
        "--http-listen",
        &listen,
    ];
    let second = Waiting::start(&second_home, &arguments);
    second
        .until_answers(&listen, "/health/ready", 503, "standby")
        .await;
    assert!(second.stop("TERM").await.success());
    assert!(first.stop("TERM").await.success());
}

#[tokio::test]
async fn a_hub_that_loses_its_lock_stops_and_comes_back_with_it() {
    let database = tokio::task::spawn_blocking(|| PgServer::shared().new_database());
    let database = database.await.unwrap();
    let (_dir, home) = folder();
    let mut hub = Running::start(&home, &["serve", "--database-url", &database]).await;
    let before = hub.pid();
    let cut = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' \
        and database = (select oid from pg_database where datname = current_database())";
    let cut = tokio::process::Command::new("psql")
        .args([&database, "-qAtc", cut])
        .output();
    let cut = cut.await.unwrap();
    assert!(cut.status.success(), "{cut:?}");
    hub.until_running_again().await;
    assert_eq!(hub.pid(), before);
    let answer = hub.http.get(hub.url("/health/ready")).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    assert!(hub.stop("TERM").await.success());
}

#[tokio::test]
async fn a_hub_outlives_its_database() {
    let database = tokio::task::spawn_blocking(|| PgServer::shared().new_database());
    let database = database.await.unwrap();
    let (address, real) = database.split_once("?host=").unwrap();
    let sockets = tempfile::tempdir().unwrap();
    let way = Way::open(Path::new(real), sockets.path());
    let database = format!("{address}?host={}", sockets.path().display());
    let (_dir, home) = folder();
    let mut hub = Running::start(&home, &["serve", "--database-url", &database]).await;

    way.close().await;
    let closed = async {
        while hub.http.get(hub.url("/health/live")).send().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.unwrap();
    // Long enough for a hub that gives up to do so.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let _way = Way::open(Path::new(real), sockets.path());
    hub.until_running_again().await;
    let answer = hub.http.get(hub.url("/health/ready")).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    assert!(hub.stop("TERM").await.success());
}

#[tokio::test]
async fn a_hub_that_waits_for_its_database_can_be_stopped() {
    let (_dir, home) = folder();
    // It is connected to, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let database = format!("postgres://nobody@{at}/nothing");
    let hub = Waiting::start(&home, &["serve", "--database-url", &database]);
    let (_connection, _) = tokio::task::spawn_blocking(move || silent.accept().unwrap())
        .await
        .unwrap();
    assert!(hub.stop("TERM").await.success());
}

/// The way from a hub to its database, which can be closed as a server that goes away closes it.
struct Way {
    socket: PathBuf,
    open: tokio::task::JoinHandle<()>,
}

impl Way {
    fn open(from: &Path, to: &Path) -> Self {
        const NAME: &str = ".s.PGSQL.5432";
        let (server, socket) = (from.join(NAME), to.join(NAME));
        let listener = UnixListener::bind(&socket).unwrap();
        let open = tokio::spawn(async move {
            // Dropped with this task, which ends every connection.
            let mut connections = JoinSet::new();
            loop {
                let (mut hub, _) = listener.accept().await.unwrap();
                let mut server = UnixStream::connect(&server).await.unwrap();
                connections.spawn(async move {
                    let _ = tokio::io::copy_bidirectional(&mut hub, &mut server).await;
                });
            }
        });
        Self { socket, open }
    }

    async fn close(self) {
        self.open.abort();
        let _ = self.open.await;
        std::fs::remove_file(self.socket).unwrap();
    }
}

fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}
