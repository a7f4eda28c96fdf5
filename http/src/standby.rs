//! What a hub answers while another one runs the house.
//!
//! Owner of the answers on standby: alive, not ready, nothing else.

use crate::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, web};

/// Registers the few answers.
pub(crate) fn configure(services: &mut ServiceConfig) {
    services
        .route("/health/live", web::get().to(live))
        .route("/health/ready", web::get().to(ready))
        .default_service(web::route().to(elsewhere));
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "live"}))
}

async fn ready() -> HttpResponse {
    HttpResponse::ServiceUnavailable().json(serde_json::json!({"status": "standby"}))
}

async fn elsewhere() -> Result<HttpResponse, Problem> {
    Err(Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "standby",
        "this hub stands by: another one runs the house",
    )
    .retry_after(5))
}
