//! The page of one device: everything it reports and takes, its past and its commands.
//!
//! Owner of the sections of that page. What the viewer may not do is not offered.

use crate::components::Look;
use crate::components::chart::Chart;
use crate::components::command::{self, CommandLine};
use crate::components::entity::{EntityPanel, Trouble};
use crate::components::form;
use crate::components::range::RangeChoice;
use crate::components::schedule::DeviceSchedules;
use crate::components::star::star;
use crate::components::timeline::Timeline;
use crate::components::topic::topic;
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
    /// Whether it is a favourite of the viewer.
    pub dear: bool,
    /// What to know before believing it.
    pub troubles: Vec<Trouble>,
    /// Whether the viewer may change, delete or let it back.
    pub may_manage: bool,
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

/// What was recorded of an entity.
#[derive(Clone, Debug)]
pub enum Record {
    /// A number.
    Number(Chart),
    /// A state.
    States(Timeline),
}

/// What was recorded of the device.
#[derive(Clone, Debug)]
pub struct History {
    /// The time shown.
    pub range: RangeChoice,
    /// One record an entity.
    pub records: Vec<Record>,
    /// How many more entities have a record, and where they are shown too.
    pub more: Option<(usize, String)>,
}

/// How quickly the device confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Half of its commands were confirmed within this; formatted, in milliseconds.
    pub half: String,
    /// Nine of ten.
    pub most: String,
    /// All but one of a hundred.
    pub slow: String,
    /// Of how many commands.
    pub count: usize,
}

/// A broker user of the device.
#[derive(Clone, Debug)]
pub struct BrokerUser {
    /// Its user name.
    pub username: String,
    /// When it was made.
    pub created: When,
    /// Where its password is made anew.
    pub rotate: String,
}

/// What to say of the device's broker users, to whoever may manage them.
#[derive(Clone, Debug)]
pub enum BrokerUsers {
    /// These.
    Hub(Vec<BrokerUser>),
    /// The hub does not manage the broker's users.
    Operator,
}

/// What the device says it is, and where it is heard.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// Label and value; only what is known.
    pub facts: Vec<(&'static str, String)>,
    /// Topics the hub reads; empty for whoever does not manage it.
    pub reads: Vec<String>,
    /// Topics the hub writes commands to.
    pub writes: Vec<String>,
    /// Its broker users, for administrators.
    pub broker_users: Option<BrokerUsers>,
}

/// The page.
#[derive(Clone, Debug)]
pub struct DevicePage {
    /// The live part.
    pub panel: DevicePanel,
    /// What was recorded; `None` if nothing of it ever is.
    pub history: Option<History>,
    /// What is scheduled for it.
    pub schedules: DeviceSchedules,
    /// Recent commands, the newest first.
    pub commands: Vec<CommandLine>,
    /// Where older ones are shown, if there are any.
    pub older: Option<String>,
    /// How quickly it confirms.
    pub latency: Option<Latency>,
    /// What it is.
    pub details: Details,
}

/// The element id of the live part.
pub fn panel_anchor(id: &DeviceId) -> String {
    format!("device-{id}")
}

/// The whole page; without `live` it stays as it is.
pub fn page(t: &'static Texts, viewer: &Viewer, live: Option<&str>, device: &DevicePage) -> Markup {
    let back = Back::Device(device.panel.id.clone());
    let look = Look {
        t,
        csrf: &viewer.csrf,
        back: &back,
    };
    let content = html! {
        div.device-page {
            (panel(look, &device.panel))
            div.beyond {
                (device.schedules.draw(t, &viewer.csrf, &device.panel.id))
                @if let Some(history) = &device.history { (past(t, &device.panel.id, history)) }
                (commands(t, device))
            }
            (details(look, device))
        }
    };
    Shell {
        t,
        viewer,
        title: &device.panel.name,
        here: Here::Home,
        live,
    }
    .page(&content)
}

fn past(t: &Texts, id: &DeviceId, history: &History) -> Markup {
    html! {
        section.block #values aria-labelledby="values-name" {
            h2 #values-name { (t.device.section_values) }
            (history.range.draw(t, &links::device(id)))
            div.charts {
                @for record in &history.records {
                    @match record {
                        Record::Number(chart) => (chart.draw(t)),
                        Record::States(timeline) => (timeline.draw(t)),
                    }
                }
            }
            @if let Some((count, address)) = &history.more {
                a.button.quiet href=(address) { (fill(t.device.more_charts, &count.to_string())) }
            }
        }
    }
}

fn commands(t: &Texts, device: &DevicePage) -> Markup {
    html! {
        section.block aria-labelledby="commands-name" {
            h2 #commands-name { (t.device.section_commands) }
            @if let Some(latency) = &device.latency { (latency_figures(t, latency)) }
            ol.commands #commands data-max=(device.commands.len().max(20)) {
                @for line in &device.commands { (command::row(t, line)) }
            }
            p.empty-line.commands-none { (t.device.commands_none) }
            @if let Some(older) = &device.older {
                a.button.quiet #older href=(older) { (t.device.more_commands) }
            }
        }
    }
}

fn latency_figures(t: &Texts, latency: &Latency) -> Markup {
    let figure = |what: &str, ms: &str| {
        html! { div { dt { (what) } dd { (ms) " " span.unit { "ms" } } } }
    };
    let of = if latency.count == 1 {
        t.device.latency_of_one.to_owned()
    } else {
        fill(t.device.latency_of, &latency.count.to_string())
    };
    html! {
        div.latency {
            h3 { (t.device.latency_name) }
            dl.extremes {
                (figure(t.device.latency_half, &latency.half))
                (figure(t.device.latency_most, &latency.most))
                (figure(t.device.latency_slow, &latency.slow))
            }
            p.hint.small { (of) }
        }
    }
}

/// The live part: a fragment of the stream.
pub fn panel(look: Look<'_>, device: &DevicePanel) -> Markup {
    let t = look.t;
    html! {
        div.device id=(panel_anchor(&device.id)) {
            header.page-head {
                a.back href=(links::HOME) { (Icon::Back.draw()) span { (t.frame.back_home) } }
                div.title-line {
                    h1 { bdi { (device.name) } }
                    (star(look, &device.id, &device.name, device.dear))
                    @if device.may_manage {
                        a.button.quiet href=(links::edit_device(&device.id)) { (t.device.edit) }
                    }
                }
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

fn details(look: Look<'_>, device: &DevicePage) -> Markup {
    let t = look.t;
    let topics = |label: &str, topics: &[String]| {
        html! {
            @if !topics.is_empty() {
                div {
                    dt { (label) }
                    dd { @for one in topics { (topic(one)) } }
                }
            }
        }
    };
    html! {
        section.block #details aria-labelledby="details-name" {
            h2 #details-name { (t.device.section_details) }
            dl.details {
                div { dt { (t.device.detail_id) } dd { code { (device.panel.id) } } }
                @for (label, value) in &device.details.facts {
                    div { dt { (label) } dd { bdi { (value) } } }
                }
                (topics(t.device.detail_reads, &device.details.reads))
                (topics(t.device.detail_writes, &device.details.writes))
            }
            @if let Some(users) = &device.details.broker_users { (broker_users(look, &device.panel.id, users)) }
        }
    }
}

fn broker_users(look: Look<'_>, id: &DeviceId, users: &BrokerUsers) -> Markup {
    let t = look.t;
    html! {
        div.broker-users #broker-users {
            h3 { (t.device.credential_name) }
            @match users {
                BrokerUsers::Operator => p.empty-line { (t.device.credential_operator) },
                BrokerUsers::Hub(users) if users.is_empty() => p.empty-line { (t.device.credential_none) },
                BrokerUsers::Hub(users) => @for user in users {
                    form.broker-user method="post" action=(user.rotate) {
                        (form::csrf(look.csrf))
                        p { code { (user.username) } " " span.soft { (t.device.credential_since) " " (time::at(&user.created)) } }
                        button.button { (t.device.credential_rotate) }
                        p.hint.small { (t.device.credential_rotate_hint) }
                    }
                },
            }
            p.ways {
                a.button href=(links::device_credential(id)) { (t.add_device.connect) }
                a.button.quiet href=(links::entities(id)) { (t.add_device.step_entities) }
                a.button.quiet href=(links::access(id)) { (t.people.access) }
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
