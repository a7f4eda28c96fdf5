//! Making a device by hand: the device, what it has, and how it connects.
//!
//! Owner of the three steps. It must never offer to change what a device announced.

mod bench;
mod entity;
mod fields;

pub use bench::{Bench, BenchMessage, Meaning, TestSent, bench};
pub use entity::{EntityForm, entity_form};
pub use fields::{FieldSpec, Group, Input, fields};

use crate::components::confirm::Confirm;
use crate::components::form::{self, Field};
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::texts::{Texts, fill};
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::kind::Kind;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// What is wrong, by field.
pub type Problems = BTreeMap<String, String>;

/// The first step.
#[derive(Clone, Debug, Default)]
pub struct AddDevicePage {
    /// What was typed.
    pub name: String,
    /// What was typed.
    pub room: String,
    /// What was typed.
    pub id: String,
    /// What is wrong with it: `name`, `room`, `id`, or the empty word for the whole.
    pub problems: Problems,
    /// Rooms to suggest.
    pub rooms: Vec<String>,
}

/// One thing that the device has.
#[derive(Clone, Debug)]
pub struct MadeEntity {
    /// Its id.
    pub id: EntityId,
    /// Its name.
    pub name: String,
    /// Its kind in words.
    pub kind: &'static str,
    /// Its picture.
    pub icon: Icon,
    /// Its topics: what for, and which.
    pub topics: Vec<(&'static str, String)>,
    /// Whether it was announced, and so is not to be changed here.
    pub announced: bool,
}

/// The second step: what the device has.
#[derive(Clone, Debug)]
pub struct EntitiesPage {
    /// The device.
    pub device: DeviceId,
    /// Its name.
    pub device_name: String,
    /// What it has by now.
    pub entities: Vec<MadeEntity>,
    /// Whether entities may be added: not to a device that announces itself.
    pub may_add: bool,
    /// What was typed for the next one.
    pub kind: Kind,
    /// What was typed for the next one.
    pub name: String,
    /// What is wrong with it.
    pub problems: Problems,
}

/// Where somebody stands in the making of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Name, room, id.
    Device,
    /// What it has.
    Entities,
    /// Its credentials.
    Connect,
}

/// The steps, with the current one marked; those that are possible are links.
pub fn steps(t: &Texts, device: Option<&DeviceId>, here: Step) -> Markup {
    let all = [
        (Step::Device, t.add_device.step_device, None),
        (
            Step::Entities,
            t.add_device.step_entities,
            device.map(links::entities),
        ),
        (
            Step::Connect,
            t.add_device.step_connect,
            device.map(links::device_credential),
        ),
    ];
    html! {
        nav.making aria-label=(t.add_device.steps) {
            ol {
                @for (step, name, address) in all {
                    li aria-current=[(step == here).then_some("step")] {
                        @match address {
                            Some(address) if step != here => a href=(address) { (name) },
                            _ => span { (name) },
                        }
                    }
                }
            }
        }
    }
}

/// The first step as a whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, model: &AddDevicePage) -> Markup {
    let problem = |key: &str| model.problems.get(key).map(String::as_str);
    let field = Field {
        kind: "text",
        max: Some(100),
        ..Field::default()
    };
    let name = Field {
        name: "name",
        label: t.add_device.name,
        hint: Some(t.add_device.name_hint),
        value: &model.name,
        problem: problem("name"),
        required: true,
        autofocus: true,
        ..field.clone()
    };
    let room = Field {
        name: "room",
        label: t.add_device.room,
        hint: Some(t.add_device.room_hint),
        value: &model.room,
        problem: problem("room"),
        list: Some("rooms-list"),
        ..field.clone()
    };
    let id = Field {
        name: "id",
        label: t.add_device.id,
        hint: Some(t.add_device.id_hint),
        value: &model.id,
        problem: problem("id"),
        autocomplete: Some("off"),
        max: Some(64),
        ..field
    };
    let content = html! {
        (back(links::NEW_DEVICES, t.new_devices.title))
        header.page-head { h1 { (t.add_device.title) } p.hint { (t.add_device.lead) } }
        (steps(t, None, Step::Device))
        datalist #rooms-list { @for room in &model.rooms { option value=(room) {} } }
        form.card.wide.stack.maker-form method="post" action=(links::ADD_DEVICE) {
            (form::csrf(&viewer.csrf))
            @if let Some(whole) = problem("") { (form::alert(whole)) }
            div.two { (name.draw()) (room.draw()) }
            (id.draw())
            p.ways { button.button.strong { (t.add_device.next) } }
        }
    };
    shell(t, viewer, t.add_device.title, &content)
}

/// The second step as a whole page.
pub fn entities_page(t: &'static Texts, viewer: &Viewer, model: &EntitiesPage) -> Markup {
    let title = fill(t.add_device.entities_title, &model.device_name);
    let (announced, made): (Vec<_>, Vec<_>) = model.entities.iter().partition(|e| e.announced);
    let content = html! {
        (back(&links::device(&model.device), &model.device_name))
        header.page-head {
            h1 { bdi { (title) } }
            p.hint { (t.add_device.entities_lead) }
        }
        (steps(t, Some(&model.device), Step::Entities))
        @if made.is_empty() && announced.is_empty() {
            p.empty-line { (t.add_device.entities_none) }
        }
        @if !made.is_empty() {
            ul.made { @for entity in &made { (made_entity(t, &model.device, entity)) } }
        }
        @if !announced.is_empty() {
            section.block {
                h2 { (t.add_device.entities_announced) }
                p.hint { (t.add_device.entities_announced_hint) }
                ul.made { @for entity in &announced { (made_entity(t, &model.device, entity)) } }
            }
        }
        @if model.may_add { (add_one(t, viewer, model)) }
        section.card.block.wide {
            h2 { (t.add_device.connect) }
            p.hint { (t.add_device.connect_hint) }
            p.ways {
                a.button.strong href=(links::device_credential(&model.device)) { (t.add_device.connect) }
                a.button.quiet href=(links::device(&model.device)) { (t.add_device.to_device) }
            }
        }
    };
    shell(t, viewer, &title, &content)
}

fn made_entity(t: &Texts, device: &DeviceId, entity: &MadeEntity) -> Markup {
    html! {
        li.card.wide.made-entity {
            span.badge.calm { (entity.icon.draw()) }
            div.facts {
                p.state { bdi { (entity.name) } }
                p.hint { (entity.kind) " · " code { (entity.id) } }
                @if !entity.topics.is_empty() {
                    dl.topic-list {
                        @for (what, topic) in &entity.topics {
                            div { dt { (what) } dd { code dir="ltr" { (topic) } } }
                        }
                    }
                }
            }
            @if !entity.announced {
                p.ways {
                    a.button href=(links::edit_entity(device, &entity.id))
                        aria-label=(fill(t.add_device.edit_title, &entity.name)) { (t.add_device.edit) }
                    a.button.quiet.danger href=(links::remove_entity(device, &entity.id))
                        aria-label=(fill(t.add_device.remove_title, &entity.name)) { (t.add_device.remove) }
                }
            }
        }
    }
}

fn add_one(t: &Texts, viewer: &Viewer, model: &EntitiesPage) -> Markup {
    let name = Field {
        name: "name",
        label: t.add_device.add_name,
        hint: Some(t.add_device.add_name_hint),
        value: &model.name,
        problem: model.problems.get("name").map(String::as_str),
        kind: "text",
        required: true,
        max: Some(100),
        ..Field::default()
    };
    html! {
        section.block {
            h2 { (t.add_device.add_title) }
            form.card.wide.stack.maker-form method="post" action=(links::entities(&model.device)) {
                (form::csrf(&viewer.csrf))
                div.two {
                    div.field {
                        label for="kind" { (t.add_device.add_kind) }
                        select #kind name="kind" {
                            @for kind in Kind::ALL {
                                option value=(kind) selected[kind == model.kind] { ((t.words.kind)(kind)) }
                            }
                        }
                        @if let Some(problem) = model.problems.get("kind") {
                            p.problem #kind-problem { (Icon::Warning.draw()) span { (problem) } }
                        }
                    }
                    (name.draw())
                }
                p.ways { button.button.strong { (t.add_device.add) } }
            }
        }
    }
}

/// Asks once more before an entity goes for good.
pub fn remove_page(
    t: &'static Texts,
    viewer: &Viewer,
    device: &DeviceId,
    entity: &MadeEntity,
) -> Markup {
    let title = fill(t.add_device.remove_title, &entity.name);
    let content = Confirm {
        back: &links::entities(device),
        back_name: t.add_device.step_entities,
        title: &title,
        says: &[t.add_device.remove_sure],
        problem: None,
        action: &links::remove_entity(device, &entity.id),
        yes: t.add_device.remove,
        no: t.add_device.cancel,
    }
    .draw(&viewer.csrf);
    shell(t, viewer, &title, &content)
}

/// The way back, above a page's heading.
pub(super) fn back(address: &str, to: &str) -> Markup {
    html! {
        a.back href=(address) {
            (Icon::Back.draw())
            span { bdi.clamp { (to) } }
        }
    }
}

/// The frame of a page with half-typed forms: it listens to nothing, so that nothing typed is lost.
pub(super) fn shell(t: &'static Texts, viewer: &Viewer, title: &str, content: &Markup) -> Markup {
    shell_at(t, viewer, Here::NewDevices, title, content)
}

/// The same in another part of the navigation.
pub(super) fn shell_at(
    t: &'static Texts,
    viewer: &Viewer,
    here: Here,
    title: &str,
    content: &Markup,
) -> Markup {
    Shell {
        t,
        viewer,
        title,
        here,
        live: None,
    }
    .page(content)
}
