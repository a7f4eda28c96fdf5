//! The API's own documentation: the OpenAPI document and a page for it.
//!
//! Owner of the page's assets, all of them in the program. The page has a
//! policy of its own; nothing else may share it.

use crate::api::openapi::Document;
use crate::door::headers::DOCS_CSP;
use crate::problem::{Answer, Problem};
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use std::sync::{Arc, LazyLock};
use utoipa::OpenApi as _;
use utoipa_swagger_ui::Config;

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from("/api/v1/openapi.json")
        .try_it_out_enabled(true)
        .use_base_layout();
    Arc::new(config)
});

static DOCUMENT: LazyLock<Result<String, String>> = LazyLock::new(|| {
    Document::openapi()
        .to_json()
        .map_err(|error| error.to_string())
});

/// The OpenAPI 3.1 document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "documentation",
    responses((status = 200, content_type = "application/json")))]
pub(crate) async fn openapi() -> Answer {
    match &*DOCUMENT {
        Ok(json) => Ok(HttpResponse::Ok()
            .content_type("application/json")
            .body(json.as_str())),
        Err(error) => Err(Problem::internal(error)),
    }
}

/// Relative links of the page need the slash.
pub(crate) async fn index() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/api/docs/"))
        .finish()
}

/// A file of the page.
pub(crate) async fn file(path: web::Path<String>) -> Answer {
    let file = utoipa_swagger_ui::serve(&path, Arc::clone(&CONFIG))
        .map_err(|error| Problem::internal(&error))?
        .ok_or_else(|| Problem::not_found("there is no such file"))?;
    let mut response = HttpResponse::Ok();
    response
        .content_type(file.content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, DOCS_CSP));
    if file.gzpipped {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(response.body(file.bytes.into_owned()))
}
