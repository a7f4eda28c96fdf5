//! The MQTT side against a real Mosquitto over TLS.

mod broker;
mod careless;
mod embedded;
mod rig;
mod taps;

use super::*;
use broker::{Gate, GateKeeper, Mosquitto, PATIENCE, Peer};
use rig::{Listener, Rig, acknowledged, properties};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_is_delivered_once_with_its_id_and_expiry_and_is_not_retained() {
    let broker = Mosquitto::start("").await;
    let mut peer = Peer::connect(&broker, "lamp", &["lamp/set"]).await;
    let mut rig = Rig::start(&broker, broker.port).await;
    rig.until(&MqttEvent::Up).await;
    let before = rig.clock.now();
    let command = rig.publish("lamp/set", "ON", 4_500);
    let sent = rig.event().await;
    assert!(
        matches!(&sent, MqttEvent::Sent { command: c, at, .. } if *c == command && *at >= before)
    );
    assert_eq!(rig.event().await, acknowledged(command));
    let got = peer.next().await;
    assert_eq!((got.payload.as_ref(), got.retain), (&b"ON"[..], false));
    let (expiry, correlation) = properties(&got);
    assert_eq!(correlation, Some(command.to_string()));
    assert!((1..=5).contains(&expiry.expect("an expiry")));
    rig.until_outbox_is_empty().await;
    let mut late = Peer::connect(&broker, "late", &["lamp/set"]).await;
    let second = rig.publish("lamp/set", "OFF", 5_000);
    rig.until(&acknowledged(second)).await;
    assert_eq!(late.next_text().await, "OFF", "the first was not kept");
}

/// The client library alone delivers none of these: it forgets its queue when the broker
/// comes back without the session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_survive_a_broker_that_is_killed_and_comes_back_without_its_sessions() {
    let mut broker = Mosquitto::start("").await;
    let gate = GateKeeper::before(&broker, Gate::Open).await;
    let mut rig = Rig::start(&broker, gate.port).await;
    rig.until(&MqttEvent::Up).await;
    gate.set(Gate::Stalled);
    let mut commands: Vec<_> = (0..300)
        .map(|n| rig.publish("lamp/set", &n.to_string(), 120_000))
        .collect();
    broker.kill();
    gate.set(Gate::Shut);
    rig.until(&MqttEvent::Down).await;
    commands.extend((300..400).map(|n| rig.publish("lamp/set", &n.to_string(), 120_000)));
    let late = rig.publish("lamp/set", "late", 1);
    broker.start_again().await;
    let mut peer = Peer::connect(&broker, "lamp", &["lamp/set"]).await;
    gate.set(Gate::Open);
    for n in 0..400 {
        assert_eq!(peer.next_text().await, n.to_string());
    }
    let mut acknowledged = Vec::new();
    while acknowledged.len() < commands.len() {
        if let MqttEvent::Acknowledged { command, .. } = rig.outcome().await {
            acknowledged.push(command);
        }
    }
    assert_eq!(acknowledged, commands);
    assert!(!acknowledged.contains(&late), "its deadline had passed");
    rig.until_outbox_is_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_press_that_may_have_arrived_is_not_sent_again() {
    let broker = Mosquitto::start("").await;
    let gate = GateKeeper::before(&broker, Gate::Open).await;
    let mut peer = Peer::connect(&broker, "lamp", &["lamp/set"]).await;
    let mut rig = Rig::start(&broker, gate.port).await;
    rig.until(&MqttEvent::Up).await;
    gate.set(Gate::Stalled);
    rig.ask("lamp/set", "PRESS", 120_000, true);
    while !matches!(rig.event().await, MqttEvent::Sent { .. }) {}
    gate.set(Gate::Shut);
    rig.until(&MqttEvent::Down).await;
    rig.ask("lamp/set", "PRESS 2", 120_000, true);
    gate.set(Gate::Open);
    assert_eq!(
        peer.next_text().await,
        "PRESS 2",
        "one that never left, leaves"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_taken_back_while_the_broker_is_away_never_leaves() {
    let broker = Mosquitto::start("").await;
    let gate = GateKeeper::before(&broker, Gate::Shut).await;
    let mut peer = Peer::connect(&broker, "lamp", &["lamp/set"]).await;
    let rig = Rig::start(&broker, gate.port).await;
    let first = rig.publish("lamp/set", "ON", 120_000);
    rig.publish("lamp/set", "OFF", 120_000);
    rig.mqtt.unpublish(first);
    gate.set(Gate::Open);
    assert_eq!(peer.next_text().await, "OFF");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_broker_does_not_allow_is_refused_and_harms_nothing_else() {
    let acl = "topic readwrite lamp/#\ntopic readwrite homeassistant/#\n";
    let broker = Mosquitto::start_with_acl("", acl).await;
    let mut rig = Rig::start(&broker, broker.port).await;
    rig.until(&MqttEvent::Up).await;
    let mut outcomes = Vec::new();
    for topic in ["safe/set", "lamp/set", "safe/set", "lamp/set"] {
        let command = rig.publish(topic, "ON", 60_000);
        outcomes.push(match rig.outcome().await {
            MqttEvent::Refused {
                command: c, reason, ..
            } => {
                assert_eq!((c, reason.as_str()), (command, "broker_refused"));
                "refused"
            }
            other => {
                assert_eq!(other, acknowledged(command));
                "acknowledged"
            }
        });
    }
    assert_eq!(
        outcomes,
        ["refused", "acknowledged", "refused", "acknowledged"]
    );
    assert!(rig.mqtt.status().connected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_mqtt_cannot_carry_is_refused_at_once() {
    let broker = Mosquitto::start("").await;
    let mut rig = Rig::start(&broker, broker.port).await;
    for topic in ["", "lamp/+", "lamp/#", "lamp\0"] {
        let command = rig.publish(topic, "ON", 60_000);
        let outcome = rig.outcome().await;
        assert!(matches!(outcome, MqttEvent::Refused { command: c, .. } if c == command));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_is_told_from_news_and_comes_again_after_a_reconnect() {
    let broker = Mosquitto::start("").await;
    let gate = GateKeeper::before(&broker, Gate::Open).await;
    let mut peer = Peer::connect(&broker, "lamp", &[]).await;
    peer.publish("lamp/state", "ON", true).await;
    let mut rig = Rig::start(&broker, gate.port).await;
    let mut lamp = rig.listen("lamp", &["lamp/state"]);
    let replay = lamp.next().await;
    assert_eq!(
        (replay.payload.as_ref(), replay.retained),
        (&b"ON"[..], true)
    );
    peer.publish("lamp/state", "OFF", true).await;
    let news = lamp.next().await;
    assert_eq!((news.payload.as_ref(), news.retained), (&b"OFF"[..], false));
    rig.until(&MqttEvent::Up).await;
    // What the hub has not acknowledged would be delivered once more, as news.
    let command = rig.publish("lamp/set", "ON", 60_000);
    rig.until(&acknowledged(command)).await;
    gate.set(Gate::Shut);
    rig.until(&MqttEvent::Down).await;
    assert!(!rig.mqtt.status().connected);
    gate.set(Gate::Open);
    rig.until(&MqttEvent::Up).await;
    let replay = lamp.next().await;
    assert_eq!(
        (replay.payload.as_ref(), replay.retained),
        (&b"OFF"[..], true)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_made_while_the_hub_was_away_for_a_moment_are_not_lost() {
    let broker = Mosquitto::start("").await;
    let gate = GateKeeper::before(&broker, Gate::Open).await;
    let mut peer = Peer::connect(&broker, "lamp", &[]).await;
    let mut rig = Rig::start(&broker, gate.port).await;
    let mut lamp = rig.listen("lamp", &["lamp/state"]);
    rig.until(&MqttEvent::Up).await;
    rig::wait_until_subscribed(&mut peer, &mut lamp, "lamp/state").await;
    gate.set(Gate::Shut);
    rig.until(&MqttEvent::Down).await;
    for word in ["a", "b", "c"] {
        peer.publish("lamp/state", word, false).await;
    }
    gate.set(Gate::Open);
    for word in ["a", "b", "c"] {
        assert_eq!(lamp.next_text().await, word);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_are_made_again_at_a_broker_that_forgot_them() {
    let mut broker = Mosquitto::start("").await;
    let mut rig = Rig::start(&broker, broker.port).await;
    let mut lamp = rig.listen("lamp", &["lamp/state"]);
    rig.until(&MqttEvent::Up).await;
    broker.kill();
    rig.until(&MqttEvent::Down).await;
    broker.start_again().await;
    let mut peer = Peer::connect(&broker, "lamp", &[]).await;
    peer.publish("lamp/state", "ON", true).await;
    assert_eq!(lamp.next_text().await, "ON");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retained_message_that_is_too_large_does_not_stand_in_the_way_of_others() {
    let broker = Mosquitto::start("").await;
    let mut peer = Peer::connect(&broker, "lamp", &[]).await;
    peer.publish("lamp/state", vec![b'x'; 1_000_000], true)
        .await;
    peer.publish("lamp/other", "ON", true).await;
    let mut rig = Rig::start(&broker, broker.port).await;
    let mut lamp = rig.listen("lamp", &["lamp/state", "lamp/other"]);
    assert_eq!(lamp.next_text().await, "ON");
    let command = rig.publish("lamp/set", "ON", 60_000);
    rig.until(&acknowledged(command)).await;
    peer.publish("lamp/state", "small", true).await;
    assert_eq!(lamp.next_text().await, "small");
    assert!(rig.mqtt.status().connected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_larger_than_the_broker_takes_is_refused_and_harms_nothing_else() {
    let broker = Mosquitto::start("max_packet_size 2000").await;
    let mut rig = Rig::start(&broker, broker.port).await;
    rig.until(&MqttEvent::Up).await;
    let large = rig.publish("lamp/set", &"x".repeat(3_000), 60_000);
    let outcome = rig.outcome().await;
    assert!(matches!(outcome, MqttEvent::Refused { command, .. } if command == large));
    let small = rig.publish("lamp/set", "ON", 60_000);
    rig.until(&acknowledged(small)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_hear_when_the_hub_comes_goes_and_vanishes() {
    let broker = Mosquitto::start("").await;
    let gate = GateKeeper::before(&broker, Gate::Open).await;
    let mut peer = Peer::connect(&broker, "lamp", &["homeassistant/status"]).await;
    let mut rig = Rig::start(&broker, gate.port).await;
    assert_eq!(peer.next_text().await, "online");
    rig.until(&MqttEvent::Up).await;
    gate.set(Gate::Shut);
    assert_eq!(peer.next_text().await, "offline", "its last will");
    gate.set(Gate::Open);
    assert_eq!(peer.next_text().await, "online");
    rig.until(&MqttEvent::Up).await;
    rig.mqtt.stop().await;
    assert_eq!(peer.next_text().await, "offline", "its goodbye");
    rig.until(&MqttEvent::Down).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_hangs_is_noticed_and_left() {
    let broker = Mosquitto::start("").await;
    let mut rig = Rig::start(&broker, broker.port).await;
    rig.until(&MqttEvent::Up).await;
    broker.signal("-STOP");
    let command = rig.publish("lamp/set", "ON", 600_000);
    rig.until(&MqttEvent::Down).await;
    broker.signal("-CONT");
    rig.until(&acknowledged(command)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn announcements_go_to_the_registrar_and_nothing_else_does() {
    let broker = Mosquitto::start("").await;
    let mut peer = Peer::connect(&broker, "lamp", &[]).await;
    peer.publish("homeassistant/light/lamp/config", "{}", true)
        .await;
    let mut rig = Rig::start(&broker, broker.port).await;
    let (topic, payload, retained) = timeout(PATIENCE, rig.announced.recv())
        .await
        .expect("it comes")
        .expect("the hub lives");
    assert_eq!(
        (topic.as_str(), payload.as_ref()),
        ("homeassistant/light/lamp/config", &b"{}"[..])
    );
    assert!(retained);
    peer.publish("homeassistant/status", "online", false).await;
    peer.publish("homeassistant/sensor/node/lamp/config", "", false)
        .await;
    let (topic, _, retained) = rig.announced.recv().await.expect("the hub lives");
    assert_eq!(
        (topic.as_str(), retained),
        ("homeassistant/sensor/node/lamp/config", false)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_broker_keeps_can_be_cleared() {
    let broker = Mosquitto::start("").await;
    let mut peer = Peer::connect(&broker, "lamp", &["homeassistant/#"]).await;
    let topic = "homeassistant/light/lamp/config";
    peer.publish(topic, "{}", true).await;
    assert_eq!(peer.next_text().await, "{}");
    let gate = GateKeeper::before(&broker, Gate::Shut).await;
    let mut rig = Rig::start(&broker, gate.port).await;
    rig.mqtt.clear_retained(topic);
    gate.set(Gate::Open);
    rig.until(&MqttEvent::Up).await;
    while peer.next().await.topic != topic {}
    let mut late = Peer::connect(&broker, "late", &[topic]).await;
    peer.publish(topic, "new", false).await;
    assert_eq!(late.next_text().await, "new");
}

/// Mosquitto allows 20 publications under way, and the client library takes packet numbers
/// for both from the same small circle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_subscriptions_and_commands_at_once_all_get_through() {
    let broker = Mosquitto::start("").await;
    let mut peer = Peer::connect(&broker, "lamp", &[]).await;
    let mut rig = Rig::start(&broker, broker.port).await;
    rig.until(&MqttEvent::Up).await;
    let mut listeners = Vec::new();
    let mut commands = HashSet::new();
    for n in 0..1_000 {
        let topics: Vec<String> = (0..3).map(|t| format!("d{n}/{t}")).collect();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        listeners.push(rig.listen(&format!("d{n}"), &topics));
        commands.insert(rig.publish("lamp/set", &n.to_string(), 120_000));
    }
    while !commands.is_empty() {
        let MqttEvent::Acknowledged { command, .. } = rig.outcome().await else {
            panic!("a command was refused")
        };
        assert!(commands.remove(&command), "acknowledged once");
    }
    let last = listeners.last_mut().expect("a thousand");
    rig::wait_until_subscribed(&mut peer, last, "d999/2").await;
    rig.routes.remove(&"d0".parse().expect("an id"));
    assert_eq!(rig.mqtt.status().refused_subscriptions, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_certificate_is_never_talked_to_and_the_reason_is_shown() {
    let broker = Mosquitto::start("").await;
    let mut other = Mosquitto::start("").await;
    other.kill();
    other.port = broker.port;
    let rig = Rig::start(&other, broker.port).await;
    let mut status = rig.mqtt.status();
    while status.problem.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        status = rig.mqtt.status();
    }
    assert!(!status.connected);
    let problem = status.problem.expect("checked");
    assert!(problem.contains("certificate"), "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_actor_comes_back_and_forgets_nothing() {
    let broker = Mosquitto::start("").await;
    let gate = GateKeeper::before(&broker, Gate::Open).await;
    let mut peer = Peer::connect(&broker, "lamp", &["lamp/set"]).await;
    let mut rig = Rig::start(&broker, gate.port).await;
    let mut lamp = rig.listen("lamp", &["lamp/state"]);
    rig.until(&MqttEvent::Up).await;
    gate.set(Gate::Stalled);
    let waiting = rig.publish("lamp/set", "ON", 120_000);
    let actor = rig.mqtt.shared.actor().clone();
    actor.expect("it runs").kill();
    rig.until(&MqttEvent::Down).await;
    gate.set(Gate::Open);
    rig.until(&acknowledged(waiting)).await;
    assert_eq!(peer.next_text().await, "ON");
    rig::wait_until_subscribed(&mut peer, &mut lamp, "lamp/state").await;
}
