//! The home page as people use it, without script: search, favourites, order, all off.

use crate::common::browser::{Browser, token_of, words_of};
use crate::common::device::{Manner, Switch};
use crate::common::{ADMIN, TestHouse, until};
use serde_json::json;

async fn put_into(house: &TestHouse, admin: &str, device: &str, room: &str) {
    let path = format!("/api/v1/devices/{device}");
    let placed = house.patch(&path, admin, json!({"room": room})).await;
    assert_eq!(placed.status, 200, "{}", placed.text);
}

/// The ids of the cards, in the order of the page.
fn cards(html: &str) -> Vec<&str> {
    let parts = html.split("id=\"card-").skip(1);
    parts.filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn devices_are_found_by_an_address_that_a_form_makes() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for (device, room) in [("lamp", "Hall"), ("fan", "Hall"), ("oven", "Küche")] {
        house.add_switch(&admin, device).await;
        put_into(&house, &admin, device, room).await;
    }
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    assert_eq!(cards(&browser.get("/").await.text), ["fan", "lamp", "oven"]);
    let page = browser.get("/?q=fan&room=&kind=&state=").await;
    assert_eq!(cards(&page.text), ["fan"]);
    assert!(
        words_of(&page.text).contains("1 device Show all"),
        "{}",
        page.text
    );
    assert!(
        page.text.contains("value=\"fan\""),
        "the field keeps the text"
    );
    assert!(
        page.text.contains("/live?view=home&amp;q=fan"),
        "so does the stream"
    );
    let kitchen = browser.get("/?room=kuche").await;
    assert_eq!(cards(&kitchen.text), ["oven"]);
    assert_eq!(cards(&browser.get("/?state=on").await.text), [""; 0]);
    let none = browser.get("/?q=%3Cscript%3E").await;
    assert!(words_of(&none.text).contains("No device matches."));
    let token = token_of(&browser.get("/?room=hall").await.text);
    let fields = [
        ("csrf", token.as_str()),
        ("dear", "yes"),
        ("back", "home?room=hall"),
    ];
    let answer = browser.post("/devices/fan/favourite", &fields).await;
    assert_eq!(answer.header("location"), "/?room=hall#card-fan");
    house.stop().await;
}

#[tokio::test]
async fn a_star_brings_a_device_to_the_top_and_buttons_put_favourites_in_order() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for device in ["a", "b", "c"] {
        house.add_switch(&admin, device).await;
    }
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let token = browser.token("/").await;
    for device in ["c", "b"] {
        let fields = [("csrf", token.as_str()), ("dear", "yes"), ("back", "home")];
        let path = format!("/devices/{device}/favourite");
        let answer = browser.post(&path, &fields).await;
        assert_eq!(answer.header("location"), format!("/#card-{device}"));
    }
    assert_eq!(cards(&browser.get("/").await.text), ["c", "b", "a"]);
    let fields = [("csrf", token.as_str()), ("way", "up")];
    let answer = browser.post("/favourites/b/move", &fields).await;
    assert_eq!(answer.header("location"), "/favourites?moved=b#place-b");
    let page = words_of(&browser.get("/favourites?moved=b").await.text);
    assert!(page.contains("The b is now number 1 of 2."), "{page}");
    assert_eq!(cards(&browser.get("/").await.text), ["b", "c", "a"]);
    let fields = [
        ("csrf", token.as_str()),
        ("dear", "no"),
        ("back", "favourites"),
    ];
    let answer = browser.post("/devices/b/favourite", &fields).await;
    assert_eq!(answer.header("location"), "/favourites");
    assert_eq!(cards(&browser.get("/").await.text), ["c", "a", "b"]);
    let fields = [("csrf", token.as_str()), ("dear", "yes")];
    let star = browser.fetch("/devices/a/favourite", &fields).await;
    assert!(star.text.contains("aria-pressed=\"true\""), "{}", star.text);
    let nowhere = browser.post("/devices/none/favourite", &fields).await;
    assert_eq!(nowhere.status, 404);
    house.stop().await;
}

#[tokio::test]
async fn rooms_are_made_renamed_ordered_and_deleted_by_plain_forms() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for (device, room) in [("a", "Hall"), ("b", "Hall"), ("c", "Attic")] {
        house.add_switch(&admin, device).await;
        put_into(&house, &admin, device, room).await;
    }
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let token = browser.token("/rooms").await;
    let token = token.as_str();
    let fields = [("csrf", token), ("name", " Küche "), ("icon", "pot")];
    let made = browser.post("/rooms", &fields).await;
    assert_eq!(made.header("location"), "/rooms#room-kuche");
    let twin = browser.post("/rooms", &fields).await;
    assert_eq!(twin.status, 422);
    assert!(words_of(&twin.text).contains("Another room has this name."));
    let empty = browser
        .post("/rooms", &[("csrf", token), ("name", "  ")])
        .await;
    assert_eq!(empty.status, 422);

    let up = [("csrf", token), ("way", "up")];
    let moved = browser.post("/rooms/attic/move", &up).await;
    assert_eq!(moved.header("location"), "/rooms?moved=attic#room-attic");
    assert_eq!(cards(&browser.get("/").await.text), ["c", "a", "b"]);
    let fragment = browser.fetch("/rooms/attic/move", &up).await;
    assert!(
        words_of(&fragment.text).contains("Attic is now number"),
        "{}",
        fragment.text
    );

    let moved = browser.post("/rooms/hall/devices/b/move", &up).await;
    assert_eq!(moved.header("location"), "/rooms/hall?moved=b#place-b");
    assert_eq!(cards(&browser.get("/").await.text), ["c", "b", "a"]);

    let fields = [("csrf", token), ("name", "Entrance"), ("icon", "door")];
    let saved = browser.post("/rooms/hall", &fields).await;
    assert_eq!(saved.header("location"), "/rooms/hall?saved=yes");
    let home = words_of(&browser.get("/").await.text);
    assert!(home.contains("Entrance"), "{home}");
    let gone = browser.post("/rooms/hall/delete", &[("csrf", token)]).await;
    assert_eq!(gone.header("location"), "/rooms");
    let home = words_of(&browser.get("/").await.text);
    assert!(
        home.contains("Not in a room") && !home.contains("Entrance"),
        "{home}"
    );
    assert_eq!(browser.get("/rooms/hall").await.status, 404);

    house.member(&admin, "eve").await;
    let mut eve = Browser::signed_in(&house, "eve", "member's password").await;
    assert_eq!(eve.get("/rooms").await.status, 403);
    house.stop().await;
}

#[tokio::test]
async fn all_off_asks_what_is_on_and_leaves_alone_what_is_not_theirs() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let mut switches = Vec::new();
    for (device, on) in [("lamp", true), ("fan", false), ("heater", true)] {
        let credential = house.add_switch(&admin, device).await;
        put_into(&house, &admin, device, "Hall").await;
        let switch = Switch::connect(&house, device, &credential, Manner::Obeys).await;
        switch.report(if on { "ON" } else { "OFF" }).await;
        switches.push(switch);
    }
    let (eve, _) = house.member(&admin, "eve").await;
    for (device, right) in [("lamp", "control"), ("fan", "control"), ("heater", "view")] {
        house.grant(&admin, device, &eve, &[right]).await;
    }
    let mut browser = Browser::signed_in(&house, "eve", "member's password").await;
    browser.wait_for_words("/", "2 on").await;
    let token = browser.token("/").await;
    let fields = [("csrf", token.as_str()), ("back", "home?room=hall")];
    let answer = browser.post("/rooms/hall/off", &fields).await;
    let address = answer.header("location").to_owned();
    assert_eq!(address, "/?room=hall&off=hall.1.1.0.0#room-hall");
    let page = words_of(&browser.get(&address).await.text);
    let told = "1 was asked to turn off. 1 is not yours to control and was left alone.";
    assert!(page.contains(told), "{page}");
    assert!(page.contains("The lamp Off reported"), "{page}");
    assert!(page.contains("The heater On"), "{page}");
    let heard: Vec<u32> = switches.iter().map(Switch::heard).collect();
    assert_eq!(heard, [1, 0, 0], "only what was on and is theirs");
    let again = browser.fetch("/rooms/hall/off", &fields).await;
    assert!(
        again.text.starts_with("<p class=\"told\" id=\"told-hall\""),
        "{}",
        again.text
    );
    assert_eq!(browser.post("/rooms/cellar/off", &fields).await.status, 404);
    let mut adam = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let token = adam.token("/").await;
    adam.post("/rooms/hall/off", &[("csrf", token.as_str())])
        .await;
    until("the heater is off", || async { switches[2].heard() == 1 }).await;
    house.stop().await;
}

#[tokio::test]
async fn a_room_in_which_a_member_has_nothing_is_none_to_them() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for (device, room) in [("lamp", "Hall"), ("fan", "Vault")] {
        house.add_switch(&admin, device).await;
        put_into(&house, &admin, device, room).await;
    }
    let (eve, _) = house.member(&admin, "eve").await;
    house.grant(&admin, "lamp", &eve, &["control"]).await;
    let mut browser = Browser::signed_in(&house, "eve", "member's password").await;
    let token = browser.token("/").await;
    for room in ["vault", "cellar"] {
        let page = browser.get(&format!("/?room={room}")).await.text;
        assert!(!page.contains("Vault"), "{page}");
        let words = words_of(&page);
        assert!(words.contains("No device matches. Show all"), "{words}");
        let fields = [("csrf", token.as_str())];
        let answer = browser.post(&format!("/rooms/{room}/off"), &fields).await;
        assert_eq!(answer.status, 404, "{room}");
    }
    let mut adam = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    house.delete("/api/v1/devices/fan", &admin).await;
    let page = adam.get("/?room=vault").await.text;
    assert!(page.contains("Vault"), "an administrator's empty room");
    house.stop().await;
}
