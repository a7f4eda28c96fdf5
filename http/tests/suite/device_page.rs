//! The page of a device: its past, its commands, and the forms that change it.

use crate::common::browser::{Browser, token_of, words_of};
use crate::common::device::{Manner, Switch};
use crate::common::{ADMIN, TestHouse};
use iothome_engine::history::Sample;
use iothome_engine::ids::{DeviceId, EntityRef};
use iothome_engine::value::Value;
use iothome_store::HistoryBatch;
use serde_json::json;

const PAGE: &str = "/devices/fridge";
const MINUTE: i64 = 60_000;

/// A house with a fridge that has a temperature and a mode, and the token of its administrator.
async fn fridge() -> (TestHouse, String) {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let body = json!({"id": "fridge", "name": "The fridge", "room": "Kitchen", "entities": [
        {"id": "temperature", "kind": "sensor", "name": "Temperature", "config": {
            "state_topic": "iothome/fridge/temperature/state", "unit_of_measurement": "°C",
            "device_class": "temperature"}},
        {"id": "mode", "kind": "select", "name": "Mode", "config": {
            "command_topic": "iothome/fridge/mode/set", "state_topic": "iothome/fridge/mode/state",
            "options": ["eco", "boost"]}},
    ]});
    let made = house.post("/api/v1/devices", &admin, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (house, admin)
}

/// Writes down what an entity of the fridge reported so many minutes ago.
async fn recorded(house: &TestHouse, entity: &str, reports: Vec<(i64, Value)>) {
    let now = house.hub.clock().now();
    let samples = reports.into_iter().map(|(minutes_ago, value)| Sample {
        target: EntityRef {
            device: "fridge".parse().expect("an id"),
            entity: entity.parse().expect("an id"),
        },
        at: now.plus_millis(-minutes_ago * MINUTE),
        value,
    });
    let batch = HistoryBatch {
        samples: samples.collect(),
        ..HistoryBatch::default()
    };
    house.store.write_history(&batch).await.expect("written");
}

fn number(value: f64) -> Value {
    Value::number(value).expect("finite")
}

#[tokio::test]
async fn the_past_is_drawn_named_and_told_as_a_table_for_the_time_asked() {
    let (house, _) = fridge().await;
    recorded(
        &house,
        "temperature",
        vec![(90, number(9.5)), (20, number(4.5)), (10, number(6.25))],
    )
    .await;
    recorded(
        &house,
        "mode",
        vec![(90, Value::word("eco")), (10, Value::word("boost"))],
    )
    .await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let day = browser.get(PAGE).await;
    assert!(
        words_of(&day.text).contains("highest 9.5 °C"),
        "{}",
        day.text
    );
    assert!(
        day.text
            .contains("href=\"/devices/fridge?range=24h#values\" aria-current=\"true\"")
    );
    let hour = browser.get("/devices/fridge?range=1h").await;
    let words = words_of(&hour.text);
    assert!(
        words.contains("latest 6.25 °C lowest 4.5 °C highest 6.25 °C"),
        "{words}"
    );
    assert!(
        hour.text.contains("aria-label=\"Chart of Temperature, "),
        "{}",
        hour.text
    );
    assert!(
        hour.text.contains("aria-label=\"Timeline of Mode, "),
        "{}",
        hour.text
    );
    // What was in force at the beginning is known; what came before the hub started is not.
    assert!(
        hour.text.contains("Not recorded: the hub was not running"),
        "{}",
        hour.text
    );
    for (label, row) in [
        ("temperature", "<td>4.5</td>"),
        ("mode", "<td><bdi>boost</bdi></td>"),
    ] {
        assert!(
            hour.text.contains(row),
            "{label} has no row {row}: {}",
            hour.text
        );
    }
    assert!(
        !hour.text.contains("<td>9.5</td>"),
        "an hour holds what was before"
    );
    for range in ["7d", "30d"] {
        let page = browser.get(&format!("{PAGE}?range={range}")).await;
        assert!(
            words_of(&page.text).contains("highest 9.5 °C"),
            "{range}: {}",
            page.text
        );
    }
    house.stop().await;
}

#[tokio::test]
async fn a_time_of_one_s_own_is_a_plain_form_in_the_zone_of_the_home() {
    let (house, _) = fridge().await;
    recorded(
        &house,
        "temperature",
        vec![(600, number(4.5)), (10, number(6.25))],
    )
    .await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
    let local = |minutes_ago: i64| {
        let at = house.hub.clock().now().plus_millis(-minutes_ago * MINUTE);
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).expect("an instant");
        at.to_zoned_datetime(zone.clone())
            .strftime("%Y-%m-%dT%H:%M")
            .to_string()
    };
    let (from, to) = (local(700), local(500));
    let page = browser.get(&format!("{PAGE}?from={from}&to={to}")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(words_of(&page.text).contains("latest 4.5 °C lowest 4.5 °C highest 4.5 °C"));
    assert!(page.text.contains(&format!(
        "name=\"from\" type=\"datetime-local\" value=\"{from}\""
    )));
    assert!(page.text.contains(
        "<form class=\"range-fields\" method=\"get\" action=\"/devices/fridge#values\">"
    ));
    house.stop().await;
}

#[tokio::test]
async fn a_time_that_makes_no_sense_is_told_beside_its_field_and_a_day_is_shown() {
    let (house, _) = fridge().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    for (query, words) in [
        ("range=5y", "Choose 1 h, 24 h, 7 d or 30 d"),
        ("from=yesterday", "This is not a date and time"),
        ("from=%3Cscript%3E", "This is not a date and time"),
        ("from=&to=2026-11-24T08:00", "Say from when."),
        (
            "from=2026-01-02T00:00&to=2026-01-01T00:00",
            "This must be later than the beginning.",
        ),
        ("from=2999-01-01T00:00", "This has not come yet."),
        ("from=0001-01-01T00:00", "At most ten years"),
    ] {
        let page = browser.get(&format!("{PAGE}?{query}")).await;
        assert_eq!(page.status, 422, "{query}: {}", page.text);
        assert!(
            words_of(&page.text).contains(words),
            "{query}: {}",
            page.text
        );
        assert!(page.text.contains("aria-invalid=\"true\""), "{query}");
        assert!(
            page.text.contains("<h1><bdi>The fridge</bdi></h1>"),
            "{query}"
        );
        assert!(!page.text.contains("value=\"<script>"), "{query}");
    }
    let page = browser.get(&format!("{PAGE}?commands=many")).await;
    assert_eq!(page.status, 400, "{}", page.text);
    house.stop().await;
}

#[tokio::test]
async fn what_the_viewer_may_not_do_is_not_offered_and_refused() {
    let (house, admin) = fridge().await;
    let (eve, _) = house.member(&admin, "eve").await;
    let mut guest = Browser::signed_in(&house, "eve", "member's password").await;
    assert_eq!(guest.get(PAGE).await.status, 404);
    house.grant(&admin, "fridge", &eve, &["view"]).await;
    let page = guest.get(PAGE).await;
    for hidden in [
        "/devices/fridge/edit",
        "iothome/fridge/mode/set",
        "broker-users",
        "<select",
    ] {
        assert!(!page.text.contains(hidden), "a guest is offered {hidden}");
    }
    for path in ["/devices/fridge/edit", "/devices/fridge/delete"] {
        assert_eq!(guest.get(path).await.status, 403, "{path}");
        let token = guest.token("/you").await;
        let fields = [("csrf", token.as_str()), ("name", "Mine"), ("version", "1")];
        let fields = if path.ends_with("delete") {
            &fields[..1]
        } else {
            &fields[..]
        };
        assert_eq!(guest.post(path, fields).await.status, 403, "{path}");
    }
    house.grant(&admin, "fridge", &eve, &["manage"]).await;
    let page = guest.get(PAGE).await;
    assert!(page.text.contains("href=\"/devices/fridge/edit\""));
    let unbroken = page.text.replace("<wbr>", "");
    assert!(unbroken.contains(">iothome/fridge/mode/set</code>"));
    assert!(
        !page.text.contains("broker-users"),
        "broker users are for administrators"
    );
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let page = browser.get(PAGE).await.text;
    assert!(
        page.contains("action=\"/devices/fridge/credential/rotate\""),
        "{page}"
    );
    house.stop().await;
}

#[tokio::test]
async fn a_device_is_renamed_and_moved_by_a_plain_form() {
    let (house, _) = fridge().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let form = browser.get("/devices/fridge/edit").await;
    assert!(
        form.text.contains("<option value=\"Kitchen\">"),
        "{}",
        form.text
    );
    let (token, version) = (token_of(&form.text), version_of(&form.text));
    let fields = |name, room| {
        vec![
            ("csrf", token.clone()),
            ("name", String::from(name)),
            ("room", String::from(room)),
            ("icon", String::from("fridge")),
            ("version", version.clone()),
        ]
    };
    let refused = post(
        &mut browser,
        "/devices/fridge/edit",
        &fields("  ", "Cellar"),
    )
    .await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(
        refused.text.contains("id=\"name-problem\""),
        "{}",
        refused.text
    );
    assert!(
        refused.text.contains("value=\"Cellar\""),
        "what was typed is gone"
    );
    let done = post(
        &mut browser,
        "/devices/fridge/edit",
        &fields("Ice box", "Cellar"),
    )
    .await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, PAGE));
    let page = words_of(&browser.get(PAGE).await.text);
    assert!(
        page.contains("Ice box") && page.contains("Cellar"),
        "{page}"
    );
    // The same form again: somebody else has changed it since it was read.
    let late = post(&mut browser, "/devices/fridge/edit", &fields("Mine", "")).await;
    assert_eq!(late.status, 409, "{}", late.text);
    assert!(
        late.text.contains("value=\"Mine\""),
        "what was typed is gone"
    );
    let (version, token) = (version_of(&late.text), token_of(&late.text));
    let fields = [
        ("csrf", token),
        ("name", "Mine".into()),
        ("room", String::new()),
        ("version", version),
    ];
    let done = post(&mut browser, "/devices/fridge/edit", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert_eq!(
        house
            .hub
            .house()
            .device(&"fridge".parse().expect("an id"))
            .expect("it is there")
            .room,
        None
    );
    house.stop().await;
}

#[tokio::test]
async fn a_device_is_deleted_only_by_the_form_that_asks_once_more() {
    let (house, _) = fridge().await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let asked = browser.get("/devices/fridge/delete").await;
    assert!(
        words_of(&asked.text).contains("Delete The fridge?"),
        "{}",
        asked.text
    );
    assert_eq!(
        browser.get(PAGE).await.status,
        200,
        "a link alone deleted it"
    );
    let token = token_of(&asked.text);
    let gone = browser
        .post("/devices/fridge/delete", &[("csrf", &token)])
        .await;
    assert_eq!((gone.status.as_u16(), gone.header("location")), (303, "/"));
    assert_eq!(browser.get(PAGE).await.status, 404);
    house.stop().await;
}

#[tokio::test]
async fn older_commands_are_shown_on_demand_and_latency_is_told_of_confirmed_ones() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let _switch = Switch::connect(&house, "socket", &credential, Manner::Obeys).await;
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    let page = words_of(&browser.get("/devices/socket").await.text);
    assert!(!page.contains("How quickly it confirms"), "{page}");
    browser.wait_for_words("/", "The socket Off reported").await;
    for n in 0..22 {
        let action = if n % 2 == 0 { "turn_on" } else { "turn_off" };
        let path = "/api/v1/devices/socket/entities/power/commands?wait=5s";
        let answer = house.post(path, &admin, json!({"action": action})).await;
        assert_eq!(answer.json()["status"], "confirmed", "{}", answer.text);
    }
    let page = browser.get("/devices/socket").await.text;
    assert_eq!(page.matches("<li class=\"command\"").count(), 20);
    assert!(
        words_of(&page).contains("of 22 confirmed commands in 30 days"),
        "{page}"
    );
    let older = "/devices/socket?commands=60#commands";
    assert!(page.contains(&format!("href=\"{older}\"")), "{page}");
    let page = browser.get("/devices/socket?commands=60").await.text;
    assert_eq!(page.matches("<li class=\"command\"").count(), 22);
    assert!(!page.contains("id=\"older\""), "there is nothing older");
    house.stop().await;
}

#[tokio::test]
async fn a_month_of_a_busy_sensor_is_a_small_page() {
    let (house, _) = fridge().await;
    let reports = (0..30 * 24 * 60).map(|minute| {
        let value = if minute == 20_000 {
            44.0
        } else {
            4.5 + f64::from(minute % 97) / 50.0
        };
        (i64::from(minute), number(value))
    });
    recorded(&house, "temperature", reports.collect()).await;
    house
        .store
        .roll_up(house.hub.clock().now())
        .await
        .expect("rolled up");
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    for range in ["1h", "24h", "7d", "30d"] {
        let page = browser.get(&format!("{PAGE}?range={range}")).await.text;
        assert!(page.len() < 64 * 1024, "{range}: {} bytes", page.len());
        let peak = words_of(&page).contains("highest 44");
        assert_eq!(peak, range == "30d", "{range}: a peak of one minute");
    }
    house.stop().await;
}

#[tokio::test]
async fn a_device_that_comes_and_goes_all_day_does_not_make_the_page_large() {
    let (house, _) = fridge().await;
    let words = ["eco", "boost"].map(Value::word);
    let now = house.hub.clock().now();
    let fridge: DeviceId = "fridge".parse().expect("an id");
    let samples = (0..12_000_i64).map(|n| Sample {
        target: EntityRef {
            device: fridge.clone(),
            entity: "mode".parse().expect("an id"),
        },
        at: now.plus_millis(-n * 7_000),
        value: words[usize::from(n % 2 == 0)].clone(),
    });
    let availability =
        (1..4_000_i64).map(|n| (fridge.clone(), now.plus_millis(-n * 20_000), n % 2 == 0));
    let batch = HistoryBatch {
        samples: samples.collect(),
        availability: availability.collect(),
        ..HistoryBatch::default()
    };
    house.store.write_history(&batch).await.expect("written");
    let mut browser = Browser::signed_in(&house, ADMIN.0, ADMIN.1).await;
    for range in ["1h", "24h", "7d"] {
        let page = browser.get(&format!("{PAGE}?range={range}")).await.text;
        assert!(page.len() < 160 * 1024, "{range}: {} bytes", page.len());
        let words = words_of(&page);
        assert!(words.contains("the device was away"), "{range}: {words}");
    }
    house.stop().await;
}

fn version_of(html: &str) -> String {
    let (_, rest) = html
        .split_once("name=\"version\" value=\"")
        .expect("a version");
    rest.split('"').next().expect("its end").to_owned()
}

async fn post(
    browser: &mut Browser<'_>,
    path: &str,
    fields: &[(&str, String)],
) -> crate::common::Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    browser.post(path, &fields).await
}
