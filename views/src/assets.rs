//! Files that pages need, named by their content so that browsers may keep them for ever.
//!
//! Owner of stylesheet, script and icons. It must never serve a file by a path from outside.

use crate::texts::ENGLISH;
use serde_json::json;
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

/// The ground of the light theme, for what the browser paints around the page.
pub const LIGHT_GROUND: &str = "#f5f5f2";
/// The ground of the dark theme.
pub const DARK_GROUND: &str = "#131517";

const TOKENS: &str = include_str!("../assets/css/tokens.css");
const DARK: &str = include_str!("../assets/css/dark.css");

/// The source files of the stylesheet, in the order of the cascade: tokens first, then what all
/// pages share, then one file per part of the pages, and last what the viewer wishes.
const STYLE_PARTS: &[&str] = &[
    TOKENS,
    // Dark where the device wishes it and the viewer did not say otherwise, or where the viewer did.
    "@media (prefers-color-scheme: dark) { :root:not([data-theme=\"light\"]) {\n",
    DARK,
    "} }\n:root[data-theme=\"light\"] { color-scheme: light; }\n",
    ":root[data-theme=\"dark\"] { color-scheme: dark;\n",
    DARK,
    "}\n",
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
        lean(include_str!("../assets/app.js")).into_bytes(),
    )
});

/// The script without what only its readers need. It must hold no text over several lines.
fn lean(script: &str) -> String {
    let lines = script.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The picture in the browser's tab.
pub static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "icon",
        "svg",
        "image/svg+xml",
        include_bytes!("../assets/icon.svg").as_slice(),
    )
});

/// The picture for a phone's home screen, on a full ground.
pub static TOUCH_ICON: LazyLock<Asset> = LazyLock::new(|| {
    png(
        "touch-icon",
        include_bytes!("../assets/touch-icon-180.png").as_slice(),
    )
});

static ICON_192: LazyLock<Asset> = LazyLock::new(|| {
    png(
        "icon-192",
        include_bytes!("../assets/icon-192.png").as_slice(),
    )
});

static ICON_512: LazyLock<Asset> = LazyLock::new(|| {
    png(
        "icon-512",
        include_bytes!("../assets/icon-512.png").as_slice(),
    )
});

static ICON_MASKABLE: LazyLock<Asset> = LazyLock::new(|| {
    png(
        "icon-maskable",
        include_bytes!("../assets/icon-maskable-512.png").as_slice(),
    )
});

fn png(stem: &str, body: &'static [u8]) -> Asset {
    Asset::new(stem, "png", "image/png", body)
}

/// What makes the pages installable. It is fetched without cookies, so it tells nothing of the house.
pub static MANIFEST: LazyLock<Asset> = LazyLock::new(|| {
    let icon = |asset: &Asset, sizes: &str, purpose: &str| json!({ "src": asset.path, "sizes": sizes, "type": asset.content_type, "purpose": purpose });
    let manifest = json!({
        "id": "/",
        "name": ENGLISH.product,
        "short_name": ENGLISH.product,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": LIGHT_GROUND,
        "theme_color": LIGHT_GROUND,
        "icons": [
            icon(&ICON, "any", "any"),
            icon(&ICON_192, "192x192", "any"),
            icon(&ICON_512, "512x512", "any"),
            icon(&ICON_MASKABLE, "512x512", "maskable"),
        ],
    });
    Asset::new(
        "app",
        "webmanifest",
        "application/manifest+json",
        manifest.to_string().into_bytes(),
    )
});

/// Every file.
pub static ALL: [&LazyLock<Asset>; 8] = [
    &STYLE,
    &SCRIPT,
    &ICON,
    &TOUCH_ICON,
    &ICON_192,
    &ICON_512,
    &ICON_MASKABLE,
    &MANIFEST,
];

/// The asset at that address.
pub fn find(path: &str) -> Option<&'static Asset> {
    ALL.into_iter()
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
    fn the_manifest_names_only_files_that_exist() {
        let manifest: serde_json::Value = serde_json::from_slice(&MANIFEST.body).expect("JSON");
        let icons = manifest["icons"].as_array().expect("icons");
        assert_eq!(icons.len(), 4);
        for icon in icons {
            let path = icon["src"].as_str().expect("a path");
            assert!(find(path).is_some(), "{path}");
        }
    }

    #[test]
    fn a_picture_is_as_large_as_the_manifest_says() {
        // PNG, section 11.2.1: width and height follow the signature and the first chunk's head.
        let size = |asset: &Asset| u32::from_be_bytes(asset.body[16..20].try_into().expect("4"));
        assert_eq!(size(&ICON_192), 192);
        assert_eq!(size(&ICON_512), 512);
        assert_eq!(size(&ICON_MASKABLE), 512);
        assert_eq!(size(&TOUCH_ICON), 180);
    }
}

#[cfg(test)]
mod contrast;
