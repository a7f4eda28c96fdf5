//! A home of one's own: first start, second start, and what goes wrong at a start.

use crate::support::{Running, folder, run, stderr, stdout};
use serde_json::json;

async fn set_up(hub: &Running) -> String {
    let body = json!({
        "code": hub.told("setup_code"), "home": "Home", "zone": "Europe/Berlin",
        "latitude": null, "longitude": null, "username": "ada", "password": "a long password",
    });
    let answer = hub.http.post(hub.url("/api/v1/setup")).json(&body);
    let answer = answer.send().await.unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
    hub.sign_in("ada", "a long password").await.unwrap()
}

#[tokio::test]
async fn the_first_start_is_set_up_with_a_code_and_the_second_needs_none() {
    let (_dir, home) = folder();
    let hub = Running::start(&home, &["serve"]).await;
    assert!(hub.banner["user"].is_null() && hub.banner["password"].is_null());
    set_up(&hub).await;
    let port = hub.url("").rsplit(':').next().unwrap().to_owned();
    let listen = format!("127.0.0.1:{port}");
    let healthy = run(&home, &["health", "--http-listen", &listen]).await;
    assert!(healthy.status.success(), "{}", stderr(&healthy));
    assert!(hub.stop("TERM").await.success());

    let hub = Running::start(&home, &["serve"]).await;
    assert!(hub.banner["setup_code"].is_null());
    assert!(hub.sign_in("ada", "a long password").await.is_some());
    assert!(hub.stop("INT").await.success());
}

#[tokio::test]
async fn a_forgotten_password_is_reset_while_the_hub_runs_and_ends_the_sessions() {
    let (_dir, home) = folder();
    let hub = Running::start(&home, &["serve"]).await;
    let token = set_up(&hub).await;
    let output = run(&home, &["user", "reset-password", "ada"]).await;
    let said = stdout(&output);
    let password = said.split("Password: ").nth(1).unwrap().trim();
    assert_eq!(hub.sign_in("ada", "a long password").await, None);
    assert!(hub.sign_in("ada", password).await.is_some());
    let ended = async {
        loop {
            let asked = hub.http.get(hub.url("/api/v1/devices")).bearer_auth(&token);
            if asked.send().await.unwrap().status() == 401 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let waited = tokio::time::timeout(crate::support::PATIENCE, ended).await;
    assert!(waited.is_ok(), "the old session lives on");
    assert!(hub.stop("TERM").await.success());
}

#[tokio::test]
async fn a_second_hub_on_the_same_folder_names_the_first() {
    let (_dir, home) = folder();
    let hub = Running::start(&home, &["serve"]).await;
    let arguments = [
        "serve",
        "--http-listen",
        "127.0.0.1:0",
        "--https-listen",
        "off",
        "--broker-listen",
        "127.0.0.1:0",
    ];
    let output = run(&home, &arguments).await;
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(said.contains(&hub.pid().to_string()), "{said}");
    assert!(hub.stop("TERM").await.success());
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_setting() {
    let (_dir, home) = folder();
    for flag in ["--http-listen", "--https-listen", "--broker-listen"] {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let mut arguments = vec!["serve", flag, &address];
        for (other, value) in [
            ("--http-listen", "127.0.0.1:0"),
            ("--https-listen", "off"),
            ("--broker-listen", "127.0.0.1:0"),
        ] {
            if other != flag {
                arguments.extend([other, value]);
            }
        }
        let output = run(&home, &arguments).await;
        let said = stderr(&output);
        assert!(!output.status.success(), "{flag}");
        assert!(said.contains(&address) && said.contains(flag), "{said}");
    }
}
