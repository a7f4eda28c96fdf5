//! Numbers and truth as Python has them, because templates were written for it.
//!
//! Owner of conversions and of printing. It must never let NaN or an infinity in
//! where Python would raise an error on the way to a state.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, Output, State};

/// A template's value from JSON; integers stay integers, others are floats.
pub(super) fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(b) => Value::from(*b),
        serde_json::Value::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(i), _) => Value::from(i),
            (_, Some(u)) => Value::from(u),
            _ => Value::from(n.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(s) => Value::from(s.as_str()),
        serde_json::Value::Array(items) => items.iter().map(from_json).collect(),
        serde_json::Value::Object(map) => Value::from_pairs(
            map.iter()
                .map(|(key, value)| (key.as_str(), from_json(value))),
        ),
    }
}

/// JSON from a template's value; `None` for what JSON cannot say.
pub(super) fn to_json(value: &Value, depth: usize) -> Option<serde_json::Value> {
    // Values nest as deep as a template builds them; no payload is deeper than this.
    if depth > 32 {
        return None;
    }
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => Some(serde_json::Value::Null),
        ValueKind::Bool => Some(value.is_true().into()),
        ValueKind::Number => number_to_json(value),
        ValueKind::Map => {
            let mut map = serde_json::Map::new();
            for key in value.try_iter().ok()? {
                let item = value.get_item(&key).ok()?;
                map.insert(key.to_string(), to_json(&item, depth + 1)?);
            }
            Some(map.into())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Option<Vec<_>> = value
                .try_iter()
                .ok()?
                .map(|v| to_json(&v, depth + 1))
                .collect();
            items.map(serde_json::Value::Array)
        }
        _ => Some(value.to_string().into()),
    }
}

fn number_to_json(value: &Value) -> Option<serde_json::Value> {
    if value.is_integer() {
        return i64::try_from(value.clone())
            .map(Into::into)
            .or_else(|_| u64::try_from(value.clone()).map(Into::into))
            .ok();
    }
    let number = f64::try_from(value.clone()).ok()?;
    serde_json::Number::from_f64(number).map(Into::into)
}

/// Python's `float(x)`: numbers, truth values, and text that is a finite number.
///
/// Python also reads `nan` and `inf`; here they are no numbers, as no state may be one.
pub(super) fn float(value: &Value) -> Option<f64> {
    let number = match value.kind() {
        ValueKind::Number => f64::try_from(value.clone()).ok()?,
        ValueKind::Bool => f64::from(u8::from(value.is_true())),
        ValueKind::String => parse_float(value.as_str()?)?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// Longest text that is read as a number, in bytes: an f64 written out whole has fewer.
const NUMBER_MAX: usize = 400;

/// Reads a float as Python does: blanks around it and `_` between digits are fine.
fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.len() > NUMBER_MAX {
        return None;
    }
    if text.contains('_') {
        return text.replace('_', "").parse().ok();
    }
    text.parse().ok()
}

/// Python's `int(x)`, then `int(float(x))`, as Jinja2's filter does.
#[expect(
    clippy::cast_possible_truncation,
    reason = "bounded by the comparison before"
)]
pub(super) fn int(value: &Value, base: u32) -> Option<i128> {
    if value.kind() == ValueKind::Number && value.is_integer() {
        return i128::try_from(value.clone()).ok();
    }
    if let Some(text) = value.as_str()
        && let Some(number) = parse_int(text.trim(), base)
    {
        return Some(number);
    }
    let number = float(value)?;
    (number.abs() < 1e38).then_some(number.trunc() as i128)
}

fn parse_int(text: &str, base: u32) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefix = match base {
        16 => "0x",
        8 => "0o",
        2 => "0b",
        3..=36 => "",
        _ => return None,
    };
    let digits = digits.strip_prefix(prefix).unwrap_or(digits);
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok()?;
    Some(if negative { -number } else { number })
}

/// Python's `round(x, n)`: half to even on the exact decimal value.
pub(super) fn round(number: f64, precision: i32) -> f64 {
    if let Ok(digits) = usize::try_from(precision) {
        // Formatting rounds the exact binary value half to even; 17 digits say all of an f64.
        return format!("{number:.*}", digits.min(17))
            .parse()
            .unwrap_or(number);
    }
    let scale = 10f64.powi(-precision.max(-300));
    (number / scale).round_ties_even() * scale
}

/// Python's truth words, as Home Assistant's `bool` filter reads them.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match value.kind() {
        ValueKind::Bool => Some(value.is_true()),
        ValueKind::Number => float(value).map(|n| n != 0.0),
        ValueKind::String if value.as_str()?.len() > NUMBER_MAX => None,
        ValueKind::String => match value.as_str()?.trim().to_lowercase().as_str() {
            "1" | "true" | "yes" | "on" | "enable" => Some(true),
            "0" | "false" | "no" | "off" | "disable" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Python's `repr` of a float: an exponent below 1e-4 and from 1e16 on, else a fraction.
pub(crate) fn float_text(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 || (1e-4..1e16).contains(&size) || !number.is_finite() {
        let mut text = number.to_string();
        if number.is_finite() && !text.contains('.') {
            text.push_str(".0");
        }
        return text;
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if exponent.starts_with('-') => {
            format!("{digits}e-{:0>2}", &exponent[1..])
        }
        Some((digits, exponent)) => format!("{digits}e+{exponent:0>2}"),
        None => text,
    }
}

/// Prints a value into a template's output.
pub(super) fn format(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    if value.kind() == ValueKind::Number
        && !value.is_integer()
        && let Ok(number) = f64::try_from(value.clone())
    {
        return out
            .write_str(&float_text(number))
            .map_err(|_| Error::new(ErrorKind::WriteFailure, "the result could not be written"));
    }
    minijinja::escape_formatter(out, state, value)
}
