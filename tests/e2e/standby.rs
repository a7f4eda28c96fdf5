//! Two hubs, one house: the second waits and takes over.

use crate::support::api::Api;
use crate::support::hub::{Hub, Start, folder};
use crate::support::{PATIENCE, free_port};
use iothome_store::testing::PgServer;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

/// A database of this test's own.
async fn new_database() -> String {
    tokio::task::spawn_blocking(|| PgServer::shared().new_database())
        .await
        .expect("a PostgreSQL server; install the package `postgresql`")
}

fn on_database(database: &str) -> Start {
    Start::serve().flag("--database-url", database)
}

async fn is_ready(hub: &Hub) -> bool {
    let (status, _) = Api::stranger(hub).get("/health/ready").await;
    status.is_success()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_hub_stands_by_and_takes_over_when_the_first_ends() {
    let database = new_database().await;
    let (first_folder, second_folder) = (folder(), folder());
    let first = on_database(&database).on(first_folder.path()).await;
    assert!(!first.banner("setup_code").is_empty());

    let listen = format!("127.0.0.1:{}", free_port());
    let second = on_database(&database)
        .with("HTTP_LISTEN", listen.as_str())
        .begin(second_folder.path());
    for (path, status, word) in [
        ("/health/ready", 503, "standby"),
        ("/health/live", 200, "live"),
        ("/api/v1/devices", 503, "standby"),
    ] {
        second.until_answers(&listen, path, status, word).await;
    }
    assert_eq!(first.stop().await, Some(0));

    let second = second.until_running().await.expect("it takes over");
    assert_eq!(second.banner("url"), format!("http://{listen}"));
    assert!(is_ready(&second).await);
    assert_eq!(second.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_stands_by_can_be_stopped() {
    let database = new_database().await;
    let (first_folder, second_folder) = (folder(), folder());
    let first = on_database(&database).on(first_folder.path()).await;
    let listen = format!("127.0.0.1:{}", free_port());
    let second = on_database(&database)
        .with("HTTP_LISTEN", listen.as_str())
        .begin(second_folder.path());
    second
        .until_answers(&listen, "/health/ready", 503, "standby")
        .await;
    assert_eq!(second.stop().await, Some(0));
    assert_eq!(first.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_loses_its_lock_stops_and_comes_back_with_it() {
    let database = new_database().await;
    let folder = folder();
    let mut hub = on_database(&database).on(folder.path()).await;
    let before = hub.pid();
    let cut = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' \
        and database = (select oid from pg_database where datname = current_database())";
    let cut = tokio::process::Command::new("psql")
        .args([&database, "-qAtc", cut])
        .output();
    let cut = cut.await.expect("psql starts");
    assert!(cut.status.success(), "{cut:?}");
    hub.until_running_again().await;
    assert_eq!(hub.pid(), before);
    assert!(is_ready(&hub).await);
    assert_eq!(hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_outlives_its_database() {
    let database = new_database().await;
    let (address, real) = database.split_once("?host=").expect("a socket's folder");
    let sockets = folder();
    let way = Way::open(Path::new(real), sockets.path());
    let database = format!("{address}?host={}", sockets.path().display());
    let home = folder();
    let mut hub = on_database(&database).on(home.path()).await;

    way.close().await;
    let address = hub.listens().to_owned();
    let closed = async {
        while tokio::net::TcpStream::connect(&address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed)
        .await
        .expect("the door is closed");
    // Long enough for a hub that gives up to do so.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let _way = Way::open(Path::new(real), sockets.path());
    hub.until_running_again().await;
    assert!(is_ready(&hub).await);
    assert_eq!(hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_waits_for_its_database_can_be_stopped() {
    let folder = folder();
    // It is connected to, and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let at = silent.local_addr().expect("an address");
    let hub = on_database(&format!("postgres://nobody@{at}/nothing")).begin(folder.path());
    let connected = tokio::time::timeout(PATIENCE, silent.accept()).await;
    let _connection = connected.expect("it connects").expect("a connection");
    assert_eq!(hub.stop().await, Some(0));
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
        let listener = UnixListener::bind(&socket).expect("a socket");
        let open = tokio::spawn(async move {
            // Dropped with this task, which ends every connection.
            let mut connections = JoinSet::new();
            loop {
                let (mut hub, _) = listener.accept().await.expect("a connection");
                let mut server = UnixStream::connect(&server)
                    .await
                    .expect("the server listens");
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
        std::fs::remove_file(self.socket).expect("the socket is there");
    }
}
