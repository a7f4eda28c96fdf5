//! Where rooms, the devices in them and favourites are arranged.
//!
//! Owner of the three lists and their forms. Order is changed by buttons, so that
//! it needs neither script nor a steady hand.

use crate::components::form::{self, Field};
use crate::components::order::{self, Place};
use crate::components::picker::picker;
use crate::icons::Icon;
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::symbols::Symbol;
use crate::texts::{Texts, fill};
use iothome_engine::ids::{DeviceId, RoomId};
use maud::{Markup, html};

/// Longest name of a room.
const NAME_MAX: usize = 100;

/// A room in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLine {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// Its picture.
    pub symbol: Option<Symbol>,
    /// How many devices stand in it.
    pub devices: usize,
}

/// A device in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceLine {
    /// Its id.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// Its picture.
    pub symbol: Option<Symbol>,
    /// Its room, where the list is not of one room.
    pub room: Option<String>,
}

/// What was sent and refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// The name as it was sent.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The list of rooms.
#[derive(Clone, Debug, Default)]
pub struct RoomsPage {
    /// In the household's order.
    pub rooms: Vec<RoomLine>,
    /// The room that was just moved.
    pub moved: Option<usize>,
    /// A new room that was refused.
    pub refused: Option<Refused>,
}

/// One room.
#[derive(Clone, Debug)]
pub struct RoomPage {
    /// The room.
    pub room: RoomLine,
    /// Its devices, in the household's order.
    pub devices: Vec<DeviceLine>,
    /// The device that was just moved.
    pub moved: Option<usize>,
    /// Whether it was just saved.
    pub saved: bool,
    /// A change that was refused.
    pub refused: Option<Refused>,
}

/// The viewer's favourites.
#[derive(Clone, Debug, Default)]
pub struct FavouritesPage {
    /// In their order.
    pub devices: Vec<DeviceLine>,
    /// The favourite that was just moved.
    pub moved: Option<usize>,
}

fn moved_words<'a>(names: &[&'a str], moved: Option<usize>) -> Option<(&'a str, Place)> {
    let index = moved?;
    let of = names.len();
    names.get(index).map(|name| (*name, Place { index, of }))
}

/// The page of rooms.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, model: &RoomsPage) -> Markup {
    let content = html! {
        (super::people::to_settings(t))
        header.page-head {
            h1 { (t.rooms.title) }
            p.hint { (if model.rooms.is_empty() { t.rooms.none } else { t.rooms.hint }) }
        }
        (room_list(t, &viewer.csrf, model))
        (new_room(t, viewer, model.refused.as_ref()))
    };
    shell(t, viewer, Here::Settings, t.rooms.title, live).page(&content)
}

fn shell<'a>(
    t: &'static Texts,
    viewer: &'a Viewer,
    here: Here,
    title: &'a str,
    live: &'a str,
) -> Shell<'a> {
    Shell {
        t,
        viewer,
        title,
        here,
        live: Some(live),
    }
}

/// The rooms with their buttons: also what moving one is answered with.
pub fn room_list(t: &Texts, csrf: &str, model: &RoomsPage) -> Markup {
    let names: Vec<&str> = model.rooms.iter().map(|r| r.name.as_str()).collect();
    let of = names.len();
    html! {
        div #arranged {
            (order::told(t, moved_words(&names, model.moved)))
            ol.arrange-list {
                @for (index, room) in model.rooms.iter().enumerate() {
                    @let id = format!("room-{}", room.id);
                    li id=(id) {
                        span.picture { (room.symbol.map_or_else(|| Icon::Home.draw(), Symbol::draw)) }
                        a.what href=(links::room(&room.id)) {
                            bdi.clamp { (room.name) }
                            span.hint { (devices(t, room.devices)) }
                        }
                        (order::buttons(t, csrf, &id, &room.name, &links::move_room(&room.id), Place { index, of }))
                    }
                }
            }
        }
    }
}

fn devices(t: &Texts, count: usize) -> String {
    match count {
        0 => t.rooms.devices_none.to_owned(),
        1 => t.rooms.devices_one.to_owned(),
        many => fill(t.rooms.devices_many, &many.to_string()),
    }
}

fn new_room(t: &Texts, viewer: &Viewer, refused: Option<&Refused>) -> Markup {
    html! {
        section.card.block.wide {
            h2 { (t.rooms.add) }
            form.stack method="post" action=(links::ROOMS) {
                (form::csrf(&viewer.csrf))
                (name_field(t, refused.map_or("", |r| &r.name), refused))
                (picker(t, "new", None))
                div.ways { button.button.strong { (t.rooms.add) } }
            }
        }
    }
}

fn name_field(t: &Texts, value: &str, refused: Option<&Refused>) -> Markup {
    Field {
        name: "name",
        label: t.rooms.name,
        value,
        hint: Some(t.rooms.name_hint),
        problem: refused.map(|r| r.problem.as_str()),
        kind: "text",
        required: true,
        max: Some(NAME_MAX),
        autofocus: refused.is_some(),
        ..Field::default()
    }
    .draw()
}

/// The page of one room.
pub fn room_page(t: &'static Texts, viewer: &Viewer, live: &str, model: &RoomPage) -> Markup {
    let room = &model.room;
    let content = html! {
        header.page-head {
            a.back href=(links::ROOMS) { (Icon::Back.draw()) span { (t.rooms.back_to_rooms) } }
            h1 { bdi { (room.name) } }
            @if room.devices > 0 {
                a.button.quiet href=(format!("/?room={}", room.id)) { (t.rooms.see_at_home) }
            }
        }
        p.told role="status" { @if model.saved { (t.rooms.saved) } }
        section.card.block.wide {
            form.stack method="post" action=(links::room(&room.id)) {
                (form::csrf(&viewer.csrf))
                (name_field(t, model.refused.as_ref().map_or(&room.name, |r| &r.name), model.refused.as_ref()))
                (picker(t, "room", room.symbol))
                div.ways { button.button.strong { (t.rooms.save) } }
            }
        }
        section.block {
            h2 { (t.rooms.order) }
            @if model.devices.is_empty() {
                p.empty-line { (t.rooms.empty_room) }
            } @else {
                p.hint { (t.rooms.order_hint) }
            }
            (device_list(t, &viewer.csrf, model))
        }
        section.block {
            details.delete {
                summary { (t.rooms.delete) }
                p.hint { (t.rooms.delete_hint) }
                form method="post" action=(links::delete_room(&room.id)) {
                    (form::csrf(&viewer.csrf))
                    button.button.danger { (t.rooms.delete_sure) }
                }
            }
        }
    };
    shell(t, viewer, Here::Settings, &room.name, live).page(&content)
}

/// The devices of a room with their buttons: also what moving one is answered with.
pub fn device_list(t: &Texts, csrf: &str, model: &RoomPage) -> Markup {
    let action = |device: &DeviceLine| links::move_device(&model.room.id, &device.id);
    lines(t, csrf, &model.devices, model.moved, &action, false)
}

/// The page of favourites.
pub fn favourites_page(
    t: &'static Texts,
    viewer: &Viewer,
    live: &str,
    model: &FavouritesPage,
) -> Markup {
    let content = html! {
        header.page-head {
            a.back href=(links::HOME) { (Icon::Back.draw()) span { (t.frame.back_home) } }
            h1 { (t.home.favourites) }
            @if !model.devices.is_empty() { p.hint { (t.rooms.favourites_hint) } }
        }
        @if model.devices.is_empty() {
            section.empty {
                (Icon::Star.draw())
                h2 { (t.rooms.favourites_none) }
                p { (t.rooms.favourites_none_hint) }
            }
        }
        (favourite_list(t, &viewer.csrf, model))
    };
    shell(t, viewer, Here::Home, t.home.favourites, live).page(&content)
}

/// The favourites with their buttons: also what moving one is answered with.
pub fn favourite_list(t: &Texts, csrf: &str, model: &FavouritesPage) -> Markup {
    let action = |device: &DeviceLine| links::move_favourite(&device.id);
    lines(t, csrf, &model.devices, model.moved, &action, true)
}

fn lines(
    t: &Texts,
    csrf: &str,
    devices: &[DeviceLine],
    moved: Option<usize>,
    action: &dyn Fn(&DeviceLine) -> String,
    removable: bool,
) -> Markup {
    let names: Vec<&str> = devices.iter().map(|d| d.name.as_str()).collect();
    let of = names.len();
    html! {
        div #arranged {
            (order::told(t, moved_words(&names, moved)))
            ol.arrange-list {
                @for (index, device) in devices.iter().enumerate() {
                    @let id = format!("place-{}", device.id);
                    li id=(id) {
                        @if let Some(symbol) = device.symbol { span.picture { (symbol.draw()) } }
                        a.what href=(links::device(&device.id)) {
                            bdi.clamp { (device.name) }
                            @if let Some(room) = &device.room { span.hint { bdi { (room) } } }
                        }
                        (order::buttons(t, csrf, &id, &device.name, &action(device), Place { index, of }))
                        @if removable { (remove(t, csrf, device)) }
                    }
                }
            }
        }
    }
}

fn remove(t: &Texts, csrf: &str, device: &DeviceLine) -> Markup {
    html! {
        form method="post" action=(links::favourite(&device.id)) {
            (form::csrf(csrf))
            input type="hidden" name=(form::BACK_FIELD) value="favourites";
            button.button.square name="dear" value="no" aria-label=(fill(t.rooms.remove_favourite, &device.name)) {
                (Icon::Cross.draw())
            }
        }
    }
}
