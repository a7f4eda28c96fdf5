//! What stands in the form of an entity, and the configuration it says.
//!
//! Owner of that translation, both ways. Every field is looked at, so that all faults
//! are told at once; what the form does not show stays as it is stored.

use iothome_engine::config::Raw;
use iothome_engine::ids::EntityId;
use iothome_engine::kind::Kind;
use iothome_engine::template::Templates;
use iothome_engine::topic::valid_topic;
use iothome_views::pages::add_device::{FieldSpec, Input, Problems, fields};
use iothome_views::texts::{Texts, fill};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What was typed, by field.
pub(super) type Values = BTreeMap<String, String>;

/// Fields besides those of the configuration.
const OTHERS: [&str; 10] = [
    "name",
    "id",
    "deadline_s",
    "version",
    "kind",
    "do",
    "bench_topic",
    "bench_payload",
    "bench_send",
    "bench_sent",
];

/// Longest text of a field that is no template.
const TEXT_MAX: usize = 1024;

/// What a form without a fault says.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) deadline_ms: Option<i64>,
    pub(super) config: Raw,
}

/// A field that no form of this kind has.
pub(super) fn unknown(kind: Kind, values: &Values) -> Option<&str> {
    let known = fields(kind);
    let is_known = |key: &str| OTHERS.contains(&key) || known.iter().any(|field| field.key == key);
    values.keys().map(String::as_str).find(|key| !is_known(key))
}

/// Reads the form. `base` is the stored configuration, whose other keys stay.
pub(super) fn read(
    t: &Texts,
    kind: Kind,
    values: &Values,
    base: &Raw,
    templates: &Templates,
) -> Result<Filled, Problems> {
    let mut problems = Problems::new();
    let mut config = base.clone();
    for field in fields(kind) {
        let typed = values.get(field.key).map_or("", String::as_str);
        match value(t, &field, typed, templates) {
            Ok(Some(value)) => {
                config.insert(field.key.to_owned(), value);
            }
            Ok(None) => {
                config.remove(field.key);
            }
            Err(problem) => {
                problems.insert(field.key.to_owned(), problem);
            }
        }
    }
    let given = |key: &str| {
        let text = values.get(key).map_or("", String::as_str).trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let id = given("id");
    if id
        .as_ref()
        .is_some_and(|id| id.parse::<EntityId>().is_err())
    {
        problems.insert("id".into(), t.add_device.problem_id.into());
    }
    let deadline_ms = match deadline(given("deadline_s").as_deref()) {
        Ok(deadline) => deadline,
        Err(()) => {
            problems.insert("deadline_s".into(), t.add_device.problem_deadline.into());
            None
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Filled {
        id,
        name: given("name"),
        deadline_ms,
        config,
    })
}

fn value(
    t: &Texts,
    field: &FieldSpec,
    typed: &str,
    templates: &Templates,
) -> Result<Option<Json>, String> {
    let a = &t.add_device;
    // A payload may have meant its blanks; everything else has none at its ends.
    let text = match field.input {
        Input::Payload | Input::Template => typed,
        _ => typed.trim(),
    };
    if text.trim().is_empty() {
        return match field.required {
            true => Err(a.problem_required.to_owned()),
            false => Ok(None),
        };
    }
    if !matches!(field.input, Input::Template | Input::Lines) && text.len() > TEXT_MAX {
        return Err(a.problem_long.to_owned());
    }
    let value = match field.input {
        Input::Topic => {
            valid_topic(text).map_err(|_| a.problem_topic.to_owned())?;
            Json::from(text)
        }
        Input::Template => {
            let check = templates.check(text);
            check.map_err(|error| fill(a.problem_template, &error.to_string()))?;
            Json::from(text)
        }
        Input::Number => number(text).ok_or_else(|| a.problem_number.to_owned())?,
        Input::Lines => {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            lines.collect::<Vec<_>>().into()
        }
        Input::Flag => Json::Bool(true),
        Input::Choice(words) if !words.contains(&text) => {
            return Err(a.problem_required.to_owned());
        }
        Input::Text | Input::Payload | Input::Choice(_) | Input::Suggest(_) => Json::from(text),
    };
    Ok(Some(value))
}

/// A number as people write it, with a comma or a point.
#[expect(
    clippy::cast_possible_truncation,
    reason = "only whole numbers of 15 digits"
)]
fn number(text: &str) -> Option<Json> {
    let number: f64 = text.replace(',', ".").parse().ok()?;
    if !number.is_finite() {
        return None;
    }
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return Some(Json::from(number as i64));
    }
    Some(Json::from(number))
}

#[expect(clippy::cast_possible_truncation, reason = "within ten minutes")]
fn deadline(seconds: Option<&str>) -> Result<Option<i64>, ()> {
    let Some(text) = seconds else {
        return Ok(None);
    };
    let seconds: f64 = text.replace(',', ".").parse().map_err(|_| ())?;
    if (0.1..=600.0).contains(&seconds) {
        return Ok(Some((seconds * 1000.0).round() as i64));
    }
    Err(())
}

/// What the fields show of a stored configuration.
pub(super) fn values_of(kind: Kind, raw: &Raw) -> Values {
    let shown = |value: &Json| match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(true) => Some("on".to_owned()),
        Json::Array(items) => {
            let lines = items.iter().map(|item| match item {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            });
            Some(lines.collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    };
    let fields = fields(kind).into_iter();
    fields
        .filter_map(|field| Some((field.key.to_owned(), shown(raw.get(field.key)?)?)))
        .collect()
}

/// The form's field of the house's path: `entities[0].config.state_topic` is `state_topic`.
pub(super) fn key_of(path: &str) -> &str {
    let key = path.split_once(".config.").map_or_else(
        || path.rsplit('.').next().unwrap_or_default(),
        |(_, key)| key,
    );
    match key {
        "deadline_ms" => "deadline_s",
        // The house speaks of all entities, or of one whole configuration.
        key if key == "config" || key == "entities" || key.contains(['[', ' ']) => "",
        key => key.split('.').next().unwrap_or_default(),
    }
}

/// A fault in the reader's language; what is not known is told in the house's words.
pub(super) fn said(t: &Texts, problem: &str) -> String {
    let a = &t.add_device;
    let owner = problem.split_once("belongs to the device ");
    let known = match problem {
        "is required" | "needs at least one option" | "must not be empty" => a.problem_required,
        "must be greater than `min`" => a.problem_max,
        "must differ from `position_closed`" => a.problem_both,
        "must be a finite number" => a.problem_number,
        text if text.starts_with("is no topic") => a.problem_topic,
        text if text.starts_with("is longer than") || text.starts_with("must have at most") => {
            a.problem_long
        }
        text if text.contains("is not an id") => a.problem_id,
        _ => match owner {
            Some((_, device)) => return fill(a.problem_owner, device),
            None => return problem.to_owned(),
        },
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use iothome_views::texts::ENGLISH;
    use serde_json::json;

    fn typed(pairs: &[(&str, &str)]) -> Values {
        let pairs = pairs.iter();
        pairs
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn base() -> Raw {
        let base = json!({"qos": 1, "step": 5, "icon": "mdi:lamp"});
        base.as_object().expect("an object").clone()
    }

    #[test]
    fn a_form_says_a_configuration_and_keeps_what_it_does_not_show() {
        let values = typed(&[
            ("command_topic", " lamp/set "),
            ("min", "1,5"),
            ("max", "10"),
            ("deadline_s", "0.5"),
        ]);
        let templates = Templates::new();
        let filled = read(&ENGLISH, Kind::Number, &values, &base(), &templates).expect("good");
        let config = json!({"qos": 1, "icon": "mdi:lamp", "command_topic": "lamp/set", "min": 1.5, "max": 10});
        assert_eq!(Json::Object(filled.config.clone()), config);
        assert_eq!(filled.deadline_ms, Some(500));
        let back = values_of(Kind::Number, &filled.config);
        assert_eq!(back.get("min").map(String::as_str), Some("1.5"));
        assert_eq!(
            back.get("command_topic").map(String::as_str),
            Some("lamp/set")
        );
    }

    #[test]
    fn every_fault_is_told_at_once_and_at_its_field() {
        let values = typed(&[
            ("id", "No Id"),
            ("state_topic", "a/#"),
            ("min", "many"),
            ("value_template", "{{ value"),
            ("deadline_s", "0"),
        ]);
        let outcome = read(&ENGLISH, Kind::Number, &values, &base(), &Templates::new());
        let problems = outcome.expect_err("faults");
        let keys: Vec<&str> = problems.keys().map(String::as_str).collect();
        let expected = [
            "command_topic",
            "deadline_s",
            "id",
            "min",
            "state_topic",
            "value_template",
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn the_houses_paths_lead_to_fields() {
        assert_eq!(key_of("entities[0].config.state_topic"), "state_topic");
        assert_eq!(key_of("entities.power.config.min"), "min");
        assert_eq!(key_of("entities[0].id"), "id");
        assert_eq!(key_of("entities[0].deadline_ms"), "deadline_s");
        assert_eq!(key_of("entities.power.config"), "");
        assert_eq!(key_of("name"), "name");
    }

    #[test]
    fn a_field_of_another_kind_is_noticed() {
        let values = typed(&[("name", "x"), ("state_topic", "a"), ("payload_lock", "L")]);
        assert_eq!(unknown(Kind::Switch, &values), Some("payload_lock"));
        assert_eq!(unknown(Kind::Lock, &values), None);
    }
}
