//! A schedule is made by hand on a phone, seen before it is saved, fires, and tells what it did.

use super::SocketHouse;
use super::scenes::House;
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
        let _ = browser
            .page
            .find(fantoccini::Locator::Css(".button[name=do][value=save]"))
            .await
            .ok()?
            .click()
            .await;
        None
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_schedule_is_made_on_a_phone_fires_and_tells_the_confirmed_state() {
    let house = SocketHouse::new().await;
    let zone = json!({"zone": "Europe/Berlin"});
    let (status, told) = house
        .api
        .request(reqwest::Method::PATCH, "/api/v1/home", Some(&zone))
        .await;
    assert!(status.is_success(), "{told}");
    let browser = house.browser(PHONE).await;
    browser
        .goto(&format!("{}/devices/socket", house.hub.url()))
        .await;
    browser.click("main a[href^='/schedules/new']").await;
    browser.find("input[name=time]").await;
    // The first whole minute that is far enough ahead to look it over and save on a busy machine.
    let now = jiff::Timestamp::now().as_second();
    let due = (now + 30 + 59) / 60 * 60;
    let due = jiff::Timestamp::from_second(due).expect("an instant of our time");
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
    let time = zone.to_datetime(due).strftime("%H:%M").to_string();
    let set = format!(
        "const field = document.querySelector('input[name=time]');
        field.value = '{time}';
        field.dispatchEvent(new Event('input', {{ bubbles: true }}));"
    );
    browser.run(&set).await;
    browser.fill("input[name=name]", "Kettle").await;
    // The preview follows what is typed: ten times, each with its offset.
    eventually("the preview shows the next ten", || async {
        let due = browser.run("return [...document.querySelectorAll('#preview .due-time')].map((e) => e.textContent)").await;
        let due = due.as_array()?.clone();
        (due.len() == 10 && due[0].as_str()?.contains(&time)).then_some(())
    })
    .await;
    browser.wait_for_text("#preview", "UTC").await;
    browser.picture("schedule-preview-390").await;
    let id = save(&browser).await;
    // Until it is due; from then on nothing is to be waited for but the thing itself.
    let left = due.duration_since(jiff::Timestamp::now());
    tokio::time::sleep(left.try_into().unwrap_or_default()).await;
    house
        .api
        .wait_for_state("socket", "power", &json!("on"))
        .await;
    browser.wait_for_text("#content", "confirmed").await;
    browser
        .goto(&format!("{}/schedules/{id}", house.hub.url()))
        .await;
    browser.wait_for_text("#content", "confirmed").await;
    browser.picture("schedule-history-390").await;
    browser
        .goto(&format!("{}/devices/socket", house.hub.url()))
        .await;
    browser.wait_for_text(".entity .state", "on").await;
    browser.wait_for_text("#content", "Kettle").await;
    browser.close().await;
}
