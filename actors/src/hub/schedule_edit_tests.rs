//! What may be changed of schedules, whose they become, and what comes back from a file.

use super::fixture::{Fixture, PATIENCE, admin, entity};
use super::schedule_tests::{by, definition, made, member, now_of, running, with_adam};
use crate::scheduler::{SchedulingError, disabled};
use iothome_engine::ids::{DeviceId, EntityRef};
use iothome_engine::kind::Kind;
use iothome_engine::policy::{Right, Rights};
use iothome_engine::schedule::{Definition, Schedule, read_definition};
use iothome_engine::time::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const ALL: [Right; 3] = [Right::View, Right::Control, Right::Schedule];

fn fields(refused: Result<impl std::fmt::Debug, SchedulingError>) -> Vec<String> {
    match refused {
        Err(SchedulingError::Faults(faults)) => faults.into_iter().map(|f| f.field).collect(),
        other => panic!("{other:?}"),
    }
}

async fn without_its_device(house: &Fixture) -> Arc<Schedule> {
    let lamp = house.switch("lamp").await;
    let schedule = made(house, &lamp, &admin()).await;
    let version = house.view(&lamp).version;
    let adam = admin();
    let gone = house.hub.delete_device(&lamp, Some(version), &adam).await;
    gone.expect("goes");
    now_of(house, schedule.id)
}

/// A definition that is due once, so many seconds from now.
fn once(house: &Fixture, device: &DeviceId, seconds: i64) -> Definition {
    let at = house.hub.clock().now().plus_millis(seconds * 1000);
    let at = at.to_string();
    let mut json = serde_json::to_value(definition(house, device, "turn_on")).expect("is JSON");
    json["trigger"] = json!({"kind": "at", "at": at[..19]});
    read_definition(&json, None).expect("is right")
}

async fn finished(house: &Fixture, device: &DeviceId) -> Arc<Schedule> {
    let definition = once(house, device, 2);
    let made = house.hub.scheduler().create(definition, &admin()).await;
    let made = made.expect("is made");
    let over = async {
        while now_of(house, made.id).definition.enabled {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.expect("in time");
    now_of(house, made.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_whose_entity_is_gone_can_be_renamed_and_turned_off() {
    let house = with_adam().await;
    let schedule = without_its_device(&house).await;
    let scheduler = house.hub.scheduler();
    let mut renamed = schedule.definition.clone();
    renamed.name = "The lamp that was".to_owned();
    let adam = admin();
    let renamed = scheduler.replace(schedule.id, renamed, by(&adam)).await;
    assert_eq!(
        renamed.expect("is renamed").definition.name,
        "The lamp that was"
    );
    let off = scheduler.set_enabled(schedule.id, false, by(&adam)).await;
    let off = off.expect("is turned off");
    assert!(off.disabled_reason.is_some(), "why the hub did it stays");
    let on = scheduler.set_enabled(schedule.id, true, by(&adam)).await;
    assert_eq!(fields(on), ["actions[0].device"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_over_is_disabled_as_finished_and_counts_no_longer() {
    let mut house = with_adam().await;
    let lamp = house.switch("lamp").await;
    running(&house).await;
    let over = finished(&house, &lamp).await;
    house.published().await;
    assert_eq!(over.disabled_reason.as_deref(), Some(disabled::FINISHED));
    let scheduler = house.hub.scheduler();
    assert_eq!(scheduler.count_of(&admin()), 0);
    assert!(
        scheduler.get(over.id, &admin()).is_some(),
        "it stays visible"
    );
    let stored = house.home.store.schedule(over.id).await.expect("reads");
    assert_eq!(stored.as_ref(), Some(&*over));
    let adam = admin();
    let again = scheduler.set_enabled(over.id, true, by(&adam)).await;
    assert_eq!(fields(again), ["trigger.at"]);
    let later = once(&house, &lamp, 3_600);
    let later = scheduler.replace(over.id, later, by(&adam)).await;
    let later = later.expect("has another time");
    assert_eq!(
        (later.definition.enabled, &later.disabled_reason),
        (true, &None)
    );
    assert_eq!(scheduler.count_of(&adam), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_and_what_lost_its_device_come_back_from_a_file_turned_off() {
    let house = with_adam().await;
    let gone = without_its_device(&house).await;
    let fan = house.switch("fan").await;
    running(&house).await;
    let over = finished(&house, &fan).await;
    let scheduler = house.hub.scheduler();
    let file = serde_json::to_value(scheduler.export(&admin())).expect("is JSON");
    let back = scheduler.import(&file, &admin()).await.expect("comes back");
    let of: Vec<&Definition> = back.schedules.iter().map(|s| &s.definition).collect();
    assert_eq!(of, [&gone.definition, &over.definition]);
    assert_eq!(
        back.schedules[1].disabled_reason.as_deref(),
        Some(disabled::FINISHED)
    );
    assert_eq!(
        scheduler.count_of(&admin()),
        2,
        "what is over does not count"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_takes_nothing_over_and_turning_on_does() {
    let house = with_adam().await;
    let lamp = house.switch("lamp").await;
    let eve = member(&house, &lamp, &ALL).await;
    let schedule = made(&house, &lamp, &eve).await;
    let less = Rights::of(&[Right::View]);
    let set = house.hub.set_grant(eve.user, &lamp, less, &admin()).await;
    set.expect("is set");
    let scheduler = house.hub.scheduler();
    let adam = admin();
    let mut renamed = now_of(&house, schedule.id).definition.clone();
    renamed.name = "Eve's evening".to_owned();
    let renamed = scheduler.replace(schedule.id, renamed, by(&adam)).await;
    assert_eq!(renamed.expect("is renamed").owner, eve.user);
    let on = scheduler.set_enabled(schedule.id, true, by(&adam)).await;
    assert_eq!(on.expect("is turned on").owner, adam.user);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skip_outlasts_the_same_line_in_other_words() {
    let house = with_adam().await;
    let lamp = house.switch("lamp").await;
    let line = |line: &str| {
        let mut json = serde_json::to_value(definition(&house, &lamp, "turn_on")).expect("is JSON");
        json["trigger"]["expression"] = json!(line);
        read_definition(&json, None).expect("is right")
    };
    let scheduler = house.hub.scheduler();
    let adam = admin();
    let made = scheduler.create(line("0 18 * * MON-FRI"), &adam).await;
    let id = made.expect("is made").id;
    let skipped = scheduler.skip_next(id, true, by(&adam)).await;
    assert!(skipped.expect("skips").skip_due_at.is_some());
    let same = line("0 18 * * MON,TUE,WED,THU,FRI");
    let same = scheduler.replace(id, same, by(&adam)).await;
    assert!(same.expect("changes").skip_due_at.is_some());
    let other = line("0 18 * * MON,TUE,WED,THU");
    let other = scheduler.replace(id, other, by(&adam)).await;
    assert_eq!(other.expect("changes").skip_due_at, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_keeps_the_order_of_its_file() {
    let house = with_adam().await;
    let lamp = house.switch("lamp").await;
    let entry = serde_json::to_value(definition(&house, &lamp, "turn_on")).expect("is JSON");
    let names: Vec<String> = (0..20).map(|n| format!("Number {n}")).collect();
    let named = |name: &String| {
        let mut entry = entry.clone();
        entry["name"] = json!(name);
        entry
    };
    let entries: Vec<Value> = names.iter().map(named).collect();
    let file = json!({"version": 1, "schedules": entries});
    let scheduler = house.hub.scheduler();
    scheduler.import(&file, &admin()).await.expect("is read");
    let listed = scheduler.list(&admin(), None, 30, None);
    let listed: Vec<&String> = listed.iter().map(|s| &s.definition.name).collect();
    assert_eq!(listed, names.iter().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_tells_the_faults_of_shape_and_house_and_rights_together() {
    let house = with_adam().await;
    let (lamp, fan) = (house.switch("lamp").await, house.switch("fan").await);
    let eve = member(&house, &lamp, &ALL).await;
    let seen = Rights::of(&[Right::View]);
    let set = house.hub.set_grant(eve.user, &fan, seen, &admin()).await;
    set.expect("is set");
    let mut eve = eve;
    eve.grants.insert(fan.clone(), seen);
    let on = |device: &str| json!({"device": device, "entity": "main", "action": "turn_on"});
    let condition =
        |device: &str| json!({"kind": "state", "device": device, "entity": "main", "is": "on"});
    let entry = json!({
        "name": "",
        "trigger": {"kind": "cron", "expression": "99 7 * * *"},
        "conditions": condition("nowhere"),
        "actions": [on("fan"), on("nowhere"), on("fan"), on("lamp")],
    });
    let file = json!({"version": 1, "schedules": [entry]});
    let mut found = fields(house.hub.scheduler().import(&file, &eve).await);
    found.sort();
    assert_eq!(
        found,
        [
            "schedules[0].actions[0]",
            "schedules[0].actions[1].device",
            "schedules[0].actions[2]",
            "schedules[0].conditions.device",
            "schedules[0].name",
            "schedules[0].trigger.expression",
        ]
    );
    let many: Vec<Value> = (0..600).map(|_| json!(1)).collect();
    let file = json!({"version": 1, "schedules": many});
    let Err(SchedulingError::Faults(faults)) = house.hub.scheduler().import(&file, &eve).await
    else {
        panic!("it was taken");
    };
    let last = faults.last().expect("there are some");
    assert_eq!(
        (faults.len(), last.problem.as_str()),
        (501, "and 100 more faults")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_a_light_cannot_take_is_refused_when_it_is_saved() {
    let house = with_adam().await;
    let dimmer = json!({
        "command_topic": "lamp/set",
        "state_topic": "lamp/state",
        "brightness_command_topic": "lamp/brightness/set",
        "brightness_state_topic": "lamp/brightness",
    });
    let dimmer = vec![entity(Kind::Light, None, &dimmer)];
    let lamp = house.device("lamp", dimmer).await;
    let scheduler = house.hub.scheduler();
    let with = |value: Value| {
        let mut json = serde_json::to_value(definition(&house, &lamp, "turn_on")).expect("is JSON");
        json["actions"][0]["action"] = json!("set");
        json["actions"][0]["value"] = value;
        read_definition(&json, None).expect("is right")
    };
    for wrong in [
        json!({"brightness": 400}),
        json!({"brightness": 40.5}),
        json!({"foo": 4}),
        json!(true),
        json!(40),
    ] {
        let refused = scheduler.create(with(wrong.clone()), &admin()).await;
        assert_eq!(fields(refused), ["actions[0].value"], "{wrong}");
    }
    let adam = admin();
    let taken = scheduler
        .create(with(json!({"brightness": 40})), &adam)
        .await;
    taken.expect("is taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_week_ahead_has_what_is_under_way() {
    let mut house = with_adam().await;
    let lamp = house.switch("lamp").await;
    let mut twice = serde_json::to_value(definition(&house, &lamp, "turn_on")).expect("is JSON");
    twice["actions"] = json!([
        {"device": lamp, "entity": "main", "action": "turn_on"},
        {"device": lamp, "entity": "main", "action": "turn_off", "delay_seconds": 3_600},
    ]);
    let twice = read_definition(&twice, None).expect("is right");
    let scheduler = house.hub.scheduler().clone();
    let made = scheduler.create(twice, &admin()).await.expect("is made");
    running(&house).await;
    let due_at = scheduler.run(made.id, &admin()).await.expect("runs");
    house.published().await;
    let under_way = scheduler.under_way().await.expect("reads");
    let week = scheduler.week_ahead(&admin(), None, &under_way);
    let mut under_way_now = week.items.iter().filter(|i| i.due.at == due_at);
    let first = under_way_now.next().expect("is there");
    assert_eq!(first.action.action.as_str(), "turn_off");
    assert!(
        under_way_now.next().is_none(),
        "what was asked is not to come"
    );
    let lamp_main = EntityRef {
        device: lamp.clone(),
        entity: "main".parse().expect("an id"),
    };
    assert_eq!(first.action.target, lamp_main);
    let in_an_hour = Timestamp::from_millis(due_at.as_millis() + 3_600_000);
    assert!(
        first.at.millis_since(in_an_hour).abs() < 60_000,
        "{}",
        first.at
    );
    let mut eve = member(&house, &lamp, &[Right::View]).await;
    eve.grants.clear();
    let week = scheduler.week_ahead(&eve, None, &under_way);
    assert!(week.items.is_empty(), "she sees nothing of it");
}
