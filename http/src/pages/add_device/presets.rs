//! Ready fillings of the form: payloads that firmware usually has.
//!
//! Owner of the list. A preset fills fields; it must never save anything.

use super::form::Values;
use iothome_engine::ids::DeviceId;
use iothome_engine::kind::Kind;

/// A word for the form, and what it is called (nothing: plain).
pub(super) type Preset = (&'static str, &'static str);

type Pairs = &'static [(&'static str, &'static str)];

const JSON_STATE: (&str, &str) = ("value_template", "{{ value_json.state }}");
const JSON_COMMAND: (&str, &str) = ("command_template", r#"{"state": "{{ value }}"}"#);

/// The presets of a kind.
pub(super) fn presets(kind: Kind) -> Vec<Preset> {
    let words: &[Preset] = match kind {
        Kind::Switch => &[
            ("on", "ON / OFF"),
            ("one", "1 / 0"),
            ("true", "true / false"),
            ("json", "JSON"),
            ("tasmota", "Tasmota"),
        ],
        Kind::Light => &[
            ("on", "ON / OFF"),
            ("one", "1 / 0"),
            ("true", "true / false"),
            ("json", "JSON"),
        ],
        Kind::BinarySensor => &[
            ("on", "ON / OFF"),
            ("one", "1 / 0"),
            ("true", "true / false"),
            ("json", "JSON"),
        ],
        Kind::Button => &[("plain", "PRESS"), ("one", "1"), ("json", "JSON")],
        Kind::Cover => &[
            ("plain", "OPEN / CLOSE / STOP"),
            ("lower", "open / close / stop"),
            ("json", "JSON"),
        ],
        Kind::Lock => &[
            ("plain", "LOCK / UNLOCK"),
            ("one", "1 / 0"),
            ("json", "JSON"),
        ],
        Kind::Sensor | Kind::Number | Kind::Select => &[("plain", ""), ("json", "JSON")],
    };
    words.to_vec()
}

/// Fills the fields of a preset; fields that it does not know stay. `false` if there is none.
pub(super) fn apply(kind: Kind, preset: &str, device: &DeviceId, values: &mut Values) -> bool {
    if !presets(kind).iter().any(|(word, _)| *word == preset) {
        return false;
    }
    for key in ["value_template", "command_template", "state_value_template"] {
        values.remove(key);
    }
    for (key, value) in pairs(kind, preset) {
        values.insert((*key).to_owned(), (*value).to_owned());
    }
    if preset == "tasmota" {
        let topics = [
            ("command_topic", format!("cmnd/{device}/POWER")),
            ("state_topic", format!("stat/{device}/POWER")),
            ("availability_topic", format!("tele/{device}/LWT")),
        ];
        values.extend(topics.map(|(key, topic)| (key.to_owned(), topic)));
    }
    true
}

fn pairs(kind: Kind, preset: &str) -> Vec<(&'static str, &'static str)> {
    let both = |on: &'static str, off: &'static str| {
        let mut pairs = vec![("payload_on", on), ("payload_off", off)];
        if kind == Kind::Switch {
            pairs.extend([("state_on", ""), ("state_off", "")]);
        }
        if kind == Kind::Light {
            pairs.push(("schema", "basic"));
        }
        pairs
    };
    match (kind, preset) {
        (Kind::Light, "json") => vec![("schema", "json"), ("brightness", "on")],
        (Kind::Switch, "json") => [both("ON", "OFF"), vec![JSON_STATE, JSON_COMMAND]].concat(),
        (Kind::BinarySensor, "json") => [both("ON", "OFF"), vec![JSON_STATE]].concat(),
        (Kind::Switch, "tasmota") => [
            both("ON", "OFF"),
            vec![
                ("payload_available", "Online"),
                ("payload_not_available", "Offline"),
            ],
        ]
        .concat(),
        (Kind::Switch | Kind::Light | Kind::BinarySensor, "one") => both("1", "0"),
        (Kind::Switch | Kind::Light | Kind::BinarySensor, "true") => both("true", "false"),
        (Kind::Switch | Kind::Light | Kind::BinarySensor, _) => both("ON", "OFF"),
        _ => others(kind, preset).to_vec(),
    }
}

const fn others(kind: Kind, preset: &str) -> Pairs {
    match (kind, preset.as_bytes()) {
        (Kind::Button, b"one") => &[("payload_press", "1")],
        (Kind::Button, b"json") => &[
            ("payload_press", "press"),
            ("command_template", r#"{"action": "{{ value }}"}"#),
        ],
        (Kind::Button, _) => &[("payload_press", "PRESS")],
        (Kind::Cover, b"lower") => &[
            ("payload_open", "open"),
            ("payload_close", "close"),
            ("payload_stop", "stop"),
        ],
        (Kind::Cover, b"json") => &[
            ("payload_open", r#"{"state": "OPEN"}"#),
            ("payload_close", r#"{"state": "CLOSE"}"#),
            ("payload_stop", r#"{"state": "STOP"}"#),
            ("value_template", "{{ value_json.state }}"),
            ("position_template", "{{ value_json.position }}"),
            ("set_position_template", r#"{"position": {{ position }}}"#),
        ],
        (Kind::Cover, _) => &[
            ("payload_open", "OPEN"),
            ("payload_close", "CLOSE"),
            ("payload_stop", "STOP"),
        ],
        (Kind::Lock, b"one") => &[
            ("payload_lock", "1"),
            ("payload_unlock", "0"),
            ("state_locked", "1"),
            ("state_unlocked", "0"),
        ],
        (Kind::Lock, b"json") => &[
            ("payload_lock", "LOCK"),
            ("payload_unlock", "UNLOCK"),
            JSON_STATE,
            JSON_COMMAND,
        ],
        (Kind::Lock, _) => &[
            ("payload_lock", "LOCK"),
            ("payload_unlock", "UNLOCK"),
            ("state_locked", "LOCKED"),
            ("state_unlocked", "UNLOCKED"),
        ],
        (Kind::Sensor, b"json") => &[("value_template", "{{ value_json.value }}")],
        (Kind::Number, b"json") => &[
            ("value_template", "{{ value_json.value }}"),
            ("command_template", r#"{"value": {{ value }}}"#),
        ],
        (Kind::Select, b"json") => &[
            ("value_template", "{{ value_json.value }}"),
            ("command_template", r#"{"value": "{{ value }}"}"#),
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::super::form;
    use super::*;
    use iothome_engine::config::{EntityConfig, Raw};
    use iothome_engine::template::Templates;
    use iothome_views::texts::ENGLISH;

    #[test]
    fn every_preset_fills_fields_that_its_form_has_with_what_can_run() {
        let templates = Templates::new();
        let device: DeviceId = "lamp".parse().expect("an id");
        for kind in Kind::ALL {
            for (preset, _) in presets(kind) {
                let mut values = Values::new();
                for key in ["command_topic", "state_topic"] {
                    values.insert(key.into(), "a/b".into());
                }
                let known = |key: &str| iothome_engine::config::is_known_key(kind, key);
                values.retain(|key, _| known(key));
                if kind == Kind::Select {
                    values.insert("options".into(), "a\nb".into());
                }
                assert!(apply(kind, preset, &device, &mut values));
                assert_eq!(form::unknown(kind, &values), None, "{kind} {preset}");
                let filled = form::read(&ENGLISH, kind, &values, &Raw::new(), &templates);
                let config = filled.expect("no fault").config;
                let parsed = EntityConfig::parse(kind, &config, &templates);
                assert!(parsed.is_ok(), "{kind} {preset}: {parsed:?}");
            }
            assert!(!apply(kind, "nonsense", &device, &mut Values::new()));
        }
    }
}
