//! The page of one device: everything it reports and takes, its values and its commands.
//!
//! Owner of the sections of that page.

use crate::components::Look;
use crate::components::command::{self, CommandLine};
use crate::components::entity::{EntityPanel, Trouble};
use crate::components::form;
use crate::components::values::RecentValues;
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links::{self, Back};
use crate::texts::{Texts, fill};
use crate::time::{self, When};
use iothome_engine::ids::DeviceId;
use maud::{Markup, html};

/// The part of the page that the live stream renders anew.
#[derive(Clone, Debug)]
pub struct DevicePanel {
    /// Its id.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// Its room.
    pub room: Option<String>,
    /// What to know before believing it.
    pub troubles: Vec<Trouble>,
    /// Whether the viewer may let it back from quarantine.
    pub may_release: bool,
    /// What the household uses.
    pub main: Vec<EntityPanel>,
    /// Settings of the device.
    pub settings: Vec<EntityPanel>,
    /// How the device itself is.
    pub diagnostic: Vec<EntityPanel>,
    /// When anything was last heard of it.
    pub last_seen: Option<When>,
}

/// The page.
#[derive(Clone, Debug)]
pub struct DevicePage {
    /// The live part.
    pub panel: DevicePanel,
    /// Recent values of its numeric sensors.
    pub values: Vec<RecentValues>,
    /// Recent commands, the newest first.
    pub commands: Vec<CommandLine>,
    /// What it says it is, as label and value; only what is known.
    pub details: Vec<(&'static str, String)>,
}

/// The element id of the live part.
pub fn panel_anchor(id: &DeviceId) -> String {
    format!("device-{id}")
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, device: &DevicePage) -> Markup {
    let back = Back::Device(device.panel.id.clone());
    let look = Look {
        t,
        csrf: &viewer.csrf,
        back: &back,
    };
    let content = html! {
        div.device-page {
            (panel(look, &device.panel))
            div.beyond { (beyond(t, device)) }
        }
    };
    Shell {
        t,
        viewer,
        title: &device.panel.name,
        here: Here::Elsewhere,
        live: Some(live),
    }
    .page(&content)
}

/// What the page shows besides the live part.
fn beyond(t: &Texts, device: &DevicePage) -> Markup {
    html! {
        @if !device.values.is_empty() {
            section.block #values aria-labelledby="values-name" {
                h2 #values-name { (t.device.section_values) }
                p.hint { (t.device.section_values_hint) }
                div.charts { @for values in &device.values { (values.draw(t)) } }
            }
        }
        section.block aria-labelledby="commands-name" {
            h2 #commands-name { (t.device.section_commands) }
            ol.commands #commands {
                @for line in &device.commands { (command::row(t, line)) }
            }
            p.empty-line.commands-none { (t.device.commands_none) }
        }
        (details(t, device))
    }
}

/// The live part: a fragment of the stream.
pub fn panel(look: Look<'_>, device: &DevicePanel) -> Markup {
    let t = look.t;
    html! {
        div.device id=(panel_anchor(&device.id)) {
            header.page-head {
                a.back href=(links::HOME) { (Icon::Back.draw()) span { (t.frame.back_home) } }
                h1 { bdi { (device.name) } }
                @if let Some(room) = &device.room { p.hint { bdi { (room) } } }
            }
            @for trouble in &device.troubles { (trouble.draw()) }
            @if device.may_release { (release(look, &device.id)) }
            (group(look, "now", t.device.section_now, &device.main))
            (group(look, "settings", t.device.section_settings, &device.settings))
            (group(look, "diagnostic", t.device.section_diagnostic, &device.diagnostic))
            @if device.main.is_empty() && device.settings.is_empty() && device.diagnostic.is_empty() {
                p.empty-line { (t.home.no_entities) }
            }
            p.hint.last-seen {
                (t.device.detail_last_seen) ": "
                @if let Some(when) = &device.last_seen { (time::ago(when)) } @else { (t.device.detail_never_seen) }
            }
        }
    }
}

fn group(look: Look<'_>, id: &str, heading: &str, entities: &[EntityPanel]) -> Markup {
    html! {
        @if !entities.is_empty() {
            section.block id=(format!("group-{id}")) aria-labelledby=(format!("group-{id}-name")) {
                h2 id=(format!("group-{id}-name")) { (heading) }
                div.card.wide { @for entity in entities { (entity.draw(look)) } }
            }
        }
    }
}

fn release(look: Look<'_>, id: &DeviceId) -> Markup {
    html! {
        form.inline method="post" action=(links::release(id)) {
            (form::csrf(look.csrf))
            button.button.strong { (look.t.device.release) }
            p.hint { (look.t.device.release_hint) }
        }
    }
}

fn details(t: &Texts, device: &DevicePage) -> Markup {
    html! {
        section.block aria-labelledby="details-name" {
            h2 #details-name { (t.device.section_details) }
            dl.details {
                div { dt { (t.device.detail_id) } dd { code { (device.panel.id) } } }
                @for (label, value) in &device.details {
                    div { dt { (label) } dd { bdi { (value) } } }
                }
            }
        }
    }
}

/// "by eve" or "by schedule Morning".
pub fn cause(t: &Texts, scheduled: bool, name: &str) -> String {
    fill(
        if scheduled {
            t.entity.cause_schedule
        } else {
            t.entity.cause_user
        },
        name,
    )
}
