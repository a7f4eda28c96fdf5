//! A room of the home page: its head, "all off", its cards.
//!
//! Owner of the head, which is also a fragment of the live stream.

use super::Counts;
use crate::components::card::DeviceCard;
use crate::components::{Look, form};
use crate::icons::Icon;
use crate::links;
use crate::symbols::Symbol;
use crate::texts::{Texts, fill};
use iothome_engine::ids::DeviceId;
use maud::{Markup, html};

/// What stands over a room's cards.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomHead {
    /// The room's id; `none` for "in no room".
    pub id: String,
    /// Its name; `None` for "in no room".
    pub name: Option<String>,
    /// Its picture.
    pub symbol: Option<Symbol>,
    /// What is going on in it.
    pub counts: Counts,
    /// Whether the viewer may turn off something that is on.
    pub may_turn_off: bool,
}

/// A room with the devices that are shown of it.
#[derive(Clone, Debug)]
pub struct Section {
    /// What stands over it.
    pub head: RoomHead,
    /// Its devices, in the household's order.
    pub devices: Vec<DeviceCard>,
    /// Those of its devices that stand among the favourites.
    pub dear: Vec<(DeviceId, String)>,
}

/// What became of "all off".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// In which room.
    pub room: String,
    /// Entities that were asked.
    pub asked: usize,
    /// Entities that the viewer may not control.
    pub skipped: usize,
    /// Entities that are away.
    pub unreached: usize,
    /// Entities that could not be asked.
    pub failed: usize,
}

/// The element id of a room's section.
pub(super) fn anchor(room: &str) -> String {
    format!("room-{room}")
}

/// The section.
pub(super) fn draw(look: Look<'_>, section: &Section, told: Option<&Turned>) -> Markup {
    let id = &section.head.id;
    let anchor = anchor(id);
    html! {
        section.room id=(anchor) aria-labelledby=(format!("{anchor}-name")) {
            (head(look, &section.head))
            (turned(look.t, id, told.filter(|told| told.room == *id)))
            div.cards {
                @for device in &section.devices { (device.draw(look)) }
            }
            @if !section.dear.is_empty() {
                p.also {
                    (look.t.home.also_here)
                    @for (id, name) in &section.dear {
                        " " a href=(format!("#{}", links::card_anchor(id))) { bdi { (name) } }
                    }
                }
            }
        }
    }
}

/// What stands over a room's cards.
pub fn head(look: Look<'_>, room: &RoomHead) -> Markup {
    let t = look.t;
    let anchor = anchor(&room.id);
    let name = room.name.as_deref().unwrap_or(t.home.no_room);
    let facts = [
        (t.home.on, room.counts.on),
        (t.home.open, room.counts.open),
        (t.home.away, room.counts.away),
    ];
    let facts = facts.into_iter().filter(|(_, count)| *count > 0);
    let facts: Vec<String> = facts
        .map(|(words, n)| fill(words, &n.to_string()))
        .collect();
    html! {
        header.room-head id=(format!("{anchor}-head")) {
            h2 id=(format!("{anchor}-name")) {
                @if let Some(symbol) = room.symbol { (symbol.draw()) }
                bdi.clamp { (name) }
            }
            p.room-facts { (facts.join(" · ")) }
            @if room.may_turn_off {
                form.all-off method="post" action=(links::room_off(&room.id)) data-fetch {
                    (form::hidden(look))
                    button.button title=(t.home.off_hint) aria-label=(fill(t.home.off_in, name)) { (Icon::Power.draw()) span { (t.home.off) } }
                }
            }
        }
    }
}

/// What became of "all off", read out when it appears.
pub fn turned(t: &Texts, room: &str, told: Option<&Turned>) -> Markup {
    html! {
        p.told id=(format!("told-{room}")) role="status" {
            @if let Some(told) = told { (turned_words(t, told)) }
        }
    }
}

fn turned_words(t: &Texts, told: &Turned) -> String {
    let t = &t.home;
    let count = |n: usize, one: &str, many: &str| match n {
        0 => None,
        1 => Some(one.to_owned()),
        n => Some(fill(many, &n.to_string())),
    };
    let sentences = [
        count(told.asked, t.off_one, t.off_many),
        count(told.skipped, t.skipped_one, t.skipped_many),
        count(told.unreached, t.unreached_one, t.unreached_many),
        count(told.failed, t.failed_one, t.failed_many),
    ];
    let sentences: Vec<String> = sentences.into_iter().flatten().collect();
    if sentences.is_empty() {
        return t.off_none.to_owned();
    }
    sentences.join(" ")
}
