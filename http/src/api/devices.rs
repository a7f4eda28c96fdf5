//! Devices: list, read, enter by hand, change, delete.
//!
//! Owner of how devices travel over REST. The house owns what a change means.

use crate::api::bodies::{DeviceBody, Page};
use crate::api::words::KindWord;
use crate::api::{conditional, paths};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::{Json, Query, present};
use crate::problem::{Answer, Problem};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::{DevicePatch, EntityPatch, NewDevice, NewEntity};
use iothome_engine::config::Raw;
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::kind::Kind;
use iothome_engine::policy::Right;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use utoipa::{IntoParams, ToSchema};

/// Things listed at once.
pub(crate) const LIMIT_MAX: usize = 500;
/// Things listed if nothing is said.
pub(crate) const LIMIT: usize = 100;

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// At most so many (1 to 500, 100 if not given).
    pub(crate) limit: Option<usize>,
    /// Only what comes after this id.
    pub(crate) after: Option<String>,
}

/// A device entered by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDeviceRequest {
    /// Its id; made from the name if not given.
    #[serde(default)]
    id: Option<String>,
    /// Its name.
    #[schema(example = "Old socket")]
    name: String,
    /// Its room.
    #[serde(default)]
    room: Option<String>,
    /// Its entities; none for a device that will announce itself.
    #[serde(default)]
    entities: Vec<NewEntityRequest>,
    /// Whether to make a broker user and password for it (if the hub manages the broker's users).
    #[serde(default = "yes")]
    credential: bool,
}

const fn yes() -> bool {
    true
}

/// An entity entered by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEntityRequest {
    /// Its id; made from the name or kind if not given.
    #[serde(default)]
    id: Option<String>,
    /// Its name; the device's if not given.
    #[serde(default)]
    name: Option<String>,
    /// Its kind.
    #[schema(value_type = KindWord)]
    kind: Kind,
    /// Deadline of its commands in milliseconds; the kind's own if not given.
    #[serde(default)]
    deadline_ms: Option<i64>,
    /// Its configuration in the words of Home Assistant's MQTT discovery: `command_topic`,
    /// `state_topic`, `payload_on`, `value_template` and so on.
    #[schema(value_type = Object)]
    config: Raw,
}

impl From<NewEntityRequest> for NewEntity {
    fn from(entity: NewEntityRequest) -> Self {
        Self {
            id: entity.id,
            name: entity.name,
            kind: entity.kind,
            deadline_ms: entity.deadline_ms,
            config: entity.config,
        }
    }
}

/// A device that was just entered.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedDevice {
    /// The device.
    #[serde(flatten)]
    device: DeviceBody,
    /// Its broker user and password, shown this once; null if the hub does not manage them.
    credential: Option<CredentialBody>,
    /// Who manages the broker's users: `embedded`, `hub` or `operator`.
    broker_managed_by: String,
}

/// A user of the broker, with its password.
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceCredential)]
pub(crate) struct CredentialBody {
    /// MQTT user name.
    username: String,
    /// MQTT password; the hub keeps only its hash.
    password: String,
}

/// Changes of a device (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceChange {
    /// A new name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    name: Option<String>,
    /// A new room; null takes it out of its room. In a new room it has no position.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    room: Option<Option<String>>,
    /// A picture, one of the words of `GET /api/v1/icons`; null gives back that of what it is.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    icon: Option<Option<String>>,
    /// Its place in its room, 0 to 1,000,000; null puts it after those that have one.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    position: Option<Option<i64>>,
    /// Changes of its entities, by id.
    #[serde(default)]
    #[schema(value_type = HashMap<String, EntityChange>)]
    entities: HashMap<String, EntityChange>,
}

/// Changes of an entity (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntityChange {
    /// A new name; null gives back the configuration's own.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// A deadline for its commands; null gives back the kind's own.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    deadline_ms: Option<Option<i64>>,
    /// A whole new configuration (of an entity entered by hand).
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Object, required = false)]
    config: Option<Raw>,
}

/// The devices that you may see, by id.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", params(ListQuery),
    responses((status = 200, body = Page<DeviceBody>)))]
pub(crate) async fn list(
    app: web::Data<App>,
    user: CurrentUser,
    query: Query<ListQuery>,
) -> Answer {
    let limit = paths::limit(query.0.limit, LIMIT, LIMIT_MAX)?;
    let devices = app.hub.house().devices().into_iter();
    let visible = devices.filter(|device| user.subject.may(Right::View, &device.id));
    let all = visible
        .map(|device| (device.id.to_string(), device))
        .collect();
    let page = Page::of(all, query.0.after.as_deref(), limit);
    Ok(HttpResponse::Ok().json(Page {
        items: page.items.iter().map(|d| DeviceBody::new(d)).collect(),
        next: page.next,
    }))
}

/// A device. Its `ETag` is the version of its configuration, not of its state.
#[utoipa::path(get, path = "/api/v1/devices/{device}", tag = "devices", params(("device" = String, Path)),
    responses((status = 200, body = DeviceBody), (status = 404)))]
pub(crate) async fn get(app: web::Data<App>, user: CurrentUser, path: web::Path<String>) -> Answer {
    let device = paths::device(&app, &user, &path, Right::View)?;
    Ok(HttpResponse::Ok()
        .insert_header(conditional::tag(device.version))
        .json(DeviceBody::new(&device)))
}

/// Enters a device by hand, or makes one known that will announce itself.
#[utoipa::path(post, path = "/api/v1/devices", tag = "devices", request_body = NewDeviceRequest,
    responses((status = 201, body = CreatedDevice), (status = 403), (status = 409, description = "The id was used before"),
        (status = 422)))]
pub(crate) async fn create(
    app: web::Data<App>,
    user: CurrentUser,
    body: Json<NewDeviceRequest>,
) -> Answer {
    user.admin()?;
    let wanted = body.value;
    let entities = wanted.entities.into_iter().map(NewEntity::from);
    let new = NewDevice {
        id: wanted.id,
        name: wanted.name,
        room: wanted.room,
        entities: entities.collect(),
        credential: wanted.credential,
    };
    let (device, issued) = app.hub.create_device(new, &user.subject).await?;
    let body = CreatedDevice {
        device: DeviceBody::new(&device),
        credential: issued.map(|issued| CredentialBody {
            username: issued.username,
            password: issued.password,
        }),
        broker_managed_by: app.hub.broker().managed_by.to_owned(),
    };
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/devices/{}", device.id)))
        .insert_header(conditional::tag(device.version))
        .json(body))
}

/// Changes a device's name, room, icon, place or entities.
#[utoipa::path(patch, path = "/api/v1/devices/{device}", tag = "devices",
    params(("device" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body(content = DeviceChange, content_type = "application/merge-patch+json"),
    responses((status = 200, body = DeviceBody), (status = 403), (status = 404), (status = 412), (status = 422)))]
pub(crate) async fn patch(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    body: Json<DeviceChange>,
) -> Answer {
    let device = paths::device(&app, &user, &path, Right::Manage)?;
    let if_match = conditional::if_match(&request)?;
    let patch = checked(body.value)?;
    let changed = app
        .hub
        .update_device(&device.id, patch, if_match, &user.subject)
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(conditional::tag(changed.version))
        .json(DeviceBody::new(&changed)))
}

fn checked(change: DeviceChange) -> Answer<DevicePatch> {
    if let Some(Some(icon)) = &change.icon {
        super::rooms::known_icon(icon)?;
    }
    let mut entities = BTreeMap::new();
    for (id, change) in change.entities {
        let field = format!("entities.{}", id.chars().take(64).collect::<String>());
        let id: EntityId = id
            .parse()
            .map_err(|_| Problem::invalid(field, "the device has no such entity"))?;
        let patch = EntityPatch {
            name: change.name,
            deadline_ms: change.deadline_ms,
            config: change.config,
        };
        entities.insert(id, patch);
    }
    Ok(DevicePatch {
        name: change.name,
        room: change.room,
        icon: change.icon,
        position: change.position,
        entities,
    })
}

/// Deletes a device: its commands end, its credential is revoked, its history stays.
#[utoipa::path(delete, path = "/api/v1/devices/{device}", tag = "devices",
    params(("device" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 403), (status = 404), (status = 412)))]
pub(crate) async fn delete(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
) -> Answer {
    let device = paths::device(&app, &user, &path, Right::Manage)?;
    let if_match = conditional::if_match(&request)?;
    app.hub
        .delete_device(&device.id, if_match, &user.subject)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lets a quarantined device back.
#[utoipa::path(post, path = "/api/v1/devices/{device}/release", tag = "devices", params(("device" = String, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409, description = "It is not quarantined")))]
pub(crate) async fn release(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    let device = paths::device(&app, &user, &path, Right::Manage)?;
    app.hub.release_device(&device.id, &user.subject).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A device id of a list's cursor or of a body; 422 names the field.
pub(crate) fn device_id(field: &str, text: &str) -> Answer<DeviceId> {
    text.parse()
        .map_err(|error: iothome_engine::ids::IdError| Problem::invalid(field, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_tells_null_from_absent() {
        let parse = |text: &str| crate::json::parse::<DeviceChange>(text.as_bytes());
        assert_eq!(parse("{}").expect("empty").room, None);
        assert_eq!(parse(r#"{"room":null}"#).expect("null").room, Some(None));
        let kitchen = parse(r#"{"room":"Kitchen"}"#).expect("a room").room;
        assert_eq!(kitchen, Some(Some("Kitchen".into())));
        assert!(parse(r#"{"rooms":"Kitchen"}"#).is_err());
    }

    #[test]
    fn an_id_that_no_entity_can_have_is_named() {
        let change = crate::json::parse(br#"{"entities":{"No Such":{}}}"#).expect("well-formed");
        let problem = checked(change).expect_err("no such id");
        assert_eq!(problem.field.as_deref(), Some("entities.No Such"));
    }
}
