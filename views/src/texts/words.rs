//! Words that depend on a kind, a class, an action or a status.
//!
//! Owner of the shape of those lookups; a language supplies the functions. It must
//! never decide anything but wording.

use crate::symbols::Symbol;
use iothome_engine::command::Status;
use iothome_engine::kind::{Action, Kind};

/// The lookups of one language.
pub struct Words {
    /// A kind, as a household would name it: `binary_sensor` → "Contact or detector".
    pub kind: fn(Kind) -> &'static str,
    /// A binary sensor's state in the words of its class: (`door`, true) → "Open".
    pub binary: fn(Option<&str>, bool) -> &'static str,
    /// A known state word of a cover, lock, switch or light; `None` for a word of the device's own.
    pub state: fn(Kind, &str) -> Option<&'static str>,
    /// What was asked, as a heading: "Turn on", "Set".
    pub action: fn(Action) -> &'static str,
    /// What is under way: "Turning on", "Setting".
    pub doing: fn(Action) -> &'static str,
    /// How far or how it ended: "sent", "timed out".
    pub status: fn(Status) -> &'static str,
    /// What a picture shows, for whoever chooses one.
    pub symbol: fn(Symbol) -> &'static str,
    /// A reason code in words; `None` for the device's own word, which is shown as it is.
    pub reason: fn(&str) -> Option<&'static str>,
}

impl Words {
    /// How far a command came or how it ended.
    pub fn status_word(&self, status: Status) -> &'static str {
        (self.status)(status)
    }
}
