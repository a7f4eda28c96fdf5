//! The star that makes a device a favourite.
//!
//! Owner of that one form. It must never say that a device is a favourite before it is.

use super::{Look, form};
use crate::icons::Icon;
use crate::links;
use crate::texts::fill;
use iothome_engine::ids::DeviceId;
use maud::{Markup, html};

/// The star of a device, which is also the fragment that its form is answered with.
pub fn star(look: Look<'_>, device: &DeviceId, name: &str, dear: bool) -> Markup {
    html! {
        form.star-form id=(format!("star-{device}")) method="post" action=(links::favourite(device)) data-fetch {
            (form::hidden(look))
            button.star id=(format!("star-{device}-button")) name="dear" value=(if dear { "no" } else { "yes" }) aria-pressed=(dear.to_string())
                aria-label=(fill(look.t.home.favourite, name)) { (Icon::Star.draw()) }
        }
    }
}
