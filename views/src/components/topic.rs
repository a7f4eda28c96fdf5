//! Topics of the broker on a page.
//!
//! Owner of where a topic may break into lines: after a slash, never within a word.

use maud::{Markup, html};

/// A topic or filter.
pub fn topic(text: &str) -> Markup {
    html! {
        code.topic dir="ltr" { @for piece in text.split_inclusive('/') { (piece) wbr; } }
    }
}
