//! Language, theme, size and the viewer's own page.

use crate::common::browser::{Browser, token_of, words_of};
use crate::common::{ADMIN, TestHouse, read};
use reqwest::Method;

/// What a page names as language.
fn lang_of(page: &str) -> &str {
    let (_, rest) = page.split_once("<html lang=\"").expect("a page");
    rest.split('"').next().unwrap()
}

async fn asked_in(house: &TestHouse, language: &str, path: &str) -> crate::common::Answer {
    let request = house
        .request(Method::GET, path)
        .header("accept", "text/html")
        .header("accept-language", language);
    read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn whoever_is_not_signed_in_reads_pages_and_errors_in_the_language_of_their_browser() {
    let house = TestHouse::start().await;
    let german = asked_in(&house, "de-AT, en;q=0.5", "/sign-in").await;
    assert_eq!(lang_of(&german.text), "de");
    assert!(
        words_of(&german.text).contains("Anmelden"),
        "{}",
        german.text
    );
    let vary: Vec<&str> = german
        .headers
        .get_all("vary")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert!(vary.join(", ").contains("accept-language"), "{vary:?}");
    let nothing = asked_in(&house, "de", "/nowhere").await;
    assert_eq!(nothing.status, 404);
    assert!(words_of(&nothing.text).contains("Hier ist nichts"));
    assert_eq!(
        lang_of(&asked_in(&house, "fr", "/sign-in").await.text),
        "en"
    );
    house.stop().await;
}

#[tokio::test]
async fn a_chosen_language_and_theme_are_on_every_page_error_and_answer() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let page = browser.get("/you").await.text;
    assert_eq!(lang_of(&page), "en");
    assert!(!page.contains("data-theme"), "nothing was chosen yet");
    let token = token_of(&page);
    let chosen = [
        ("csrf", token.as_str()),
        ("language", "de"),
        ("theme", "dark"),
    ];
    let answer = browser.post("/you/preferences", &chosen).await;
    assert_eq!(answer.header("location"), "/you?done=preferences");
    let told = browser.get("/you?done=preferences").await.text;
    assert!(words_of(&told).contains("Gespeichert."), "{told}");
    for path in [
        "/",
        "/devices/socket",
        "/new-devices",
        "/broker",
        "/settings",
        "/nowhere",
    ] {
        let page = browser.get(path).await.text;
        assert_eq!(lang_of(&page), "de", "{path}");
        assert!(page.contains("data-theme=\"dark\""), "{path}");
    }
    let refused = [("csrf", token.as_str()), ("action", "set"), ("value", "x")];
    let answer = browser
        .fetch("/devices/socket/entities/nothing/commands", &refused)
        .await;
    assert!(
        words_of(&answer.text).contains("Hier ist nichts"),
        "{}",
        answer.text
    );
    // Another one of the house still reads what their browser asks for.
    let back = [
        ("csrf", token.as_str()),
        ("language", ""),
        ("theme", "auto"),
    ];
    browser.post("/you/preferences", &back).await;
    let page = browser.get("/").await.text;
    assert_eq!(lang_of(&page), "en");
    assert!(!page.contains("data-theme"));
    house.stop().await;
}

#[tokio::test]
async fn one_changes_the_own_password_and_is_told_what_is_wrong() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let mut other = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let token = browser.token("/you").await;
    let change = |now: &'static str, new: &'static str| {
        [
            ("csrf", token.clone()),
            ("username", ADMIN.0.to_owned()),
            ("current_password", now.to_owned()),
            ("new_password", new.to_owned()),
        ]
    };
    for (now, new, words) in [
        ("wrong", "a new password", "This is not your password."),
        (ADMIN.1, "short", "At least 8 characters"),
    ] {
        let fields = change(now, new);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = browser.post("/you/password", &fields).await;
        assert!(answer.status.is_client_error(), "{new}: {}", answer.status);
        assert!(words_of(&answer.text).contains(words), "{}", answer.text);
        assert!(
            !answer.text.contains("data-live"),
            "a form's answer asks for itself anew"
        );
    }
    let fields = change(ADMIN.1, "a new password");
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let answer = browser.post("/you/password", &fields).await;
    assert_eq!(
        answer.header("location"),
        "/you?done=password",
        "{}",
        answer.text
    );
    assert_eq!(browser.get("/you").await.status, 200);
    assert_eq!(
        other.get("/").await.status,
        303,
        "the other session goes on"
    );
    Browser::signed_in(&house, ADMIN.0, "a new password").await;
    house.stop().await;
}

#[tokio::test]
async fn a_member_sees_nothing_of_administration_in_the_navigation() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.member(&admin, "eve").await;
    let mut browser = Browser::signed_in(&house, "eve", "member's password").await;
    let page = browser.get("/").await.text;
    let nav = page.split("<nav").nth(1).unwrap();
    let nav = nav.split("</nav>").next().unwrap();
    assert_eq!(nav.matches("<a ").count(), 3, "{nav}");
    for path in ["/settings", "/new-devices", "/broker"] {
        assert!(!nav.contains(path), "{nav}");
        assert_eq!(browser.get(path).await.status, 403, "{path}");
    }
    house.stop().await;
}

#[tokio::test]
async fn the_design_is_shown_in_the_demo_only() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    assert_eq!(browser.get("/design").await.status, 404);
    house.stop().await;
    let demo = TestHouse::start_with(|config| config.demo = true).await;
    demo.set_up().await;
    let mut browser = Browser::signed_in(&demo, ADMIN.0, ADMIN.1).await;
    assert_eq!(browser.get("/design").await.status, 200);
    demo.stop().await;
}

/// Bytes of an answer as they are sent.
async fn weight(house: &TestHouse, path: &str, cookies: &str) -> (usize, Vec<u8>) {
    let request = house
        .request(Method::GET, path)
        .header("accept", "text/html")
        .header("accept-encoding", "gzip")
        .header("cookie", cookies);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let headers: usize = answer
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    let body = answer.bytes().await.unwrap().to_vec();
    (headers + body.len(), body)
}

#[tokio::test]
async fn a_first_page_weighs_less_than_sixty_kilobytes_and_the_script_less_than_eight() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for n in 0..12 {
        house.add_switch(&admin, &format!("socket-{n}")).await;
    }
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let page = browser.get("/").await.text;
    let cookies = browser.cookie_header();
    let (mut total, _) = weight(&house, "/", &cookies).await;
    // What a browser loads with the page: not the pictures for installing it.
    for end in [".css", ".js", ".svg"] {
        let start = page.split("\"/assets/").skip(1);
        let mut names = start.filter_map(|rest| rest.split('"').next());
        let name = names.find(|name| name.ends_with(end)).expect(end);
        let (sent, body) = weight(&house, &format!("/assets/{name}"), "").await;
        let small = end != ".js" || body.len() < 8 * 1024;
        assert!(small, "the script weighs {} bytes", body.len());
        total += sent;
    }
    assert!(total < 60 * 1024, "the first page weighs {total} bytes");
    house.stop().await;
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere_and_hold_nothing_inline() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    for path in [
        "/",
        "/you",
        "/settings",
        "/broker",
        "/new-devices",
        "/nowhere",
    ] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        for (attribute, what) in [(" src=\"", "src"), ("<link ", "link")] {
            for part in answer.text.split(attribute).skip(1) {
                let end = part.find('>').unwrap();
                assert!(
                    !part[..end].contains("://"),
                    "{path}: {what} {}",
                    &part[..end]
                );
            }
        }
        assert!(!answer.text.contains(" style=\""), "{path}");
    }
    house.stop().await;
}

#[tokio::test]
async fn the_manifest_and_its_pictures_are_there_without_a_session() {
    let house = TestHouse::start().await;
    let page = asked_in(&house, "en", "/sign-in").await.text;
    let (_, rest) = page
        .split_once("rel=\"manifest\" href=\"")
        .expect("a manifest");
    let path = rest.split('"').next().unwrap();
    let answer = asked_in(&house, "en", path).await;
    assert_eq!(answer.header("content-type"), "application/manifest+json");
    let manifest = answer.json();
    assert_eq!(manifest["name"], "IoT Home");
    for icon in manifest["icons"].as_array().unwrap() {
        let path = icon["src"].as_str().unwrap();
        let answer = house.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(
            answer.headers()["content-type"],
            icon["type"].as_str().unwrap()
        );
    }
    house.stop().await;
}

#[tokio::test]
async fn errors_below_the_interface_are_documents_however_its_address_is_written() {
    let house = TestHouse::start().await;
    for path in ["/api/v1/nothing", "/%61pi/v1/nothing", "/%61pi/v1/me"] {
        let answer = asked_in(&house, "en", path).await;
        assert!(answer.status.is_client_error(), "{path}");
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
    }
    house.stop().await;
}

#[tokio::test]
async fn an_address_that_takes_get_says_that_it_takes_head() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let answer = browser.post("/settings", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("allow")),
        (405, "GET, HEAD")
    );
    let answer = browser.post("/live", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("allow")),
        (405, "GET")
    );
    house.stop().await;
}
