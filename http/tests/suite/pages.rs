//! Pages as a browser without script uses them, against a whole house.

use crate::common::browser::{Browser, token_of, words_of};
use crate::common::device::{Manner, Switch};
use crate::common::{ADMIN, TestHouse};

const COMMANDS: &str = "/devices/socket/entities/power/commands";

#[tokio::test]
async fn who_is_not_signed_in_is_sent_to_sign_in_and_back_again() {
    let house = TestHouse::start().await;
    let mut browser = Browser::new(&house);
    let answer = browser.get("/you").await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), "/sign-in?next=%2Fyou");
    let page = browser.get("/sign-in?next=%2Fyou").await;
    assert!(page.text.contains("name=\"next\" value=\"/you\""));
    assert!(
        !page.text.contains("Test home"),
        "a signed-out page names the home"
    );
    let fields = [
        ("username", ADMIN.0),
        ("password", ADMIN.1),
        ("next", "/you"),
    ];
    let answer = browser.post("/sign-in", &fields).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/you")
    );
    let page = browser.get("/you").await;
    assert!(
        words_of(&page.text).contains("adam Administrator"),
        "{}",
        page.text
    );
    house.stop().await;
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_get_the_same_page() {
    let house = TestHouse::start().await;
    let mut browser = Browser::new(&house);
    let wrong = [("username", "adam"), ("password", "nonsense")];
    let nobody = [("username", "nobody"), ("password", "nonsense")];
    let one = browser.post("/sign-in", &wrong).await;
    let other = browser.post("/sign-in", &nobody).await;
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (401, 401));
    assert_eq!(one.text.replace("adam", "nobody"), other.text);
    assert!(!one.text.contains("nonsense"), "the password came back");
    assert!(words_of(&one.text).contains("User name or password is not right."));
    house.stop().await;
}

#[tokio::test]
async fn sign_in_never_leads_to_another_site() {
    let house = TestHouse::start().await;
    let mut browser = Browser::new(&house);
    let fields = [
        ("username", ADMIN.0),
        ("password", ADMIN.1),
        ("next", "//evil.example/"),
    ];
    let answer = browser.post("/sign-in", &fields).await;
    assert_eq!(answer.header("location"), "/");
    house.stop().await;
}

#[tokio::test]
async fn a_switch_is_switched_by_a_plain_form_and_the_next_page_tells_its_end() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let switch = Switch::connect(&house, "socket", &credential, Manner::Obeys).await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    browser.wait_for_words("/", "The socket Off reported").await;
    let token = browser.token("/").await;
    let fields = [
        ("csrf", token.as_str()),
        ("back", "home"),
        ("action", "turn_on"),
    ];
    let answer = browser.post(COMMANDS, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(answer.header("location"), "/#card-socket");
    let page = words_of(&browser.get("/").await.text);
    assert!(page.contains("The socket On reported"), "{page}");
    assert!(page.contains("Turn on – confirmed in"), "{page}");
    let page = words_of(&browser.get("/devices/socket").await.text);
    assert!(page.contains("by adam"), "{page}");
    assert_eq!(switch.heard(), 1);
    house.stop().await;
}

#[tokio::test]
async fn while_a_command_is_pending_the_page_shows_the_last_reported_state() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let _switch = Switch::connect(&house, "socket", &credential, Manner::IsSilent).await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    browser.wait_for_words("/", "The socket Off reported").await;
    let token = browser.token("/").await;
    let fields = [
        ("csrf", token.as_str()),
        ("back", "home"),
        ("action", "turn_on"),
    ];
    let answer = browser.fetch(COMMANDS, &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(
        answer.text.starts_with("<article"),
        "the script gets the card alone"
    );
    let card = words_of(&answer.text);
    assert!(card.contains("The socket Off reported"), "{card}");
    assert!(card.contains("Turning on –"), "{card}");
    assert!(answer.text.contains("aria-checked=\"false\""));
    house.stop().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_words_and_nothing_is_sent() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let token = browser.token("/").await;
    let with = |action: &'static str| {
        [
            ("csrf", token.clone()),
            ("back", "home".into()),
            ("action", action.to_owned()),
        ]
    };
    for (action, status) in [("explode", 422), ("open", 422), ("toggle", 409)] {
        let fields = with(action);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let page = browser.post(COMMANDS, &fields).await;
        assert_eq!(page.status.as_u16(), status, "{action}: {}", page.text);
        assert!(page.text.contains("<h1>"), "{action} gets no page");
        let fragment = browser.fetch(COMMANDS, &fields).await;
        assert_eq!(fragment.status.as_u16(), status);
        assert!(
            fragment.text.starts_with("<p>"),
            "{action}: {}",
            fragment.text
        );
    }
    let page = words_of(&browser.get("/devices/socket").await.text);
    assert!(
        page.contains("Nobody has asked anything of this device yet."),
        "{page}"
    );
    house.stop().await;
}

#[tokio::test]
async fn a_form_without_the_session_s_token_does_nothing() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    for path in [
        COMMANDS,
        "/sign-out",
        "/new-devices/x/accept",
        "/devices/socket/release",
    ] {
        for token in ["", "forged"] {
            let answer = browser
                .post(path, &[("csrf", token), ("action", "turn_on")])
                .await;
            assert_eq!(answer.status, 403, "{path}: {}", answer.text);
            assert!(
                words_of(&answer.text).contains("too old"),
                "{path}: {}",
                answer.text
            );
        }
    }
    assert_eq!(browser.get("/").await.status, 200);
    house.stop().await;
}

#[tokio::test]
async fn a_member_sees_only_what_is_granted_and_drives_only_what_they_may() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for device in ["socket", "safe", "lamp"] {
        house.add_switch(&admin, device).await;
    }
    let (eve, _) = house.member(&admin, "eve").await;
    house.grant(&admin, "socket", &eve, &["view"]).await;
    house.grant(&admin, "lamp", &eve, &["control"]).await;
    let mut browser = Browser::signed_in(&house, "eve", "member's password").await;
    let page = browser.get("/").await.text;
    assert!(page.contains("The socket") && page.contains("The lamp"));
    assert!(
        !page.contains("The safe"),
        "a device that is not granted is shown"
    );
    assert!(page.contains("action=\"/devices/lamp/"));
    assert!(
        !page.contains("action=\"/devices/socket/entities/"),
        "a control without the right"
    );
    assert_eq!(browser.get("/devices/safe").await.status, 404);
    let token = browser.token("/").await;
    let ask = [("csrf", token.as_str()), ("action", "turn_on")];
    assert_eq!(browser.post(COMMANDS, &ask).await.status, 403);
    let hidden = "/devices/safe/entities/power/commands";
    assert_eq!(browser.post(hidden, &ask).await.status, 404);
    for page in ["/new-devices", "/broker"] {
        assert_eq!(browser.get(page).await.status, 403, "{page}");
    }
    house.stop().await;
}

#[tokio::test]
async fn a_device_that_announces_itself_is_accepted_by_page_or_ignored() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let body = serde_json::json!({"name": "Plant", "device": "plant"});
    let made = house.post("/api/v1/broker/credentials", &admin, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let word = |name: &str| made.json()[name].as_str().unwrap().to_owned();
    let credential = (word("username"), word("password"));
    let plant = Switch::connect(&house, "plant", &credential, Manner::Obeys).await;
    let config = serde_json::json!({
        "device": {"identifiers": ["plant"], "name": "<b>Plant</b>", "manufacturer": "Acme"},
        "name": "Pump",
        "unique_id": "plant-pump",
        "command_topic": "iothome/plant/power/set",
        "state_topic": "iothome/plant/power/state",
    });
    plant
        .announce("homeassistant/switch/plant/power/config", &config)
        .await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    browser
        .wait_for_words("/new-devices", "&lt;b&gt;Plant&lt;/b&gt;")
        .await;
    let home = words_of(&browser.get("/").await.text);
    assert!(home.contains("1 new device waits"), "{home}");
    let page = browser.get("/new-devices").await.text;
    assert!(!page.contains("<b>Plant"), "a name became markup");
    let (_, rest) = page.split_once("action=\"/new-devices/").expect("a form");
    let id = rest.split('/').next().unwrap().to_owned();
    let token = token_of(&page);
    let path = format!("/new-devices/{id}/ignore");
    assert_eq!(browser.post(&path, &[("csrf", &token)]).await.status, 303);
    let page = words_of(&browser.get("/new-devices").await.text);
    assert!(page.contains("Ignored"), "{page}");
    let path = format!("/new-devices/{id}/accept");
    let fields = [("csrf", token.as_str()), ("name", "Fern"), ("room", "Hall")];
    let answer = browser.post(&path, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let device = answer.header("location").to_owned();
    assert!(device.starts_with("/devices/"), "{device}");
    let page = words_of(&browser.get(&device).await.text);
    assert!(page.contains("Fern") && page.contains("Hall"), "{page}");
    house.stop().await;
}

#[tokio::test]
async fn sessions_are_listed_and_another_one_is_ended_at_once() {
    let house = TestHouse::start().await;
    let mut one = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let mut other = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let page = one.get("/you").await.text;
    let (_, rest) = page
        .split_once("action=\"/you/sessions/")
        .expect("another session");
    let id = rest.split('/').next().unwrap().to_owned();
    let token = token_of(&page);
    let answer = one
        .post(&format!("/you/sessions/{id}/end"), &[("csrf", &token)])
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(other.get("/").await.status, 303, "an ended session goes on");
    assert_eq!(one.get("/").await.status, 200);
    let token = one.token("/you").await;
    let answer = one.post("/sign-out", &[("csrf", &token)]).await;
    assert_eq!(answer.header("location"), "/sign-in");
    assert_eq!(one.get("/").await.status, 303);
    house.stop().await;
}

#[tokio::test]
async fn set_up_is_done_once_keeps_what_was_typed_and_signs_in() {
    let house =
        TestHouse::start_with(|config| config.setup_code = Some("ABCDE-FGHIJ".into())).await;
    let mut browser = Browser::new(&house);
    assert_eq!(browser.get("/sign-in").await.header("location"), "/set-up");
    assert_eq!(browser.get("/set-up").await.status, 200);
    let fields = |code: &'static str, zone: &'static str| {
        [
            ("code", code),
            ("home", "Elm Street"),
            ("zone", zone),
            ("latitude", ""),
            ("longitude", ""),
            ("username", "adam"),
            ("password", "correct horse"),
        ]
    };
    let wrong = browser
        .post("/set-up", &fields("WRONG", "Europe/Berlin"))
        .await;
    assert_eq!(wrong.status, 403, "{}", wrong.text);
    assert!(wrong.text.contains("value=\"Elm Street\""));
    assert!(
        !wrong.text.contains("correct horse"),
        "the password came back"
    );
    let nowhere = browser
        .post("/set-up", &fields("abcde fghij", "Mars/Olympus"))
        .await;
    assert_eq!(nowhere.status, 422);
    assert!(nowhere.text.contains("zone-problem"), "{}", nowhere.text);
    let done = browser
        .post("/set-up", &fields("abcde fghij", "Europe/Berlin"))
        .await;
    assert_eq!(
        (done.status.as_u16(), done.header("location")),
        (303, "/first-device"),
        "{}",
        done.text
    );
    let home = browser.get("/").await;
    assert!(words_of(&home.text).contains("Elm Street"), "{}", home.text);
    assert_eq!(browser.get("/set-up").await.header("location"), "/sign-in");
    house.stop().await;
}

#[tokio::test]
async fn errors_are_pages_for_people() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    for (path, status, words) in [
        ("/nowhere", 404, "Nothing here"),
        ("/devices/none", 404, "Nothing here"),
        ("/devices/NOT%20AN%20ID", 404, "Nothing here"),
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(
            answer.header("content-type").starts_with("text/html"),
            "{path}"
        );
        assert!(
            words_of(&answer.text).contains(words),
            "{path}: {}",
            answer.text
        );
    }
    let answer = browser.post("/broker", &[]).await;
    assert_eq!(answer.status, 405);
    assert!(words_of(&answer.text).contains("Not that way"));
    house.stop().await;
}

#[tokio::test]
async fn assets_are_kept_for_ever() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for n in 0..9 {
        house.add_switch(&admin, &format!("socket-{n}")).await;
    }
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let page = browser.get("/").await.text;
    for start in page.match_indices("/assets/").map(|(at, _)| at) {
        let path = page[start..].split('"').next().unwrap();
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            answer.header("cache-control").contains("immutable"),
            "{path}"
        );
        assert!(!answer.headers.contains_key("set-cookie"), "{path}");
    }
    assert_eq!(browser.get("/assets/app.css").await.status, 404);
    house.stop().await;
}

#[tokio::test]
async fn home_leads_a_browser_to_sign_in_and_before_set_up_to_set_up() {
    let house = TestHouse::start_with(|_| {}).await;
    let mut browser = Browser::new(&house);
    assert_eq!(browser.get("/").await.header("location"), "/sign-in");
    assert_eq!(browser.get("/sign-in").await.header("location"), "/set-up");
    house.set_up().await;
    let answer = browser.get("/").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/sign-in")
    );
    assert_eq!(browser.get("/sign-in").await.status, 200);
    house.stop().await;
}

#[tokio::test]
async fn a_select_is_driven_by_a_plain_form_to_one_of_its_options_and_no_other() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let body = serde_json::json!({
        "id": "oven",
        "name": "The oven",
        "entities": [{
            "id": "mode",
            "kind": "select",
            "config": {
                "command_topic": "iothome/oven/power/set",
                "state_topic": "iothome/oven/power/state",
                "options": ["OFF", "Eco & quiet", "<b>Boost</b>"],
            },
        }],
    });
    let made = house.post("/api/v1/devices", &admin, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let word = |name: &str| made.json()["credential"][name].as_str().unwrap().to_owned();
    let credential = (word("username"), word("password"));
    let oven = Switch::connect(&house, "oven", &credential, Manner::Obeys).await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let chosen = |page: &str, option: &str| page.contains(&format!("value=\"{option}\" selected"));
    browser
        .wait_for_html("/devices/oven", "value=\"OFF\" selected")
        .await;
    let path = "/devices/oven/entities/mode/commands";
    let token = browser.token("/devices/oven").await;
    for (option, shown) in [
        ("Eco & quiet", "Eco &amp; quiet"),
        ("<b>Boost</b>", "&lt;b&gt;Boost&lt;/b&gt;"),
    ] {
        let fields = [
            ("csrf", token.as_str()),
            ("action", "set"),
            ("value", option),
        ];
        let answer = browser.post(path, &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let page = browser.get("/devices/oven").await.text;
        assert!(chosen(&page, shown), "{option}: {page}");
        assert!(words_of(&page).contains("confirmed in"), "{page}");
        assert!(!page.contains("<b>Boost"), "an option became markup");
    }
    assert_eq!(oven.heard(), 2);
    for wrong in ["Grill", "", "eco & quiet"] {
        let fields = [
            ("csrf", token.as_str()),
            ("action", "set"),
            ("value", wrong),
        ];
        assert_eq!(browser.post(path, &fields).await.status, 422, "{wrong:?}");
    }
    assert_eq!(oven.heard(), 2);
    house.stop().await;
}

#[tokio::test]
async fn a_strange_query_gets_a_page_and_never_a_failure_of_the_hub() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    for next in [
        "%2Fa%00b",
        "%2Fa%7F",
        "%2Fa%0Bb",
        "%2F%C3%B6",
        "%2F%09%2Fevil.example",
    ] {
        let answer = browser.get(&format!("/sign-in?next={next}")).await;
        assert_eq!(answer.status, 303, "{next}: {}", answer.text);
        assert_eq!(answer.header("location"), "/", "{next}");
    }
    for path in [
        "/sign-in?next=%2Fa&next=%2Fb",
        "/live?view=nonsense",
        "/live",
    ] {
        let answer = browser.get(path).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert!(answer.text.contains("<h1>"), "{path}: {}", answer.text);
    }
    house.stop().await;
}
