//! What only one kind has: its topics, payloads, words and limits.
//!
//! Owner of the per-kind part of a configuration. It must never fill in what the
//! device did not say, except Home Assistant's own defaults.

use super::ConfigError;
use super::read::Reader;
use crate::kind::Kind;

/// What only this kind has.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// On or off.
    Switch(SwitchConfig),
    /// On or off, perhaps with brightness.
    Light(LightConfig),
    /// A value that is read.
    Sensor(SensorConfig),
    /// Something that is so or is not.
    BinarySensor(BinarySensorConfig),
    /// A number that can be set.
    Number(NumberConfig),
    /// One of several options.
    Select(SelectConfig),
    /// Something to press.
    Button(ButtonConfig),
    /// A blind, shutter or garage door.
    Cover(CoverConfig),
    /// A lock.
    Lock(LockConfig),
}

/// A switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchConfig {
    /// Where commands go.
    pub command_topic: String,
    /// Applied to the payload before it is sent.
    pub command_template: Option<String>,
    /// Sent to switch on.
    pub payload_on: String,
    /// Sent to switch off.
    pub payload_off: String,
    /// Reported when it is on.
    pub state_on: String,
    /// Reported when it is off.
    pub state_off: String,
}

/// How a light's messages look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LightSchema {
    /// A topic for each thing.
    Basic {
        /// Sent to switch on.
        payload_on: String,
        /// Sent to switch off.
        payload_off: String,
        /// How it is switched on.
        on_command: OnCommand,
        /// Where brightness goes.
        brightness_command_topic: Option<String>,
        /// Applied to the brightness before it is sent.
        brightness_command_template: Option<String>,
        /// Where brightness is reported.
        brightness_state_topic: Option<String>,
        /// Applied to that report first.
        brightness_template: Option<String>,
    },
    /// One JSON object.
    Json,
    /// Templates make and read the messages.
    Template {
        /// Makes the message that switches on.
        command_on_template: String,
        /// Makes the message that switches off.
        command_off_template: String,
        /// Reads the brightness from a report.
        brightness_template: Option<String>,
    },
}

/// How a basic light is switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCommand {
    /// By its payload on the command topic.
    Payload,
    /// By a brightness, on the brightness topic.
    Brightness,
}

/// A light.
#[derive(Clone, Debug, PartialEq)]
pub struct LightConfig {
    /// Where commands go.
    pub command_topic: String,
    /// How messages look.
    pub schema: LightSchema,
    /// Whether its brightness can be set.
    pub brightness: bool,
    /// What full brightness is on the wire.
    pub brightness_scale: f64,
}

/// A sensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorConfig {
    /// Whether its state is a number.
    pub numeric: bool,
    /// The words it may report, if they are enumerated.
    pub options: Vec<String>,
    /// Decimals that are worth showing.
    pub precision: Option<u8>,
    /// Whether an equal report is news.
    pub force_update: bool,
}

/// A binary sensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinarySensorConfig {
    /// Reported when it is so.
    pub payload_on: String,
    /// Reported when it is not.
    pub payload_off: String,
    /// Whether an equal report is news.
    pub force_update: bool,
}

/// A number that can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberConfig {
    /// Where commands go.
    pub command_topic: String,
    /// Applied to the number before it is sent.
    pub command_template: Option<String>,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Step between values.
    pub step: f64,
    /// Reported when the value is unknown.
    pub payload_reset: String,
}

/// One of several options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectConfig {
    /// Where commands go.
    pub command_topic: String,
    /// Applied to the option before it is sent.
    pub command_template: Option<String>,
    /// The options.
    pub options: Vec<String>,
}

/// Something to press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ButtonConfig {
    /// Where commands go.
    pub command_topic: String,
    /// Applied to the payload before it is sent.
    pub command_template: Option<String>,
    /// Sent to press it.
    pub payload_press: String,
}

/// A blind, shutter or garage door.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverConfig {
    /// Where `open`, `close` and `stop` go.
    pub command_topic: Option<String>,
    /// Sent to open it; `None` if it cannot.
    pub payload_open: Option<String>,
    /// Sent to close it; `None` if it cannot.
    pub payload_close: Option<String>,
    /// Sent to stop it; `None` if it cannot.
    pub payload_stop: Option<String>,
    /// Reported when it is open.
    pub state_open: String,
    /// Reported while it opens.
    pub state_opening: String,
    /// Reported when it is closed.
    pub state_closed: String,
    /// Reported while it closes.
    pub state_closing: String,
    /// Reported when it has stopped.
    pub state_stopped: String,
    /// Where its position is reported.
    pub position_topic: Option<String>,
    /// Applied to that report first.
    pub position_template: Option<String>,
    /// The position on the wire when it is open.
    pub position_open: f64,
    /// The position on the wire when it is closed.
    pub position_closed: f64,
    /// Where a position is asked.
    pub set_position_topic: Option<String>,
    /// Applied to the position before it is sent.
    pub set_position_template: Option<String>,
}

impl CoverConfig {
    fn can(&self, payload: Option<&String>) -> bool {
        self.command_topic.is_some() && payload.is_some()
    }

    /// Whether it can be opened: by a word, or by a position.
    pub fn can_open(&self) -> bool {
        self.can(self.payload_open.as_ref()) || self.set_position_topic.is_some()
    }

    /// Whether it can be closed: by a word, or by a position.
    pub fn can_close(&self) -> bool {
        self.can(self.payload_close.as_ref()) || self.set_position_topic.is_some()
    }

    /// Whether it can be stopped.
    pub fn can_stop(&self) -> bool {
        self.can(self.payload_stop.as_ref())
    }

    /// Whether it has a position at all.
    pub const fn has_position(&self) -> bool {
        self.position_topic.is_some() || self.set_position_topic.is_some()
    }
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockConfig {
    /// Where commands go.
    pub command_topic: String,
    /// Applied to the payload before it is sent.
    pub command_template: Option<String>,
    /// Sent to lock.
    pub payload_lock: String,
    /// Sent to unlock.
    pub payload_unlock: String,
    /// Reported when the state is unknown.
    pub payload_reset: String,
    /// What it reports, with the household's word for each.
    pub states: Vec<(String, &'static str)>,
}

impl Detail {
    /// Topics that only this kind reads.
    pub(super) fn read_topics(&self) -> impl Iterator<Item = &str> {
        let topic = match self {
            Self::Light(LightConfig {
                schema:
                    LightSchema::Basic {
                        brightness_state_topic,
                        ..
                    },
                ..
            }) => brightness_state_topic.as_deref(),
            Self::Cover(cover) => cover.position_topic.as_deref(),
            _ => None,
        };
        topic.into_iter()
    }

    /// Topics that commands go to.
    pub(super) fn write_topics(&self) -> Vec<&str> {
        match self {
            Self::Sensor(_) | Self::BinarySensor(_) => vec![],
            Self::Switch(c) => vec![&c.command_topic],
            Self::Number(c) => vec![&c.command_topic],
            Self::Select(c) => vec![&c.command_topic],
            Self::Button(c) => vec![&c.command_topic],
            Self::Lock(c) => vec![&c.command_topic],
            Self::Cover(c) => [&c.command_topic, &c.set_position_topic]
                .into_iter()
                .filter_map(|t| t.as_deref())
                .collect(),
            Self::Light(c) => {
                let mut topics: Vec<&str> = vec![&c.command_topic];
                if let LightSchema::Basic {
                    brightness_command_topic: Some(topic),
                    ..
                } = &c.schema
                {
                    topics.push(topic);
                }
                topics
            }
        }
    }

    pub(super) const fn reports_position(&self) -> bool {
        matches!(
            self,
            Self::Cover(CoverConfig {
                position_topic: Some(_),
                ..
            })
        )
    }
}

/// Reads the part of a configuration that only this kind has.
pub(super) fn parse(kind: Kind, r: &Reader<'_>) -> Result<Detail, ConfigError> {
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
        position_open: r.number("position_open")?.unwrap_or(100.0),
        position_closed: r.number("position_closed")?.unwrap_or(0.0),
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
