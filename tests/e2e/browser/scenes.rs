//! The houses that pages are looked at in: empty, typical, crowded, everything away.
//!
//! Owner of what "crowded" means: two hundred devices of every kind, with names
//! as long as they may be, from right to left, and hostile.

use crate::embedded::create;
use crate::support::api::Api;
use crate::support::device::{Device, Door};
use crate::support::eventually;
use crate::support::hub::{Hub, Start, folder};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Devices of the crowded house.
const CROWD: usize = 200;

/// Names that break pages which are not made with care; each device adds its number.
const NAMES: [&str; 8] = [
    "Bewässerungssteuerung der Dachterrassenbepflanzung mit Feuchtigkeitsmessung Nordnordost",
    "مصباح غرفة المعيشة الكبيرة بجانب النافذة",
    "מזגן חדר השינה של ההורים",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "<script>alert('x')</script> & \"quoted\" </div>",
    "🛋️👨‍👩‍👧‍👦 リビングの読書灯",
    "Z̸̢͝a̶̧͘l̵̛͜g̷̨̛o̸̧͝ \u{202e}reversed\u{202c} name",
    "Lamp",
];

const ROOMS: [&str; 7] = [
    "Kitchen",
    "غرفة المعيشة",
    "Kinderzimmer der Zwillinge im zweiten Obergeschoss links neben dem Badezimmer",
    "חדר שינה",
    "Garage",
    "<b>Attic</b>",
    "",
];

/// A running house with everything that speaks in it.
pub(super) struct House {
    pub(super) hub: Hub,
    pub(super) api: Api,
    pub(super) user: String,
    pub(super) password: String,
    bridge: Option<Device>,
    _folder: TempDir,
}

/// A house nobody has put a device into.
pub(super) async fn empty() -> House {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    House {
        hub,
        api,
        user: super::ADAM.0.to_owned(),
        password: super::ADAM.1.to_owned(),
        bridge: None,
        _folder: folder,
    }
}

/// The demo's home, once every device is there.
pub(super) async fn typical() -> House {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    eventually("the demo has come to life", || async {
        let devices = api.devices().await;
        let online = devices.iter().filter(|d| d["availability"] == "online");
        (online.count() >= 11).then_some(())
    })
    .await;
    House {
        user: hub.banner("user").to_owned(),
        password: hub.banner("password").to_owned(),
        hub,
        api,
        bridge: None,
        _folder: folder,
    }
}

/// Two hundred devices behind one bridge, all online.
pub(super) async fn crowded() -> House {
    let mut house = empty().await;
    let door = bridge(&house.hub, &house.api).await;
    for n in 0..CROWD {
        create(&house.hub, &house.api, device(n)).await;
    }
    let bridge = Device::connect(&door, "bridge", &[], |_| Vec::new());
    for n in 0..CROWD {
        let availability = format!("crowd/{n}/availability");
        bridge.report(&availability, "online", true).await;
        for (topic, payload) in reports(n) {
            bridge.report(&topic, payload, true).await;
        }
    }
    let last = CROWD - 1;
    eventually("the last one has spoken", || async {
        let (_, device) = house
            .api
            .get(&format!("/api/v1/devices/crowd-{last}"))
            .await;
        let entities = device["entities"].as_array()?;
        let spoke = |e: &Value| e["state"] != Value::Null && e["availability"] == "online";
        entities.iter().any(spoke).then_some(())
    })
    .await;
    house.bridge = Some(bridge);
    house
}

impl House {
    /// The bridge says that nothing can be reached any more.
    pub(super) async fn everything_goes_away(&self) {
        let bridge = self.bridge.as_ref().expect("a house behind a bridge");
        for n in 0..CROWD {
            let availability = format!("crowd/{n}/availability");
            bridge.report(&availability, "offline", true).await;
        }
        eventually("everything is away", || async {
            let devices = self.api.devices().await;
            let away = |d: &Value| d["availability"] != "online";
            devices.iter().all(away).then_some(())
        })
        .await;
    }
}

/// A join credential that may speak for the whole crowd.
async fn bridge(hub: &Hub, api: &Api) -> Door {
    let (status, made) = api
        .post(
            "/api/v1/broker/credentials",
            json!({"name": "Bridge", "device": null,
                   "topics": [{"filter": "crowd/#", "access": "write"}]}),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
    let (host, port) = hub.broker();
    Door {
        host,
        port,
        sha256: hub.banner("sha256").to_owned(),
        username: text("username"),
        password: text("password"),
    }
}

/// The kinds that the crowd is made of, in turn: kind, what it needs beside its topics, a report.
fn kinds(n: usize) -> [(&'static str, Value, String); 8] {
    let on_off = |yes: bool| if yes { "ON" } else { "OFF" }.to_owned();
    [
        ("switch", json!({}), on_off(n.is_multiple_of(2))),
        (
            "binary_sensor",
            json!({"device_class": "door"}),
            on_off(n.is_multiple_of(3)),
        ),
        (
            "sensor",
            json!({"device_class": "temperature", "unit_of_measurement": "°C"}),
            format!("{}.{}", 15 + n % 10, n % 7),
        ),
        ("light", json!({}), on_off(n.is_multiple_of(3))),
        (
            "number",
            json!({"min": 5, "max": 30, "step": 0.5}),
            format!("{}", 16 + n % 8),
        ),
        (
            "select",
            json!({"options": ["Away for a very long holiday in the south", "Comfort", "راحة"]}),
            "Comfort".to_owned(),
        ),
        ("cover", json!({}), "open".to_owned()),
        ("lock", json!({}), "LOCKED".to_owned()),
    ]
}

fn device(n: usize) -> Value {
    let entities: Vec<Value> = of(n)
        .map(|(at, (kind, mut config, _))| {
            config["state_topic"] = json!(format!("crowd/{n}/{at}"));
            config["availability_topic"] = json!(format!("crowd/{n}/availability"));
            if !matches!(kind, "sensor" | "binary_sensor") {
                config["command_topic"] = json!(format!("crowd/{n}/{at}/set"));
            }
            json!({"id": format!("e{at}"), "name": format!("{kind} {}", NAMES[(n + at) % 4]),
                   "kind": kind, "config": config})
        })
        .collect();
    let room = ROOMS[n % ROOMS.len()];
    let room = (!room.is_empty()).then_some(room);
    json!({"id": format!("crowd-{n}"), "name": format!("{} {n}", NAMES[n % NAMES.len()]),
           "room": room, "entities": entities})
}

/// What a device says of each of its entities.
fn reports(n: usize) -> impl Iterator<Item = (String, String)> {
    of(n).map(move |(at, (_, _, report))| (format!("crowd/{n}/{at}"), report))
}

/// Two kinds a device, so that the crowd has every pair of neighbours.
fn of(n: usize) -> impl Iterator<Item = (usize, (&'static str, Value, String))> {
    let kinds = kinds(n);
    let (first, second) = (n % kinds.len(), (n + 1) % kinds.len());
    kinds
        .into_iter()
        .enumerate()
        .filter(move |(at, _)| *at == first || *at == second)
}
