//! Problems as pages, or as a sentence for the script.
//!
//! Owner of the translation from a problem's code to words for people.

use super::taste::Taste;
use super::visit::{MAY_NOT, NO_DEVICE};
use crate::problem::Problem;
use actix_web::http::header::REFERER;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use iothome_views::pages::error::{self, ErrorPage};
use iothome_views::texts::Texts;
use tracing_actix_web::RequestId;

/// The header by which the script asks for a fragment instead of a page.
pub(super) const FRAGMENT: &str = "x-fragment";

/// Whether the script asked.
pub(super) fn wants_fragment(request: &HttpRequest) -> bool {
    request.headers().contains_key(FRAGMENT)
}

/// A problem as a page.
pub(crate) fn error_page(request: &HttpRequest, problem: &Problem) -> HttpResponse {
    let Taste { t, theme } = Taste::of(request);
    let status = problem.status.as_u16();
    let reference = problem.status.is_server_error().then(|| {
        request
            .extensions()
            .get::<RequestId>()
            .map(ToString::to_string)
    });
    let (detail, detail_is_english) = match said(t, problem) {
        Some(said) => (Some(said.to_owned()), false),
        None if tells(problem) => (Some(problem.detail.clone()), true),
        None => (None, false),
    };
    let model = ErrorPage {
        status,
        detail,
        detail_is_english,
        retry_after_s: problem.retry_after_s.map(Into::into),
        reference: reference.flatten(),
        back: back(request),
        theme,
    };
    let markup = if wants_fragment(request) {
        error::fragment(t, &model)
    } else {
        error::page(t, &model)
    };
    HttpResponse::build(problem.status)
        .content_type("text/html; charset=utf-8")
        .body(markup.into_string())
}

/// What is to be said beyond the page's own words.
fn said(t: &Texts, problem: &Problem) -> Option<&'static str> {
    Some(match problem.code {
        "state_unknown" => t.error.state_unknown,
        "stale_form" | "cross_site" => t.error.form_stale,
        "not_durable" if problem.extra.get("sent").is_some_and(|sent| sent == true) => {
            t.error.not_recorded_sent
        }
        "not_durable" => t.error.not_durable,
        "too_many_requests" => t.error.throttled,
        "busy" => t.error.busy,
        "stopping" => t.error.stopping,
        "invalid" if problem.field.as_deref() == Some("action") => t.error.action,
        "taken" => t.error.taken,
        "last_admin" => t.error.last_admin,
        "not_at_home" => t.error.not_at_home,
        "unknown_host" => t.error.unknown_host,
        NO_DEVICE => t.error.no_device,
        MAY_NOT => t.error.may_not_control,
        _ => return None,
    })
}

/// Whether the problem's own sentence tells more than nothing: it is made of the values in
/// question, in English. Other codes may tell of the hub's inside.
fn tells(problem: &Problem) -> bool {
    matches!(problem.code, "conflict" | "invalid" | "bad_value")
}

/// Where the browser came from, if that is another page of this hub.
fn back(request: &HttpRequest) -> Option<String> {
    let referer = request.headers().get(REFERER)?.to_str().ok()?;
    let (_, rest) = referer.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    let same_host = request.connection_info().host() == host;
    let sane = !path.starts_with("//") && !path.contains('\\') && path != request.path();
    (same_host && sane).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::StatusCode;
    use actix_web::test::TestRequest;
    use iothome_views::texts::ENGLISH;

    #[test]
    fn a_way_back_leads_only_to_pages_of_this_hub() {
        let from = |referer: &str| {
            let request = TestRequest::get()
                .uri("/devices/lamp")
                .insert_header(("host", "hub.local:8443"))
                .insert_header(("referer", referer));
            back(&request.to_http_request())
        };
        assert_eq!(
            from("https://hub.local:8443/sessions"),
            Some("/sessions".into())
        );
        for elsewhere in [
            "https://evil.example/",
            "https://hub.local:8443//evil.example",
            "https://hub.local:8443/devices/lamp",
            "nonsense",
        ] {
            assert_eq!(from(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn inner_errors_stay_inside() {
        let internal = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "secret");
        assert_eq!(said(&ENGLISH, &internal), None);
        assert!(!tells(&internal));
        assert!(tells(&Problem::invalid("value", "1 to 100")));
    }
}
