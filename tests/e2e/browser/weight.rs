//! What the first page costs over the wire.

use super::scenes;
use crate::support::browser::{Browser, PHONE};
use crate::support::tell;
use serde_json::json;

/// The first page in all: document, style, script, icons, manifest.
const BYTES_MAX: f64 = 60.0 * 1024.0;
/// The script alone, compressed.
const SCRIPT_BYTES_MAX: f64 = 8.0 * 1024.0;

/// Fetches what the head links to and the browser has not asked for yet, then adds up; what came from
/// its own memory counts all the same.
const WEIGH: &str = "
    const done = arguments[arguments.length - 1];
    const entries = () => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    const known = new Set(entries().map((entry) => entry.name));
    const linked = [...document.querySelectorAll('link[href]')].map((link) => link.href).filter((href) => !known.has(href));
    Promise.all([...new Set(linked)].map((href) => fetch(href, { cache: 'reload' }).then((answer) => answer.blob()))).then(() =>
        setTimeout(() => done(entries().filter((e) => !e.name.includes('/live')).map((e) => [e.name, e.transferSize || e.encodedBodySize])), 50));";

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_is_under_sixty_kibibytes_in_all_and_asks_nobody_else() {
    let house = scenes::typical().await;
    let browser = Browser::open(PHONE).await;
    browser.cdp("Network.enable", json!({})).await;
    for path in ["/sign-in", "/"] {
        if path == "/" {
            browser
                .sign_in(house.hub.url(), &house.user, &house.password)
                .await;
        }
        browser.cdp("Network.clearBrowserCache", json!({})).await;
        browser.goto(&format!("{}{path}", house.hub.url())).await;
        let parts = browser.run_async(WEIGH, vec![]).await;
        let parts = parts.as_array().cloned().unwrap_or_default();
        let mut sum = 0.0;
        for part in &parts {
            let (name, bytes) = (part[0].as_str().unwrap_or_default(), part[1].as_f64());
            let bytes = bytes.unwrap_or(0.0);
            assert!(name.starts_with(house.hub.url()), "from outside: {name}");
            assert!(bytes > 0.0, "{name} was not weighed");
            assert!(
                !name.ends_with(".js") || bytes < SCRIPT_BYTES_MAX,
                "{name}: {bytes}"
            );
            sum += bytes;
        }
        tell(&format!(
            "First page {path}: {sum} bytes in {} parts",
            parts.len()
        ));
        assert!(
            parts.len() >= 4 && sum < BYTES_MAX,
            "{path}: {sum} {parts:?}"
        );
    }
    browser.close().await;
}
