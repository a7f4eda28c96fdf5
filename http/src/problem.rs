//! Problem documents (RFC 9457): what every refused request gets.
//!
//! Owner of the words and shape of errors towards the outside. It must never
//! carry anything from inside the hub (SQL, paths, stack) to the client.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};
use std::fmt;
use std::num::NonZeroU64;

/// Why a request was refused: rendered as JSON for API routes and as a page for page routes.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// A stable word for programs, such as `state_unknown`.
    pub(crate) code: &'static str,
    /// A sentence for people.
    pub(crate) detail: String,
    /// The field that is wrong, in the request's own words.
    pub(crate) field: Option<String>,
    /// When to try again.
    pub(crate) retry_after_s: Option<NonZeroU64>,
    /// Methods the path knows (405).
    pub(crate) allow: Option<Box<str>>,
    /// Further members of the document.
    pub(crate) extra: Map<String, Value>,
}

/// Result of a handler.
pub(crate) type Answer<T = HttpResponse> = Result<T, Problem>;

impl Problem {
    /// A problem with that status, code and sentence.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            field: None,
            retry_after_s: None,
            allow: None,
            extra: Map::new(),
        }
    }

    /// 400: the request cannot be understood.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// 401: who asks?
    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not_signed_in",
            "sign in first: this needs a valid access token of a session that goes on",
        )
    }

    /// 401 at sign-in: the same words whatever was wrong.
    pub(crate) fn wrong_credentials() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "wrong_credentials",
            "user name or password is wrong, or the account is disabled",
        )
    }

    /// 403: seen, but not allowed.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404: no such thing, or not for this user.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 409: it clashes with how things are.
    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: understood, but the field's value will not do.
    pub(crate) fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail).field(field)
    }

    /// 429: too often.
    pub(crate) fn too_many(detail: impl Into<String>, retry_after_s: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
            .retry_after(retry_after_s)
    }

    /// 503: not now.
    pub(crate) fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(1)
    }

    /// 500: our fault. The cause goes to the log, not to the client.
    pub(crate) fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed inside the hub");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the hub failed to do this; its log says why",
        )
    }

    /// Names the field.
    #[must_use]
    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = NonZeroU64::new(seconds).or(Some(NonZeroU64::MIN));
        self
    }

    /// Adds a member to the document.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// The problem document.
    pub(crate) fn document(&self) -> Value {
        let mut document = json!({
            "type": format!("urn:iothome:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
        });
        if let Some(field) = &self.field {
            document["field"] = json!(field);
        }
        for (name, value) in &self.extra {
            document[name.as_str()] = value.clone();
        }
        document
    }

    /// Sets the headers that belong to the problem, whatever its body is.
    pub(crate) fn put_headers(&self, headers: &mut header::HeaderMap) {
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.get()));
        }
        if let Some(Ok(allow)) = self.allow.as_deref().map(HeaderValue::from_str) {
            headers.insert(header::ALLOW, allow);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status)
            .content_type("application/problem+json")
            .body(self.document().to_string());
        self.put_headers(response.headers_mut());
        // The door turns it into a page where a person looks.
        response.extensions_mut().insert(self.clone());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_a_document_that_names_the_field() {
        let problem = Problem::invalid("value", "1 to 100").with("sent", true);
        let document = problem.document();
        assert_eq!(document["status"], 422);
        assert_eq!(document["field"], "value");
        assert_eq!(document["sent"], true);
        assert_eq!(document["type"], "urn:iothome:problem:invalid");
        let response = problem.error_response();
        assert_eq!(
            response.headers().get("content-type").expect("a type"),
            "application/problem+json"
        );
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_as_zero() {
        let response = Problem::too_many("slow down", 0).error_response();
        assert_eq!(response.headers().get("retry-after").expect("a wait"), "1");
    }
}
