//! Pages: engine views to view-models to HTML, and the forms that pages post.
//!
//! Owner of the page routes, apart from REST's. A page handler decides nothing: it
//! asks policy, the house or the store, and puts the answer into words.

mod accounts;
mod add_device;
mod assets;
pub(crate) mod broker;
mod command;
mod credential;
mod design;
mod device;
mod edit_device;
mod error;
mod favourites;
pub(crate) mod home;
mod house;
mod new_devices;
mod people;
mod place;
mod range;
mod rights;
mod rooms;
mod schedules;
mod set_up;
mod settings;
pub(crate) mod show;
mod sign_in;
pub(crate) mod system;
pub(crate) mod taste;
pub(crate) mod visit;
mod you;

pub(crate) use credential::Issued;
pub(crate) use error::error_page;

use crate::routes::{Access, Entry};

/// The page routes.
pub(crate) fn routes() -> Vec<Entry> {
    let mut routes = making();
    routes.extend(rooms_and_order());
    routes.extend(house_and_people());
    routes.extend(schedules::routes());
    routes.extend([
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
        Entry::post("/broker/self-test", Access::Cookie, accounts::test),
        Entry::get("/settings", Access::Cookie, settings::show),
        Entry::get("/you", Access::Cookie, you::show),
        Entry::post("/you/preferences", Access::Cookie, you::preferences),
        Entry::post("/you/password", Access::Cookie, you::password),
        Entry::post("/you/sessions/{id}/end", Access::Cookie, you::end),
        Entry::get("/design", Access::Cookie, design::show),
    ]);
    routes
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

/// The routes of the home's settings, the hub itself and the people.
fn house_and_people() -> Vec<Entry> {
    let cookie = Access::Cookie;
    vec![
        Entry::get("/settings/home", cookie, house::show),
        Entry::post("/settings/home", cookie, house::submit),
        Entry::get("/first-device", cookie, broker::first_device),
        Entry::get("/system", cookie, system::show),
        Entry::post("/system/log-level", cookie, system::change_log),
        Entry::get("/people", cookie, people::show),
        // Before the person of any id.
        Entry::get("/people/add", cookie, people::add),
        Entry::post("/people/add", cookie, people::create),
        Entry::get("/people/{id}", cookie, rights::person),
        Entry::post("/people/{id}", cookie, people::change),
        Entry::post("/people/{id}/rights", cookie, rights::change),
        Entry::post("/people/{id}/password", cookie, people::password),
        Entry::post("/people/{id}/sign-in", cookie, people::sign_in),
        Entry::get("/people/{id}/delete", cookie, people::ask_delete),
        Entry::post("/people/{id}/delete", cookie, people::delete),
        Entry::get("/devices/{device}/access", cookie, rights::access),
        Entry::post("/devices/{device}/access", cookie, rights::change_access),
    ]
}
