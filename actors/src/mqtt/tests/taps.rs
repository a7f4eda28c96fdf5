//! The test bench's ear: bounded, beside the house, and gone when nobody looks.

use super::broker::{Mosquitto, Peer};
use super::rig::Rig;
use super::*;

fn filters(list: &[&str]) -> Vec<String> {
    list.iter().map(|f| (*f).to_owned()).collect()
}

fn told(tapped: &Tapped) -> Vec<(String, String, bool)> {
    let messages = tapped.messages.iter();
    messages
        .map(|m| {
            let text = String::from_utf8_lossy(&m.payload).into_owned();
            (m.topic.clone(), text, m.retained)
        })
        .collect()
}

fn message(topic: &str, payload: &str, retained: bool) -> (String, String, bool) {
    (topic.to_owned(), payload.to_owned(), retained)
}

async fn heard(rig: &Rig, asked: &[String], seen: u64) -> Tapped {
    let wait = async {
        loop {
            let tapped = rig.mqtt.tap(asked).await;
            if tapped.seen >= seen {
                return tapped;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it is heard")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_tells_what_the_broker_keeps_and_then_what_comes_and_disturbs_no_device() {
    let broker = Mosquitto::start("").await;
    let mut rig = Rig::start(&broker, broker.port).await;
    rig.until(&MqttEvent::Up).await;
    let mut listener = rig.listen("lamp", &["lamp/state"]);
    let mut peer = Peer::connect(&broker, "peer", &[]).await;
    super::rig::wait_until_subscribed(&mut peer, &mut listener, "lamp/state").await;
    peer.publish("lamp/state", "OFF", true).await;
    assert_eq!(listener.next_text().await, "OFF");
    let asked = filters(&["lamp/state", "lamp/#"]);
    let tapped = heard(&rig, &asked, 1).await;
    assert!(tapped.connected && tapped.refused.is_empty());
    assert_eq!(told(&tapped), [message("lamp/state", "OFF", true)]);
    peer.publish("lamp/state", "ON", false).await;
    peer.publish("lamp/other", vec![b'x'; 20_000], false).await;
    let tapped = heard(&rig, &asked, 5).await;
    assert_eq!(told(&tapped)[1], message("lamp/state", "ON", false));
    assert_eq!(tapped.messages[0].topic, "lamp/other");
    assert_eq!(
        (tapped.messages[0].size, tapped.messages[0].payload.len()),
        (20_000, 8_192)
    );
    assert_eq!(
        tapped.messages.len(),
        3,
        "what two filters match is told once"
    );
    assert_eq!(listener.next_text().await, "ON");
    let more = timeout(Duration::from_millis(200), listener.next()).await;
    assert!(more.is_err(), "the device heard a message twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_leaves_the_newest_messages_and_many_topics_push_the_oldest_out() {
    let broker = Mosquitto::start("").await;
    let mut rig = Rig::start(&broker, broker.port).await;
    rig.until(&MqttEvent::Up).await;
    let mut peer = Peer::connect(&broker, "peer", &[]).await;
    let asked = filters(&["lamp/#"]);
    rig.mqtt.tap(&asked).await;
    for n in 0..50 {
        peer.publish("lamp/n", n.to_string(), false).await;
    }
    let tapped = heard(&rig, &asked, 50).await;
    assert_eq!(tapped.messages.len(), 20);
    assert_eq!(told(&tapped)[0].1, "49");
    for n in 0..20 {
        rig.mqtt.tap(&filters(&[&format!("other/{n}")])).await;
    }
    assert_eq!(rig.mqtt.tapped(), 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_goes_away_is_told_and_found_again() {
    let mut broker = Mosquitto::start("").await;
    let mut rig = Rig::start(&broker, broker.port).await;
    rig.until(&MqttEvent::Up).await;
    let asked = filters(&["lamp/state"]);
    assert!(rig.mqtt.tap(&asked).await.connected);
    broker.kill();
    rig.until(&MqttEvent::Down).await;
    let gone = async {
        while rig.mqtt.tap(&asked).await.connected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("it is told");
    broker.start_again().await;
    let mut peer = Peer::connect(&broker, "peer", &[]).await;
    peer.publish("lamp/state", "ON", true).await;
    let tapped = heard(&rig, &asked, 1).await;
    assert_eq!(told(&tapped), [message("lamp/state", "ON", true)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_payload_leaves_once_and_is_not_retained() {
    let broker = Mosquitto::start("").await;
    let mut rig = Rig::start(&broker, broker.port).await;
    rig.until(&MqttEvent::Up).await;
    let asked = filters(&["esp8266/socket"]);
    rig.mqtt.tap(&asked).await;
    rig.mqtt
        .publish_test("esp8266/socket", Bytes::from_static(b"1"));
    let tapped = heard(&rig, &asked, 1).await;
    assert_eq!(told(&tapped), [message("esp8266/socket", "1", false)]);
    let mut late = Peer::connect(&broker, "late", &["esp8266/socket"]).await;
    rig.mqtt
        .publish_test("esp8266/socket", Bytes::from_static(b"0"));
    assert_eq!(late.next_text().await, "0", "the first was not kept");
}
