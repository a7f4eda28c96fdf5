//! The household arranges its rooms, marks favourites, finds things and turns a room off.

use super::scenes::{self, House};
use crate::support::browser::{Browser, DESKTOP, Key, PHONE};
use crate::support::eventually;
use serde_json::{Value, json};

async fn order(house: &House) -> Vec<String> {
    let (_, rooms) = house.api.get("/api/v1/rooms").await;
    let rooms = rooms["items"].as_array().cloned().unwrap_or_default();
    let names = rooms.iter().filter_map(|room| room["name"].as_str());
    names.map(str::to_owned).collect()
}

async fn open(house: &House, browser: &Browser, path: &str) {
    browser
        .sign_in(house.hub.url(), &house.user, &house.password)
        .await;
    browser.goto(&format!("{}{path}", house.hub.url())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_put_in_order_by_keyboard_and_the_focus_stays_with_the_room() {
    let house = scenes::typical().await;
    let before = order(&house).await;
    assert_eq!(before.len(), 4, "{before:?}");
    let browser = Browser::open(PHONE).await;
    open(&house, &browser, "/rooms").await;
    browser.mark().await;
    let script = "
        const button = document.querySelector('#arranged li:first-child button[value=down]');
        button.focus();
        return button.id;";
    let button = browser.run(script).await;
    for place in [2, 3] {
        browser.key(Key::Enter).await;
        browser
            .wait_for_text("#told", &format!("{place} of 4"))
            .await;
        let focused = browser.run("return document.activeElement.id").await;
        assert_eq!(focused, button, "the focus went elsewhere");
    }
    assert!(browser.stayed().await, "the page was loaded again");
    let [first, second, third, ..] = &before[..] else {
        panic!("{before:?}")
    };
    let after = order(&house).await;
    assert_eq!(after[..3], [second.clone(), third.clone(), first.clone()]);

    browser.goto(house.hub.url()).await;
    let script =
        "return [...document.querySelectorAll('section.room h2 bdi')].map((e) => e.textContent)";
    let shown = browser.run(script).await;
    assert_eq!(shown, json!(after), "home shows them so");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_made_named_and_put_in_order_without_script() {
    let house = scenes::typical().await;
    let browser = Browser::without_script(DESKTOP).await;
    open(&house, &browser, "/rooms").await;
    browser
        .fill("main form[action='/rooms'] input[name=name]", "Attic")
        .await;
    browser
        .click("main form[action='/rooms'] .button.strong")
        .await;
    browser.wait_for_text("#content", "Attic").await;
    browser.goto(&format!("{}/rooms", house.hub.url())).await;
    browser
        .click("#arranged li:last-child button[value=up]")
        .await;
    browser.wait_for_text("#told", "4 of 5").await;
    assert_eq!(order(&house).await[3], "Attic");

    browser.click("#arranged li:nth-child(4) a").await;
    browser.fill("main input[name=name]", "Loft").await;
    browser
        .click("main form:has(input[name=name]) .button.strong")
        .await;
    browser.wait_for_text("#content", "Loft").await;
    assert_eq!(order(&house).await[3], "Loft");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_favourite_stands_first_a_room_is_turned_off_and_a_search_has_an_address() {
    let house = scenes::typical().await;
    let browser = Browser::open(DESKTOP).await;
    open(&house, &browser, "/").await;
    browser.click("#star-thermostat button").await;
    browser
        .find("#star-thermostat button[aria-pressed=true]")
        .await;
    let (_, own) = house.api.get("/api/v1/me/favourites").await;
    assert!(own.to_string().contains("thermostat"), "{own}");
    browser.goto(house.hub.url()).await;
    browser.find("#favourites #card-thermostat").await;

    let lamp = |state: Value| house.api.wait_for_kind("lamp", "light", state);
    lamp(json!("on")).await;
    browser.mark().await;
    browser
        .click("section.room:has(#card-lamp) .all-off button")
        .await;
    lamp(json!("off")).await;
    browser.wait_for_text("#card-lamp .state", "off").await;
    assert!(browser.stayed().await, "the page was loaded again");

    // The page follows what is typed; nobody presses a button.
    browser.mark().await;
    browser.fill("input[name=q]", "coffee").await;
    browser.wait_for_text("#found", "1").await;
    browser.find("#card-coffee").await;
    browser.wait_until_gone("#card-lamp").await;
    let address = browser.page.current_url().await.expect("an address");
    assert!(
        address.query().is_some_and(|q| q.contains("q=coffee")),
        "{address}"
    );
    assert!(browser.stayed().await, "the page was loaded again");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn favourites_and_all_off_work_without_script() {
    let house = scenes::typical().await;
    let browser = Browser::without_script(PHONE).await;
    open(&house, &browser, "/").await;
    browser.click("#star-coffee button").await;
    browser.find("#favourites #card-coffee").await;
    browser
        .click("section.room:has(#card-lamp) .all-off button")
        .await;
    house.api.wait_for_kind("lamp", "light", json!("off")).await;
    eventually("home says so", || async {
        browser.goto(house.hub.url()).await;
        let text = browser.text("#card-lamp .state").await.to_lowercase();
        text.contains("off").then_some(())
    })
    .await;
    browser.close().await;
}
