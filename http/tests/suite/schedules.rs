//! Schedules over REST, against a real device at a real broker.

use crate::common::device::{Manner, Switch};
use crate::common::{Answer, TestHouse, assert_problem, read, until};
use reqwest::Method;
use serde_json::{Value, json};

const SCHEDULES: &str = "/api/v1/schedules";

fn evening(device: &str) -> Value {
    json!({
        "name": "Evening",
        "trigger": {"kind": "cron", "expression": "0 18 * * 1-5"},
        "actions": [{"device": device, "entity": "power", "action": "turn_on"}],
    })
}

async fn made(house: &TestHouse, token: &str, body: Value) -> (String, Answer) {
    let answer = house.post(SCHEDULES, token, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let path = answer.header("location").to_owned();
    (path, answer)
}

async fn patch_if(house: &TestHouse, path: &str, token: &str, tag: &str, body: Value) -> Answer {
    let request = house
        .request(Method::PATCH, path)
        .bearer_auth(token)
        .header("if-match", tag)
        .json(&body);
    read(request.send().await.unwrap()).await
}

async fn running(house: &TestHouse, token: &str) {
    until("schedules run", || async {
        house.get("/api/v1/scheduler", token).await.json()["running"] == true
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_made_read_changed_and_deleted() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    let (path, answer) = made(&house, &admin, evening("socket")).await;
    let body = answer.json();
    assert_eq!(
        body["trigger"]["expression"], "0 18 * * MON-FRI",
        "normalised"
    );
    assert_eq!(
        (&body["gap"], &body["overlap"]),
        (&json!("next_valid"), &json!("first"))
    );
    assert_eq!(
        body["missed"],
        json!({"policy": "once", "grace_seconds": 900})
    );
    assert_eq!(
        (&body["enabled"], &body["may_change"]),
        (&json!(true), &json!(true))
    );
    assert!(
        body["description"].as_str().unwrap().contains("18:00"),
        "{body}"
    );
    assert!(
        body["next"]["local"]
            .as_str()
            .unwrap()
            .contains("T18:00:00"),
        "{body}"
    );
    assert_eq!(body["last"], Value::Null);
    let tag = answer.header("etag").to_owned();
    let read = house.get(&path, &admin).await;
    assert_eq!((read.json(), read.header("etag")), (body, tag.as_str()));
    let later = json!({"trigger": {"expression": "30 18 * * *"}, "name": "Later"});
    let changed = patch_if(&house, &path, &admin, &tag, later).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.json()["trigger"]["expression"], "30 18 * * *");
    let stale = patch_if(&house, &path, &admin, &tag, json!({"name": "x"})).await;
    assert_problem(&stale, 412, "a stale tag");
    let at = json!({"trigger": {"kind": "at", "at": "2001-01-01T07:00"}});
    let past = house.patch(&path, &admin, at).await;
    let problem = assert_problem(&past, 422, "a date in the past");
    assert_eq!(problem["field"], "trigger.at");
    let off = house
        .patch(&path, &admin, json!({"enabled": false}))
        .await
        .json();
    assert_eq!(
        (&off["enabled"], &off["next"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(house.delete(&path, &admin).await.status, 204);
    assert_problem(&house.get(&path, &admin).await, 404, "gone");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_with_every_field_the_problem_and_an_example() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    let trigger = |trigger: Value| {
        let mut body = evening("socket");
        body["trigger"] = trigger;
        body
    };
    let with = |name: &str, value: Value| {
        let mut body = evening("socket");
        body[name] = value;
        body
    };
    for (body, field) in [
        (
            trigger(json!({"kind": "cron", "expression": "0 0 31 2 *"})),
            "trigger.expression",
        ),
        (
            trigger(json!({"kind": "every", "seconds": 0})),
            "trigger.seconds",
        ),
        (
            trigger(json!({"kind": "every", "seconds": 1})),
            "trigger.seconds",
        ),
        (
            trigger(json!({"kind": "cron", "expression": "0 7 * * *", "zone": "Mars/Base"})),
            "trigger.zone",
        ),
        (
            trigger(json!({"kind": "sun", "event": "sunset"})),
            "trigger.event",
        ),
        (
            trigger(json!({"kind": "at", "at": "2001-01-01T07:00"})),
            "trigger.at",
        ),
        (with("actions", json!([])), "actions"),
        (with("colour", json!("red")), "colour"),
        (
            with(
                "actions",
                json!([{"device": "socket", "entity": "power", "action": "open"}]),
            ),
            "actions[0].action",
        ),
        (
            with(
                "actions",
                json!([{"device": "nobody", "entity": "power", "action": "turn_on"}]),
            ),
            "actions[0].device",
        ),
    ] {
        let answer = house.post(SCHEDULES, &admin, body.clone()).await;
        let problem = assert_problem(&answer, 422, &body.to_string());
        assert_eq!(problem["field"], field, "{problem}");
        let fault = &problem["errors"][0];
        assert!(!fault["problem"].as_str().unwrap().is_empty(), "{problem}");
        assert!(!fault["example"].as_str().unwrap().is_empty(), "{problem}");
    }
    let two = json!({"name": "", "trigger": {"kind": "cron", "expression": "x"}, "actions": []});
    let answer = house.post(SCHEDULES, &admin, two).await;
    let problem = assert_problem(&answer, 422, "three faults");
    assert!(
        problem["errors"].as_array().unwrap().len() >= 3,
        "{problem}"
    );
    let list = house.get(SCHEDULES, &admin).await.json();
    assert_eq!(list["items"], json!([]));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_reaches_the_device_and_the_history_shows_the_command() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let credential = house.add_switch(&admin, "socket").await;
    let _switch = Switch::connect(&house, "socket", &credential, Manner::Obeys).await;
    let (path, _) = made(&house, &admin, evening("socket")).await;
    running(&house, &admin).await;
    let run = house.post(&format!("{path}/run"), &admin, json!({})).await;
    assert_eq!(run.status, 202, "{}", run.text);
    let command = run.json()["actions"][0]["command_id"].clone();
    let occurrences = format!("{path}/occurrences");
    until("it is confirmed", || async {
        let page = house.get(&occurrences, &admin).await.json();
        page["items"][0]["actions"][0]["command"]["status"] == "confirmed"
    })
    .await;
    until("its end is written", || async {
        let page = house.get(&occurrences, &admin).await.json();
        page["items"][0]["state"] == "fired"
    })
    .await;
    let page = house.get(&occurrences, &admin).await.json();
    let found = &page["items"][0];
    assert_eq!(
        (&found["by_hand"], &found["reason"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(found["actions"][0]["command"]["id"], command);
    let cause = &found["actions"][0]["command"]["cause"];
    assert_eq!(
        (&cause["kind"], &cause["name"]),
        (&json!("schedule"), &json!("Evening"))
    );
    let read = house.get(&path, &admin).await.json();
    assert_eq!(read["last"]["state"], "fired");
    let device = house.get("/api/v1/devices/socket", &admin).await.json();
    assert_eq!(device["entities"][0]["state"], "on");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_one_is_skipped_and_a_copy_waits() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    let (path, _) = made(&house, &admin, evening("socket")).await;
    let skip = format!("{path}/skip-next");
    let skipped = house.post(&skip, &admin, json!({})).await;
    assert_eq!(skipped.json()["next"]["skipped"], true, "{}", skipped.text);
    let week = house.get("/api/v1/week-ahead", &admin).await.json();
    assert_eq!(week["items"][0]["skipped"], true, "{week}");
    let kept = house.delete(&skip, &admin).await;
    assert_eq!(kept.json()["next"]["skipped"], false);
    let copy = house
        .post(&format!("{path}/duplicate"), &admin, json!({}))
        .await;
    assert_eq!(copy.status, 201, "{}", copy.text);
    assert_eq!(
        (&copy.json()["name"], &copy.json()["enabled"]),
        (&json!("Evening (2)"), &json!(false))
    );
    let copy = copy.header("location").to_owned();
    let none = house
        .post(&format!("{copy}/skip-next"), &admin, json!({}))
        .await;
    assert_problem(&none, 409, "nothing to skip");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_gaps_and_overlaps_and_saves_nothing() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    let path = format!("{SCHEDULES}/preview");
    let body = json!({
        "trigger": {"kind": "cron", "expression": "30 2 * * *", "zone": "Europe/Berlin"},
        "from": "2027-03-27T00:00:00Z",
        "count": 3,
    });
    let answer = house.post(&path, &admin, body.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let preview = answer.json();
    assert_eq!(preview["expression"], "30 2 * * *");
    let of = |n: usize, name: &str| preview["occurrences"][n][name].clone();
    assert_eq!(of(1, "local"), "2027-03-28T03:00:00+02:00");
    assert_eq!((of(0, "note"), of(1, "note")), (Value::Null, json!("gap")));
    let mut twice = body;
    twice["overlap"] = json!("both");
    twice["from"] = json!("2027-10-30T12:00:00Z");
    let twice = house.post(&path, &admin, twice).await.json();
    let local = |n: usize| twice["occurrences"][n]["local"].clone();
    assert_eq!(
        (local(0), local(1)),
        (
            json!("2027-10-31T02:30:00+02:00"),
            json!("2027-10-31T02:30:00+01:00")
        )
    );
    let many = json!({"trigger": {"kind": "every", "seconds": 60}, "count": 1_001});
    let problem = assert_problem(&house.post(&path, &admin, many).await, 422, "too many");
    assert_eq!(problem["field"], "count");
    assert_eq!(
        house.get(SCHEDULES, &admin).await.json()["items"],
        json!([])
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_and_changes_what_their_rights_allow() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    house.add_switch(&admin, "safe").await;
    let (id, eve) = house.member(&admin, "eve").await;
    house
        .grant(&admin, "socket", &id, &["view", "control"])
        .await;
    let refused = house.post(SCHEDULES, &eve, evening("socket")).await;
    let problem = assert_problem(&refused, 403, "control alone does not schedule");
    assert_eq!(problem["field"], "actions[0]");
    house
        .grant(&admin, "socket", &id, &["control", "schedule"])
        .await;
    let (of_eve, _) = made(&house, &eve, evening("socket")).await;
    let hidden = house.post(SCHEDULES, &eve, evening("safe")).await;
    let problem = assert_problem(&hidden, 422, "a device that is not there for her");
    assert_eq!(problem["field"], "actions[0].device");
    let (of_adam, _) = made(&house, &admin, evening("safe")).await;
    assert_problem(&house.get(&of_adam, &eve).await, 404, "hidden");
    let names = |list: &Value| list["items"].as_array().unwrap().len();
    assert_eq!(names(&house.get(SCHEDULES, &eve).await.json()), 1);
    assert_eq!(names(&house.get(SCHEDULES, &admin).await.json()), 2);
    let of_socket = format!("{SCHEDULES}?device=socket");
    assert_eq!(names(&house.get(&of_socket, &admin).await.json()), 1);
    house.grant(&admin, "socket", &id, &["view"]).await;
    let changed = house.get(&of_eve, &eve).await.json();
    assert_eq!(changed["enabled"], false);
    assert_eq!(changed["disabled_reason"], "not_allowed: socket");
    let enable = house.patch(&of_eve, &eve, json!({"enabled": true})).await;
    assert_problem(&enable, 403, "she may not");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_and_a_long_history_come_in_pages() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    for _ in 0..5 {
        made(&house, &admin, evening("socket")).await;
    }
    let first = house
        .get(&format!("{SCHEDULES}?limit=3"), &admin)
        .await
        .json();
    let next = first["next"].as_str().unwrap();
    let rest = house
        .get(&format!("{SCHEDULES}?limit=3&after={next}"), &admin)
        .await
        .json();
    let count = |page: &Value| page["items"].as_array().unwrap().len();
    assert_eq!(
        (count(&first), count(&rest), &rest["next"]),
        (3, 2, &Value::Null)
    );
    let path = format!("{SCHEDULES}/{next}");
    running(&house, &admin).await;
    for _ in 0..3 {
        let run = house.post(&format!("{path}/run"), &admin, json!({})).await;
        assert_eq!(run.status, 202, "{}", run.text);
    }
    let first = house
        .get(&format!("{path}/occurrences?limit=2"), &admin)
        .await
        .json();
    let before = first["next"].as_str().unwrap();
    let rest = house
        .get(&format!("{path}/occurrences?before={before}"), &admin)
        .await
        .json();
    assert_eq!((count(&first), count(&rest)), (2, 1));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_schedules_go_out_as_one_file_and_come_back_all_or_none() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    made(&house, &admin, evening("socket")).await;
    let file = house.get(&format!("{SCHEDULES}/export"), &admin).await;
    assert!(file.text.lines().count() > 10, "people can read it");
    let import = format!("{SCHEDULES}/import");
    let done = house.post(&import, &admin, file.json()).await;
    assert_eq!(done.status, 201, "{}", done.text);
    assert_eq!(done.json()["ids"].as_array().unwrap().len(), 1);
    let mut bad = file.json();
    let mut wrong = bad["schedules"][0].clone();
    wrong["trigger"] = json!({"kind": "cron", "expression": "99 7 * * *"});
    wrong["actions"][0]["entity"] = json!("nothing");
    bad["schedules"] = json!([bad["schedules"][0], wrong, {"name": "Empty"}]);
    let refused = house.post(&import, &admin, bad).await;
    let problem = assert_problem(&refused, 422, "one bad entry");
    let fields: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["field"].as_str().unwrap())
        .collect();
    assert!(
        fields.contains(&"schedules[1].trigger.expression"),
        "{fields:?}"
    );
    assert!(fields.contains(&"schedules[2].actions"), "{fields:?}");
    let list = house.get(SCHEDULES, &admin).await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_week_ahead_and_a_simulation_tell_what_would_be() {
    let house = TestHouse::start().await;
    let admin = house.admin().await;
    house.add_switch(&admin, "socket").await;
    let mut daily = evening("socket");
    daily["trigger"]["expression"] = json!("0 18 * * *");
    made(&house, &admin, daily).await;
    let mut often = evening("socket");
    often["trigger"] = json!({"kind": "every", "seconds": 900});
    made(&house, &admin, often).await;
    let week = house.get("/api/v1/week-ahead", &admin).await.json();
    assert_eq!(week["items"].as_array().unwrap().len(), 7, "{week}");
    assert_eq!(week["items"][0]["name"], "Evening");
    assert_eq!(week["frequent"].as_array().unwrap().len(), 1);
    let body = json!({"from": "2027-03-01T00:00:00Z", "to": "2027-03-02T00:00:00Z", "limit": 10});
    let made = house.post("/api/v1/simulations", &admin, body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let made = made.json();
    assert_eq!((&made["lines"], &made["cut"]), (&json!(97), &json!(true)));
    assert_eq!(made["log"][0]["event"], "asked");
    assert_eq!(made["states"][0]["state"], "on");
    let wrong = json!({"from": "2027-03-01T00:00:00Z", "to": "2029-03-02T00:00:00Z"});
    let problem = assert_problem(
        &house.post("/api/v1/simulations", &admin, wrong).await,
        422,
        "too long",
    );
    assert_eq!(problem["field"], "to");
    house.stop().await;
}
