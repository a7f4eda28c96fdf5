//! The choice of a picture for a room or a device.
//!
//! Owner of that part of a form: radio buttons, so that it works by keyboard and
//! without script. The chosen word is sent as `icon`; none is the empty word.

use crate::symbols::Symbol;
use crate::texts::Texts;
use maud::{Markup, html};

/// The field of the form.
pub const ICON_FIELD: &str = "icon";

/// The picker, folded away until somebody wants it. `id` tells two on one page apart.
pub fn picker(t: &Texts, id: &str, chosen: Option<Symbol>) -> Markup {
    let name = chosen.map_or(t.rooms.no_icon, |symbol| (t.words.symbol)(symbol));
    html! {
        details.picker {
            summary {
                span { (t.rooms.icon) ": " }
                @if let Some(symbol) = chosen { (symbol.draw()) }
                span { (name) }
            }
            fieldset.symbols {
                legend.visually-hidden { (t.rooms.choose_icon) }
                (choice(id, "", t.rooms.no_icon, None, chosen.is_none()))
                @for symbol in Symbol::ALL {
                    (choice(id, symbol.word(), (t.words.symbol)(symbol), Some(symbol), chosen == Some(symbol)))
                }
            }
        }
    }
}

fn choice(id: &str, word: &str, name: &str, symbol: Option<Symbol>, checked: bool) -> Markup {
    let id = format!("{id}-icon-{}", if word.is_empty() { "none" } else { word });
    html! {
        label.symbol for=(id) {
            input id=(id) type="radio" name=(ICON_FIELD) value=(word) checked[checked];
            @if let Some(symbol) = symbol { (symbol.draw()) }
            span { (name) }
        }
    }
}
