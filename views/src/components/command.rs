//! Commands as people read them: what is under way and how it ended.
//!
//! Owner of those lines. It must never call a command done before it has its end.

use super::{Look, Tone};
use crate::icons::Icon;
use crate::texts::Texts;
use crate::time::{self, When};
use iothome_engine::command::Status;
use iothome_engine::ids::CommandId;
use maud::{Markup, html};

/// A command without an end.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingLine {
    /// What is being done: "Setting to 40 %".
    pub doing: String,
    /// How far it is.
    pub step: Status,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeLine {
    /// Which command.
    pub command: CommandId,
    /// What was asked: "Turn on".
    pub asked: String,
    /// How it ended.
    pub status: Status,
    /// Latency, formatted, in milliseconds, where it tells something.
    pub latency_ms: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
    /// When.
    pub when: When,
}

/// A command in the list of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandLine {
    /// Its id.
    pub id: CommandId,
    /// The entity's name.
    pub entity: String,
    /// What was asked: "Set to 40 %".
    pub asked: String,
    /// Who or what asked, in words.
    pub cause: String,
    /// How far it came.
    pub status: Status,
    /// Latency, formatted, in milliseconds.
    pub latency_ms: Option<String>,
    /// Why it ended so, in words.
    pub reason: Option<String>,
    /// When it was accepted.
    pub accepted: When,
}

/// The three steps of a pending command, in words, with the current one marked.
pub fn pending(look: Look<'_>, line: &PendingLine) -> Markup {
    let t = look.t;
    let steps = [Status::Accepted, Status::Sent, Status::Acknowledged];
    html! {
        p.outcome.pending {
            span.spinner aria-hidden="true" {}
            span { bdi { (line.doing) } " – " (t.words.status_word(line.step)) }
            span.steps aria-hidden="true" {
                @for step in steps { i.done[step <= line.step] {} }
            }
        }
    }
}

/// The end of the last command.
pub fn outcome(look: Look<'_>, line: &OutcomeLine) -> Markup {
    let (tone, icon) = of_end(line.status);
    html! {
        p.outcome.(tone.class()) data-command=(line.command) {
            (icon.draw())
            span {
                bdi { (line.asked) } " – "
                (ending(look.t, line.status, line.latency_ms.as_deref(), line.reason.as_deref()))
            }
            " " (time::ago(&line.when))
        }
    }
}

/// "confirmed in 9 ms", "rejected: jammed", "timed out: the device did not confirm".
pub fn ending(t: &Texts, status: Status, latency_ms: Option<&str>, reason: Option<&str>) -> Markup {
    html! {
        (t.words.status_word(status))
        @if let Some(ms) = latency_ms { " " (t.entity.ended_in) " " span.figure { (ms) " ms" } }
        @if let Some(reason) = reason { (t.entity.ended_because) " " bdi { (reason) } }
    }
}

/// One command of the list.
pub fn row(t: &Texts, line: &CommandLine) -> Markup {
    let (tone, icon) = of_end(line.status);
    html! {
        li.command id=(format!("command-{}", line.id)) {
            span.badge.(tone.class()) { (icon.draw()) }
            div.what {
                p { b { bdi { (line.entity) } } " · " bdi { (line.asked) } }
                p.(tone.class()) {
                    (ending(t, line.status, line.latency_ms.as_deref(), line.reason.as_deref()))
                }
            }
            p.who { bdi { (line.cause) } br; (time::ago(&line.accepted)) }
        }
    }
}

/// How an end is to be taken.
pub const fn tone(status: Status) -> Tone {
    of_end(status).0
}

const fn of_end(status: Status) -> (Tone, Icon) {
    match status {
        Status::Confirmed => (Tone::Good, Icon::Check),
        Status::Delivered => (Tone::Calm, Icon::Check),
        Status::Rejected => (Tone::Bad, Icon::Cross),
        Status::TimedOut => (Tone::Notice, Icon::Clock),
        Status::Superseded => (Tone::Dim, Icon::Minus),
        Status::Unavailable => (Tone::Notice, Icon::Away),
        Status::Accepted | Status::Sent | Status::Acknowledged => (Tone::Calm, Icon::Clock),
    }
}
