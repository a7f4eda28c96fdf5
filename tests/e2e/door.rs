//! Starting and ending: what a hub says when it cannot start, and that it ends.

use crate::support::api::Api;
use crate::support::hub::{Start, folder};
use std::time::Duration;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_one_sentence_that_names_the_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    for setting in ["HTTP_LISTEN", "BROKER_LISTEN"] {
        let folder = folder();
        let words = match Start::serve()
            .with(setting, address.as_str())
            .try_on(folder.path())
            .await
        {
            Ok(_) => panic!("it started on a port that is in use"),
            Err(words) => words,
        };
        assert!(
            words.contains(&address) && words.contains(setting),
            "{words}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_hub_on_the_same_house_names_the_first() {
    let folder = folder();
    let first = Start::serve().on(folder.path()).await;
    let words = match Start::serve().try_on(folder.path()).await {
        Ok(_) => panic!("two hubs on one house"),
        Err(words) => words,
    };
    assert!(words.contains(&first.pid().to_string()), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_beyond_loopback_is_refused_with_the_fix() {
    let folder = folder();
    let words = match Start::serve()
        .with("HTTP_LISTEN", "0.0.0.0:0")
        .try_on(folder.path())
        .await
    {
        Ok(_) => panic!("plain HTTP for everybody"),
        Err(words) => words,
    };
    assert!(words.to_uppercase().contains("TRUSTED_PROXIES"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_no_lost_house() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    Api::set_up(&hub).await;
    let output = Command::new(env!("CARGO_BIN_EXE_iothome"))
        .args(["user", "reset-password", "adam"])
        .env("IOTHOME_DATA_DIR", folder.path().join("data"))
        .output()
        .await
        .expect("the command runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let password = text
        .split_whitespace()
        .last()
        .expect("a new password")
        .to_owned();
    Api::stranger(&hub).sign_in("adam", &password).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_an_idle_hub_within_three_seconds() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    // The promise is three seconds; the clock runs in the hub, the margin is for a busy machine.
    let ended = tokio::time::timeout(Duration::from_secs(10), hub.stop()).await;
    assert_eq!(ended, Ok(Some(0)));
}
