//! Making a device step by step: its entities one at a time, and the test bench.
//!
//! Owner of how that travels over REST. Only administrators listen to raw messages or
//! send test payloads; deciding where they may is the house's.

use crate::api::bodies::DeviceBody;
use crate::api::devices::{NewEntityRequest, device_id};
use crate::api::words::Instant;
use crate::api::{conditional, paths};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::{Json, Query};
use crate::problem::{Answer, Problem};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::{Overheard, TestPayload};
use iothome_engine::ids::EntityId;
use iothome_engine::policy::Right;
use iothome_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Adds an entity to a device that was entered by hand.
#[utoipa::path(post, path = "/api/v1/devices/{device}/entities", tag = "devices",
    params(("device" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = NewEntityRequest,
    responses((status = 201, body = DeviceBody), (status = 403), (status = 404),
        (status = 409, description = "The id was used before, or the device announces itself"),
        (status = 412), (status = 422)))]
pub(crate) async fn add(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    body: Json<NewEntityRequest>,
) -> Answer {
    user.admin()?;
    let device = paths::device(&app, &user, &path, Right::Manage)?;
    let if_match = conditional::if_match(&request)?;
    let added = app
        .hub
        .add_entity(&device.id, body.value.into(), if_match, &user.subject)
        .await;
    // One entity is asked for: the list that the house speaks of is not the request's.
    let (device, entity) = added.map_err(|error| {
        let mut problem = Problem::from(error);
        let field = problem.field.as_deref();
        let own = field.and_then(|f| f.strip_prefix("entities[0]."));
        problem.field = own.or(field).map(str::to_owned);
        problem
    })?;
    let location = format!("/api/v1/devices/{}/entities/{entity}", device.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .insert_header(conditional::tag(device.version))
        .json(DeviceBody::new(&device)))
}

/// Removes an entity that was entered by hand, for good: its id is never given again.
#[utoipa::path(delete, path = "/api/v1/devices/{device}/entities/{entity}", tag = "devices",
    params(("device" = String, Path), ("entity" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 403), (status = 404),
        (status = 409, description = "The device announces it"), (status = 412)))]
pub(crate) async fn remove(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Answer {
    user.admin()?;
    let device = paths::device(&app, &user, &path.0, Right::Manage)?;
    let entity: EntityId = path
        .1
        .parse()
        .map_err(|_| Problem::not_found("the device has no such entity"))?;
    let if_match = conditional::if_match(&request)?;
    app.hub
        .remove_entity(&device.id, &entity, if_match, &user.subject)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What to listen to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TapQuery {
    /// A topic or a filter that begins with a level which is no wildcard.
    #[param(example = "esp8266/socket/status")]
    topic: String,
}

/// What came on a topic since somebody looks.
#[derive(Serialize, ToSchema)]
pub(crate) struct TapBody {
    /// Whether the test bench has its connection to the broker.
    connected: bool,
    /// Whether the broker refuses to let the hub listen.
    refused: bool,
    /// Messages since somebody looks, also those that are not kept.
    seen: u64,
    /// The last 20, the newest first.
    messages: Vec<RawMessage>,
}

/// A message as it came.
#[derive(Serialize, ToSchema)]
pub(crate) struct RawMessage {
    /// Its topic.
    topic: String,
    /// Its payload as text; bytes that are no UTF-8 are replaced.
    payload: String,
    /// Bytes of the whole payload; at most 8,192 of them are told.
    size: usize,
    /// Whether the broker had kept it.
    retained: bool,
    /// When it came.
    #[schema(value_type = Instant)]
    received_at: Timestamp,
}

impl From<&Overheard> for RawMessage {
    fn from(message: &Overheard) -> Self {
        Self {
            topic: message.topic.clone(),
            payload: String::from_utf8_lossy(&message.payload).into_owned(),
            size: message.size,
            retained: message.retained,
            received_at: message.received_at,
        }
    }
}

/// The raw messages of a topic. The hub listens from the first look until a minute after the last.
#[utoipa::path(get, path = "/api/v1/broker/messages", tag = "broker", params(TapQuery),
    responses((status = 200, body = TapBody), (status = 403), (status = 422)))]
pub(crate) async fn messages(
    app: web::Data<App>,
    user: CurrentUser,
    query: Query<TapQuery>,
) -> Answer {
    user.admin()?;
    let topic = query.0.topic;
    let tapped = app.hub.tap(std::slice::from_ref(&topic)).await;
    let tapped = tapped.map_err(|error| {
        let mut problem = Problem::from(error);
        problem.field = problem.field.map(|_| "topic".to_owned());
        problem
    })?;
    Ok(HttpResponse::Ok().json(TapBody {
        connected: tapped.connected,
        refused: !tapped.refused.is_empty(),
        seen: tapped.seen,
        messages: tapped.messages.iter().map(RawMessage::from).collect(),
    }))
}

/// A test payload.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestRequest {
    /// Where it goes.
    #[schema(example = "esp8266/socket")]
    topic: String,
    /// What is sent.
    #[schema(example = "1")]
    payload: String,
    /// The device that is being made, if the topic is already its own.
    #[serde(default)]
    device: Option<String>,
}

/// Publishes a test payload at once, not retained. It is no command: nothing waits for a
/// confirmation. Topics of other devices and of announcements are refused.
#[utoipa::path(post, path = "/api/v1/broker/messages", tag = "broker", request_body = TestRequest,
    responses((status = 204), (status = 403), (status = 409, description = "The broker is away"), (status = 422)))]
pub(crate) async fn send(
    app: web::Data<App>,
    user: CurrentUser,
    body: Json<TestRequest>,
) -> Answer {
    user.admin()?;
    let wanted = body.value;
    let device = wanted.device.as_deref();
    let test = TestPayload {
        device: device.map(|id| device_id("device", id)).transpose()?,
        topic: wanted.topic,
        payload: wanted.payload,
    };
    app.hub.send_test(test, &user.subject).await?;
    Ok(HttpResponse::NoContent().finish())
}
