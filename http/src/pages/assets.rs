//! Stylesheet, script and icon, kept by browsers for ever.
//!
//! Owner of their answers. Only the files built into the program are served.

use crate::problem::{Answer, Problem};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use iothome_views::assets;

/// A file whose address holds the hash of its content.
pub(crate) async fn asset(request: HttpRequest) -> Answer {
    let asset =
        assets::find(request.path()).ok_or_else(|| Problem::not_found("there is no such file"))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, asset.content_type))
        .insert_header((header::CACHE_CONTROL, assets::CACHE_CONTROL))
        .body(asset.body.as_ref()))
}
