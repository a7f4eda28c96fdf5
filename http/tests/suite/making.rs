//! Making a device by hand and the test bench, as a browser without script and as the script
//! use them.

use crate::common::browser::{Browser, token_of, words_of};
use crate::common::device::publish_retained;
use crate::common::{ADMIN, Answer, TestHouse, assert_problem, until};
use serde_json::json;

pub(crate) const FORM: &str = "/devices/socket/add-entity?kind=switch";

/// The fields of a form with its token.
fn with<'a>(token: &'a str, fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![("csrf", token)];
    all.extend_from_slice(fields);
    all
}

pub(crate) async fn submit(
    browser: &mut Browser<'_>,
    page: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let token = browser.token(page).await;
    browser.post(page, &with(&token, fields)).await
}

pub(crate) async fn socket(browser: &mut Browser<'_>) {
    let made = submit(
        browser,
        "/add-device",
        &[("name", "Socket"), ("room", "Cellar")],
    )
    .await;
    assert_eq!(made.status, 303, "{}", made.text);
    assert_eq!(made.header("location"), "/devices/socket/entities");
}

/// A switch that speaks `1`/`0` and reports JSON.
pub(crate) const RELAY: [(&str, &str); 7] = [
    ("name", "Relay"),
    ("id", "relay"),
    ("command_topic", "esp8266/socket"),
    ("state_topic", "esp8266/socket/status"),
    ("payload_on", "1"),
    ("payload_off", "0"),
    ("value_template", "{{ value_json.relay }}"),
];

#[tokio::test]
async fn a_device_is_made_by_hand_with_plain_forms_and_changed_and_taken_apart_again() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    socket(&mut browser).await;
    let page = "/devices/socket/entities";
    let next = submit(
        &mut browser,
        page,
        &[("kind", "switch"), ("name", "Relay & more")],
    )
    .await;
    let form = next.header("location").to_owned();
    assert!(form.starts_with(FORM), "{form}");
    let shown = browser.get(&form).await.text;
    assert!(shown.contains("value=\"Relay &amp; more\""));
    assert!(
        shown.contains("value=\"iothome/socket/relay-more/set\""),
        "{shown}"
    );
    let saved = submit(&mut browser, FORM, &RELAY).await;
    assert_eq!(saved.status, 303, "{}", words_of(&saved.text));
    assert_eq!(saved.header("location"), "/devices/socket/entities#relay");
    let list = words_of(&browser.get(page).await.text);
    assert!(list.contains("Relay Switch · relay"), "{list}");
    assert!(list.contains("esp8266/socket/status"), "{list}");
    let edit = "/devices/socket/entities/relay/edit";
    let shown = browser.get(edit).await.text;
    assert!(
        shown.contains("{{ value_json.relay }}") && shown.contains("name=\"version\" value=\"2\"")
    );
    let mut fields = RELAY.to_vec();
    fields.retain(|(key, _)| *key != "id");
    fields[0].1 = "Main relay";
    fields.extend([("version", "2"), ("deadline_s", "7,5")]);
    let saved = submit(&mut browser, edit, &fields).await;
    assert_eq!(saved.status, 303, "{}", words_of(&saved.text));
    let stored = house
        .store
        .device(&"socket".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.entities[0].name.as_deref(), Some("Main relay"));
    assert_eq!(stored.entities[0].deadline_ms, Some(7_500));
    let stale = submit(&mut browser, edit, &fields).await;
    assert_eq!(stale.status, 422);
    assert!(words_of(&stale.text).contains("Somebody changed this device meanwhile."));
    assert!(stale.text.contains("name=\"version\" value=\"3\"") && stale.text.contains("7,5"));
    let remove = "/devices/socket/entities/relay/remove";
    let sure = words_of(&browser.get(remove).await.text);
    assert!(sure.contains("Remove Main relay?"), "{sure}");
    assert_eq!(submit(&mut browser, remove, &[]).await.status, 303);
    let list = words_of(&browser.get(page).await.text);
    assert!(list.contains("Nothing yet."), "{list}");
    house.stop().await;
}

#[tokio::test]
async fn every_fault_is_told_at_its_field_and_nothing_typed_is_lost() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    for (fields, at) in [
        (vec![("name", " "), ("room", "Attic")], "name-problem"),
        (
            vec![("name", "Lamp"), ("id", "No Id"), ("room", "Attic")],
            "id-problem",
        ),
    ] {
        let page = submit(&mut browser, "/add-device", &fields).await;
        assert_eq!(page.status, 422);
        assert!(
            page.text.contains(at) && page.text.contains("Attic"),
            "{at}"
        );
    }
    socket(&mut browser).await;
    let taken = submit(
        &mut browser,
        "/add-device",
        &[("name", "Other"), ("id", "socket")],
    )
    .await;
    assert_eq!(taken.status, 422, "{}", taken.text);
    assert!(taken.text.contains("id=\"id-problem\"") && taken.text.contains("value=\"Other\""));
    let faults = [
        ("name", "Relay <b>"),
        ("id", "Not An Id"),
        ("command_topic", ""),
        ("state_topic", "esp8266/#"),
        ("value_template", "{{ value_json.relay"),
        ("payload_on", "\"quoted\""),
        ("deadline_s", "soon"),
    ];
    let page = submit(&mut browser, FORM, &faults).await;
    assert_eq!(page.status, 422);
    for key in [
        "id",
        "command_topic",
        "state_topic",
        "value_template",
        "deadline_s",
    ] {
        assert!(
            page.text.contains(&format!("id=\"{key}-problem\"")),
            "{key} is not told"
        );
    }
    for typed in [
        "Relay &lt;b&gt;",
        "Not An Id",
        "esp8266/#",
        "{{ value_json.relay",
        "&quot;quoted&quot;",
        "soon",
    ] {
        assert!(page.text.contains(typed), "{typed} was lost");
    }
    let filled = submit(
        &mut browser,
        FORM,
        &with("x", &[("do", "preset:one"), ("name", "Kept")])[1..],
    )
    .await;
    assert_eq!(filled.status, 200);
    assert!(
        filled.text.contains("value=\"Kept\"")
            && filled
                .text
                .contains("name=\"payload_on\" type=\"text\" value=\"1\"")
    );
    let odd = submit(&mut browser, FORM, &[("name", "x"), ("payload_lock", "L")]).await;
    assert_eq!(odd.status, 422);
    let other = house
        .hub
        .house()
        .device(&"socket".parse().unwrap())
        .unwrap();
    assert!(other.entities.is_empty(), "a faulty form changed something");
    house.stop().await;
}

#[tokio::test]
async fn a_topic_of_another_device_is_refused_at_its_field_by_form_and_by_test_payload() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "lamp").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    socket(&mut browser).await;
    let mut fields = RELAY.to_vec();
    fields[2].1 = "iothome/lamp/power/set";
    let page = submit(&mut browser, FORM, &fields).await;
    assert_eq!(page.status, 422);
    assert!(words_of(&page.text).contains("This topic belongs to another device: lamp"));
    fields.extend([("do", "send"), ("bench_send", "ON")]);
    let page = submit(&mut browser, FORM, &fields).await;
    assert!(words_of(&page.text).contains("This topic belongs to another device: lamp"));
    let body = json!({"topic": "iothome/lamp/power/set", "payload": "ON"});
    let refused = house.post("/api/v1/broker/messages", &admin, body).await;
    assert_eq!(
        assert_problem(&refused, 422, "another's topic")["field"],
        "topic"
    );
    house.stop().await;
}

#[tokio::test]
async fn the_bench_shows_raw_messages_and_what_the_settings_make_of_them() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let bridge = json!({"name": "bench", "topics": [{"filter": "esp8266/#", "access": "write"}]});
    let made = house
        .post("/api/v1/broker/credentials", &admin, bridge)
        .await
        .json();
    let word = |name: &str| made[name].as_str().unwrap().to_owned();
    let credential = (word("username"), word("password"));
    let hostile = "<script>alert(1)</script>".to_owned();
    let messages = [
        ("esp8266/socket/status", "{\"relay\": 1}".to_owned()),
        ("esp8266/other", hostile),
        ("esp8266/long", "x".repeat(20_000)),
    ];
    publish_retained(&house, &credential, &messages).await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    socket(&mut browser).await;
    assert_eq!(house.hub.tapped_topics(), 0, "nobody looks yet");
    let mut fields = RELAY.to_vec();
    fields.extend([("do", "look"), ("bench_topic", "esp8266/#")]);
    let page = submit(&mut browser, FORM, &fields).await;
    assert_eq!(page.status, 200);
    let words = words_of(&page.text);
    assert!(
        words.contains("esp8266/socket/status Kept by the broker"),
        "{words}"
    );
    assert!(
        words.contains("{&quot;relay&quot;: 1} Means: On"),
        "{words}"
    );
    assert!(page.text.contains("&lt;script&gt;alert(1)"), "{words}");
    assert!(!page.text.contains("<script>alert"));
    assert!(words.contains("cut; 20000 bytes in all"), "{words}");
    assert!(page.text.len() < 60_000, "a long payload makes a long page");
    assert!(house.hub.tapped_topics() > 0);
    // The script gets the bench alone, and what a half-typed form still lacks.
    let token = token_of(&page.text);
    let half = [
        ("do", "look"),
        ("state_topic", "esp8266/socket/status"),
        ("value_template", "{{ value_json.relay }}"),
    ];
    let part = browser.fetch(FORM, &with(&token, &half)).await;
    assert!(part.text.starts_with("<section"), "{}", part.text);
    let words = words_of(&part.text);
    assert!(words.contains("The template makes: 1"), "{words}");
    assert!(words.contains("Not complete yet: Command topic"), "{words}");
    // Trying sends nothing; a broken template says why.
    let mut fields = RELAY.to_vec();
    fields.extend([("do", "try"), ("bench_payload", "{\"relay\": 0}")]);
    let tried = words_of(&browser.fetch(FORM, &with(&token, &fields)).await.text);
    assert!(tried.contains("Means: Off"), "{tried}");
    fields[6].1 = "{{ value_json.relay.state.deep }}";
    let tried = words_of(&browser.fetch(FORM, &with(&token, &fields)).await.text);
    assert!(tried.contains("Cannot be read"), "{tried}");
    house.stop().await;
}

#[tokio::test]
async fn a_test_payload_is_sent_on_purpose_and_seen_coming_by() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    socket(&mut browser).await;
    let mut fields = RELAY.to_vec();
    fields.extend([("do", "send"), ("bench_send", "1")]);
    let token = browser.token(FORM).await;
    let sent = words_of(&browser.fetch(FORM, &with(&token, &fields)).await.text);
    assert!(sent.contains("Sent at "), "{sent}");
    fields[7].1 = "look";
    let browser = tokio::sync::Mutex::new(browser);
    until("the payload comes by", || async {
        let part = browser
            .lock()
            .await
            .fetch(FORM, &with(&token, &fields))
            .await;
        words_of(&part.text).contains("1 A command of the hub")
    })
    .await;
    let admin = house.admin().await;
    let heard = house
        .get("/api/v1/broker/messages?topic=esp8266%2Fsocket", &admin)
        .await;
    assert_eq!(
        heard.json()["messages"][0]["payload"],
        "1",
        "{}",
        heard.text
    );
    house.stop().await;
}

#[tokio::test]
async fn nobody_listens_to_everything_and_members_not_at_all() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for topic in ["%23", "%2B%2Fstate", "%24SYS%2F%23", "", "a%23"] {
        let answer = house
            .get(&format!("/api/v1/broker/messages?topic={topic}"), &admin)
            .await;
        assert_eq!(assert_problem(&answer, 422, topic)["field"], "topic");
    }
    assert_eq!(house.hub.tapped_topics(), 0);
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    socket(&mut browser).await;
    let page = submit(&mut browser, FORM, &[("do", "look"), ("bench_topic", "#")]).await;
    assert!(
        page.text.contains("id=\"bench_topic-problem\""),
        "{}",
        page.text
    );
    let (_, member) = house.member(&admin, "eve").await;
    let answer = house.get("/api/v1/broker/messages?topic=a", &member).await;
    assert_problem(&answer, 403, "a member listens");
    let body = json!({"topic": "a", "payload": "1"});
    assert_problem(
        &house.post("/api/v1/broker/messages", &member, body).await,
        403,
        "a member sends",
    );
    let mut eve = Browser::signed_in(&house, "eve", "member's password").await;
    for page in [
        "/add-device",
        "/devices/socket/entities",
        FORM,
        "/devices/socket/credential",
        "/broker/credentials",
    ] {
        assert_eq!(eve.get(page).await.status, 403, "{page}");
    }
    house.stop().await;
}

#[tokio::test]
async fn entities_come_and_go_over_rest_and_a_fault_names_the_requests_own_field() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "lamp").await;
    let path = "/api/v1/devices/lamp/entities";
    let sensor =
        |topic: &str| json!({"kind": "sensor", "name": "Heat", "config": {"state_topic": topic}});
    let made = house
        .post(path, &admin, sensor("iothome/lamp/heat/state"))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        made.header("location"),
        "/api/v1/devices/lamp/entities/heat"
    );
    assert_eq!(made.json()["entities"].as_array().unwrap().len(), 2);
    let wrong = house.post(path, &admin, sensor("a/#")).await;
    assert_eq!(
        assert_problem(&wrong, 422, "no topic")["field"],
        "config.state_topic"
    );
    let heat = "/api/v1/devices/lamp/entities/heat";
    assert_eq!(house.delete(heat, &admin).await.status, 204);
    assert_problem(&house.delete(heat, &admin).await, 404, "gone");
    let again =
        json!({"id": "heat", "kind": "sensor", "config": {"state_topic": "iothome/lamp/x"}});
    assert_problem(
        &house.post(path, &admin, again).await,
        409,
        "an id is never given again",
    );
    house.stop().await;
}

#[tokio::test]
async fn a_name_that_is_too_long_is_told_beside_the_new_device_and_kept() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let rule = |filter: &str| json!({"filter": filter, "access": "write"});
    let topics = [rule("plant/#"), rule("homeassistant/#")];
    let bridge = json!({"name": "bridge", "topics": topics});
    let made = house
        .post("/api/v1/broker/credentials", &admin, bridge)
        .await
        .json();
    let word = |name: &str| made[name].as_str().unwrap().to_owned();
    let config = json!({
        "name": "Moisture",
        "unique_id": "plant-moisture",
        "state_topic": "plant/state",
        "device": {"identifiers": ["plant"], "name": "Plant"},
    });
    let topic = "homeassistant/sensor/plant/moisture/config";
    let credential = (word("username"), word("password"));
    publish_retained(&house, &credential, &[(topic, config.to_string())]).await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    browser
        .wait_for_words("/new-devices", "Plant Offers Moisture Sensor")
        .await;
    let token = browser.token("/new-devices").await;
    let long = "x".repeat(101);
    let fields = [("name", long.as_str()), ("room", "Attic")];
    let path = "/new-devices/plant/accept";
    let page = browser.post(path, &with(&token, &fields)).await;
    assert_eq!(page.status, 422);
    assert!(
        page.text.contains("id=\"name-plant-problem\""),
        "{}",
        page.text
    );
    assert!(page.text.contains(&long) && page.text.contains("value=\"Attic\""));
    let page = browser
        .post(path, &with(&token, &[("name", "Ficus"), ("room", "Attic")]))
        .await;
    assert_eq!(page.header("location"), "/devices/ficus");
    house.stop().await;
}
