//! Pages: engine views to view-models to HTML, and the forms that pages post.
//!
//! Owner of the page routes, apart from REST's. A page handler decides nothing: it
//! asks policy, the house or the store, and puts the answer into words.

mod add_device;
mod assets;
mod broker;
mod command;
mod credential;
mod device;
mod edit_device;
mod error;
mod home;
mod new_devices;
mod range;
mod schedules;
mod sessions;
mod set_up;
pub(crate) mod show;
mod sign_in;
pub(crate) mod visit;

pub(crate) use credential::Issued;
pub(crate) use error::error_page;

use crate::routes::{Access, Entry};

/// The page routes.
pub(crate) fn routes() -> Vec<Entry> {
    let mut routes = making();
    routes.extend(schedules::routes());
    routes.extend([
        Entry::get("/assets/{file}", Access::Asset, assets::asset),
        Entry::get("/sign-in", Access::Open, sign_in::show),
        Entry::post("/sign-in", Access::Open, sign_in::submit),
        Entry::post("/sign-out", Access::Cookie, sign_in::sign_out),
        Entry::get("/set-up", Access::Open, set_up::show),
        Entry::post("/set-up", Access::Open, set_up::submit),
        Entry::get("/", Access::Cookie, home::show),
        Entry::get("/devices/{device}", Access::Cookie, device::show),
        Entry::get("/devices/{device}/edit", Access::Cookie, edit_device::show),
        Entry::post(
            "/devices/{device}/edit",
            Access::Cookie,
            edit_device::submit,
        ),
        Entry::get("/devices/{device}/delete", Access::Cookie, edit_device::ask),
        Entry::post(
            "/devices/{device}/delete",
            Access::Cookie,
            edit_device::delete,
        ),
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
    routes
}

/// The routes of making devices by hand and of broker users.
fn making() -> Vec<Entry> {
    let cookie = Access::Cookie;
    vec![
        Entry::get("/add-device", cookie, add_device::show),
        Entry::post("/add-device", cookie, add_device::submit),
        Entry::get("/devices/{device}/entities", cookie, add_device::entities),
        Entry::post("/devices/{device}/entities", cookie, add_device::next),
        Entry::get("/devices/{device}/add-entity", cookie, add_device::show_add),
        Entry::post("/devices/{device}/add-entity", cookie, add_device::add),
        Entry::get(
            "/devices/{device}/entities/{entity}/edit",
            cookie,
            add_device::show_edit,
        ),
        Entry::post(
            "/devices/{device}/entities/{entity}/edit",
            cookie,
            add_device::edit,
        ),
        Entry::get(
            "/devices/{device}/entities/{entity}/remove",
            cookie,
            add_device::ask_remove,
        ),
        Entry::post(
            "/devices/{device}/entities/{entity}/remove",
            cookie,
            add_device::remove,
        ),
        Entry::get("/devices/{device}/credential", cookie, credential::device),
        Entry::post(
            "/devices/{device}/credential/rotate",
            cookie,
            credential::rotate,
        ),
        Entry::get("/broker/credentials", cookie, credential::list),
        Entry::post("/broker/credentials", cookie, credential::create),
        Entry::get("/broker/credentials/{id}", cookie, credential::bridge),
        Entry::post(
            "/broker/credentials/{id}/rotate",
            cookie,
            credential::rotate_bridge,
        ),
        Entry::get(
            "/broker/credentials/{id}/delete",
            cookie,
            credential::ask_delete,
        ),
        Entry::post(
            "/broker/credentials/{id}/delete",
            cookie,
            credential::delete,
        ),
    ]
}
