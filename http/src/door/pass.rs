//! The middleware that every request passes: checks in, headers out.
//!
//! Owner of the order of the checks. It must never look at a body or a user.

use crate::app::App;
use crate::door::client::{self, Client, Heard};
use crate::door::headers;
use crate::pages;
use crate::problem::Problem;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, ResponseError as _, web};
use percent_encoding::percent_decode_str;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;
use tracing_actix_web::RequestId;

/// Lets a request in or turns it away, and puts the common headers on the answer.
pub(crate) async fn pass(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let client = hear(&request);
    let checked = check(&request, &client);
    request.extensions_mut().insert(client.clone());
    let request_id = request.extensions().get::<RequestId>().copied();
    let insist = app(&request).insists_on_https(&client);
    let mut response = match checked {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(problem) => request.into_response(problem.error_response()),
    };
    response = as_page_where_people_look(response);
    headers::put(response.headers_mut(), insist);
    if let Some(Ok(id)) = request_id.map(|id| HeaderValue::from_str(&id.to_string())) {
        let name = HeaderName::from_static("x-request-id");
        response.headers_mut().insert(name, id);
    }
    count(&response, started);
    Ok(response)
}

fn app(request: &ServiceRequest) -> &web::Data<App> {
    request
        .app_data::<web::Data<App>>()
        .expect("the server registers App before any route")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn hear(request: &ServiceRequest) -> Client {
    let headers = request.headers();
    let forwarded_for: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .collect();
    // HTTP/2 has no Host header but an authority.
    let host = text(headers, "host")
        .or_else(|| request.uri().authority().map(|a| a.as_str()))
        .unwrap_or("");
    let heard = Heard {
        peer: request
            .peer_addr()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip()),
        tls: request.app_config().secure(),
        forwarded_for: &forwarded_for.join(","),
        forwarded_proto: text(headers, "x-forwarded-proto").unwrap_or(""),
        host,
    };
    client::resolve(heard, &app(request).config.trusted_proxies)
}

fn check(request: &ServiceRequest, client: &Client) -> Result<(), Problem> {
    let health = request.path().starts_with("/health/");
    check_peer(request, client, health)?;
    if health {
        // A container's health check knows neither name nor certificate.
        return Ok(());
    }
    let hosts = &app(request).hosts;
    if !hosts.allows(&client.host) {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            "the hub does not answer to this host name: use an address from its banner, \
             or add the name to IOTHOME_NAMES or IOTHOME_PUBLIC_URL",
        ));
    }
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let headers = request.headers();
    let site = text(headers, "sec-fetch-site");
    let origin = text(headers, "origin");
    if safe || hosts.allows_origin(site, origin, client.scheme(), &client.host) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "cross_site",
        "this request comes from another site",
    ))
}

/// Plain HTTP that reaches beyond this machine is for trusted proxies alone.
fn check_peer(request: &ServiceRequest, client: &Client, health: bool) -> Result<(), Problem> {
    let beyond = app(request).http_beyond_loopback;
    let tls = request.app_config().secure();
    if tls || !beyond || client.proxied || (health && client.is_local()) {
        return Ok(());
    }
    Err(Problem::forbidden(
        "plain HTTP is answered for the trusted proxies only: use HTTPS",
    ))
}

/// Programs get the problem document, people get a page.
fn as_page_where_people_look(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    if is_for_programs(response.request().path()) {
        return response;
    }
    let problem = response.response().extensions().get::<Problem>().cloned();
    let Some(problem) = problem else {
        return response;
    };
    let request = response.request().clone();
    let mut page = pages::error_page(&request, &problem);
    problem.put_headers(page.headers_mut());
    // The gate may have renewed cookies on the way.
    for cookie in response.headers().get_all(header::SET_COOKIE) {
        page.headers_mut()
            .append(header::SET_COOKIE, cookie.clone());
    }
    ServiceResponse::new(request, page)
}

fn is_for_programs(path: &str) -> bool {
    // The router takes `/%61pi` for `/api`.
    let path = percent_decode_str(path).decode_utf8_lossy();
    let below = |start: &str| {
        path.strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    (below("/api") && !below("/api/docs")) || below("/health") || below("/metrics")
}

fn count(response: &ServiceResponse<BoxBody>, started: Instant) {
    let route = response
        .request()
        .match_pattern()
        .unwrap_or_else(|| "none".into());
    let status = response.status();
    metrics::counter!("iothome_http_requests_total",
        "route" => route.clone(), "status" => status.as_str().to_owned())
    .increment(1);
    metrics::histogram!("iothome_http_request_seconds", "route" => route)
        .record(started.elapsed().as_secs_f64());
    if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
        tracing::warn!(status = status.as_u16(), "a request was not answered");
    }
}

#[cfg(test)]
mod tests {
    use super::is_for_programs;

    #[test]
    fn programs_are_known_by_the_address_however_it_is_written() {
        for path in [
            "/api/v1/me",
            "/%61pi/v1/me",
            "/api",
            "/health/live",
            "/metrics",
        ] {
            assert!(is_for_programs(path), "{path}");
        }
        for path in ["/", "/apiary", "/api/docs", "/devices/api", "/%", "/%ff"] {
            assert!(!is_for_programs(path), "{path}");
        }
    }
}
