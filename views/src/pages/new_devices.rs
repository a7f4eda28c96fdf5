//! Devices that announced themselves and wait for a person.
//!
//! Owner of accepting and ignoring. It must never offer to accept a conflict.

use crate::components::form::{self, Field};
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::texts::Texts;
use crate::time::{self, When};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Why a device waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It may be accepted.
    New,
    /// Somebody ignored it; it may still be accepted.
    Ignored,
    /// It announces what is not its own; with the reason.
    Conflict(Option<String>),
    /// It was deleted once.
    Removed,
}

/// A waiting device.
#[derive(Clone, Debug)]
pub struct WaitingDevice {
    /// Its id among the waiting.
    pub id: String,
    /// The name it gives itself.
    pub name: String,
    /// Why it waits.
    pub status: Waiting,
    /// Maker, model, firmware in one line.
    pub about: Option<String>,
    /// What it offers: name and kind in words, picture.
    pub offers: Vec<(String, &'static str, Icon)>,
    /// Topics it announced itself on.
    pub topics: Vec<String>,
    /// When it was first seen.
    pub first_seen: When,
    /// When it was last seen.
    pub last_seen: When,
    /// What was typed for its room.
    pub room: String,
    /// What is wrong with what was typed: `name`, `room`, or the empty word for the whole.
    pub problems: BTreeMap<String, String>,
    /// What was typed for its name.
    pub typed_name: Option<String>,
}

/// The page.
#[derive(Clone, Debug, Default)]
pub struct NewDevicesPage {
    /// Those that wait, newest first.
    pub devices: Vec<WaitingDevice>,
    /// Rooms to suggest.
    pub rooms: Vec<String>,
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, model: &NewDevicesPage) -> Markup {
    let (ignored, waiting): (Vec<_>, Vec<_>) = model
        .devices
        .iter()
        .partition(|d| d.status == Waiting::Ignored);
    let content = html! {
        header.page-head { h1 { (t.new_devices.title) } p.hint { (t.new_devices.lead) } }
        datalist #rooms-list { @for room in &model.rooms { option value=(room) {} } }
        @if waiting.is_empty() {
            section.empty {
                (Icon::Plus.draw())
                h2 { (t.new_devices.empty) }
                p { (t.new_devices.empty_hint) }
            }
        }
        div.stacked { @for device in &waiting { (sheet(t, viewer, device)) } }
        @if !ignored.is_empty() {
            section.block {
                h2 { (t.new_devices.ignored_section) }
                div.stacked { @for device in &ignored { (sheet(t, viewer, device)) } }
            }
        }
        (other_ways(t))
    };
    Shell {
        t,
        viewer,
        title: t.new_devices.title,
        here: Here::NewDevices,
        // A page with faults listens to nothing: what was typed must stay.
        live: (!live.is_empty()).then_some(live),
    }
    .page(&content)
}

/// How a device gets here that does not announce itself.
fn other_ways(t: &Texts) -> Markup {
    let a = &t.add_device;
    let way = |icon: Icon, to: &str, name: &str, hint: &str| {
        html! {
            a.card.way href=(to) {
                span.badge.calm { (icon.draw()) }
                span.facts { b { (name) } span.hint { (hint) } }
            }
        }
    };
    html! {
        div.other-ways {
            (way(Icon::Plus, links::ADD_DEVICE, a.way_by_hand, a.way_by_hand_hint))
            (way(Icon::Broker, links::CREDENTIALS, a.way_bridge, a.way_bridge_hint))
        }
    }
}

fn sheet(t: &Texts, viewer: &Viewer, device: &WaitingDevice) -> Markup {
    html! {
        article.card.wide.waiting-device id=(format!("new-{}", device.id)) {
            header {
                h2.name { bdi { (device.name) } }
                @if let Some(about) = &device.about { p.hint { bdi { (about) } } }
            }
            (status(t, &device.status))
            @if !device.offers.is_empty() {
                h3.visually-hidden { (t.new_devices.offers) }
                ul.offers {
                    @for (name, kind, icon) in &device.offers {
                        li { (icon.draw()) span { bdi { (name) } " " span.hint { (kind) } } }
                    }
                }
            }
            details {
                summary { (t.new_devices.topics) }
                ul.topics { @for topic in &device.topics { li { code { (topic) } } } }
                p.hint {
                    (t.new_devices.first_seen) " " (time::ago(&device.first_seen)) ", "
                    (t.new_devices.last_seen) " " (time::ago(&device.last_seen))
                }
            }
            (answer(t, viewer, device))
        }
    }
}

fn status(t: &Texts, status: &Waiting) -> Markup {
    html! {
        @match status {
            Waiting::New | Waiting::Ignored => {}
            Waiting::Conflict(reason) => {
                div.trouble.bad {
                    (Icon::Warning.draw())
                    div {
                        p { b { (t.new_devices.conflict) } " – " (t.new_devices.conflict_hint) }
                        @if let Some(reason) = reason { p { bdi { (reason) } } }
                    }
                }
            }
            Waiting::Removed => {
                p.trouble.notice {
                    (Icon::Warning.draw())
                    span { b { (t.new_devices.removed) } " – " (t.new_devices.removed_hint) }
                }
            }
        }
    }
}

fn answer(t: &Texts, viewer: &Viewer, device: &WaitingDevice) -> Markup {
    let acceptable = !matches!(device.status, Waiting::Conflict(_));
    let (name_id, room_id) = (
        format!("name-{}", device.id),
        format!("room-of-{}", device.id),
    );
    let problem = |key: &str| device.problems.get(key).map(String::as_str);
    let name = Field {
        id: Some(&name_id),
        name: "name",
        label: t.new_devices.name,
        value: device.typed_name.as_deref().unwrap_or(&device.name),
        problem: problem("name"),
        kind: "text",
        required: true,
        max: Some(100),
        ..Field::default()
    };
    let room = Field {
        id: Some(&room_id),
        name: "room",
        label: t.new_devices.room,
        hint: Some(t.new_devices.room_hint),
        value: &device.room,
        problem: problem("room"),
        kind: "text",
        max: Some(100),
        list: Some("rooms-list"),
        ..Field::default()
    };
    html! {
        form.answer method="post" action=(links::accept(&device.id)) {
            (form::csrf(&viewer.csrf))
            @if let Some(whole) = problem("") { (form::alert(whole)) }
            @if acceptable { div.two { (name.draw()) (room.draw()) } }
            p.ways {
                @if acceptable { button.button.strong { (t.new_devices.accept) } }
                @if device.status != Waiting::Ignored {
                    button.button.quiet formaction=(links::ignore(&device.id)) formnovalidate {
                        (t.new_devices.ignore)
                    }
                }
            }
        }
    }
}
