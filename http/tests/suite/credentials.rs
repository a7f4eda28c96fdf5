//! One-time passwords and broker users by page, and that what the page says works.

use crate::common::browser::{Browser, words_of};
use crate::common::{ADMIN, TestHouse, read, until};
use crate::making::{FORM, RELAY, socket, submit};
use reqwest::Method;
use serde_json::json;
use std::process::Stdio;
use tokio::process::Command;

/// What stands in an element of that id.
fn content(html: &str, id: &str) -> String {
    let (_, rest) = html
        .split_once(&format!("id=\"{id}\""))
        .unwrap_or_else(|| panic!("no {id}"));
    let (_, rest) = rest.split_once('>').unwrap();
    let (inner, _) = rest.split_once("</code>").unwrap();
    let plain = inner
        .replace("<wbr>", "")
        .replace("&quot;", "\"")
        .replace("&lt;", "<");
    plain.replace("&gt;", ">").replace("&amp;", "&")
}

#[tokio::test]
async fn a_password_is_shown_once_never_in_an_address_and_a_reload_says_how_to_make_a_new_one() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    socket(&mut browser).await;
    let page = "/devices/socket/credential";
    let before = words_of(&browser.get(page).await.text);
    assert!(
        before.contains("It has no user at the broker yet."),
        "{before}"
    );
    let rotate = "/devices/socket/credential/rotate";
    let token = browser.token(page).await;
    let made = browser.post(rotate, &[("csrf", &token)]).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (303, page));
    // A browser's look ahead and a HEAD do not use it up.
    let cookie = browser.cookie_header();
    for (method, purpose) in [(Method::GET, "prefetch"), (Method::HEAD, "")] {
        let ahead = house.request(method, page).header("cookie", &cookie);
        let ahead = ahead
            .header("sec-purpose", purpose)
            .header("accept", "text/html");
        assert_eq!(read(ahead.send().await.unwrap()).await.status, 200);
    }
    let shown = browser.get(page).await;
    let password = content(&shown.text, "password");
    assert!(house.hub.credentials()[0].secret_sha256 != password && password.len() >= 16);
    assert_eq!(shown.header("cache-control"), "no-store");
    assert!(
        shown.text.matches(&password).count() >= 5,
        "the snippets hold it"
    );
    assert!(
        !shown.text.contains("data-live"),
        "a stream would fetch the page anew without it"
    );
    let again = browser.get(page).await.text;
    assert!(!again.contains(&password));
    assert!(words_of(&again).contains("The password was shown once and is not kept."));
    assert!(again.contains("YOUR-PASSWORD"));
    let rotated = browser.post(rotate, &[("csrf", &token)]).await;
    assert_eq!(rotated.status, 303);
    let mut other = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let elsewhere = other.get(page).await.text;
    assert!(
        elsewhere.contains("YOUR-PASSWORD"),
        "another session saw it"
    );
    let new = content(&browser.get(page).await.text, "password");
    assert_ne!(new, password);
    assert_eq!(house.hub.credentials().len(), 1, "one user for one device");
    house.stop().await;
}

/// The Mosquitto clients do what the page says they would.
#[tokio::test]
async fn the_commands_of_the_page_work_against_the_broker() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    socket(&mut browser).await;
    let mut fields = RELAY.to_vec();
    fields[2].1 = "esp8266/it's \"$HOME\" `id`";
    fields[6].1 = "";
    let saved = submit(&mut browser, FORM, &fields).await;
    assert_eq!(saved.status, 303, "{}", words_of(&saved.text));
    let page = "/devices/socket/credential";
    let token = browser.token(page).await;
    browser
        .post("/devices/socket/credential/rotate", &[("csrf", &token)])
        .await;
    let shown = browser.get(page).await.text;
    let lines = content(&shown, "code-mosquitto");
    let dir = tempfile::tempdir().unwrap();
    let ca = house.send(Method::GET, "/ca.crt", None, None).await.text;
    std::fs::write(dir.path().join("ca.crt"), ca).unwrap();
    let run = |line: String| {
        let mut command = Command::new("sh");
        command
            .args(["-c", &line])
            .current_dir(dir.path())
            .kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let subscribe = lines
        .lines()
        .find(|l| l.starts_with("mosquitto_sub"))
        .unwrap();
    let listener = run(format!("exec {subscribe} -C 1 -W 20")).spawn().unwrap();
    let report = lines
        .lines()
        .find(|l| l.starts_with("mosquitto_pub"))
        .unwrap();
    let reported = run(report.to_owned()).output().await.unwrap();
    let error = String::from_utf8_lossy(&reported.stderr);
    assert!(reported.status.success(), "{report}: {error}");
    until("the report is taken", || async {
        let socket = house.hub.house().device(&"socket".parse().unwrap());
        let state = socket.and_then(|s| s.entities[0].state.clone());
        state.is_some_and(|state| state.as_word() == Some("on"))
    })
    .await;
    let admin = house.admin().await;
    let heard = listener.wait_with_output();
    let sending = async {
        // The listener may not have subscribed yet.
        loop {
            let body = json!({"device": "socket", "topic": fields[2].1, "payload": "1"});
            house.post("/api/v1/broker/messages", &admin, body).await;
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let heard = tokio::select! {
        heard = heard => heard.unwrap(),
        () = sending => unreachable!("it goes on for ever"),
    };
    let text = String::from_utf8_lossy(&heard.stdout);
    assert_eq!(
        text.trim(),
        format!("{} 1", fields[2].1),
        "{}",
        String::from_utf8_lossy(&heard.stderr)
    );
    house.stop().await;
}

#[tokio::test]
async fn a_bridge_gets_a_user_for_its_prefixes_and_loses_it_again() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let list = "/broker/credentials";
    for (fields, at) in [
        (
            vec![("preset", "zigbee2mqtt"), ("name", " ")],
            "name-problem",
        ),
        (
            vec![("preset", "esphome"), ("name", "Node")],
            "prefix-problem",
        ),
        (
            vec![("preset", "own"), ("name", "SDR"), ("rules", "write #")],
            "rules-problem",
        ),
    ] {
        let page = submit(&mut browser, list, &fields).await;
        assert_eq!(page.status, 422);
        assert!(page.text.contains(at), "{at}: {}", words_of(&page.text));
    }
    let made = submit(
        &mut browser,
        list,
        &[("preset", "zigbee2mqtt"), ("name", "Zigbee")],
    )
    .await;
    assert_eq!(made.status, 303, "{}", made.text);
    let page = made.header("location").to_owned();
    let shown = browser.get(&page).await.text;
    let password = content(&shown, "password");
    let yaml = content(&shown, "code-zigbee2mqtt");
    assert!(
        yaml.contains(&format!("password: \"{password}\"")),
        "{yaml}"
    );
    assert!(yaml.contains("base_topic: \"zigbee2mqtt\""), "{yaml}");
    assert!(!browser.get(&page).await.text.contains(&password));
    let user = house.hub.credentials().remove(0);
    assert!(
        user.topics
            .iter()
            .any(|rule| rule.filter == "zigbee2mqtt/#")
    );
    assert!(words_of(&browser.get(list).await.text).contains("Zigbee zigbee · Made"));
    let rotated = submit(&mut browser, &page, &[]).await;
    assert_eq!(rotated.status, 405, "the page itself takes no form");
    let token = browser.token(&page).await;
    let rotated = browser
        .post(&format!("{page}/rotate"), &[("csrf", &token)])
        .await;
    assert_eq!(rotated.header("location"), page);
    let gone = submit(&mut browser, &format!("{page}/delete"), &[]).await;
    assert_eq!(gone.header("location"), list);
    assert!(house.hub.credentials().is_empty());
    assert_eq!(browser.get(&page).await.status, 404);
    house.stop().await;
}
