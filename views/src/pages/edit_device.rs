//! Changing a device's name, room and icon, and deleting it.
//!
//! Owner of those two pages. They must never delete anything by a link alone.

use crate::components::confirm::Confirm;
use crate::components::form::{self, Field};
use crate::components::picker::picker;
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::symbols::Symbol;
use crate::texts::{Texts, fill};
use iothome_engine::ids::DeviceId;
use maud::{Markup, html};

/// Longest name taken.
const NAME_MAX: usize = 100;

/// The form.
#[derive(Clone, Debug)]
pub struct EditPage {
    /// Which device.
    pub id: DeviceId,
    /// The name it has.
    pub title: String,
    /// What stands in the fields.
    pub name: String,
    /// The room, empty for none.
    pub room: String,
    /// The picture that stands for it, if one was chosen.
    pub symbol: Option<Symbol>,
    /// The version that the fields were read from.
    pub version: i64,
    /// Rooms there are.
    pub rooms: Vec<String>,
    /// What is wrong as a whole.
    pub problem: Option<String>,
    /// What is wrong with the name.
    pub name_problem: Option<String>,
    /// What is wrong with the room.
    pub room_problem: Option<String>,
}

/// The edit page.
pub fn edit(t: &'static Texts, viewer: &Viewer, page: &EditPage) -> Markup {
    let title = fill(t.device.edit_title, &page.title);
    let content = html! {
        (head(&links::device(&page.id), &page.title, &title))
        @if let Some(problem) = &page.problem { (form::alert(problem)) }
        form.card.block.stack.editor method="post" action=(links::edit_device(&page.id)) {
            (form::csrf(&viewer.csrf))
            input type="hidden" name="version" value=(page.version);
            (Field {
                name: "name", label: t.device.edit_name, value: &page.name, kind: "text",
                problem: page.name_problem.as_deref(), required: true, max: Some(NAME_MAX),
                ..Field::default()
            }.draw())
            (Field {
                name: "room", label: t.device.edit_room, value: &page.room, kind: "text",
                hint: Some(t.device.edit_room_hint), problem: page.room_problem.as_deref(),
                max: Some(NAME_MAX), list: Some("rooms"), ..Field::default()
            }.draw())
            (picker(t, "device", page.symbol))
            datalist #rooms { @for room in &page.rooms { option value=(room) {} } }
            div.ways {
                button.button.strong { (t.device.edit_save) }
                a.button.quiet href=(links::device(&page.id)) { (t.device.edit_cancel) }
            }
        }
        p.block { a.button.danger href=(links::delete_device(&page.id)) { (t.device.delete) } }
    };
    shell(t, viewer, &title, &content)
}

/// The page that asks once more.
pub fn delete(t: &'static Texts, viewer: &Viewer, id: &DeviceId, name: &str) -> Markup {
    let title = fill(t.device.delete_title, name);
    let content = Confirm {
        back: &links::device(id),
        back_name: name,
        title: &title,
        says: &[t.device.delete_ends, t.device.delete_keeps],
        problem: None,
        action: &links::delete_device(id),
        yes: t.device.delete_sure,
        no: t.device.edit_cancel,
    }
    .draw(&viewer.csrf);
    shell(t, viewer, &title, &content)
}

fn head(back: &str, name: &str, title: &str) -> Markup {
    html! {
        header.page-head {
            a.back href=(back) { (Icon::Back.draw()) span { bdi.clamp { (name) } } }
            h1 { bdi { (title) } }
        }
    }
}

fn shell(t: &'static Texts, viewer: &Viewer, title: &str, content: &Markup) -> Markup {
    Shell {
        t,
        viewer,
        title,
        here: Here::Home,
        live: None,
    }
    .page(content)
}
