//! Grants: which user has which rights on which device.
//!
//! Owner of grants over REST, for administrators.

use crate::api::bodies::Page;
use crate::api::devices::ListQuery;
use crate::api::paths;
use crate::api::users::{LIMIT, LIMIT_MAX, user_id};
use crate::api::words::RightWord;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::{Json, Query};
use crate::problem::{Answer, Problem};
use actix_web::{HttpResponse, web};
use iothome_engine::ids::UserId;
use iothome_engine::policy::{Right, Rights};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Rights of a user on a device.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantRequest {
    /// The rights; any of them brings `view` with it.
    #[schema(value_type = Vec<RightWord>)]
    rights: Vec<Right>,
}

/// A grant.
#[derive(Serialize, ToSchema)]
#[schema(as = Grant)]
pub(crate) struct GrantBody {
    /// The user.
    #[schema(value_type = String, format = "uuid")]
    user: UserId,
    /// Their rights.
    #[schema(value_type = Vec<RightWord>)]
    rights: Vec<Right>,
}

/// The grants on a device, in the order the users were made. Administrators need none and are not
/// listed.
#[utoipa::path(get, path = "/api/v1/devices/{device}/grants", tag = "users",
    params(("device" = String, Path), ListQuery),
    responses((status = 200, body = Page<GrantBody>), (status = 403), (status = 404)))]
pub(crate) async fn list(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    query: Query<ListQuery>,
) -> Answer {
    let device = paths::device(&app, &user, &path, Right::View)?;
    user.admin()?;
    let limit = paths::limit(query.0.limit, LIMIT, LIMIT_MAX)?;
    let after = user_id(query.0.after.as_deref())?;
    let grants = app.store.grants_on(&device.id, limit, after).await?;
    let full = grants.len() >= limit;
    let next = grants.last().filter(|_| full).map(|(u, _)| u.to_string());
    let items: Vec<GrantBody> = grants
        .into_iter()
        .map(|(user, rights)| GrantBody {
            user,
            rights: rights.list(),
        })
        .collect();
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// Gives a user these rights on a device, and only these. Acts at once.
#[utoipa::path(put, path = "/api/v1/devices/{device}/grants/{user}", tag = "users",
    params(("device" = String, Path), ("user" = String, Path)), request_body = GrantRequest,
    responses((status = 200, body = GrantBody), (status = 403), (status = 404), (status = 422)))]
pub(crate) async fn put(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<(String, String)>,
    body: Json<GrantRequest>,
) -> Answer {
    let (device, whom) = path.into_inner();
    let device = paths::device(&app, &user, &device, Right::View)?;
    user.admin()?;
    let rights = Rights::of(&body.value.rights);
    if rights.is_empty() {
        return Err(Problem::invalid(
            "rights",
            "give at least one right, or DELETE the grant",
        ));
    }
    let whom: UserId = paths::id(&whom, "user")?;
    app.hub
        .set_grant(whom, &device.id, rights, &user.subject)
        .await?;
    app.feed.forget();
    Ok(HttpResponse::Ok().json(GrantBody {
        user: whom,
        rights: rights.list(),
    }))
}

/// Takes the grant away. Acts at once, also on open streams.
#[utoipa::path(delete, path = "/api/v1/devices/{device}/grants/{user}", tag = "users",
    params(("device" = String, Path), ("user" = String, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
pub(crate) async fn delete(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<(String, String)>,
) -> Answer {
    let (device, whom) = path.into_inner();
    let device = paths::device(&app, &user, &device, Right::View)?;
    user.admin()?;
    let whom: UserId = paths::id(&whom, "user")?;
    app.hub
        .remove_grant(whom, &device.id, &user.subject)
        .await?;
    app.feed.forget();
    Ok(HttpResponse::NoContent().finish())
}
