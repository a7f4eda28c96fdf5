//! A person with a browser: phone and desktop, with script and without.

use crate::embedded::{create, obedient, socket};
use crate::support::api::Api;
use crate::support::browser::{Browser, DESKTOP, PHONE};
use crate::support::eventually;
use crate::support::hub::{Start, folder};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_switches_and_sees_live_changes_without_a_reload() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let door = create(&hub, &api, socket("Socket")).await;
    let device = obedient(&door);
    device
        .report("esp8266/socket/status", "{\"relay\": 0}", false)
        .await;
    api.wait_for_state("socket", "power", &json!("off")).await;

    for (name, size) in [("phone", PHONE), ("desktop", DESKTOP)] {
        let browser = Browser::open(size, true).await;
        browser.page.goto(hub.url()).await.expect("the page opens");
        browser.find("input[name=username]").await;
        browser.picture(&format!("sign-in-{name}")).await;
        browser
            .sign_in(hub.url(), "adam", "correct horse battery")
            .await;
        browser.find("#card-socket").await;
        // A mark that a reload would wipe out.
        browser
            .page
            .execute("window.stayed = true", vec![])
            .await
            .expect("script runs");

        device
            .report("esp8266/socket/status", "{\"relay\": 0}", false)
            .await;
        wait_for_text(&browser, "#card-socket", "off").await;
        browser.click("#card-socket form button").await;
        wait_for_text(&browser, "#card-socket", "confirmed").await;
        wait_for_text(&browser, "#card-socket", "on").await;
        browser.picture(&format!("home-{name}")).await;

        device
            .report("esp8266/socket/status", "{\"relay\": 0}", false)
            .await;
        wait_for_text(&browser, "#card-socket", "off").await;
        let stayed = browser
            .page
            .execute("return window.stayed === true", vec![])
            .await;
        assert_eq!(stayed.ok(), Some(json!(true)), "the page was reloaded");
        browser
            .page
            .goto(&format!("{}/devices/socket", hub.url()))
            .await
            .expect("the device page opens");
        browser.find("main").await;
        browser.picture(&format!("device-{name}")).await;
        browser.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_without_script() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let api = Api::set_up(&hub).await;
    let door = create(&hub, &api, socket("Socket")).await;
    let device = obedient(&door);
    device
        .report("esp8266/socket/status", "{\"relay\": 0}", false)
        .await;
    api.wait_for_state("socket", "power", &json!("off")).await;

    let browser = Browser::open(PHONE, false).await;
    browser
        .sign_in(hub.url(), "adam", "correct horse battery")
        .await;
    browser.click("#card-socket form button").await;
    browser.find("#card-socket").await;
    api.wait_for_state("socket", "power", &json!("on")).await;
    browser.page.goto(hub.url()).await.expect("the page opens");
    wait_for_text(&browser, "#card-socket", "on").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_sets_the_house_up_by_the_page() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let browser = Browser::open(DESKTOP, true).await;
    browser.page.goto(hub.url()).await.expect("the page opens");
    browser
        .fill("input[name=code]", hub.banner("setup_code"))
        .await;
    browser.fill("input[name=home]", "Our home").await;
    browser.picture("set-up").await;
    browser.fill("input[name=username]", "adam").await;
    browser
        .fill("input[name=password]", "correct horse battery")
        .await;
    browser.click("main form button").await;
    eventually("set up", || async {
        let api = Api::stranger(&hub);
        let body = json!({"username": "adam", "password": "correct horse battery"});
        (api.post("/api/v1/auth/login", body).await.0 == 200).then_some(())
    })
    .await;
    browser.close().await;
}

/// Waits until the element's text holds the word.
async fn wait_for_text(browser: &Browser, css: &str, word: &str) {
    eventually(&format!("{css} says {word}"), || async {
        let text = browser.find(css).await.text().await.unwrap_or_default();
        text.to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .any(|w| w == word)
            .then_some(())
    })
    .await;
}
