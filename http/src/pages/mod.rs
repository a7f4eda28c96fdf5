//! Pages: engine views to view-models to HTML.
//!
//! Owner of the page routes.

use crate::problem::Problem;
use crate::routes::Entry;
use actix_web::{HttpRequest, HttpResponse};

/// The page routes.
pub(crate) fn routes() -> Vec<Entry> {
    Vec::new()
}

/// A problem as a page.
pub(crate) fn error_page(_request: &HttpRequest, problem: &Problem) -> HttpResponse {
    HttpResponse::build(problem.status)
        .content_type("text/plain; charset=utf-8")
        .body(problem.detail.clone())
}
