//! What is going on in the house, in one line.
//!
//! Owner of that line, which is also a fragment of the live stream.

use crate::components::Tone;
use crate::icons::Icon;
use crate::links;
use crate::texts::{Texts, fill};
use crate::time::{self, When};
use maud::{Markup, html};

/// How many devices are so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// On, by their own word.
    pub on: usize,
    /// Open or unlocked, by their own word.
    pub open: usize,
    /// Not to be reached.
    pub away: usize,
}

/// What a schedule does next.
#[derive(Clone, Debug, PartialEq)]
pub struct NextUp {
    /// The schedule's name.
    pub name: String,
    /// When.
    pub when: When,
    /// Its page.
    pub href: String,
}

/// What is going on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Of all devices the viewer may see.
    pub counts: Counts,
    /// What is scheduled next.
    pub next: Option<NextUp>,
}

/// The line: each part leads to what it counts.
pub fn summary(t: &Texts, what: &Summary) -> Markup {
    let counts = &what.counts;
    html! {
        ul #summary .summary aria-label=(t.home.summary) {
            @if counts.on + counts.open == 0 {
                li { span.chip.calm { (Icon::Check.draw()) span { (t.home.calm) } } }
            }
            (chip(Tone::Active, Icon::Power, t.home.on, counts.on, "on"))
            (chip(Tone::Notice, Icon::DoorOpen, t.home.open, counts.open, "open"))
            (chip(Tone::Dim, Icon::Away, t.home.away, counts.away, "away"))
            @if let Some(next) = &what.next {
                li {
                    a.chip.calm href=(next.href) {
                        (Icon::Clock.draw())
                        span { (t.home.next) " " bdi { (next.name) } " " (time::at(&next.when)) }
                    }
                }
            }
        }
    }
}

fn chip(tone: Tone, icon: Icon, words: &str, count: usize, state: &str) -> Markup {
    html! {
        @if count > 0 {
            li {
                a.chip.(tone.class()) href=(format!("{}?state={state}", links::HOME)) {
                    (icon.draw()) span { (fill(words, &count.to_string())) }
                }
            }
        }
    }
}
