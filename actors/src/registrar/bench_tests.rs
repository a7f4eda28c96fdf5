//! Devices that are made by hand step by step.

use crate::hub::fixture::{Fixture, admin, switch_entity};
use crate::{HubError, NewEntity, TestPayload};
use iothome_engine::ids::DeviceId;

fn entity(id: &str, base: &str) -> NewEntity {
    NewEntity {
        id: Some(id.into()),
        ..switch_entity(base, None)
    }
}

fn test(device: Option<&DeviceId>, topic: &str) -> TestPayload {
    TestPayload {
        device: device.cloned(),
        topic: topic.into(),
        payload: "1".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_come_and_go_one_at_a_time_and_the_broker_user_follows() {
    let house = Fixture::new().await;
    let (view, _) = house
        .hub
        .create_device(
            crate::NewDevice {
                name: "Socket".into(),
                credential: true,
                ..crate::NewDevice::default()
            },
            &admin(),
        )
        .await
        .expect("is made");
    let device = view.id.clone();
    let access = house.hub.shared_access();
    let may = |topic: &str| access.load().may_write("socket", topic);
    assert!(!may("esp8266/state"));
    let (view, id) = house
        .hub
        .add_entity(&device, entity("power", "esp8266"), None, &admin())
        .await
        .expect("is added");
    assert_eq!((id.as_str(), view.entities.len()), ("power", 1));
    assert!(may("esp8266/state"));
    let again = house
        .hub
        .add_entity(&device, entity("power", "other"), None, &admin())
        .await;
    assert!(matches!(again, Err(HubError::Taken { field }) if field == "id"));
    let stale = house
        .hub
        .remove_entity(&device, &id, Some(1), &admin())
        .await;
    assert!(matches!(stale, Err(HubError::Stale)));
    let view = house
        .hub
        .remove_entity(&device, &id, None, &admin())
        .await
        .expect("goes");
    assert!(view.entities.is_empty() && !may("esp8266/state"));
    let again = house
        .hub
        .add_entity(&device, entity("power", "esp8266"), None, &admin())
        .await;
    assert!(
        matches!(again, Err(HubError::Taken { .. })),
        "an id is never given again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_a_new_entity_names_its_field_and_anothers_topic_is_refused() {
    let house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    let socket = house.device("socket", Vec::new()).await;
    let field = |outcome: Result<_, HubError>| match outcome {
        Err(HubError::Invalid { field, .. }) => field,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was taken"),
    };
    let mut wrong = entity("power", "socket");
    wrong.config.insert("state_topic".into(), "a/#".into());
    let outcome = house.hub.add_entity(&socket, wrong, None, &admin()).await;
    assert_eq!(field(outcome), "entities[0].config.state_topic");
    let anothers = entity("power", "lamp");
    let outcome = house
        .hub
        .add_entity(&socket, anothers, None, &admin())
        .await;
    assert_eq!(field(outcome), "entities[0].config.state_topic");
    assert_eq!(house.view(&lamp).entities.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_payload_reaches_no_other_device_no_announcement_and_not_the_broker_itself() {
    let house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    let socket = house.device("socket", Vec::new()).await;
    let refused = async |test: TestPayload| {
        let outcome = house.hub.send_test(test, &admin()).await;
        matches!(outcome, Err(HubError::Invalid { field, .. }) if field == "topic")
    };
    assert!(refused(test(Some(&socket), "lamp/set")).await);
    assert!(refused(test(None, "lamp/set")).await);
    for topic in ["", "a/#", "$SYS/a", "homeassistant/switch/lamp/config"] {
        assert!(refused(test(Some(&lamp), topic)).await, "{topic}");
    }
    // The fixture has no broker: what may be sent ends there.
    let outcome = house
        .hub
        .send_test(test(Some(&lamp), "lamp/set"), &admin())
        .await;
    assert!(matches!(outcome, Err(HubError::Conflict { .. })));
    let long = TestPayload {
        payload: "x".repeat(10_000),
        ..test(Some(&lamp), "lamp/set")
    };
    let outcome = house.hub.send_test(long, &admin()).await;
    assert!(matches!(outcome, Err(HubError::Invalid { field, .. }) if field == "payload"));
}
