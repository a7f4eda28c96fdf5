//! The demo: a home that is simulated, run by a hub that is real.
//!
//! Owner of how the simulated devices get in: by the same door as any other. They
//! get credentials, announce themselves and are accepted in the demo user's name; no
//! rule is bent for them.

use crate::broker_side::BrokerSide;
use crate::error::StartError;
use crate::people;
use crate::secrets;
use crate::settings::Settings;
use iothome_actors::{
    Accept, Hub, HubError, IssuedCredential, NewCredential, NewDevice, NewDeviceView, NewEntity,
};
use iothome_engine::ids::{DeviceId, UserId};
use iothome_engine::kind::Kind;
use iothome_engine::policy::{Role, Subject};
use iothome_simulator::{Blueprint, DeviceSpec, Home, Joining, SimulatorConfig, household};
use iothome_store::{NewStatus, NewUser, Store};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// The demo user.
const NAME: &str = "demo";
/// How often the waiting devices are looked at, and how long: the simulated ones announce
/// themselves within a second, so a minute means that something is wrong.
const LOOK_EVERY: Duration = Duration::from_millis(150);
const LOOK_FOR: Duration = Duration::from_secs(60);

/// Who may sign in.
pub(crate) struct DemoUser {
    pub(crate) name: String,
    pub(crate) password: String,
    subject: Subject,
}

/// Sets the home up at the first start, and the demo user's password at each.
pub(crate) async fn prepare(store: &Store, settings: &Settings) -> Result<DemoUser, StartError> {
    let password = match &settings.demo_password {
        Some(given) => given.expose().to_owned(),
        None => secrets::password()?,
    };
    let hash = people::hash(password.clone()).await?;
    let now = people::now();
    let user = match store.user_by_name(NAME).await? {
        Some((user, _)) => {
            store.set_password(user.id, &hash).await?;
            store.end_sessions_of(user.id, None, now).await?;
            user.id
        }
        None => set_up(store, hash).await?,
    };
    Ok(DemoUser {
        name: NAME.to_owned(),
        password,
        subject: Subject {
            user,
            name: NAME.to_owned(),
            role: Role::Admin,
            grants: HashMap::new(),
        },
    })
}

async fn set_up(store: &Store, password_hash: String) -> Result<UserId, StartError> {
    let now = people::now();
    let zone = jiff::tz::TimeZone::system();
    let home = iothome_store::Home {
        name: "Demo home".to_owned(),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        latitude: None,
        longitude: None,
        set_up_at: now,
    };
    let user = NewUser {
        id: UserId::new(now, secrets::random()?),
        name: NAME.to_owned(),
        role: Role::Admin,
        password_hash,
        created_at: now,
    };
    let id = user.id;
    if !store.set_up(&home, &user).await? {
        // Set up, but the demo user was removed: it comes back beside the others.
        store.create_user(&user).await?;
    }
    Ok(id)
}

/// Gives every simulated device its credentials and starts it.
pub(crate) async fn start(
    hub: &Hub,
    side: &BrokerSide,
    user: &DemoUser,
    discovery_prefix: &str,
) -> Result<Home, StartError> {
    let mut devices = Vec::new();
    for blueprint in household() {
        let issued = match blueprint.joining {
            Joining::ByHand => enter_by_hand(hub, &blueprint, &user.subject).await,
            Joining::Announced | Joining::Waiting => {
                credential(hub, &blueprint, &user.subject).await.map(Some)
            }
        };
        let Some(issued) = issued.map_err(|e| not_in(&blueprint, &e))? else {
            continue;
        };
        devices.push(DeviceSpec::new(
            &blueprint,
            issued.username,
            issued.password,
        ));
    }
    let pins = side.sha256.into_iter().collect();
    Home::start(SimulatorConfig {
        host: side.mqtt.host.clone(),
        port: side.mqtt.port,
        pins,
        discovery_prefix: discovery_prefix.to_owned(),
        devices,
    })
    .map_err(|e| StartError::Other(e.to_string()))
}

fn not_in(blueprint: &Blueprint, error: &HubError) -> StartError {
    StartError::Hub(format!(
        "the simulated {} could not be let in: {error}",
        blueprint.name
    ))
}

/// A broker user made before the device is known; from the second start on a new password.
async fn credential(
    hub: &Hub,
    blueprint: &Blueprint,
    by: &Subject,
) -> Result<IssuedCredential, HubError> {
    if let Some(issued) = new_password(hub, blueprint, by).await? {
        return Ok(issued);
    }
    let new = NewCredential {
        name: blueprint.name.to_owned(),
        device: Some(device_id(blueprint)),
        topics: None,
    };
    hub.create_credential(new, by).await
}

async fn new_password(
    hub: &Hub,
    blueprint: &Blueprint,
    by: &Subject,
) -> Result<Option<IssuedCredential>, HubError> {
    let id = device_id(blueprint);
    let known = hub.credentials();
    let known = known.iter().find(|c| c.device.as_ref() == Some(&id));
    match known {
        Some(known) => hub.rotate_credential(known.id, by).await.map(Some),
        None => Ok(None),
    }
}

fn device_id(blueprint: &Blueprint) -> DeviceId {
    blueprint
        .id
        .parse()
        .expect("the household's ids follow the grammar, as a test sees to")
}

/// The device that cannot announce itself is typed in, as a person would do it; `None` if
/// the user deleted it, since an id is never given again.
async fn enter_by_hand(
    hub: &Hub,
    blueprint: &Blueprint,
    by: &Subject,
) -> Result<Option<IssuedCredential>, HubError> {
    if hub.house().device(&device_id(blueprint)).is_some() {
        return credential(hub, blueprint, by).await.map(Some);
    }
    let new = NewDevice {
        id: Some(blueprint.id.to_owned()),
        name: blueprint.name.to_owned(),
        room: Some(blueprint.area.to_owned()),
        entities: hand_made_entities(),
        credential: true,
    };
    match hub.create_device(new, by).await {
        Ok((_, issued)) => Ok(issued),
        Err(HubError::Taken { .. }) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// `1` and `0` on a topic, JSON on the status topic: a firmware of one evening.
fn hand_made_entities() -> Vec<NewEntity> {
    let entity = |id: &str, name: &str, kind, config: Value| NewEntity {
        id: Some(id.to_owned()),
        name: Some(name.to_owned()),
        kind,
        deadline_ms: None,
        config: match config {
            Value::Object(raw) => raw,
            _ => serde_json::Map::new(),
        },
    };
    vec![
        entity(
            "socket",
            "Socket",
            Kind::Switch,
            json!({
                "command_topic": "esp8266/socket",
                "payload_on": "1", "payload_off": "0",
                "state_topic": "esp8266/socket/status",
                "value_template": "{{ value_json.state }}",
                "state_on": "1", "state_off": "0",
                "availability_topic": "esp8266/socket/availability",
                "device_class": "outlet",
            }),
        ),
        entity(
            "signal",
            "Signal",
            Kind::Sensor,
            json!({
                "state_topic": "esp8266/socket/status",
                "value_template": "{{ value_json.rssi }}",
                "unit_of_measurement": "dBm", "device_class": "signal_strength",
                "availability_topic": "esp8266/socket/availability",
                "entity_category": "diagnostic",
            }),
        ),
    ]
}

/// Accepts the simulated devices as they announce themselves, all but the one that is
/// left for the user to try it out.
pub(crate) async fn accept_announced(hub: Hub, user: Subject) {
    let mut missing: Vec<Blueprint> = household();
    missing.retain(|b| b.joining == Joining::Announced);
    let deadline = tokio::time::Instant::now() + LOOK_FOR;
    while tokio::time::Instant::now() < deadline {
        missing.retain(|b| hub.house().device(&device_id(b)).is_none());
        if missing.is_empty() {
            return;
        }
        for blueprint in &missing {
            accept(&hub, blueprint, &user).await;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let names: Vec<&str> = missing.iter().map(|b| b.name).collect();
    tracing::warn!(?names, "simulated devices did not announce themselves");
}

async fn accept(hub: &Hub, blueprint: &Blueprint, user: &Subject) {
    let waiting = hub.new_devices();
    let is_it = |n: &NewDeviceView| n.status == NewStatus::New && speaks(&n.topics, blueprint.id);
    let Some(new) = waiting.iter().find(|n| is_it(n)) else {
        return;
    };
    let accepted = Accept {
        name: None,
        room: Some(blueprint.area.to_owned()),
    };
    if let Err(error) = hub.accept_new(&new.id, accepted, user).await {
        tracing::warn!(device = blueprint.id, %error, "a simulated device was not accepted");
    }
}

/// Whether these are topics on which that device alone may announce itself: a name, anybody
/// could give itself.
fn speaks(topics: &[String], id: &str) -> bool {
    let is_own = |topic: &String| topic.split('/').nth(2) == Some(id);
    !topics.is_empty() && topics.iter().all(is_own)
}

impl DemoUser {
    pub(crate) fn subject(&self) -> Subject {
        self.subject.clone()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;
    use iothome_engine::config::EntityConfig;
    use iothome_engine::template::Templates;

    #[test]
    fn the_households_ids_follow_the_grammar() {
        for blueprint in household() {
            assert_eq!(device_id(&blueprint).as_str(), blueprint.id);
        }
    }

    #[test]
    fn a_device_is_known_by_its_own_topics() {
        let on = |topics: &[&str]| {
            let topics: Vec<String> = topics.iter().map(|t| (*t).to_owned()).collect();
            speaks(&topics, "lamp")
        };
        assert!(on(&["homeassistant/device/lamp/config"]));
        assert!(on(&["homeassistant/light/lamp/main/config"]));
        assert!(!on(&["homeassistant/device/other/config"]));
        assert!(!on(&[
            "homeassistant/device/lamp/config",
            "homeassistant/device/other/config"
        ]));
        assert!(!on(&[]));
    }

    #[test]
    fn what_is_typed_in_by_hand_is_a_right_configuration() {
        let templates = Templates::new();
        for entity in hand_made_entities() {
            EntityConfig::parse(entity.kind, &entity.config, &templates).unwrap();
            assert_eq!(
                iothome_engine::config::unknown_keys(entity.kind, &entity.config),
                Vec::<String>::new()
            );
        }
    }
}
