//! Which keys each kind knows.
//!
//! Owner of the lists. A key that is not here is dropped on discovery, and refused
//! when a person types it.

use super::Raw;
use crate::kind::Kind;

/// Keys of every kind.
const COMMON: &[&str] = &[
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "default_entity_id",
    "enabled_by_default",
    "encoding",
    "entity_category",
    "entity_picture",
    "group",
    "icon",
    "json_attributes_template",
    "json_attributes_topic",
    "message_expiry_interval",
    "name",
    "object_id",
    "payload_available",
    "payload_not_available",
    "qos",
    "refusal_template",
    "refusal_topic",
    "unique_id",
    "visible_by_default",
];

/// Keys that a device bundle's root hands to each component which does not set them.
pub const SHARED_KEYS: &[&str] = &[
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "command_topic",
    "encoding",
    "message_expiry_interval",
    "payload_available",
    "payload_not_available",
    "qos",
    "state_topic",
];

const SWITCH: &[&str] = &[
    "command_template",
    "command_topic",
    "device_class",
    "optimistic",
    "payload_off",
    "payload_on",
    "retain",
    "state_off",
    "state_on",
    "state_topic",
    "value_template",
];

const LIGHT: &[&str] = &[
    "blue_template",
    "brightness",
    "brightness_command_template",
    "brightness_command_topic",
    "brightness_scale",
    "brightness_state_topic",
    "brightness_template",
    "brightness_value_template",
    "color_mode_state_topic",
    "color_mode_value_template",
    "color_temp_command_template",
    "color_temp_command_topic",
    "color_temp_kelvin",
    "color_temp_state_topic",
    "color_temp_template",
    "color_temp_value_template",
    "command_off_template",
    "command_on_template",
    "command_topic",
    "effect",
    "effect_command_template",
    "effect_command_topic",
    "effect_list",
    "effect_state_topic",
    "effect_template",
    "effect_value_template",
    "flash",
    "flash_time_long",
    "flash_time_short",
    "green_template",
    "hs_command_template",
    "hs_command_topic",
    "hs_state_topic",
    "hs_value_template",
    "max_kelvin",
    "max_mireds",
    "min_kelvin",
    "min_mireds",
    "on_command_type",
    "optimistic",
    "payload_off",
    "payload_on",
    "red_template",
    "retain",
    "rgb_command_template",
    "rgb_command_topic",
    "rgb_state_topic",
    "rgb_value_template",
    "rgbw_command_template",
    "rgbw_command_topic",
    "rgbw_state_topic",
    "rgbw_value_template",
    "rgbww_command_template",
    "rgbww_command_topic",
    "rgbww_state_topic",
    "rgbww_value_template",
    "schema",
    "state_template",
    "state_topic",
    "state_value_template",
    "supported_color_modes",
    "transition",
    "value_template",
    "white_command_topic",
    "white_scale",
    "xy_command_template",
    "xy_command_topic",
    "xy_state_topic",
    "xy_value_template",
];

const SENSOR: &[&str] = &[
    "device_class",
    "expire_after",
    "force_update",
    "last_reset_value_template",
    "options",
    "state_class",
    "state_topic",
    "suggested_display_precision",
    "unit_of_measurement",
    "value_template",
];

const BINARY_SENSOR: &[&str] = &[
    "device_class",
    "expire_after",
    "force_update",
    "off_delay",
    "payload_off",
    "payload_on",
    "state_topic",
    "value_template",
];

const NUMBER: &[&str] = &[
    "command_template",
    "command_topic",
    "device_class",
    "max",
    "min",
    "mode",
    "optimistic",
    "payload_reset",
    "retain",
    "state_topic",
    "step",
    "unit_of_measurement",
    "value_template",
];

const SELECT: &[&str] = &[
    "command_template",
    "command_topic",
    "optimistic",
    "options",
    "retain",
    "state_topic",
    "value_template",
];

const BUTTON: &[&str] = &[
    "command_template",
    "command_topic",
    "device_class",
    "payload_press",
    "retain",
];

const COVER: &[&str] = &[
    "command_topic",
    "device_class",
    "optimistic",
    "payload_close",
    "payload_open",
    "payload_stop",
    "payload_stop_tilt",
    "position_closed",
    "position_open",
    "position_template",
    "position_topic",
    "retain",
    "set_position_template",
    "set_position_topic",
    "state_closed",
    "state_closing",
    "state_open",
    "state_opening",
    "state_stopped",
    "state_topic",
    "tilt_closed_value",
    "tilt_command_template",
    "tilt_command_topic",
    "tilt_max",
    "tilt_min",
    "tilt_opened_value",
    "tilt_optimistic",
    "tilt_status_template",
    "tilt_status_topic",
    "value_template",
];

const LOCK: &[&str] = &[
    "code_format",
    "command_template",
    "command_topic",
    "optimistic",
    "payload_lock",
    "payload_open",
    "payload_reset",
    "payload_unlock",
    "retain",
    "state_jammed",
    "state_locked",
    "state_locking",
    "state_open",
    "state_opening",
    "state_topic",
    "state_unlocked",
    "state_unlocking",
    "value_template",
];

const fn own_keys(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Switch => SWITCH,
        Kind::Light => LIGHT,
        Kind::Sensor => SENSOR,
        Kind::BinarySensor => BINARY_SENSOR,
        Kind::Number => NUMBER,
        Kind::Select => SELECT,
        Kind::Button => BUTTON,
        Kind::Cover => COVER,
        Kind::Lock => LOCK,
    }
}

/// Whether an entity of that kind may have the key.
pub fn is_known_key(kind: Kind, key: &str) -> bool {
    COMMON.contains(&key) || own_keys(kind).contains(&key)
}

/// The keys that an entity of that kind cannot have: what a person mistyped.
pub fn unknown_keys(kind: Kind, raw: &Raw) -> Vec<String> {
    raw.keys()
        .filter(|key| !is_known_key(kind, key))
        .cloned()
        .collect()
}

/// The configuration with only the known keys.
pub(super) fn canonical(kind: Kind, raw: &Raw) -> Raw {
    raw.iter()
        .filter(|(key, _)| is_known_key(kind, key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
