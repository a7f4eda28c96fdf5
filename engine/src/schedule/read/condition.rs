//! Reading conditions.
//!
//! Owner of their shapes and of the limit on their nesting. It must never look at
//! what an entity says.

use super::fields::{Faults, Fields};
use super::{target, trigger};
use crate::schedule::condition::{CONDITIONS_MAX, Condition, DEPTH_MAX, Test};
use crate::value::{Value as State, WORD_MAX};
use serde_json::Value;

const EXAMPLE: &str = r#"{"kind":"state","device":"door","entity":"contact","is":"off"}"#;
/// Longest `for_seconds`: a week; the hub does not remember more of a state that lasts.
const FOR_MAX: i64 = 604_800;

/// Reads the condition at `path`; a list is short for `all`.
pub(super) fn read(path: &str, json: &Value, faults: &mut Faults) -> Option<Condition> {
    let mut left = CONDITIONS_MAX;
    match json {
        Value::Array(list) if list.is_empty() => None,
        Value::Array(list) => parts(path, list, 1, &mut left, faults).map(Condition::All),
        _ => one(path, json, 1, &mut left, faults),
    }
}

fn one(
    path: &str,
    json: &Value,
    depth: usize,
    left: &mut usize,
    faults: &mut Faults,
) -> Option<Condition> {
    if depth > DEPTH_MAX || *left == 0 {
        let problem = format!(
            "at most {CONDITIONS_MAX} conditions, nested at most {DEPTH_MAX} deep, are allowed"
        );
        faults.add(path, problem, EXAMPLE);
        return None;
    }
    *left -= 1;
    for key in ["all", "any"] {
        let Some(Value::Array(list)) = json.get(key) else {
            continue;
        };
        let fields = Fields::of(path, json, &[key], EXAMPLE, faults)?;
        let parts = parts(&fields.at(key), list, depth + 1, left, faults)?;
        return Some(match key {
            "all" => Condition::All(parts),
            _ => Condition::Any(parts),
        });
    }
    if let Some(inner) = json.get("not") {
        let fields = Fields::of(path, json, &["not"], EXAMPLE, faults)?;
        let inner = one(&fields.at("not"), inner, depth + 1, left, faults)?;
        return Some(Condition::Not(Box::new(inner)));
    }
    match json.get("kind").and_then(Value::as_str) {
        Some("state") => state(path, json, faults),
        Some("time") => time(path, json, faults),
        Some("sun") => sun(path, json, faults),
        _ => {
            let problem = "a kind (state, time, sun) or a list all, any or a not is needed";
            faults.add(path, problem, EXAMPLE);
            None
        }
    }
}

fn parts(
    path: &str,
    list: &[Value],
    depth: usize,
    left: &mut usize,
    faults: &mut Faults,
) -> Option<Vec<Condition>> {
    if list.is_empty() {
        faults.add(path, "at least one condition is needed", EXAMPLE);
        return None;
    }
    // Past the limit the rest is not even read: one fault says it.
    let most = (*left).saturating_add(1);
    let read: Vec<Option<Condition>> = list
        .iter()
        .take(most)
        .enumerate()
        .map(|(at, json)| one(&format!("{path}[{at}]"), json, depth, left, faults))
        .collect();
    read.into_iter().collect()
}

fn state(path: &str, json: &Value, faults: &mut Faults) -> Option<Condition> {
    let known = [
        "kind",
        "device",
        "entity",
        "is",
        "above",
        "below",
        "for_seconds",
    ];
    let fields = Fields::of(path, json, &known, EXAMPLE, faults)?;
    let target = target(&fields, faults);
    let test = test(&fields, faults);
    let for_seconds = fields.whole("for_seconds", (0, FOR_MAX), "300", faults);
    Some(Condition::State {
        target: target?,
        test: test?,
        for_seconds: for_seconds.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
    })
}

fn test(fields: &Fields<'_>, faults: &mut Faults) -> Option<Test> {
    let above = number(fields, "above", faults)?;
    let below = number(fields, "below", faults)?;
    match (fields.get("is"), above.is_some() || below.is_some()) {
        (Some(value), false) => is(fields, value, faults),
        (None, true) => {
            if let (Some(above), Some(below)) = (above, below)
                && above >= below
            {
                let problem = "nothing is above and below these at once";
                faults.add(&fields.at("below"), problem, "25");
            }
            Some(Test::Between { above, below })
        }
        _ => {
            let problem = "either is, or above and below, is needed";
            faults.add(&fields.at("is"), problem, "\"on\"");
            None
        }
    }
}

fn is(fields: &Fields<'_>, value: &Value, faults: &mut Faults) -> Option<Test> {
    let scalar = value.is_string() || value.is_number();
    let read = serde_json::from_value::<State>(value.clone()).ok();
    let short = value.as_str().is_none_or(|word| word.len() <= WORD_MAX);
    let read = read.filter(|_| scalar && short);
    if read.is_none() {
        faults.add(&fields.at("is"), "a word or a number is needed", "\"on\"");
    }
    read.map(Test::Is)
}

/// The outer `None` is a fault, the inner one an absent field.
#[expect(
    clippy::option_option,
    reason = "absent and wrong are told apart, and the fault is noted here"
)]
fn number(fields: &Fields<'_>, key: &str, faults: &mut Faults) -> Option<Option<f64>> {
    let Some(value) = fields.get(key) else {
        return Some(None);
    };
    let number = value.as_f64().filter(|n| n.is_finite());
    if number.is_none() {
        faults.add(&fields.at(key), "a number is needed", "21.5");
    }
    number.map(Some)
}

fn time(path: &str, json: &Value, faults: &mut Faults) -> Option<Condition> {
    let known = ["kind", "from", "to", "days"];
    let example = r#"{"kind":"time","from":"22:00","to":"06:00","days":["MON"]}"#;
    let fields = Fields::of(path, json, &known, example, faults)?;
    let windowed = fields.get("from").is_some() || fields.get("to").is_some();
    if !windowed && fields.get("days").is_none() {
        faults.add(path, "from and to, or days, are needed", example);
        return None;
    }
    let days = trigger::days(&fields, faults);
    let window = if windowed {
        Some(trigger::window(&fields, faults)?)
    } else {
        None
    };
    Some(Condition::Time { window, days })
}

fn sun(path: &str, json: &Value, faults: &mut Faults) -> Option<Condition> {
    let example = r#"{"kind":"sun","is":"down"}"#;
    let fields = Fields::of(path, json, &["kind", "is"], example, faults)?;
    fields.need("is", "\"down\"", faults);
    let up = fields.word("is", &[("down", false), ("up", true)], faults)?;
    Some(Condition::Sun { up })
}
