//! Two hubs, one house: the second waits and takes over.

use crate::support::{Running, Waiting, folder};
use iothome_store::testing::PgServer;

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

fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}
