//! What a message means to an entity.
//!
//! Owner of the reading direction. A payload that means nothing is an error, never
//! a state.

use super::{
    BLOCKED, BRIGHTNESS, Context, EXHAUSTED_MAX, Known, PAYLOAD_MAX, POSITION, excerpt, parse_json,
};
use crate::config::{
    BinarySensorConfig, CoverConfig, Detail, Encoding, EntityConfig, LightConfig, LightSchema,
    LockConfig, NumberConfig, SelectConfig, SensorConfig, SwitchConfig,
};
use crate::template::TemplateError;
use crate::value::{Value, WORD_MAX, json_number};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Home Assistant's word for "the device does not know".
const NONE: &str = "None";

/// Most attributes kept of one message.
const ATTRIBUTES_MAX: usize = 64;

/// One thing that a message said about an entity.
#[derive(Clone, Debug, PartialEq)]
pub enum Reported {
    /// Its state; `None` when the device does not know.
    State(Option<Value>),
    /// A fact of its kind: `brightness` or `position`, in whole per cent.
    Attribute(String, Json),
    /// The device's own facts; they are added to the ones before, each in place of its
    /// namesake.
    Attributes(BTreeMap<String, Json>),
    /// Whether the availability topic with that index says that it can be reached.
    Available {
        /// Index into the configuration's availability topics.
        index: usize,
        /// Whether it can.
        available: bool,
    },
    /// The device refuses what was asked, in its own words.
    Refused(String),
}

/// A message that means nothing to the entity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{topic}: {problem}")]
pub struct DecodeError {
    /// Its topic.
    pub topic: String,
    /// What is wrong, in a short sentence.
    pub problem: String,
}

type Parts = Vec<Reported>;

/// What a message means to an entity; nothing, if the topic is none of its.
///
/// One message may mean several things. If some of it can be read the rest is let go.
pub fn decode(
    config: &EntityConfig,
    ctx: &Context<'_>,
    known: &Known<'_>,
    topic: &str,
    payload: &[u8],
) -> Result<Vec<Reported>, DecodeError> {
    let fail = |problem: String| DecodeError {
        topic: topic.to_owned(),
        problem,
    };
    if !config.hears(topic) {
        return Ok(Vec::new());
    }
    if payload.len() > PAYLOAD_MAX {
        return Err(fail(format!(
            "the payload is longer than {PAYLOAD_MAX} bytes"
        )));
    }
    let text = match config.encoding {
        Encoding::Utf8 => Cow::Borrowed(
            std::str::from_utf8(payload)
                .map_err(|_| fail("the payload is not UTF-8".to_owned()))?,
        ),
        Encoding::Latin1 => payload
            .iter()
            .copied()
            .map(char::from)
            .collect::<String>()
            .into(),
    };
    let message = Message {
        config,
        ctx,
        known,
        topic,
        text: &text,
    };
    let mut parts = Vec::new();
    let problem = message.read_all(&mut parts);
    match problem {
        Some(problem) if parts.is_empty() => Err(fail(problem)),
        _ => Ok(parts),
    }
}

struct Message<'a> {
    config: &'a EntityConfig,
    ctx: &'a Context<'a>,
    known: &'a Known<'a>,
    topic: &'a str,
    text: &'a str,
}

impl<'a> Message<'a> {
    fn is_on(&self, topic: Option<&String>) -> bool {
        topic.is_some_and(|t| *t == self.topic)
    }

    /// Reads every role that the topic has; gives the first problem.
    fn read_all(&self, parts: &mut Parts) -> Option<String> {
        let config = self.config;
        let mut problem = None;
        let mut note = |outcome: Result<(), String>| {
            if let Err(text) = outcome {
                problem.get_or_insert(text);
            }
        };
        for (index, entry) in config.availability.topics.iter().enumerate() {
            if entry.topic == self.topic {
                note(self.availability(index, parts));
            }
        }
        if self.is_on(config.attributes_topic.as_ref()) {
            note(self.attributes(parts));
        }
        // A cover's position goes first: its state may depend on it.
        note(self.special(parts));
        if self.is_on(config.state_topic.as_ref()) {
            note(self.state(parts));
        }
        if self.is_on(config.refusal_topic.as_ref()) {
            note(self.refusal(parts));
        }
        problem
    }

    fn render(&self, template: Option<&String>) -> Result<Cow<'a, str>, String> {
        let Some(source) = template else {
            return Ok(Cow::Borrowed(self.text));
        };
        let ctx = self.ctx;
        let exhausted = ctx.exhausted.get();
        if exhausted >= EXHAUSTED_MAX {
            return Err("other templates took all the time there is for this message".to_owned());
        }
        ctx.templates
            .value(source, self.text, ctx.vars, ctx.now, ctx.zone)
            .map(Cow::Owned)
            .map_err(|error| {
                if error == TemplateError::TooMuchWork {
                    ctx.exhausted.set(exhausted + 1);
                }
                error.to_string()
            })
    }

    fn availability(&self, index: usize, parts: &mut Parts) -> Result<(), String> {
        let entry = &self.config.availability.topics[index];
        let text = self.render(entry.template.as_ref())?;
        // Anything else says nothing about it: such topics often carry more than this.
        if *text == *entry.payload_available {
            parts.push(Reported::Available {
                index,
                available: true,
            });
        } else if *text == *entry.payload_not_available {
            parts.push(Reported::Available {
                index,
                available: false,
            });
        }
        Ok(())
    }

    fn attributes(&self, parts: &mut Parts) -> Result<(), String> {
        let text = self.render(self.config.attributes_template.as_ref())?;
        if text.trim().is_empty() {
            return Ok(());
        }
        let Json::Object(map) = parse_json(&text)? else {
            return Err("the attributes are no JSON object".to_owned());
        };
        let allowed = map
            .into_iter()
            .filter(|(key, _)| !BLOCKED.contains(&key.as_str()))
            .take(ATTRIBUTES_MAX)
            .collect();
        parts.push(Reported::Attributes(allowed));
        Ok(())
    }

    fn refusal(&self, parts: &mut Parts) -> Result<(), String> {
        let text = self.render(self.config.refusal_template.as_ref())?;
        let words = text.trim();
        if !words.is_empty() && words != NONE {
            parts.push(Reported::Refused(words.chars().take(200).collect()));
        }
        Ok(())
    }

    /// Topics that only lights and covers have.
    fn special(&self, parts: &mut Parts) -> Result<(), String> {
        match &self.config.detail {
            Detail::Light(light) => match &light.schema {
                LightSchema::Basic {
                    brightness_state_topic,
                    brightness_template,
                    ..
                } if self.is_on(brightness_state_topic.as_ref()) => {
                    let text = self.render(brightness_template.as_ref())?;
                    brightness(light, &text, parts)
                }
                _ => Ok(()),
            },
            Detail::Cover(cover) if self.is_on(cover.position_topic.as_ref()) => {
                self.position(cover, parts)
            }
            _ => Ok(()),
        }
    }

    fn state(&self, parts: &mut Parts) -> Result<(), String> {
        if let Detail::Light(light) = &self.config.detail {
            return self.light(light, parts);
        }
        let text = self.render(self.config.state_template.as_ref())?;
        let state = match &self.config.detail {
            Detail::Switch(c) => switch(c, &text)?,
            Detail::BinarySensor(c) => binary_sensor(c, &text)?,
            Detail::Sensor(c) => sensor(c, &text)?,
            Detail::Number(c) => number(c, &text)?,
            Detail::Select(c) => select(c, &text)?,
            Detail::Lock(c) => lock(c, &text)?,
            Detail::Cover(c) => self.cover_state(c, &text, parts)?,
            Detail::Button(_) | Detail::Light(_) => None,
        };
        parts.extend(state.map(Reported::State));
        Ok(())
    }

    fn light(&self, light: &LightConfig, parts: &mut Parts) -> Result<(), String> {
        match &light.schema {
            LightSchema::Basic {
                payload_on,
                payload_off,
                ..
            } => {
                let text = self.render(self.config.state_template.as_ref())?;
                parts.extend(on_off(&text, payload_on, payload_off)?.map(Reported::State));
                Ok(())
            }
            LightSchema::Json => json_light(light, self.text, parts),
            LightSchema::Template {
                brightness_template,
                ..
            } => {
                if brightness_template.is_some() {
                    let text = self.render(brightness_template.as_ref())?;
                    brightness(light, &text, parts)?;
                }
                let text = self.render(self.config.state_template.as_ref())?;
                parts.extend(on_off(&text, "on", "off")?.map(Reported::State));
                Ok(())
            }
        }
    }

    fn position(&self, cover: &CoverConfig, parts: &mut Parts) -> Result<(), String> {
        let text = self.render(cover.position_template.as_ref())?;
        let text = text.trim();
        if text.is_empty() || text == NONE {
            return Ok(());
        }
        let raw =
            position_number(text).ok_or_else(|| format!("{:?} is no position", excerpt(text)))?;
        let share = (raw - cover.position_closed) / (cover.position_open - cover.position_closed);
        let percent = (share * 100.0).round().clamp(0.0, 100.0);
        parts.push(Reported::Attribute(
            POSITION.to_owned(),
            json_number(percent),
        ));
        if self.config.state_topic.is_none() {
            let word = if percent == 0.0 { "closed" } else { "open" };
            parts.push(Reported::State(Some(Value::word(word))));
        }
        Ok(())
    }

    #[expect(
        clippy::option_option,
        reason = "nothing said, or said that it is unknown"
    )]
    fn cover_state(
        &self,
        cover: &CoverConfig,
        text: &str,
        parts: &Parts,
    ) -> Result<Option<Option<Value>>, String> {
        let words = [
            (&cover.state_open, "open"),
            (&cover.state_opening, "opening"),
            (&cover.state_closed, "closed"),
            (&cover.state_closing, "closing"),
            (&cover.state_stopped, "stopped"),
        ];
        let Some(word) = word_for(text, words.into_iter().map(|(w, s)| (w.as_str(), s)))? else {
            return Ok(None);
        };
        if word.as_deref() != Some("stopped") {
            return Ok(Some(word.map(Value::word)));
        }
        // Many covers say "stopped" at both ends; with a position we know better.
        let new = parts.iter().find_map(|part| match part {
            Reported::Attribute(name, value) if name == POSITION => value.as_f64(),
            _ => None,
        });
        let word = match new.or_else(|| self.known.number(POSITION)) {
            Some(p) if p <= 0.0 => "closed",
            Some(p) if p >= 100.0 => "open",
            _ => "stopped",
        };
        Ok(Some(Some(Value::word(word))))
    }
}

/// A plain number, or the `position` of a JSON object.
fn position_number(text: &str) -> Option<f64> {
    let plain = text.parse::<f64>().ok();
    let number = plain.or_else(|| match parse_json(text).ok()?.get("position")? {
        Json::Number(n) => n.as_f64(),
        Json::String(s) => s.trim().parse().ok(),
        _ => None,
    });
    number.filter(|n| n.is_finite())
}

type Said = Result<Option<Option<Value>>, String>;

/// The household's word for a device's; nothing for an empty text, unknown for `None`.
#[expect(
    clippy::option_option,
    reason = "nothing said, or said that it is unknown"
)]
fn word_for<'w>(
    text: &str,
    mut words: impl Iterator<Item = (&'w str, &'static str)>,
) -> Result<Option<Option<Cow<'static, str>>>, String> {
    if let Some((_, word)) = words.find(|(device, _)| *device == text) {
        return Ok(Some(Some(Cow::Borrowed(word))));
    }
    match text {
        NONE => Ok(Some(None)),
        _ if text.trim().is_empty() => Ok(None),
        _ => Err(format!(
            "{:?} is none of the payloads it knows",
            excerpt(text)
        )),
    }
}

fn on_off(text: &str, on: &str, off: &str) -> Said {
    let word = word_for(text, [(on, "on"), (off, "off")].into_iter())?;
    Ok(word.map(|w| w.map(Value::word)))
}

fn switch(config: &SwitchConfig, text: &str) -> Said {
    on_off(text, &config.state_on, &config.state_off)
}

fn binary_sensor(config: &BinarySensorConfig, text: &str) -> Said {
    on_off(text, &config.payload_on, &config.payload_off)
}

fn lock(config: &LockConfig, text: &str) -> Said {
    if text == config.payload_reset {
        return Ok(Some(None));
    }
    let words = config
        .states
        .iter()
        .map(|(device, word)| (device.as_str(), *word));
    Ok(word_for(text, words)?.map(|w| w.map(Value::word)))
}

fn sensor(config: &SensorConfig, text: &str) -> Said {
    if config.numeric {
        return finite(text);
    }
    if text == NONE {
        return Ok(Some(None));
    }
    if !config.options.is_empty() && !config.options.iter().any(|o| o == text) {
        if text.is_empty() {
            return Ok(None);
        }
        return Err(format!("{:?} is none of its options", excerpt(text)));
    }
    if text.len() > WORD_MAX {
        return Err(format!("the state is longer than {WORD_MAX} bytes"));
    }
    Ok(Some(Some(Value::word(text))))
}

fn number(config: &NumberConfig, text: &str) -> Said {
    if text == config.payload_reset {
        return Ok(Some(None));
    }
    finite(text)
}

fn select(config: &SelectConfig, text: &str) -> Said {
    if config.options.iter().any(|o| o == text) {
        return Ok(Some(Some(Value::word(text))));
    }
    match text {
        NONE => Ok(Some(None)),
        _ if text.trim().is_empty() => Ok(None),
        _ => Err(format!("{:?} is none of its options", excerpt(text))),
    }
}

fn finite(text: &str) -> Said {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text == NONE {
        return Ok(Some(None));
    }
    let value = text.parse().ok().and_then(Value::number);
    match value {
        Some(value) => Ok(Some(Some(value))),
        None => Err(format!("{:?} is no finite number", excerpt(text))),
    }
}

/// Wire brightness to whole per cent; what shines at all is at least 1 %.
pub(super) fn brightness_percent(wire: f64, scale: f64) -> f64 {
    let percent = (wire / scale * 100.0).round().clamp(0.0, 100.0);
    if wire > 0.0 {
        percent.max(1.0)
    } else {
        percent
    }
}

fn brightness(light: &LightConfig, text: &str, parts: &mut Parts) -> Result<(), String> {
    if let Some(Some(Value::Number(wire))) = finite(text)? {
        let percent = brightness_percent(wire.get(), light.brightness_scale);
        parts.push(Reported::Attribute(
            BRIGHTNESS.to_owned(),
            json_number(percent),
        ));
    }
    Ok(())
}

fn json_light(light: &LightConfig, text: &str, parts: &mut Parts) -> Result<(), String> {
    let Json::Object(map) = parse_json(text)? else {
        return Err("the light's state is no JSON object".to_owned());
    };
    if light.brightness
        && let Some(wire) = map.get("brightness").and_then(Json::as_f64)
    {
        let percent = brightness_percent(wire, light.brightness_scale);
        parts.push(Reported::Attribute(
            BRIGHTNESS.to_owned(),
            json_number(percent),
        ));
    }
    match map.get("state") {
        Some(Json::String(word)) => parts.extend(on_off(word, "ON", "OFF")?.map(Reported::State)),
        Some(Json::Null) => parts.push(Reported::State(None)),
        Some(_) => return Err("the light's `state` is no text".to_owned()),
        None => {}
    }
    Ok(())
}
