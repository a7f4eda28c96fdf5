//! Mosquitto as it is deployed: the hub manages its accounts, and finds out whether it keeps
//! devices apart.

use crate::embedded::{obedient, socket};
use crate::support::api::Api;
use crate::support::device::{Device, Door};
use crate::support::eventually;
use crate::support::hub::{Hub, Start, folder};
use crate::support::mosquitto::Mosquitto;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A hub at a Mosquitto whose accounts it manages.
struct House {
    broker: Mosquitto,
    hub: Hub,
    api: Api,
    _folder: TempDir,
}

fn start(broker: &Mosquitto) -> Start {
    Start::serve()
        .with("MQTT_URL", broker.url())
        .with("MQTT_FINGERPRINT", broker.sha256.as_str())
        .with("MQTT_MANAGE", "dynsec")
}

impl House {
    async fn at(mut broker: Mosquitto) -> Self {
        broker.restart();
        let folder = folder();
        let hub = start(&broker).on(folder.path()).await;
        let api = Api::set_up(&hub).await;
        Self {
            broker,
            hub,
            api,
            _folder: folder,
        }
    }

    async fn broker_is(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            last = self.api.get("/api/v1/broker").await.1;
            if is_so(&last) {
                return last;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{what}: {last}\n{}", self.hub.log());
    }

    /// Looks at the accounts and tries the broker out.
    async fn test(&self) -> Value {
        let (status, test) = self.api.post("/api/v1/broker/self-test", json!({})).await;
        assert_eq!(status, StatusCode::OK, "{test}");
        test
    }

    async fn ready(&self) -> String {
        let (status, ready) = self.api.get("/health/ready").await;
        assert_eq!(status, StatusCode::OK, "{ready}");
        ready["status"].as_str().expect("a word").to_owned()
    }

    /// Makes a device; gives its door to the broker.
    async fn device(&self, body: Value) -> Door {
        let (status, made) = self.api.post("/api/v1/devices", body).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert_eq!(made["broker_managed_by"], "hub", "{made}");
        self.door(&made["credential"])
    }

    fn door(&self, issued: &Value) -> Door {
        let word = |key: &str| issued[key].as_str().expect("a word").to_owned();
        Door {
            host: "127.0.0.1".into(),
            port: self.broker.port,
            sha256: self.broker.sha256.clone(),
            username: word("username"),
            password: word("password"),
        }
    }

    async fn credential(&self, username: &str) -> Value {
        let (_, listed) = self.api.get("/api/v1/broker/credentials").await;
        let mut all = listed["items"].as_array().expect("a list").iter();
        let found = all.find(|c| c["username"] == username);
        found.expect("it is listed").clone()
    }

    /// The socket obeys, and its state is heard.
    async fn socket_works(&self, device: &Device) {
        eventually("the socket reports", || async {
            device
                .report("esp8266/socket/status", "{\"relay\": 0}", false)
                .await;
            (self.api.entity("socket", "power").await["state"] == "off").then_some(())
        })
        .await;
        let command = json!({"action": "turn_on"});
        let command = self.api.command("socket", "power", command).await;
        assert_eq!(command["status"], "confirmed", "{command}");
    }
}

/// The user cannot come in with that password.
async fn is_shut_out(door: &Door) {
    let device = Device::connect(door, "stranger", &[], |_| Vec::new());
    eventually("it is not let in, twice", || async {
        (device.failures() > 1).then_some(())
    })
    .await;
}

fn lamp() -> Value {
    json!({"name": "Lamp", "entities": [{"id": "light", "kind": "switch", "config": {
        "command_topic": "lamp/set", "state_topic": "lamp/state"}}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_gets_in_at_mosquitto_touches_its_own_topics_only_and_is_cut_off_when_it_goes() {
    let house = House::at(Mosquitto::managed().await).await;
    let status = house
        .broker_is("the self-test is well", |b| {
            b["self_test"]["result"] == "refused"
        })
        .await;
    assert_eq!(status["managed_by"], "hub", "{status}");
    assert_eq!(status["accounts"]["faults"], json!([]), "{status}");
    assert_eq!(status["sha256"], house.broker.sha256.as_str(), "{status}");
    let sha1 = status["sha1"].as_str().expect("it was seen");
    assert_eq!(sha1.len(), 59, "{status}");
    assert_eq!(house.ready().await, "ready");
    assert!(!house.broker.dynsec(&["listClients"]).contains("selftest"));

    let door = house.device(socket("Socket")).await;
    let other = house.device(lamp()).await;
    let device = obedient(&door);
    house.socket_works(&device).await;

    // Neither direction leads to the lamp.
    let lamp = Device::connect(&other, "lamp", &["lamp/set"], |told| {
        vec![("lamp/state".into(), told.payload.clone(), false)]
    });
    lamp.report("lamp/state", "OFF", false).await;
    house
        .api
        .wait_for_state("lamp", "light", &json!("off"))
        .await;
    let spy = Device::connect(&door, "spy", &["#", "lamp/set", "lamp/#"], |_| Vec::new());
    spy.report("lamp/state", "ON", false).await;
    spy.report("esp8266/socket/status", "{\"relay\": 0}", false)
        .await;
    house
        .api
        .wait_for_state("socket", "power", &json!("off"))
        .await;
    assert_eq!(house.api.entity("lamp", "light").await["state"], "off");
    let command = json!({"action": "turn_on"});
    let command = house.api.command("lamp", "light", command).await;
    assert_eq!(command["status"], "confirmed", "{command}");
    assert!(spy.told().is_empty(), "{:?}", spy.told());
    drop(spy);

    // A new password ends the old one.
    let id = house.credential(&door.username).await["id"].clone();
    let rotate = format!(
        "/api/v1/broker/credentials/{}/rotate",
        id.as_str().expect("an id")
    );
    let (status, issued) = house.api.post(&rotate, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{issued}");
    let renewed = house.door(&issued);
    eventually("the old password is cut off", || async {
        (device.failures() > 1).then_some(())
    })
    .await;
    drop(device);
    is_shut_out(&door).await;
    let device = obedient(&renewed);
    house.socket_works(&device).await;
    assert_eq!(device.failures(), 0);

    house.api.delete("/api/v1/devices/socket").await;
    eventually("the deleted device is cut off", || async {
        (device.failures() > 1).then_some(())
    })
    .await;
    drop(device);
    is_shut_out(&renewed).await;
    assert!(
        !house
            .broker
            .dynsec(&["listClients"])
            .contains(&renewed.username)
    );
    assert_eq!(house.hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_did_not_make_stays_and_what_it_made_comes_back_as_it_was() {
    let mut house = House::at(Mosquitto::managed().await).await;
    house
        .broker_is("the accounts were looked at", |b| {
            b["accounts"]["reconciled_at"].is_string()
        })
        .await;
    let broker = &house.broker;
    broker.dynsec(&["createRole", "neighbours"]);
    let acl = ["neighbours", "publishClientSend", "lamp/state", "allow"];
    broker.dynsec(&[&["addRoleACL"], acl.as_slice()].concat());
    broker.dynsec(&["createClient", "lamp", "-p", "own-word"]);
    broker.dynsec(&["addClientRole", "lamp", "neighbours"]);
    let before = broker.dynsec(&["getClient", "lamp"]) + &broker.dynsec(&["getRole", "neighbours"]);
    house.test().await;

    // The name is another's, so the lamp's user gets another one.
    let lamp_door = house.device(lamp()).await;
    assert_eq!(lamp_door.username, "lamp-2");
    let door = house.device(socket("Socket")).await;
    let device = obedient(&door);
    house.socket_works(&device).await;

    // Somebody opens the socket's list: the next look closes it, and ends its connections.
    let id = house.credential(&door.username).await["id"].clone();
    let role = format!("iothome.{}", id.as_str().expect("an id"));
    house
        .broker
        .dynsec(&["addRoleACL", &role, "publishClientSend", "#", "allow"]);
    house.test().await;
    assert!(!house.broker.dynsec(&["getRole", &role]).contains(": #"));

    // While the broker is down the lamp is deleted, and then everything but the hub is forgotten.
    house.broker.kill();
    house
        .broker_is("the broker is away", |b| b["connected"] == false)
        .await;
    house.api.delete("/api/v1/devices/lamp").await;
    house.broker.restart();
    house
        .broker_is("what is left over goes", |b| b["accounts"]["kept"] == 1)
        .await;
    is_shut_out(&lamp_door).await;
    let broker = &house.broker;
    let after = broker.dynsec(&["getClient", "lamp"]) + &broker.dynsec(&["getRole", "neighbours"]);
    assert_eq!(after, before, "what the hub did not make is as it was");
    let neighbour = Door {
        username: "lamp".into(),
        password: "own-word".into(),
        ..door.clone()
    };
    let neighbour = Device::connect(&neighbour, "neighbour", &[], |_| Vec::new());
    neighbour.report("lamp/state", "ON", false).await;

    house.broker.kill();
    house.broker.forget_accounts();
    house.broker.restart();
    // The same password again, without anybody's doing.
    house.socket_works(&device).await;
    let status = house
        .broker_is("it was tried again", |b| {
            b["self_test"]["result"] == "refused"
        })
        .await;
    assert_eq!(status["accounts"]["faults"], json!([]), "{status}");
    eventually("its account was forgotten too", || async {
        (neighbour.failures() > 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_keep_devices_apart_is_found_out() {
    let broker = Mosquitto::managed().await;
    broker.open_to_all();
    let house = House::at(broker).await;
    let status = house
        .broker_is("the self-test is not well", |b| {
            b["self_test"]["result"] == "open"
        })
        .await;
    let test = &status["self_test"];
    assert_eq!(test["read_refused"], false, "{status}");
    assert_eq!(test["write_refused"], false, "{status}");
    let open = json!(["publishClientSend", "subscribe"]);
    assert_eq!(status["accounts"]["open_defaults"], open, "{status}");
    assert_eq!(house.ready().await, "degraded");

    // What the page says to do.
    let deny = |door: &str| json!({"acltype": door, "allow": false});
    let command = json!({"command": "setDefaultACLAccess",
        "acls": [deny("publishClientSend"), deny("subscribe")]});
    let commands = json!({ "commands": [command] }).to_string();
    house
        .broker
        .publish("$CONTROL/dynamic-security/v1", &commands);
    let test = house.test().await;
    assert_eq!(test["result"], "refused", "{test}");
    assert_eq!(house.ready().await, "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_without_the_plugin_is_told_and_asked_again() {
    let broker = Mosquitto::start(&[("hub", "hub-word")]);
    let folder = folder();
    let hub = Start::serve()
        .with(
            "MQTT_URL",
            format!("mqtts://hub:hub-word@127.0.0.1:{}", broker.port),
        )
        .with("MQTT_FINGERPRINT", broker.sha256.as_str())
        .with("MQTT_MANAGE", "dynsec")
        .on(folder.path())
        .await;
    let api = Api::set_up(&hub).await;
    eventually("the page says why", || async {
        let (_, broker) = api.get("/api/v1/broker").await;
        broker["accounts"]["problem"].is_string().then_some(())
    })
    .await;
    assert_eq!(api.get("/health/ready").await.1["status"], "degraded");
    let (status, problem) = api.post("/api/v1/broker/self-test", json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    // Devices are made all the same; their users wait for the broker.
    let (status, made) = api.post("/api/v1/devices", lamp()).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert!(made["credential"].is_object(), "{made}");
}
