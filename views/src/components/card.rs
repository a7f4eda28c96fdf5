//! A device as a card of the home page.
//!
//! Owner of what a device shows at a glance: the entities the household uses.

use super::Look;
use super::entity::{EntityPanel, Trouble};
use crate::links;
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
    /// What to know before believing it: away, quarantined, sender not verified.
    pub troubles: Vec<Trouble>,
    /// The entities shown.
    pub entities: Vec<EntityPanel>,
    /// How many more its page shows.
    pub more: usize,
}

impl DeviceCard {
    /// The card, which is also the fragment of the live stream.
    pub fn draw(&self, look: Look<'_>) -> Markup {
        html! {
            article.card id=(links::card_anchor(&self.id)) {
                header {
                    h3.name { a href=(links::device(&self.id)) { bdi.clamp { (self.name) } } }
                    @if self.more > 0 {
                        a.more-link href=(links::device(&self.id)) tabindex="-1" {
                            (fill(look.t.home.more_entities, &self.more.to_string()))
                        }
                    }
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
