//! People and their rights, by page and over REST.

use crate::common::browser::{Browser, words_of};
use crate::common::{ADMIN, Answer, TestHouse, assert_problem};
use serde_json::{Value, json};

/// Posts a form of a page with its token.
async fn post(browser: &mut Browser<'_>, page: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
    let token = browser.token(page).await;
    let mut all = vec![("csrf", token.as_str())];
    all.extend_from_slice(fields);
    browser.post(to, &all).await
}

async fn rights(house: &TestHouse, admin: &str, device: &str) -> Value {
    let path = format!("/api/v1/devices/{device}/grants");
    house.get(&path, admin).await.json()["items"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_added_changed_locked_out_and_deleted_without_script() {
    let house = TestHouse::start().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let new = [
        ("name", "eve"),
        ("password", "eve's password"),
        ("role", "member"),
    ];
    let added = post(&mut browser, "/people/add", "/people/add", &new).await;
    let page = added
        .header("location")
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    assert!(page.starts_with("/people/"), "{}", added.text);
    let twin = [
        ("name", "EVE"),
        ("password", "x".repeat(9).leak()),
        ("role", "member"),
    ];
    let taken = post(&mut browser, "/people/add", "/people/add", &twin).await;
    assert_eq!(taken.status, 422);
    assert!(
        words_of(&taken.text).contains("has this name already"),
        "{}",
        taken.text
    );
    assert!(words_of(&browser.get("/people").await.text).contains("eve"));

    let mut eve = Browser::signed_in(&house, "eve", "eve's password").await;
    let renamed = [("name", "Eva"), ("role", "member")];
    let saved = post(&mut browser, &page, &page, &renamed).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(eve.get("/").await.status, 200, "a new name ends no session");

    let locked = post(
        &mut browser,
        &page,
        &format!("{page}/sign-in"),
        &[("may", "forbid")],
    )
    .await;
    assert_eq!(locked.status, 303, "{}", locked.text);
    assert_eq!(eve.get("/").await.status, 303, "her session has ended");
    assert_eq!(house.login("eva", "eve's password").await.status, 401);
    post(
        &mut browser,
        &page,
        &format!("{page}/sign-in"),
        &[("may", "allow")],
    )
    .await;
    let short = [("password", "short")];
    let refused = post(&mut browser, &page, &format!("{page}/password"), &short).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("password-problem"));
    let new = [("password", "another password")];
    let reset = post(&mut browser, &page, &format!("{page}/password"), &new).await;
    assert_eq!(reset.status, 303, "{}", reset.text);
    assert_eq!(house.login("eva", "another password").await.status, 200);

    let delete = format!("{page}/delete");
    let question = browser.get(&delete).await;
    assert!(
        words_of(&question.text).contains("Delete Eva?"),
        "{}",
        question.text
    );
    let gone = post(&mut browser, &delete, &delete, &[]).await;
    assert_eq!(gone.header("location"), "/people?done=deleted");
    assert_eq!(browser.get(&page).await.status, 404);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays_and_nobody_locks_themselves_out() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let me = house.get("/api/v1/me", &admin).await.json();
    let page = format!("/people/{}", me["id"].as_str().unwrap());
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let demoted = [("name", ADMIN.0), ("role", "member")];
    let refused = post(&mut browser, &page, &page, &demoted).await;
    assert_eq!(refused.status, 422);
    assert!(
        words_of(&refused.text).contains("last administrator"),
        "{}",
        refused.text
    );
    let forbid = [("may", "forbid")];
    let refused = post(&mut browser, &page, &format!("{page}/sign-in"), &forbid).await;
    assert_eq!(refused.status, 422);
    let refused = post(&mut browser, &page, &format!("{page}/delete"), &[]).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        house.get("/api/v1/me", &admin).await.json()["role"],
        "admin"
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_given_by_person_and_by_device_and_act_at_once() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    for id in ["lamp", "lock"] {
        house.add_switch(&admin, id).await;
    }
    let (id, eve) = house.member(&admin, "eve").await;
    house
        .grant(&admin, "lock", &id, &["view", "schedule"])
        .await;
    let page = format!("/people/{id}");
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    // A mixture that no level stands for is shown as such, and kept.
    let shown = browser.get(&page).await;
    assert!(
        shown
            .text
            .contains("name=\"for.lock\" value=\"keep\" checked"),
        "{}",
        shown.text
    );
    let fields = [("all", "keep"), ("for.lamp", "use"), ("for.lock", "keep")];
    let to = format!("{page}/rights");
    let saved = post(&mut browser, &page, &to, &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(
        rights(&house, &admin, "lamp").await[0]["rights"],
        json!(["view", "control"])
    );
    assert_eq!(
        rights(&house, &admin, "lock").await[0]["rights"],
        json!(["view", "schedule"])
    );
    assert_eq!(house.get("/api/v1/devices/lamp", &eve).await.status, 200);

    let access = "/devices/lamp/access";
    let none = format!("for.{id}");
    let saved = post(&mut browser, access, access, &[(&none, "none")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(house.get("/api/v1/devices/lamp", &eve).await.status, 404);
    assert_eq!(rights(&house, &admin, "lamp").await, json!([]));

    let all = [("all", "manage"), ("for.lamp", "none")];
    post(&mut browser, &page, &to, &all).await;
    for device in ["lamp", "lock"] {
        let given = rights(&house, &admin, device).await;
        assert_eq!(
            given[0]["rights"],
            json!(["view", "control", "schedule", "manage"])
        );
    }
    for wrong in [
        ("for.lamp", "everything"),
        ("for.LAMP!", "use"),
        ("lamp", "use"),
    ] {
        let refused = post(&mut browser, &page, &to, &[wrong]).await;
        assert_eq!(refused.status, 422, "{wrong:?}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_changed_whole_or_not_at_all() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let (id, eve) = house.member(&admin, "eve").await;
    house.member(&admin, "kim").await;
    let path = format!("/api/v1/users/{id}");
    for (body, status) in [
        (
            json!({"username": "Eva", "role": "admin", "password": "short"}),
            422,
        ),
        (
            json!({"username": "kim", "role": "admin", "password": "a new password"}),
            409,
        ),
    ] {
        let refused = house.patch(&path, &admin, body).await;
        assert_problem(&refused, status, "half a change");
        let user = house.get(&path, &admin).await.json();
        assert_eq!(
            (user["username"].as_str(), user["role"].as_str()),
            (Some("eve"), Some("member"))
        );
        assert_eq!(
            house.get("/api/v1/me", &eve).await.status,
            200,
            "she is still signed in"
        );
        assert_eq!(house.login("eve", "member's password").await.status, 200);
    }
    let body = json!({"username": "Eva", "role": "admin", "password": "a new password"});
    let changed = house.patch(&path, &admin, body).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(
        house.get("/api/v1/me", &eve).await.status,
        401,
        "her sessions have ended"
    );
    assert_eq!(house.login("eva", "a new password").await.status, 200);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_on_a_device_come_in_pages() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "lamp").await;
    for name in ["ann", "bea", "cem"] {
        let (id, _) = house.member(&admin, name).await;
        house.grant(&admin, "lamp", &id, &["view"]).await;
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/devices/lamp/grants?limit=2".to_owned();
    loop {
        let page = house.get(&path, &admin).await.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/devices/lamp/grants?limit=2&after={next}");
    }
    assert_eq!(seen.len(), 3);
    let bad = house
        .get("/api/v1/devices/lamp/grants?limit=0", &admin)
        .await;
    assert_problem(&bad, 400, "no page");
    house.stop().await;
}
