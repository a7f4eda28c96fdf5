//! Security headers that every answer carries.
//!
//! Owner of the Content-Security-Policy. No page may need an exception but the
//! API's documentation, whose vendored script writes inline styles.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Nothing but what the hub itself serves, and nothing inline.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                   connect-src 'self'; form-action 'self'; base-uri 'none'; \
                   frame-ancestors 'none'; manifest-src 'self'";
/// For the API's documentation alone: its script sets styles inline and embeds its icons.
pub(crate) const DOCS_CSP: &str = "default-src 'none'; script-src 'self'; \
                                   style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                                   font-src 'self'; connect-src 'self'; form-action 'none'; \
                                   base-uri 'none'; frame-ancestors 'none'";
/// One year, as browsers' preload lists ask for.
const HSTS: &str = "max-age=31536000";

const FIXED: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Puts the headers on an answer; what a route has set itself stays.
pub(crate) fn put(headers: &mut HeaderMap, insist_on_https: bool) {
    for (name, value) in FIXED {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    put_if_absent(headers, header::CONTENT_SECURITY_POLICY, CSP);
    put_if_absent(headers, header::CACHE_CONTROL, "no-store");
    if is_page(headers) {
        // The language, and whose page it is; compression adds its own.
        let by = HeaderValue::from_static("accept-language, cookie");
        headers.append(header::VARY, by);
    }
    if insist_on_https {
        put_if_absent(headers, header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn put_if_absent(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_keeps_its_own_policy_and_https_is_insisted_on_only_when_told() {
        let mut headers = HeaderMap::new();
        let own = HeaderValue::from_static(DOCS_CSP);
        headers.insert(header::CONTENT_SECURITY_POLICY, own.clone());
        put(&mut headers, false);
        assert_eq!(headers.get(header::CONTENT_SECURITY_POLICY), Some(&own));
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        put(&mut headers, true);
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn a_page_differs_by_language_and_by_who_looks_and_a_document_does_not() {
        let vary = |kind: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            put(&mut headers, false);
            headers.contains_key(header::VARY)
        };
        assert!(vary("text/html; charset=utf-8"));
        assert!(!vary("application/json"));
    }

    #[test]
    fn the_policy_allows_nothing_inline() {
        assert!(!CSP.contains("unsafe"));
        assert!(CSP.contains("frame-ancestors 'none'"));
    }
}
