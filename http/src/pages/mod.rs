//! Pages: engine views to view-models to HTML, and the forms that pages post.
//!
//! Owner of the page routes, apart from REST's. A page handler decides nothing: it
//! asks policy, the house or the store, and puts the answer into words.

mod assets;
mod broker;
mod command;
mod device;
mod error;
mod favourites;
pub(crate) mod home;
mod new_devices;
mod rooms;
mod sessions;
mod set_up;
pub(crate) mod show;
mod sign_in;
pub(crate) mod visit;

pub(crate) use error::error_page;

use crate::routes::{Access, Entry};

/// The page routes.
pub(crate) fn routes() -> Vec<Entry> {
    let mut table = rooms_and_order();
    table.extend(vec![
        Entry::get("/assets/{file}", Access::Asset, assets::asset),
        Entry::get("/sign-in", Access::Open, sign_in::show),
        Entry::post("/sign-in", Access::Open, sign_in::submit),
        Entry::post("/sign-out", Access::Cookie, sign_in::sign_out),
        Entry::get("/set-up", Access::Open, set_up::show),
        Entry::post("/set-up", Access::Open, set_up::submit),
        Entry::get("/", Access::Cookie, home::show),
        Entry::get("/favourites", Access::Cookie, favourites::show),
        Entry::post(
            "/favourites/{device}/move",
            Access::Cookie,
            favourites::shift,
        ),
        Entry::post(
            "/devices/{device}/favourite",
            Access::Cookie,
            favourites::mark,
        ),
        Entry::get("/devices/{device}", Access::Cookie, device::show),
        Entry::post("/devices/{device}/release", Access::Cookie, device::release),
        Entry::post(
            "/devices/{device}/entities/{entity}/commands",
            Access::Cookie,
            command::submit,
        ),
        Entry::get("/new-devices", Access::Cookie, new_devices::show),
        Entry::post(
            "/new-devices/{id}/accept",
            Access::Cookie,
            new_devices::accept,
        ),
        Entry::post(
            "/new-devices/{id}/ignore",
            Access::Cookie,
            new_devices::ignore,
        ),
        Entry::get("/broker", Access::Cookie, broker::show),
        Entry::get("/sessions", Access::Cookie, sessions::show),
        Entry::post("/sessions/{id}/end", Access::Cookie, sessions::end),
    ]);
    table
}

fn rooms_and_order() -> Vec<Entry> {
    const ROOM: &str = "/rooms/{room}";
    const DEVICE_MOVE: &str = "/rooms/{room}/devices/{device}/move";
    vec![
        Entry::get("/rooms", Access::Cookie, rooms::show),
        Entry::post("/rooms", Access::Cookie, rooms::create),
        Entry::get(ROOM, Access::Cookie, rooms::show_one),
        Entry::post(ROOM, Access::Cookie, rooms::save),
        Entry::post("/rooms/{room}/off", Access::Cookie, home::all_off),
        Entry::post("/rooms/{room}/move", Access::Cookie, rooms::shift),
        Entry::post("/rooms/{room}/delete", Access::Cookie, rooms::delete),
        Entry::post(DEVICE_MOVE, Access::Cookie, rooms::shift_device),
    ]
}
