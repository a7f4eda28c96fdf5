//! Devices that announced themselves and wait.
//!
//! Owner of accepting and ignoring over REST. Only administrators see them.

use crate::api::bodies::{DeviceBody, Page};
use crate::api::devices::{LIMIT, LIMIT_MAX, ListQuery};
use crate::api::words::{Instant, KindWord};
use crate::api::{conditional, paths};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::{Json, Query};
use crate::problem::Answer;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use iothome_actors::{Accept, NewDeviceView};
use iothome_engine::kind::Kind;
use iothome_engine::time::Timestamp;
use iothome_engine::view::About;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A device that waits.
#[derive(Serialize, ToSchema)]
#[schema(as = NewDevice)]
pub(crate) struct NewDeviceBody {
    /// Its id as a new device.
    id: String,
    /// The name it gives itself.
    name: String,
    /// `new`, `ignored`, `conflict` or `removed`.
    #[schema(value_type = String)]
    status: &'static str,
    /// Why it cannot be accepted.
    reason: Option<String>,
    /// What it says it is.
    #[schema(value_type = Object)]
    about: About,
    /// Its entities.
    entities: Vec<NewEntityBody>,
    /// The configuration topics it was announced on.
    topics: Vec<String>,
    /// When it was first heard.
    #[schema(value_type = Instant)]
    first_seen_at: Timestamp,
    /// When it was last heard.
    #[schema(value_type = Instant)]
    last_seen_at: Timestamp,
}

/// One of its entities.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewEntityBody {
    /// Its name.
    name: String,
    /// Its kind.
    #[schema(value_type = KindWord)]
    kind: Kind,
}

impl From<&NewDeviceView> for NewDeviceBody {
    fn from(view: &NewDeviceView) -> Self {
        let entities = view.entities.iter().cloned();
        Self {
            id: view.id.clone(),
            name: view.name.clone(),
            status: view.status.as_str(),
            reason: view.reason.clone(),
            about: view.about.clone(),
            entities: entities
                .map(|(name, kind)| NewEntityBody { name, kind })
                .collect(),
            topics: view.topics.clone(),
            first_seen_at: view.first_seen_at,
            last_seen_at: view.last_seen_at,
        }
    }
}

/// How to accept.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptRequest {
    /// A name; its own if not given.
    #[serde(default)]
    name: Option<String>,
    /// A room; the one it suggests if not given.
    #[serde(default)]
    room: Option<String>,
}

/// What waits, by id.
#[utoipa::path(get, path = "/api/v1/new-devices", tag = "devices", params(ListQuery),
    responses((status = 200, body = Page<NewDeviceBody>), (status = 403)))]
pub(crate) async fn list(
    app: web::Data<App>,
    user: CurrentUser,
    query: Query<ListQuery>,
) -> Answer {
    user.admin()?;
    let limit = paths::limit(query.0.limit, LIMIT, LIMIT_MAX)?;
    let waiting = app.hub.new_devices();
    let all = waiting.iter().map(|new| (new.id.clone(), &**new)).collect();
    let page = Page::of(all, query.0.after.as_deref(), limit);
    Ok(HttpResponse::Ok().json(Page {
        items: page.items.into_iter().map(NewDeviceBody::from).collect(),
        next: page.next,
    }))
}

/// Takes a new device into the house. A body is needed: `{}` takes it as it says.
#[utoipa::path(post, path = "/api/v1/new-devices/{id}/accept", tag = "devices", params(("id" = String, Path)),
    request_body = AcceptRequest,
    responses((status = 201, body = DeviceBody), (status = 403), (status = 404), (status = 409, description = "A conflict: it cannot be accepted")))]
pub(crate) async fn accept(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    body: Json<AcceptRequest>,
) -> Answer {
    user.admin()?;
    let accept = Accept {
        name: body.value.name,
        room: body.value.room,
    };
    let device = app.hub.accept_new(&path, accept, &user.subject).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/devices/{}", device.id)))
        .insert_header(conditional::tag(device.version))
        .json(DeviceBody::new(&device)))
}

/// Ignores a new device until someone accepts it after all.
#[utoipa::path(post, path = "/api/v1/new-devices/{id}/ignore", tag = "devices", params(("id" = String, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
pub(crate) async fn ignore(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    user.admin()?;
    app.hub.ignore_new(&path, &user.subject).await?;
    Ok(HttpResponse::NoContent().finish())
}
