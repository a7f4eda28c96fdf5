//! Which fields the form of an entity has, by kind.
//!
//! Owner of the choice: what a household needs of what a configuration can say. A key
//! that is not here stays as it is stored. It must never check a value.

use iothome_engine::kind::Kind;

/// Where a field stands in the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What it is.
    About,
    /// Where it speaks.
    Topics,
    /// Which words it uses.
    Payloads,
    /// How its messages are read and made.
    Templates,
    /// How it tells that it can be reached.
    Availability,
    /// The rest.
    More,
}

/// What is typed into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A word or a name.
    Text,
    /// A topic.
    Topic,
    /// A payload, sent or compared as it is.
    Payload,
    /// A template, perhaps of several lines.
    Template,
    /// A number.
    Number,
    /// One entry a line.
    Lines,
    /// Yes or no.
    Flag,
    /// One of these words; the first stands for "not said".
    Choice(&'static [&'static str]),
    /// Any word; these are usual.
    Suggest(&'static [&'static str]),
}

/// A field of the form. Its key is the configuration's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// The configuration's key.
    pub key: &'static str,
    /// Where it stands.
    pub group: Group,
    /// What is typed.
    pub input: Input,
    /// What counts if it is left empty.
    pub default: &'static str,
    /// Whether it must be filled.
    pub required: bool,
}

const SENSOR_CLASSES: &[&str] = &[
    "temperature",
    "humidity",
    "battery",
    "power",
    "energy",
    "voltage",
    "current",
    "pressure",
    "illuminance",
    "carbon_dioxide",
    "pm25",
    "moisture",
    "signal_strength",
    "duration",
    "water",
    "gas",
    "weight",
    "distance",
    "speed",
    "wind_speed",
    "precipitation",
    "timestamp",
    "enum",
];
const BINARY_CLASSES: &[&str] = &[
    "door",
    "window",
    "opening",
    "garage_door",
    "lock",
    "motion",
    "occupancy",
    "presence",
    "moisture",
    "smoke",
    "gas",
    "carbon_monoxide",
    "problem",
    "tamper",
    "vibration",
    "sound",
    "light",
    "power",
    "battery",
    "battery_charging",
    "connectivity",
    "running",
    "safety",
];
const COVER_CLASSES: &[&str] = &[
    "blind", "shutter", "curtain", "shade", "awning", "garage", "gate", "door", "window",
];
const SWITCH_CLASSES: &[&str] = &["outlet", "switch"];
const BUTTON_CLASSES: &[&str] = &["identify", "restart", "update"];
const UNITS: &[&str] = &[
    "°C", "°F", "%", "W", "kW", "Wh", "kWh", "V", "A", "hPa", "lx", "ppm", "µg/m³", "dBm", "s",
    "min", "L", "m³", "kg", "m", "km/h", "m/s", "mm",
];

const fn field(key: &'static str, group: Group, input: Input) -> FieldSpec {
    FieldSpec {
        key,
        group,
        input,
        default: "",
        required: false,
    }
}

const fn topic(key: &'static str) -> FieldSpec {
    field(key, Group::Topics, Input::Topic)
}

const fn template(key: &'static str) -> FieldSpec {
    field(key, Group::Templates, Input::Template)
}

const fn payload(key: &'static str, default: &'static str) -> FieldSpec {
    FieldSpec {
        default,
        ..field(key, Group::Payloads, Input::Payload)
    }
}

const fn number(key: &'static str, group: Group, default: &'static str) -> FieldSpec {
    FieldSpec {
        default,
        ..field(key, group, Input::Number)
    }
}

const fn needed(field: FieldSpec) -> FieldSpec {
    FieldSpec {
        required: true,
        ..field
    }
}

const fn class(classes: &'static [&'static str]) -> FieldSpec {
    field("device_class", Group::About, Input::Suggest(classes))
}

/// The fields of a kind, in the order of the form.
pub fn fields(kind: Kind) -> Vec<FieldSpec> {
    let mut all = own(kind);
    let category = Input::Choice(&["", "config", "diagnostic"]);
    all.insert(0, field("entity_category", Group::About, category));
    if kind != Kind::Button {
        all.extend([
            field("json_attributes_topic", Group::More, Input::Topic),
            field("json_attributes_template", Group::More, Input::Template),
        ]);
    }
    all.extend([
        field("availability_topic", Group::Availability, Input::Topic),
        FieldSpec {
            default: "online",
            ..field("payload_available", Group::Availability, Input::Payload)
        },
        FieldSpec {
            default: "offline",
            ..field("payload_not_available", Group::Availability, Input::Payload)
        },
        field(
            "availability_template",
            Group::Availability,
            Input::Template,
        ),
    ]);
    all
}

fn own(kind: Kind) -> Vec<FieldSpec> {
    let command = needed(topic("command_topic"));
    let state = topic("state_topic");
    let optimistic = field("optimistic", Group::More, Input::Flag);
    let unit = field("unit_of_measurement", Group::About, Input::Suggest(UNITS));
    let expires = number("expire_after", Group::More, "");
    match kind {
        Kind::Switch => vec![
            class(SWITCH_CLASSES),
            command,
            state,
            payload("payload_on", "ON"),
            payload("payload_off", "OFF"),
            payload("state_on", ""),
            payload("state_off", ""),
            template("value_template"),
            template("command_template"),
            optimistic,
        ],
        Kind::Light => light(),
        Kind::Sensor => vec![
            class(SENSOR_CLASSES),
            unit,
            field("state_class", Group::About, Input::Choice(STATE_CLASSES)),
            needed(state),
            template("value_template"),
            field("options", Group::Payloads, Input::Lines),
            expires,
        ],
        Kind::BinarySensor => vec![
            class(BINARY_CLASSES),
            needed(state),
            payload("payload_on", "ON"),
            payload("payload_off", "OFF"),
            template("value_template"),
            number("off_delay", Group::More, ""),
            expires,
        ],
        Kind::Number => vec![
            class(SENSOR_CLASSES),
            unit,
            command,
            state,
            number("min", Group::Payloads, "0"),
            number("max", Group::Payloads, "100"),
            number("step", Group::Payloads, "1"),
            template("value_template"),
            template("command_template"),
            optimistic,
        ],
        Kind::Select => vec![
            command,
            state,
            needed(field("options", Group::Payloads, Input::Lines)),
            template("value_template"),
            template("command_template"),
            optimistic,
        ],
        Kind::Button => vec![
            class(BUTTON_CLASSES),
            command,
            payload("payload_press", "PRESS"),
            template("command_template"),
        ],
        Kind::Cover => cover(),
        Kind::Lock => lock(),
    }
}

const STATE_CLASSES: &[&str] = &["", "measurement", "total", "total_increasing"];

fn light() -> Vec<FieldSpec> {
    vec![
        field("schema", Group::Payloads, Input::Choice(&["basic", "json"])),
        needed(topic("command_topic")),
        topic("state_topic"),
        topic("brightness_command_topic"),
        topic("brightness_state_topic"),
        payload("payload_on", "ON"),
        payload("payload_off", "OFF"),
        number("brightness_scale", Group::Payloads, "255"),
        field("brightness", Group::Payloads, Input::Flag),
        template("state_value_template"),
        template("brightness_value_template"),
        template("brightness_command_template"),
        field("optimistic", Group::More, Input::Flag),
    ]
}

fn cover() -> Vec<FieldSpec> {
    vec![
        class(COVER_CLASSES),
        topic("command_topic"),
        topic("state_topic"),
        topic("set_position_topic"),
        topic("position_topic"),
        payload("payload_open", "OPEN"),
        payload("payload_close", "CLOSE"),
        payload("payload_stop", "STOP"),
        payload("state_open", "open"),
        payload("state_opening", "opening"),
        payload("state_closed", "closed"),
        payload("state_closing", "closing"),
        payload("state_stopped", "stopped"),
        number("position_open", Group::Payloads, "100"),
        number("position_closed", Group::Payloads, "0"),
        template("value_template"),
        template("position_template"),
        template("set_position_template"),
        field("optimistic", Group::More, Input::Flag),
    ]
}

fn lock() -> Vec<FieldSpec> {
    vec![
        needed(topic("command_topic")),
        topic("state_topic"),
        payload("payload_lock", "LOCK"),
        payload("payload_unlock", "UNLOCK"),
        payload("state_locked", "LOCKED"),
        payload("state_unlocked", "UNLOCKED"),
        payload("state_locking", "LOCKING"),
        payload("state_unlocking", "UNLOCKING"),
        payload("state_jammed", "JAMMED"),
        template("value_template"),
        template("command_template"),
        field("optimistic", Group::More, Input::Flag),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{ENGLISH, GERMAN};
    use iothome_engine::config::is_known_key;

    #[test]
    fn every_field_is_known_to_its_kind_and_has_a_label_in_every_language() {
        for kind in Kind::ALL {
            let mut keys = Vec::new();
            for field in fields(kind) {
                assert!(is_known_key(kind, field.key), "{kind} {}", field.key);
                assert!(!keys.contains(&field.key), "{kind} {} twice", field.key);
                keys.push(field.key);
                for t in [&ENGLISH, &GERMAN] {
                    let label = (t.add_device.label)(field.key);
                    assert!(!label.is_empty(), "{} has no {} label", field.key, t.lang);
                    if let Input::Choice(words) = field.input {
                        for word in words {
                            let said = (t.add_device.choice)(field.key, word);
                            assert!(!said.is_empty(), "{} {word}", field.key);
                        }
                    }
                }
            }
        }
    }
}
