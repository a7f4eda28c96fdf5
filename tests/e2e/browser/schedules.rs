//! A schedule is made by hand on a phone, seen before it is saved, fires, and tells what it did.

use super::scenes::{self, House};
use super::{ADAM, SocketHouse};
use crate::support::browser::{Browser, PHONE};
use crate::support::eventually;
use serde_json::json;

/// Makes a daily schedule that drives the first thing of a device; gives its id.
pub(super) async fn make(browser: &Browser, house: &House, device: &str) -> String {
    let new = format!("{}/schedules/new?device={device}", house.hub.url());
    browser.goto(&new).await;
    browser.fill("input[name=name]", "Good morning").await;
    save(browser).await
}

/// Looks the preview over and saves; gives the new schedule's id.
async fn save(browser: &Browser) -> String {
    browser.find("button[name=do][value=save]").await;
    browser.click(".button[name=do][value=save]").await;
    eventually("it is saved", || async {
        let address = browser.page.current_url().await.ok()?;
        let id = address.path().strip_prefix("/schedules/")?.to_owned();
        if id != "new" {
            return Some(id);
        }
        // What nobody has seen is shown before it is saved.
        let _ = browser.page.find(fantoccini::Locator::Css(".button[name=do][value=save]")).await.ok()?.click().await;
        None
    })
    .await
}
