//! The home page: rooms with a card per device.
//!
//! Owner of the order of rooms. It must never show a device the viewer may not see;
//! its view-model holds none.

use crate::components::Look;
use crate::components::card::DeviceCard;
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer, waiting_words};
use crate::links::{self, Back};
use crate::texts::Texts;
use maud::{Markup, html};

/// The home page.
#[derive(Clone, Debug, Default)]
pub struct HomePage {
    /// Rooms in the order they are shown; a `None` name is "no room" and comes last.
    pub rooms: Vec<Room>,
}

/// A room with its devices.
#[derive(Clone, Debug)]
pub struct Room {
    /// Its name.
    pub name: Option<String>,
    /// Its devices by name.
    pub devices: Vec<DeviceCard>,
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, home: &HomePage) -> Markup {
    let look = Look {
        t,
        csrf: &viewer.csrf,
        back: &Back::Home,
    };
    let content = html! {
        h1.visually-hidden { (viewer.home) }
        (waiting(t, viewer))
        @if home.rooms.is_empty() {
            (empty(t, viewer))
        } @else {
            (jumps(t, home))
            @for (number, room) in home.rooms.iter().enumerate() { (section(look, number, room)) }
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

/// Links to the rooms, where there are enough of them to get lost.
fn jumps(t: &Texts, home: &HomePage) -> Markup {
    html! {
        nav #rooms .jumps aria-label=(t.home.rooms) {
            @if home.rooms.len() > 1 {
                @for (number, room) in home.rooms.iter().enumerate() {
                    a href=(format!("#room-{number}")) { bdi { (room_name(t, room)) } }
                }
            }
        }
    }
}

fn section(look: Look<'_>, number: usize, room: &Room) -> Markup {
    html! {
        section.room id=(format!("room-{number}")) aria-labelledby=(format!("room-{number}-name")) {
            h2 id=(format!("room-{number}-name")) { bdi.clamp { (room_name(look.t, room)) } }
            div.cards {
                @for device in &room.devices { (device.draw(look)) }
            }
        }
    }
}

fn room_name<'a>(t: &'a Texts, room: &'a Room) -> &'a str {
    room.name.as_deref().unwrap_or(t.home.no_room)
}

fn empty(t: &Texts, viewer: &Viewer) -> Markup {
    html! {
        section.empty {
            (Icon::Home.draw())
            h2 { (t.home.empty) }
            @if viewer.admin {
                p { (t.home.empty_admin) }
                p { a.button href=(links::BROKER) { (t.broker.title) } " " a.button href=(links::NEW_DEVICES) { (t.home.see_new) } }
            } @else {
                p { (t.home.empty_member) }
            }
        }
    }
}
