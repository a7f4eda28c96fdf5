//! REST v1: JSON in, JSON out.
//!
//! Owner of the API's routes. It decides nothing: it parses, asks the policy and
//! the house, and tells what they said.

pub(crate) mod accounts;
pub(crate) mod auth;
pub(crate) mod bodies;
pub(crate) mod bodies_user;
pub(crate) mod broker;
pub(crate) mod commands;
pub(crate) mod conditional;
pub(crate) mod devices;
pub(crate) mod docs;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod grants;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod home;
pub(crate) mod making;
pub(crate) mod me;
pub(crate) mod new_devices;
pub(crate) mod openapi;
pub(crate) mod own;
pub(crate) mod paths;
pub(crate) mod rooms;
pub(crate) mod schedule_bodies;
pub(crate) mod schedule_views;
pub(crate) mod schedules;
pub(crate) mod setup;
pub(crate) mod system;
pub(crate) mod users;
pub(crate) mod words;

use crate::routes::Access::{Asset, Bearer, Either, Metrics, Open};
use crate::routes::Entry;
use actix_web::http::Method;

/// The API's part of the route table.
pub(crate) fn routes() -> Vec<Entry> {
    let mut table = doors();
    table.extend(things());
    table.extend(places());
    table.extend(times());
    table.extend(administration());
    table
}

fn doors() -> Vec<Entry> {
    vec![
        Entry::get("/health/live", Asset, health::live),
        Entry::get("/health/ready", Asset, health::ready),
        Entry::get("/metrics", Metrics, health::metrics),
        Entry::get("/ca.crt", Asset, health::ca),
        Entry::post("/api/v1/setup", Open, setup::setup),
        Entry::post("/api/v1/auth/login", Open, auth::login),
        Entry::post("/api/v1/auth/refresh", Open, auth::refresh),
        Entry::post("/api/v1/auth/logout", Bearer, auth::logout),
        Entry::get("/api/v1/me", Bearer, me::me),
        Entry::post("/api/v1/me/password", Bearer, me::password),
        Entry::get("/api/v1/me/favourites", Bearer, own::favourites),
        Entry::put("/api/v1/me/favourites", Bearer, own::set_favourites),
        Entry::get("/api/v1/me/preferences", Bearer, own::preferences),
        Entry::patch("/api/v1/me/preferences", Bearer, own::set_preferences),
        Entry::get("/api/v1/me/sessions", Bearer, me::sessions),
        Entry::delete("/api/v1/me/sessions/{session}", Bearer, me::end_session),
        Entry::new(Method::GET, "/api/v1/events", Bearer, events::events),
        Entry::get("/api/v1/openapi.json", Either, docs::openapi),
        Entry::get("/api/docs", Either, docs::index),
        Entry::get("/api/docs/{file:.*}", Either, docs::file),
    ]
}

fn things() -> Vec<Entry> {
    const DEVICE: &str = "/api/v1/devices/{device}";
    const ENTITY_COMMANDS: &str = "/api/v1/devices/{device}/entities/{entity}/commands";
    const ENTITY_HISTORY: &str = "/api/v1/devices/{device}/entities/{entity}/history";
    vec![
        Entry::get("/api/v1/devices", Bearer, devices::list),
        Entry::post("/api/v1/devices", Bearer, devices::create),
        Entry::get(DEVICE, Bearer, devices::get),
        Entry::patch(DEVICE, Bearer, devices::patch),
        Entry::delete(DEVICE, Bearer, devices::delete),
        Entry::post("/api/v1/devices/{device}/release", Bearer, devices::release),
        Entry::get(
            "/api/v1/devices/{device}/commands",
            Bearer,
            commands::of_device,
        ),
        Entry::post(ENTITY_COMMANDS, Bearer, commands::ask),
        Entry::get(ENTITY_COMMANDS, Bearer, commands::of_entity),
        Entry::get("/api/v1/commands/{command}", Bearer, commands::get),
        Entry::get(ENTITY_HISTORY, Bearer, history::history),
    ]
}

fn places() -> Vec<Entry> {
    const ROOM: &str = "/api/v1/rooms/{room}";
    vec![
        Entry::get("/api/v1/rooms", Bearer, rooms::list),
        Entry::post("/api/v1/rooms", Bearer, rooms::create),
        Entry::get(ROOM, Bearer, rooms::get),
        Entry::patch(ROOM, Bearer, rooms::patch),
        Entry::delete(ROOM, Bearer, rooms::delete),
        Entry::get("/api/v1/icons", Bearer, rooms::icons),
    ]
}

fn times() -> Vec<Entry> {
    const SCHEDULE: &str = "/api/v1/schedules/{schedule}";
    const SKIP: &str = "/api/v1/schedules/{schedule}/skip-next";
    vec![
        // Fixed names come before those that any word fits.
        Entry::post("/api/v1/schedules/preview", Bearer, schedule_views::preview),
        Entry::get("/api/v1/schedules/export", Bearer, schedule_views::export),
        Entry::post("/api/v1/schedules/import", Bearer, schedule_views::import),
        Entry::get("/api/v1/schedules", Bearer, schedules::list),
        Entry::post("/api/v1/schedules", Bearer, schedules::create),
        Entry::get(SCHEDULE, Bearer, schedules::get),
        Entry::patch(SCHEDULE, Bearer, schedules::patch),
        Entry::delete(SCHEDULE, Bearer, schedules::delete),
        Entry::post("/api/v1/schedules/{schedule}/run", Bearer, schedules::run),
        Entry::post(SKIP, Bearer, schedules::skip_next),
        Entry::delete(SKIP, Bearer, schedules::keep_next),
        Entry::post(
            "/api/v1/schedules/{schedule}/duplicate",
            Bearer,
            schedules::duplicate,
        ),
        Entry::get(
            "/api/v1/schedules/{schedule}/occurrences",
            Bearer,
            schedules::occurrences,
        ),
        Entry::get("/api/v1/week-ahead", Bearer, schedule_views::week_ahead),
        Entry::post("/api/v1/simulations", Bearer, schedule_views::simulate),
        Entry::get("/api/v1/scheduler", Bearer, schedule_views::state),
        Entry::post(
            "/api/v1/scheduler/trust-clock",
            Bearer,
            schedule_views::trust_clock,
        ),
    ]
}

fn administration() -> Vec<Entry> {
    const CREDENTIAL: &str = "/api/v1/broker/credentials/{credential}";
    const USER: &str = "/api/v1/users/{user}";
    const GRANT: &str = "/api/v1/devices/{device}/grants/{user}";
    vec![
        Entry::post("/api/v1/devices/{device}/entities", Bearer, making::add),
        Entry::delete(
            "/api/v1/devices/{device}/entities/{entity}",
            Bearer,
            making::remove,
        ),
        Entry::get("/api/v1/broker/messages", Bearer, making::messages),
        Entry::post("/api/v1/broker/messages", Bearer, making::send),
        Entry::get("/api/v1/new-devices", Bearer, new_devices::list),
        Entry::post(
            "/api/v1/new-devices/{id}/accept",
            Bearer,
            new_devices::accept,
        ),
        Entry::post(
            "/api/v1/new-devices/{id}/ignore",
            Bearer,
            new_devices::ignore,
        ),
        Entry::get("/api/v1/broker", Bearer, broker::status),
        Entry::post("/api/v1/broker/self-test", Bearer, accounts::test),
        Entry::get("/api/v1/broker/credentials", Bearer, broker::list),
        Entry::post("/api/v1/broker/credentials", Bearer, broker::create),
        Entry::post(
            "/api/v1/broker/credentials/{credential}/rotate",
            Bearer,
            broker::rotate,
        ),
        Entry::delete(CREDENTIAL, Bearer, broker::delete),
        Entry::get("/api/v1/system", Bearer, system::get),
        Entry::put("/api/v1/system/log-level", Bearer, system::put_log_level),
        Entry::get("/api/v1/home", Bearer, home::get),
        Entry::patch("/api/v1/home", Bearer, home::patch),
        Entry::get("/api/v1/users", Bearer, users::list),
        Entry::post("/api/v1/users", Bearer, users::create),
        Entry::get(USER, Bearer, users::get),
        Entry::patch(USER, Bearer, users::patch),
        Entry::delete(USER, Bearer, users::delete),
        Entry::get("/api/v1/devices/{device}/grants", Bearer, grants::list),
        Entry::put(GRANT, Bearer, grants::put),
        Entry::delete(GRANT, Bearer, grants::delete),
    ]
}
