//! What is published for a command.
//!
//! Owner of the writing direction: what may be asked and how it looks on the wire.
//! A command is never retained; that is not for a configuration to say.

use super::{BRIGHTNESS, Context, Known};
use crate::command::Refusal;
use crate::config::{CoverConfig, Detail, EntityConfig, LightConfig, LightSchema, OnCommand};
use crate::kind::{Action, Kind};
use crate::template::TemplateError;
use crate::value::json_number;
use crate::view::Range;
use serde_json::{Value as Json, json};

/// A message to be published at QoS 1, not retained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
}

/// Why a command has no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The command template failed.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The entity does not take this, as `check` would have said.
    #[error("the entity has no message for it")]
    NotTaken,
}

/// Whether the entity takes the action with that value.
pub fn check(config: &EntityConfig, action: Action, value: Option<&Json>) -> Result<(), Refusal> {
    let actions = config.actions();
    if !actions.contains(&action) {
        let allowed: Vec<&str> = actions.iter().map(|a| a.as_str()).collect();
        return Err(Refusal::WrongAction {
            action,
            kind: config.kind,
            allowed: if allowed.is_empty() {
                "nothing".to_owned()
            } else {
                allowed.join(", ")
            },
        });
    }
    match (action, value) {
        (Action::Set, Some(value)) => check_value(config, value),
        (Action::Set, None) => Err(Refusal::BadValue("set needs a value".to_owned())),
        (_, Some(value)) if !value.is_null() => {
            Err(Refusal::BadValue(format!("{action} takes no value")))
        }
        _ => Ok(()),
    }
}

fn check_value(config: &EntityConfig, value: &Json) -> Result<(), Refusal> {
    let takes = Takes {
        kind: config.kind,
        range: config.range(),
        unit: config.unit.as_deref(),
        options: config.options(),
    };
    takes.check(value)
}

/// What `set` takes of an entity, by what everybody sees of it.
#[derive(Clone, Copy, Debug)]
pub struct Takes<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its limits.
    pub range: Option<Range>,
    /// Its unit.
    pub unit: Option<&'a str>,
    /// Its options.
    pub options: &'a [String],
}

impl Takes<'_> {
    /// Whether it takes that value.
    ///
    /// # Errors
    /// `BadValue`, which says what it would take.
    pub fn check(&self, value: &Json) -> Result<(), Refusal> {
        let range = self.range;
        match self.kind {
            Kind::Number => within_steps(value.as_f64(), range, self.unit),
            Kind::Cover => within(value.as_f64(), range, "a position in per cent"),
            Kind::Light => light(value, range),
            _ => check_option(value.as_str(), self.options),
        }
    }
}

fn light(value: &Json, range: Option<Range>) -> Result<(), Refusal> {
    match value.as_object() {
        Some(map) if map.len() == 1 && map.contains_key(BRIGHTNESS) => {
            within(map[BRIGHTNESS].as_f64(), range, "a brightness in per cent")
        }
        _ => Err(Refusal::BadValue(
            "a light is set by an object such as {\"brightness\":40}".to_owned(),
        )),
    }
}

fn check_option(value: Option<&str>, options: &[String]) -> Result<(), Refusal> {
    if value.is_some_and(|v| options.iter().any(|o| o == v)) {
        return Ok(());
    }
    let mut list = options.join(", ");
    // An answer, not a dump: a long list of long options is cut.
    if list.chars().count() > 300 {
        list = list.chars().take(300).chain("…".chars()).collect();
    }
    Err(Refusal::BadValue(format!(
        "the value must be one of: {list}"
    )))
}

fn fits(number: Option<f64>, range: Range) -> bool {
    number.is_some_and(|n| n.is_finite() && n >= range.min && n <= range.max)
}

fn shown(number: f64) -> String {
    json_number(number).to_string()
}

const ANY: Range = Range {
    min: f64::MIN,
    max: f64::MAX,
    step: 1.0,
};

fn within_steps(
    number: Option<f64>,
    range: Option<Range>,
    unit: Option<&str>,
) -> Result<(), Refusal> {
    let range = range.unwrap_or(ANY);
    if fits(number, range) {
        return Ok(());
    }
    let unit: String = unit.map_or_else(String::new, |unit| format!(" {unit}"));
    Err(Refusal::BadValue(format!(
        "the value must be from {} to {}{unit} in steps of {}",
        shown(range.min),
        shown(range.max),
        shown(range.step),
    )))
}

fn within(number: Option<f64>, range: Option<Range>, what: &str) -> Result<(), Refusal> {
    let range = range.unwrap_or(ANY);
    if fits(number, range) && number.is_some_and(|n| n.fract() == 0.0) {
        return Ok(());
    }
    Err(Refusal::BadValue(format!(
        "{what} must be a whole number from {} to {}",
        shown(range.min),
        shown(range.max),
    )))
}

/// The message for a command that `check` let pass; `toggle` is resolved before.
pub fn encode(
    config: &EntityConfig,
    ctx: &Context<'_>,
    known: &Known<'_>,
    resolved: Action,
    value: Option<&Json>,
) -> Result<Publication, EncodeError> {
    let writer = Writer { ctx };
    match &config.detail {
        Detail::Switch(c) => {
            let payload = match resolved {
                Action::TurnOn => &c.payload_on,
                Action::TurnOff => &c.payload_off,
                _ => return Err(EncodeError::NotTaken),
            };
            writer.word(&c.command_topic, c.command_template.as_ref(), payload)
        }
        Detail::Lock(c) => {
            let payload = match resolved {
                Action::Lock => &c.payload_lock,
                Action::Unlock => &c.payload_unlock,
                _ => return Err(EncodeError::NotTaken),
            };
            writer.word(&c.command_topic, c.command_template.as_ref(), payload)
        }
        Detail::Button(c) if resolved == Action::Press => writer.word(
            &c.command_topic,
            c.command_template.as_ref(),
            &c.payload_press,
        ),
        Detail::Number(c) => {
            let number = value.and_then(Json::as_f64).ok_or(EncodeError::NotTaken)?;
            writer.value(
                &c.command_topic,
                c.command_template.as_ref(),
                &json_number(number),
                &[],
            )
        }
        Detail::Select(c) => {
            let option = value.and_then(Json::as_str).ok_or(EncodeError::NotTaken)?;
            writer.word(&c.command_topic, c.command_template.as_ref(), option)
        }
        Detail::Cover(c) => writer.cover(c, resolved, value),
        Detail::Light(c) => writer.light(c, known, resolved, value),
        Detail::Button(_) | Detail::Sensor(_) | Detail::BinarySensor(_) => {
            Err(EncodeError::NotTaken)
        }
    }
}

/// Per cent to wire brightness; what shines at all is at least 1.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a scale of 1 to some thousand"
)]
pub(super) fn wire_brightness(percent: f64, scale: f64) -> i64 {
    let wire = (percent / 100.0 * scale).round();
    if percent > 0.0 {
        wire.max(1.0) as i64
    } else {
        0
    }
}

fn asked_brightness(value: Option<&Json>) -> Option<f64> {
    value?.get(BRIGHTNESS)?.as_f64()
}

struct Writer<'a> {
    ctx: &'a Context<'a>,
}

impl Writer<'_> {
    fn word(
        &self,
        topic: &str,
        template: Option<&String>,
        word: &str,
    ) -> Result<Publication, EncodeError> {
        match template {
            None => Ok(publication(topic, word)),
            Some(_) => self.value(topic, template, &Json::from(word), &[]),
        }
    }

    fn value(
        &self,
        topic: &str,
        template: Option<&String>,
        value: &Json,
        extra: &[(&str, Json)],
    ) -> Result<Publication, EncodeError> {
        let Some(source) = template else {
            return Ok(match value {
                Json::String(word) => publication(topic, word),
                Json::Number(n) if n.is_f64() => publication(
                    topic,
                    &crate::template::float_text(n.as_f64().unwrap_or_default()),
                ),
                other => publication(topic, &other.to_string()),
            });
        };
        let ctx = self.ctx;
        let text = ctx
            .templates
            .command(source, value, extra, ctx.vars, ctx.now, ctx.zone)?;
        Ok(publication(topic, &text))
    }

    fn cover(
        &self,
        c: &CoverConfig,
        action: Action,
        value: Option<&Json>,
    ) -> Result<Publication, EncodeError> {
        let (payload, percent) = match action {
            Action::Open => (c.payload_open.as_ref(), Some(100.0)),
            Action::Close => (c.payload_close.as_ref(), Some(0.0)),
            Action::Stop => (c.payload_stop.as_ref(), None),
            Action::Set => (None, value.and_then(Json::as_f64)),
            _ => return Err(EncodeError::NotTaken),
        };
        if let (Some(payload), Some(topic)) = (payload, &c.command_topic) {
            return Ok(publication(topic, payload));
        }
        let (Some(percent), Some(topic)) = (percent, &c.set_position_topic) else {
            return Err(EncodeError::NotTaken);
        };
        let wire =
            (c.position_closed + percent / 100.0 * (c.position_open - c.position_closed)).round();
        let extra = [
            ("position", json_number(percent)),
            ("position_open", json_number(c.position_open)),
            ("position_closed", json_number(c.position_closed)),
        ];
        self.value(
            topic,
            c.set_position_template.as_ref(),
            &json_number(wire),
            &extra,
        )
    }

    fn light(
        &self,
        c: &LightConfig,
        known: &Known<'_>,
        action: Action,
        value: Option<&Json>,
    ) -> Result<Publication, EncodeError> {
        let wire = match action {
            Action::TurnOn | Action::TurnOff => None,
            Action::Set => {
                let percent = asked_brightness(value).ok_or(EncodeError::NotTaken)?;
                Some(wire_brightness(percent, c.brightness_scale))
            }
            _ => return Err(EncodeError::NotTaken),
        };
        let off = action == Action::TurnOff;
        match &c.schema {
            LightSchema::Json => {
                let mut message = json!({ "state": if off { "OFF" } else { "ON" } });
                if let Some(wire) = wire {
                    message[BRIGHTNESS] = wire.into();
                }
                Ok(publication(&c.command_topic, &message.to_string()))
            }
            LightSchema::Template {
                command_on_template,
                command_off_template,
                ..
            } => {
                let source = if off {
                    command_off_template
                } else {
                    command_on_template
                };
                let mut extra = vec![("state", Json::from(if off { "off" } else { "on" }))];
                extra.extend(wire.map(|wire| (BRIGHTNESS, Json::from(wire))));
                self.value(&c.command_topic, Some(source), &Json::Null, &extra)
            }
            LightSchema::Basic { .. } => self.basic_light(c, known, off, wire),
        }
    }

    fn basic_light(
        &self,
        c: &LightConfig,
        known: &Known<'_>,
        off: bool,
        wire: Option<i64>,
    ) -> Result<Publication, EncodeError> {
        let LightSchema::Basic {
            payload_on,
            payload_off,
            on_command,
            brightness_command_topic,
            brightness_command_template,
            ..
        } = &c.schema
        else {
            return Err(EncodeError::NotTaken);
        };
        if off {
            return Ok(publication(&c.command_topic, payload_off));
        }
        let wire = match (wire, on_command) {
            (None, OnCommand::Payload) => return Ok(publication(&c.command_topic, payload_on)),
            (Some(wire), _) => wire,
            // As bright as it last was; a lamp that never said so is switched on whole.
            (None, OnCommand::Brightness) => {
                let last = known
                    .number(BRIGHTNESS)
                    .filter(|p| *p > 0.0)
                    .unwrap_or(100.0);
                wire_brightness(last, c.brightness_scale)
            }
        };
        let topic = brightness_command_topic
            .as_ref()
            .ok_or(EncodeError::NotTaken)?;
        self.value(
            topic,
            brightness_command_template.as_ref(),
            &wire.into(),
            &[],
        )
    }
}

fn publication(topic: &str, payload: &str) -> Publication {
    Publication {
        topic: topic.to_owned(),
        payload: payload.as_bytes().to_vec(),
    }
}
