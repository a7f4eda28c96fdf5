//! What went wrong lately, for the system page: a bounded list in memory.
//!
//! Owner of the list and of what may stand in it. It must never hold a secret, nor
//! a character that could make a line look like another.

use iothome_engine::time::Timestamp;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Lines kept: more than anybody reads, and small in memory.
pub const WARNINGS_MAX: usize = 200;
/// Longest line, in characters.
const TEXT_MAX: usize = 600;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Worth a look.
    Warning,
    /// Something did not work.
    Error,
}

impl Severity {
    /// The word in REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Grows with every line and repetition in this run of the program.
    pub number: u64,
    /// When it was last said.
    pub at: Timestamp,
    /// How bad it is.
    pub severity: Severity,
    /// Which part of the program said it.
    pub part: String,
    /// What it said.
    pub text: String,
    /// How often in a row it said the same.
    pub times: u64,
}

/// The last lines. Clones share them.
#[derive(Clone, Default)]
pub struct Warnings {
    ring: Arc<Mutex<Ring>>,
}

#[derive(Default)]
struct Ring {
    number: u64,
    lines: VecDeque<Warning>,
}

impl Warnings {
    /// Adds a line; the same one again is counted, not repeated. The text is made harmless:
    /// secrets in addresses are taken out, control characters shown, the length bounded.
    pub fn note(&self, at: Timestamp, severity: Severity, part: &str, text: &str) {
        let text = harmless(text);
        let mut ring = self.lock();
        ring.number += 1;
        let number = ring.number;
        if let Some(last) = ring.lines.back_mut()
            && last.text == text
            && last.part == part
        {
            (last.number, last.at, last.times) = (number, at, last.times + 1);
            return;
        }
        if ring.lines.len() == WARNINGS_MAX {
            ring.lines.pop_front();
        }
        ring.lines.push_back(Warning {
            number,
            at,
            severity,
            part: part.to_owned(),
            text,
            times: 1,
        });
    }

    /// The number of the last line: another one means that something is new.
    pub fn last_number(&self) -> u64 {
        self.lock().number
    }

    /// The lines, the newest first.
    pub fn newest_first(&self) -> Vec<Warning> {
        self.lock().lines.iter().rev().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // A line is whole or not there, so a panic elsewhere cannot have torn the list.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Warnings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Warnings")
            .field("last", &self.last_number())
            .finish()
    }
}

fn harmless(text: &str) -> String {
    let bounded: String = text.chars().take(TEXT_MAX + 1).collect();
    let mut clean: String = without_passwords(&bounded).chars().map(visible).collect();
    if bounded.chars().count() > TEXT_MAX {
        clean = clean.chars().take(TEXT_MAX).collect();
        clean.push('…');
    }
    clean
}

/// Control characters and those that turn the direction of writing are shown as boxes.
fn visible(c: char) -> char {
    match c {
        '\n' | '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}

/// Takes the password out of every `scheme://user:password@host`.
fn without_passwords(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '?' | '#'))
            .unwrap_or(after.len());
        let authority = &after[..end];
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                clean.push_str(user.split(':').next().unwrap_or_default());
                clean.push_str(":…@");
                clean.push_str(host);
            }
            None => clean.push_str(authority),
        }
        rest = &after[end..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(warnings: &Warnings, text: &str) {
        warnings.note(Timestamp::from_millis(1), Severity::Warning, "hub", text);
    }

    #[test]
    fn the_list_is_bounded_and_the_newest_come_first() {
        let warnings = Warnings::default();
        for n in 0..=WARNINGS_MAX {
            note(&warnings, &n.to_string());
        }
        let lines = warnings.newest_first();
        assert_eq!(lines.len(), WARNINGS_MAX);
        assert_eq!(lines[0].text, WARNINGS_MAX.to_string());
        assert_eq!(lines[WARNINGS_MAX - 1].text, "1");
    }

    #[test]
    fn the_same_again_is_counted_and_is_still_news() {
        let warnings = Warnings::default();
        note(&warnings, "away");
        let seen = warnings.last_number();
        note(&warnings, "away");
        note(&warnings, "back");
        let lines = warnings.newest_first();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1].times, 2);
        assert!(warnings.last_number() > seen);
    }

    #[test]
    fn a_line_holds_no_password_and_cannot_pretend_to_be_another() {
        let warnings = Warnings::default();
        note(
            &warnings,
            "cannot reach mqtts://hub:s3cr:et@p@broker:8883/x and \"postgres://u:pw@db\"",
        );
        note(&warnings, "one\r\nERROR two \u{1b}[31m \u{202e}drow");
        note(&warnings, &"x".repeat(5_000));
        let texts: Vec<String> = warnings
            .newest_first()
            .into_iter()
            .map(|w| w.text)
            .collect();
        assert_eq!(
            texts[2],
            "cannot reach mqtts://hub:…@broker:8883/x and \"postgres://u:…@db\""
        );
        assert_eq!(texts[1], "one\u{fffd} ERROR two \u{fffd}[31m \u{fffd}drow");
        assert_eq!(texts[0].chars().count(), TEXT_MAX + 1);
    }
}
