//! The two cookies of a signed-in browser.
//!
//! Owner of their names and attributes. Over HTTPS they carry the `__Host-`
//! prefix (RFC 6265bis, section 4.1.3.2); on loopback HTTP, where browsers would
//! refuse that, they carry the port instead: browsers give a host's cookies to all
//! its ports, and two hubs on one machine would take each other's away. They never
//! hold anything but tokens.

use crate::door::client::Client;
use actix_web::HttpResponse;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{HeaderMap, HeaderValue, SET_COOKIE};

/// How long a browser keeps the cookies: the idle end of a session.
const KEEP_DAYS: i64 = 14;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The access token (a JWT).
    Access,
    /// The refresh token.
    Refresh,
}

impl Which {
    /// The cookie's name on this client's connection.
    pub(crate) fn name(self, client: &Client) -> String {
        let word = match self {
            Self::Access => "iothome_access",
            Self::Refresh => "iothome_refresh",
        };
        match client.port() {
            _ if client.secure => format!("__Host-{word}"),
            Some(port) => format!("{word}_{port}"),
            None => word.to_owned(),
        }
    }
}

fn make(which: Which, client: &Client, value: String, keep: Duration) -> Cookie<'static> {
    Cookie::build(which.name(client), value)
        .path("/")
        .secure(client.secure)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(keep)
        .finish()
}

fn put(headers: &mut HeaderMap, cookie: &Cookie<'_>) {
    // Tokens are base64url and dots; a cookie of them is always a header value.
    if let Ok(value) = HeaderValue::from_str(&cookie.encoded().to_string()) {
        headers.append(SET_COOKIE, value);
    }
}

/// Hands both tokens to the browser.
pub(crate) fn put_tokens(headers: &mut HeaderMap, client: &Client, access: &str, refresh: &str) {
    let keep = Duration::days(KEEP_DAYS);
    for (which, value) in [(Which::Access, access), (Which::Refresh, refresh)] {
        put(headers, &make(which, client, value.to_owned(), keep));
    }
}

/// Takes both tokens from the browser.
pub(crate) fn clear(response: &mut HttpResponse, client: &Client) {
    for which in [Which::Access, Which::Refresh] {
        let gone = make(which, client, String::new(), Duration::ZERO);
        put(response.headers_mut(), &gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(secure: bool) -> Vec<String> {
        let mut headers = HeaderMap::new();
        let client = Client {
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            secure,
            proxied: false,
            forwarded: false,
            host: "localhost:8080".into(),
        };
        put_tokens(&mut headers, &client, "a.b.c", "r");
        headers
            .get_all(SET_COOKIE)
            .map(|v| v.to_str().expect("text").to_owned())
            .collect()
    }

    #[test]
    fn over_https_cookies_are_bound_to_the_host() {
        for cookie in set(true) {
            assert!(cookie.starts_with("__Host-iothome_"), "{cookie}");
            for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
                assert!(cookie.contains(attribute), "{cookie} lacks {attribute}");
            }
            assert!(!cookie.contains("Domain"));
        }
    }

    #[test]
    fn on_loopback_http_they_have_no_prefix_and_are_not_secure() {
        for cookie in set(false) {
            assert!(cookie.starts_with("iothome_"), "{cookie}");
            assert!(cookie.contains("_8080="), "{cookie} is every port's");
            assert!(cookie.contains("HttpOnly") && !cookie.contains("Secure"));
        }
    }
}
