//! Home Assistant's filters, functions and tests beyond Jinja2's own.
//!
//! Owner of their names. Each must be a pure function of its arguments.

#![expect(
    clippy::needless_pass_by_value,
    reason = "the template engine hands its options over by value"
)]

use super::python;
use minijinja::value::{Kwargs, Rest, Value, from_args};
use minijinja::{Environment, Error, ErrorKind, State};
use std::fmt::Write as _;

type Answer = Result<Value, Error>;

/// Adds them all.
pub(super) fn register(env: &mut Environment<'static>) {
    register_numbers(env);
    register_text(env);
    env.add_filter("is_defined", is_defined);
    env.add_filter("iif", iif);
    env.add_function("iif", iif);
    env.add_filter("to_json", to_json);
    env.add_filter("tojson", to_json);
    env.add_filter("from_json", from_json);
    env.add_filter("bool", bool_filter);
    env.add_function("bool", bool_filter);
    env.add_filter("contains", contains);
}

fn register_numbers(env: &mut Environment<'static>) {
    env.add_filter("float", float_filter);
    env.add_function("float", float_filter);
    env.add_filter("int", int_filter);
    env.add_function("int", int_filter);
    env.add_filter("round", round_filter);
    env.add_filter(
        "multiply",
        |value: &Value, by: f64, default: Option<Value>| {
            arithmetic("multiply", value, default, |n| n * by)
        },
    );
    env.add_filter("add", |value: &Value, more: f64, default: Option<Value>| {
        arithmetic("add", value, default, |n| n + more)
    });
    env.add_filter("sqrt", |value: &Value, default: Option<Value>| {
        arithmetic("sqrt", value, default, f64::sqrt)
    });
    env.add_filter(
        "log",
        |value: &Value, base: Option<f64>, default: Option<Value>| {
            arithmetic("log", value, default, |n| {
                base.map_or_else(|| n.ln(), |b| n.log(b))
            })
        },
    );
    env.add_filter("bitwise_and", |a: i64, b: i64| a & b);
    env.add_filter("bitwise_or", |a: i64, b: i64| a | b);
    env.add_filter("bitwise_xor", |a: i64, b: i64| a ^ b);
    env.add_filter("ord", |text: &str| text.chars().next().map(u32::from));
    env.add_filter("is_number", is_number);
    env.add_function("is_number", is_number);
    env.add_test("is_number", is_number);
    env.add_function("min", |state: &State<'_, '_>, args: Rest<Value>| {
        extreme(state, "min", &args)
    });
    env.add_function("max", |state: &State<'_, '_>, args: Rest<Value>| {
        extreme(state, "max", &args)
    });
    env.add_global("pi", std::f64::consts::PI);
    env.add_global("e", std::f64::consts::E);
}

fn register_text(env: &mut Environment<'static>) {
    env.add_filter("slugify", |text: &str, separator: Option<&str>| {
        slug::slugify(text).replace('-', separator.unwrap_or("_"))
    });
    env.add_filter("base64_encode", |text: &str| {
        data_encoding::BASE64.encode(text.as_bytes())
    });
    env.add_filter("base64_decode", base64_decode);
    env.add_filter("truncate", truncate);
    env.add_filter("urlencode", urlencode);
    env.add_filter("ordinal", |n: i64| format!("{n}{}", ordinal_ending(n)));
}

fn no_default(name: &str, value: &Value) -> Error {
    let shown: String = value.to_string().chars().take(40).collect();
    Error::new(
        ErrorKind::InvalidOperation,
        format!("{name} got {shown:?} and no default was given"),
    )
}

/// The default from `f(x, 0)` or `f(x, default=0)`.
fn default_of(positional: Option<Value>, kwargs: &Kwargs) -> Result<Option<Value>, Error> {
    match positional {
        Some(value) => Ok(Some(value)),
        None if kwargs.has("default") => kwargs.get::<Value>("default").map(Some),
        None => Ok(None),
    }
}

fn float_filter(value: &Value, default: Option<Value>, kwargs: Kwargs) -> Answer {
    let default = default_of(default, &kwargs)?;
    kwargs.assert_all_used()?;
    match python::float(value) {
        Some(number) => Ok(Value::from(number)),
        None => default.ok_or_else(|| no_default("float", value)),
    }
}

fn int_filter(value: &Value, default: Option<Value>, base: Option<u32>, kwargs: Kwargs) -> Answer {
    let default = default_of(default, &kwargs)?;
    let base = match base {
        Some(base) => base,
        None => kwargs.get::<Option<u32>>("base")?.unwrap_or(10),
    };
    kwargs.assert_all_used()?;
    match python::int(value, base) {
        Some(number) => Ok(i64::try_from(number).map_or_else(|_| Value::from(number), Value::from)),
        None => default.ok_or_else(|| no_default("int", value)),
    }
}

fn bool_filter(value: &Value, default: Option<Value>, kwargs: Kwargs) -> Answer {
    let default = default_of(default, &kwargs)?;
    match python::boolean(value) {
        Some(truth) => Ok(Value::from(truth)),
        None => default.ok_or_else(|| no_default("bool", value)),
    }
}

fn round_filter(
    value: &Value,
    precision: Option<i32>,
    method: Option<&str>,
    default: Option<Value>,
    kwargs: Kwargs,
) -> Answer {
    let default = default_of(default, &kwargs)?;
    let precision = match precision {
        Some(digits) => digits,
        None => kwargs.get::<Option<i32>>("precision")?.unwrap_or(0),
    };
    let method = match method {
        Some(word) => word,
        None => kwargs.get::<Option<&str>>("method")?.unwrap_or("common"),
    };
    let Some(number) = python::float(value) else {
        return default.ok_or_else(|| no_default("round", value));
    };
    // Beyond 17 digits an f64 has nothing to round.
    let precision = precision.clamp(-300, 17);
    let scale = 10f64.powi(precision);
    let rounded = match method {
        "ceil" => (number * scale).ceil() / scale,
        "floor" => (number * scale).floor() / scale,
        "half" => (number * 2.0).round_ties_even() / 2.0,
        _ => python::round(number, precision),
    };
    if precision == 0 {
        return Ok(whole(rounded));
    }
    Ok(Value::from(rounded))
}

/// An integer value, where it fits; Python's `int(x)`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "bounded by the comparison before"
)]
fn whole(number: f64) -> Value {
    if number.abs() < 9e18 {
        return Value::from(number as i64);
    }
    Value::from(number)
}

fn arithmetic(name: &str, value: &Value, default: Option<Value>, f: impl Fn(f64) -> f64) -> Answer {
    match python::float(value).map(f).filter(|n| n.is_finite()) {
        Some(number) => Ok(Value::from(number)),
        None => default.ok_or_else(|| no_default(name, value)),
    }
}

fn is_number(value: &Value) -> bool {
    python::float(value).is_some()
}

/// `min(a, b, …)` and `min(list)`.
fn extreme(state: &State<'_, '_>, name: &str, args: &[Value]) -> Answer {
    let mut items = Vec::new();
    match args {
        [list] => {
            for item in list.try_iter()? {
                state.consume_fuel(1)?;
                items.push(item);
            }
        }
        many => items.extend_from_slice(many),
    }
    let found = if name == "min" {
        items.into_iter().min()
    } else {
        items.into_iter().max()
    };
    found.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("{name} of nothing")))
}

fn contains(state: &State<'_, '_>, list: &Value, item: &Value) -> Result<bool, Error> {
    for candidate in list.try_iter()? {
        state.consume_fuel(1)?;
        if candidate == *item {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Raises an error when the value is undefined, so that the message is dropped.
fn is_defined(value: &Value) -> Answer {
    if value.is_undefined() {
        return Err(Error::new(
            ErrorKind::UndefinedError,
            "the value is not defined",
        ));
    }
    Ok(value.clone())
}

fn iif(
    value: &Value,
    if_true: Option<Value>,
    if_false: Option<Value>,
    if_none: Option<Value>,
) -> Value {
    if value.is_none()
        && let Some(answer) = if_none
    {
        return answer;
    }
    if value.is_true() {
        return if_true.unwrap_or_else(|| Value::from(true));
    }
    if_false.unwrap_or_else(|| Value::from(false))
}

/// Plain JSON; unlike Jinja2's own filter it does not escape for HTML.
fn to_json(state: &State<'_, '_>, value: &Value, _options: Kwargs) -> Answer {
    let json = python::to_json(value, 0).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidOperation,
            "the value cannot be written as JSON",
        )
    })?;
    let text = json.to_string();
    state.consume_fuel((text.len() / 64) as u64)?;
    Ok(Value::from(text))
}

fn from_json(state: &State<'_, '_>, text: &str, default: Option<Value>) -> Answer {
    // Reading JSON is dearer by the byte than writing it.
    state.consume_fuel((text.len() / 16) as u64)?;
    match crate::wire::parse_json(text) {
        Ok(json) => Ok(python::from_json(&json)),
        Err(problem) => default.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, problem)),
    }
}

fn base64_decode(text: &str) -> Result<String, Error> {
    data_encoding::BASE64
        .decode(text.trim().as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOperation,
                "the text is not base64 of a text",
            )
        })
}

/// Jinja2's `truncate(length, killwords, end, leeway)`.
fn truncate(state: &State<'_, '_>, text: &str, options: Rest<Value>) -> Result<String, Error> {
    let (length, kill_words, end, leeway): (
        Option<usize>,
        Option<bool>,
        Option<&str>,
        Option<usize>,
    ) = from_args(&options)?;
    state.consume_fuel((text.len() / 64) as u64)?;
    let (length, end) = (length.unwrap_or(255), end.unwrap_or("..."));
    if text.chars().count() <= length.saturating_add(leeway.unwrap_or(5)) {
        return Ok(text.to_owned());
    }
    let mut cut: String = text
        .chars()
        .take(length.saturating_sub(end.chars().count()))
        .collect();
    if !kill_words.unwrap_or(false)
        && let Some(blank) = cut.rfind(' ')
    {
        cut.truncate(blank);
    }
    Ok(cut + end)
}

/// Percent-encodes all but letters, digits and `_.-~/`, as Python's `quote` does.
fn urlencode(value: &Value) -> String {
    let mut out = String::new();
    let text = value.to_string();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn ordinal_ending(n: i64) -> &'static str {
    match (n.unsigned_abs() % 100, n.unsigned_abs() % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}
