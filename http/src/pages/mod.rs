//! Pages: engine views to view-models to HTML, and the forms that pages post.
//!
//! Owner of the page routes, apart from REST's. A page handler decides nothing: it
//! asks policy, the house or the store, and puts the answer into words.

mod assets;
mod broker;
mod command;
mod design;
mod device;
mod error;
mod home;
mod new_devices;
mod set_up;
mod settings;
pub(crate) mod show;
mod sign_in;
pub(crate) mod taste;
pub(crate) mod visit;
mod you;

pub(crate) use error::error_page;

use crate::routes::{Access, Entry};

/// The page routes.
pub(crate) fn routes() -> Vec<Entry> {
    vec![
        Entry::get("/assets/{file}", Access::Asset, assets::asset),
        Entry::get("/sign-in", Access::Open, sign_in::show),
        Entry::post("/sign-in", Access::Open, sign_in::submit),
        Entry::post("/sign-out", Access::Cookie, sign_in::sign_out),
        Entry::get("/set-up", Access::Open, set_up::show),
        Entry::post("/set-up", Access::Open, set_up::submit),
        Entry::get("/", Access::Cookie, home::show),
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
        Entry::get("/settings", Access::Cookie, settings::show),
        Entry::get("/you", Access::Cookie, you::show),
        Entry::post("/you/preferences", Access::Cookie, you::preferences),
        Entry::post("/you/password", Access::Cookie, you::password),
        Entry::post("/you/sessions/{id}/end", Access::Cookie, you::end),
        Entry::get("/design", Access::Cookie, design::show),
    ]
}
