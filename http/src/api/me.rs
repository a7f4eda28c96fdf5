//! The signed-in user's own affairs: who they are, their sessions, their password.
//!
//! Owner of what everybody may do about themselves.

use crate::api::bodies::Page;
use crate::api::bodies_user::UserBody;
use crate::api::paths;
use crate::api::words::Instant;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::sign_in::check_new_password;
use crate::door::client::Client;
use crate::json::Json;
use crate::problem::{Answer, Problem};
use actix_web::{HttpResponse, web};
use iothome_engine::ids::SessionId;
use iothome_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A change of one's own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The password until now.
    pub(crate) current_password: String,
    /// The new one, at least 8 characters.
    pub(crate) new_password: String,
}

/// One signed-in browser or app.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionBody {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: SessionId,
    /// `browser` or `api`.
    kind: &'static str,
    /// What the client called itself.
    client: String,
    /// When it was opened.
    #[schema(value_type = Instant)]
    created_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = Instant)]
    last_used_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

/// Who am I?
#[utoipa::path(get, path = "/api/v1/me", tag = "me", responses((status = 200, body = UserBody)))]
pub(crate) async fn me(app: web::Data<App>, user: CurrentUser) -> Answer {
    let found = app.store.user(user.subject.user).await?;
    let found = found.ok_or_else(Problem::unauthorized)?;
    Ok(HttpResponse::Ok().json(UserBody::from(&found)))
}

/// Changes one's own password and ends all other sessions.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "me", request_body = PasswordChange,
    responses((status = 204, description = "Changed; other sessions have ended"),
        (status = 403, description = "The current password is wrong"), (status = 422), (status = 429)))]
pub(crate) async fn password(
    app: web::Data<App>,
    user: CurrentUser,
    client: Client,
    body: Json<PasswordChange>,
) -> Answer {
    change_password(&app, &user, &client, body.value).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Changes the password of whoever asks, who has to know the one until now.
pub(crate) async fn change_password(
    app: &App,
    user: &CurrentUser,
    client: &Client,
    change: PasswordChange,
) -> Answer<()> {
    check_new_password("new_password", &change.new_password)?;
    // A stolen session must not be a way to guess the password.
    app.sign_ins
        .attempt(&user.subject.name, client.address, app.now())
        .map_err(|wait| Problem::too_many("too many tries", wait))?;
    let id = user.subject.user;
    let hash = app.store.password_hash(id).await?;
    if !app
        .hub
        .passwords()
        .verify(change.current_password, hash)
        .await?
    {
        return Err(Problem::forbidden("the current password is wrong").field("current_password"));
    }
    app.hub
        .set_password(id, change.new_password, Some(user.session), &user.subject)
        .await?;
    Ok(())
}

/// One's own sessions.
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "me", responses((status = 200, body = Page<SessionBody>)))]
pub(crate) async fn sessions(app: web::Data<App>, user: CurrentUser) -> Answer {
    let all = app.hub.sessions().list(user.subject.user).await?;
    let bodies: Vec<SessionBody> = all
        .into_iter()
        .map(|session| SessionBody {
            id: session.id,
            kind: session.kind.as_str(),
            client: session.client,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            current: session.id == user.session,
        })
        .collect();
    Ok(HttpResponse::Ok().json(Page::whole(bodies)))
}

/// Ends one of one's own sessions at once.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{session}", tag = "me", params(("session" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn end_session(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    let id: SessionId = paths::id(&path, "session")?;
    let own = app.hub.sessions().list(user.subject.user).await?;
    if !own.iter().any(|session| session.id == id) {
        return Err(Problem::not_found("there is no such session"));
    }
    app.hub.sessions().end(id).await?;
    Ok(HttpResponse::NoContent().finish())
}
