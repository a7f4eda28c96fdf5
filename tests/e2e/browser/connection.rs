//! The connection is lost and regained, the access token expires, ten tabs are open: nothing
//! that a person typed is lost, and no page is loaded again.

use super::{ADAM, SocketHouse};
use crate::embedded::obedient;
use crate::support::api::Api;
use crate::support::browser::{Browser, DESKTOP, PHONE};
use crate::support::device::{Device, Door};
use crate::support::hub::Start;
use crate::support::{eventually, free_port};
use serde_json::{Value, json};

/// A thermostat made by hand, so that there is a field to type into.
fn thermostat() -> Value {
    json!({"name": "Warmth", "room": "Hall", "entities": [
        {"id": "target", "name": "Target", "kind": "number", "config": {
            "command_topic": "warmth/set", "state_topic": "warmth", "min": 5, "max": 30, "step": 0.5,
            "unit_of_measurement": "°C"}}]})
}

/// The field of the thermostat on its page.
const FIELD: &str = ".entity input[pattern]";

/// On fixed ports, since pages come back to where they were.
fn start() -> Start {
    Start::serve()
        .with("HTTP_LISTEN", format!("127.0.0.1:{}", free_port()))
        .with("BROKER_LISTEN", format!("127.0.0.1:{}", free_port()))
}

/// A house with a thermostat, and a browser on its page with something half typed.
async fn half_typed(house: &SocketHouse) -> (Browser, Device) {
    let door = crate::embedded::create(&house.hub, &house.api, thermostat()).await;
    let warmth = Device::connect(&door, "warmth", &["warmth/set"], |told| {
        vec![("warmth".into(), told.payload.clone(), true)]
    });
    warmth.report("warmth", "20", true).await;
    house
        .api
        .wait_for_state("warmth", "target", &json!(20))
        .await;
    let browser = house.browser(PHONE).await;
    browser
        .goto(&format!("{}/devices/warmth", house.hub.url()))
        .await;
    browser.fill(FIELD, "23").await;
    browser.mark().await;
    (browser, warmth)
}

async fn typed(browser: &Browser) -> Value {
    let script = format!("return document.querySelector('{FIELD}').value");
    browser.run(&script).await
}

/// Nothing of what a person did is gone.
async fn nothing_is_lost(browser: &Browser) {
    assert!(browser.stayed().await, "the page was loaded again");
    assert_eq!(typed(browser).await, "23", "what was half typed is gone");
    let focused = format!("return document.activeElement.matches('{FIELD}')");
    assert_eq!(browser.run(&focused).await, true, "the focus is gone");
}

async fn cookie_of_access(browser: &Browser) -> String {
    let cookies = browser.page.get_all_cookies().await.expect("cookies");
    let names = cookies.iter().map(|c| c.name().to_owned());
    let mut found = names.filter(|name| name.contains("access"));
    found.next().expect("a cookie of the access token")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_hub_is_told_and_the_page_recovers_by_itself() {
    let start = start();
    let house = SocketHouse::started(&start).await;
    let (browser, warmth) = half_typed(&house).await;
    let SocketHouse { hub, folder, .. } = house;
    assert_eq!(hub.stop().await, Some(0));
    browser.find("body.lost #connection .banner").await;
    nothing_is_lost(&browser).await;
    browser.picture("connection-lost-390").await;

    let hub = start.on(folder.path()).await;
    browser.wait_until_gone("body.lost").await;
    nothing_is_lost(&browser).await;
    // It is live again: the command is driven by the page, its end comes by the stream.
    let api = Api::stranger(&hub).sign_in(ADAM.0, ADAM.1).await;
    eventually("the device is back", || async {
        let state = api.entity("warmth", "target").await;
        (state["freshness"] == "live" || state["freshness"] == "retained").then_some(())
    })
    .await;
    warmth.report("warmth", "19", true).await;
    browser.wait_for_text(".entity .state", "19").await;
    nothing_is_lost(&browser).await;
    browser.press(FIELD, "\u{e007}").await;
    browser.wait_for_text(".entity .state", "23").await;
    browser.wait_for_text(".entity", "confirmed").await;
    assert!(browser.stayed().await, "the page was loaded again");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_gone_for_a_while_loses_nothing() {
    let house = SocketHouse::new().await;
    let (browser, warmth) = half_typed(&house).await;
    let offline = |yes: bool| json!({"offline": yes, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
    browser.cdp("Network.enable", json!({})).await;
    browser
        .cdp("Network.emulateNetworkConditions", offline(true))
        .await;
    // The stream that is open already may live on: asking the hub for something does not.
    browser.run("dispatchEvent(new Event('online'))").await;
    browser.find("body.lost #connection .banner").await;
    warmth.report("warmth", "18.5", true).await;
    browser
        .cdp("Network.emulateNetworkConditions", offline(false))
        .await;
    browser.wait_until_gone("body.lost").await;
    browser.wait_for_text(".entity .state", "18.5").await;
    nothing_is_lost(&browser).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_that_expires_is_renewed_without_a_word() {
    let house = SocketHouse::new().await;
    let (browser, warmth) = half_typed(&house).await;
    // The stream goes on: it lasts as long as the session.
    let access = cookie_of_access(&browser).await;
    let gone = browser.page.delete_cookie(&access).await;
    gone.expect("the cookie is deleted");
    warmth.report("warmth", "17.5", true).await;
    browser.wait_for_text(".entity .state", "17.5").await;
    nothing_is_lost(&browser).await;
    // A form is sent as if nothing had been.
    browser.press(FIELD, "\u{e007}").await;
    browser.wait_for_text(".entity .state", "23").await;
    assert!(browser.stayed().await, "the page was loaded again");
    assert_eq!(
        cookie_of_access(&browser).await,
        access,
        "renewed on the way"
    );
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_ended_leads_to_the_sign_in_page() {
    let house = SocketHouse::new().await;
    let browser = house.browser(PHONE).await;
    let (_, sessions) = house.api.get("/api/v1/me/sessions").await;
    let sessions = sessions["items"].as_array().cloned().unwrap_or_default();
    let others = sessions.iter().filter(|s| s["current"] != true);
    let mut ended = 0;
    for id in others.filter_map(|s| s["id"].as_str()) {
        house.api.delete(&format!("/api/v1/me/sessions/{id}")).await;
        ended += 1;
    }
    assert!(ended > 0, "{sessions:?}");
    browser.find("input[name=password]").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_open_tabs_all_work_and_come_back_after_a_restart_with_an_expired_token() {
    const TABS: usize = 10;
    let start = start();
    let house = SocketHouse::started(&start).await;
    let browser = house.browser(DESKTOP).await;
    for _ in 1..TABS {
        let tab = browser.page.new_window(true).await.expect("a tab");
        let shown = browser.page.switch_to_window(tab.handle).await;
        shown.expect("the tab is shown");
        browser.goto(house.hub.url()).await;
        browser.find("#card-socket").await;
    }
    let tabs = browser.page.windows().await.expect("tabs");
    assert_eq!(tabs.len(), TABS);
    for (n, tab) in tabs.iter().enumerate() {
        let shown = browser.page.switch_to_window(tab.clone()).await;
        shown.expect("the tab is shown");
        browser.mark().await;
        browser.click("#card-socket .entity form button").await;
        let word = if n % 2 == 0 { "on" } else { "off" };
        browser.wait_for_text("#card-socket .state", word).await;
        assert!(browser.stayed().await, "tab {n} was loaded again");
    }

    let access = cookie_of_access(&browser).await;
    let gone = browser.page.delete_cookie(&access).await;
    gone.expect("the cookie is deleted");
    let SocketHouse {
        hub,
        socket,
        folder,
        ..
    } = house;
    drop(socket);
    assert_eq!(hub.stop().await, Some(0));
    let hub = start.on(folder.path()).await;
    let api = Api::stranger(&hub).sign_in(ADAM.0, ADAM.1).await;
    let socket = obedient(&door_of(&hub, &api).await);
    socket
        .report("esp8266/socket/status", "{\"relay\": 1}", false)
        .await;
    api.wait_for_state("socket", "power", &json!("on")).await;
    for (n, tab) in tabs.iter().enumerate() {
        let shown = browser.page.switch_to_window(tab.clone()).await;
        shown.expect("the tab is shown");
        browser.wait_for_text("#card-socket .state", "on").await;
        browser.wait_until_gone("body.lost").await;
        assert!(browser.stayed().await, "tab {n} was loaded again");
    }
    browser.close().await;
}

/// A new way into the broker for the socket.
async fn door_of(hub: &crate::support::hub::Hub, api: &Api) -> Door {
    let (status, made) = api
        .post(
            "/api/v1/broker/credentials",
            json!({"name": "Socket again", "device": "socket"}),
        )
        .await;
    assert!(status.is_success(), "{status} {made}");
    let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
    let (host, port) = hub.broker();
    Door {
        host,
        port,
        sha256: hub.banner("sha256").to_owned(),
        username: text("username"),
        password: text("password"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_form_without_a_stream_says_that_the_hub_is_gone_and_keeps_what_was_typed() {
    let start = start();
    let house = SocketHouse::started(&start).await;
    let browser = house.browser(PHONE).await;
    let form = format!("{}/devices/socket/add-entity?kind=sensor", house.hub.url());
    browser.goto(&form).await;
    browser.find("#bench").await;
    browser.fill("input[name=name]", "Water").await;
    browser.mark().await;
    let SocketHouse { hub, folder, .. } = house;
    assert_eq!(hub.stop().await, Some(0));
    browser.find("body.lost #connection .banner").await;
    let hub = start.on(folder.path()).await;
    browser.wait_until_gone("body.lost").await;
    let typed = "return document.querySelector('input[name=name]').value";
    assert_eq!(browser.run(typed).await, "Water");
    assert!(browser.stayed().await, "the page was loaded again");
    browser.close().await;
    drop(hub);
}
