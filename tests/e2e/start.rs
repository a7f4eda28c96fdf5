//! Starting and ending: the first start, what a hub says when it cannot start, and that it ends.

use crate::support::api::Api;
use crate::support::eventually;
use crate::support::hub::{Start, folder, run, stderr, stdout};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_is_set_up_with_a_code_and_the_second_needs_none() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    assert_eq!((hub.told("user"), hub.told("password")), (None, None));
    Api::set_up(&hub).await;
    let healthy = run(folder.path(), &["health", "--http-listen", hub.listens()]).await;
    assert!(healthy.status.success(), "{}", stderr(&healthy));
    assert_eq!(hub.stop().await, Some(0));

    let hub = Start::serve().on(folder.path()).await;
    assert_eq!(hub.told("setup_code"), None);
    Api::stranger(&hub)
        .sign_in("adam", "correct horse battery")
        .await;
    assert_eq!(hub.stop_by("INT").await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_one_sentence_that_names_the_setting() {
    for name in ["http-listen", "https-listen", "broker-listen"] {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("an address").to_string();
        let (flag, setting) = (format!("--{name}"), name.replace('-', "_").to_uppercase());
        // It names the way that was used.
        let ways = [
            (Start::serve().flag(&flag, &address), &flag),
            (Start::serve().with(&setting, address.as_str()), &setting),
        ];
        for (start, named) in ways {
            let folder = folder();
            let words = match start.try_on(folder.path()).await {
                Ok(_) => panic!("it started on a port that is in use"),
                Err(words) => words,
            };
            assert!(
                words.contains(&address) && words.contains(named.as_str()),
                "{words}"
            );
        }
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
async fn a_forgotten_password_is_reset_while_the_hub_runs_and_ends_the_sessions() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let output = run(folder.path(), &["user", "reset-password", "adam"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output);
    let password = said.split("Password: ").nth(1).expect("a new password");
    let stranger = Api::stranger(&hub);
    stranger
        .is_refused_with("adam", "correct horse battery")
        .await;
    stranger.sign_in("adam", password.trim()).await;
    eventually("the old session has ended", || async {
        (api.get("/api/v1/devices").await.0 == 401).then_some(())
    })
    .await;
    assert_eq!(hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_an_idle_hub_within_three_seconds() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    // The promise is three seconds; the clock runs in the hub, the margin is for a busy machine.
    let ended = tokio::time::timeout(Duration::from_secs(10), hub.stop()).await;
    assert_eq!(ended, Ok(Some(0)));
}
