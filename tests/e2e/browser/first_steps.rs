//! First steps: set-up, signing in and out, a live home.

use super::{ADAM, SocketHouse};
use crate::support::api::Api;
use crate::support::browser::{Browser, DESKTOP, PHONE, Theme};
use crate::support::hub::{Start, folder};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_sets_the_house_up_by_the_page() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let browser = Browser::open(PHONE).await;
    let zone = json!({"timezoneId": "Europe/Madrid"});
    browser.cdp("Emulation.setTimezoneOverride", zone).await;
    browser.goto(hub.url()).await;
    browser
        .fill("input[name=code]", hub.banner("setup_code"))
        .await;
    browser.fill("input[name=home]", "Our home").await;
    browser.fill("input[name=username]", ADAM.0).await;
    browser.fill("input[name=password]", ADAM.1).await;
    browser.click("main form button:not([type=button])").await;
    browser.find("#nav").await;
    let title = browser.page.title().await.expect("a title");
    assert!(title.contains("Our home"), "{title}");
    let api = Api::stranger(&hub).sign_in(ADAM.0, ADAM.1).await;
    let (_, home) = api.get("/api/v1/home").await;
    assert_eq!(home["zone"], "Europe/Madrid", "guessed: {home}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_switches_and_sees_live_changes_without_a_reload() {
    let house = SocketHouse::new().await;
    for size in [PHONE, DESKTOP] {
        house.is_at(false).await;
        let browser = house.browser(size).await;
        browser.mark().await;
        browser.wait_for_text("#card-socket .state", "off").await;
        browser.click("#card-socket .entity form button").await;
        browser.wait_for_text("#card-socket", "confirmed").await;
        browser.wait_for_text("#card-socket .state", "on").await;
        browser.wait_for_text("#announcer", "on").await;

        house.is_at(false).await;
        browser.wait_for_text("#card-socket .state", "off").await;
        assert!(browser.stayed().await, "the page was loaded again");
        browser.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_and_the_way_back_leads_to_the_page_that_was_asked_for() {
    let house = SocketHouse::new().await;
    let browser = Browser::open(PHONE).await;
    browser
        .goto(&format!("{}/devices/socket", house.hub.url()))
        .await;
    let title = browser.page.title().await.expect("a title");
    assert!(!title.contains("Test home"), "told to a stranger: {title}");
    for (name, hint) in [("username", "username"), ("password", "current-password")] {
        let css = format!("input[name={name}][autocomplete={hint}]");
        browser.find(&css).await;
    }
    browser.fill("input[name=username]", ADAM.0).await;
    browser.fill("input[name=password]", "battery staple").await;
    browser.click("main form button:not([type=button])").await;
    browser.find("main [role=alert]").await;
    browser.fill("input[name=password]", ADAM.1).await;
    browser.click("main form button:not([type=button])").await;
    browser.find("#nav").await;
    let path = browser.page.current_url().await.expect("an address");
    assert_eq!(path.path(), "/devices/socket");

    browser.goto(&format!("{}/you", house.hub.url())).await;
    browser.click("form[action='/sign-out'] button").await;
    browser.find("input[name=password]").await;
    browser.goto(house.hub.url()).await;
    browser.find("input[name=password]").await;
    assert_eq!(
        browser.run("return document.cookie").await,
        json!(""),
        "no cookie that a script could read"
    );
    browser.close().await;
}

/// Chooses language and look on the own page, and sees both at once and in another browser.
async fn choose_german_and_dark(house: &SocketHouse, browser: &Browser) {
    let you = format!("{}/you", house.hub.url());
    browser.goto(&you).await;
    browser.find("html[lang=en]:not([data-theme])").await;
    browser.choose("select[name=language]", "de").await;
    browser
        .click("label:has(input[name=theme][value=dark])")
        .await;
    browser
        .click("form[action='/you/preferences'] .button.strong")
        .await;
    browser.find("html[lang=de][data-theme=dark]").await;
    browser.goto(house.hub.url()).await;
    browser.find("html[lang=de][data-theme=dark]").await;
    browser.wait_for_text("#card-socket .state", "aus").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn language_and_theme_are_chosen_and_go_with_the_person() {
    let house = SocketHouse::new().await;
    let browser = house.browser(PHONE).await;
    browser.look(PHONE, Theme::Light).await;
    let ground = "return getComputedStyle(document.body).backgroundColor";
    let light = browser.run(ground).await;
    choose_german_and_dark(&house, &browser).await;
    assert_ne!(
        browser.run(ground).await,
        light,
        "dark, whatever the system says"
    );
    // What changes live speaks German, too.
    house.is_at(true).await;
    browser.wait_for_text("#card-socket .state", "ein").await;
    browser.close().await;

    let other = house.browser(DESKTOP).await;
    other.find("html[lang=de][data-theme=dark]").await;
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn language_and_theme_are_chosen_without_script() {
    let house = SocketHouse::new().await;
    let browser = Browser::without_script(PHONE).await;
    browser.sign_in(house.hub.url(), ADAM.0, ADAM.1).await;
    choose_german_and_dark(&house, &browser).await;
    browser.close().await;
}
