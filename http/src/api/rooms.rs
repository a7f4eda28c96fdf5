//! Rooms over REST: list, make, rename, put in order, delete.
//!
//! Owner of how rooms travel. Members see the rooms in which they may see something;
//! rooms are an administrator's to change.

use crate::api::bodies::Page;
use crate::api::{conditional, paths};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::{Json, present};
use crate::problem::{Answer, Problem};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_engine::ids::RoomId;
use iothome_engine::policy::Right;
use iothome_store::{Room, RoomPatch};
use iothome_views::symbols::Symbol;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;

/// A room.
#[derive(Serialize, ToSchema)]
#[schema(as = Room)]
pub(crate) struct RoomBody {
    /// Its id; never changes.
    #[schema(value_type = String, example = "kitchen")]
    id: RoomId,
    /// Its name, which its devices tell as `room`.
    name: String,
    /// The picture that a person chose for it.
    icon: Option<String>,
    /// Its place: lower comes first; equal ones by name.
    position: i64,
    /// Its devices that you may see.
    devices: usize,
}

/// A room to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRoomRequest {
    /// Its name; no other room may have it, in any case.
    #[schema(example = "Kitchen")]
    name: String,
    /// A picture, one of the words of `GET /api/v1/icons`.
    #[serde(default)]
    icon: Option<String>,
}

/// Changes of a room (RFC 7396).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoomChange {
    /// A new name; its devices tell it too.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    name: Option<String>,
    /// Another picture; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    icon: Option<Option<String>>,
    /// Another place, 0 to 1,000,000.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = i64, required = false)]
    position: Option<i64>,
}

/// Refuses a word that no picture has.
pub(crate) fn known_icon(word: &str) -> Answer<()> {
    match Symbol::from_word(word) {
        Some(_) => Ok(()),
        None => Err(Problem::invalid(
            "icon",
            "there is no such picture; GET /api/v1/icons lists them",
        )),
    }
}

/// How many devices of each room this user may see.
fn counts(app: &App, user: &CurrentUser) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for device in app.hub.house().devices() {
        if let Some(room) = &device.room
            && user.subject.may(Right::View, &device.id)
        {
            *counts.entry(room.clone()).or_default() += 1;
        }
    }
    counts
}

fn body(room: &Room, counts: &HashMap<String, usize>) -> RoomBody {
    RoomBody {
        id: room.id.clone(),
        name: room.name.clone(),
        icon: room.icon.clone(),
        position: room.position,
        devices: counts.get(&room.name).copied().unwrap_or(0),
    }
}

fn no_room() -> Problem {
    Problem::not_found("there is no such room")
}

/// The room of the path, which an administrator may change.
fn changeable(user: &CurrentUser, text: &str) -> Answer<RoomId> {
    user.admin()?;
    paths::id(text, "room")
}

/// The rooms in which you may see a device (administrators: all), in the household's order.
#[utoipa::path(get, path = "/api/v1/rooms", tag = "rooms", responses((status = 200, body = Page<RoomBody>)))]
pub(crate) async fn list(app: web::Data<App>, user: CurrentUser) -> Answer {
    let counts = counts(&app, &user);
    let rooms = app.hub.rooms();
    let seen = rooms.iter().map(|room| body(room, &counts));
    let seen = seen.filter(|room| user.subject.is_admin() || room.devices > 0);
    Ok(HttpResponse::Ok().json(Page::whole(seen.collect())))
}

/// A room.
#[utoipa::path(get, path = "/api/v1/rooms/{room}", tag = "rooms", params(("room" = String, Path)),
    responses((status = 200, body = RoomBody), (status = 404)))]
pub(crate) async fn get(app: web::Data<App>, user: CurrentUser, path: web::Path<String>) -> Answer {
    let id: RoomId = paths::id(&path, "room")?;
    let rooms = app.hub.rooms();
    let room = rooms.iter().find(|r| r.id == id).ok_or_else(no_room)?;
    let told = body(room, &counts(&app, &user));
    if !user.subject.is_admin() && told.devices == 0 {
        return Err(no_room());
    }
    Ok(HttpResponse::Ok()
        .insert_header(conditional::tag(room.version))
        .json(told))
}

/// Makes a room, after all others.
#[utoipa::path(post, path = "/api/v1/rooms", tag = "rooms", request_body = NewRoomRequest,
    responses((status = 201, body = RoomBody), (status = 403), (status = 409, description = "A room has the name"),
        (status = 422)))]
pub(crate) async fn create(
    app: web::Data<App>,
    user: CurrentUser,
    wanted: Json<NewRoomRequest>,
) -> Answer {
    user.admin()?;
    let wanted = wanted.value;
    if let Some(icon) = &wanted.icon {
        known_icon(icon)?;
    }
    let room = app
        .hub
        .create_room(wanted.name, wanted.icon, &user.subject)
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/rooms/{}", room.id)))
        .insert_header(conditional::tag(room.version))
        .json(body(&room, &HashMap::new())))
}

/// Changes a room's name (for all its devices), icon or place.
#[utoipa::path(patch, path = "/api/v1/rooms/{room}", tag = "rooms",
    params(("room" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body(content = RoomChange, content_type = "application/merge-patch+json"),
    responses((status = 200, body = RoomBody), (status = 403), (status = 404),
        (status = 409, description = "Another room has the name"), (status = 412), (status = 422)))]
pub(crate) async fn patch(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    change: Json<RoomChange>,
) -> Answer {
    let room = changeable(&user, &path)?;
    let if_match = conditional::if_match(&request)?;
    let change = change.value;
    if let Some(Some(icon)) = &change.icon {
        known_icon(icon)?;
    }
    let patch = RoomPatch {
        name: change.name,
        icon: change.icon,
        position: change.position,
    };
    let changed = app
        .hub
        .update_room(&room, patch, if_match, &user.subject)
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(conditional::tag(changed.version))
        .json(body(&changed, &counts(&app, &user))))
}

/// Deletes a room; its devices keep no room.
#[utoipa::path(delete, path = "/api/v1/rooms/{room}", tag = "rooms",
    params(("room" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 403), (status = 404), (status = 412)))]
pub(crate) async fn delete(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
) -> Answer {
    let room = changeable(&user, &path)?;
    let if_match = conditional::if_match(&request)?;
    app.hub.delete_room(&room, if_match, &user.subject).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The words of the pictures that rooms and devices can have.
#[utoipa::path(get, path = "/api/v1/icons", tag = "rooms", responses((status = 200, body = Page<String>)))]
pub(crate) async fn icons(_user: CurrentUser) -> Answer {
    let words = Symbol::ALL.into_iter().map(Symbol::word);
    Ok(HttpResponse::Ok().json(Page::whole(words.collect())))
}
