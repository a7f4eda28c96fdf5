//! Signing in, renewing, signing out: tokens and cookies.

use crate::common::browser::Browser;
use crate::common::{ADMIN, Answer, TestHouse, assert_problem, read, tokens_of};
use reqwest::Method;
use serde_json::json;

/// The document is behind sign-in and takes tokens as well as cookies.
const EITHER: &str = "/api/v1/openapi.json";

/// A cookie's name on plain HTTP: with the port, which browsers do not tell cookies apart by.
fn plain(house: &TestHouse, word: &str) -> String {
    let (_, port) = house.url.rsplit_once(':').unwrap();
    format!("iothome_{word}_{port}")
}

async fn with_cookies(house: &TestHouse, access: &str, refresh: &str) -> Answer {
    let (first, second) = (plain(house, "access"), plain(house, "refresh"));
    let cookie = format!("{first}={access}; {second}={refresh}");
    let request = house.request(Method::GET, EITHER).header("cookie", cookie);
    read(request.send().await.unwrap()).await
}

fn set_cookie(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get_all("set-cookie").iter();
    all.map(|value| value.to_str().unwrap())
        .find_map(|value| value.strip_prefix(&format!("{name}="))?.split(';').next())
        .map(ToOwned::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_in_client_is_known_until_it_signs_out() {
    let house = TestHouse::start().await;
    let answer = house.login(ADMIN.0, ADMIN.1).await;
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 900);
    let tokens = tokens_of(&body);
    let me = house.get("/api/v1/me", &tokens.access).await;
    assert_eq!(me.json()["username"], ADMIN.0);
    assert!(!me.text.contains("argon2"));
    let out = house
        .post("/api/v1/auth/logout", &tokens.access, json!({}))
        .await;
    assert_eq!(out.status, 204);
    let after = house.get("/api/v1/me", &tokens.access).await;
    assert_problem(&after, 401, "a token of an ended session");
    let body = json!({"refresh_token": tokens.refresh});
    let refresh = house.send(Method::POST, "/api/v1/auth/refresh", None, Some(body));
    assert_problem(&refresh.await, 401, "a refresh token of an ended session");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let house = TestHouse::start().await;
    let wrong = house.login(ADMIN.0, "wrong password").await;
    let unknown = house.login("nobody", "wrong password").await;
    assert_problem(&wrong, 401, "a wrong password");
    assert_eq!(wrong.text, unknown.text);
    let long = house.login(&"x".repeat(10_000), "y").await;
    assert_eq!(long.text, unknown.text);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sixth_sign_in_within_a_minute_waits() {
    let house = TestHouse::start_with(|config| config.sign_ins_per_minute = 5).await;
    house.set_up().await;
    for _ in 0..5 {
        assert_eq!(house.login(ADMIN.0, "wrong password").await.status, 401);
    }
    let sixth = house.login(ADMIN.0, ADMIN.1).await;
    assert_problem(&sixth, 429, "the sixth");
    let wait: u64 = sixth.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let other_account = house.login("someone else", "x").await;
    assert_eq!(other_account.status, 429, "the address is counted, too");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_renews_and_the_same_one_gives_the_same_successor_for_a_while() {
    let house = TestHouse::start().await;
    let first = house.tokens(ADMIN.0, ADMIN.1).await;
    let refresh = || async {
        let body = json!({"refresh_token": first.refresh});
        let answer = house.send(Method::POST, "/api/v1/auth/refresh", None, Some(body));
        let answer = answer.await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        tokens_of(&answer.json())
    };
    let (a, b) = tokio::join!(refresh(), refresh());
    assert_ne!(a.refresh, first.refresh);
    assert_eq!(a.refresh, b.refresh, "two tabs renew at once");
    assert_eq!(house.get("/api/v1/me", &b.access).await.status, 200);
    for forged in ["", "x", &"A".repeat(5_000), &format!("{}x", a.refresh)] {
        let body = json!({"refresh_token": forged});
        let answer = house.send(Method::POST, "/api/v1/auth/refresh", None, Some(body));
        assert_problem(&answer.await, 401, forged);
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_parallel_requests_with_an_expired_access_cookie_all_succeed() {
    let house = TestHouse::start().await;
    let tokens = house.tokens(ADMIN.0, ADMIN.1).await;
    let asked = (0..10).map(|_| with_cookies(&house, "expired", &tokens.refresh));
    let answers = futures_util::future::join_all(asked).await;
    let mut successors: Vec<String> = Vec::new();
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let access = set_cookie(answer, &plain(&house, "access")).expect("a new access cookie");
        let refresh = set_cookie(answer, &plain(&house, "refresh")).expect("a new refresh cookie");
        assert_eq!(house.get("/api/v1/me", &access).await.status, 200);
        successors.push(refresh);
    }
    successors.dedup();
    assert_eq!(successors.len(), 1, "they all got the same successor");
    let quiet = with_cookies(&house, &tokens.access, &tokens.refresh).await;
    assert_eq!(quiet.status, 200);
    assert!(
        set_cookie(&quiet, &plain(&house, "access")).is_none(),
        "no need to renew"
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_do_not_open_the_api_and_people_are_sent_to_the_sign_in_page() {
    let house = TestHouse::start().await;
    let tokens = house.tokens(ADMIN.0, ADMIN.1).await;
    let cookie = format!("{}={}", plain(&house, "access"), tokens.access);
    let request = house
        .request(Method::GET, "/api/v1/devices")
        .header("cookie", &cookie);
    let answer = read(request.send().await.unwrap()).await;
    assert_problem(&answer, 401, "a cookie at the API");
    let secure_only = format!("__Host-iothome_access={}", tokens.access);
    let request = house
        .request(Method::GET, EITHER)
        .header("cookie", secure_only);
    assert_eq!(
        request.send().await.unwrap().status(),
        401,
        "not over plain HTTP"
    );
    let request = house
        .request(Method::GET, "/api/docs/")
        .header("accept", "text/html");
    let answer = read(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), "/sign-in?next=%2Fapi%2Fdocs%2F");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_the_other_sessions_and_a_disabled_user_is_out_at_once() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let (id, phone) = house.member(&admin, "eve").await;
    let laptop = house.tokens("eve", "member's password").await.access;
    let wrong = json!({"current_password": "wrong", "new_password": "a new password"});
    let answer = house.post("/api/v1/me/password", &phone, wrong).await;
    assert_eq!(
        assert_problem(&answer, 403, "wrong")["field"],
        "current_password"
    );
    let short = json!({"current_password": "member's password", "new_password": "short"});
    let answer = house.post("/api/v1/me/password", &phone, short).await;
    assert_eq!(
        assert_problem(&answer, 422, "short")["field"],
        "new_password"
    );
    let right = json!({"current_password": "member's password", "new_password": "a new password"});
    assert_eq!(
        house
            .post("/api/v1/me/password", &phone, right)
            .await
            .status,
        204
    );
    assert_eq!(house.get("/api/v1/me", &phone).await.status, 200);
    assert_eq!(house.get("/api/v1/me", &laptop).await.status, 401);
    assert_eq!(house.login("eve", "member's password").await.status, 401);
    let path = format!("/api/v1/users/{id}");
    let disabled = house.patch(&path, &admin, json!({"disabled": true})).await;
    assert_eq!(disabled.status, 200, "{}", disabled.text);
    assert_eq!(house.get("/api/v1/me", &phone).await.status, 401);
    assert_eq!(house.login("eve", "a new password").await.status, 401);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_sessions_are_listed_and_ended_and_nobody_elses() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let (_, eve) = house.member(&admin, "eve").await;
    let other = house.tokens("eve", "member's password").await.access;
    let list = house.get("/api/v1/me/sessions", &eve).await.json();
    let sessions = list["items"].as_array().unwrap();
    assert_eq!(sessions.len(), 2, "{list}");
    let id = |current: bool| {
        let found = sessions.iter().find(|s| s["current"] == current).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let path = format!("/api/v1/me/sessions/{}", id(false));
    let foreign = house.delete(&path, &admin).await;
    assert_problem(&foreign, 404, "somebody else's session");
    assert_eq!(house.delete(&path, &eve).await.status, 204);
    assert_eq!(house.get("/api/v1/me", &other).await.status, 401);
    assert_eq!(house.get("/api/v1/me", &eve).await.status, 200);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https_cookies_are_bound_to_the_host_and_plain_ones_are_not_taken() {
    let house = TestHouse::start().await;
    let tokens = house.tokens(ADMIN.0, ADMIN.1).await;
    let ask = |cookie: String| {
        let url = format!("{}{EITHER}", house.https_url);
        let request = house.client.get(url).header("cookie", cookie);
        async { read(request.send().await.unwrap()).await }
    };
    let refused = ask(format!("{}={}", plain(&house, "access"), tokens.access)).await;
    assert_eq!(refused.status, 401);
    let renewed = ask(format!("__Host-iothome_refresh={}", tokens.refresh)).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text);
    let cookies: Vec<&str> = renewed
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(cookies.len(), 2);
    for cookie in cookies {
        assert!(cookie.starts_with("__Host-iothome_"), "{cookie}");
        for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie} lacks {attribute}");
        }
    }
    assert_eq!(
        renewed.header("strict-transport-security"),
        "",
        "the hub's own CA"
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_posted_with_an_expired_access_cookie_is_carried_out_and_renewed() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let token = browser.token("/").await;
    browser.forget(&plain(&house, "access"));
    let fields = [
        ("csrf", token.as_str()),
        ("back", "home"),
        ("action", "turn_on"),
    ];
    let path = "/devices/socket/entities/power/commands";
    let answer = browser.post(path, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(answer.header("location"), "/#card-socket");
    assert!(
        set_cookie(&answer, &plain(&house, "access")).is_some(),
        "renewed on the way"
    );
    let page = house
        .get("/api/v1/devices/socket/commands", &admin)
        .await
        .json();
    assert_eq!(
        page["items"][0]["action"], "turn_on",
        "the form was not lost"
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_again_gets_a_new_session_in_place_of_the_old_one() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.member(&admin, "eve").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let before = browser.cookie_header();
    let wrong = [("username", "eve"), ("password", "wrong")];
    assert_eq!(browser.post("/sign-in", &wrong).await.status, 401);
    assert_eq!(
        browser.get("/").await.status,
        200,
        "a slip signs nobody out"
    );
    let right = [("username", "eve"), ("password", "member's password")];
    let answer = browser.post("/sign-in", &right).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = browser.get("/you").await.text;
    assert!(page.contains("eve"), "{page}");
    let old = house.request(Method::GET, "/").header("cookie", before);
    assert_eq!(
        old.send().await.unwrap().status(),
        401,
        "it lives on unseen"
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_form_from_another_site_is_refused() {
    let house = TestHouse::start().await;
    let host = house.url.strip_prefix("http://").unwrap().to_owned();
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        // Another port of this machine is another hub, or anything else.
        ("sec-fetch-site", "same-site"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", &format!("https://{host}")),
    ] {
        for path in ["/sign-in", "/set-up", "/api/v1/auth/login", "/api/v1/setup"] {
            let request = house.request(Method::POST, path).header(name, value);
            let form = request.form(&[("username", ADMIN.0), ("password", ADMIN.1)]);
            let answer = read(form.send().await.unwrap()).await;
            assert_eq!(answer.status, 403, "{path} {value}: {}", answer.text);
            assert_eq!(answer.header("set-cookie"), "", "{path} {value}");
        }
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hubs_on_one_machine_do_not_sign_each_other_out() {
    let (one, other) = (TestHouse::start().await, TestHouse::start().await);
    let mut browser = Browser::signed_in(&one, ADMIN.0, ADMIN.1).await;
    browser.visit(&other);
    let answer = browser
        .post("/sign-in", &[("username", ADMIN.0), ("password", ADMIN.1)])
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(browser.get("/").await.status, 200);
    browser.visit(&one);
    assert_eq!(
        browser.get("/").await.status,
        200,
        "signed out by the other"
    );
    one.stop().await;
    other.stop().await;
}
