//! Reading JSON bodies: sized, typed, and with the wrong field named.
//!
//! Owner of the extractor for request bodies. It must never guess: a body that
//! is not what the route takes is refused with the field's path.

use crate::door::limits::{BODY_MAX, BODY_WAIT};
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use sha2::{Digest, Sha256};
use std::future::{Future, Ready, ready};
use std::pin::Pin;

/// A JSON body, parsed.
#[derive(Debug)]
pub(crate) struct Json<T> {
    /// What it says.
    pub(crate) value: T,
    /// SHA-256 of the bytes in lower-case hex, for `Idempotency-Key`.
    pub(crate) sha256: String,
}

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let checked = check_head(request.headers());
        let body = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            checked?;
            let body = tokio::time::timeout(BODY_WAIT, body)
                .await
                .map_err(|_| too_slow())?
                .map_err(|error| unreadable(&error))?;
            Ok(Self {
                value: parse(&body)?,
                sha256: data_encoding::HEXLOWER.encode(&Sha256::digest(&body)),
            })
        })
    }
}

fn check_head(headers: &HeaderMap) -> Result<(), Problem> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY_MAX) {
        return Err(too_large());
    }
    let media = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    if matches!(
        media.as_str(),
        "application/json" | "application/merge-patch+json"
    ) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "send the body as Content-Type: application/json",
    ))
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        format!("the body is larger than {BODY_MAX} bytes"),
    )
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "too_slow",
        "the body took too long to arrive",
    )
}

fn unreadable(error: &actix_web::Error) -> Problem {
    if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    Problem::bad_request("the body could not be read")
}

/// Parses a body; the problem names the field.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // serde would take an array for the fields of a struct in their order.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::invalid("body", "the body must be a JSON object"));
    }
    serde_json::from_slice(body).map_err(|error| {
        let message = without_place(&error.to_string());
        let path = || path_at(body, error.line(), error.column());
        match error.classify() {
            Category::Data => Problem::invalid(field_path(&path(), &message), message),
            // Where serde wants a word and finds another value it speaks of syntax.
            Category::Syntax if is_json(body) => {
                let detail = format!("the value has the wrong type or size ({message})");
                Problem::invalid(field_path(&path(), ""), detail)
            }
            Category::Syntax | Category::Eof | Category::Io => Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed_json",
                format!("the body is not JSON: {error}"),
            ),
        }
    })
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// serde_json's message without "at line 1 column 2": the field says where.
fn without_place(message: &str) -> String {
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end].chars().take(400).collect()
}

/// The path of the field, with the name that the message gives where the path ends above it.
fn field_path(path: &str, message: &str) -> String {
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split('`').next());
    match named {
        None if path.is_empty() => "body".into(),
        None => path.to_owned(),
        // Of an unknown field the path may already end in its name.
        Some(name) if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        Some(name) if path.is_empty() => name.to_owned(),
        Some(name) if message.starts_with("missing") => format!("{path}.{name}"),
        Some(name) => format!("{}{name}", parent(path)),
    }
}

fn parent(path: &str) -> String {
    path.rfind('.')
        .map_or_else(String::new, |dot| path[..=dot].to_owned())
}

/// A container on the way down to the place.
enum Level {
    Object(String),
    Array(usize),
}

/// The path of the value that ends (or fails) at that line and column.
fn path_at(body: &[u8], line: usize, column: usize) -> String {
    let before: usize = body
        .split_inclusive(|b| *b == b'\n')
        .take(line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    let end = (before + column).min(body.len());
    let mut levels: Vec<Level> = Vec::new();
    let mut at = 0;
    let mut expects_key = false;
    while at < end {
        match body[at] {
            b'"' => {
                let (text, next) = string_at(body, at);
                if expects_key && let Some(Level::Object(key)) = levels.last_mut() {
                    *key = text;
                    expects_key = false;
                }
                at = next;
                continue;
            }
            b'{' => {
                levels.push(Level::Object(String::new()));
                expects_key = true;
            }
            b'[' => levels.push(Level::Array(0)),
            // The last byte is where it failed: a closing brace there still belongs to
            // its own container ("missing field").
            b'}' | b']' if at + 1 < end => {
                levels.pop();
                expects_key = false;
            }
            b'}' => {
                if let Some(Level::Object(key)) = levels.last_mut() {
                    key.clear();
                }
            }
            b',' => match levels.last_mut() {
                Some(Level::Object(_)) => expects_key = true,
                Some(Level::Array(index)) => *index += 1,
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    write_path(&levels)
}

fn write_path(levels: &[Level]) -> String {
    let mut path = String::new();
    for level in levels {
        match level {
            Level::Object(key) if key.is_empty() => {}
            Level::Object(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.extend(key.chars().take(64));
            }
            Level::Array(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// The text of the string that starts at the quote, and the place after it.
fn string_at(body: &[u8], quote: usize) -> (String, usize) {
    let mut at = quote + 1;
    while at < body.len() && body[at] != b'"' {
        at += if body[at] == b'\\' { 2 } else { 1 };
    }
    let end = at.min(body.len());
    let text = String::from_utf8_lossy(&body[quote + 1..end]).into_owned();
    (text, end + 1)
}

/// A member of a change that was given: null is read by its type, which takes it where it
/// means something (RFC 7396: take away) and refuses it elsewhere; absent is `None`.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A query string, parsed; unknown and wrong parameters are refused by name.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse_query(request.query_string()).map(Self))
    }
}

fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let error = match web::Query::<T>::from_query(query) {
        Ok(parsed) => return Ok(parsed.into_inner()),
        Err(error) => error.to_string(),
    };
    // serde does not say which value it could not read; every parameter is
    // optional, so the wrong one is wrong alone, too.
    let wrong = query
        .split('&')
        .find(|pair| web::Query::<T>::from_query(pair).is_err());
    let name = wrong.and_then(|pair| pair.split('=').next());
    let detail = error
        .strip_prefix("Query deserialize error: ")
        .unwrap_or(&error)
        .to_owned();
    Err(Problem::bad_request(detail).field(name.unwrap_or("query")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its type matters")]
        size: u8,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its type matters")]
        name: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only its type matters")]
        parts: Vec<Inner>,
    }

    fn field(body: &str) -> String {
        parse::<Outer>(body.as_bytes())
            .expect_err(body)
            .field
            .unwrap_or_else(|| "none".into())
    }

    #[test]
    fn the_wrong_field_is_named_with_its_path() {
        for (body, expected) in [
            (r#"{"name":5}"#, "name"),
            (r#"{"nam":"x"}"#, "nam"),
            (r#"{}"#, "name"),
            (r#"[]"#, "body"),
            (r#"{"name":"\ud800"}"#, "name"),
            (
                r#"{"name":"x","parts":[{"size":1},{"size":300}]}"#,
                "parts[1].size",
            ),
            (r#"{"name":"x","parts":[{"size":"a"}]}"#, "parts[0].size"),
            (r#"{"name":"x","parts":[{"colour":1}]}"#, "parts[0].colour"),
            (r#"{"name":"x","parts":[{}]}"#, "parts[0].size"),
            ("{\n \"name\": \"x\",\n \"parts\": 3\n}", "parts"),
            (r#"{"name":"x","name":"y"}"#, "name"),
            (r#"{"na\"me":"x"}"#, "na\"me"),
        ] {
            assert_eq!(field(body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_a_bad_request() {
        for body in ["", "{", "{\"name\":}", "nul", "\u{0}"] {
            let problem = parse::<Outer>(body.as_bytes()).expect_err(body);
            assert_eq!(problem.status, StatusCode::BAD_REQUEST, "{body}");
        }
        let deep = "[".repeat(100_000);
        let deep = format!("{{\"name\":{deep}");
        assert!(parse::<serde_json::Value>(deep.as_bytes()).is_err());
    }

    #[test]
    fn the_wrong_parameter_is_named() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Few {
            limit: Option<usize>,
        }
        let parse = parse_query::<Few>;
        assert_eq!(parse("limit=5").expect("fine").limit, Some(5));
        assert_eq!(parse("").expect("fine").limit, None);
        for (query, name) in [
            ("limit=x", "limit"),
            ("limit=-1", "limit"),
            ("limit=1&colour=red", "colour"),
            ("limit=1&limit=2", "query"),
        ] {
            let problem = parse(query).expect_err(query);
            assert_eq!(problem.field.as_deref(), Some(name), "{query}");
        }
    }

    #[test]
    fn no_bytes_make_the_path_finder_fail() {
        for body in [&b"\"\\"[..], b"{\"a", b"}}}]]],,,", b"\xff\xfe{\"", b""] {
            for column in 0..10 {
                let _ = path_at(body, 1, column);
                let _ = path_at(body, 3, column);
            }
        }
    }
}
