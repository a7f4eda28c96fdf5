//! What only one kind has: its topics, payloads, words and limits.
//!
//! Owner of the per-kind shapes. A value of them was made by `parse`, so it cannot be wrong.

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
