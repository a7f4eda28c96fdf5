//! The stored configuration of an entity, in Home Assistant's discovery words, and
//! the typed form that everything else works with.
//!
//! Owner of what an entity can be told to be. A value of [`EntityConfig`] cannot be
//! wrong: topics are topics, templates compile, numbers are finite. It must never
//! hold state.

mod detail;
mod keys;
mod parse;
mod read;
#[cfg(test)]
mod tests;

pub use detail::{
    BinarySensorConfig, ButtonConfig, CoverConfig, Detail, LightConfig, LightSchema, LockConfig,
    NumberConfig, OnCommand, SelectConfig, SensorConfig, SwitchConfig,
};
pub use keys::{SHARED_KEYS, is_known_key, unknown_keys};

use crate::kind::{Action, Kind};
use crate::template::Templates;
use crate::view::{Category, Range};
use read::Reader;
use sha2::{Digest, Sha256};

/// A JSON object: abbreviations expanded, `~` resolved, only keys that the kind knows.
pub type Raw = serde_json::Map<String, serde_json::Value>;

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {problem}")]
pub struct ConfigError {
    /// The key it is about.
    pub field: String,
    /// What is wrong, in a few words.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

/// How bytes on the wire become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8; a payload that is none is refused.
    Utf8,
    /// Each byte is one character. Also stands for "no encoding", where a template
    /// picks bytes apart.
    Latin1,
}

/// How several availability topics become one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AvailabilityMode {
    /// Every topic must say available.
    All,
    /// One topic is enough.
    Any,
    /// The newest message decides.
    Latest,
}

/// One topic that tells whether the entity can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvailabilityTopic {
    /// The topic.
    pub topic: String,
    /// What it says when it can.
    pub payload_available: String,
    /// What it says when it cannot.
    pub payload_not_available: String,
    /// Applied to the payload first.
    pub template: Option<String>,
}

/// How the entity tells whether it can be reached; no topic means that nobody tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvailabilityConfig {
    /// How several topics count.
    pub mode: AvailabilityMode,
    /// The topics.
    pub topics: Vec<AvailabilityTopic>,
}

/// How long a command may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From acceptance to the confirmation, or to the first sign of movement.
    pub first_ms: i64,
    /// From the first sign of movement to the confirmation; later signs give no more time.
    pub moving_ms: i64,
}

/// The typed configuration of an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityConfig {
    /// What sort of thing it is.
    pub kind: Kind,
    /// The stored form, with only the keys that the kind knows.
    pub raw: Raw,
    /// Its name, if it has one apart from the device's.
    pub name: Option<String>,
    /// `unique_id`.
    pub unique_id: Option<String>,
    /// What the device suggests as the entity's id (`default_entity_id`, older `object_id`).
    pub suggested_id: Option<String>,
    /// Setting or diagnostic.
    pub category: Option<Category>,
    /// `device_class`.
    pub device_class: Option<String>,
    /// Unit of measurement.
    pub unit: Option<String>,
    /// `state_class`.
    pub state_class: Option<String>,
    /// `icon`, such as `mdi:lamp`.
    pub icon: Option<String>,
    /// QoS of the subscriptions; commands always go at QoS 1.
    pub qos: u8,
    /// Whether a command counts as done when the broker has it.
    pub optimistic: bool,
    /// How bytes become text.
    pub encoding: Encoding,
    /// After how long without a report the state is no longer believed.
    pub expire_after_ms: Option<i64>,
    /// After how long a binary sensor that reported on is off again.
    pub off_delay_ms: Option<i64>,
    /// How it tells whether it can be reached.
    pub availability: AvailabilityConfig,
    /// Where its state is reported.
    pub state_topic: Option<String>,
    /// Applied to the state's payload first.
    pub state_template: Option<String>,
    /// Where further facts are reported as a JSON object.
    pub attributes_topic: Option<String>,
    /// Applied to that payload first.
    pub attributes_template: Option<String>,
    /// Where the device says why it refuses a command. Our own word: Home Assistant has
    /// none for this and drops the key.
    pub refusal_topic: Option<String>,
    /// Applied to that payload first; an empty result is no refusal.
    pub refusal_template: Option<String>,
    /// What only this kind has.
    pub detail: Detail,
}

impl EntityConfig {
    /// Checks a configuration and makes it typed; keys that the kind does not know are dropped.
    pub fn parse(kind: Kind, raw: &Raw, templates: &Templates) -> Result<Self, ConfigError> {
        let raw = keys::canonical(kind, raw);
        let r = Reader::new(&raw, templates);
        let detail = parse::detail(kind, &r)?;
        let state_template = parse::state_template(kind, &r)?;
        Ok(Self {
            kind,
            name: r.text("name")?,
            unique_id: r.text("unique_id")?,
            suggested_id: suggested_id(&r)?,
            category: r.category()?,
            device_class: r.text("device_class")?,
            unit: r.text("unit_of_measurement")?,
            state_class: r.text("state_class")?,
            icon: r.text("icon")?,
            qos: r.qos()?,
            optimistic: r.flag("optimistic", false)?,
            encoding: r.encoding()?,
            expire_after_ms: r.seconds_as_ms("expire_after")?,
            off_delay_ms: r.seconds_as_ms("off_delay")?,
            availability: r.availability()?,
            state_topic: r.topic("state_topic")?,
            state_template,
            attributes_topic: r.topic("json_attributes_topic")?,
            attributes_template: r.template("json_attributes_template")?,
            refusal_topic: r.topic("refusal_topic")?,
            refusal_template: r.template("refusal_template")?,
            detail,
            raw,
        })
    }

    /// SHA-256 of the canonical JSON, in lower-case hex: equal configurations hash alike.
    pub fn hash(raw: &Raw) -> String {
        let mut text = String::new();
        write_canonical(&mut text, &serde_json::Value::Object(raw.clone()));
        data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
    }

    /// The actions it takes.
    pub fn actions(&self) -> Vec<Action> {
        use Action::{Close, Lock, Open, Press, Set, Stop, Toggle, TurnOff, TurnOn, Unlock};
        match &self.detail {
            Detail::Switch(_) => vec![TurnOn, TurnOff, Toggle],
            Detail::Light(light) if light.brightness => vec![TurnOn, TurnOff, Toggle, Set],
            Detail::Light(_) => vec![TurnOn, TurnOff, Toggle],
            Detail::Sensor(_) | Detail::BinarySensor(_) => vec![],
            Detail::Number(_) | Detail::Select(_) => vec![Set],
            Detail::Button(_) => vec![Press],
            Detail::Lock(_) => vec![Lock, Unlock],
            Detail::Cover(cover) => [
                (Open, cover.can_open()),
                (Close, cover.can_close()),
                (Stop, cover.can_stop()),
                (Set, cover.set_position_topic.is_some()),
            ]
            .into_iter()
            .filter_map(|(action, can)| can.then_some(action))
            .collect(),
        }
    }

    /// Limits of what `set` takes: a number; brightness or position in whole per cent.
    pub fn range(&self) -> Option<Range> {
        let per_cent = |min| Range {
            min,
            max: 100.0,
            step: 1.0,
        };
        match &self.detail {
            Detail::Number(number) => Some(Range {
                min: number.min,
                max: number.max,
                step: number.step,
            }),
            // Brightness 0 would be a lamp that is on and dark; off is `turn_off`.
            Detail::Light(light) if light.brightness => Some(per_cent(1.0)),
            Detail::Cover(cover) if cover.has_position() => Some(per_cent(0.0)),
            _ => None,
        }
    }

    /// The words a select takes or an enumerated sensor reports.
    pub fn options(&self) -> &[String] {
        match &self.detail {
            Detail::Select(select) => &select.options,
            Detail::Sensor(sensor) => &sensor.options,
            _ => &[],
        }
    }

    /// Topics that the hub subscribes to, each once.
    pub fn read_topics(&self) -> Vec<&str> {
        let mut topics: Vec<&str> = Vec::new();
        let own = [
            &self.state_topic,
            &self.attributes_topic,
            &self.refusal_topic,
        ]
        .into_iter()
        .filter_map(|t| t.as_deref());
        let availability = self.availability.topics.iter().map(|a| a.topic.as_str());
        for topic in own.chain(self.detail.read_topics()).chain(availability) {
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        topics
    }

    /// Whether a message on the topic can concern it.
    pub fn hears(&self, topic: &str) -> bool {
        let is = |t: &Option<String>| t.as_deref() == Some(topic);
        is(&self.state_topic)
            || is(&self.attributes_topic)
            || is(&self.refusal_topic)
            || self.detail.read_topics().any(|t| t == topic)
            || self.availability.topics.iter().any(|a| a.topic == topic)
    }

    /// Topics that the hub publishes commands to, each once.
    pub fn write_topics(&self) -> Vec<&str> {
        let mut topics = self.detail.write_topics();
        let mut seen = Vec::new();
        topics.retain(|topic| {
            let new = !seen.contains(topic);
            seen.push(topic);
            new
        });
        topics
    }

    /// Whether it reports what a command did; if not, commands end `delivered` and its
    /// state is assumed.
    pub fn has_state(&self) -> bool {
        !self.optimistic && (self.state_topic.is_some() || self.detail.reports_position())
    }

    /// Whether its state is a number.
    pub fn is_numeric(&self) -> bool {
        match &self.detail {
            Detail::Number(_) => true,
            Detail::Sensor(sensor) => sensor.numeric,
            _ => false,
        }
    }

    /// How long a command may take unless the entity is set otherwise.
    pub fn deadlines(&self) -> Deadlines {
        let (first_ms, moving_ms) = match self.kind {
            Kind::Lock => (15_000, 15_000),
            Kind::Cover => (5_000, 60_000),
            _ => (5_000, 5_000),
        };
        Deadlines {
            first_ms,
            moving_ms,
        }
    }
}

/// `default_entity_id` is `<kind>.<id>`; `object_id`, which it replaced, is the id alone.
fn suggested_id(r: &Reader<'_>) -> Result<Option<String>, ConfigError> {
    let full = r.text("default_entity_id")?;
    let id = full.map(|text| {
        text.split_once('.')
            .map_or(text.clone(), |(_, id)| id.to_owned())
    });
    Ok(match id {
        Some(id) => Some(id),
        None => r.text("object_id")?,
    })
}

/// JSON with sorted keys and no blanks, whatever order the map keeps.
fn write_canonical(out: &mut String, value: &serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for key in keys {
                out.push_str(&serde_json::Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(out, &map[key]);
                out.push(',');
            }
            out.push('}');
        }
        serde_json::Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(out, item);
                out.push(',');
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}
