//! Conditions: what must hold at an occurrence.
//!
//! Owner of the condition's words and of its one judgement. It must never read a
//! state itself: what entities say arrives as an argument.

use super::trigger::{Days, Window};
use crate::ids::EntityRef;
use crate::value::Value;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Deepest nesting of `all`, `any` and `not`: more than anybody can read.
pub const DEPTH_MAX: usize = 8;
/// Most conditions of one schedule.
pub const CONDITIONS_MAX: usize = 50;

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// An entity's state.
    State {
        /// Of which entity.
        target: EntityRef,
        /// What it must be.
        test: Test,
        /// For at least how long, by what the hub saw.
        for_seconds: u32,
    },
    /// A time of day or days of the week, in the home's zone.
    Time {
        /// Local times of day; all if `None`.
        window: Option<Window>,
        /// Days of the week.
        days: Days,
    },
    /// The sun above or below the horizon of the home.
    Sun {
        /// Whether it must be up.
        up: bool,
    },
    /// All of these.
    All(Vec<Condition>),
    /// At least one of these.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
}

/// What a state must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal.
    Is(Value),
    /// Strictly between, if both are given; numbers only.
    Between {
        /// More than this.
        above: Option<f64>,
        /// Less than this.
        below: Option<f64>,
    },
}

impl Condition {
    /// Every entity that it asks about.
    pub fn entities(&self) -> Vec<&EntityRef> {
        match self {
            Self::State { target, .. } => vec![target],
            Self::Time { .. } | Self::Sun { .. } => Vec::new(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::entities).collect(),
            Self::Not(part) => part.entities(),
        }
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(None)?;
        match self {
            Self::State {
                target,
                test,
                for_seconds,
            } => {
                out.serialize_entry("kind", "state")?;
                out.serialize_entry("device", &target.device)?;
                out.serialize_entry("entity", &target.entity)?;
                write_test(&mut out, test)?;
                if *for_seconds > 0 {
                    out.serialize_entry("for_seconds", for_seconds)?;
                }
            }
            Self::Time { window, days } => {
                out.serialize_entry("kind", "time")?;
                if let Some(window) = window {
                    out.serialize_entry("from", &super::trigger::hm(window.from))?;
                    out.serialize_entry("to", &window.end())?;
                }
                if !days.is_all() {
                    out.serialize_entry("days", days)?;
                }
            }
            Self::Sun { up } => {
                out.serialize_entry("kind", "sun")?;
                out.serialize_entry("is", if *up { "up" } else { "down" })?;
            }
            Self::All(parts) => out.serialize_entry("all", parts)?,
            Self::Any(parts) => out.serialize_entry("any", parts)?,
            Self::Not(part) => out.serialize_entry("not", part)?,
        }
        out.end()
    }
}

fn write_test<M: SerializeMap>(out: &mut M, test: &Test) -> Result<(), M::Error> {
    match test {
        Test::Is(value) => out.serialize_entry("is", value),
        Test::Between { above, below } => {
            if let Some(above) = above {
                out.serialize_entry("above", &crate::value::json_number(*above))?;
            }
            match below {
                Some(below) => out.serialize_entry("below", &crate::value::json_number(*below)),
                None => Ok(()),
            }
        }
    }
}
