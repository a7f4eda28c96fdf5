//! Which report proves that a command was carried out.
//!
//! Owner of the rules of confirmation. A command is never confirmed by a guess: what
//! cannot be proved is [`Wanted::Nothing`], and ends as delivered.

use super::decode::Reported;
use super::encode::wire_brightness;
use super::{BRIGHTNESS, Known, POSITION};
use crate::config::{CoverConfig, Detail, EntityConfig, LightSchema};
use crate::kind::Action;
use crate::value::{Value, json_number};
use serde_json::Value as Json;

/// How far from the asked position a cover may come to rest, in per cent.
const POSITION_TOLERANCE: f64 = 2.0;

/// What a report must show for a command to be confirmed.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// This state.
    State(Value),
    /// This number, once both are rounded to the device's steps.
    Number {
        /// What was asked.
        value: f64,
        /// Where the device's steps begin.
        min: f64,
        /// The device's step.
        step: f64,
    },
    /// This brightness, as exactly as the device's scale can say it.
    Brightness {
        /// What was asked.
        percent: u8,
        /// What full brightness is on the wire.
        scale: f64,
    },
    /// This position, ± 2 %.
    Position {
        /// What was asked; 100 is open.
        percent: u8,
    },
    /// An open cover.
    Open,
    /// A closed cover.
    Closed,
    /// A cover that does not move.
    NotMoving,
    /// Nothing can prove it.
    Nothing,
}

/// What would confirm the command.
pub fn wanted(config: &EntityConfig, resolved: Action, value: Option<&Json>) -> Wanted {
    if !config.has_state() {
        return Wanted::Nothing;
    }
    let word = |word: &str| Wanted::State(Value::word(word));
    match (&config.detail, resolved) {
        (_, Action::TurnOn) => word("on"),
        (_, Action::TurnOff) => word("off"),
        (_, Action::Lock) => word("locked"),
        (_, Action::Unlock) => word("unlocked"),
        (Detail::Cover(cover), _) => wanted_of_cover(cover, resolved, value),
        (Detail::Select(_), Action::Set) => {
            value.and_then(Json::as_str).map_or(Wanted::Nothing, word)
        }
        (Detail::Number(number), Action::Set) => match value.and_then(Json::as_f64) {
            Some(value) => Wanted::Number {
                value,
                min: number.min,
                step: number.step,
            },
            None => Wanted::Nothing,
        },
        (Detail::Light(light), Action::Set) => {
            let reported = !matches!(
                &light.schema,
                LightSchema::Basic {
                    brightness_state_topic: None,
                    ..
                }
            );
            match value.and_then(|v| percent(v.get(BRIGHTNESS)?)) {
                Some(percent) if reported => Wanted::Brightness {
                    percent,
                    scale: light.brightness_scale,
                },
                _ => Wanted::Nothing,
            }
        }
        _ => Wanted::Nothing,
    }
}

fn wanted_of_cover(cover: &CoverConfig, action: Action, value: Option<&Json>) -> Wanted {
    let by_position = cover.position_topic.is_some();
    match action {
        // A position that is only assumed must not stand in the way of a reported word.
        Action::Open if !by_position => Wanted::State(Value::word("open")),
        Action::Close if !by_position => Wanted::State(Value::word("closed")),
        Action::Open => Wanted::Open,
        Action::Close => Wanted::Closed,
        Action::Stop => Wanted::NotMoving,
        Action::Set if by_position => value
            .and_then(percent)
            .map_or(Wanted::Nothing, |percent| Wanted::Position { percent }),
        _ => Wanted::Nothing,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be 0 to 100"
)]
fn percent(value: &Json) -> Option<u8> {
    value
        .as_f64()
        .filter(|n| (0.0..=100.0).contains(n))
        .map(|n| n.round() as u8)
}

/// Whether what is known, after a report was applied, is what was wanted.
pub fn matches(wanted: &Wanted, known: &Known<'_>) -> bool {
    let position = known.number(POSITION);
    let moving = |word: &str| known.word() == Some(word);
    match wanted {
        Wanted::State(value) => known.state == Some(value),
        Wanted::Number { value, min, step } => known
            .state
            .and_then(Value::as_number)
            .is_some_and(|n| nth_step(n, *min, *step) == nth_step(*value, *min, *step)),
        Wanted::Brightness { percent, scale } => known.number(BRIGHTNESS).is_some_and(|reported| {
            let asked = f64::from(*percent);
            (reported - asked).abs() < 0.5
                || wire_brightness(reported, *scale) == wire_brightness(asked, *scale)
        }),
        Wanted::Position { percent } => {
            position.is_some_and(|p| (p - f64::from(*percent)).abs() <= POSITION_TOLERANCE)
        }
        Wanted::Open => match position {
            Some(p) => p >= 100.0 - POSITION_TOLERANCE && !moving("closing"),
            None => known.word() == Some("open"),
        },
        Wanted::Closed => match position {
            Some(p) => p <= POSITION_TOLERANCE && !moving("opening"),
            None => known.word() == Some("closed"),
        },
        Wanted::NotMoving => !moving("opening") && !moving("closing"),
        Wanted::Nothing => false,
    }
}

/// Which of the device's steps is nearest, from its minimum on; half way is the next one.
fn nth_step(number: f64, min: f64, step: f64) -> f64 {
    // The last digits of a half step are the float's, not the device's.
    ((number - min) / step + 0.5 + 1e-9).floor()
}

/// Whether a message shows the entity on its way, given what was known before it.
pub fn moves(known: &Known<'_>, reported: &[Reported]) -> bool {
    reported.iter().any(|part| match part {
        Reported::State(Some(Value::Word(word))) => {
            matches!(
                word.as_str(),
                "opening" | "closing" | "locking" | "unlocking"
            )
        }
        Reported::Attribute(name, value) if name == POSITION => known
            .attributes
            .get(POSITION)
            .is_some_and(|before| before != value),
        _ => false,
    })
}

/// The state that an entity which reports nothing is assumed to have after a command.
pub fn assumed(
    config: &EntityConfig,
    resolved: Action,
    value: Option<&Json>,
    known: &Known<'_>,
) -> Vec<Reported> {
    let state = |word: &str| Reported::State(Some(Value::word(word)));
    match (&config.detail, resolved) {
        (_, Action::TurnOn) => vec![state("on")],
        (_, Action::TurnOff) => vec![state("off")],
        (_, Action::Lock) => vec![state("locked")],
        (_, Action::Unlock) => vec![state("unlocked")],
        (Detail::Cover(cover), _) => assumed_of_cover(cover, resolved, value, known),
        (Detail::Light(_), Action::Set) => match value.and_then(|v| percent(v.get(BRIGHTNESS)?)) {
            Some(percent) => vec![
                Reported::Attribute(BRIGHTNESS.to_owned(), percent.into()),
                state("on"),
            ],
            None => vec![],
        },
        (Detail::Select(_), Action::Set) => value
            .and_then(Json::as_str)
            .map(state)
            .into_iter()
            .collect(),
        (Detail::Number(_), Action::Set) => value
            .and_then(Json::as_f64)
            .and_then(Value::number)
            .map(|number| Reported::State(Some(number)))
            .into_iter()
            .collect(),
        _ => vec![],
    }
}

fn assumed_of_cover(
    cover: &CoverConfig,
    action: Action,
    value: Option<&Json>,
    known: &Known<'_>,
) -> Vec<Reported> {
    let percent = match action {
        Action::Open => Some(100),
        Action::Close => Some(0),
        Action::Set => value.and_then(percent),
        // Where it stopped nobody knows; that it no longer moves is what was asked.
        Action::Stop => {
            let moved = matches!(known.word(), Some("opening" | "closing") | None);
            return if moved {
                vec![Reported::State(Some(Value::word("stopped")))]
            } else {
                vec![]
            };
        }
        _ => None,
    };
    let Some(percent) = percent else {
        return vec![];
    };
    let word = if percent == 0 { "closed" } else { "open" };
    let mut parts = vec![Reported::State(Some(Value::word(word)))];
    if cover.has_position() {
        parts.insert(
            0,
            Reported::Attribute(POSITION.to_owned(), json_number(f64::from(percent))),
        );
    }
    parts
}
