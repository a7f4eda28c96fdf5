//! Files that pages need, named by their content so that browsers may keep them for ever.
//!
//! Owner of stylesheet, script and icons. It must never serve a file by a path from outside.

use sha2::{Digest, Sha256};
use std::borrow::Cow;
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
    pub body: Cow<'static, [u8]>,
}

impl Asset {
    fn new(
        stem: &str,
        extension: &str,
        content_type: &'static str,
        body: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        let body = body.into();
        let digest = Sha256::digest(&body);
        // 64 bits: enough that two versions of a file never share a name.
        let hash = data_encoding::HEXLOWER.encode(&digest[..8]);
        Self {
            path: format!("/assets/{stem}.{hash}.{extension}"),
            content_type,
            body,
        }
    }
}

/// The source files of the stylesheet, in the order of the cascade: tokens first, then what all
/// pages share, then one file per part of the pages, and last what the viewer wishes.
const STYLE_PARTS: &[&str] = &[
    include_str!("../assets/css/tokens.css"),
    include_str!("../assets/css/base.css"),
    include_str!("../assets/css/frame.css"),
    include_str!("../assets/css/form.css"),
    include_str!("../assets/css/card.css"),
    include_str!("../assets/css/entity.css"),
    include_str!("../assets/css/command.css"),
    include_str!("../assets/css/page.css"),
    include_str!("../assets/css/chart.css"),
    include_str!("../assets/css/timeline.css"),
    include_str!("../assets/css/home.css"),
    include_str!("../assets/css/rooms.css"),
    include_str!("../assets/css/device.css"),
    include_str!("../assets/css/new_devices.css"),
    include_str!("../assets/css/bench.css"),
    include_str!("../assets/css/broker.css"),
    include_str!("../assets/css/system.css"),
    include_str!("../assets/css/set_up.css"),
    include_str!("../assets/css/people.css"),
    include_str!("../assets/css/schedules.css"),
    include_str!("../assets/css/you.css"),
    include_str!("../assets/css/sign_in.css"),
    include_str!("../assets/css/error.css"),
    include_str!("../assets/css/design.css"),
    include_str!("../assets/css/wishes.css"),
];

/// The one stylesheet.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "app",
        "css",
        "text/css; charset=utf-8",
        STYLE_PARTS.concat().into_bytes(),
    )
});

/// The one script.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "app",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/app.js").as_slice(),
    )
});

/// The picture in the browser's tab.
pub static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "icon",
        "svg",
        "image/svg+xml",
        include_bytes!("../assets/icon.svg").as_slice(),
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
}
