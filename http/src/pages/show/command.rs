//! Commands put into words.
//!
//! Owner of "Set to 40 %", "confirmed in 9 ms", "by eve".

use super::Reading;
use iothome_engine::command::{Cause, Command, Status, reason};
use iothome_engine::kind::{Action, Kind};
use iothome_engine::view::{EntityView, Pending};
use iothome_views::components::command::{CommandLine, OutcomeLine, PendingLine};
use iothome_views::numbers::{latency_ms, readable};
use iothome_views::pages::device::cause;
use iothome_views::texts::Texts;
use serde_json::Value;

/// Longest text of a device's own that a line shows; the rest would only be noise.
const REASON_MAX: usize = 200;

/// The value of `set`, with its unit: "40 %", "20.5 °C", "eco".
fn value_words(t: &Texts, value: &Value, kind: Option<Kind>, unit: Option<&str>) -> String {
    let per_cent = matches!(kind, Some(Kind::Light | Kind::Cover));
    match value {
        Value::Object(parts) => match parts.get("brightness").and_then(Value::as_f64) {
            Some(brightness) => format!("{} %", readable(t, brightness)),
            None => shortened(&value.to_string()),
        },
        Value::Number(number) => {
            let number = number.as_f64().map(|n| readable(t, n)).unwrap_or_default();
            match unit {
                _ if per_cent => format!("{number} %"),
                Some(unit) => format!("{number} {unit}"),
                None => number,
            }
        }
        Value::String(word) => shortened(word),
        other => shortened(&other.to_string()),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(REASON_MAX).collect()
}

fn with_value(verb: &str, t: &Texts, value: Option<String>) -> String {
    match value {
        Some(value) => format!("{verb} {} {value}", t.entity.set_to),
        None => verb.to_owned(),
    }
}

/// What an action asks, in words: "Set to 40 %".
pub(crate) fn action_words(
    t: &Texts,
    action: Action,
    value: Option<&Value>,
    entity: Option<&EntityView>,
) -> String {
    with_value(
        (t.words.action)(action),
        t,
        set_value(t, action, value, entity),
    )
}

fn asked(t: &Texts, command: &Command, entity: Option<&EntityView>) -> String {
    action_words(t, command.resolved, command.value.as_ref(), entity)
}

fn set_value(
    t: &Texts,
    action: Action,
    value: Option<&Value>,
    entity: Option<&EntityView>,
) -> Option<String> {
    if action != Action::Set {
        return None;
    }
    let (kind, unit) = (
        entity.map(|e| e.kind),
        entity.and_then(|e| e.unit.as_deref()),
    );
    value.map(|value| value_words(t, value, kind, unit))
}

/// The command under way.
pub(super) fn pending(reading: Reading<'_>, entity: &EntityView, pending: &Pending) -> PendingLine {
    let t = reading.t;
    let value = set_value(t, pending.action, pending.value.as_ref(), Some(entity));
    PendingLine {
        doing: with_value((t.words.doing)(pending.action), t, value),
        step: pending.status,
    }
}

/// The end of the last command; `None` if it has none.
pub(super) fn outcome(
    reading: Reading<'_>,
    entity: &EntityView,
    command: &Command,
) -> Option<OutcomeLine> {
    let ended_at = command.ended_at?;
    Some(OutcomeLine {
        command: command.id,
        asked: asked(reading.t, command, Some(entity)),
        status: command.status,
        latency_ms: command_latency(reading.t, command),
        reason: reason_words(reading.t, command),
        when: reading.when(ended_at),
    })
}

/// One command of the list of a device.
pub(crate) fn line(
    reading: Reading<'_>,
    entity: Option<&EntityView>,
    command: &Command,
) -> CommandLine {
    let scheduled = matches!(command.cause, Cause::Schedule { .. });
    CommandLine {
        id: command.id,
        entity: entity.map_or_else(|| command.entity.to_string(), |e| e.name.clone()),
        asked: asked(reading.t, command, entity),
        cause: cause(reading.t, scheduled, command.cause.name()),
        status: command.status,
        latency_ms: command_latency(reading.t, command),
        reason: reason_words(reading.t, command),
        accepted: reading.when(command.accepted_at),
    }
}

/// How long it took, where the time was the device's or the broker's doing.
pub(crate) fn command_latency(t: &Texts, command: &Command) -> Option<String> {
    let tells = matches!(
        command.status,
        Status::Confirmed | Status::Delivered | Status::Rejected
    );
    command
        .latency_ms()
        .filter(|_| tells)
        .map(|ms| latency_ms(t, ms))
}

pub(crate) fn reason_words(t: &Texts, command: &Command) -> Option<String> {
    let code = command.reason.as_deref().filter(|code| !code.is_empty())?;
    // "timed out" says that much already.
    if command.status == Status::TimedOut && code == reason::NO_CONFIRMATION {
        return None;
    }
    let words = (t.words.reason)(code);
    Some(words.map_or_else(|| shortened(code), str::to_owned))
}
