//! Search and filter of the home page, and the way through a large house.
//!
//! Owner of that form: a plain GET, so that what was found has an address.

use crate::icons::Icon;
use crate::links;
use crate::symbols::Symbol;
use crate::texts::{Texts, fill};
use maud::{Markup, html};

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The word in the address.
    pub value: String,
    /// What it is called.
    pub name: String,
    /// Its picture.
    pub symbol: Option<Symbol>,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The text.
    pub text: String,
    /// Rooms to choose from, in the household's order.
    pub rooms: Vec<Choice>,
    /// Kinds to choose from.
    pub kinds: Vec<Choice>,
    /// States to choose from.
    pub states: Vec<Choice>,
    /// The whole of it as the query of an address; empty if nothing is searched for.
    pub query: String,
    /// Whether anything is searched for; a room that is not among the choices counts.
    pub active: bool,
}

/// Which portion of many devices a page holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portion {
    /// The first device, from 1.
    pub from: usize,
    /// The last device.
    pub to: usize,
    /// How many there are.
    pub of: usize,
    /// The portion before.
    pub before: Option<String>,
    /// The portion after.
    pub after: Option<String>,
}

impl Search {
    /// Whether anything is searched for.
    pub const fn is_active(&self) -> bool {
        self.active
    }

    fn is_filtered(&self) -> bool {
        let mut choices = self.rooms.iter().chain(&self.kinds).chain(&self.states);
        choices.any(|choice| choice.chosen)
    }
}

/// The form.
pub(super) fn form(t: &Texts, search: &Search) -> Markup {
    let t = &t.home;
    html! {
        form.search role="search" method="get" action=(links::HOME) data-get {
            div.search-line {
                label.search-field {
                    span.visually-hidden { (t.search_label) }
                    (Icon::Search.draw())
                    input type="search" name="q" value=[(!search.text.is_empty()).then_some(&search.text)]
                        placeholder=(t.search) maxlength="100" autocomplete="off" enterkeyhint="search" dir="auto";
                }
                button.button.visually-hidden-unless-focused { (t.search) }
            }
            details.filter open[search.is_filtered()] {
                summary { (Icon::Filter.draw()) span { (t.filter) } }
                div.filters {
                    (select(t.filter_room, "room", t.all_rooms, &search.rooms))
                    (select(t.filter_kind, "kind", t.all_kinds, &search.kinds))
                    (select(t.filter_state, "state", t.all_states, &search.states))
                    button.button { (t.apply) }
                }
            }
        }
    }
}

fn select(label: &str, name: &str, all: &str, choices: &[Choice]) -> Markup {
    let id = format!("filter-{name}");
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) {
                option value="" { (all) }
                @for choice in choices {
                    option value=(choice.value) selected[choice.chosen] { (choice.name) }
                }
            }
        }
    }
}

/// "Devices 201–400 of 5000", and the ways on and back.
pub(super) fn portions(t: &Texts, portion: &Portion) -> Markup {
    let numbers = [portion.from, portion.to, portion.of];
    let words = numbers.iter().fold(t.home.portion.to_owned(), |words, n| {
        fill(&words, &n.to_string())
    });
    html! {
        nav.portions aria-label=(t.home.portions) {
            @if let Some(before) = &portion.before {
                a.button href=(before) rel="prev" { (t.home.before) }
            }
            p { (words) }
            @if let Some(after) = &portion.after {
                a.button href=(after) rel="next" { (t.home.after) }
            }
        }
    }
}
