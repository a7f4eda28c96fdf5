//! What can be asked of a device, as choices of the form.
//!
//! Owner of the words in the form's select: `light/turn_on`, `target/set`,
//! `mode/set="eco"`.

use super::words::Teller;
use crate::pages::show;
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::kind::{Action, Kind};
use iothome_engine::schedule::ActionSpec;
use iothome_engine::view::{DeviceView, EntityView};
use iothome_views::numbers::exact;
use iothome_views::pages::schedules::{ActionChoice, ActionRow};
use iothome_views::texts::fill;
use serde_json::{Value, json};

/// Options of a selection that are offered one by one.
const OPTIONS: usize = 50;

/// A chosen action, read.
#[derive(Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) entity: EntityId,
    pub(super) action: Action,
    /// The value, if it was chosen and not typed.
    pub(super) value: Option<Value>,
}

impl Chosen {
    /// From the word of the form.
    pub(super) fn read(word: &str) -> Option<Self> {
        let (entity, rest) = word.split_once('/')?;
        let (action, value) = match rest.split_once('=') {
            Some((action, value)) => (action, Some(serde_json::from_str(value).ok()?)),
            None => (rest, None),
        };
        Some(Self {
            entity: entity.parse().ok()?,
            action: action.parse().ok()?,
            value,
        })
    }
}

/// The word of the form for an action, and what is typed beside it.
pub(super) fn word_of(action: &ActionSpec, entity: Option<&EntityView>) -> (String, String) {
    let plain = format!("{}/{}", action.target.entity, action.action);
    let Some(value) = &action.value else {
        return (plain, String::new());
    };
    let typed = match (entity.map(|e| e.kind), value) {
        (Some(Kind::Select), _) | (None, _) => None,
        (_, Value::Number(number)) => number.as_f64().map(exact),
        (Some(Kind::Light), Value::Object(parts)) if parts.len() == 1 => {
            let brightness = parts.get("brightness").and_then(Value::as_f64);
            brightness.map(exact)
        }
        _ => None,
    };
    match typed {
        Some(typed) => (plain, typed),
        None => (format!("{plain}={value}"), String::new()),
    }
}

/// The value that was typed, as its kind needs it.
pub(super) fn typed_value(kind: Kind, text: &str) -> Option<Value> {
    let number: f64 = text.trim().replace(',', ".").parse().ok()?;
    let number = iothome_engine::value::Finite::new(number)?;
    let number = iothome_engine::value::json_number(number.get());
    Some(match kind {
        Kind::Light => json!({ "brightness": number }),
        _ => number,
    })
}

/// A row of the form; `current` stays a choice even if the device no longer offers it.
pub(super) fn row(teller: Teller<'_>, device: &DeviceId, current: &str) -> ActionRow {
    let view = teller.device(device);
    let mut choices = view.map_or_else(Vec::new, |view| of(teller, &view));
    if !current.is_empty() && choices.iter().all(|choice| choice.value != current) {
        let gone = teller.t().schedules.gone;
        choices.insert(
            0,
            ActionChoice {
                words: format!("{} ({gone})", current_words(teller, current)),
                value: current.to_owned(),
                range: None,
            },
        );
    }
    ActionRow {
        device: device.clone(),
        device_name: teller.device_name(device),
        choices,
    }
}

fn current_words(teller: Teller<'_>, current: &str) -> String {
    match Chosen::read(current) {
        Some(chosen) => {
            let what = show::action_words(teller.t(), chosen.action, chosen.value.as_ref(), None);
            format!("{}: {what}", chosen.entity)
        }
        None => current.chars().take(100).collect(),
    }
}

/// Everything that can be asked of a device.
pub(super) fn of(teller: Teller<'_>, view: &DeviceView) -> Vec<ActionChoice> {
    let mut entities: Vec<&EntityView> = view.entities.iter().map(AsRef::as_ref).collect();
    entities.retain(|entity| !entity.actions.is_empty());
    entities.sort_by_key(|entity| entity.category.is_some());
    let only = entities.len() == 1;
    let each = entities.iter();
    each.flat_map(|entity| of_entity(teller, entity, only))
        .collect()
}

fn of_entity(teller: Teller<'_>, entity: &EntityView, only: bool) -> Vec<ActionChoice> {
    let t = teller.t();
    let named = |words: String| match only {
        true => words,
        false => format!("{}: {words}", entity.name),
    };
    let mut choices = Vec::new();
    for action in &entity.actions {
        let plain = format!("{}/{action}", entity.id);
        if *action == Action::Set && entity.kind == Kind::Select {
            for option in entity.options.iter().take(OPTIONS) {
                let value = Value::String(option.clone());
                let words = show::action_words(t, *action, Some(&value), Some(entity));
                choices.push(ActionChoice {
                    value: format!("{plain}={value}"),
                    words: named(words),
                    range: None,
                });
            }
            continue;
        }
        choices.push(ActionChoice {
            words: named(show::action_words(t, *action, None, Some(entity))),
            range: (*action == Action::Set).then(|| range(teller, entity)),
            value: plain,
        });
    }
    choices
}

/// "5 to 30 °C".
fn range(teller: Teller<'_>, entity: &EntityView) -> String {
    let usual = match entity.kind {
        Kind::Light => Some((1.0, 100.0)),
        Kind::Cover => Some((0.0, 100.0)),
        _ => None,
    };
    let told = entity.range.map(|range| (range.min, range.max));
    let unit = match entity.kind {
        Kind::Light | Kind::Cover => Some("%"),
        _ => entity.unit.as_deref(),
    };
    let Some((min, max)) = usual.or(told) else {
        return String::new();
    };
    let words = fill(teller.t().schedule_form.value_range, &exact(min));
    let words = fill(&words, &exact(max));
    match unit {
        Some(unit) => format!("{words} {unit}"),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_reads_back_from_its_word() {
        let read = |word| Chosen::read(word).map(|c| (c.action, c.value));
        assert_eq!(read("light/turn_on"), Some((Action::TurnOn, None)));
        assert_eq!(
            read("mode/set=\"eco=1/2\""),
            Some((Action::Set, Some(json!("eco=1/2"))))
        );
        for bad in ["", "light", "light/explode", "LIGHT/turn_on", "a/set={"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_typed_value_is_what_its_kind_needs() {
        assert_eq!(typed_value(Kind::Number, " 20,5 "), Some(json!(20.5)));
        assert_eq!(
            typed_value(Kind::Light, "40"),
            Some(json!({"brightness": 40}))
        );
        assert_eq!(typed_value(Kind::Number, "warm"), None);
        assert_eq!(typed_value(Kind::Number, "inf"), None);
    }
}
