//! The OpenAPI 3.1 document, put together from the routes' own descriptions.
//!
//! Owner of its frame. A test holds it against the route table.

use crate::api::{
    accounts, auth, bodies, broker, commands, devices, docs, events, grants, health, history, home,
    making, me, new_devices, own, rooms, schedule_views, schedules, setup, system, users,
};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

/// RFC 9457: why a request was refused.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a schema")]
pub(crate) struct Problem {
    /// A URN that ends in the code.
    #[schema(example = "urn:iothome:problem:invalid")]
    r#type: String,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// A sentence for people.
    detail: String,
    /// A stable word for programs.
    code: String,
    /// The field that is wrong, with its path.
    field: Option<String>,
}

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "IoT Home",
        description = "REST v1 of the hub. Every error is a problem document (RFC 9457, \
            `application/problem+json`) that names the field. Unknown fields are refused. \
            Instants are RFC 3339 in UTC, but for history points, which count Unix milliseconds."
    ),
    modifiers(&Bearer),
    security(("bearer" = [])),
    tags(
        (name = "sign-in", description = "Set-up, tokens, sign-out"),
        (name = "me", description = "The signed-in user"),
        (name = "devices", description = "Devices and what announces itself"),
        (name = "rooms", description = "Rooms, their order and icons"),
        (name = "commands", description = "Asking things of entities"),
        (name = "schedules", description = "What is to be done when, and what became of it"),
        (name = "history", description = "What was"),
        (name = "events", description = "What changes"),
        (name = "broker", description = "The MQTT broker and its users"),
        (name = "users", description = "Users and grants"),
        (name = "home", description = "The home's name, zone and place"),
        (name = "system", description = "How the hub is"),
        (name = "health", description = "For monitoring"),
        (name = "documentation", description = "This document"),
    ),
    paths(
        setup::setup, auth::login, auth::refresh, auth::logout,
        me::me, me::password, me::sessions, me::end_session,
        own::favourites, own::set_favourites, own::preferences, own::set_preferences,
        rooms::list, rooms::create, rooms::get, rooms::patch, rooms::delete, rooms::icons,
        devices::list, devices::create, devices::get, devices::patch, devices::delete,
        devices::release, making::add, making::remove, making::messages, making::send,
        new_devices::list, new_devices::accept, new_devices::ignore,
        commands::ask, commands::get, commands::of_device, commands::of_entity,
        history::history, events::events,
        schedules::list, schedules::create, schedules::get, schedules::patch, schedules::delete,
        schedules::run, schedules::skip_next, schedules::keep_next, schedules::duplicate,
        schedules::occurrences, schedule_views::preview, schedule_views::export,
        schedule_views::import, schedule_views::week_ahead, schedule_views::simulate,
        schedule_views::state, schedule_views::trust_clock,
        accounts::test, broker::status, broker::list, broker::create, broker::rotate, broker::delete,
        system::get, system::put_log_level, home::get, home::patch,
        users::list, users::get, users::create, users::patch, users::delete,
        grants::list, grants::put, grants::delete,
        health::live, health::ready, health::metrics, health::ca, docs::openapi,
    ),
    components(schemas(
        Problem, events::EntityEvent, events::RemovedEvent, bodies::CommandBody, bodies::DeviceBody
    ))
)]
pub(crate) struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        document
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;
    use std::collections::BTreeSet;

    #[test]
    fn the_document_and_the_route_table_tell_the_same_routes() {
        let document = serde_json::to_value(Document::openapi()).expect("JSON");
        assert!(
            document["openapi"]
                .as_str()
                .expect("a version")
                .starts_with("3.1")
        );
        let paths = document["paths"].as_object().expect("paths");
        let documented: BTreeSet<String> = paths
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().expect("methods");
                methods
                    .keys()
                    .map(move |m| format!("{} {path}", m.to_uppercase()))
            })
            .collect();
        let served: BTreeSet<String> = api::routes()
            .iter()
            .filter(|entry| !entry.path.starts_with("/api/docs"))
            .map(|entry| format!("{} {}", entry.method, entry.path))
            .collect();
        assert_eq!(documented, served);
    }
}
