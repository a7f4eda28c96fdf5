//! Configurations that people type and devices send.

#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test may fail, and reads better with values in place"
)]

use super::*;
use serde_json::json;

fn parse(kind: Kind, config: serde_json::Value) -> Result<EntityConfig, ConfigError> {
    EntityConfig::parse(kind, config.as_object().unwrap(), &Templates::new())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_wrong_is_named_by_its_key() {
    let ok = |more: serde_json::Value| {
        let mut config = json!({"command_topic": "c", "state_topic": "s", "options": ["a"]});
        for (key, value) in more.as_object().unwrap() {
            config[key] = value.clone();
        }
        config
    };
    for (kind, config, field) in [
        (Kind::Switch, json!({}), "command_topic"),
        (Kind::Sensor, json!({}), "state_topic"),
        (Kind::BinarySensor, json!({}), "state_topic"),
        (Kind::Lock, json!({}), "command_topic"),
        (Kind::Cover, json!({}), "command_topic"),
        (Kind::Select, json!({"command_topic": "c"}), "options"),
        (Kind::Select, ok(json!({"options": "a"})), "options"),
        (
            Kind::Switch,
            ok(json!({"state_topic": "a/#"})),
            "state_topic",
        ),
        (Kind::Switch, ok(json!({"command_topic": 5})), ""),
        (
            Kind::Switch,
            ok(json!({"command_topic": []})),
            "command_topic",
        ),
        (Kind::Switch, ok(json!({"name": {"a": 1}})), "name"),
        (Kind::Switch, ok(json!({"name": "x".repeat(2000)})), "name"),
        (
            Kind::Switch,
            ok(json!({"value_template": "{{"})),
            "value_template",
        ),
        (
            Kind::Switch,
            ok(json!({"value_template": 1})),
            "value_template",
        ),
        (
            Kind::Switch,
            ok(json!({"value_template": "x".repeat(20_000)})),
            "value_template",
        ),
        (Kind::Switch, ok(json!({"qos": 3})), "qos"),
        (
            Kind::Switch,
            ok(json!({"optimistic": "maybe"})),
            "optimistic",
        ),
        (
            Kind::Switch,
            ok(json!({"entity_category": "other"})),
            "entity_category",
        ),
        (Kind::Switch, ok(json!({"encoding": "ebcdic"})), "encoding"),
        (
            Kind::Switch,
            ok(json!({"availability": [{"payload_available": "x"}]})),
            "availability.topic",
        ),
        (Kind::Switch, ok(json!({"availability": 7})), "availability"),
        (
            Kind::Switch,
            ok(json!({"availability_mode": "most"})),
            "availability_mode",
        ),
        (Kind::Number, ok(json!({"min": 5, "max": 5})), "max"),
        (Kind::Number, ok(json!({"step": 0})), "step"),
        (Kind::Number, ok(json!({"min": "low"})), "min"),
        (Kind::Number, ok(json!({"max": "inf"})), "max"),
        (
            Kind::Sensor,
            ok(json!({"expire_after": -1})),
            "expire_after",
        ),
        (
            Kind::BinarySensor,
            ok(json!({"off_delay": 1e12})),
            "off_delay",
        ),
        (Kind::Light, ok(json!({"schema": "x"})), "schema"),
        (
            Kind::Light,
            ok(json!({"brightness_scale": 0})),
            "brightness_scale",
        ),
        (
            Kind::Light,
            ok(json!({"on_command_type": "brightness"})),
            "on_command_type",
        ),
        (
            Kind::Light,
            ok(json!({"schema": "template"})),
            "command_on_template",
        ),
        (
            Kind::Cover,
            ok(json!({"position_open": 0})),
            "position_open",
        ),
        (
            Kind::Cover,
            ok(json!({"position_closed": -1e308})),
            "position_closed",
        ),
    ] {
        let outcome = parse(kind, config.clone()).map(|_| ()).map_err(|e| e.field);
        let expected = if field.is_empty() {
            Ok(())
        } else {
            Err(field.to_owned())
        };
        assert_eq!(outcome, expected, "{kind} {config}");
    }
}

#[test]
fn a_key_of_another_kind_is_dropped_and_can_be_named() {
    let raw = json!({"state_topic": "s", "command_topic": "c", "min": 3, "exploding": true, "name": "Door"});
    let raw = raw.as_object().unwrap();
    let config = EntityConfig::parse(Kind::Sensor, raw, &Templates::new()).unwrap();
    assert_eq!(
        config.raw.keys().collect::<Vec<_>>(),
        ["name", "state_topic"]
    );
    assert!(config.write_topics().is_empty());
    assert_eq!(
        unknown_keys(Kind::Sensor, raw),
        ["command_topic", "exploding", "min"]
    );
    assert!(is_known_key(Kind::Number, "min"));
}

#[test]
fn a_hash_is_of_what_is_said_and_not_of_its_order() {
    let one: Raw = serde_json::from_str(r#"{"a":{"x":1,"y":[1,2]},"b":"c"}"#).unwrap();
    let other: Raw = serde_json::from_str(r#"{"b":"c","a":{"y":[1,2],"x":1}}"#).unwrap();
    let third: Raw = serde_json::from_str(r#"{"b":"c","a":{"y":[2,1],"x":1}}"#).unwrap();
    assert_eq!(EntityConfig::hash(&one), EntityConfig::hash(&other));
    assert_ne!(EntityConfig::hash(&one), EntityConfig::hash(&third));
    assert_eq!(EntityConfig::hash(&one).len(), 64);
}

#[test]
fn numbers_and_truth_become_the_text_that_python_makes_of_them() {
    let config = parse(
        Kind::Switch,
        json!({"command_topic": "c", "payload_on": 1, "payload_off": 0.5, "state_on": true, "state_off": ""}),
    );
    let Detail::Switch(switch) = config.unwrap().detail else {
        unreachable!()
    };
    assert_eq!(
        [
            switch.payload_on,
            switch.payload_off,
            switch.state_on,
            switch.state_off
        ],
        ["1", "0.5", "True", ""]
    );
}

#[test]
fn each_topic_is_named_once_and_every_one_is_heard() {
    let config = parse(
        Kind::Cover,
        json!({
            "command_topic": "c", "set_position_topic": "c", "state_topic": "s", "position_topic": "s",
            "availability": [{"topic": "a"}, {"topic": "s"}], "json_attributes_topic": "j", "refusal_topic": "r",
        }),
    )
    .unwrap();
    assert_eq!(config.read_topics(), ["s", "j", "r", "a"]);
    assert_eq!(config.write_topics(), ["c"]);
    assert!(config.read_topics().iter().all(|topic| config.hears(topic)));
    assert!(!config.hears("c"));
}

#[test]
fn null_and_empty_mean_not_said() {
    let config = parse(
        Kind::Sensor,
        json!({
            "state_topic": "s", "name": null, "unit_of_measurement": "", "device_class": null,
            "value_template": "", "expire_after": 0, "entity_category": null,
        }),
    )
    .unwrap();
    assert_eq!(
        (config.name, config.unit, config.device_class),
        (None, None, None)
    );
    assert_eq!(
        (
            config.state_template,
            config.expire_after_ms,
            config.category
        ),
        (None, None, None)
    );
}

#[test]
fn the_suggested_id_is_without_its_kind() {
    let id = |config: serde_json::Value| parse(Kind::Button, config).unwrap().suggested_id;
    assert_eq!(
        id(json!({"command_topic": "c", "default_entity_id": "button.door", "object_id": "old"}))
            .as_deref(),
        Some("door")
    );
    assert_eq!(
        id(json!({"command_topic": "c", "object_id": "old"})).as_deref(),
        Some("old")
    );
    assert_eq!(id(json!({"command_topic": "c"})), None);
}

#[test]
fn more_availability_topics_than_any_device_has_are_refused() {
    let with = |count: usize| {
        let topics = vec![json!({"topic": "a"}); count];
        parse(
            Kind::Sensor,
            json!({"state_topic": "s", "availability": topics}),
        )
    };
    assert_eq!(with(16).unwrap().availability.topics.len(), 16);
    assert_eq!(with(17).unwrap_err().field, "availability");
}
