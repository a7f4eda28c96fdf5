//! Who asks, as an argument of a handler.
//!
//! Owner of the hand-over from the gate to handlers. It must never authenticate:
//! it tells what the gate has found.

use crate::app::App;
use crate::auth::csrf;
use crate::door::client::Client;
use crate::door::limits::{BODY_WAIT, FORM_MAX};
use crate::pages::taste::Taste;
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest, web};
use iothome_engine::ids::SessionId;
use iothome_engine::policy::Subject;
use serde::de::DeserializeOwned;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;

/// The signed-in user of this request, as the session's authority knows them now.
#[derive(Clone, Debug)]
pub(crate) struct CurrentUser {
    /// Identity, role and grants.
    pub(crate) subject: Arc<Subject>,
    /// Their session.
    pub(crate) session: SessionId,
    /// How they read pages.
    pub(crate) taste: Taste,
}

impl CurrentUser {
    /// Of a request, if it is signed in.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// An administrator, or 403.
    pub(crate) fn admin(&self) -> Result<(), Problem> {
        if self.subject.is_admin() {
            return Ok(());
        }
        Err(Problem::forbidden("this is for administrators"))
    }
}

impl FromRequest for CurrentUser {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request).ok_or_else(Problem::unauthorized))
    }
}

impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let client = request.extensions().get::<Self>().cloned();
        ready(Ok(
            client.expect("the door notes the client of every request")
        ))
    }
}

/// A posted form of a signed-in page, its form token checked and taken out.
#[derive(Debug)]
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let user = CurrentUser::of(request);
        let app = App::of(request);
        let body = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            let session = user.ok_or_else(Problem::unauthorized)?.session;
            let body = read(body).await?;
            let (token, fields) = take_token(&body);
            if !csrf::check(&app.keys, session, token) {
                return Err(Problem::new(
                    StatusCode::FORBIDDEN,
                    "stale_form",
                    "this form is too old or not from this hub: load the page again",
                ));
            }
            parse(&fields).map(Self)
        })
    }
}

/// A posted form of a page that is open to all, signed in or not: no session has given it a
/// token, and the Origin check alone keeps other sites' forms out.
#[derive(Debug)]
pub(crate) struct OpenForm<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for OpenForm<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = web::Bytes::from_request(request, payload);
        Box::pin(async move { parse(&read(body).await?).map(Self) })
    }
}

/// The body of a form: bounded in time and size, and text.
async fn read(body: impl Future<Output = Result<web::Bytes, Error>>) -> Result<String, Problem> {
    let body = tokio::time::timeout(BODY_WAIT, body)
        .await
        .map_err(|_| Problem::bad_request("the form took too long to arrive"))?
        .map_err(|_| Problem::bad_request("the form could not be read"))?;
    if body.len() > FORM_MAX {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "the form is too large",
        ));
    }
    String::from_utf8(body.into()).map_err(|_| Problem::bad_request("the form is not UTF-8"))
}

fn parse<T: DeserializeOwned>(fields: &str) -> Result<T, Problem> {
    web::Query::<T>::from_query(fields)
        .map(web::Query::into_inner)
        .map_err(|error| Problem::invalid(field_of(&error.to_string()), error.to_string()))
}

/// Splits the form token from the other fields.
fn take_token(body: &str) -> (&str, String) {
    let mut token = "";
    let mut rest = Vec::new();
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some((name, value)) if name == csrf::FIELD => token = value,
            _ => rest.push(pair),
        }
    }
    (token, rest.join("&"))
}

/// The name between back-ticks in serde's messages ("missing field `name`").
pub(crate) fn field_of(message: &str) -> String {
    let mut parts = message.split('`');
    parts.next();
    parts.next().unwrap_or("body").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_token_is_taken_out_before_the_fields_are_read() {
        let (token, fields) = take_token("name=Eve&csrf=abc-_1&room=%C3%96");
        assert_eq!(token, "abc-_1");
        assert_eq!(fields, "name=Eve&room=%C3%96");
        assert_eq!(take_token("").0, "");
    }

    #[test]
    fn the_wrong_field_is_named() {
        assert_eq!(
            field_of("unknown field `colour`, expected `name`"),
            "colour"
        );
        assert_eq!(field_of("something else"), "body");
    }
}
