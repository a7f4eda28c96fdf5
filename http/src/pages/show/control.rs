//! Which control an entity gets.
//!
//! Owner of that choice; the control shows the last reported state.

use super::Reading;
use iothome_engine::kind::{Action, Kind};
use iothome_engine::policy::Right;
use iothome_engine::view::{EntityView, Range};
use iothome_views::components::control::{Control, Scale};

/// Limits of a light's brightness in per cent.
const BRIGHTNESS: Range = Range {
    min: 1.0,
    max: 100.0,
    step: 1.0,
};
/// Limits of a cover's position in per cent, and Home Assistant's default for numbers.
const POSITION: Range = Range {
    min: 0.0,
    max: 100.0,
    step: 1.0,
};

/// The control for this reader.
pub(super) fn of(reading: Reading<'_>, entity: &EntityView) -> Control {
    if entity.actions.is_empty() {
        return Control::None;
    }
    if !reading.rights.has(Right::Control) {
        return Control::ViewOnly;
    }
    let word = entity.state.as_ref().and_then(|s| s.as_word());
    let takes_set = entity.actions.contains(&Action::Set);
    match entity.kind {
        Kind::Switch => Control::Switch { on: on(word) },
        Kind::Light => Control::Light {
            on: on(word),
            brightness: takes_set.then(|| per_cent(entity, "brightness", BRIGHTNESS)),
        },
        Kind::Number => Control::Number(number(entity)),
        Kind::Select => Control::Select {
            options: entity.options.clone(),
            chosen: word.map(str::to_owned),
        },
        Kind::Button => Control::Button,
        Kind::Cover => Control::Cover {
            actions: entity.actions.clone(),
            position: takes_set.then(|| per_cent(entity, "position", POSITION)),
            open: word == Some("open") && at(entity, 100),
            closed: word == Some("closed"),
        },
        Kind::Lock => Control::Lock {
            locked: match word {
                Some("locked") => Some(true),
                Some("unlocked") => Some(false),
                _ => None,
            },
        },
        Kind::Sensor | Kind::BinarySensor => Control::None,
    }
}

fn on(word: Option<&str>) -> Option<bool> {
    match word {
        Some("on") => Some(true),
        Some("off") => Some(false),
        _ => None,
    }
}

/// Whether a cover that tells its position is there; one that does not is believed its word.
fn at(entity: &EntityView, position: i64) -> bool {
    let told = entity.attributes.get("position").and_then(|p| p.as_i64());
    told.is_none_or(|told| told == position)
}

fn per_cent(entity: &EntityView, attribute: &str, default: Range) -> Scale {
    let range = entity.range.unwrap_or(default);
    let value = entity.attributes.get(attribute).and_then(|v| v.as_f64());
    Scale {
        value,
        base: value,
        min: range.min.max(default.min),
        max: range.max,
        step: range.step,
        unit: Some("%".into()),
    }
}

fn number(entity: &EntityView) -> Scale {
    let range = entity.range.unwrap_or(POSITION);
    let value = entity.state.as_ref().and_then(|s| s.as_number());
    let wish = entity
        .pending
        .as_ref()
        .and_then(|p| p.value.as_ref()?.as_f64());
    Scale {
        value,
        base: wish.or(value),
        min: range.min,
        max: range.max,
        step: range.step,
        unit: entity.unit.clone(),
    }
}
