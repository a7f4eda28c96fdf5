//! Devices put into words: cards of the home page, the panel of the device page.
//!
//! Owner of the order of rooms and of what a card leaves out.

use super::Reading;
use super::entity;
use iothome_engine::policy::{Right, Subject};
use iothome_engine::time::Timestamp;
use iothome_engine::view::{Availability, Category, DeviceView, Health};
use iothome_store::{Origin, StoredDevice};
use iothome_views::components::Tone;
use iothome_views::components::card::DeviceCard;
use iothome_views::components::control::Control;
use iothome_views::components::entity::{EntityPanel, Trouble};
use iothome_views::icons::Icon;
use iothome_views::pages::device::DevicePanel;
use iothome_views::pages::home::{HomePage, Room};
use iothome_views::texts::{Texts, fill};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Entities on a card: what is seen at a glance; the device page shows all.
const CARD_ENTITIES: usize = 6;

/// Topics listed of each sort; a bridge's device may have hundreds.
const TOPICS: usize = 40;

/// The home page for this reader: rooms by name, "no room" last.
pub(crate) fn home(
    t: &'static Texts,
    devices: &[Arc<DeviceView>],
    subject: &Subject,
    zone: &TimeZone,
    now: Timestamp,
) -> HomePage {
    let mut rooms: BTreeMap<(bool, String, Option<&str>), Vec<DeviceCard>> = BTreeMap::new();
    for device in devices {
        let rights = subject.rights(&device.id);
        if !rights.has(Right::View) {
            continue;
        }
        let reading = Reading {
            t,
            zone,
            now,
            rights,
        };
        let room = device.room.as_deref();
        let order = (
            room.is_none(),
            room.unwrap_or_default().to_lowercase(),
            room,
        );
        rooms.entry(order).or_default().push(card(reading, device));
    }
    HomePage {
        rooms: rooms
            .into_iter()
            .map(|((_, _, name), devices)| Room {
                name: name.map(str::to_owned),
                devices,
            })
            .collect(),
    }
}

/// The card of the home page.
pub(crate) fn card(reading: Reading<'_>, device: &DeviceView) -> DeviceCard {
    let used = device.entities.iter().filter(|e| e.category.is_none());
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
        troubles: troubles(reading.t, device).collect(),
        more: device.entities.len() - entities.len(),
        entities,
    }
}

/// The live part of the device page.
pub(crate) fn panel(reading: Reading<'_>, device: &DeviceView) -> DevicePanel {
    let of = |wanted: Option<Category>| -> Vec<EntityPanel> {
        let those = device.entities.iter().filter(|e| e.category == wanted);
        those.map(|e| entity::panel(reading, device, e)).collect()
    };
    let unverified = (!device.sender_verified).then(|| Trouble {
        tone: Tone::Notice,
        icon: Icon::Shield,
        words: reading.t.entity.sender_not_verified.to_owned(),
    });
    DevicePanel {
        id: device.id.clone(),
        name: device.name.clone(),
        room: device.room.clone(),
        troubles: troubles(reading.t, device).chain(unverified).collect(),
        may_manage: reading.rights.has(Right::Manage),
        may_release: device.health == Health::Quarantined && reading.rights.has(Right::Manage),
        main: of(None),
        settings: of(Some(Category::Config)),
        diagnostic: of(Some(Category::Diagnostic)),
        last_seen: last_seen(device).map(|at| reading.when(at)),
    }
}

/// When anything was last heard: also before the hub started, as far as its states tell.
fn last_seen(device: &DeviceView) -> Option<Timestamp> {
    let reports = device.entities.iter().filter_map(|e| e.reported_at);
    device.last_seen.or_else(|| reports.max())
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
pub(crate) fn facts(
    reading: Reading<'_>,
    device: &DeviceView,
    stored: Option<&StoredDevice>,
) -> Vec<(&'static str, String)> {
    let t = reading.t;
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
        (
            t.device.detail_origin,
            stored.map_or("", |s| origin(t, s)).to_owned(),
        ),
        (
            t.device.detail_since,
            stored.map_or_else(String::new, |s| {
                reading.when(s.created_at).short().to_owned()
            }),
        ),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect()
}

const fn origin(t: &'static Texts, stored: &StoredDevice) -> &'static str {
    match stored.origin {
        Origin::HandMade => t.device.detail_by_hand,
        Origin::Discovered => t.device.detail_discovered,
    }
}

/// Topics that the hub reads of the device, and those it writes to, each once.
pub(crate) fn topics(stored: &StoredDevice) -> (Vec<String>, Vec<String>) {
    let (mut reads, mut writes) = (BTreeSet::new(), BTreeSet::new());
    for entity in &stored.entities {
        for (key, value) in &entity.raw {
            let Some(topic) = value.as_str().filter(|_| key.ends_with("_topic")) else {
                continue;
            };
            let writes_to = key.ends_with("command_topic") || key == "set_position_topic";
            let place = if writes_to { &mut writes } else { &mut reads };
            place.insert(topic.to_owned());
        }
        let availability = entity.raw.get("availability").and_then(|a| a.as_array());
        let topics = availability.into_iter().flatten();
        reads.extend(topics.filter_map(|a| Some(a.get("topic")?.as_str()?.to_owned())));
    }
    let listed = |topics: BTreeSet<String>| topics.into_iter().take(TOPICS).collect();
    (listed(reads), listed(writes))
}
