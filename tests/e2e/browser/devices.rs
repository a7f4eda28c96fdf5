//! Devices get into the house by the pages: made by hand with the test bench, or accepted.

use super::SocketHouse;
use super::scenes::{self, House};
use crate::embedded::obedient;
use crate::support::api::Api;
use crate::support::browser::{Browser, DESKTOP, PHONE};
use crate::support::device::{Device, Door};
use crate::support::eventually;
use crate::support::hub::Hub;
use serde_json::json;

/// Old firmware that speaks before the hub knows it: a client with a join credential.
async fn firmware(hub: &Hub, api: &Api) -> Device {
    let (status, made) = api
        .post(
            "/api/v1/broker/credentials",
            json!({"name": "Workbench", "device": null, "topics": [
                {"filter": "esp8266/#", "access": "write"}]}),
        )
        .await;
    assert!(status.is_success(), "{status} {made}");
    let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
    Device::connect(
        &door(hub, text("username"), text("password")),
        "workbench",
        &[],
        |_| Vec::new(),
    )
}

fn door(hub: &Hub, username: String, password: String) -> Door {
    let (host, port) = hub.broker();
    Door {
        host,
        port,
        sha256: hub.banner("sha256").to_owned(),
        username,
        password,
    }
}

/// Makes the socket by hand from its first word to its first switching; `script` tells whether
/// the bench renews itself.
async fn by_hand(hub: &Hub, api: &Api, browser: &Browser, script: bool) {
    let speaker = firmware(hub, api).await;
    browser.goto(&format!("{}/new-devices", hub.url())).await;
    browser.click("main a[href='/add-device']").await;
    browser.fill("input[name=name]", "Workshop plug").await;
    browser.fill("input[name=room]", "Workshop").await;
    browser.click("main form .button.strong").await;
    browser.choose("select[name=kind]", "switch").await;
    browser.fill("input[name=name]", "Relay").await;
    browser
        .click("form[action='/devices/workshop-plug/entities'] .button.strong")
        .await;

    browser.click("button[value='preset:one']").await;
    browser.find("input[name=payload_on][value='1']").await;
    browser
        .fill("input[name=command_topic]", "esp8266/socket")
        .await;
    browser
        .fill("input[name=state_topic]", "esp8266/socket/status")
        .await;
    browser
        .click("details:has([name=value_template]) summary")
        .await;
    browser
        .fill("[name=value_template]", "{{ value_json.relay }}")
        .await;
    // The bench shows what comes by, and what the form as typed makes of it.
    eventually("the bench shows the message and what it means", || async {
        speaker
            .report(
                "esp8266/socket/status",
                "{\"relay\": 1, \"rssi\": -61}",
                false,
            )
            .await;
        if !script {
            browser.click("button[name=do][value=look]").await;
        }
        let shown = browser
            .text("#bench-messages .message")
            .await
            .to_lowercase();
        (shown.contains("rssi") && shown.contains("on")).then_some(())
    })
    .await;
    browser.find("#bench-messages .message .outcome.good").await;
    browser
        .picture(if script { "bench" } else { "bench-no-script" })
        .await;
    let typed = browser.find("[name=state_topic]").await.prop("value").await;
    assert_eq!(
        typed.expect("a value").as_deref(),
        Some("esp8266/socket/status")
    );
    browser.click(".maker-fields .button.strong").await;
    browser.wait_for_text(".made-entity", "Relay").await;

    browser.click("main a[href$='/credential']").await;
    let (username, password) = credential(browser).await;
    let plug = obedient(&door(hub, username, password));
    plug.report("esp8266/socket/status", "{\"relay\": 0}", false)
        .await;
    api.wait_for_state("workshop-plug", "relay", &json!("off"))
        .await;
    browser
        .goto(&format!("{}/devices/workshop-plug", hub.url()))
        .await;
    browser
        .click("form[action$='/entities/relay/commands'] button")
        .await;
    browser.wait_for_text(".entity", "confirmed").await;
    api.wait_for_state("workshop-plug", "relay", &json!("on"))
        .await;
}

/// Name and password as the page shows them, once.
async fn credential(browser: &Browser) -> (String, String) {
    browser.click("#user form button").await;
    let read = async |id: &str| {
        let css = format!("#user #{id}");
        browser.find(&css).await;
        browser.text(&css).await.trim().to_owned()
    };
    let shown = (read("username").await, read("password").await);
    assert!(!shown.0.is_empty() && shown.1.len() >= 16, "{shown:?}");
    browser
        .page
        .refresh()
        .await
        .expect("the page is loaded again");
    let again = browser.page.source().await.unwrap_or_default();
    assert!(!again.contains(&shown.1), "shown twice");
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_made_by_hand_with_the_test_bench() {
    let house = SocketHouse::new().await;
    let SocketHouse { hub, api, .. } = &house;
    let browser = house.browser(DESKTOP).await;
    api.delete("/api/v1/devices/socket").await;
    by_hand(hub, api, &browser, true).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_made_by_hand_without_script() {
    let house = SocketHouse::new().await;
    let SocketHouse { hub, api, .. } = &house;
    api.delete("/api/v1/devices/socket").await;
    let browser = Browser::without_script(PHONE).await;
    browser
        .sign_in(hub.url(), super::ADAM.0, super::ADAM.1)
        .await;
    by_hand(hub, api, &browser, false).await;
    browser.close().await;
}

async fn accept(house: &House, browser: &Browser) {
    let House { hub, api, .. } = house;
    browser
        .sign_in(hub.url(), &house.user, &house.password)
        .await;
    browser.click("#nav a[href='/new-devices']").await;
    browser
        .wait_for_text(".waiting-device", "Smoke detector")
        .await;
    browser
        .fill(".waiting-device input[name=name]", "Smoke alarm")
        .await;
    browser
        .fill(".waiting-device input[name=room]", "Attic")
        .await;
    browser.click(".waiting-device form .button.strong").await;
    eventually("it is one of the household", || async {
        let devices = api.devices().await;
        let found = devices.iter().find(|d| d["name"] == "Smoke alarm")?;
        (found["room"] == "Attic").then_some(())
    })
    .await;
    browser.goto(hub.url()).await;
    browser.wait_for_text("main", "Smoke alarm").await;
    browser.goto(&format!("{}/new-devices", hub.url())).await;
    browser.wait_until_gone(".waiting-device").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_device_is_accepted_into_a_room_with_a_name() {
    let house = scenes::typical().await;
    let browser = Browser::open(PHONE).await;
    accept(&house, &browser).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_device_is_accepted_without_script() {
    let house = scenes::typical().await;
    let browser = Browser::without_script(DESKTOP).await;
    accept(&house, &browser).await;
    browser.close().await;
}
