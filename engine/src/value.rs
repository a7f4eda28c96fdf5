//! What an entity's state can be: a word, a finite number, or nothing yet.
//!
//! Owner of the scalar that pages, REST and history show. It must never hold a
//! number that is not finite.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest word kept as a state, in bytes (Home Assistant keeps 255 characters).
pub const WORD_MAX: usize = 1024;

/// A scalar state: `"on"`, `21.5`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number: finite, in the entity's unit.
    Number(Finite),
    /// A word: the state of a switch, the option of a select, a text.
    Word(String),
}

/// A number that is neither NaN nor infinite.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Deserialize)]
#[serde(try_from = "f64")]
pub struct Finite(f64);

impl Finite {
    /// `None` if the number is NaN or infinite.
    pub fn new(number: f64) -> Option<Self> {
        // Minus zero would print as "-0"; a household has no use for it.
        number
            .is_finite()
            .then_some(Self(if number == 0.0 { 0.0 } else { number }))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Finite {
    type Error = &'static str;
    fn try_from(number: f64) -> Result<Self, Self::Error> {
        Self::new(number).ok_or("the number is not finite")
    }
}

impl Value {
    /// A word.
    pub fn word(text: impl Into<String>) -> Self {
        Self::Word(text.into())
    }

    /// A number; `None` if it is NaN or infinite.
    pub fn number(number: f64) -> Option<Self> {
        Finite::new(number).map(Self::Number)
    }

    /// The word, if it is one.
    pub fn as_word(&self) -> Option<&str> {
        match self {
            Self::Word(w) => Some(w),
            Self::Number(_) => None,
        }
    }

    /// The number, if it is one.
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(n) => Some(n.get()),
            Self::Word(_) => None,
        }
    }

    /// The JSON form: a string, or a number without a needless fraction (`21`, not `21.0`).
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Word(w) => serde_json::Value::String(w.clone()),
            Self::Number(n) => json_number(n.get()),
        }
    }
}

/// Integers up to 2^53 print without a fraction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be an integer below 2^53"
)]
pub fn json_number(n: f64) -> serde_json::Value {
    if n.fract() == 0.0 && n.abs() < 9_007_199_254_740_992.0 {
        return serde_json::Value::from(n as i64);
    }
    serde_json::Number::from_f64(n).map_or(serde_json::Value::Null, serde_json::Value::Number)
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(w) => f.write_str(w),
            Self::Number(n) => write!(f, "{}", json_number(n.get())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_finite_and_print_without_a_needless_fraction() {
        assert_eq!(Value::number(f64::NAN), None);
        assert_eq!(Value::number(f64::INFINITY), None);
        assert_eq!(
            Value::number(21.0).map(|v| v.to_string()),
            Some("21".into())
        );
        assert_eq!(Value::number(-0.0).map(|v| v.to_string()), Some("0".into()));
        assert_eq!(
            Value::number(4.7).map(|v| v.to_json()),
            Some(serde_json::json!(4.7))
        );
    }

    #[test]
    fn a_value_reads_back_from_its_json() {
        for json in [
            serde_json::json!("on"),
            serde_json::json!(21),
            serde_json::json!(4.5),
        ] {
            let value: Value = serde_json::from_value(json.clone()).expect("a scalar");
            assert_eq!(value.to_json(), json);
        }
    }
}
