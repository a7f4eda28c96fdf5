//! Devices put into words for the device page.
//!
//! Owner of what stands in which part of it.

use super::Reading;
use super::card::troubles;
use super::entity;
use iothome_engine::policy::Right;
use iothome_engine::time::Timestamp;
use iothome_engine::view::{Category, DeviceView, Health};
use iothome_store::{Origin, StoredDevice};
use iothome_views::components::entity::EntityPanel;
use iothome_views::pages::device::DevicePanel;
use iothome_views::texts::{Texts, fill};
use std::collections::BTreeSet;

/// Topics listed of each sort; a bridge's device may have hundreds.
const TOPICS: usize = 40;

/// The live part of the device page.
pub(crate) fn panel(reading: Reading<'_>, device: &DeviceView, dear: bool) -> DevicePanel {
    let of = |wanted: Option<Category>| -> Vec<EntityPanel> {
        let those = device.entities.iter().filter(|e| e.category == wanted);
        those.map(|e| entity::panel(reading, device, e)).collect()
    };
    DevicePanel {
        id: device.id.clone(),
        name: device.name.clone(),
        room: device.room.clone(),
        dear,
        troubles: troubles(reading.t, device).collect(),
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
