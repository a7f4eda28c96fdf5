//! A device's card, and what to know of a device before believing it.
//!
//! Owner of what a card leaves out.

use super::{Reading, entity};
use iothome_engine::view::{Availability, DeviceView, Health};
use iothome_views::components::Tone;
use iothome_views::components::card::DeviceCard;
use iothome_views::components::control::Control;
use iothome_views::components::entity::Trouble;
use iothome_views::icons::Icon;
use iothome_views::symbols::Symbol;
use iothome_views::texts::{Texts, fill};

/// Entities on a card: what is seen at a glance; the device page shows all.
const CARD_ENTITIES: usize = 4;

/// How dear a device is to the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dearness {
    /// Not more than others.
    No,
    /// A favourite whose card stands in its room.
    InPlace,
    /// A favourite whose card stands among the favourites, and so says its room.
    Apart,
}

/// The card of the home page.
pub(crate) fn card(reading: Reading<'_>, device: &DeviceView, dear: Dearness) -> DeviceCard {
    let used = device.entities.iter().filter(|e| e.category.is_none());
    let count = used.clone().count();
    let mut entities: Vec<_> = used
        .take(CARD_ENTITIES)
        .map(|e| entity::panel(reading, device, e))
        .collect();
    if let [only] = entities.as_mut_slice()
        && only.control != Control::Button
    {
        // The card's own name says it: "Reading lamp", not "Reading lamp, Light".
        only.name.clone_from(&device.name);
    }
    DeviceCard {
        id: device.id.clone(),
        name: device.name.clone(),
        symbol: device.icon.as_deref().and_then(Symbol::from_word),
        room: device.room.clone().filter(|_| dear == Dearness::Apart),
        dear: dear != Dearness::No,
        troubles: troubles(reading.t, device).collect(),
        more: count - entities.len(),
        entities,
    }
}

/// What to know of the device before believing it.
pub(super) fn troubles(t: &'static Texts, device: &DeviceView) -> impl Iterator<Item = Trouble> {
    let health = match device.health {
        Health::Ok => None,
        Health::Quarantined => Some(Trouble {
            tone: Tone::Bad,
            icon: Icon::Shield,
            words: device.reason.as_deref().map_or_else(
                || t.entity.quarantined_unknown.to_owned(),
                |reason| fill(t.entity.quarantined, reason),
            ),
        }),
        Health::NotAnnounced => Some(Trouble {
            tone: Tone::Notice,
            icon: Icon::Question,
            words: t.entity.not_announced.to_owned(),
        }),
    };
    let reach = match device.availability {
        Availability::Online => None,
        Availability::Offline => Some((Tone::Notice, Icon::Away, t.entity.away)),
        Availability::Unknown => Some((Tone::Dim, Icon::Question, t.entity.not_heard)),
        // Quarantine has said so already.
        Availability::Unavailable if device.health == Health::Quarantined => None,
        Availability::Unavailable => Some((Tone::Notice, Icon::Away, t.entity.hub_cannot_reach)),
    };
    let reach = reach.map(|(tone, icon, words)| Trouble {
        tone,
        icon,
        words: words.to_owned(),
    });
    // A device that was heard under some entity but tells no availability is not "not heard of".
    let heard = device.entities.iter().any(|e| entity::is_heard(e));
    let reach = reach.filter(|_| device.availability != Availability::Unknown || !heard);
    let unverified = (!device.sender_verified).then(|| Trouble {
        tone: Tone::Notice,
        icon: Icon::Shield,
        words: t.entity.sender_not_verified.to_owned(),
    });
    health.into_iter().chain(reach).chain(unverified)
}
