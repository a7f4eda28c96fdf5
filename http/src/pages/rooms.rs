//! Rooms and the devices in them, for administrators.
//!
//! Owner of making, renaming, ordering and deleting rooms by page.

use super::error::wants_fragment;
use super::visit::{Visit, page, see_other};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::json::Query;
use crate::problem::{Answer, Problem};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_engine::ids::{DeviceId, RoomId};
use iothome_engine::view::DeviceView;
use iothome_store::{Room, RoomPatch};
use iothome_views::links;
use iothome_views::pages::rooms::{
    self as view, DeviceLine, Refused, RoomLine, RoomPage, RoomsPage,
};
use iothome_views::symbols::Symbol;
use iothome_views::texts::Texts;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// What an address says beside its path.
#[derive(Default, Deserialize)]
pub(crate) struct Told {
    /// Which thing was just moved.
    #[serde(default)]
    moved: Option<String>,
    /// Whether something was just saved.
    #[serde(default)]
    saved: Option<String>,
}

impl Told {
    /// Which thing was just moved.
    pub(super) fn moved(&self) -> Option<&str> {
        self.moved.as_deref()
    }
}

/// Up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// One place to the front.
    Up,
    /// One place to the back.
    Down,
}

/// The form of the two buttons.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveForm {
    pub(crate) way: Way,
}

/// A form without fields of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A room's name and picture.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoomForm {
    name: String,
    #[serde(default)]
    icon: String,
}

impl RoomForm {
    fn icon(&self) -> Option<String> {
        let symbol = Symbol::from_word(&self.icon);
        symbol.map(|symbol| symbol.word().to_owned())
    }
}

/// The list with one thing moved by one place; as it is at an end. `None` if the thing is not in it.
pub(super) fn moved<T: PartialEq>(
    mut list: Vec<T>,
    thing: &T,
    way: Way,
) -> Option<(Vec<T>, usize)> {
    let at = list.iter().position(|one| one == thing)?;
    let to = match way {
        Way::Up => at.saturating_sub(1),
        Way::Down => (at + 1).min(list.len() - 1),
    };
    list.swap(at, to);
    Some((list, to))
}

fn no_room() -> Problem {
    Problem::not_found("there is no such room")
}

fn room_of(app: &App, text: &str) -> Answer<Room> {
    let rooms = app.hub.rooms();
    let found = rooms.iter().find(|room| room.id.as_str() == text);
    found.cloned().ok_or_else(no_room)
}

fn counts(app: &App) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for device in app.hub.house().devices() {
        if let Some(room) = &device.room {
            *counts.entry(room.clone()).or_default() += 1;
        }
    }
    counts
}

fn room_line(room: &Room, devices: usize) -> RoomLine {
    RoomLine {
        id: room.id.clone(),
        name: room.name.clone(),
        symbol: room.icon.as_deref().and_then(Symbol::from_word),
        devices,
    }
}

fn rooms_page(app: &App) -> RoomsPage {
    let counts = counts(app);
    let rooms = app.hub.rooms();
    let count = |room: &Room| counts.get(&room.name).copied().unwrap_or(0);
    RoomsPage {
        rooms: rooms.iter().map(|r| room_line(r, count(r))).collect(),
        ..RoomsPage::default()
    }
}

/// The devices of a room, as the home page orders them.
fn devices_of(app: &App, room: &Room) -> Vec<Arc<DeviceView>> {
    let mut devices = app.hub.house().devices();
    devices.retain(|device| device.room.as_ref() == Some(&room.name));
    devices.sort_by_cached_key(|device| {
        let place = device.position.unwrap_or(i64::MAX);
        (place, device.name.to_lowercase(), device.id.clone())
    });
    devices
}

fn room_page(app: &App, room: &Room) -> RoomPage {
    let devices = devices_of(app, room);
    RoomPage {
        room: room_line(room, devices.len()),
        devices: devices.iter().map(|d| device_line(d, false)).collect(),
        moved: None,
        saved: false,
        refused: None,
    }
}

/// A device in a list that is put in order.
pub(super) fn device_line(device: &DeviceView, with_room: bool) -> DeviceLine {
    DeviceLine {
        id: device.id.clone(),
        name: device.name.clone(),
        symbol: device.icon.as_deref().and_then(Symbol::from_word),
        room: device.room.clone().filter(|_| with_room),
    }
}

/// The rooms.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser, told: Query<Told>) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let mut model = rooms_page(&app);
    let moved = told.0.moved.as_deref();
    model.moved = moved.and_then(|id| model.rooms.iter().position(|r| r.id.as_str() == id));
    let live = visit.live("directory");
    Ok(page(view::page(visit.t, &visit.viewer, &live, &model)))
}

/// Makes a room.
pub(crate) async fn create(app: web::Data<App>, user: CurrentUser, form: Form<RoomForm>) -> Answer {
    user.admin()?;
    let icon = form.0.icon();
    let made = app
        .hub
        .create_room(form.0.name.clone(), icon, &user.subject)
        .await;
    let problem = match made {
        Ok(room) => return Ok(see_other(&format!("{}#room-{}", links::ROOMS, room.id))),
        Err(error) => Problem::from(error),
    };
    let visit = Visit::of(&app, &user).await?;
    let mut model = rooms_page(&app);
    model.refused = Some(refused(visit.t, &form.0.name, problem)?);
    let live = visit.live("directory");
    let whole = view::page(visit.t, &visit.viewer, &live, &model);
    Ok(wrong(page(whole)))
}

/// What is wrong with a name that was sent; any other problem is a page of its own.
fn refused(t: &Texts, name: &str, problem: Problem) -> Answer<Refused> {
    let words = match problem.status {
        StatusCode::CONFLICT => t.rooms.taken,
        StatusCode::UNPROCESSABLE_ENTITY => t.rooms.bad_name,
        _ => return Err(problem),
    };
    Ok(Refused {
        name: name.to_owned(),
        problem: words.to_owned(),
    })
}

fn wrong(mut response: HttpResponse) -> HttpResponse {
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

/// Moves a room up or down.
pub(crate) async fn shift(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    form: Form<MoveForm>,
) -> Answer {
    user.admin()?;
    let room = room_of(&app, &path)?;
    let order: Vec<RoomId> = app.hub.rooms().iter().map(|r| r.id.clone()).collect();
    let (order, place) = moved(order, &room.id, form.0.way).ok_or_else(no_room)?;
    app.hub.order_rooms(order, &user.subject).await?;
    if !wants_fragment(&request) {
        let address = format!("{0}?moved={1}#room-{1}", links::ROOMS, room.id);
        return Ok(see_other(&address));
    }
    let visit = Visit::of(&app, &user).await?;
    let mut model = rooms_page(&app);
    model.moved = Some(place);
    Ok(page(view::room_list(visit.t, &visit.viewer.csrf, &model)))
}

/// One room.
pub(crate) async fn show_one(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    told: Query<Told>,
) -> Answer {
    user.admin()?;
    let room = room_of(&app, &path)?;
    let visit = Visit::of(&app, &user).await?;
    let mut model = room_page(&app, &room);
    let moved = told.0.moved.as_deref();
    model.moved = moved.and_then(|id| model.devices.iter().position(|d| d.id.as_str() == id));
    model.saved = told.0.saved.is_some();
    let live = visit.live("directory");
    Ok(page(view::room_page(visit.t, &visit.viewer, &live, &model)))
}

/// Changes a room's name and picture.
pub(crate) async fn save(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    form: Form<RoomForm>,
) -> Answer {
    user.admin()?;
    let room = room_of(&app, &path)?;
    let patch = RoomPatch {
        name: Some(form.0.name.clone()),
        icon: Some(form.0.icon()),
        position: None,
    };
    let changed = app
        .hub
        .update_room(&room.id, patch, None, &user.subject)
        .await;
    let problem = match changed {
        Ok(_) => return Ok(see_other(&format!("{}?saved=yes", links::room(&room.id)))),
        Err(error) => Problem::from(error),
    };
    let visit = Visit::of(&app, &user).await?;
    let mut model = room_page(&app, &room);
    model.refused = Some(refused(visit.t, &form.0.name, problem)?);
    let live = visit.live("directory");
    let whole = view::room_page(visit.t, &visit.viewer, &live, &model);
    Ok(wrong(page(whole)))
}

/// Deletes a room; its devices are in no room then.
pub(crate) async fn delete(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    user.admin()?;
    let room = room_of(&app, &path)?;
    app.hub.delete_room(&room.id, None, &user.subject).await?;
    Ok(see_other(links::ROOMS))
}

/// Moves a device of a room up or down.
pub(crate) async fn shift_device(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    form: Form<MoveForm>,
) -> Answer {
    user.admin()?;
    let room = room_of(&app, &path.0)?;
    let no_device = || Problem::not_found("there is no such device in this room");
    let device: DeviceId = path.1.parse().map_err(|_| no_device())?;
    let devices = devices_of(&app, &room);
    let order = devices.iter().map(|d| d.id.clone()).collect();
    let (order, place) = moved(order, &device, form.0.way).ok_or_else(no_device)?;
    app.hub.order_devices(order, &user.subject).await?;
    if !wants_fragment(&request) {
        let address = format!("{0}?moved={1}#place-{1}", links::room(&room.id), device);
        return Ok(see_other(&address));
    }
    let visit = Visit::of(&app, &user).await?;
    let mut model = room_page(&app, &room);
    model.moved = Some(place);
    Ok(page(view::device_list(visit.t, &visit.viewer.csrf, &model)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_moves_one_place_and_stays_within_its_list() {
        let list = || vec!['a', 'b', 'c'];
        for (thing, way, order, place) in [
            ('b', Way::Up, "bac", 0),
            ('b', Way::Down, "acb", 2),
            ('a', Way::Up, "abc", 0),
            ('c', Way::Down, "abc", 2),
        ] {
            let (now, at) = moved(list(), &thing, way).expect("it is there");
            assert_eq!(
                (now.iter().collect::<String>().as_str(), at),
                (order, place)
            );
        }
        assert_eq!(moved(list(), &'x', Way::Up), None);
        assert_eq!(moved(vec!['a'], &'a', Way::Down), Some((vec!['a'], 0)));
    }
}
