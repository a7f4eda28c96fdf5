//! The same with script switched off: every action is a form.

use super::{ADAM, SocketHouse};
use crate::support::api::Api;
use crate::support::browser::{Browser, PHONE};
use crate::support::hub::{Start, folder};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_house_is_set_up_without_script() {
    let folder = folder();
    let hub = Start::serve().on(folder.path()).await;
    let browser = Browser::without_script(PHONE).await;
    browser.goto(hub.url()).await;
    browser
        .fill("input[name=code]", hub.banner("setup_code"))
        .await;
    browser.fill("input[name=home]", "Our home").await;
    browser.choose("select[name=city]", "Europe/Berlin").await;
    browser.fill("input[name=username]", ADAM.0).await;
    browser.fill("input[name=password]", ADAM.1).await;
    browser.click("main form button:not([type=button])").await;
    browser.find("#nav").await;
    Api::stranger(&hub).sign_in(ADAM.0, ADAM.1).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_works_without_script_and_the_next_page_tells_the_end() {
    let house = SocketHouse::new().await;
    let browser = Browser::without_script(PHONE).await;
    browser.sign_in(house.hub.url(), ADAM.0, ADAM.1).await;
    let scripted = browser.find("body").await.attr("class").await;
    assert!(scripted.is_ok(), "the driver still sees the page");
    browser.click("#card-socket .entity form button").await;
    browser.wait_for_text("#card-socket", "confirmed").await;
    browser.wait_for_text("#card-socket .state", "on").await;
    house
        .api
        .wait_for_state("socket", "power", &json!("on"))
        .await;
    house.is_at(false).await;
    browser.goto(house.hub.url()).await;
    browser.wait_for_text("#card-socket .state", "off").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_choices_have_a_button_without_script() {
    let folder = folder();
    let hub = Start::demo().on(folder.path()).await;
    let api = Api::demo(&hub).await;
    let browser = Browser::without_script(PHONE).await;
    let (user, password) = (hub.banner("user"), hub.banner("password"));
    browser.sign_in(hub.url(), user, password).await;
    for (device, kind, css, typed, state) in [
        (
            "thermostat",
            "number",
            "input[pattern]",
            "17.5",
            json!(17.5),
        ),
        ("washer", "select", "select", "Quick", json!("Quick")),
    ] {
        let entity = crate::support::eventually(&format!("{device} is online"), || async {
            let (_, body) = api.get(&format!("/api/v1/devices/{device}")).await;
            let entities = body["entities"].as_array()?.clone();
            let mut found = entities.iter();
            let found = found.find(|e| e["kind"] == kind && e["availability"] == "online")?;
            Some(found["id"].as_str()?.to_owned())
        })
        .await;
        browser
            .goto(&format!("{}/devices/{device}", hub.url()))
            .await;
        let form = format!("form[action='/devices/{device}/entities/{entity}/commands']");
        if kind == "number" {
            browser.fill(&format!("{form} {css}"), typed).await;
        } else {
            browser.choose(&format!("{form} {css}"), typed).await;
        }
        browser
            .click(&format!("{form}:has({css}) button[value=set]"))
            .await;
        api.wait_for_state(device, &entity, &state).await;
        browser.wait_for_text("main", "confirmed").await;
    }
    browser.close().await;
}
