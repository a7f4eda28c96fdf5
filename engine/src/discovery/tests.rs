//! Announcements as real devices send them.

#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    clippy::panic,
    reason = "a test may fail, and reads better with values in place"
)]

use super::*;
use crate::config::{AvailabilityMode, Detail};
use crate::kind::{Action, Kind};
use proptest::prelude::*;
use serde_json::json;

fn hear(topic: &str, payload: &[u8]) -> Result<Announcement, DiscoveryError> {
    parse("homeassistant", topic, payload, &Templates::new())
}

fn announced(topic: &str, payload: serde_json::Value) -> Announced {
    match hear(topic, payload.to_string().as_bytes()) {
        Ok(Announcement::Announced(announced)) => announced,
        other => panic!("{other:?}"),
    }
}

#[test]
fn configuration_topics_follow_the_grammar() {
    let place = |topic: &str| ConfigTopic::parse("homeassistant", topic);
    let found = place("homeassistant/switch/fridge/power/config")
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.kind(), found.node.as_deref(), found.object.as_str()),
        (Some(Kind::Switch), Some("fridge"), "power")
    );
    assert!(
        place("homeassistant/device/fridge/config")
            .unwrap()
            .unwrap()
            .is_bundle()
    );
    assert_eq!(place("homeassistant/status"), Ok(None));
    assert_eq!(place("other/switch/a/config"), Ok(None));
    assert_eq!(place("homeassistantx/switch/a/config"), Ok(None));
    for bad in [
        "switch/config",
        "switch//config",
        "switch/a b/config",
        "switch/a/b/c/config",
        "switch/ä/config",
    ] {
        assert_eq!(
            place(&format!("homeassistant/{bad}")),
            Err(DiscoveryError::Topic),
            "{bad}"
        );
    }
    for filter in filters("homeassistant") {
        assert_eq!(crate::topic::valid_filter(&filter), Ok(()));
    }
}

#[test]
fn a_zigbee2mqtt_lamp_is_a_dimmable_light() {
    let lamp = announced(
        "homeassistant/light/0x0017880104e45517/light/config",
        json!({
            "availability": [
                {"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"},
                {"topic": "zigbee2mqtt/Desk/availability", "value_template": "{{ value_json.state }}"},
            ],
            "availability_mode": "all",
            "brightness": true, "brightness_scale": 254,
            "command_topic": "zigbee2mqtt/Desk/set",
            "default_entity_id": "light.desk",
            "device": {
                "identifiers": ["zigbee2mqtt_0x0017880104e45517"],
                "manufacturer": "Philips", "model": "Hue white", "model_id": "9290012573A",
                "name": "Desk", "sw_version": "1.88.1", "via_device": "zigbee2mqtt_bridge_0x00",
            },
            "effect": true, "effect_list": ["blink", "breathe"],
            "name": null, "object_id": "desk",
            "origin": {"name": "Zigbee2MQTT", "sw": "2.1.1", "url": "https://www.zigbee2mqtt.io"},
            "schema": "json", "state_topic": "zigbee2mqtt/Desk",
            "supported_color_modes": ["brightness"],
            "unique_id": "0x0017880104e45517_light_zigbee2mqtt",
        }),
    );
    assert_eq!(lamp.identity.keys, ["id:zigbee2mqtt_0x0017880104e45517"]);
    assert_eq!(lamp.name.as_deref(), Some("Desk"));
    assert_eq!(lamp.about.manufacturer.as_deref(), Some("Philips"));
    assert_eq!(lamp.origin.as_deref(), Some("Zigbee2MQTT 2.1.1"));
    let light = &lamp.entities[0];
    assert_eq!(light.key, "0x0017880104e45517_light_zigbee2mqtt");
    assert_eq!(light.suggested_id, "light");
    assert_eq!(light.config.name, None);
    assert_eq!(
        light.config.actions(),
        [Action::TurnOn, Action::TurnOff, Action::Toggle, Action::Set]
    );
    assert_eq!(light.config.availability.mode, AvailabilityMode::All);
    assert_eq!(
        light.config.read_topics(),
        [
            "zigbee2mqtt/Desk",
            "zigbee2mqtt/bridge/state",
            "zigbee2mqtt/Desk/availability"
        ]
    );
    assert!(!light.config.raw.contains_key("device") && !light.config.raw.contains_key("origin"));
}

#[test]
fn a_tasmota_plug_speaks_in_short_forms_with_a_base_topic() {
    let plug = announced(
        "homeassistant/switch/A4CF12_RL_1/config",
        json!({
            "~": "tasmota_A4CF12", "name": "Relay", "cmd_t": "~/cmnd/POWER", "stat_t": "tele/~",
            "val_tpl": "{{value_json.POWER}}", "pl_off": "OFF", "pl_on": "ON",
            "avty": [{"t": "~/LWT", "pl_avail": "Online", "pl_not_avail": "Offline"}],
            "uniq_id": "A4CF12_RL_1",
            "dev": {"ids": "A4CF12", "cns": [["mac", "A4:CF:12:00:00:01"]], "mf": "Sonoff", "mdl": "S20", "sw": "14.2", "sa": "Kitchen"},
        }),
    );
    assert_eq!(
        plug.identity.keys,
        ["id:A4CF12", "conn:mac:a4:cf:12:00:00:01"]
    );
    assert_eq!(plug.suggested_area.as_deref(), Some("Kitchen"));
    let relay = &plug.entities[0].config;
    assert_eq!(relay.write_topics(), ["tasmota_A4CF12/cmnd/POWER"]);
    assert_eq!(relay.state_topic.as_deref(), Some("tele/tasmota_A4CF12"));
    assert_eq!(relay.availability.topics[0].topic, "tasmota_A4CF12/LWT");
    assert_eq!(relay.availability.topics[0].payload_available, "Online");
    assert_eq!(relay.availability.mode, AvailabilityMode::Latest);
}

#[test]
fn an_esphome_sensor_is_numeric_and_a_setting_says_so() {
    let sensor = announced(
        "homeassistant/sensor/greenhouse/outside_temperature/config",
        json!({
            "dev_cla": "temperature", "unit_of_meas": "°C", "stat_cla": "measurement", "sug_dsp_prc": 1,
            "name": "Outside Temperature", "stat_t": "greenhouse/sensor/outside_temperature/state",
            "avty_t": "greenhouse/status", "uniq_id": "ESPsensoroutside_temperature", "exp_aft": 300,
            "ent_cat": "diagnostic",
            "dev": {"ids": "a0b1c2d3e4f5", "name": "Greenhouse", "sw": "esphome v2026.1.0", "mdl": "esp32dev", "mf": "Espressif"},
        }),
    );
    let config = &sensor.entities[0].config;
    assert!(config.is_numeric());
    assert_eq!(config.expire_after_ms, Some(300_000));
    assert_eq!(config.unit.as_deref(), Some("°C"));
    assert_eq!(config.category, Some(crate::view::Category::Diagnostic));
    assert_eq!(sensor.entities[0].suggested_id, "outside-temperature");
}

#[test]
fn a_bundle_hands_its_shared_options_to_components_that_do_not_set_them() {
    let shelly = announced(
        "homeassistant/device/shellyplus1pm/config",
        json!({
            "dev": {"ids": ["shellyplus1pm-a8032abcdef0"], "name": "Heater", "mf": "Shelly"},
            "o": {"name": "shellies-discovery-gen2"},
            "avty_t": "shellyplus1pm/online", "pl_avail": "true", "pl_not_avail": "false", "qos": 1,
            "stat_t": "shellyplus1pm/status/switch:0",
            "cmps": {
                "switch": {
                    "p": "switch", "name": "Relay", "uniq_id": "s0",
                    "cmd_t": "shellyplus1pm/command/switch:0", "pl_on": "on", "pl_off": "off",
                    "val_tpl": "{% if value_json.output %}on{% else %}off{% endif %}",
                },
                "power": {
                    "p": "sensor", "uniq_id": "p0", "dev_cla": "power", "unit_of_meas": "W",
                    "val_tpl": "{{ value_json.apower | round(1) }}", "qos": 2,
                    "avty": [{"t": "elsewhere"}],
                },
                "gone": {"p": "sensor"},
                "button1": {"p": "device_automation", "automation_type": "trigger", "topic": "x", "type": "t", "subtype": "s"},
                "broken": {"p": "number", "uniq_id": "n0", "cmd_t": "a/+"},
                "nonsense": 7,
            },
        }),
    );
    let ids: Vec<&str> = shelly
        .entities
        .iter()
        .map(|e| e.suggested_id.as_str())
        .collect();
    assert_eq!(ids, ["power", "relay"]);
    let [power, relay] = shelly.entities.as_slice() else {
        panic!()
    };
    assert_eq!(
        relay.config.availability.topics[0].payload_available,
        "true"
    );
    assert_eq!(relay.config.qos, 1);
    assert_eq!(
        relay.config.state_topic.as_deref(),
        Some("shellyplus1pm/status/switch:0")
    );
    assert_eq!(power.config.qos, 2);
    assert_eq!(power.config.availability.topics[0].topic, "elsewhere");
    let skipped: Vec<&str> = shelly.skipped.iter().map(|(c, _)| c.as_str()).collect();
    assert_eq!(skipped, ["broken", "button1", "nonsense"]);
    assert!(
        shelly.skipped[0].1.contains("command_topic"),
        "{:?}",
        shelly.skipped
    );
}

#[test]
fn a_bundle_may_have_a_base_topic_and_child_devices() {
    let bundle = announced(
        "homeassistant/device/hub/strip/config",
        json!({
            "~": "strip", "device": {"connections": [["zigbee", "0xab"]]}, "origin": {"name": "x"},
            "components": {"all": {"platform": "switch", "command_topic": "~/all/set"}},
            "child_devices": [{
                "identifiers": "strip_1", "name": "Outlet 1",
                "components": {"power": {"p": "switch", "uniq_id": "o1", "cmd_t": "~/1/set"}},
            }],
        }),
    );
    assert_eq!(bundle.identity.keys, ["conn:zigbee:0xab"]);
    let [all, outlet] = bundle.entities.as_slice() else {
        panic!("{bundle:?}")
    };
    assert_eq!(all.key, "homeassistant/device/hub/strip/config#all");
    assert_eq!(all.config.write_topics(), ["strip/all/set"]);
    assert_eq!(outlet.config.name.as_deref(), Some("Outlet 1 power"));
    assert_eq!(outlet.config.write_topics(), ["strip/1/set"]);
}

#[test]
fn components_without_a_device_are_grouped_by_node() {
    let config = json!({"command_topic": "a/set"});
    let with_node = announced("homeassistant/switch/shed/pump/config", config.clone());
    let without = announced("homeassistant/switch/pump/config", config);
    assert_eq!(with_node.identity.keys, ["topic:shed"]);
    assert_eq!(without.identity.keys, ["topic:pump"]);
    assert_eq!(
        with_node.entities[0].key,
        "homeassistant/switch/shed/pump/config"
    );
    assert_eq!(with_node.entities[0].suggested_id, "pump");
}

#[test]
fn removal_migration_and_other_components_are_no_errors() {
    let topic = "homeassistant/switch/pump/config";
    assert_eq!(
        hear(topic, b""),
        Ok(Announcement::Removed {
            topic: topic.into()
        })
    );
    assert_eq!(
        hear(topic, br#"{"migr_discvry": true}"#),
        Ok(Announcement::Migrate)
    );
    assert_eq!(
        hear(
            "homeassistant/device/pump/config",
            br#"{"migrate_discovery":true}"#
        ),
        Ok(Announcement::Migrate)
    );
    assert_eq!(
        hear("homeassistant/climate/x/config", br#"{"mode_cmd_t":"a"}"#),
        Ok(Announcement::Unsupported {
            component: "climate".into()
        })
    );
}

#[test]
fn the_same_payload_has_the_same_hash_and_a_changed_one_another() {
    let topic = "homeassistant/switch/pump/config";
    let first = announced(topic, json!({"command_topic": "a/set"}));
    let again = announced(topic, json!({"command_topic": "a/set"}));
    let changed = announced(topic, json!({"command_topic": "b/set"}));
    assert_eq!(first, again);
    assert_ne!(first.hash, changed.hash);
}

#[test]
fn a_stored_configuration_reads_back_to_the_same_entity() {
    let plug = announced(
        "homeassistant/switch/plug/config",
        json!({"~": "plug", "cmd_t": "~/set", "stat_t": "~/state", "avty": {"t": "~/lwt"}, "unknown_key": 1}),
    );
    let config = &plug.entities[0].config;
    let again = EntityConfig::parse(Kind::Switch, &config.raw, &Templates::new());
    assert_eq!(again.as_ref(), Ok(config));
    assert!(!config.raw.contains_key("unknown_key"));
    assert!(matches!(config.detail, Detail::Switch(_)));
}

#[test]
fn bad_announcements_are_refused_with_the_reason() {
    let topic = "homeassistant/switch/pump/config";
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    let long = vec![b' '; 1 << 20];
    let refused = |topic: &str, payload: &[u8]| hear(topic, payload).unwrap_err().to_string();
    assert_eq!(hear(topic, &long), Err(DiscoveryError::TooLong));
    assert_eq!(hear(topic, &[0xff, 0xfe]), Err(DiscoveryError::NotText));
    assert!(refused(topic, b"{").contains("no JSON"));
    assert!(refused(topic, b"[1]").contains("no JSON object"));
    assert!(refused(topic, deep.as_bytes()).contains("deeper"));
    assert!(refused(topic, b"{}").contains("`command_topic`: is required"));
    assert!(refused(topic, br#"{"cmd_t":"a","val_tpl":"{{"}"#).contains("`value_template`"));
    assert!(refused(topic, br#"{"cmd_t":"a","avty_t":"b","avty":[]}"#).contains("availability"));
    assert_eq!(
        hear("homeassistant/device/x/config", br#"{"cmps":{"a":{}}}"#),
        Err(DiscoveryError::NoIdentity)
    );
    assert_eq!(
        hear("homeassistant/device/x/config", br#"{"dev":{"ids":"a"}}"#),
        Err(DiscoveryError::Components)
    );
    let many: serde_json::Map<_, _> = (0..300)
        .map(|i| (format!("c{i}"), json!({"p": "button"})))
        .collect();
    let many = json!({"dev": {"ids": "a"}, "cmps": many}).to_string();
    assert_eq!(
        hear("homeassistant/device/x/config", many.as_bytes()),
        Err(DiscoveryError::Components)
    );
}

#[test]
fn a_device_cannot_bring_endless_names() {
    let device = announced(
        "homeassistant/switch/pump/config",
        json!({"cmd_t": "a", "dev": {"ids": (0..500).map(|i| i.to_string()).collect::<Vec<_>>(), "name": "x".repeat(5000)}}),
    );
    assert_eq!(device.identity.keys.len(), 32);
    assert_eq!(device.name.map(|n| n.len()), Some(255));
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(
            |f| serde_json::Number::from_f64(f).map_or(serde_json::Value::Null, Into::into)
        ),
        ".{0,12}".prop_map(Into::into),
        "(~|a/b|~/x|x/~|\\{\\{ value \\}\\})".prop_map(Into::into),
    ];
    let key = prop_oneof![
        "(~|p|dev|ids|cns|o|name|cmps|cdevs|avty|avty_t|avty_mode|t|uniq_id|cmd_t|stat_t|val_tpl|ops|min|max|step)",
        "(schema|brightness|bri_scl|pos_t|set_pos_t|pos_open|pos_clsd|e|qos|exp_aft|off_dly|sup_clrm|ent_cat|dev_cla)",
        "[a-z_]{1,6}",
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(key.clone(), inner, 0..8)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_discovery_panic(
        component in "(switch|device|light|cover|foo)",
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = hear(&format!("homeassistant/{component}/x/config"), &payload);
    }

    #[test]
    fn no_json_makes_discovery_panic(
        component in "(switch|device|light|cover|lock|number|select|sensor|binary_sensor|button)",
        payload in any_json(),
    ) {
        let topic = format!("homeassistant/{component}/x/config");
        if let Ok(Announcement::Announced(found)) = hear(&topic, payload.to_string().as_bytes()) {
            for entity in found.entities {
                for topic in entity.config.read_topics().into_iter().chain(entity.config.write_topics()) {
                    prop_assert!(crate::topic::valid_topic(topic).is_ok());
                }
                prop_assert!(entity.suggested_id.parse::<crate::ids::EntityId>().is_ok());
            }
        }
    }

    #[test]
    fn no_topic_makes_discovery_panic(topic in "(homeassistant)?.{0,40}(/config)?") {
        let _ = hear(&topic, b"{}");
    }
}

#[test]
fn a_long_base_topic_is_not_copied_into_every_topic() {
    let base = "x".repeat(100_000);
    let map: Map = json!({"~": base, "state_topic": "~/s", "a_topic": "~"})
        .as_object()
        .cloned()
        .unwrap();
    let resolved = read::resolve(map, None);
    let longest = resolved
        .values()
        .filter_map(|v| v.as_str())
        .map(str::len)
        .max();
    assert!(longest.unwrap() < 2 * crate::topic::TOPIC_MAX);
    let error = hear(
        "homeassistant/sensor/x/config",
        json!({"~": "x".repeat(100_000), "stat_t": "~/s"})
            .to_string()
            .as_bytes(),
    );
    assert!(error.unwrap_err().to_string().contains("state_topic"));
}

#[test]
fn shared_options_too_long_to_copy_into_each_component_are_refused() {
    let bundle = |shared: usize| {
        let topics = vec![json!({"topic": "a/b"}); shared];
        let payload = json!({
            "dev": {"ids": ["x"]}, "avty": topics, "stat_t": "s",
            "cmps": {"one": {"p": "sensor", "uniq_id": "s0"}},
        });
        hear(
            "homeassistant/device/x/config",
            payload.to_string().as_bytes(),
        )
    };
    assert!(bundle(5).is_ok());
    assert_eq!(bundle(1_000).unwrap_err(), DiscoveryError::SharedOptions);
}
