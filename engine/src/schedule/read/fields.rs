//! Reading an object field by field, and collecting what is wrong with each.
//!
//! Owner of the rule that every fault is told at once, with its field, the problem
//! and an example. It must never guess what was meant.

use crate::schedule::ScheduleError;
use serde_json::{Map, Value};

/// Most faults that are told at once: more than a person mends in one go.
const FAULTS_MAX: usize = 100;

/// What was wrong so far.
#[derive(Default)]
pub(super) struct Faults(Vec<ScheduleError>);

impl Faults {
    /// Notes a fault.
    pub(super) fn add(&mut self, field: &str, problem: impl Into<String>, example: &str) {
        if self.0.len() < FAULTS_MAX {
            self.0.push(ScheduleError::new(field, problem, example));
        }
    }

    /// The value, if it is there and nothing was wrong.
    pub(super) fn end<T>(self, value: Option<T>) -> Result<T, Vec<ScheduleError>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.0),
        }
    }
}

/// The fields of one object.
pub(super) struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The object at `path`; a fault if it is none, or holds a field that is not known.
    pub(super) fn of(
        path: &str,
        json: &'a Value,
        known: &[&str],
        example: &str,
        faults: &mut Faults,
    ) -> Option<Self> {
        let Value::Object(map) = json else {
            faults.add(path, "an object is needed", example);
            return None;
        };
        let fields = Self {
            path: path.to_owned(),
            map,
        };
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            let key: String = key.chars().take(40).collect();
            let problem = format!("there is no such field; known are: {}", known.join(", "));
            faults.add(&fields.at(&key), problem, example);
        }
        Some(fields)
    }

    /// The path of a field.
    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() {
            return key.to_owned();
        }
        format!("{}.{key}", self.path)
    }

    /// A field; `None` if it is absent or null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// A field that must be there.
    pub(super) fn need(&self, key: &str, example: &str, faults: &mut Faults) -> Option<&'a Value> {
        let found = self.get(key);
        if found.is_none() {
            faults.add(&self.at(key), "it is missing", example);
        }
        found
    }

    /// A text, parsed; the parser's error is a sentence.
    pub(super) fn text<T>(
        &self,
        key: &str,
        example: &str,
        faults: &mut Faults,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.parsed(key, self.get(key)?, example, faults, parse)
    }

    /// A text that must be there, parsed.
    pub(super) fn need_text<T>(
        &self,
        key: &str,
        example: &str,
        faults: &mut Faults,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.need(key, example, faults)?;
        self.parsed(key, value, example, faults, parse)
    }

    fn parsed<T>(
        &self,
        key: &str,
        value: &Value,
        example: &str,
        faults: &mut Faults,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let parsed = value
            .as_str()
            .ok_or_else(|| "a text is needed".to_owned())
            .and_then(parse);
        parsed
            .map_err(|problem| faults.add(&self.at(key), problem, example))
            .ok()
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
        faults: &mut Faults,
    ) -> Option<T> {
        let (example, _) = words.first()?;
        self.text(key, &format!("{example:?}"), faults, |text| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            words
                .iter()
                .find_map(|(word, value)| (*word == text).then_some(*value))
                .ok_or_else(|| format!("unknown; known are: {}", known.join(", ")))
        })
    }

    /// A whole number between two bounds.
    pub(super) fn whole(
        &self,
        key: &str,
        (min, max): (i64, i64),
        example: &str,
        faults: &mut Faults,
    ) -> Option<i64> {
        let number = self.get(key)?.as_i64();
        let good = number.filter(|n| (min..=max).contains(n));
        if good.is_none() {
            let problem = format!("a whole number from {min} to {max} is needed");
            faults.add(&self.at(key), problem, example);
        }
        good
    }

    /// A list with at most `max` entries.
    pub(super) fn list(
        &self,
        key: &str,
        max: usize,
        example: &str,
        faults: &mut Faults,
    ) -> Option<&'a Vec<Value>> {
        let Value::Array(list) = self.get(key)? else {
            faults.add(&self.at(key), "a list is needed", example);
            return None;
        };
        if list.len() > max {
            let problem = format!("at most {max} entries are allowed");
            faults.add(&self.at(key), problem, example);
            return None;
        }
        Some(list)
    }
}
