//! Dates and times in templates.
//!
//! Owner of the moment that `now()` gives, which is the time of the message, passed
//! in. It must never ask a clock.

use crate::time::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Unit, ZonedDateTime};
use minijinja::value::{DynObject, Kwargs, Object, ObjectRepr, Value, ValueKind, from_args};
use minijinja::{Environment, Error, ErrorKind, State};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// The variable that holds the moment and the zone; no template can name it.
pub(super) const CLOCK: &str = "\u{1}clock";

/// The moment of this run and the home's zone.
#[derive(Debug)]
pub(super) struct Clock {
    now: Timestamp,
    zone: TimeZone,
}

impl Clock {
    pub(super) fn new(now: Timestamp, zone: &TimeZone) -> Self {
        Self {
            now,
            zone: zone.clone(),
        }
    }
}

impl Object for Clock {}

/// A date and time in a zone, as Python's `datetime` shows it.
#[derive(Debug)]
struct Moment(ZonedDateTime);

/// Adds the functions and filters.
pub(super) fn register(env: &mut Environment<'static>) {
    env.add_function("now", |state: &State<'_, '_>| {
        with_clock(state, |clock| moment(clock.now, clock.zone.clone()))
    });
    env.add_function("utcnow", |state: &State<'_, '_>| {
        with_clock(state, |clock| moment(clock.now, TimeZone::UTC))
    });
    env.add_filter("as_timestamp", as_timestamp);
    env.add_function("as_timestamp", as_timestamp);
    env.add_filter("as_datetime", as_datetime);
    env.add_function("as_datetime", as_datetime);
    env.add_filter("as_local", |state: &State<'_, '_>, value: &Value| {
        as_datetime(state, value, None)
    });
    env.add_function("strptime", strptime);
    env.add_filter("timestamp_local", timestamp_local);
    env.add_filter(
        "timestamp_utc",
        |state: &State<'_, '_>, value: &Value, default: Option<Value>| {
            iso_in(state, value, default, true)
        },
    );
    env.add_filter("timestamp_custom", timestamp_custom);
    env.add_function("today_at", today_at);
}

fn failure(problem: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}

fn with_clock<T>(
    state: &State<'_, '_>,
    f: impl FnOnce(&Clock) -> Result<T, Error>,
) -> Result<T, Error> {
    let value = state.lookup(CLOCK);
    let clock = value
        .as_ref()
        .and_then(|v| v.downcast_object_ref::<Clock>());
    f(clock.ok_or_else(|| failure("there is no time here (inside a macro)"))?)
}

fn moment(at: Timestamp, zone: TimeZone) -> Result<Value, Error> {
    let at =
        jiff::Timestamp::from_microsecond(at.as_micros()).map_err(|e| failure(e.to_string()))?;
    Ok(Value::from_object(Moment(at.to_zoned_datetime(zone))))
}

/// An instant from what a template may hold: a moment, seconds since 1970, or ISO 8601.
fn instant(value: &Value, clock: &Clock) -> Option<ZonedDateTime> {
    if let Some(Moment(zoned)) = value.downcast_object_ref::<Moment>() {
        return Some(zoned.clone());
    }
    if let Some(seconds) = super::python::float(value).filter(|_| value.kind() != ValueKind::Bool) {
        return from_seconds(seconds, clock.zone.clone());
    }
    // The longest form with a zone's name in brackets has about 60 bytes.
    let text = value.as_str().map(str::trim).filter(|t| t.len() <= 100)?;
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.to_zoned_datetime(clock.zone.clone()));
    }
    // Without an offset it is the home's wall clock.
    text.parse::<DateTime>()
        .ok()?
        .to_zoned_datetime(clock.zone.clone())
        .ok()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "bounded by the comparison before"
)]
fn from_seconds(seconds: f64, zone: TimeZone) -> Option<ZonedDateTime> {
    // The years 1 to 9999, which is what Python's datetime can hold.
    if !(-62_135_596_800.0..253_402_207_200.0).contains(&seconds) {
        return None;
    }
    let at = jiff::Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()?;
    Some(at.to_zoned_datetime(zone))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of these years fit 2^53 nearly; Python loses the same"
)]
fn seconds(zoned: &ZonedDateTime) -> f64 {
    zoned.timestamp().as_microsecond() as f64 / 1e6
}

fn as_timestamp(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
) -> Result<Value, Error> {
    with_clock(state, |clock| match instant(value, clock) {
        Some(zoned) => Ok(Value::from(seconds(&zoned))),
        None => default.ok_or_else(|| failure("as_timestamp got no date and no default was given")),
    })
}

fn as_datetime(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
) -> Result<Value, Error> {
    with_clock(state, |clock| match instant(value, clock) {
        Some(zoned) => Ok(Value::from_object(Moment(zoned))),
        None => Ok(default.unwrap_or_else(|| Value::from(()))),
    })
}

fn timestamp_local(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
) -> Result<Value, Error> {
    iso_in(state, value, default, false)
}

fn iso_in(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
    utc: bool,
) -> Result<Value, Error> {
    with_clock(state, |clock| {
        let zone = if utc {
            TimeZone::UTC
        } else {
            clock.zone.clone()
        };
        match super::python::float(value).and_then(|s| from_seconds(s, zone)) {
            Some(zoned) => Ok(Value::from(iso(&zoned, 'T'))),
            None => default
                .ok_or_else(|| failure("the timestamp is no number and no default was given")),
        }
    })
}

fn timestamp_custom(
    state: &State<'_, '_>,
    value: &Value,
    format: &str,
    local: Option<bool>,
    default: Option<Value>,
) -> Result<Value, Error> {
    with_clock(state, |clock| {
        let zone = if local.unwrap_or(true) {
            clock.zone.clone()
        } else {
            TimeZone::UTC
        };
        match super::python::float(value).and_then(|s| from_seconds(s, zone)) {
            Some(zoned) => strftime(&zoned, format).map(Value::from),
            None => default
                .ok_or_else(|| failure("the timestamp is no number and no default was given")),
        }
    })
}

fn strptime(
    state: &State<'_, '_>,
    text: &str,
    format: &str,
    default: Option<Value>,
) -> Result<Value, Error> {
    with_clock(state, |clock| {
        let parsed = jiff::fmt::strtime::parse(format, text)
            .ok()
            .and_then(|broken| {
                broken.to_zoned_datetime().ok().or_else(|| {
                    broken
                        .to_datetime()
                        .ok()?
                        .to_zoned_datetime(clock.zone.clone())
                        .ok()
                })
            });
        match parsed {
            Some(zoned) => Ok(Value::from_object(Moment(zoned))),
            None => default.ok_or_else(|| failure("strptime could not read the text")),
        }
    })
}

fn today_at(state: &State<'_, '_>, time: Option<&str>) -> Result<Value, Error> {
    with_clock(state, |clock| {
        let now = jiff::Timestamp::from_microsecond(clock.now.as_micros())
            .map_err(|e| failure(e.to_string()))?;
        let time: jiff::civil::Time = time
            .unwrap_or("00:00")
            .parse()
            .map_err(|_| failure("today_at needs a time such as 08:30"))?;
        let at = now
            .to_zoned_datetime(clock.zone.clone())
            .date()
            .to_datetime(time)
            .to_zoned_datetime(clock.zone.clone())
            .map_err(|e| failure(e.to_string()))?;
        Ok(Value::from_object(Moment(at)))
    })
}

/// Python's `%f` is always six digits; jiff's is as many as there are.
fn strftime(zoned: &ZonedDateTime, format: &str) -> Result<String, Error> {
    jiff::fmt::strtime::format(format.replace("%f", "%6f"), zoned)
        .map_err(|e| failure(e.to_string()))
}

/// Python's `isoformat`: microseconds only where there are some.
fn iso(zoned: &ZonedDateTime, separator: char) -> String {
    let whole_micros = zoned
        .round(Unit::Microsecond)
        .unwrap_or_else(|_| zoned.clone());
    let pattern = if whole_micros.subsec_nanosecond() == 0 {
        format!("%Y-%m-%d{separator}%H:%M:%S%:z")
    } else {
        format!("%Y-%m-%d{separator}%H:%M:%S.%6f%:z")
    };
    jiff::fmt::strtime::format(&pattern, &whole_micros).unwrap_or_default()
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let z = &self.0;
        Some(match key.as_str()? {
            "year" => Value::from(i64::from(z.year())),
            "month" => Value::from(i64::from(z.month())),
            "day" => Value::from(i64::from(z.day())),
            "hour" => Value::from(i64::from(z.hour())),
            "minute" => Value::from(i64::from(z.minute())),
            "second" => Value::from(i64::from(z.second())),
            "microsecond" => Value::from(i64::from(z.subsec_nanosecond() / 1000)),
            _ => return None,
        })
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let z = &self.0;
        match method {
            "strftime" => {
                let (format,): (&str,) = from_args(args)?;
                strftime(z, format).map(Value::from)
            }
            "isoformat" => {
                let _: (Option<Kwargs>,) = from_args(args)?;
                Ok(Value::from(iso(z, 'T')))
            }
            "timestamp" => Ok(Value::from(seconds(z))),
            "weekday" => Ok(Value::from(i64::from(z.weekday().to_monday_zero_offset()))),
            "isoweekday" => Ok(Value::from(i64::from(z.weekday().to_monday_one_offset()))),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other
            .downcast_ref::<Self>()
            .map(|other| self.0.cmp(&other.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&iso(&self.0, ' '))
    }
}
