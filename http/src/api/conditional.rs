//! `ETag` and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1): no lost updates.
//!
//! Owner of how versions become entity tags and back.

use crate::problem::{Answer, Problem};
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

/// The tag of a version.
pub(crate) fn tag(version: i64) -> (header::HeaderName, HeaderValue) {
    let value = HeaderValue::from_str(&format!("\"{version}\""))
        .expect("a number in quotes is a header value");
    (header::ETAG, value)
}

/// The version that `If-Match` asks for; `None` if it asks for nothing (or `*`).
pub(crate) fn if_match(request: &HttpRequest) -> Answer<Option<i64>> {
    let Some(value) = request.headers().get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or("").trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .and_then(|number| number.parse().ok());
    match version {
        Some(version) => Ok(Some(version)),
        // A tag that we never gave matches nothing.
        None => Err(stale()),
    }
}

/// 412: it was changed since it was read.
pub(crate) fn stale() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "stale",
        "it was changed in the meantime, or If-Match is no tag of it: read it again",
    )
    .field("If-Match")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn parse(value: &str) -> Answer<Option<i64>> {
        let request = TestRequest::default().insert_header(("If-Match", value));
        if_match(&request.to_http_request())
    }

    #[test]
    fn a_tag_reads_back_and_a_strange_one_matches_nothing() {
        assert_eq!(parse("\"7\"").ok(), Some(Some(7)));
        assert_eq!(parse("*").ok(), Some(None));
        for strange in ["7", "W/\"7\"", "\"x\"", "", "\"7\", \"8\""] {
            let problem = parse(strange).expect_err(strange);
            assert_eq!(problem.status, StatusCode::PRECONDITION_FAILED);
        }
        assert_eq!(tag(7).1, "\"7\"");
    }
}
