//! Sign-in, renewal and sign-out of API clients.
//!
//! Owner of the token endpoints. Tokens go in bodies, never in URLs or cookies.

use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::sign_in::sign_in;
use crate::door::client::Client;
use crate::json::Json;
use crate::problem::Answer;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::{Opened, SessionKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The user's name.
    #[schema(example = "eve")]
    username: String,
    /// Their password.
    password: String,
}

/// What renews.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    /// The refresh token of the last answer.
    refresh_token: String,
}

/// Tokens of a session.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// Goes into `Authorization: Bearer`.
    access_token: String,
    /// Renews once; each renewal gives the next one.
    refresh_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token ends.
    expires_in: i64,
}

fn tokens(app: &App, opened: Opened) -> Answer {
    let body = Tokens {
        access_token: app.access_token(opened.subject.user, opened.session)?,
        refresh_token: opened.refresh,
        token_type: "Bearer",
        expires_in: App::access_life_s(),
    };
    Ok(HttpResponse::Ok().json(body))
}

/// Signs in.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "sign-in", security(()), request_body = Login,
    responses((status = 200, body = Tokens), (status = 401, description = "Wrong name or password"),
        (status = 429, description = "Too many sign-ins"), (status = 503, description = "Busy")))]
pub(crate) async fn login(
    app: web::Data<App>,
    client: Client,
    request: HttpRequest,
    body: Json<Login>,
) -> Answer {
    let Login { username, password } = body.value;
    let agent = user_agent(&request);
    let opened = sign_in(&app, &client, SessionKind::Api, &agent, &username, password).await?;
    tokens(&app, opened)
}

/// What the client calls itself.
pub(crate) fn user_agent(request: &HttpRequest) -> String {
    let agent = request.headers().get(header::USER_AGENT);
    agent
        .and_then(|value| value.to_str().ok())
        .unwrap_or("unknown")
        .to_owned()
}

/// Renews the tokens. The same refresh token gives the same successor for 30 seconds;
/// presented later it ends the session.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "sign-in", security(()), request_body = Refresh,
    responses((status = 200, body = Tokens), (status = 401, description = "The session has ended")))]
pub(crate) async fn refresh(app: web::Data<App>, body: Json<Refresh>) -> Answer {
    let opened = app
        .hub
        .sessions()
        .refresh(&body.value.refresh_token)
        .await?;
    tokens(&app, opened)
}

/// Ends the session at once.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "sign-in",
    responses((status = 204, description = "Signed out")))]
pub(crate) async fn logout(app: web::Data<App>, user: CurrentUser) -> Answer {
    app.hub.sessions().end(user.session).await?;
    Ok(HttpResponse::NoContent().finish())
}
