//! Health, metrics, and the CA for phones.
//!
//! Owner of what monitoring and installers read. Nothing here tells anything of the house.

use crate::app::App;
use crate::problem::{Answer, Problem};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// What is ready.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    /// `ready`, `degraded` (it works, but the broker does not keep devices apart, or the hub
    /// cannot see to it: the broker page says what to do) or `not_ready`.
    status: &'static str,
    /// Whether the database answers.
    database: bool,
    /// Whether the hub is connected to the broker.
    broker: bool,
}

/// The program runs.
#[utoipa::path(get, path = "/health/live", tag = "health", security(()), responses((status = 200)))]
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "live"}))
}

/// The hub can do its work; 503 says what is missing.
#[utoipa::path(get, path = "/health/ready", tag = "health", security(()),
    responses((status = 200, body = Ready), (status = 503, body = Ready)))]
pub(crate) async fn ready(app: web::Data<App>) -> HttpResponse {
    let database = app.store.check().await.is_ok();
    let broker = app.hub.broker().connected;
    let all = database && broker;
    let mut response = if all {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    let degraded = app.hub.accounts().is_degraded();
    response.json(Ready {
        status: match (all, degraded) {
            (true, false) => "ready",
            (true, true) => "degraded",
            (false, _) => "not_ready",
        },
        database,
        broker,
    })
}

/// Metrics in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, content_type = "text/plain")))]
pub(crate) async fn metrics(app: web::Data<App>) -> Answer {
    let Some(prometheus) = &app.config.prometheus else {
        return Err(Problem::not_found("no metrics are collected"));
    };
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(prometheus.render()))
}

/// The hub's own CA, for a phone to trust.
#[utoipa::path(get, path = "/ca.crt", tag = "health", security(()),
    responses((status = 200, content_type = "application/x-x509-ca-cert"), (status = 404)))]
pub(crate) async fn ca(app: web::Data<App>) -> Answer {
    let Some(pem) = &app.config.ca_pem else {
        return Err(Problem::not_found("this hub has no CA of its own"));
    };
    Ok(HttpResponse::Ok()
        .content_type("application/x-x509-ca-cert")
        .insert_header((
            "content-disposition",
            "attachment; filename=\"iothome-ca.crt\"",
        ))
        .body(pem.clone()))
}
