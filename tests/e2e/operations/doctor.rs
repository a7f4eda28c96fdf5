//! `iothome doctor`: it finds what is wrong, says what to do, and changes nothing.

use super::data;
use crate::support::api::Api;
use crate::support::hub::{Start, folder, run, stderr, stdout};
use crate::support::mosquitto::Mosquitto;
use iothome_store::testing::PgServer;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Everything below a folder, with what is in it; but for the files in which SQLite notes its
/// readers and what is not in the database yet, which is nothing.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file");
            let name = path.display().to_string();
            if name.ends_with("-wal") {
                assert!(bytes.is_empty(), "{name}");
            } else if !name.ends_with("-shm") {
                all.insert(path, bytes);
            }
        }
    }
    all
}

/// The lines of one part.
fn of<'a>(report: &'a Value, part: &str) -> Vec<&'a Value> {
    let lines = report.as_array().expect("an array");
    lines.iter().filter(|line| line["part"] == part).collect()
}

fn json(output: &Output) -> Value {
    let text = stdout(output);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text} {}", stderr(output)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_is_looked_at_whether_its_hub_runs_or_not_and_nothing_is_changed() {
    let folder = folder();
    let port = crate::support::free_port();
    let listen = format!("127.0.0.1:{port}");
    let hub = Start::serve()
        .with("HTTP_LISTEN", listen.as_str())
        .on(folder.path())
        .await;
    Api::set_up(&hub).await;
    let broker = hub.broker().1.to_string();
    let at = [
        "--http-listen",
        listen.as_str(),
        "--broker-listen",
        &format!("127.0.0.1:{broker}"),
    ];
    let output = run(folder.path(), &[&["doctor"][..], &at].concat()).await;
    let said = stdout(&output);
    assert!(output.status.success(), "{said}{}", stderr(&output));
    for words in [
        "it runs and is ready",
        "SQLite 3.",
        "no damage",
        "shows the certificate that devices pin",
        "the web's is good until",
        "is believable",
        "MB are free",
        "are private",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(hub.stop().await, Some(0));

    let before = contents(&data(folder.path()));
    let output = run(folder.path(), &[&["doctor", "--json"][..], &at].concat()).await;
    assert!(output.status.success(), "{}", stdout(&output));
    let report = json(&output);
    assert_eq!(of(&report, "hub")[0]["level"], "warning", "{report}");
    assert_eq!(of(&report, "database")[0]["level"], "ok", "{report}");
    let after = contents(&data(folder.path()));
    let names = |all: &BTreeMap<PathBuf, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    let changed: Vec<_> = before
        .iter()
        .filter(|(at, was)| after[*at] != **was)
        .collect();
    assert!(changed.is_empty(), "{changed:.80?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_with_what_to_do_and_the_exit_code_says_so() {
    let folder = folder();
    let output = run(folder.path(), &["doctor"]).await;
    assert!(output.status.success(), "a first look: {}", stdout(&output));
    assert!(!data(folder.path()).exists(), "looking makes nothing");

    run(folder.path(), &["cert", "show"]).await;
    run(folder.path(), &["user", "list"]).await;
    let key = data(folder.path()).join("tls/ca.key");
    std::fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("set");
    let output = run(folder.path(), &["doctor"]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = stdout(&output);
    assert!(
        said.contains("FAULT") && said.contains("chmod go= "),
        "{said}"
    );
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("set");

    let house = data(folder.path()).join("house.db");
    std::fs::write(&house, "It was a dark and stormy night. ".repeat(999)).expect("written");
    let output = run(folder.path(), &["doctor", "--json"]).await;
    let report = json(&output);
    let database = of(&report, "database")[0];
    assert_eq!(database["level"], "fault", "{report}");
    assert!(
        database["do"]
            .as_str()
            .is_some_and(|todo| todo.contains("backup"))
    );

    let output = run(folder.path(), &["doctor", "--https-listen", "somewhere"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).contains("--https-listen"),
        "{}",
        stdout(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_and_servers_elsewhere_are_visited() {
    let folder = folder();
    let broker = Mosquitto::start(&[("hub", "hub-word")]);
    let server = PgServer::shared().new_database();
    let look = async |password: &str, fingerprint: &str, database: &str| {
        let url = format!("mqtts://hub:{password}@127.0.0.1:{}", broker.port);
        let line = [
            "doctor",
            "--json",
            "--mqtt-url",
            &url,
            "--mqtt-fingerprint",
            fingerprint,
            "--database-url",
            database,
        ];
        json(&run(folder.path(), &line).await)
    };
    let report = look("hub-word", &broker.sha256, &server).await;
    let told = of(&report, "broker")[0];
    assert!(
        told["what"]
            .as_str()
            .is_some_and(|t| t.contains("lets the hub in")),
        "{report}"
    );
    // A database that no hub has been at.
    assert_eq!(of(&report, "database")[0]["level"], "warning", "{report}");
    let away = "postgres://nobody@127.0.0.1:1/none";
    let report = look("wrong", &broker.sha256, away).await;
    let told = of(&report, "broker")[0];
    assert!(
        told["what"].as_str().is_some_and(|t| t.contains("refuses")),
        "{report}"
    );
    assert_eq!(of(&report, "database")[0]["level"], "fault", "{report}");
    let report = look("hub-word", &"00".repeat(32), &server).await;
    let told = of(&report, "broker")[0];
    assert!(
        told["what"]
            .as_str()
            .is_some_and(|t| t.contains("certificate")),
        "{report}"
    );
}
