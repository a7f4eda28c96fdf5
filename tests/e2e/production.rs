//! As in production: Mosquitto with TLS and a password file, and PostgreSQL.

use crate::embedded::{obedient, socket};
use crate::support::api::Api;
use crate::support::device::Door;
use crate::support::eventually;
use crate::support::hub::{Start, folder};
use crate::support::mosquitto::Mosquitto;
use iothome_store::testing::PgServer;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

const USERS: [(&str, &str); 2] = [("hub", "hub-word"), ("socket", "socket-word")];

fn start(broker: &Mosquitto, database: &str) -> Start {
    Start::serve()
        .with("DATABASE_URL", database)
        .with(
            "MQTT_URL",
            format!("mqtts://hub:hub-word@127.0.0.1:{}", broker.port),
        )
        .with("MQTT_FINGERPRINT", broker.sha256.as_str())
}

fn door(broker: &Mosquitto) -> Door {
    Door {
        host: "127.0.0.1".into(),
        port: broker.port,
        sha256: broker.sha256.clone(),
        username: "socket".into(),
        password: "socket-word".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_and_postgresql_carry_a_command_and_survive_the_brokers_death() {
    let mut broker = Mosquitto::start(&USERS);
    let database = PgServer::shared().new_database();
    let folder = folder();
    let hub = start(&broker, &database).on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let (status, made) = api.post("/api/v1/devices", socket("Socket")).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(
        made["credential"],
        Value::Null,
        "the operator makes the broker's users"
    );
    assert_eq!(made["broker_managed_by"], "operator", "{made}");
    api.wait_for_broker().await;
    let (_, status) = api.get("/api/v1/broker").await;
    assert_eq!(
        status["sha256"],
        broker.sha256.as_str(),
        "devices pin it: {status}"
    );
    assert!(status["sha1"].is_string(), "the hub saw it: {status}");
    assert_eq!(status["self_test"]["result"], "not_tested", "{status}");

    let device = obedient(&door(&broker));
    device
        .report("esp8266/socket/status", "{\"relay\": 0}", false)
        .await;
    api.wait_for_state("socket", "power", &json!("off")).await;
    let command = api
        .command("socket", "power", json!({"action": "turn_on"}))
        .await;
    assert_eq!(command["status"], "confirmed", "{command}");

    broker.kill();
    eventually(
        "every entity is unavailable while the broker is away",
        || async {
            (api.entity("socket", "power").await["availability"] == "unavailable").then_some(())
        },
    )
    .await;
    broker.restart();
    api.wait_for_broker().await;
    eventually("commands arrive again", || async {
        let command = api
            .command("socket", "power", json!({"action": "turn_off"}))
            .await;
        (command["status"] == "confirmed").then_some(())
    })
    .await;
    assert_eq!(hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_with_another_fingerprint_is_not_spoken_to() {
    let broker = Mosquitto::start(&USERS);
    let folder = folder();
    let hub = Start::serve()
        .with(
            "MQTT_URL",
            format!("mqtts://hub:hub-word@127.0.0.1:{}", broker.port),
        )
        .with("MQTT_FINGERPRINT", "00".repeat(32))
        .on(folder.path())
        .await;
    let api = Api::set_up(&hub).await;
    eventually("the log says why", || async {
        hub.log()
            .to_lowercase()
            .contains("certificate")
            .then_some(())
    })
    .await;
    assert_eq!(api.get("/api/v1/broker").await.1["connected"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_script_with_mosquitto_pub_and_sub_is_a_device() {
    let broker = Mosquitto::start(&USERS);
    let folder = folder();
    let database = format!("sqlite:{}", folder.path().join("house.db").display());
    let hub = start(&broker, &database).on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let (status, made) = api.post("/api/v1/devices", socket("Socket")).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    api.wait_for_broker().await;

    let port = broker.port.to_string();
    let ca = broker.ca();
    let client = |program: &str| {
        let mut command = Command::new(program);
        command.args([
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-u",
            "socket",
            "-P",
            "socket-word",
            "--cafile",
        ]);
        command.arg(&ca).kill_on_drop(true);
        command
    };
    let mut subscriber = client("/usr/bin/mosquitto_sub")
        .args(["-q", "1", "-t", "esp8266/socket"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("mosquitto_sub starts; install `mosquitto-clients`");
    let mut lines = BufReader::new(subscriber.stdout.take().expect("piped")).lines();
    let publish = |payload: String| {
        let mut command = client("/usr/bin/mosquitto_pub");
        async move {
            let status = command
                .args(["-q", "1", "-t", "esp8266/socket/status", "-m", &payload])
                .status()
                .await;
            assert!(status.is_ok_and(|s| s.success()), "mosquitto_pub");
        }
    };
    publish("{\"relay\": 0}".into()).await;
    api.wait_for_state("socket", "power", &json!("off")).await;

    // The subscriber may connect late: ask until it heard.
    let asked = tokio::spawn({
        let api = api.clone();
        async move {
            eventually("confirmed by a shell script", || async {
                let command = api
                    .command("socket", "power", json!({"action": "turn_on"}))
                    .await;
                (command["status"] == "confirmed").then_some(())
            })
            .await;
        }
    });
    let told = lines.next_line().await.expect("a line").expect("a message");
    assert_eq!(told, "1");
    publish(format!("{{\"relay\": {told}}}")).await;
    asked.await.expect("confirmed");
    assert_eq!(api.entity("socket", "power").await["state"], "on");
}
