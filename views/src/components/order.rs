//! Up and down: how things are put in order, by finger and by keyboard.
//!
//! Owner of those two buttons. Both are always there, so that the keyboard's focus
//! is not lost when a thing reaches the end of its list.

use super::form;
use crate::icons::Icon;
use crate::texts::{Texts, fill};
use maud::{Markup, html};

/// Where a thing stands in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 0.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

/// The buttons that move a thing; `id` tells them apart on a page.
pub fn buttons(t: &Texts, csrf: &str, id: &str, name: &str, action: &str, place: Place) -> Markup {
    let first = place.index == 0;
    let last = place.index + 1 >= place.of;
    let button = |way: &str, icon: Icon, text: &str, end: bool| {
        html! {
            button.button.square id=(format!("{id}-{way}")) name="way" value=(way)
                aria-label=(fill(text, name)) aria-disabled=[end.then_some("true")] { (icon.draw()) }
        }
    };
    html! {
        form.order method="post" action=(action) data-fetch {
            (form::csrf(csrf))
            (button("up", Icon::Up, t.rooms.move_up, first))
            (button("down", Icon::Down, t.rooms.move_down, last))
        }
    }
}

/// "Kitchen is now number 2 of 5.", read out when it appears; who sees the list sees it there.
pub fn told(t: &Texts, moved: Option<(&str, Place)>) -> Markup {
    html! {
        p #told .visually-hidden role="status" {
            @if let Some((name, place)) = moved {
                @let words = fill(&fill(t.rooms.now_at, "\u{1}"), &(place.index + 1).to_string());
                // The name last: it may hold anything.
                (fill(&words, &place.of.to_string()).replace('\u{1}', name))
            }
        }
    }
}
