//! Who may touch what, and whose an announcement is.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::*;
use crate::kind::Kind;
use crate::template::Templates;
use sha2::{Digest, Sha256};

fn id(text: &str) -> DeviceId {
    text.parse().unwrap()
}

fn credential(username: &str, device: Option<&str>, topics: Vec<TopicRule>) -> Credential {
    Credential {
        id: CredentialId::new(Timestamp::from_millis(1), [0; 10]),
        username: username.to_owned(),
        name: username.to_owned(),
        device: device.map(id),
        secret_sha256: data_encoding::HEXLOWER
            .encode(&Sha256::digest(format!("{username}-secret"))),
        topics,
        created_at: Timestamp::from_millis(1),
    }
}

/// A fridge and a lamp with their own users, and a bridge that brings its own devices.
fn house() -> AccessList {
    AccessList::new(vec![
        credential(
            "fridge",
            Some("fridge"),
            default_device_topics(&id("fridge")),
        ),
        credential("lamp", Some("lamp"), default_device_topics(&id("lamp"))),
        credential(
            "zigbee",
            None,
            vec![
                TopicRule::write("zigbee2mqtt/#"),
                TopicRule::read("zigbee2mqtt/#"),
                TopicRule::write("homeassistant/#"),
            ],
        ),
    ])
}

fn judged(config_topic: &str, reads: &[&str], writes: &[&str], device: Option<&str>) -> Verdict {
    judge(
        &house(),
        true,
        config_topic,
        reads,
        writes,
        |_| None,
        device.map(id).as_ref(),
    )
}

fn reason(verdict: Verdict) -> String {
    match verdict {
        Verdict::Conflict { reason } => reason,
        other => format!("{other:?}"),
    }
}

#[test]
fn a_device_touches_its_own_topics_and_no_others() {
    let list = house();
    for topic in [
        "iothome/fridge/door/state",
        "iothome/fridge/availability",
        "homeassistant/sensor/fridge/temperature/config",
        "homeassistant/device/fridge/config",
    ] {
        assert!(list.may_write("fridge", topic), "{topic}");
    }
    for topic in [
        "iothome/lamp/light/state",
        "homeassistant/sensor/lamp/temperature/config",
        "homeassistant/status",
        "iothome/fridge/#",
        "zigbee2mqtt/x",
        "",
    ] {
        assert!(!list.may_write("fridge", topic), "{topic}");
    }
    assert!(list.may_read("fridge", "iothome/fridge/+/set"));
    assert!(list.may_read("fridge", "iothome/fridge/power/set"));
    assert!(list.may_read("fridge", "homeassistant/status"));
    for filter in [
        "#",
        "iothome/#",
        "iothome/+/power/set",
        "iothome/fridge/#",
        "iothome/lamp/light/set",
        "+/+",
        "$SYS/#",
    ] {
        assert!(!list.may_read("fridge", filter), "{filter}");
    }
    assert!(!list.may_write("nobody", "iothome/fridge/x") && !list.may_read("nobody", "a"));
}

#[test]
fn a_password_opens_only_its_own_account() {
    let list = house();
    assert!(list.authenticate("fridge", b"fridge-secret"));
    for (user, password) in [
        ("fridge", "lamp-secret"),
        ("fridge", ""),
        ("nobody", "x"),
        ("", ""),
    ] {
        assert!(
            !list.authenticate(user, password.as_bytes()),
            "{user} {password}"
        );
    }
    let without = list.without("fridge");
    assert!(!without.authenticate("fridge", b"fridge-secret"));
    assert!(!without.may_write("fridge", "iothome/fridge/x"));
    assert_eq!((list.len(), without.len()), (3, 2));
    assert!(
        without
            .with(credential("new", None, vec![]))
            .authenticate("new", b"new-secret")
    );
}

#[test]
fn a_hand_made_device_gets_exactly_its_topics() {
    let raw = serde_json::json!({
        "command_topic": "esp8266/socket", "payload_on": "1", "payload_off": "0",
        "state_topic": "esp8266/status", "availability_topic": "esp8266/status",
    });
    let config =
        EntityConfig::parse(Kind::Switch, raw.as_object().unwrap(), &Templates::new()).unwrap();
    let rules = hand_made_topics(&[config.clone(), config]);
    assert_eq!(
        rules,
        [
            TopicRule::write("esp8266/status"),
            TopicRule::read("esp8266/socket")
        ]
    );
    let list = AccessList::new(vec![credential("esp", Some("socket"), rules)]);
    assert!(list.may_write("esp", "esp8266/status") && list.may_read("esp", "esp8266/socket"));
    assert!(!list.may_write("esp", "esp8266/socket") && !list.may_read("esp", "esp8266/#"));
    assert_eq!(list.owner_of("esp8266/status"), Some(&id("socket")));
}

#[test]
fn a_device_that_claims_its_own_topics_is_verified() {
    let verdict = judged(
        "homeassistant/switch/fridge/power/config",
        &["iothome/fridge/power/state", "iothome/fridge/availability"],
        &["iothome/fridge/power/set"],
        Some("fridge"),
    );
    // The bridge may write there too, but the fridge's own user is the nearer one.
    assert_eq!(
        verdict,
        Verdict::Verified {
            username: "fridge".into()
        }
    );
}

#[test]
fn a_device_that_claims_another_ones_topic_is_a_conflict() {
    let verdict = judged(
        "homeassistant/switch/lamp/x/config",
        &[],
        &["iothome/fridge/power/set"],
        Some("lamp"),
    );
    assert_eq!(
        reason(verdict),
        "`iothome/fridge/power/set` belongs to the device fridge"
    );
    let verdict = judged(
        "homeassistant/switch/lamp/x/config",
        &["zigbee2mqtt/Desk"],
        &[],
        Some("lamp"),
    );
    assert_eq!(
        reason(verdict),
        "the broker user lamp may not write `zigbee2mqtt/Desk`"
    );
    let verdict = judged(
        "homeassistant/switch/lamp/x/config",
        &[],
        &["iothome/lamp/a/b/set"],
        Some("lamp"),
    );
    assert_eq!(
        reason(verdict),
        "the broker user lamp may not read `iothome/lamp/a/b/set`"
    );
}

#[test]
fn a_bridge_brings_its_own_devices_but_cannot_speak_for_others() {
    let config = "homeassistant/light/0x01/light/config";
    let verdict = judged(
        config,
        &["zigbee2mqtt/Desk", "zigbee2mqtt/bridge/state"],
        &["zigbee2mqtt/Desk/set"],
        None,
    );
    assert_eq!(
        verdict,
        Verdict::Verified {
            username: "zigbee".into()
        }
    );
    let verdict = judged(config, &["iothome/fridge/door/state"], &[], None);
    assert_eq!(
        reason(verdict),
        "`iothome/fridge/door/state` belongs to the device fridge"
    );
    let verdict = judged(
        config,
        &["zigbee2mqtt/Desk"],
        &["zigbee2mqtt/Desk/set"],
        Some("fridge"),
    );
    assert_eq!(
        reason(verdict),
        "the device fridge has a broker user of its own"
    );
}

#[test]
fn an_announcement_that_nobody_we_know_can_send_is_a_conflict() {
    let list = house().without("zigbee");
    let verdict = judge(
        &list,
        true,
        "homeassistant/light/x/config",
        &["a"],
        &["b"],
        |_| None,
        None,
    );
    assert_eq!(
        reason(verdict),
        "no broker user of this hub may write `homeassistant/light/x/config`"
    );
}

#[test]
fn a_topic_of_an_accepted_device_is_its_own_on_an_unmanaged_broker_too() {
    let owned = |topic: &str| (topic == "plug/set").then(|| id("plug"));
    let ask = |device: Option<&DeviceId>, writes: &[&str]| {
        judge(
            &AccessList::default(),
            false,
            "homeassistant/switch/x/config",
            &[],
            writes,
            owned,
            device,
        )
    };
    assert_eq!(ask(None, &["other/set"]), Verdict::NotVerified);
    assert_eq!(ask(Some(&id("plug")), &["plug/set"]), Verdict::NotVerified);
    assert_eq!(
        reason(ask(None, &["plug/set"])),
        "`plug/set` belongs to the device plug"
    );
}

#[test]
fn the_index_finds_what_a_walk_through_all_rules_finds() {
    let list = house();
    for topic in [
        "homeassistant/switch/fridge/config",
        "homeassistant/switch/fridge/x/config",
        "homeassistant/status",
        "iothome/lamp/x/set",
        "zigbee2mqtt/a/b",
        "config/set",
        "a",
    ] {
        let mut walked: Vec<&str> = list
            .iter()
            .filter(|c| list.may_write(&c.username, topic))
            .map(|c| c.username.as_str())
            .collect();
        let mut indexed: Vec<&str> = list
            .who(Access::Write, topic)
            .iter()
            .map(|c| c.username.as_str())
            .collect();
        walked.sort_unstable();
        indexed.sort_unstable();
        assert_eq!(walked, indexed, "{topic}");
    }
}

#[test]
fn a_topic_that_two_devices_may_touch_is_a_conflict_for_both_whatever_their_order() {
    for (first, second) in [("a", "b"), ("b", "a")] {
        let list = AccessList::new(vec![
            credential("u1", Some(first), vec![TopicRule::write("house/hall/#")]),
            credential("u2", Some(second), vec![TopicRule::write("house/+/lamp")]),
        ]);
        let topic = "house/hall/lamp";
        assert_eq!(list.owner_of(topic), None);
        assert_eq!(list.other_owner(topic, Some(&id("a"))), Some(&id("b")));
        assert_eq!(list.other_owner(topic, Some(&id("b"))), Some(&id("a")));
        assert_eq!(list.other_owner(topic, None), Some(&id("a")));
    }
}
