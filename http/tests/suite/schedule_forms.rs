//! The form of a schedule as a browser without script uses it.

use crate::common::ADMIN;
use crate::common::browser::{Browser, words_of};
use crate::schedule_pages::{NEW, fields, in_berlin, make, press};
use serde_json::json;

/// What is typed, beside which field its fault is told, and what must come back.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

#[tokio::test]
async fn what_is_wrong_is_told_beside_its_field_with_an_example_and_nothing_typed_is_lost() {
    let (house, admin) = in_berlin().await;
    house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let token = browser.token(NEW).await;
    let cases: [Case<'_>; 9] = [
        (
            &[("when", "cron"), ("cron", "0 0 31 2 *")],
            "cron",
            "0 0 31 2 *",
        ),
        (
            &[("when", "every"), ("every_amount", "0")],
            "every_amount",
            "0",
        ),
        (
            &[
                ("when", "every"),
                ("every_amount", "1"),
                ("every_unit", "seconds"),
            ],
            "every_amount",
            "1",
        ),
        (
            &[("when", "at"), ("date", "2020-01-01")],
            "date",
            "2020-01-01",
        ),
        (
            &[("when", "daily"), ("time", "7 o'clock")],
            "time",
            "7 o&#39;clock",
        ),
        (&[("zone", "Mars/Olympus")], "zone", "Mars/Olympus"),
        (
            &[("start", "2027-03-02"), ("end", "2027-03-01")],
            "end",
            "2027-03-01",
        ),
        (&[("excluded", "Christmas")], "excluded", "Christmas"),
        (&[("when", "sun")], "sun_event", "sunset"),
    ];
    for (typed, field, kept) in cases {
        let mut all = fields(&token, typed);
        all.push(("do", "save"));
        let page = browser.post(NEW, &all).await;
        assert_eq!(page.status, 422, "{typed:?}: {}", words_of(&page.text));
        let problem = format!("id=\"{field}-problem\"");
        assert!(
            page.text.contains(&problem),
            "{typed:?}: {}",
            words_of(&page.text)
        );
        assert!(
            page.text.contains(kept) || kept.contains('&'),
            "{typed:?} was lost"
        );
        let told = page.text.split(&problem).nth(1).unwrap();
        let told = words_of(told.split("</p>").next().unwrap());
        assert!(!told.trim().is_empty());
    }
    let none = words_of(&browser.get("/schedules").await.text);
    assert!(none.contains("No schedules yet"), "{none}");
    house.stop().await;
}

#[tokio::test]
async fn rows_are_added_moved_and_removed_by_buttons() {
    let (house, admin) = in_berlin().await;
    house.add_switch(&admin, "socket").await;
    house.add_switch(&admin, "lamp").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let token = browser.token(NEW).await;
    let mut all = fields(&token, &[("add_device", "lamp"), ("do", "add")]);
    let page = browser.post(NEW, &all).await;
    assert!(page.text.contains("name=\"a1_device\" value=\"lamp\""));
    all.retain(|(name, _)| !["add_device", "do"].contains(name));
    all.extend([
        ("a1_device", "lamp"),
        ("a1_what", "power/turn_off"),
        ("a1_delay", "5"),
        ("a1_unit", "minutes"),
        ("do", "up-1"),
    ]);
    let page = browser.post(NEW, &all).await;
    assert!(page.text.contains("name=\"a0_device\" value=\"lamp\""));
    assert!(page.text.contains("name=\"a1_device\" value=\"socket\""));
    all.pop();
    all.push(("do", "remove-0"));
    let page = browser.post(NEW, &all).await;
    assert!(page.text.contains("name=\"a0_device\" value=\"lamp\""));
    assert!(!page.text.contains("a1_device"));
    all.pop();
    all.extend([("do", "if-state"), ("add_condition", "socket")]);
    let page = browser.post(NEW, &all).await;
    assert!(page.text.contains("name=\"c0_device\" value=\"socket\""));
    assert!(words_of(&page.text).contains("State of The socket"));
    house.stop().await;
}

#[tokio::test]
async fn an_edited_schedule_says_the_same_until_something_is_changed() {
    let (house, admin) = in_berlin().await;
    house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let path = make(
        &mut browser,
        &[
            ("when", "every"),
            ("every_amount", "15"),
            ("every_unit", "minutes"),
            ("from", "08:00"),
            ("to", "20:00"),
            ("jitter", "1.5"),
            ("c0_kind", "state"),
            ("c0_device", "socket"),
            ("c0_entity", "power"),
            ("c0_is", "off"),
            ("c0_for", "5"),
        ],
    )
    .await;
    let words = words_of(&browser.get(&path).await.text);
    assert!(
        words.contains("Every 15 minutes from 08:00 to 20:00, up to 90 seconds later"),
        "{words}"
    );
    assert!(
        words.contains("Only if The socket is off for at least 5 minutes"),
        "{words}"
    );
    let form = browser.get(&format!("{path}/edit")).await;
    for passage in [
        "name=\"from\" type=\"time\" value=\"08:00\"",
        "value=\"1.5\"",
        "name=\"anchor\"",
        "name=\"version\" value=\"1\"",
    ] {
        assert!(form.text.contains(passage), "{passage}");
    }
    let due = |html: &str| html.matches(":00:00+0").count() + html.matches(":15:00+0").count();
    assert!(due(&form.text) > 0, "not counted from the window's opening");
    house.stop().await;
}

#[tokio::test]
async fn the_script_gets_the_preview_alone_and_faults_are_no_error() {
    let (house, admin) = in_berlin().await;
    house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let token = browser.token(NEW).await;
    let good = browser.fetch(NEW, &fields(&token, &[("do", "look")])).await;
    assert_eq!(good.status, 200);
    assert!(good.text.starts_with("<section"), "{}", good.text);
    assert!(words_of(&good.text).contains("Every day at 07:00"));
    let bad = browser
        .fetch(NEW, &fields(&token, &[("time", ""), ("do", "look")]))
        .await;
    assert_eq!(bad.status, 200);
    assert!(words_of(&bad.text).contains("A time of day is needed."));
    house.stop().await;
}

#[tokio::test]
async fn a_quick_form_of_the_device_page_leads_to_a_filled_preview() {
    let (house, admin) = in_berlin().await;
    house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let page = browser.get("/devices/socket").await;
    assert!(page.text.contains("href=\"/schedules/new?device=socket\""));
    let token = browser.token("/devices/socket").await;
    let quick = [
        ("csrf", token.as_str()),
        ("when", "in"),
        ("in_amount", "90"),
        ("in_unit", "minutes"),
        ("a0_device", "socket"),
        ("a0_what", "power/turn_off"),
        ("do", "preview"),
    ];
    let form = browser.post(NEW, &quick).await;
    assert_eq!(form.status, 200);
    let words = words_of(&form.text);
    assert!(words.contains("Once, on"), "{words}");
    assert!(words.contains("The socket – Turn off"), "{words}");
    assert_eq!(form.text.matches("class=\"due-time\"").count(), 1);
    house.stop().await;
}

#[tokio::test]
async fn an_administrator_says_that_the_clock_is_right() {
    let (house, admin) = in_berlin().await;
    house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let before = words_of(&browser.get("/schedules").await.text);
    assert!(!before.contains("does not trust its clock"), "{before}");
    let foreign = browser
        .post("/schedules/clock", &[("csrf", "not-of-this-session")])
        .await;
    assert_eq!(foreign.status, 403);
    let said = press(&mut browser, "/schedules/clock", &[]).await;
    assert_eq!(said.status, 303, "{}", words_of(&said.text));
    house.stop().await;
}

#[tokio::test]
async fn the_list_shows_what_comes_next_before_what_was_made_first() {
    let (house, admin) = in_berlin().await;
    house.add_switch(&admin, "socket").await;
    let mut entries = Vec::new();
    for n in 0..120 {
        entries.push(json!({
            "name": format!("Number {n:03}"),
            "trigger": {"kind": "at", "at": format!("2090-01-01T{:02}:{:02}", (200 - n) / 60, (200 - n) % 60)},
            "actions": [{"device": "socket", "entity": "power", "action": "turn_on"}],
        }));
    }
    let file = json!({"version": 1, "schedules": entries});
    let made = house.post("/api/v1/schedules/import", &admin, file).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let first = words_of(&browser.get("/schedules").await.text);
    assert!(
        first.contains("Number 119") && !first.contains("Number 000"),
        "{first}"
    );
    assert!(
        first.find("Number 119") < first.find("Number 118"),
        "{first}"
    );
    let page = browser.get("/schedules").await.text;
    let (_, rest) = page.split_once("?after=").expect("there are more");
    let after = rest.split('"').next().expect("ends");
    let second = words_of(&browser.get(&format!("/schedules?after={after}")).await.text);
    assert!(
        second.contains("Number 000") && !second.contains("Number 119"),
        "{second}"
    );
    house.stop().await;
}
