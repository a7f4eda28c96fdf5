//! Reading the part of a configuration that only one kind has.
//!
//! Owner of the per-kind checks. It must never fill in what the device did not say,
//! except Home Assistant's own defaults.

use super::ConfigError;
use super::detail::{
    BinarySensorConfig, ButtonConfig, CoverConfig, Detail, LightConfig, LightSchema, LockConfig,
    NumberConfig, OnCommand, SelectConfig, SensorConfig, SwitchConfig,
};
use super::read::Reader;
use crate::kind::Kind;

/// Reads the part of a configuration that only this kind has.
pub(super) fn detail(kind: Kind, r: &Reader<'_>) -> Result<Detail, ConfigError> {
    match kind {
        Kind::Switch => switch(r).map(Detail::Switch),
        Kind::Light => light(r).map(Detail::Light),
        Kind::Sensor => sensor(r).map(Detail::Sensor),
        Kind::BinarySensor => binary_sensor(r).map(Detail::BinarySensor),
        Kind::Number => number(r).map(Detail::Number),
        Kind::Select => select(r).map(Detail::Select),
        Kind::Button => button(r).map(Detail::Button),
        Kind::Cover => cover(r).map(Detail::Cover),
        Kind::Lock => lock(r).map(Detail::Lock),
    }
}

/// The template of the state: lights have their own names for it.
pub(super) fn state_template(kind: Kind, r: &Reader<'_>) -> Result<Option<String>, ConfigError> {
    if kind != Kind::Light {
        return r.template("value_template");
    }
    for key in ["state_value_template", "state_template", "value_template"] {
        if let Some(template) = r.template(key)? {
            return Ok(Some(template));
        }
    }
    Ok(None)
}

fn switch(r: &Reader<'_>) -> Result<SwitchConfig, ConfigError> {
    let payload_on = r.payload("payload_on", "ON")?;
    let payload_off = r.payload("payload_off", "OFF")?;
    Ok(SwitchConfig {
        command_topic: r.required_topic("command_topic")?,
        command_template: r.template("command_template")?,
        state_on: r.payload("state_on", &payload_on)?,
        state_off: r.payload("state_off", &payload_off)?,
        payload_on,
        payload_off,
    })
}

fn light(r: &Reader<'_>) -> Result<LightConfig, ConfigError> {
    let command_topic = r.required_topic("command_topic")?;
    let scale = r.number("brightness_scale")?.unwrap_or(255.0);
    if scale < 1.0 {
        return Err(ConfigError::new("brightness_scale", "must be at least 1"));
    }
    let (schema, brightness, scale) = match r.text("schema")?.as_deref() {
        None | Some("basic") => {
            let schema = basic_light(r)?;
            let dims = matches!(
                &schema,
                LightSchema::Basic {
                    brightness_command_topic: Some(_),
                    ..
                }
            );
            (schema, dims, scale)
        }
        Some("json") => (LightSchema::Json, json_light_dims(r)?, scale),
        // Home Assistant's template lights know only 0-255.
        Some("template") => {
            let schema = template_light(r)?;
            let dims = matches!(
                &schema,
                LightSchema::Template {
                    brightness_template: Some(_),
                    ..
                }
            );
            (schema, dims, 255.0)
        }
        Some(_) => {
            return Err(ConfigError::new(
                "schema",
                "must be basic, json or template",
            ));
        }
    };
    Ok(LightConfig {
        command_topic,
        schema,
        brightness,
        brightness_scale: scale,
    })
}

fn basic_light(r: &Reader<'_>) -> Result<LightSchema, ConfigError> {
    let brightness_command_topic = r.topic("brightness_command_topic")?;
    let on_command = match r.text("on_command_type")?.as_deref() {
        None | Some("last" | "first") => OnCommand::Payload,
        Some("brightness") if brightness_command_topic.is_some() => OnCommand::Brightness,
        Some("brightness") => {
            return Err(ConfigError::new(
                "on_command_type",
                "`brightness` needs a `brightness_command_topic`",
            ));
        }
        Some(_) => {
            return Err(ConfigError::new(
                "on_command_type",
                "must be first, last or brightness",
            ));
        }
    };
    Ok(LightSchema::Basic {
        payload_on: r.payload("payload_on", "ON")?,
        payload_off: r.payload("payload_off", "OFF")?,
        on_command,
        brightness_command_topic,
        brightness_command_template: r.template("brightness_command_template")?,
        brightness_state_topic: r.topic("brightness_state_topic")?,
        brightness_template: r.template("brightness_value_template")?,
    })
}

/// Every colour mode but plain on and off has a brightness.
fn json_light_dims(r: &Reader<'_>) -> Result<bool, ConfigError> {
    let modes = r.texts("supported_color_modes")?;
    let dims = modes
        .iter()
        .any(|mode| mode != "onoff" && mode != "unknown");
    Ok(dims || r.flag("brightness", false)?)
}

fn template_light(r: &Reader<'_>) -> Result<LightSchema, ConfigError> {
    let required = |key: &str| {
        r.template(key)?
            .ok_or_else(|| ConfigError::new(key, "is required for the template schema"))
    };
    Ok(LightSchema::Template {
        command_on_template: required("command_on_template")?,
        command_off_template: required("command_off_template")?,
        brightness_template: r.template("brightness_template")?,
    })
}

/// Device classes of sensors whose state is a number.
const NUMERIC_CLASSES: &[&str] = &[
    "absolute_humidity",
    "apparent_power",
    "aqi",
    "area",
    "atmospheric_pressure",
    "battery",
    "blood_glucose_concentration",
    "carbon_dioxide",
    "carbon_monoxide",
    "conductivity",
    "current",
    "data_rate",
    "data_size",
    "distance",
    "duration",
    "energy",
    "energy_distance",
    "energy_storage",
    "frequency",
    "gas",
    "humidity",
    "illuminance",
    "irradiance",
    "moisture",
    "monetary",
    "nitrogen_dioxide",
    "nitrogen_monoxide",
    "nitrous_oxide",
    "ozone",
    "ph",
    "pm1",
    "pm10",
    "pm25",
    "pm4",
    "power",
    "power_factor",
    "precipitation",
    "precipitation_intensity",
    "pressure",
    "reactive_energy",
    "reactive_power",
    "signal_strength",
    "sound_pressure",
    "speed",
    "sulphur_dioxide",
    "temperature",
    "temperature_delta",
    "volatile_organic_compounds",
    "volatile_organic_compounds_parts",
    "voltage",
    "volume",
    "volume_flow_rate",
    "volume_storage",
    "water",
    "weight",
    "wind_direction",
    "wind_speed",
];

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be 0 to 20"
)]
fn sensor(r: &Reader<'_>) -> Result<SensorConfig, ConfigError> {
    r.required_topic("state_topic")?;
    let class = r.text("device_class")?;
    let options = r.texts("options")?;
    let precision = r
        .number("suggested_display_precision")?
        .filter(|p| (0.0..=20.0).contains(p))
        .map(|p| p as u8);
    let worded =
        matches!(class.as_deref(), Some("date" | "timestamp" | "enum")) || !options.is_empty();
    let counted = r.text("unit_of_measurement")?.is_some()
        || r.text("state_class")?.is_some()
        || precision.is_some()
        || class
            .as_deref()
            .is_some_and(|c| NUMERIC_CLASSES.contains(&c));
    Ok(SensorConfig {
        numeric: counted && !worded,
        options,
        precision,
        force_update: r.flag("force_update", false)?,
    })
}

fn binary_sensor(r: &Reader<'_>) -> Result<BinarySensorConfig, ConfigError> {
    r.required_topic("state_topic")?;
    Ok(BinarySensorConfig {
        payload_on: r.payload("payload_on", "ON")?,
        payload_off: r.payload("payload_off", "OFF")?,
        force_update: r.flag("force_update", false)?,
    })
}

fn number(r: &Reader<'_>) -> Result<NumberConfig, ConfigError> {
    let config = NumberConfig {
        command_topic: r.required_topic("command_topic")?,
        command_template: r.template("command_template")?,
        min: r.number("min")?.unwrap_or(0.0),
        max: r.number("max")?.unwrap_or(100.0),
        step: r.number("step")?.unwrap_or(1.0),
        payload_reset: r.payload("payload_reset", "None")?,
    };
    if config.min >= config.max {
        return Err(ConfigError::new("max", "must be greater than `min`"));
    }
    if config.step <= 0.0 {
        return Err(ConfigError::new("step", "must be greater than 0"));
    }
    Ok(config)
}

fn select(r: &Reader<'_>) -> Result<SelectConfig, ConfigError> {
    let options = r.texts("options")?;
    if options.is_empty() {
        return Err(ConfigError::new("options", "needs at least one option"));
    }
    Ok(SelectConfig {
        command_topic: r.required_topic("command_topic")?,
        command_template: r.template("command_template")?,
        options,
    })
}

fn button(r: &Reader<'_>) -> Result<ButtonConfig, ConfigError> {
    Ok(ButtonConfig {
        command_topic: r.required_topic("command_topic")?,
        command_template: r.template("command_template")?,
        payload_press: r.payload("payload_press", "PRESS")?,
    })
}

fn cover(r: &Reader<'_>) -> Result<CoverConfig, ConfigError> {
    let config = CoverConfig {
        command_topic: r.topic("command_topic")?,
        payload_open: r.payload_or_off("payload_open", "OPEN")?,
        payload_close: r.payload_or_off("payload_close", "CLOSE")?,
        payload_stop: r.payload_or_off("payload_stop", "STOP")?,
        state_open: r.payload("state_open", "open")?,
        state_opening: r.payload("state_opening", "opening")?,
        state_closed: r.payload("state_closed", "closed")?,
        state_closing: r.payload("state_closing", "closing")?,
        state_stopped: r.payload("state_stopped", "stopped")?,
        position_topic: r.topic("position_topic")?,
        position_template: r.template("position_template")?,
        position_open: end_position(r, "position_open", 100.0)?,
        position_closed: end_position(r, "position_closed", 0.0)?,
        set_position_topic: r.topic("set_position_topic")?,
        set_position_template: r.template("set_position_template")?,
    };
    #[expect(
        clippy::float_cmp,
        reason = "equal as written is what would divide by zero"
    )]
    if config.position_open == config.position_closed {
        return Err(ConfigError::new(
            "position_open",
            "must differ from `position_closed`",
        ));
    }
    if r.topic("state_topic")?.is_none()
        && config.write_nothing()
        && config.position_topic.is_none()
    {
        return Err(ConfigError::new("command_topic", "is required"));
    }
    Ok(config)
}

/// An end of a cover's way on the wire; within a million, so that no share of it overflows.
fn end_position(r: &Reader<'_>, key: &str, default: f64) -> Result<f64, ConfigError> {
    match r.number(key)? {
        None => Ok(default),
        Some(n) if n.abs() <= 1e6 => Ok(n),
        Some(_) => Err(ConfigError::new(key, "must be within a million")),
    }
}

impl CoverConfig {
    const fn write_nothing(&self) -> bool {
        self.command_topic.is_none() && self.set_position_topic.is_none()
    }
}

fn lock(r: &Reader<'_>) -> Result<LockConfig, ConfigError> {
    let words: [(&str, &str, &'static str); 7] = [
        ("state_locked", "LOCKED", "locked"),
        ("state_locking", "LOCKING", "locking"),
        ("state_unlocked", "UNLOCKED", "unlocked"),
        ("state_unlocking", "UNLOCKING", "unlocking"),
        ("state_jammed", "JAMMED", "jammed"),
        // An open latch is not locked; the household has no further word for it.
        ("state_open", "OPEN", "unlocked"),
        ("state_opening", "OPENING", "unlocking"),
    ];
    let states = words
        .into_iter()
        .map(|(key, default, word)| Ok((r.payload(key, default)?, word)))
        .collect::<Result<_, ConfigError>>()?;
    Ok(LockConfig {
        command_topic: r.required_topic("command_topic")?,
        command_template: r.template("command_template")?,
        payload_lock: r.payload("payload_lock", "LOCK")?,
        payload_unlock: r.payload("payload_unlock", "UNLOCK")?,
        payload_reset: r.payload("payload_reset", "None")?,
        states,
    })
}
