//! Stylesheet, script, icons and manifest, kept by browsers for ever.
//!
//! Owner of their answers. Only the files built into the program are served.

use crate::problem::{Answer, Problem};
use actix_web::http::header::{self, ContentEncoding};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use iothome_views::assets::{self, Asset};
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

/// The files that are text, compressed as well as can be: once, and not at every request.
static SMALL: LazyLock<HashMap<&'static str, Vec<u8>>> = LazyLock::new(|| {
    let text = assets::ALL
        .into_iter()
        .filter(|asset| asset.content_type != "image/png");
    text.filter_map(|asset| Some((asset.path.as_str(), compressed(asset)?)))
        .collect()
});

fn compressed(asset: &Asset) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&asset.body).ok()?;
    encoder.finish().ok()
}

/// A file whose address holds the hash of its content.
pub(crate) async fn asset(request: HttpRequest) -> Answer {
    let asset =
        assets::find(request.path()).ok_or_else(|| Problem::not_found("there is no such file"))?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, asset.content_type))
        .insert_header((header::CACHE_CONTROL, assets::CACHE_CONTROL))
        .insert_header((header::VARY, "accept-encoding"));
    match SMALL.get(asset.path.as_str()) {
        Some(small) if takes_gzip(&request) => Ok(response
            .insert_header(ContentEncoding::Gzip)
            .body(small.clone())),
        _ => Ok(response
            .insert_header(ContentEncoding::Identity)
            .body(asset.body.as_ref())),
    }
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let header = request.headers().get(header::ACCEPT_ENCODING);
    let header = header.and_then(|value| value.to_str().ok());
    let mut codings = header.unwrap_or_default().split(',');
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=");
        name.trim() == "gzip" && weight.is_none_or(|q| q.parse::<f32>().is_ok_and(|q| q > 0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn who_does_not_take_gzip_gets_the_file_as_it_is() {
        for (header, takes) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, gzip;q=0.8", true),
            ("gzip;q=0", false),
            ("br", false),
            ("", false),
        ] {
            let request = TestRequest::get()
                .insert_header((header::ACCEPT_ENCODING, header))
                .to_http_request();
            assert_eq!(takes_gzip(&request), takes, "{header}");
        }
    }

    #[test]
    fn the_stylesheet_is_sent_small() {
        let small = SMALL.get(assets::STYLE.path.as_str()).expect("compressed");
        assert!(small.len() * 3 < assets::STYLE.body.len());
    }
}
