//! Between payloads on topics and the household's words.
//!
//! Owner of the codec of every kind. Decoding takes what anybody may send and must
//! never panic, loop or keep more than a bounded amount of it.

mod confirm;
mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub use confirm::{Wanted, assumed, matches, moves, wanted};
pub use decode::{DecodeError, Reported, decode};
pub use encode::{EncodeError, Publication, Takes, check, encode};

use crate::template::{Templates, Vars};
use crate::time::Timestamp;
use crate::value::Value;
use std::cell::Cell;
use std::collections::BTreeMap;

/// Longest payload that can be a report, in bytes. States are short and attributes a
/// few KiB; what is longer is refused before anything reads it.
pub const PAYLOAD_MAX: usize = 64 * 1024;

/// Deepest nesting of JSON in a payload. Real ones stay below 10.
const JSON_DEPTH_MAX: usize = 32;

/// The attribute of a light in whole per cent.
pub const BRIGHTNESS: &str = "brightness";

/// The attribute of a cover in whole per cent; 100 is open.
pub const POSITION: &str = "position";

/// What is known of an entity.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its state.
    pub state: Option<&'a Value>,
    /// Its attributes.
    pub attributes: &'a BTreeMap<String, serde_json::Value>,
}

impl Known<'_> {
    fn word(&self) -> Option<&str> {
        self.state.and_then(Value::as_word)
    }

    fn number(&self, attribute: &str) -> Option<f64> {
        self.attributes
            .get(attribute)
            .and_then(serde_json::Value::as_f64)
    }
}

/// What the codec needs besides the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The template environment.
    pub templates: &'a Templates,
    /// The time of the message or command.
    pub now: Timestamp,
    /// The home's zone.
    pub zone: &'a jiff::tz::TimeZone,
    /// What templates may know of the entity.
    pub vars: &'a Vars,
    /// How many templates ran out of fuel on this message, over all entities that hear it.
    pub exhausted: &'a Cell<u32>,
}

/// Attributes that a device may not set: they have a meaning of their own.
const BLOCKED: &[&str] = &[
    "assumed_state",
    "attribution",
    "available",
    "device_class",
    "device_info",
    "entity_category",
    "entity_picture",
    "entity_registry_enabled_default",
    "extra_state_attributes",
    "force_update",
    "friendly_name",
    "icon",
    "name",
    "should_poll",
    "state",
    "supported_features",
    "unique_id",
    "unit_of_measurement",
    BRIGHTNESS,
    POSITION,
];

/// So many templates may run out of fuel on one message before no more of them are run: one
/// message must not take its device's time once for each of hundreds of entities.
const EXHAUSTED_MAX: u32 = 3;

/// Reads JSON of bounded depth; the error is a short sentence.
pub(crate) fn parse_json(text: &str) -> Result<serde_json::Value, String> {
    if nests_deeper_than(text, JSON_DEPTH_MAX) {
        return Err(format!("the JSON nests deeper than {JSON_DEPTH_MAX}"));
    }
    serde_json::from_str(text).map_err(|_| "the payload is no JSON".to_owned())
}

/// Counts brackets outside of strings, before a parser recurses into them.
fn nests_deeper_than(text: &str, limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// At most 40 characters of a payload, printable, for an error.
fn excerpt(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(40)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}
