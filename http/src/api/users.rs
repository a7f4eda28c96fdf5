//! Users, for administrators.
//!
//! Owner of user administration over REST. What disabling or renaming does to
//! running sessions is the house's to do.

use crate::api::bodies::Page;
use crate::api::bodies_user::UserBody;
use crate::api::devices::ListQuery;
use crate::api::words::RoleWord;
use crate::api::{conditional, paths};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::{Json, Query, present};
use crate::problem::{Answer, Problem};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::{HubError, NewPerson, PersonPatch};
use iothome_engine::ids::UserId;
use iothome_engine::policy::Role;
use iothome_store::User;
use serde::Deserialize;
use utoipa::ToSchema;

pub(crate) const LIMIT_MAX: usize = 200;
pub(crate) const LIMIT: usize = 100;

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUserRequest {
    /// Sign-in name, unique whatever its case.
    username: String,
    /// Password, at least 8 characters.
    password: String,
    /// Role; `member` if not given.
    #[serde(default = "member")]
    #[schema(value_type = RoleWord)]
    role: Role,
}

const fn member() -> Role {
    Role::Member
}

/// Changes of a user (RFC 7396).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    /// A new sign-in name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    username: Option<String>,
    /// A new role.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = RoleWord, required = false)]
    role: Option<Role>,
    /// Disable or enable; disabling ends all sessions at once.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool, required = false)]
    disabled: Option<bool>,
    /// A new password; ends all sessions at once.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    password: Option<String>,
}

/// All users, in the order they were made.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(ListQuery),
    responses((status = 200, body = Page<UserBody>), (status = 403)))]
pub(crate) async fn list(
    app: web::Data<App>,
    user: CurrentUser,
    query: Query<ListQuery>,
) -> Answer {
    user.admin()?;
    let limit = paths::limit(query.0.limit, LIMIT, LIMIT_MAX)?;
    let after = user_id(query.0.after.as_deref())?;
    let users = app.store.users(limit, after).await?;
    let full = users.len() >= limit;
    let next = users.last().filter(|_| full).map(|u| u.id.to_string());
    let items: Vec<UserBody> = users.iter().map(Into::into).collect();
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// The user after whom a page of a list begins.
pub(crate) fn user_id(after: Option<&str>) -> Answer<Option<UserId>> {
    let read = |text: &str| {
        let id = text.parse::<UserId>();
        id.map_err(|_| Problem::bad_request("after is the id of a user").field("after"))
    };
    after.map(read).transpose()
}

/// The house says `name` where requests say `username`.
fn in_our_words(error: HubError) -> Problem {
    let problem = Problem::from(error);
    match problem.field.as_deref() {
        Some("name") => problem.field("username"),
        _ => problem,
    }
}

async fn find(app: &App, text: &str) -> Answer<User> {
    let id: UserId = paths::id(text, "user")?;
    let user = app.store.user(id).await?;
    user.ok_or_else(|| Problem::not_found("there is no such user"))
}

fn tell(user: &User, mut response: actix_web::HttpResponseBuilder) -> HttpResponse {
    response
        .insert_header(conditional::tag(user.version))
        .json(UserBody::from(user))
}

/// A user.
#[utoipa::path(get, path = "/api/v1/users/{user}", tag = "users", params(("user" = String, Path)),
    responses((status = 200, body = UserBody), (status = 403), (status = 404)))]
pub(crate) async fn get(app: web::Data<App>, user: CurrentUser, path: web::Path<String>) -> Answer {
    user.admin()?;
    Ok(tell(&find(&app, &path).await?, HttpResponse::Ok()))
}

/// Makes a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUserRequest,
    responses((status = 201, body = UserBody), (status = 403), (status = 409, description = "The name is taken"), (status = 422)))]
pub(crate) async fn create(
    app: web::Data<App>,
    user: CurrentUser,
    body: Json<NewUserRequest>,
) -> Answer {
    user.admin()?;
    let wanted = body.value;
    let new = NewPerson {
        name: wanted.username,
        role: wanted.role,
        password: wanted.password,
    };
    let made = app.hub.create_user(new, &user.subject).await;
    let made = made.map_err(in_our_words)?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/v1/users/{}", made.id)));
    Ok(tell(&made, response))
}

/// Changes a user: all of it, or nothing.
#[utoipa::path(patch, path = "/api/v1/users/{user}", tag = "users",
    params(("user" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body(content = UserChange, content_type = "application/merge-patch+json"),
    responses((status = 200, body = UserBody), (status = 403), (status = 404),
        (status = 409, description = "The name is taken, or it is the last administrator"), (status = 412), (status = 422)))]
pub(crate) async fn patch(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    body: Json<UserChange>,
) -> Answer {
    user.admin()?;
    let id: UserId = paths::id(&path, "user")?;
    let if_match = conditional::if_match(&request)?;
    let change = body.value;
    // One who resets their own password this way keeps the session they do it in.
    let keep = (id == user.subject.user).then_some(user.session);
    let patch = PersonPatch {
        name: change.username,
        role: change.role,
        disabled: change.disabled,
        password: change.password,
    };
    let changed = app
        .hub
        .update_user(id, patch, if_match, keep, &user.subject)
        .await
        .map_err(in_our_words)?;
    app.feed.forget();
    Ok(tell(&changed, HttpResponse::Ok()))
}

/// Deletes a user with their grants; their sessions end at once.
#[utoipa::path(delete, path = "/api/v1/users/{user}", tag = "users", params(("user" = String, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409, description = "It is the last administrator")))]
pub(crate) async fn delete(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    user.admin()?;
    let id: UserId = paths::id(&path, "user")?;
    app.hub.delete_user(id, &user.subject).await?;
    Ok(HttpResponse::NoContent().finish())
}
