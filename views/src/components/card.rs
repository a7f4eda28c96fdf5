//! A device as a card of the home page.
//!
//! Owner of what a device shows at a glance: the entities the household uses.

use super::Look;
use super::entity::{EntityPanel, Trouble};
use super::star::star;
use crate::links;
use crate::symbols::Symbol;
use crate::texts::fill;
use iothome_engine::ids::DeviceId;
use maud::{Markup, html};

/// A device, ready to be shown as a card.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceCard {
    /// Its id.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// The picture that a person chose for it.
    pub symbol: Option<Symbol>,
    /// Its room, where the card stands outside it.
    pub room: Option<String>,
    /// Whether it is a favourite of the viewer.
    pub dear: bool,
    /// What to know before believing it: away, quarantined, sender not verified.
    pub troubles: Vec<Trouble>,
    /// The entities shown.
    pub entities: Vec<EntityPanel>,
    /// How many more of those that the household uses its page shows.
    pub more: usize,
}

impl DeviceCard {
    /// The card, which is also the fragment of the live stream.
    pub fn draw(&self, look: Look<'_>) -> Markup {
        // One entity that bears the device's name needs no row of its own.
        let single = matches!(self.entities.as_slice(), [only] if only.name == self.name);
        html! {
            article.card.single[single] id=(links::card_anchor(&self.id)) {
                header {
                    @if let Some(symbol) = self.symbol { span.picture { (symbol.draw()) } }
                    h3.name {
                        a href=(links::device(&self.id)) {
                            bdi.clamp { (self.name) }
                            @if let Some(room) = &self.room {
                                span.where { (room_words(look, room)) }
                            }
                        }
                    }
                    @if self.more > 0 {
                        a.more-link href=(links::device(&self.id)) tabindex="-1" {
                            (fill(look.t.home.more_entities, &self.more.to_string()))
                        }
                    }
                    (star(look, &self.id, &self.name, self.dear))
                }
                @for trouble in &self.troubles { (trouble.draw()) }
                @for entity in &self.entities { (entity.draw(look)) }
                @if self.entities.is_empty() {
                    p.empty-line { (look.t.home.no_entities) }
                }
            }
        }
    }
}

/// "in Kitchen", with the name kept apart, whatever way it is written.
fn room_words(look: Look<'_>, room: &str) -> Markup {
    let (before, after) = look.t.home.in_room.split_once("{}").unwrap_or_default();
    html! { (before) bdi { (room) } (after) }
}
