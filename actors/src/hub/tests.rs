//! The house as a whole: commands, failures, restarts.

use super::fixture::{Fixture, PATIENCE, admin, entity, switch_entity, until};
use crate::device::DeviceMsg;
use crate::error::{AskError, HubError};
use crate::house::Change;
use crate::mqtt::MqttEvent;
use iothome_engine::command::{Command, Idempotency, Status, reason};
use iothome_engine::ids::DeviceId;
use iothome_engine::kind::{Action, Kind};
use iothome_engine::policy::Role;
use iothome_engine::value::Value;
use iothome_engine::view::{Availability, Freshness, Health};
use iothome_store::{Home, NewUser};
use serde_json::json;
use tokio::sync::oneshot;

async fn end(ended: Option<oneshot::Receiver<Command>>) -> Command {
    let ended = ended.expect("has not ended yet");
    let waited = tokio::time::timeout(PATIENCE, ended).await;
    waited.expect("ends in time").expect("the end is told")
}

pub(super) async fn ask(house: &Fixture, device: &DeviceId, action: Action) -> super::Asked {
    let ask = house.hub.test_ask(device, action);
    house.hub.ask(ask).await.expect("is accepted")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_goes_from_the_click_to_the_confirmation() {
    let mut house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    let mut changes = house.hub.changes();
    let asked = ask(&house, &lamp, Action::TurnOn).await;
    let stored = house
        .home
        .store
        .command(asked.command.id)
        .await
        .expect("reads");
    assert_eq!(stored.expect("is durable").status, Status::Accepted);
    let outgoing = house.published().await;
    assert_eq!(
        (outgoing.topic.as_str(), outgoing.payload.as_slice()),
        ("lamp/set", &b"ON"[..])
    );
    house.sent(&lamp, &outgoing);
    house.deliver("lamp/state", "ON");
    let ended = end(asked.ended).await;
    assert_eq!(ended.status, Status::Confirmed);
    let stored = house.home.store.command(ended.id).await.expect("reads");
    assert_eq!(stored.expect("is there").status, Status::Confirmed);
    assert_eq!(house.entity(&lamp).state, Some(Value::word("on")));
    assert_eq!(house.entity(&lamp).freshness, Freshness::Live);
    let mut steps = Vec::new();
    while let Ok(change) = changes.try_recv() {
        if let Change::Command(command) = change {
            steps.push(command.status);
        }
    }
    assert_eq!(steps, [Status::Accepted, Status::Confirmed]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_command_supersedes_the_unfinished_one() {
    let house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    let first = ask(&house, &lamp, Action::TurnOn).await;
    let second = ask(&house, &lamp, Action::TurnOff).await;
    let ended = end(first.ended).await;
    assert_eq!(ended.status, Status::Superseded);
    assert_eq!(ended.reason.as_deref(), Some(reason::NEWER_COMMAND));
    let pending = house.entity(&lamp).pending.clone();
    assert_eq!(pending.map(|p| p.command), Some(second.command.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_never_confirmed_times_out() {
    let mut house = Fixture::new().await;
    let lamp = house
        .device("lamp", vec![switch_entity("lamp", Some(200))])
        .await;
    house.deliver("lamp/state", "OFF");
    let asked = ask(&house, &lamp, Action::TurnOn).await;
    let outgoing = house.published().await;
    house.sent(&lamp, &outgoing);
    let ended = end(asked.ended).await;
    assert_eq!(ended.status, Status::TimedOut);
    assert_eq!(house.entity(&lamp).state, Some(Value::word("off")));
    assert!(house.entity(&lamp).pending.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_device_comes_back_with_its_state_and_its_open_command() {
    let mut house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    house.deliver("lamp/state", "OFF");
    until("the state", || house.entity(&lamp).state.is_some()).await;
    let asked = ask(&house, &lamp, Action::TurnOn).await;
    let outgoing = house.published().await;
    house.sent(&lamp, &outgoing);
    let before = house.view(&lamp).revision;
    house.hub.fail_device(&lamp);
    until("the restart", || house.view(&lamp).revision > before).await;
    assert_eq!(house.entity(&lamp).state, Some(Value::word("off")));
    assert_eq!(house.view(&lamp).health, Health::Ok);
    // It is sent again under the same id, and can be confirmed.
    let again = house.published().await;
    assert_eq!(again.command, asked.command.id);
    house.sent(&lamp, &again);
    house.deliver("lamp/state", "ON");
    assert_eq!(end(asked.ended).await.status, Status::Confirmed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_fails_too_often_is_quarantined_alone_and_visibly() {
    let mut house = Fixture::new().await;
    let (bad, good) = (house.switch("bad").await, house.switch("good").await);
    while house.view(&bad).health != Health::Quarantined {
        house.hub.fail_device(&bad);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let why = house.view(&bad).reason.clone().expect("says why");
    assert!(why.contains("made to fail by a test"), "{why}");
    let asked = ask(&house, &bad, Action::TurnOn).await;
    assert_eq!(asked.command.status, Status::Unavailable);
    assert_eq!(asked.command.reason.as_deref(), Some(reason::QUARANTINED));
    assert!(asked.ended.is_none(), "it has ended durably");
    let asked = ask(&house, &good, Action::TurnOn).await;
    let outgoing = house.published().await;
    house.sent(&good, &outgoing);
    house.deliver("good/state", "ON");
    assert_eq!(end(asked.ended).await.status, Status::Confirmed);
    house
        .hub
        .release_device(&bad, &admin())
        .await
        .expect("is let out");
    until("the release", || house.view(&bad).health == Health::Ok).await;
    house.deliver("bad/state", "ON");
    until("its reports", || {
        house.entity(&bad).state == Some(Value::word("on"))
    })
    .await;
    let again = house.hub.release_device(&bad, &admin()).await;
    assert!(matches!(again, Err(HubError::Conflict { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_wait_while_a_device_fails_are_not_lost() {
    let house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    house.hub.fail_device(&lamp);
    for _ in 0..50 {
        house.deliver("lamp/state", "OFF");
    }
    house.deliver("lamp/state", "ON");
    until("the last report", || {
        house.entity(&lamp).state == Some(Value::word("on"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn healthy_devices_always_answer_while_others_fail_at_random() {
    let house = Fixture::new().await;
    let mut devices = Vec::new();
    for n in 0..12 {
        devices.push(house.switch(&format!("d{n}")).await);
    }
    let (bad, good) = devices.split_at(6);
    for round in 0..10_u8 {
        for (device, dice) in bad.iter().zip(crate::random::bytes::<6>()) {
            if dice < 128 {
                house.hub.fail_device(device);
            }
        }
        for device in good {
            let action = if round % 2 == 0 {
                Action::TurnOn
            } else {
                Action::TurnOff
            };
            let asked = ask(&house, device, action).await;
            house.event(MqttEvent::Sent {
                device: device.clone(),
                command: asked.command.id,
                at: house.hub.clock().now(),
            });
            house.deliver(
                &format!("{device}/state"),
                if round % 2 == 0 { "ON" } else { "OFF" },
            );
            assert_eq!(end(asked.ended).await.status, Status::Confirmed);
            assert_eq!(house.view(device).health, Health::Ok);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_every_entity_is_unavailable() {
    let house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    house.broker_is(false);
    until("away", || {
        house.entity(&lamp).availability == Availability::Unavailable
    })
    .await;
    house.broker_is(true);
    until("back", || {
        house.entity(&lamp).availability != Availability::Unavailable
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_idempotency_key_is_the_same_command() {
    let house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    let keyed = |body: &str| {
        let mut ask = house.hub.test_ask(&lamp, Action::TurnOn);
        ask.idempotency = Some(Idempotency {
            key: "adam/commands/1".into(),
            body_sha256: body.into(),
        });
        ask
    };
    let (one, two) = tokio::join!(house.hub.ask(keyed("a")), house.hub.ask(keyed("a")));
    let (one, two) = (one.expect("accepted"), two.expect("accepted"));
    assert_eq!(one.command.id, two.command.id);
    let other = house.hub.ask(keyed("b")).await;
    assert!(matches!(other, Err(AskError::KeyReused)));
    let off = ask(&house, &lamp, Action::TurnOff).await;
    assert_eq!(end(one.ended).await.status, Status::Superseded);
    assert_eq!(end(two.ended).await.status, Status::Superseded);
    let later = house.hub.ask(keyed("a")).await.expect("is known");
    assert_eq!(
        (later.command.id, later.command.status),
        (one.command.id, Status::Superseded)
    );
    drop(off);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_ask_records_nothing() {
    let house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    let wrong = house.hub.ask(house.hub.test_ask(&lamp, Action::Open)).await;
    assert!(matches!(wrong, Err(AskError::Refused(_))));
    let nobody: DeviceId = "nobody".parse().expect("an id");
    let missing = house
        .hub
        .ask(house.hub.test_ask(&nobody, Action::TurnOn))
        .await;
    assert!(matches!(missing, Err(AskError::NoDevice)));
    let rows = house
        .home
        .store
        .commands_of(&lamp, None, 10, None)
        .await
        .expect("reads");
    assert!(rows.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_device_ends_its_commands_and_revokes_its_broker_user() {
    let house = Fixture::new().await;
    let new = crate::NewDevice {
        name: "Lamp".into(),
        entities: vec![switch_entity("lamp", None)],
        credential: true,
        ..crate::NewDevice::default()
    };
    let (lamp, issued) = house
        .hub
        .create_device(new, &admin())
        .await
        .expect("is made");
    let issued = issued.expect("has a broker user");
    let access = house.hub.inner.config.access.clone();
    assert!(
        access
            .load()
            .authenticate(&issued.username, issued.password.as_bytes())
    );
    assert!(access.load().may_write(&issued.username, "lamp/state"));
    let asked = ask(&house, &lamp.id, Action::TurnOn).await;
    let stale = house.hub.delete_device(&lamp.id, Some(99), &admin()).await;
    assert!(matches!(stale, Err(HubError::Stale)));
    house
        .hub
        .delete_device(&lamp.id, Some(lamp.version), &admin())
        .await
        .expect("goes");
    let ended = end(asked.ended).await;
    assert_eq!(ended.status, Status::Rejected);
    assert_eq!(ended.reason.as_deref(), Some(reason::DEVICE_REMOVED));
    assert!(house.hub.house().is_empty());
    assert!(access.load().get(&issued.username).is_none());
    assert_eq!(*house.cuts.lock().expect("whole"), [issued.username]);
    let again = crate::NewDevice {
        id: Some(lamp.id.to_string()),
        name: "Lamp".into(),
        ..crate::NewDevice::default()
    };
    let taken = house.hub.create_device(again, &admin()).await;
    assert!(
        matches!(taken, Err(HubError::Taken { .. })),
        "an id is never given again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_device_shows_its_change_and_keeps_its_state() {
    let house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    house.deliver("lamp/state", "ON");
    until("the state", || house.entity(&lamp).state.is_some()).await;
    let mut patch = crate::DevicePatch {
        name: Some("Reading lamp".into()),
        room: Some(Some("Study".into())),
        ..crate::DevicePatch::default()
    };
    let config = json!({ "command_topic": "lamp/set", "state_topic": "lamp/other" });
    let change = crate::EntityPatch {
        config: config.as_object().cloned(),
        ..crate::EntityPatch::default()
    };
    patch
        .entities
        .insert("main".parse().expect("an id"), change);
    let version = house.view(&lamp).version;
    let view = house
        .hub
        .update_device(&lamp, patch.clone(), Some(version), &admin())
        .await;
    let view = view.expect("changes");
    assert_eq!(
        (view.name.as_str(), view.room.as_deref()),
        ("Reading lamp", Some("Study"))
    );
    assert_eq!(view.entities[0].state, Some(Value::word("on")));
    house.deliver("lamp/other", "OFF");
    until("the new topic", || {
        house.entity(&lamp).state == Some(Value::word("off"))
    })
    .await;
    let stale = house
        .hub
        .update_device(&lamp, patch, Some(version), &admin())
        .await;
    assert!(matches!(stale, Err(HubError::Stale)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_made_entity_is_checked_before_it_is_stored() {
    let house = Fixture::new().await;
    let bad = |config: serde_json::Value| crate::NewDevice {
        name: "Lamp".into(),
        entities: vec![entity(Kind::Switch, None, &config)],
        ..crate::NewDevice::default()
    };
    for (config, field) in [
        (json!({}), "entities[0].config.command_topic"),
        (
            json!({ "command_topic": "a/#" }),
            "entities[0].config.command_topic",
        ),
        (
            json!({ "command_topic": "a", "comand_topic": "b" }),
            "entities[0].config.comand_topic",
        ),
    ] {
        match house.hub.create_device(bad(config), &admin()).await {
            Err(HubError::Invalid { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{other:?}"),
        }
    }
    assert!(house.hub.house().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_made_entity_cannot_reach_another_device_through_its_topics() {
    let house = Fixture::new().await;
    let lock = house.switch("lock").await;
    for (key, topic) in [("command_topic", "lock/set"), ("state_topic", "lock/state")] {
        let mut config = json!({ "command_topic": "lamp/set", "state_topic": "lamp/state" });
        config[key] = json!(topic);
        let new = crate::NewDevice {
            name: "Lamp".into(),
            entities: vec![entity(Kind::Switch, None, &config)],
            ..crate::NewDevice::default()
        };
        match house.hub.create_device(new, &admin()).await {
            Err(HubError::Invalid { field, problem }) => {
                assert_eq!(field, format!("entities[0].config.{key}"));
                assert!(problem.contains(lock.as_str()), "{problem}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_time_zone_reaches_every_device_and_costs_no_state() {
    let house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    house.deliver("lamp/state", "ON");
    until("the state", || house.entity(&lamp).state.is_some()).await;
    let now = house.hub.clock().now();
    let home = Home {
        name: "Home".into(),
        zone: "Europe/Berlin".into(),
        latitude: None,
        longitude: None,
        set_up_at: now,
    };
    let first = NewUser {
        id: admin().user,
        name: "adam".into(),
        role: Role::Admin,
        password_hash: "none".into(),
        created_at: now,
    };
    assert!(
        house
            .home
            .store
            .set_up(&home, &first)
            .await
            .expect("is set up")
    );
    let before = house.view(&lamp).revision;
    house.hub.home_changed().await.expect("is read");
    until("the next life", || house.view(&lamp).revision > before).await;
    assert_eq!(house.entity(&lamp).state, Some(Value::word("on")));
    assert_eq!(house.view(&lamp).health, Health::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_hub_takes_nothing_new() {
    let house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    house.hub.shutdown().await;
    let asked = house
        .hub
        .ask(house.hub.test_ask(&lamp, Action::TurnOn))
        .await;
    assert!(matches!(asked, Err(AskError::Stopping)));
    let made = house
        .hub
        .create_device(crate::NewDevice::default(), &admin())
        .await;
    assert!(matches!(made, Err(HubError::Stopping)));
    let cell = house.hub.house().cell(&lamp).expect("is there");
    until("the actors' end", || !cell.cast(DeviceMsg::Wake)).await;
}
