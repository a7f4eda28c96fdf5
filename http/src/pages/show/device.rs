//! Devices put into words: cards of the home page, the panel of the device page.
//!
//! Owner of what a card leaves out.

use super::Reading;
use super::entity;
use iothome_engine::policy::Right;
use iothome_engine::view::{Availability, Category, DeviceView, EntityView, Health};
use iothome_views::components::Tone;
use iothome_views::components::card::DeviceCard;
use iothome_views::components::control::Control;
use iothome_views::components::entity::{EntityPanel, Trouble};
use iothome_views::icons::Icon;
use iothome_views::pages::device::DevicePanel;
use iothome_views::symbols::Symbol;
use iothome_views::texts::{Texts, fill};
use std::sync::Arc;

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
        troubles: troubles(reading.t, device)
            .chain(unverified(reading.t, device))
            .collect(),
        more: count - entities.len(),
        entities,
    }
}

/// The live part of the device page.
pub(crate) fn panel(reading: Reading<'_>, device: &DeviceView) -> DevicePanel {
    let of = |wanted: Option<Category>| -> Vec<EntityPanel> {
        let those = device.entities.iter().filter(|e| e.category == wanted);
        those.map(|e| entity::panel(reading, device, e)).collect()
    };
    DevicePanel {
        id: device.id.clone(),
        name: device.name.clone(),
        room: device.room.clone(),
        troubles: troubles(reading.t, device)
            .chain(unverified(reading.t, device))
            .collect(),
        may_release: device.health == Health::Quarantined && reading.rights.has(Right::Manage),
        main: of(None),
        settings: of(Some(Category::Config)),
        diagnostic: of(Some(Category::Diagnostic)),
        last_seen: device.last_seen.map(|at| reading.when(at)),
    }
}

/// Whether anybody may have sent in the device's name.
fn unverified(t: &'static Texts, device: &DeviceView) -> Option<Trouble> {
    (!device.sender_verified).then(|| Trouble {
        tone: Tone::Notice,
        icon: Icon::Shield,
        words: t.entity.sender_not_verified.to_owned(),
    })
}

/// What to know of the device before believing it.
fn troubles(t: &'static Texts, device: &DeviceView) -> impl Iterator<Item = Trouble> {
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
    health.into_iter().chain(reach)
}

/// What the device says it is: only what is known.
pub(crate) fn details(t: &'static Texts, device: &DeviceView) -> Vec<(&'static str, String)> {
    let about = &device.about;
    let connections: Vec<String> = about
        .connections
        .iter()
        .map(|(kind, value)| format!("{kind} {value}"))
        .collect();
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let sender = if device.sender_verified {
        t.device.detail_sender_yes
    } else {
        t.entity.sender_not_verified
    };
    let merged = match device.coalesced {
        0 => String::new(),
        count => fill(t.entity.coalesced, &count.to_string()),
    };
    [
        (t.device.detail_made_by, some(&about.manufacturer)),
        (t.device.detail_model, some(&about.model)),
        (t.device.detail_firmware, some(&about.sw_version)),
        (t.device.detail_hardware, some(&about.hw_version)),
        (t.device.detail_serial, some(&about.serial_number)),
        (t.device.detail_identifiers, about.identifiers.join(", ")),
        (t.device.detail_connections, connections.join(", ")),
        (t.device.detail_sender, sender.to_owned()),
        (t.device.detail_coalesced, merged),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect()
}

/// Entities whose recent values are worth a chart: numbers that are read.
pub(crate) fn charted(device: &DeviceView) -> impl Iterator<Item = &EntityView> {
    device
        .entities
        .iter()
        .map(Arc::as_ref)
        .filter(|e| matches!(e.kind, iothome_engine::kind::Kind::Sensor))
        .filter(|e| e.unit.is_some() || e.state.as_ref().is_some_and(|s| s.as_number().is_some()))
}
