//! The home page: what is going on, favourites, rooms with a card per device.
//!
//! Owner of what stands where. It must never show a device the viewer may not see;
//! its view-model holds none.

mod search;
mod section;
mod summary;

pub use search::{Choice, Portion, Search};
pub use section::{RoomHead, Section, Turned, head, turned};
pub use summary::{Counts, NextUp, Summary, summary};

use crate::components::Look;
use crate::components::card::DeviceCard;
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer, waiting_words};
use crate::links::{self, Back};
use crate::texts::{Texts, fill};
use maud::{Markup, html};

/// The home page.
#[derive(Clone, Debug, Default)]
pub struct HomePage {
    /// Whether the viewer may see any device at all.
    pub inhabited: bool,
    /// What is going on.
    pub summary: Summary,
    /// What is searched for.
    pub search: Search,
    /// The viewer's favourites, in their order; none while something is searched for.
    pub favourites: Vec<DeviceCard>,
    /// Rooms in the household's order; "in no room" comes last.
    pub sections: Vec<Section>,
    /// Which portion of the devices this is, if they are too many for one page.
    pub portion: Option<Portion>,
    /// What became of "all off".
    pub turned: Option<Turned>,
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, home: &HomePage) -> Markup {
    let back = Back::home(&home.search.query);
    let look = Look {
        t,
        csrf: &viewer.csrf,
        back: &back,
    };
    let content = html! {
        h1.visually-hidden { (viewer.home) }
        (waiting(t, viewer))
        @if home.inhabited {
            div.overview {
                (summary(t, &home.summary))
                (search::form(t, &home.search))
            }
            (jumps(t, home))
            (found(t, home))
            (favourites(look, home))
            @for section in &home.sections { (section::draw(look, section, home.turned.as_ref())) }
            @if let Some(portion) = &home.portion { (search::portions(t, portion)) }
            @if viewer.admin && !home.search.is_active() {
                p.arrange { a.button.quiet href=(links::ROOMS) { (t.home.arrange_rooms) } }
            }
        } @else {
            (empty(t, viewer))
        }
    };
    Shell {
        t,
        viewer,
        title: t.frame.nav_home,
        here: Here::Home,
        live: Some(live),
    }
    .page(&content)
}

fn waiting(t: &Texts, viewer: &Viewer) -> Markup {
    html! {
        div #waiting {
            @if viewer.waiting > 0 {
                a.banner.calm href=(links::NEW_DEVICES) {
                    (Icon::Plus.draw()) span { (waiting_words(t, viewer.waiting)) }
                }
            }
        }
    }
}

/// Links to the rooms, where there are enough of them to get lost. Where the page holds only a
/// portion of the house, they lead to the room alone.
fn jumps(t: &Texts, home: &HomePage) -> Markup {
    let rooms = &home.search.rooms;
    html! {
        nav #rooms .jumps aria-label=(t.home.rooms) {
            @if rooms.len() > 1 && !home.search.is_active() {
                @for room in rooms {
                    @let here = home.portion.is_none();
                    a href=(if here { format!("#{}", section::anchor(&room.value)) } else { format!("/?room={}", room.value) }) {
                        @if let Some(symbol) = room.symbol { (symbol.draw()) }
                        bdi { (room.name) }
                    }
                }
            }
        }
    }
}

/// How many match, and the way back to all.
fn found(t: &Texts, home: &HomePage) -> Markup {
    let shown: usize = home.sections.iter().map(|s| s.devices.len()).sum();
    let count = home.portion.as_ref().map_or(shown, |p| p.of);
    let words = match count {
        0 => t.home.found_none.to_owned(),
        1 => t.home.found_one.to_owned(),
        many => fill(t.home.found_many, &many.to_string()),
    };
    html! {
        @if home.search.is_active() {
            p #found .found role="status" {
                span { (words) }
                a.button.quiet href=(links::HOME) { (t.home.clear) }
            }
        }
    }
}

fn favourites(look: Look<'_>, home: &HomePage) -> Markup {
    html! {
        @if !home.favourites.is_empty() {
            section.room #favourites aria-labelledby="favourites-name" {
                header.room-head {
                    h2 #favourites-name { (Icon::Star.draw()) span { (look.t.home.favourites) } }
                    a.button.quiet href=(links::FAVOURITES) { (look.t.home.arrange) }
                }
                div.cards {
                    @for device in &home.favourites { (device.draw(look)) }
                }
            }
        }
    }
}

fn empty(t: &Texts, viewer: &Viewer) -> Markup {
    html! {
        section.empty {
            (Icon::Home.draw())
            h2 { (t.home.empty) }
            @if viewer.admin {
                p { (t.home.empty_admin) }
                p.ways {
                    a.button.strong href=(links::FIRST_DEVICE) { (t.first_device.title) }
                    a.button href=(links::NEW_DEVICES) { (t.home.see_new) }
                }
            } @else {
                p { (t.home.empty_member) }
            }
        }
    }
}
