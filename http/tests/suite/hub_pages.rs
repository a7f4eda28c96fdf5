//! The hub itself: broker, system, home and set-up, by page, over REST and live.

use crate::common::browser::{Browser, words_of};
use crate::common::device::{Manner, Switch};
use crate::common::{ADMIN, TestHouse, assert_problem, until};
use crate::live::Stream;
use iothome_engine::time::Timestamp;
use iothome_http::{Certificate, CertificateRole, LogFilter, Severity, Warnings};
use reqwest::Method;
use serde_json::json;
use std::sync::{Arc, Mutex};

fn certificate(role: CertificateRole, print: &str) -> Certificate {
    Certificate {
        role,
        ends_at: Timestamp::from_millis(4_000_000_000_000),
        sha256: format!("{print}:256"),
        sha1: format!("{print}:1"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_tells_who_is_connected_how_busy_it_is_and_what_certificate_follows() {
    let house = TestHouse::start_with(|config| {
        config.certificates = Some(Arc::new(|| {
            vec![
                certificate(CertificateRole::Broker, "NOW"),
                certificate(CertificateRole::NextBroker, "NEXT"),
            ]
        }));
    })
    .await;
    house.set_up().await;
    let admin = house.admin().await;
    let credential = house.add_switch(&admin, "lamp").await;
    let _switch = Switch::connect(&house, "lamp", &credential, Manner::Obeys).await;
    until("the lamp is listed and its report counted", || async {
        let broker = house.get("/api/v1/broker", &admin).await.json();
        let clients = broker["clients"].as_array().unwrap().clone();
        let lamp = clients.iter().find(|c| c["client_id"] == "lamp");
        let counted = broker["messages"]["received"].as_u64() > Some(0)
            && broker["messages"]["received_per_second"].as_f64() > Some(0.0);
        lamp.is_some_and(|lamp| {
            lamp["username"] == credential.0.as_str()
                && lamp["address"].as_str().unwrap().starts_with("127.0.0.1:")
                && lamp["since"].is_string()
        }) && counted
    })
    .await;
    until("the broker was tried out", || async {
        let broker = house.get("/api/v1/broker", &admin).await.json();
        broker["self_test"]["result"] == "refused"
    })
    .await;
    let broker = house.get("/api/v1/broker", &admin).await.json();
    assert_eq!(
        broker["next"],
        json!({"sha256": "NEXT:256", "sha1": "NEXT:1"})
    );
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let page = browser.get("/broker").await;
    for passage in [
        ">lamp<",
        "id=\"next-sha256\"",
        "Reading another’s topic was refused",
        "Writing another’s topic was refused",
        "href=\"/broker/credentials\"",
    ] {
        assert!(page.text.contains(passage), "{passage}: {}", page.text);
    }
    let (_, member) = house.member(&admin, "eve").await;
    assert_problem(&house.get("/api/v1/broker", &member).await, 403, "a member");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_tell_who_is_connected_is_said_to_keep_that_to_itself() {
    let house = TestHouse::start_with(|config| config.broker_clients = None).await;
    house.set_up().await;
    let admin = house.admin().await;
    let broker = house.get("/api/v1/broker", &admin).await.json();
    assert!(
        broker["clients"].is_null() && broker["next"].is_null(),
        "{broker}"
    );
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let page = browser.get("/broker").await;
    assert!(words_of(&page.text).contains("cannot tell who is connected"));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_tells_administrators_how_the_hub_is() {
    let warnings = Warnings::default();
    let heard = warnings.clone();
    let house = TestHouse::start_with(|config| {
        config.warnings = heard;
        config.certificates = Some(Arc::new(|| vec![certificate(CertificateRole::Web, "WEB")]));
    })
    .await;
    house.set_up().await;
    let admin = house.admin().await;
    warnings.note(
        Timestamp::from_millis(1),
        Severity::Error,
        "store",
        "no room left",
    );
    let system = house.get("/api/v1/system", &admin).await.json();
    assert_eq!(system["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        system["memory_bytes"].as_u64() > Some(1_000_000),
        "{system}"
    );
    assert_eq!(system["database"]["kind"], "sqlite");
    assert!(system["database"]["bytes"].as_u64() > Some(0));
    // A house of this minute has not grown for a day.
    assert!(system["database"]["bytes_per_day"].is_null());
    let queues = system["queues"].as_array().unwrap();
    assert!(
        queues
            .iter()
            .any(|q| q["name"] == "outbox" && q["bound"] == 10_000)
    );
    assert!(
        queues
            .iter()
            .all(|q| q["waiting"].as_u64() <= q["bound"].as_u64())
    );
    let parts = system["parts"].as_array().unwrap();
    assert!(
        parts
            .iter()
            .any(|p| p["name"] == "database" && p["works"] == true)
    );
    assert_eq!(system["certificates"][0]["name"], "web");
    assert_eq!(system["warnings"][0]["text"], "no room left");
    let (_, member) = house.member(&admin, "eve").await;
    assert_problem(&house.get("/api/v1/system", &member).await, 403, "a member");
    let mut eve = Browser::signed_in(&house, "eve", "member's password").await;
    for page in [
        "/system",
        "/broker",
        "/settings/home",
        "/people",
        "/first-device",
    ] {
        assert_eq!(eve.get(page).await.status, 403, "{page}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_appears_by_itself_as_text_and_only_to_administrators() {
    let warnings = Warnings::default();
    let heard = warnings.clone();
    let house = TestHouse::start_with(|config| config.warnings = heard).await;
    house.set_up().await;
    let admin = house.admin().await;
    house.member(&admin, "eve").await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let mut eve = Browser::signed_in(&house, "eve", "member's password").await;
    let mut seen = Stream::open(&house, &mut browser, "/system").await;
    eve.get("/").await;
    let mut unseen = Stream::at(&house, &eve, "/live?view=system").await;
    seen.find("hello", "").await;
    unseen.find("hello", "").await;
    let text = "topic=<script>alert(1)</script> url=mqtts://u:s3cret@h/";
    warnings.note(Timestamp::from_millis(1), Severity::Warning, "actors", text);
    let card = seen.find("card", "alert(1)").await;
    assert!(card.data.contains("id=\"warnings\""), "{}", card.data);
    assert!(
        !card.data.contains("<script>") && !card.data.contains("s3cret"),
        "{}",
        card.data
    );
    // What the member hears next is the change of the house, not the warning before it.
    house.add_switch(&admin, "lamp").await;
    let next = unseen.next().await.expect("the stream goes on");
    assert_eq!(next.name, "resync", "{next:?}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_home_is_renamed_and_moved_by_rest_and_by_page() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let moved = house
        .patch(
            "/api/v1/home",
            &admin,
            json!({"zone": "Asia/Tokyo", "latitude": 35.65, "longitude": 139.74}),
        )
        .await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(moved.json()["name"], "Test home");
    for (body, field) in [
        (json!({"zone": "Mars/Olympus"}), "zone"),
        (json!({"latitude": null}), "latitude"),
        (json!({"name": " "}), "name"),
        (json!({"colour": "red"}), "colour"),
    ] {
        let refused = house.patch("/api/v1/home", &admin, body).await;
        assert_eq!(assert_problem(&refused, 422, field)["field"], field);
    }
    let (_, eve) = house.member(&admin, "eve").await;
    assert_eq!(
        house.get("/api/v1/home", &eve).await.json()["zone"],
        "Asia/Tokyo"
    );
    let refused = house
        .patch("/api/v1/home", &eve, json!({"name": "Mine"}))
        .await;
    assert_problem(&refused, 403, "a member");

    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let token = browser.token("/settings/home").await;
    // The coordinates of before are still in their fields when another city is chosen.
    let fields = [
        ("csrf", token.as_str()),
        ("name", "Villa"),
        ("city", "Europe/Rome"),
        ("zone", ""),
        ("latitude", "35.65"),
        ("longitude", "139.74"),
    ];
    let saved = browser.post("/settings/home", &fields).await;
    assert_eq!(
        saved.header("location"),
        "/settings/home?done=saved",
        "{}",
        saved.text
    );
    let home = house.store.home().await.unwrap().unwrap();
    assert_eq!(
        (home.name.as_str(), home.zone.as_str()),
        ("Villa", "Europe/Rome")
    );
    assert_eq!((home.latitude, home.longitude), (Some(41.9), Some(12.48)));
    let wrong = [
        ("csrf", token.as_str()),
        ("name", ""),
        ("latitude", "north"),
        ("longitude", "1"),
    ];
    let refused = browser.post("/settings/home", &wrong).await;
    assert_eq!(refused.status, 422);
    for problem in ["name-problem", "latitude-problem"] {
        assert!(refused.text.contains(problem), "{problem}");
    }
    assert_eq!(house.store.home().await.unwrap().unwrap().name, "Villa");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn set_up_by_a_city_tells_every_slip_at_its_field_and_costs_no_try_for_it() {
    let house = TestHouse::start_with(|config| config.setup_code = Some("ABCDE".into())).await;
    let mut browser = Browser::new(&house);
    let page = browser.get("/set-up").await;
    assert!(
        page.text.contains("<option value=\"Europe/Athens\""),
        "{}",
        page.text
    );
    let long = "x".repeat(2_000);
    for (password, words) in [
        (long.as_str(), "too long"),
        ("short", "at least 8 characters"),
    ] {
        let slips = [
            ("code", "ABCDE"),
            ("password", password),
            ("latitude", "91"),
        ];
        // Eleven would be one more than there are tries.
        for _ in 0..6 {
            let told = browser.post("/set-up", &slips).await;
            assert_eq!(told.status, 422);
            for id in [
                "home-problem",
                "city-problem",
                "username-problem",
                "password-problem",
            ] {
                assert!(told.text.contains(id), "{id}: {}", told.text);
            }
            assert!(words_of(&told.text).contains(words), "{words}");
        }
    }
    let fields = [
        ("code", "abcde"),
        ("home", "Villa"),
        ("city", "Europe/Athens"),
        ("username", " adam "),
        ("password", "correct horse"),
    ];
    let done = browser.post("/set-up", &fields).await;
    assert_eq!(done.header("location"), "/first-device", "{}", done.text);
    let home = house.store.home().await.unwrap().unwrap();
    assert_eq!(
        (home.zone.as_str(), home.latitude),
        ("Europe/Athens", Some(37.97))
    );
    let first = browser.get("/first-device").await;
    assert_eq!(first.status, 200);
    for passage in [
        "href=\"/new-devices\"",
        "href=\"/add-device\"",
        "id=\"sha256\"",
    ] {
        assert!(first.text.contains(passage), "{passage}");
    }
    assert_eq!(house.login("adam", "correct horse").await.status, 200);
    let again = house.send(Method::GET, "/set-up", None, None).await;
    assert_eq!(again.header("location"), "/sign-in");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_change_what_is_logged_until_the_next_start() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&asked);
    let log = LogFilter::new("warn", move |wanted| {
        heard.lock().unwrap().push(wanted.to_owned());
        Ok(())
    });
    let house = TestHouse::start_with(|config| config.log = Some(log)).await;
    house.set_up().await;
    let admin = house.admin().await;
    let path = "/api/v1/system/log-level";
    let change = |filter: serde_json::Value| json!({ "filter": filter });
    let changed = house
        .put(path, &admin, change("iothome=debug".into()))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let told = json!({"filter": "iothome=debug", "until_restart": true});
    assert_eq!(changed.json(), told);
    let system = house.get("/api/v1/system", &admin).await.json();
    assert_eq!(system["log_filter"], "iothome=debug");
    let wrong = house.put(path, &admin, change("debgu".into())).await;
    let problem = assert_problem(&wrong, 422, "a mistyped level");
    assert_eq!(problem["field"], "filter", "{problem}");
    let (_, member) = house.member(&admin, "eve").await;
    let refused = house.put(path, &member, change("off".into())).await;
    assert_problem(&refused, 403, "a member");

    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let page = browser.get("/system").await;
    assert!(page.text.contains("iothome=debug"), "{}", page.text);
    let token = browser.token("/system").await;
    let fields = |filter| [("csrf", token.as_str()), ("filter", filter)];
    let wrong = browser.post("/system/log-level", &fields("loud")).await;
    assert_eq!(wrong.status, 422);
    let back = browser.post("/system/log-level", &fields("")).await;
    assert_eq!(back.status, 303, "{}", back.text);
    assert_eq!(*asked.lock().unwrap(), ["iothome=debug", "warn"]);
    until("both changes are in the audit", || async {
        let audit = house.store.audit(10, None).await.unwrap();
        let lines = audit.iter();
        let lines = lines.filter(|(_, line)| line.action == "log_level_changed");
        lines.count() == 2
    })
    .await;
}
