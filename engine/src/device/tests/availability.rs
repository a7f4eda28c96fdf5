//! Who can be reached: modes, roll-up, expiry, broker, quarantine.

use super::*;
use crate::view::Availability::{Offline, Online, Unavailable, Unknown};

fn two_topics(mode: &str) -> EntitySetup {
    with(
        switch(),
        &json!({
            "availability": [{"topic": "d/up"}, {"topic": "bridge/up"}],
            "availability_mode": mode,
        }),
    )
}

fn one_topic() -> EntitySetup {
    with(switch(), &json!({"availability_topic": "d/up"}))
}

fn walk(mode: &str, words: &[(&str, &str)]) -> Vec<crate::view::Availability> {
    let mut b = Bench::new(vec![two_topics(mode)]);
    let mut seen = vec![b.view("power").availability];
    for (topic, word) in words {
        b.report(topic, word);
        seen.push(b.view("power").availability);
    }
    seen
}

#[test]
fn all_needs_every_topic() {
    let seen = walk(
        "all",
        &[
            ("d/up", "online"),
            ("bridge/up", "online"),
            ("d/up", "offline"),
        ],
    );
    assert_eq!(seen, [Unknown, Unknown, Online, Offline]);
    assert_eq!(walk("all", &[("bridge/up", "offline")]), [Unknown, Offline]);
}

#[test]
fn any_needs_one_topic() {
    let seen = walk(
        "any",
        &[
            ("d/up", "offline"),
            ("bridge/up", "online"),
            ("bridge/up", "offline"),
        ],
    );
    assert_eq!(seen, [Unknown, Unknown, Online, Offline]);
}

#[test]
fn latest_takes_the_newest_message_and_ignores_other_words() {
    let seen = walk(
        "latest",
        &[
            ("d/up", "offline"),
            ("bridge/up", "online"),
            ("d/up", "perhaps"),
        ],
    );
    assert_eq!(seen, [Unknown, Offline, Online, Online]);
}

#[test]
fn without_availability_topic_a_device_is_unknown_until_heard_and_then_online() {
    let mut b = Bench::new(vec![switch(), temperature()]);
    assert_eq!(b.device.view().availability, Unknown);
    b.retained("d/power", "ON");
    assert_eq!(b.device.view().availability, Unknown);
    b.report("d/temperature", "4");
    assert_eq!(b.view("power").availability, Online);
    assert_eq!(b.device.view().availability, Online);
}

#[test]
fn to_a_device_never_heard_of_commands_are_sent() {
    let mut b = Bench::new(vec![one_topic()]);
    let (_, effects) = b.ask("power", Action::TurnOn);
    assert_eq!(published(&effects).len(), 1);
}

#[test]
fn a_command_to_a_device_that_is_away_is_recorded_and_ends_at_once() {
    let mut b = Bench::new(vec![one_topic()]);
    b.retained("d/up", "offline");
    let asked = b.try_ask("power", Action::TurnOn, None, person());
    let (command, effects) = asked.unwrap();
    assert_eq!(command.status, Status::Unavailable);
    assert_eq!(command.reason.as_deref(), Some("device_offline"));
    assert_eq!((accepted(&effects).len(), ended(&effects).len()), (1, 1));
    assert!(published(&effects).is_empty());
    let last = b.view("power").last_command.clone().unwrap();
    assert_eq!(last.id, command.id);
}

#[test]
fn a_device_that_goes_away_ends_its_commands() {
    let mut b = Bench::new(vec![
        one_topic(),
        with(button(), &json!({"availability_topic": "d/up"})),
    ]);
    b.report("d/up", "online");
    let on = b.ask_and_send("power", Action::TurnOn);
    let (press, _) = b.ask("open", Action::Press);
    let effects = b.report("d/up", "offline");
    let end = |id| (id, Status::Unavailable, Some("device_offline"));
    assert_eq!(ended(&effects), [end(on), end(press)]);
    assert!(published(&b.apply(Input::Stored { command: press })).is_empty());
}

#[test]
fn while_the_broker_is_away_everything_is_unavailable_and_nothing_said_before_counts_after() {
    let mut b = Bench::new(vec![one_topic(), temperature()]);
    b.report("d/up", "online");
    b.report("d/temperature", "4");
    b.apply(Input::BrokerDown);
    assert_eq!(b.device.view().availability, Unavailable);
    assert!(
        b.device
            .view()
            .entities
            .iter()
            .all(|e| e.availability == Unavailable)
    );
    b.apply(Input::BrokerUp);
    assert_eq!(b.view("power").availability, Unknown);
    assert_eq!(b.view("temperature").availability, Online);
    b.retained("d/up", "online");
    assert_eq!(b.view("power").availability, Online);
}

#[test]
fn history_is_told_when_a_device_is_reached_and_lost_and_nothing_before_it_is_known() {
    let mut b = Bench::new(vec![one_topic()]);
    assert_eq!(reach(&b.retained("d/up", "online")), [true]);
    assert!(reach(&b.report("d/up", "online")).is_empty());
    assert_eq!(reach(&b.report("d/up", "offline")), [false]);
    assert!(reach(&b.apply(Input::BrokerDown)).is_empty());
    assert!(reach(&b.apply(Input::BrokerUp)).is_empty());
    assert_eq!(reach(&b.report("d/up", "online")), [true]);
    assert_eq!(reach(&b.apply(Input::BrokerDown)), [false]);
}

#[test]
fn a_sensor_that_says_nothing_for_too_long_expires_and_comes_back_with_a_report() {
    let mut b = Bench::new(vec![with(temperature(), &json!({"expire_after": 60}))]);
    b.report("d/temperature", "4");
    b.pass(59_000);
    let effects = b.report("d/temperature", "5");
    assert!(!effects.iter().any(|e| matches!(e, Effect::SetTimer { .. })));
    b.pass(59_000);
    assert_eq!(b.view("temperature").availability, Online);
    b.pass(1_001);
    assert_eq!(b.view("temperature").availability, Offline);
    assert_eq!(b.word("temperature").as_deref(), Some("5"));
    b.report("d/temperature", "6");
    assert_eq!(b.view("temperature").availability, Online);
}

#[test]
fn a_restored_sensor_expires_after_the_rest_of_its_time() {
    let mut sensor = with(temperature(), &json!({"expire_after": 60}));
    sensor.restored = Some(RestoredState {
        state: Value::number(4.0),
        attributes: Default::default(),
        reported_at: Some(T0.plus_millis(-50_000)),
        changed_at: None,
    });
    let mut b = Bench::new(vec![sensor]);
    b.pass(9_999);
    assert_eq!(b.view("temperature").availability, Unknown);
    b.pass(1);
    assert_eq!(b.view("temperature").availability, Offline);
}

#[test]
fn the_roll_up_is_online_if_anything_of_the_device_is() {
    let gone = with(temperature(), &json!({"availability_topic": "d/sensor/up"}));
    let mut b = Bench::new(vec![one_topic(), gone]);
    b.report("d/sensor/up", "offline");
    assert_eq!(b.device.view().availability, Offline);
    b.report("d/up", "online");
    assert_eq!(b.device.view().availability, Online);
}

#[test]
fn a_last_will_is_not_a_sign_of_life() {
    let mut b = Bench::new(vec![one_topic()]);
    b.report("d/up", "offline");
    assert_eq!(b.device.view().last_seen, None);
    b.report("d/up", "online");
    assert_eq!(b.device.view().last_seen, Some(b.now));
}

#[test]
fn a_quarantined_device_is_unavailable_with_the_reason_until_released() {
    let mut b = Bench::new(vec![switch()]);
    b.report("d/power", "ON");
    let id = b.ask_and_send("power", Action::TurnOff);
    let why = "failed 6 times within 60 s; last: boom".to_owned();
    let effects = b.apply(Input::Quarantined {
        reason: why.clone(),
    });
    assert_eq!(
        ended(&effects),
        [(id, Status::Unavailable, Some("quarantined"))]
    );
    let view = b.device.view();
    assert_eq!((view.health, view.reason), (Health::Quarantined, Some(why)));
    assert_eq!(view.availability, Unavailable);
    let (command, _) = b.try_ask("power", Action::TurnOn, None, person()).unwrap();
    assert_eq!(command.reason.as_deref(), Some("quarantined"));
    b.apply(Input::Released);
    let view = b.device.view();
    assert_eq!((view.health, view.availability), (Health::Ok, Online));
}

#[test]
fn a_removed_device_ends_its_commands_and_takes_no_more() {
    let mut b = Bench::new(vec![switch()]);
    let id = b.ask_and_send("power", Action::TurnOn);
    let effects = b.apply(Input::Removed);
    assert_eq!(
        ended(&effects),
        [(id, Status::Rejected, Some("device_removed"))]
    );
    assert!(b.try_ask("power", Action::TurnOn, None, person()).is_err());
    assert!(b.report("d/power", "ON").is_empty());
}
