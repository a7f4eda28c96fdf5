//! What is left of a house when its hub is killed, and what the next one makes of it.

use super::fixture::{Fixture, PATIENCE, entity, switch_entity, until};
use super::tests::ask;
use crate::error::AskError;
use crate::services::Act;
use iothome_engine::command::{Command, Status, reason};
use iothome_engine::ids::CommandId;
use iothome_engine::kind::{Action, Kind};
use iothome_engine::value::Value;
use iothome_engine::view::Freshness;
use iothome_store::Store;
use serde_json::json;
use std::time::Duration;

/// The command once its end is durable.
async fn end_in(store: &Store, command: CommandId) -> Command {
    let ended = async {
        loop {
            let found = store.command(command).await.expect("reads");
            if let Some(ended) = found.filter(|c| c.status.is_end()) {
                return ended;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("ends in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_an_open_command_is_sent_again_under_its_id() {
    let mut house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    let asked = ask(&house, &lamp, Action::TurnOn).await;
    house.crash().await;
    let again = house.published().await;
    assert_eq!(again.command, asked.command.id);
    house.sent(&lamp, &again);
    house.deliver("lamp/state", "ON");
    let store = house.home.store.clone();
    until("the confirmation", || house.entity(&lamp).pending.is_none()).await;
    let ended = end_in(&store, asked.command.id).await;
    assert_eq!(ended.status, Status::Confirmed);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_a_command_whose_time_is_over_is_closed() {
    let mut house = Fixture::new().await;
    let lamp = house
        .device("lamp", vec![switch_entity("lamp", Some(100))])
        .await;
    let asked = ask(&house, &lamp, Action::TurnOn).await;
    house.hub.inner.root.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    house.crash().await;
    let store = house.home.store.clone();
    let ended = end_in(&store, asked.command.id).await;
    assert_eq!(ended.status, Status::TimedOut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_is_never_sent_again_after_a_crash() {
    let mut house = Fixture::new().await;
    let config = json!({ "command_topic": "door/press" });
    let door = house
        .device("door", vec![entity(Kind::Button, None, &config)])
        .await;
    let asked = ask(&house, &door, Action::Press).await;
    assert_eq!(house.published().await.command, asked.command.id);
    house.crash().await;
    let store = house.home.store.clone();
    let ended = end_in(&store, asked.command.id).await;
    assert_eq!(ended.reason.as_deref(), Some(reason::HUB_RESTARTED));
    while let Ok(act) = house.acts.try_recv() {
        assert!(!matches!(act, Act::Publish(..)), "{act:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn last_states_are_restored_at_the_next_start() {
    let mut house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    house.deliver("lamp/state", "ON");
    until("the state", || house.entity(&lamp).state.is_some()).await;
    house.hub.shutdown().await;
    house.crash().await;
    let entity = house.entity(&lamp);
    assert_eq!(
        (entity.state.clone(), entity.freshness),
        (Some(Value::word("on")), Freshness::Restored)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_the_hub_says_what_was_sent_and_does_nothing_that_must_be_durable_first()
 {
    let mut house = Fixture::new().await;
    let lamp = house.switch("lamp").await;
    house.deliver("lamp/state", "OFF");
    until("the state", || house.entity(&lamp).state.is_some()).await;
    house.home.store.close().await;
    let on = house.hub.test_ask(&lamp, Action::TurnOn);
    let (id, asked) = (on.id, house.hub.ask(on).await);
    assert!(matches!(asked, Err(AskError::NotDurable { command, sent: true }) if command == id));
    assert_eq!(house.published().await.command, id);
    assert!(!house.hub.journal_healthy());
    let toggle = house
        .hub
        .ask(house.hub.test_ask(&lamp, Action::Toggle))
        .await;
    assert!(
        matches!(toggle, Err(AskError::NotDurable { sent: false, .. })),
        "{toggle:?}"
    );
    let published = std::iter::from_fn(|| house.acts.try_recv().ok());
    assert_eq!(
        published.filter(|a| matches!(a, Act::Publish(..))).count(),
        0
    );
}
