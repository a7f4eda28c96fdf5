//! Devices that announce themselves, and who may speak for them.

use super::*;
use crate::hub::DiscoveryMode;
use crate::hub::fixture::{Fixture, admin, until};
use crate::{Accept as Accepted, NewCredential as Wanted};
use iothome_engine::access::{Access, TopicRule};
use iothome_engine::ids::DeviceId;
use iothome_engine::value::Value as State;
use iothome_engine::view::{Availability, Health};
use iothome_store::NewStatus;
use serde_json::{Value, json};

const LAMP: &str = "homeassistant/switch/lamp/relay/config";

/// A relay of a device, with its topics below `base`.
fn relay(device: &str, base: &str) -> Value {
    json!({
        "name": "Relay",
        "unique_id": format!("{device}-relay"),
        "command_topic": format!("{base}/set"),
        "state_topic": format!("{base}/state"),
        "device": { "identifiers": [device], "name": format!("The {device}"), "manufacturer": "Acme" },
    })
}

fn may_write(filter: String) -> TopicRule {
    TopicRule {
        filter,
        access: Access::Write,
    }
}

fn may_read(filter: String) -> TopicRule {
    TopicRule {
        filter,
        access: Access::Read,
    }
}

impl Fixture {
    /// A bridge that may announce everything and touch what lies below `prefix`.
    async fn bridge(&self, name: &str, prefix: &str) -> IssuedCredential {
        let topics = vec![
            may_write(format!("{prefix}/#")),
            may_read(format!("{prefix}/#")),
            may_write("homeassistant/#".to_owned()),
        ];
        let new = Wanted {
            name: name.into(),
            device: None,
            topics: Some(topics),
        };
        self.hub
            .create_credential(new, &admin())
            .await
            .expect("is made")
    }

    async fn waits(&self, status: NewStatus) -> Arc<NewDeviceView> {
        let found = || {
            self.hub
                .new_devices()
                .iter()
                .find(|d| d.status == status)
                .cloned()
        };
        until("a device that waits", || found().is_some()).await;
        found().expect("waits")
    }

    async fn accepted(&self, topic: &str, payload: &Value) -> DeviceId {
        self.announce(topic, payload);
        let new = self.waits(NewStatus::New).await;
        let view = self
            .hub
            .accept_new(&new.id, Accepted::default(), &admin())
            .await;
        view.expect("is accepted").id.clone()
    }

    async fn settled(&self) {
        let registrar = &self.hub.inner_registrar();
        until("all announcements", || registrar.is_idle()).await;
        // An answer from the registrar says that what was taken before is dealt with.
        let _ = registrar
            .ask(|reply| RegistrarMsg::Ignore("nobody".into(), By::from(&admin()), reply))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_announces_itself_waits_until_it_is_accepted() {
    let house = Fixture::new().await;
    house.bridge("zigbee", "zigbee").await;
    house.announce(LAMP, &relay("lamp", "zigbee/lamp"));
    let new = house.waits(NewStatus::New).await;
    assert_eq!(
        (new.name.as_str(), new.about.manufacturer.as_deref()),
        ("The lamp", Some("Acme"))
    );
    assert_eq!(
        new.entities,
        [("Relay".to_owned(), iothome_engine::kind::Kind::Switch)]
    );
    assert!(house.hub.house().is_empty());
    let accept = Accepted {
        name: None,
        room: Some("Hall".into()),
    };
    let view = house
        .hub
        .accept_new(&new.id, accept, &admin())
        .await
        .expect("is accepted");
    assert_eq!(
        (view.id.as_str(), view.room.as_deref()),
        ("the-lamp", Some("Hall"))
    );
    assert!(view.sender_verified);
    assert!(house.hub.new_devices().is_empty());
    house.deliver("zigbee/lamp/state", "ON");
    until("its state", || {
        house.entity(&view.id).state == Some(State::word("on"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_still_waits_after_a_restart() {
    let mut house = Fixture::new().await;
    house.bridge("zigbee", "zigbee").await;
    house.announce(LAMP, &relay("lamp", "zigbee/lamp"));
    let before = house.waits(NewStatus::New).await;
    house.crash().await;
    let after = house.waits(NewStatus::New).await;
    assert_eq!(
        (&after.id, &after.entities, &after.topics),
        (&before.id, &before.entities, &before.topics)
    );
    house
        .hub
        .ignore_new(&after.id, &admin())
        .await
        .expect("is ignored");
    house.crash().await;
    house.waits(NewStatus::Ignored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_announcement_again_is_no_work_and_a_changed_one_updates() {
    let mut house = Fixture::new().await;
    house.bridge("zigbee", "zigbee").await;
    let lamp = house.accepted(LAMP, &relay("lamp", "zigbee/lamp")).await;
    let entity = house.view(&lamp).entities[0].id.clone();
    for _ in 0..2 {
        house.announce(LAMP, &relay("lamp", "zigbee/lamp"));
        house.settled().await;
        assert_eq!(house.view(&lamp).version, 1);
        house.crash().await;
    }
    let patch = crate::DevicePatch {
        name: Some("Reading lamp".into()),
        ..crate::DevicePatch::default()
    };
    house
        .hub
        .update_device(&lamp, patch, None, &admin())
        .await
        .expect("is renamed");
    let mut changed = relay("lamp", "zigbee/lamp");
    changed["state_topic"] = json!("zigbee/lamp/other");
    changed["device"]["name"] = json!("Another name");
    house.announce(LAMP, &changed);
    until("the change", || house.view(&lamp).version == 3).await;
    let view = house.view(&lamp);
    assert_eq!(
        (view.name.as_str(), &view.entities[0].id),
        ("Reading lamp", &entity)
    );
    house.deliver("zigbee/lamp/other", "ON");
    until("its state", || {
        house.entity(&lamp).state == Some(State::word("on"))
    })
    .await;
    assert!(house.hub.new_devices().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_claims_another_devices_topic_cannot_be_accepted() {
    let house = Fixture::new().await;
    house.bridge("zigbee", "zigbee").await;
    house.accepted(LAMP, &relay("lamp", "zigbee/lamp")).await;
    house.announce(
        "homeassistant/switch/spy/relay/config",
        &relay("spy", "zigbee/lamp"),
    );
    let new = house.waits(NewStatus::Conflict).await;
    let reason = new.reason.clone().expect("says why");
    assert!(reason.contains("the-lamp"), "{reason}");
    let refused = house
        .hub
        .accept_new(&new.id, Accepted::default(), &admin())
        .await;
    assert!(matches!(refused, Err(HubError::Conflict { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_claims_topics_beyond_its_credential_cannot_be_accepted() {
    let house = Fixture::with(DiscoveryMode::Accept, true).await;
    house.bridge("zigbee", "zigbee").await;
    house.announce(LAMP, &relay("lamp", "tasmota/lamp"));
    house.waits(NewStatus::Conflict).await;
    assert!(
        house.hub.house().is_empty(),
        "the mode does not go around it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_speaks_for_another_senders_device() {
    let house = Fixture::new().await;
    let topics = |prefix: &str| {
        vec![
            may_write(format!("{prefix}/#")),
            may_read(format!("{prefix}/#")),
            may_write(format!("homeassistant/switch/{prefix}/+/config")),
        ]
    };
    for prefix in ["good", "evil"] {
        let new = Wanted {
            name: prefix.into(),
            device: None,
            topics: Some(topics(prefix)),
        };
        house
            .hub
            .create_credential(new, &admin())
            .await
            .expect("is made");
    }
    let lamp = house
        .accepted(
            "homeassistant/switch/good/lamp/config",
            &relay("lamp", "good/lamp"),
        )
        .await;
    house.announce(
        "homeassistant/switch/evil/lamp/config",
        &relay("lamp", "evil/lamp"),
    );
    let new = house.waits(NewStatus::Conflict).await;
    assert!(
        new.reason
            .as_deref()
            .is_some_and(|r| r.contains("does not speak"))
    );
    assert_eq!(house.view(&lamp).version, 1);
    house.deliver("good/lamp/state", "ON");
    until("its state", || {
        house.entity(&lamp).state == Some(State::word("on"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_entity_leaves_the_view_and_returns_under_its_id() {
    let house = Fixture::new().await;
    house.bridge("zigbee", "zigbee").await;
    let lamp = house.accepted(LAMP, &relay("lamp", "zigbee/lamp")).await;
    let entity = house.view(&lamp).entities[0].id.clone();
    house.withdraw(LAMP);
    until("it leaves", || house.view(&lamp).entities.is_empty()).await;
    house.announce(LAMP, &relay("lamp", "zigbee/lamp"));
    until("it returns", || !house.view(&lamp).entities.is_empty()).await;
    assert_eq!(house.view(&lamp).entities[0].id, entity);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_waits_and_is_withdrawn_is_gone() {
    let house = Fixture::new().await;
    house.bridge("zigbee", "zigbee").await;
    house.announce(LAMP, &relay("lamp", "zigbee/lamp"));
    house.waits(NewStatus::New).await;
    house.withdraw(LAMP);
    until("it is gone", || house.hub.new_devices().is_empty()).await;
    assert!(
        house
            .home
            .store
            .new_devices()
            .await
            .expect("reads")
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_device_that_comes_back_waits_as_removed_and_gets_a_new_id() {
    let mut house = Fixture::with(DiscoveryMode::Accept, true).await;
    house.bridge("zigbee", "zigbee").await;
    house.announce(LAMP, &relay("lamp", "zigbee/lamp"));
    until("it is accepted", || house.hub.house().len() == 1).await;
    let lamp = house.hub.house().devices()[0].id.clone();
    house
        .hub
        .delete_device(&lamp, None, &admin())
        .await
        .expect("goes");
    let cleared = std::iter::from_fn(|| house.acts.try_recv().ok())
        .any(|act| matches!(act, crate::services::Act::ClearRetained(t) if t == LAMP));
    assert!(cleared, "its announcement is cleared at the broker");
    house.announce(LAMP, &relay("lamp", "zigbee/lamp"));
    let new = house.waits(NewStatus::Removed).await;
    let view = house
        .hub
        .accept_new(&new.id, Accepted::default(), &admin())
        .await;
    assert_ne!(view.expect("is accepted").id, lamp);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_made_known_in_advance_needs_no_acceptance() {
    let house = Fixture::new().await;
    let new = crate::NewDevice {
        name: "Lamp".into(),
        credential: true,
        ..crate::NewDevice::default()
    };
    let (lamp, issued) = house
        .hub
        .create_device(new, &admin())
        .await
        .expect("is made");
    assert!(issued.is_some());
    house.announce(LAMP, &relay("lamp", "iothome/lamp/relay"));
    until("its entity", || !house.view(&lamp.id).entities.is_empty()).await;
    assert!(house.hub.new_devices().is_empty());
    assert_eq!(house.view(&lamp.id).name, "Lamp");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_accepted_under_its_own_credential_takes_the_credentials_id() {
    let house = Fixture::new().await;
    let id: DeviceId = "lamp".parse().expect("an id");
    let new = Wanted {
        name: "For the lamp".into(),
        device: Some(id.clone()),
        topics: None,
    };
    house
        .hub
        .create_credential(new, &admin())
        .await
        .expect("is made");
    let lamp = house
        .accepted(LAMP, &relay("lamp", "iothome/lamp/relay"))
        .await;
    assert_eq!(lamp, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_management_a_device_is_marked_as_not_verified() {
    let house = Fixture::with(DiscoveryMode::Ask, false).await;
    let lamp = house.accepted(LAMP, &relay("lamp", "tasmota/lamp")).await;
    assert!(!house.view(&lamp).sender_verified);
    let new = Wanted {
        name: "x".into(),
        device: Some(lamp),
        topics: None,
    };
    let refused = house.hub.create_credential(new, &admin()).await;
    assert!(matches!(refused, Err(HubError::Conflict { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_announced_again_after_a_connect_is_marked_until_it_is() {
    let house = Fixture::new().await;
    house.bridge("zigbee", "zigbee").await;
    let lamp = house.accepted(LAMP, &relay("lamp", "zigbee/lamp")).await;
    let registrar = house.hub.inner_registrar();
    registrar.tell(RegistrarMsg::BrokerUp);
    registrar.tell(RegistrarMsg::GraceOver(1));
    until("the mark", || {
        house.view(&lamp).health == Health::NotAnnounced
    })
    .await;
    assert!(house.entity(&lamp).not_announced);
    house.announce(LAMP, &relay("lamp", "zigbee/lamp"));
    until("the mark goes", || house.view(&lamp).health == Health::Ok).await;
    assert_ne!(house.entity(&lamp).availability, Availability::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_announcements_at_once_all_wait() {
    let house = Fixture::new().await;
    house.bridge("zigbee", "zigbee").await;
    for n in 0..10_000 {
        let topic = format!("homeassistant/switch/d{n}/relay/config");
        house.announce(&topic, &relay(&format!("d{n}"), &format!("zigbee/d{n}")));
    }
    let written = || house.hub.new_devices().len();
    let waiting = async {
        while written() < 10_000 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(
        tokio::time::timeout(Duration::from_secs(120), waiting)
            .await
            .is_ok()
    );
    house.settled().await;
    assert_eq!(
        house.home.store.new_devices().await.expect("reads").len(),
        10_000
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_on_a_discovery_topic_harms_nobody() {
    let house = Fixture::new().await;
    house.bridge("zigbee", "zigbee").await;
    let registrar = house.hub.inner_registrar();
    for rubbish in [
        "{",
        "null",
        "[]",
        "\u{0}",
        "{\"command_topic\":{}}",
        &"[".repeat(10_000),
    ] {
        registrar.announce(LAMP, Bytes::from(rubbish.to_owned()));
        house.settled().await;
    }
    registrar.announce("homeassistant/switch/config", Bytes::from("{}"));
    registrar.announce(LAMP, Bytes::from(vec![0xff; 100]));
    house.settled().await;
    assert_eq!(**house.hub.new_devices(), []);
    house.accepted(LAMP, &relay("lamp", "zigbee/lamp")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_users_password_is_shown_once_and_a_new_one_cuts_the_connection() {
    let house = Fixture::new().await;
    let made = house.bridge("zigbee", "zigbee").await;
    let access = house.hub.shared_access();
    let knows = |issued: &IssuedCredential| {
        access
            .load()
            .authenticate(&issued.username, issued.password.as_bytes())
    };
    assert!(knows(&made));
    let rotated = house
        .hub
        .rotate_credential(made.id, &admin())
        .await
        .expect("rotates");
    assert!(knows(&rotated) && !knows(&made));
    house
        .hub
        .delete_credential(made.id, &admin())
        .await
        .expect("goes");
    assert!(!knows(&rotated));
    assert_eq!(*house.cuts.lock().expect("whole"), ["zigbee", "zigbee"]);
    let again = house.hub.delete_credential(made.id, &admin()).await;
    assert!(matches!(again, Err(HubError::NotFound)));
    assert!(!format!("{rotated:?}").contains(&rotated.password));
}
