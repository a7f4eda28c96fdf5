//! Kinds of entities and the actions that can be asked of them.
//!
//! Owner of the two word lists. A new kind is a new variant here, a new detail
//! in `config`, and its codec in `wire`; nothing else may list kinds by hand.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What sort of thing an entity is: the component of Home Assistant's MQTT discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// On or off.
    Switch,
    /// On or off, perhaps with brightness.
    Light,
    /// A value that is read.
    Sensor,
    /// Something that is so or is not: a door contact, motion.
    BinarySensor,
    /// A number that can be set.
    Number,
    /// One of several options.
    Select,
    /// Something that can only be pressed.
    Button,
    /// A blind, shutter or garage door.
    Cover,
    /// A lock.
    Lock,
}

impl Kind {
    /// Every kind, in the order pages list them.
    pub const ALL: [Self; 9] = [
        Self::Switch,
        Self::Light,
        Self::Cover,
        Self::Lock,
        Self::Number,
        Self::Select,
        Self::Button,
        Self::BinarySensor,
        Self::Sensor,
    ];

    /// The word used in REST, SQL and discovery topics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Light => "light",
            Self::Sensor => "sensor",
            Self::BinarySensor => "binary_sensor",
            Self::Number => "number",
            Self::Select => "select",
            Self::Button => "button",
            Self::Cover => "cover",
            Self::Lock => "lock",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is not in its list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a known {what}; known are: {known}")]
pub struct UnknownWord {
    /// What was expected: `kind`, `action`.
    pub what: &'static str,
    /// The word that was given, cut to a sane length.
    pub word: String,
    /// The words that are allowed, separated by commas.
    pub known: String,
}

impl FromStr for Kind {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|k| k.as_str() == text)
            .ok_or_else(|| UnknownWord {
                what: "kind",
                word: text.chars().take(64).collect(),
                known: Self::ALL.map(Self::as_str).join(", "),
            })
    }
}

/// What can be asked of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Switch on.
    TurnOn,
    /// Switch off.
    TurnOff,
    /// The other of on and off; resolved when the command is accepted.
    Toggle,
    /// Set a value: number, option, brightness, position.
    Set,
    /// Press a button.
    Press,
    /// Open a cover.
    Open,
    /// Close a cover.
    Close,
    /// Stop a cover where it is.
    Stop,
    /// Lock.
    Lock,
    /// Unlock.
    Unlock,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 10] = [
        Self::TurnOn,
        Self::TurnOff,
        Self::Toggle,
        Self::Set,
        Self::Press,
        Self::Open,
        Self::Close,
        Self::Stop,
        Self::Lock,
        Self::Unlock,
    ];

    /// The word used in REST and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TurnOn => "turn_on",
            Self::TurnOff => "turn_off",
            Self::Toggle => "toggle",
            Self::Set => "set",
            Self::Press => "press",
            Self::Open => "open",
            Self::Close => "close",
            Self::Stop => "stop",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
        }
    }

    /// Whether asking twice is the same as asking once (so it may be sent again after a crash).
    ///
    /// `toggle` is not: it is resolved to one that is when it is accepted.
    pub const fn is_absolute(self) -> bool {
        !matches!(self, Self::Toggle | Self::Press)
    }

    /// Whether a person's or client's command must be durable before it is published.
    pub const fn is_durable_first(self) -> bool {
        matches!(self, Self::Press | Self::Toggle | Self::Unlock)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|a| a.as_str() == text)
            .ok_or_else(|| UnknownWord {
                what: "action",
                word: text.chars().take(64).collect(),
                known: Self::ALL.map(Self::as_str).join(", "),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_action_reads_back_from_its_word() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(action));
            assert_eq!(
                serde_json::to_value(action).ok(),
                Some(action.as_str().into())
            );
        }
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_list_of_known_ones() {
        let error = "explode".parse::<Action>().expect_err("no such action");
        assert!(error.to_string().contains("turn_on, turn_off"));
    }
}
