//! Files that pages need, named by their content so that browsers may keep them for ever.
//!
//! Owner of stylesheet, script and icons. It must never serve a file by a path from outside.

use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// What a browser may do with an asset: its name changes when its content does.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// A file built into the program.
pub struct Asset {
    /// Its address, with the hash of its content in it.
    pub path: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub body: &'static [u8],
}

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, body: &'static [u8]) -> Self {
        let digest = Sha256::digest(body);
        // 64 bits: enough that two versions of a file never share a name.
        let hash = data_encoding::HEXLOWER.encode(&digest[..8]);
        Self {
            path: format!("/assets/{stem}.{hash}.{extension}"),
            content_type,
            body,
        }
    }
}

/// The one stylesheet.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "app",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("../assets/app.css"),
    )
});

/// The one script.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "app",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/app.js"),
    )
});

/// The picture in the browser's tab.
pub static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "icon",
        "svg",
        "image/svg+xml",
        include_bytes!("../assets/icon.svg"),
    )
});

/// The asset at that address.
pub fn find(path: &str) -> Option<&'static Asset> {
    [&STYLE, &SCRIPT, &ICON]
        .into_iter()
        .map(|asset| &**asset)
        .find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_found_by_its_hashed_address_only() {
        assert!(find(&STYLE.path).is_some());
        assert!(find("/assets/app.css").is_none());
        assert!(find("/assets/../Cargo.toml").is_none());
    }

    #[test]
    fn the_script_stays_small() {
        // A first page should be a matter of milliseconds on a tablet of 2015.
        assert!(SCRIPT.body.len() < 20 * 1024, "{}", SCRIPT.body.len());
        assert!(STYLE.body.len() < 32 * 1024, "{}", STYLE.body.len());
    }
}
