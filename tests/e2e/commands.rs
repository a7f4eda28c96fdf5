//! Commands that do their work and end.

use crate::support::hub::{folder, run, stderr, stdout};

#[tokio::test(flavor = "multi_thread")]
async fn the_version_is_told() {
    let folder = folder();
    let output = run(folder.path(), &["--version"]).await;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(stdout(&output).trim(), format!("iothome {version}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fingerprints_are_the_same_each_time() {
    let folder = folder();
    let first = stdout(&run(folder.path(), &["cert", "show"]).await);
    let second = stdout(&run(folder.path(), &["cert", "show"]).await);
    assert_eq!(first, second);
    let long = |text: &str| text.split_whitespace().any(|w| w.len() == 95);
    assert!(long(&first) && first.contains("SHA-1"), "{first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brokers_next_fingerprint_is_told_before_it_counts() {
    let folder = folder();
    let output = run(folder.path(), &["cert", "switch"]).await;
    assert!(
        stderr(&output).contains("cert prepare"),
        "{}",
        stderr(&output)
    );
    let prepared = stdout(&run(folder.path(), &["cert", "prepare"]).await);
    let prints: Vec<&str> = prepared
        .split_whitespace()
        .filter(|w| w.len() == 95)
        .collect();
    let switched = stdout(&run(folder.path(), &["cert", "switch"]).await);
    let now = switched.split_whitespace().find(|w| w.len() == 95);
    assert_eq!(now, Some(prints[1]), "{prepared}\n{switched}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_every_wrong_key_and_shows_no_secret() {
    let folder = folder();
    let file = folder.path().join("config.toml");
    std::fs::write(
        &file,
        "colour = 1\nhttp_lisen = 2\nmqtt_url = \"mqtts://u:hunter2@h\"",
    )
    .expect("it is written");
    let path = file.display().to_string();
    let output = run(folder.path(), &["config", "check", "--config", &path]).await;
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(
        said.contains("`colour`") && said.contains("`http_lisen`"),
        "{said}"
    );

    std::fs::write(&file, "mqtt_url = \"mqtts://u:hunter2@h\"").expect("it is written");
    let output = run(folder.path(), &["config", "check", "--config", &path]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stdout(&output).contains("hunter2"), "{}", stdout(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_added_listed_and_given_new_passwords() {
    let folder = folder();
    let output = run(folder.path(), &["user", "list"]).await;
    assert!(stdout(&output).contains("nobody"), "{}", stderr(&output));
    let output = run(folder.path(), &["user", "add", "ada", "--role", "admin"]).await;
    assert!(
        stdout(&output).contains("Password: "),
        "{}",
        stderr(&output)
    );
    let output = run(folder.path(), &["user", "add", "Ada"]).await;
    assert!(!output.status.success());
    let output = run(folder.path(), &["user", "add", "bob", "--role", "king"]).await;
    assert!(stderr(&output).contains("king"));
    let listed = stdout(&run(folder.path(), &["user", "list"]).await);
    assert!(
        listed.contains("ada") && listed.contains("admin"),
        "{listed}"
    );
    let output = run(folder.path(), &["user", "reset-password", "ada"]).await;
    assert!(
        stdout(&output).contains("Password: "),
        "{}",
        stderr(&output)
    );
    let output = run(folder.path(), &["user", "reset-password", "eve"]).await;
    assert!(!output.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hub_is_not_healthy() {
    let folder = folder();
    let arguments = ["health", "--http-listen", "127.0.0.1:9"];
    let output = run(folder.path(), &arguments).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("not ready"));
}

#[cfg(not(feature = "embedded"))]
#[tokio::test(flavor = "multi_thread")]
async fn a_program_without_the_broker_says_so() {
    let folder = folder();
    let output = run(folder.path(), &["serve", "--http-listen", "127.0.0.1:0"]).await;
    assert!(
        stderr(&output).contains("IOTHOME_MQTT_URL"),
        "{}",
        stderr(&output)
    );
    let output = run(folder.path(), &["demo"]).await;
    assert!(
        stderr(&output).contains("the demo needs"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_are_simulated_and_nothing_is_changed() {
    use iothome_engine::schedule::{Schedule, read_definition};
    use iothome_engine::time::Timestamp;
    use iothome_store::{DatabaseUrl, ScheduleWrite, Store};
    let folder = folder();
    // A command that needs the folder makes it as the hub wants it.
    let output = run(folder.path(), &["user", "list"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let data = folder.path().join("home/.local/share/iothome");
    let url = DatabaseUrl::sqlite(&data.join("house.db")).expect("a file");
    let store = Store::open(&url).await.expect("opens");
    let at = Timestamp::from_millis(1_790_000_000_000);
    let json = serde_json::json!({
        "name": "Evening",
        "trigger": {"kind": "cron", "expression": "0 18 * * *"},
        "actions": [{"device": "lamp", "entity": "light", "action": "turn_on"}],
    });
    let schedule = Schedule {
        id: iothome_engine::ids::ScheduleId::new(at, [1; 10]),
        owner: iothome_engine::ids::UserId::new(at, [2; 10]),
        definition: read_definition(&json, None).expect("is right"),
        disabled_reason: None,
        skip_due_at: None,
        version: 1,
        created_at: at,
        updated_at: at,
    };
    let made = [ScheduleWrite::Made(schedule.clone())];
    store.write_schedules(&made).await.expect("written");
    let arguments = ["simulate", "--from", "2027-01-01", "--to", "2028-01-01"];
    let said = stdout(&run(folder.path(), &arguments).await);
    let asked = "2027-12-31 18:00:00 +00:00  Evening: lamp/light turn_on -> on";
    assert!(said.contains(asked), "{said}");
    assert!(said.contains("365 lines of 1 schedules"), "{said}");
    let open = store.occurrences_of(schedule.id, 1, None).await;
    assert!(open.expect("reads").is_empty());
    let output = run(folder.path(), &["simulate", "--to", "soon"]).await;
    assert!(!output.status.success());
    assert!(stderr(&output).contains("--to"), "{}", stderr(&output));
}
