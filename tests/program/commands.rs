//! Commands that do their work and end.

use crate::support::{folder, run, stderr, stdout};

#[tokio::test]
async fn the_version_is_told() {
    let (_dir, home) = folder();
    let output = run(&home, &["--version"]).await;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(stdout(&output).trim(), format!("iothome {version}"));
}

#[tokio::test]
async fn the_fingerprints_are_the_same_each_time() {
    let (_dir, home) = folder();
    let first = stdout(&run(&home, &["cert", "show"]).await);
    let second = stdout(&run(&home, &["cert", "show"]).await);
    assert_eq!(first, second);
    let long = |text: &str| text.split_whitespace().any(|w| w.len() == 95);
    assert!(long(&first) && first.contains("SHA-1"), "{first}");
}

#[tokio::test]
async fn the_brokers_next_fingerprint_is_told_before_it_counts() {
    let (_dir, home) = folder();
    let output = run(&home, &["cert", "switch"]).await;
    assert!(
        stderr(&output).contains("cert prepare"),
        "{}",
        stderr(&output)
    );
    let prepared = stdout(&run(&home, &["cert", "prepare"]).await);
    let prints: Vec<&str> = prepared
        .split_whitespace()
        .filter(|w| w.len() == 95)
        .collect();
    let switched = stdout(&run(&home, &["cert", "switch"]).await);
    let now = switched.split_whitespace().find(|w| w.len() == 95);
    assert_eq!(now, Some(prints[1]), "{prepared}\n{switched}");
}

#[tokio::test]
async fn a_check_names_every_wrong_key_and_shows_no_secret() {
    let (_dir, home) = folder();
    let file = home.join("config.toml");
    std::fs::write(
        &file,
        "colour = 1\nhttp_lisen = 2\nmqtt_url = \"mqtts://u:hunter2@h\"",
    )
    .unwrap();
    let path = file.display().to_string();
    let output = run(&home, &["config", "check", "--config", &path]).await;
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(
        said.contains("`colour`") && said.contains("`http_lisen`"),
        "{said}"
    );

    std::fs::write(&file, "mqtt_url = \"mqtts://u:hunter2@h\"").unwrap();
    let output = run(&home, &["config", "check", "--config", &path]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stdout(&output).contains("hunter2"), "{}", stdout(&output));
}

#[tokio::test]
async fn people_are_added_listed_and_given_new_passwords() {
    let (_dir, home) = folder();
    let output = run(&home, &["user", "list"]).await;
    assert!(stdout(&output).contains("nobody"), "{}", stderr(&output));
    let output = run(&home, &["user", "add", "ada", "--role", "admin"]).await;
    assert!(
        stdout(&output).contains("Password: "),
        "{}",
        stderr(&output)
    );
    let output = run(&home, &["user", "add", "Ada"]).await;
    assert!(!output.status.success());
    let output = run(&home, &["user", "add", "bob", "--role", "king"]).await;
    assert!(stderr(&output).contains("king"));
    let listed = stdout(&run(&home, &["user", "list"]).await);
    assert!(
        listed.contains("ada") && listed.contains("admin"),
        "{listed}"
    );
    let output = run(&home, &["user", "reset-password", "ada"]).await;
    assert!(
        stdout(&output).contains("Password: "),
        "{}",
        stderr(&output)
    );
    let output = run(&home, &["user", "reset-password", "eve"]).await;
    assert!(!output.status.success());
}

#[tokio::test]
async fn no_hub_is_not_healthy() {
    let (_dir, home) = folder();
    let arguments = ["health", "--http-listen", "127.0.0.1:9"];
    let output = run(&home, &arguments).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("not ready"));
}

#[cfg(not(feature = "embedded"))]
#[tokio::test]
async fn a_program_without_the_broker_says_so() {
    let (_dir, home) = folder();
    let output = run(&home, &["serve", "--http-listen", "127.0.0.1:0"]).await;
    assert!(
        stderr(&output).contains("IOTHOME_MQTT_URL"),
        "{}",
        stderr(&output)
    );
    let output = run(&home, &["demo"]).await;
    assert!(
        stderr(&output).contains("the demo needs"),
        "{}",
        stderr(&output)
    );
}
