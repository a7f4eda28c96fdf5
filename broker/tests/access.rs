//! Who comes in, and what they may touch.
#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

mod common;

use common::{Guest, House, credential, digest, refusal, two_devices, will};
use iothome_engine::access::AccessList;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, PubAckReason, SubscribeReasonCode};
use std::sync::Arc;

#[tokio::test]
async fn only_a_known_user_with_the_right_password_comes_in() {
    let house = House::new(two_devices());
    let broker = house.open().await;
    house.guest(&broker, "lamp").await;

    let mut wrong = house.options(broker.address(), "lamp", "w");
    wrong.set_credentials("lamp", "secret of fridge");
    assert_eq!(
        refusal(Guest::enter(wrong).await),
        ConnectReturnCode::BadUserNamePassword
    );
    let unknown = house.options(broker.address(), "toaster", "u");
    assert_eq!(
        refusal(Guest::enter(unknown).await),
        ConnectReturnCode::BadUserNamePassword
    );
    let mut nobody = house.options(broker.address(), "lamp", "n");
    nobody.set_credentials("", "");
    assert_eq!(
        refusal(Guest::enter(nobody).await),
        ConnectReturnCode::BadUserNamePassword
    );
    assert!(broker.refused() >= 3);
    broker.stop().await;
}

#[tokio::test]
async fn a_foreign_topic_is_refused_in_both_directions() {
    let house = House::new(two_devices());
    let broker = house.open().await;
    let mut hub = house.guest(&broker, "hub").await;
    hub.subscribe("#").await;
    let mut lamp = house.guest(&broker, "lamp").await;

    let ok = PubAckReason::Success;
    assert_eq!(
        lamp.publish("iothome/lamp/light/state", "ON", false).await,
        ok
    );
    let refused = lamp.publish("iothome/fridge/door/state", "ON", true).await;
    assert_eq!(refused, PubAckReason::NotAuthorized);
    assert_eq!(hub.message().await.0, "iothome/lamp/light/state");
    lamp.publish("iothome/lamp/end", "", false).await;
    assert_eq!(hub.message().await.0, "iothome/lamp/end");

    let granted = SubscribeReasonCode::Success(rumqttc::v5::mqttbytes::QoS::AtLeastOnce);
    assert_eq!(lamp.subscribe("iothome/lamp/light/set").await, granted);
    assert_eq!(lamp.subscribe("iothome/lamp/+/set").await, granted);
    for foreign in [
        "iothome/fridge/door/set",
        "iothome/+/light/set",
        "iothome/lamp/#",
        "#",
        "+/lamp/light/set",
        "$share/all/iothome/+/light/set",
    ] {
        let code = lamp.subscribe(foreign).await;
        assert_eq!(code, SubscribeReasonCode::NotAuthorized, "{foreign}");
    }
    let shared = lamp.subscribe("$share/all/iothome/lamp/+/set").await;
    assert_eq!(shared, granted);
    broker.stop().await;
}

#[tokio::test]
async fn a_last_will_on_a_foreign_topic_is_refused_at_the_door() {
    let house = House::new(two_devices());
    let broker = house.open().await;
    let mut options = house.options(broker.address(), "lamp", "l");
    options.set_last_will(will("iothome/fridge/availability"));
    assert_eq!(
        refusal(Guest::enter(options).await),
        ConnectReturnCode::NotAuthorized
    );
    broker.stop().await;
}

#[tokio::test]
async fn a_last_will_speaks_when_the_plug_is_pulled_but_not_after_its_right_is_gone() {
    let house = House::new(two_devices());
    let broker = house.open().await;
    let mut hub = house.guest(&broker, "hub").await;
    hub.subscribe("iothome/#").await;
    let enter = |id| {
        let mut options = house.options(broker.address(), "lamp", id);
        options.set_last_will(will("iothome/lamp/availability"));
        Guest::enter(options)
    };
    drop(enter("a").await.unwrap());
    assert_eq!(hub.message().await.0, "iothome/lamp/availability");

    let lamp = enter("b").await.unwrap();
    house.access.store(Arc::new(AccessList::new(vec![
        credential("lamp", &[], &[]),
        credential("fridge", &[], &["iothome/fridge/#"]),
    ])));
    drop(lamp);
    common::eventually("the lamp's leave", || broker.clients().len() == 1).await;
    let mut fridge = house.guest(&broker, "fridge").await;
    fridge.publish("iothome/fridge/x", "", false).await;
    assert_eq!(hub.message().await.0, "iothome/fridge/x");
    broker.stop().await;
}

#[tokio::test]
async fn a_client_id_in_use_cannot_be_taken_by_another_user() {
    let house = House::new(two_devices());
    let broker = house.open().await;
    let mut lamp = Guest::enter(house.options(broker.address(), "lamp", "shared"))
        .await
        .unwrap();
    let thief = house.options(broker.address(), "fridge", "shared");
    assert_eq!(
        refusal(Guest::enter(thief).await),
        ConnectReturnCode::ClientIdentifierNotValid
    );
    assert_eq!(
        lamp.publish("iothome/lamp/x", "", false).await,
        PubAckReason::Success
    );
    broker.stop().await;
}

#[tokio::test]
async fn no_device_takes_the_hubs_name() {
    let mut devices = two_devices();
    let mut false_hub = credential("hub", &[], &["#"]);
    false_hub.secret_sha256 = digest("guessed");
    devices.push(false_hub);
    let house = House::new(devices);
    let broker = house.open().await;
    let mut options = house.options(broker.address(), "hub", "h");
    options.set_credentials("hub", "guessed");
    assert_eq!(
        refusal(Guest::enter(options).await),
        ConnectReturnCode::BadUserNamePassword
    );
    house.guest(&broker, "hub").await;
    broker.stop().await;
}

#[tokio::test]
async fn a_cut_really_ends_the_connection_and_its_subscriptions() {
    let house = House::new(two_devices());
    let broker = house.open().await;
    let mut hub = house.guest(&broker, "hub").await;
    let mut lamp = house.guest(&broker, "lamp").await;
    let mut fridge = house.guest(&broker, "fridge").await;
    lamp.subscribe("iothome/lamp/+/set").await;
    assert_eq!(broker.clients().len(), 3);

    broker.cut("lamp");
    lamp.until_closed().await;
    common::eventually("the lamp's leave", || broker.clients().len() == 2).await;
    assert_eq!(
        fridge.publish("iothome/fridge/x", "", false).await,
        PubAckReason::Success
    );
    let answer = hub.publish("iothome/lamp/light/set", "ON", false).await;
    assert_eq!(answer, PubAckReason::Success);

    // The credential is still good, so it may come back; then it is revoked for good.
    let mut lamp = house.guest(&broker, "lamp").await;
    let left = two_devices().into_iter().filter(|c| c.username != "lamp");
    house
        .access
        .store(Arc::new(AccessList::new(left.collect())));
    broker.cut("lamp");
    lamp.until_closed().await;
    let back = house.options(broker.address(), "lamp", "lamp-client");
    assert_eq!(
        refusal(Guest::enter(back).await),
        ConnectReturnCode::BadUserNamePassword
    );
    broker.stop().await;
}
