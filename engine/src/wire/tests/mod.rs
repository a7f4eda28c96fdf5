//! Reports and commands as real devices send and take them.

#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test may fail, and reads better with values in place"
)]

mod covers;
mod hostile;
mod kinds;
mod lights;

use super::*;
use crate::config::{EntityConfig, Raw};
use crate::kind::{Action, Kind};
use jiff::tz::TimeZone;
use serde_json::json;
use std::cell::Cell;

/// A house with one entity.
struct Bench {
    config: EntityConfig,
    templates: Templates,
    vars: Vars,
    zone: TimeZone,
    exhausted: Cell<u32>,
    state: Option<Value>,
    attributes: BTreeMap<String, serde_json::Value>,
}

fn raw(value: serde_json::Value) -> Raw {
    value.as_object().unwrap().clone()
}

fn bench(kind: Kind, config: serde_json::Value) -> Bench {
    let templates = Templates::new();
    Bench {
        config: EntityConfig::parse(kind, &raw(config), &templates).unwrap(),
        templates,
        vars: Vars {
            name: "Lamp".into(),
            entity_id: "lamp".into(),
        },
        zone: TimeZone::UTC,
        exhausted: Cell::new(0),
        state: None,
        attributes: BTreeMap::new(),
    }
}

impl Bench {
    fn ctx(&self) -> Context<'_> {
        Context {
            templates: &self.templates,
            now: Timestamp::from_millis(1_795_506_757_123),
            zone: &self.zone,
            vars: &self.vars,
            exhausted: &self.exhausted,
        }
    }

    fn known(&self) -> Known<'_> {
        Known {
            state: self.state.as_ref(),
            attributes: &self.attributes,
        }
    }

    fn hear(&self, topic: &str, payload: &str) -> Result<Vec<Reported>, DecodeError> {
        decode(
            &self.config,
            &self.ctx(),
            &self.known(),
            topic,
            payload.as_bytes(),
        )
    }

    /// Hears a message and takes what it says as known.
    fn take(&mut self, topic: &str, payload: &str) {
        for part in self.hear(topic, payload).unwrap() {
            match part {
                Reported::State(state) => self.state = state,
                Reported::Attribute(name, value) => {
                    self.attributes.insert(name, value);
                }
                _ => {}
            }
        }
    }

    fn send(&self, action: Action, value: Option<serde_json::Value>) -> (String, String) {
        check(&self.config, action, value.as_ref()).unwrap();
        let sent = encode(
            &self.config,
            &self.ctx(),
            &self.known(),
            action,
            value.as_ref(),
        )
        .unwrap();
        (sent.topic, String::from_utf8(sent.payload).unwrap())
    }

    fn refusal(&self, action: Action, value: Option<serde_json::Value>) -> String {
        check(&self.config, action, value.as_ref())
            .unwrap_err()
            .to_string()
    }

    fn confirmed(&self, action: Action, value: Option<serde_json::Value>) -> bool {
        matches(&wanted(&self.config, action, value.as_ref()), &self.known())
    }
}

fn word(text: &str) -> Vec<Reported> {
    vec![Reported::State(Some(Value::word(text)))]
}
