//! The gate before every route: finds out who asks and turns others away.
//!
//! Owner of the enforcement of the route table's `Access`. A handler cannot
//! forget it. What the user may do with a device is decided later.

use crate::app::App;
use crate::auth::cookies::{self, Which};
use crate::auth::extract::CurrentUser;
use crate::auth::jwt::TokenFault;
use crate::door::client::Client;
use crate::pages::taste::Taste;
use crate::problem::Problem;
use crate::routes::Access;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, ResponseError as _, web};
use iothome_actors::SessionError;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Who was found, and the new tokens if the session was renewed on the way.
struct Found {
    user: CurrentUser,
    renewed: Option<Renewed>,
}

struct Renewed {
    access: String,
    refresh: String,
}

/// Lets through who may knock at this method of this path.
pub(crate) async fn pass(
    table: Arc<[(Method, Access)]>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let method = match *request.method() {
        Method::HEAD => Method::GET,
        ref other => other.clone(),
    };
    // A method that is not in the table goes on to its 405.
    let access = table.iter().find(|(m, _)| *m == method).map(|(_, a)| *a);
    let app = App::of(request.request());
    let found = match access {
        Some(Access::Asset) => Ok(None),
        None | Some(Access::Open) => look(&app, &request, true).await,
        Some(Access::Bearer) => bearer(&app, &request).await.map(Some),
        Some(Access::Cookie) => cookie(&app, &request).await.map(Some),
        Some(Access::Either) => look(&app, &request, false).await,
        Some(Access::Metrics) => look(&app, &request, scraper(&app, &request)).await,
    };
    let mut found = match found {
        Ok(found) => found,
        Err(problem) => return Ok(turn_away(request, access, &problem)),
    };
    // Programs read no pages: their language is not worth a look into the store.
    if let Some(found) = &mut found
        && matches!(access, None | Some(Access::Cookie | Access::Open))
        && token_of(&request).is_none()
    {
        let user = found.user.subject.user;
        found.user.taste = Taste::chosen(&app, user, request.headers()).await;
    }
    let client = client(&request);
    let renewed = found.map(|found| {
        request.extensions_mut().insert(found.user);
        found.renewed
    });
    let mut response = next.call(request).await?.map_into_boxed_body();
    // A route that itself signs in or out has the last word on the cookies.
    let settled = response.headers().contains_key(header::SET_COOKIE);
    if let Some(Some(new)) = renewed
        && !settled
    {
        cookies::put_tokens(response.headers_mut(), &client, &new.access, &new.refresh);
    }
    Ok(response)
}

fn client(request: &ServiceRequest) -> Client {
    let client = request.extensions().get::<Client>().cloned();
    client.expect("the door notes the client of every request")
}

/// By token if there is one, else by cookie; nobody is fine if `optional`.
async fn look(
    app: &web::Data<App>,
    request: &ServiceRequest,
    optional: bool,
) -> Result<Option<Found>, Problem> {
    let has_bearer = token_of(request).is_some();
    if optional && !has_bearer && !has_cookie(request) {
        return Ok(None);
    }
    let found = if has_bearer {
        bearer(app, request).await
    } else {
        cookie(app, request).await
    };
    match found {
        Ok(found) => Ok(Some(found)),
        Err(_) if optional => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn has_cookie(request: &ServiceRequest) -> bool {
    let client = client(request);
    [Which::Access, Which::Refresh]
        .iter()
        .any(|which| request.cookie(&which.name(&client)).is_some())
}

fn token_of(request: &ServiceRequest) -> Option<String> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

async fn bearer(app: &web::Data<App>, request: &ServiceRequest) -> Result<Found, Problem> {
    let token = token_of(request).ok_or_else(Problem::unauthorized)?;
    match by_access_token(app, request, &token).await? {
        Some(user) => Ok(Found {
            user,
            renewed: None,
        }),
        None => Err(Problem::unauthorized()),
    }
}

async fn cookie(app: &web::Data<App>, request: &ServiceRequest) -> Result<Found, Problem> {
    let client = client(request);
    let value = |which: Which| {
        let cookie = request.cookie(&which.name(&client))?;
        Some(cookie.value().to_owned())
    };
    if let Some(access) = value(Which::Access)
        && let Some(user) = by_access_token(app, request, &access).await?
    {
        return Ok(Found {
            user,
            renewed: None,
        });
    }
    let refresh = value(Which::Refresh).ok_or_else(Problem::unauthorized)?;
    renew(app, request, &refresh).await
}

/// The session of a token that lasts; `None` if a refresh may help.
async fn by_access_token(
    app: &web::Data<App>,
    request: &ServiceRequest,
    token: &str,
) -> Result<Option<CurrentUser>, Problem> {
    let claims = match app.keys.jwt.check(token, app.now()) {
        Ok(claims) => claims,
        Err(TokenFault::Expired | TokenFault::Invalid) => return Ok(None),
    };
    match app.hub.sessions().enter(claims.sid).await {
        Ok(subject) if subject.user == claims.sub => Ok(Some(CurrentUser {
            subject,
            session: claims.sid,
            taste: Taste::asked(request.headers()),
        })),
        Ok(_) | Err(SessionError::Ended) => Err(Problem::unauthorized()),
        Err(error) => Err(error.into()),
    }
}

async fn renew(
    app: &web::Data<App>,
    request: &ServiceRequest,
    refresh: &str,
) -> Result<Found, Problem> {
    let opened = app.hub.sessions().refresh(refresh).await?;
    let access = app.access_token(opened.subject.user, opened.session)?;
    Ok(Found {
        user: CurrentUser {
            subject: opened.subject,
            session: opened.session,
            taste: Taste::asked(request.headers()),
        },
        renewed: Some(Renewed {
            access,
            refresh: opened.refresh,
        }),
    })
}

/// Whether it may read the metrics without a user.
fn scraper(app: &web::Data<App>, request: &ServiceRequest) -> bool {
    let local = client(request).is_local();
    let token = token_of(request).unwrap_or_default();
    let has_token = app
        .config
        .metrics_token
        .as_ref()
        .is_some_and(|expected| bool::from(expected.as_bytes().ct_eq(token.as_bytes())));
    local || has_token
}

/// People are sent to the sign-in page, programs get the problem.
fn turn_away(
    request: ServiceRequest,
    access: Option<Access>,
    problem: &Problem,
) -> ServiceResponse<BoxBody> {
    let signed_out = problem.code == "not_signed_in";
    let accepts_pages = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let by_browser = matches!(access, Some(Access::Cookie | Access::Either)) && accepts_pages;
    if !(signed_out && by_browser) {
        return request.into_response(problem.error_response());
    }
    let mut response = HttpResponse::SeeOther()
        .insert_header((header::LOCATION, sign_in_location(&request)))
        .finish();
    if has_cookie(&request) {
        cookies::clear(&mut response, &client(&request));
    }
    request.into_response(response)
}

/// Comes back to a page that was asked for; a form that was posted is gone.
fn sign_in_location(request: &ServiceRequest) -> String {
    let wanted = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    if *request.method() != Method::GET || wanted == "/" {
        return "/sign-in".into();
    }
    format!(
        "/sign-in?next={}",
        utf8_percent_encode(wanted, NON_ALPHANUMERIC)
    )
}
