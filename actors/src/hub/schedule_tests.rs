//! Schedules in a whole hub: a real store, real device actors, and a probe for the broker.

use super::fixture::{Fixture, PATIENCE, admin, until};
use crate::error::HubError;
use crate::scheduler::{SavedBy, SchedulingError, disabled};
use iothome_engine::command::{Cause, Status};
use iothome_engine::ids::{DeviceId, ScheduleId, UserId};
use iothome_engine::policy::{Right, Rights, Role, Subject};
use iothome_engine::schedule::{
    Definition, OccurrenceState as State, Schedule, command_id, read_definition,
};
use iothome_engine::time::Timestamp;
use iothome_store::NewUser;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

pub(super) fn definition(house: &Fixture, device: &DeviceId, action: &str) -> Definition {
    let json = json!({
        "name": "Evening",
        "trigger": {"kind": "cron", "expression": "0 18 * * *"},
        "actions": [{"device": device, "entity": "main", "action": action}],
    });
    read_definition(&json, Some(house.hub.clock().now())).expect("is right")
}

pub(super) async fn with_adam() -> Fixture {
    let house = Fixture::new().await;
    let adam = NewUser {
        id: admin().user,
        name: "adam".into(),
        role: Role::Admin,
        password_hash: "none".into(),
        created_at: house.hub.clock().now(),
    };
    house.home.store.create_user(&adam).await.expect("is made");
    house
}

/// A member with these rights on the device, as the store has them.
pub(super) async fn member(house: &Fixture, device: &DeviceId, rights: &[Right]) -> Subject {
    let eve = NewUser {
        id: UserId::new(Timestamp::from_millis(2), [2; 10]),
        name: "eve".into(),
        role: Role::Member,
        password_hash: "none".into(),
        created_at: house.hub.clock().now(),
    };
    house.home.store.create_user(&eve).await.expect("is made");
    let rights = Rights::of(rights);
    let set = house.hub.set_grant(eve.id, device, rights, &admin()).await;
    set.expect("is granted");
    Subject {
        user: eve.id,
        name: eve.name,
        role: eve.role,
        grants: HashMap::from([(device.clone(), rights)]),
    }
}

pub(super) async fn running(house: &Fixture) {
    let running = async {
        loop {
            if house.hub.scheduler().state().await.is_ok_and(|s| s.running) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, running)
        .await
        .expect("it runs");
}

pub(super) async fn made(house: &Fixture, device: &DeviceId, by: &Subject) -> Arc<Schedule> {
    let definition = definition(house, device, "turn_on");
    let made = house.hub.scheduler().create(definition, by).await;
    made.expect("is made")
}

pub(super) fn by(subject: &Subject) -> SavedBy<'_> {
    SavedBy {
        subject,
        if_match: None,
    }
}

pub(super) fn now_of(house: &Fixture, id: ScheduleId) -> Arc<Schedule> {
    house.hub.scheduler().get(id, &admin()).expect("is there")
}

pub(super) async fn states(house: &Fixture, id: ScheduleId) -> Vec<State> {
    let scheduler = house.hub.scheduler();
    let found = scheduler.occurrences(id, 10, None, &admin()).await;
    let found = found.expect("reads");
    found.iter().map(|h| h.occurrence.state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_becomes_a_confirmed_command_that_the_history_shows() {
    let mut house = with_adam().await;
    let lamp = house.switch("lamp").await;
    let schedule = made(&house, &lamp, &admin()).await;
    running(&house).await;
    let due_at = house.hub.scheduler().run(schedule.id, &admin()).await;
    let due_at = due_at.expect("runs");
    let outgoing = house.published().await;
    assert_eq!(
        outgoing.command,
        command_id(schedule.id, due_at.as_millis(), 0)
    );
    house.sent(&lamp, &outgoing);
    house.deliver("lamp/state", "ON");
    until("the confirmation", || house.entity(&lamp).pending.is_none()).await;
    let history = async {
        loop {
            let found = house
                .hub
                .scheduler()
                .occurrences(schedule.id, 10, None, &admin())
                .await;
            let found = found.expect("reads").remove(0);
            let command = found.actions[0].command.clone();
            let ended = command.filter(|c| c.status.is_end());
            if let (State::Fired, Some(command)) = (found.occurrence.state, ended) {
                return (found, command);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let (found, command) = tokio::time::timeout(PATIENCE, history)
        .await
        .expect("in time");
    assert!(found.occurrence.by_hand);
    assert_eq!(command.status, Status::Confirmed);
    assert!(matches!(command.cause, Cause::Schedule { name, .. } if name == "Evening"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_schedules_are_there_and_what_was_decided_stays() {
    let mut house = with_adam().await;
    let lamp = house.switch("lamp").await;
    let schedule = made(&house, &lamp, &admin()).await;
    running(&house).await;
    house
        .hub
        .scheduler()
        .run(schedule.id, &admin())
        .await
        .expect("runs");
    let first = house.published().await.command;
    house.crash().await;
    running(&house).await;
    assert_eq!(*now_of(&house, schedule.id), *schedule);
    assert_eq!(
        house.published().await.command,
        first,
        "sent again under its id"
    );
    let fired = async {
        while states(&house, schedule.id).await != [State::Fired] {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, fired)
        .await
        .expect("in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_device_disables_what_depends_on_it_with_the_reason() {
    let house = with_adam().await;
    let (lamp, fan) = (house.switch("lamp").await, house.switch("fan").await);
    let (on_lamp, on_fan) = (
        made(&house, &lamp, &admin()).await,
        made(&house, &fan, &admin()).await,
    );
    let version = house.view(&lamp).version;
    let gone = house
        .hub
        .delete_device(&lamp, Some(version), &admin())
        .await;
    gone.expect("goes");
    let changed = now_of(&house, on_lamp.id);
    assert!(!changed.definition.enabled);
    let why = changed.disabled_reason.as_deref();
    assert_eq!(why, Some(&*format!("{}: lamp", disabled::DEVICE_REMOVED)));
    assert!(now_of(&house, on_fan.id).definition.enabled);
    let stored = house.home.store.schedule(on_lamp.id).await.expect("reads");
    assert_eq!(stored.as_ref(), Some(&*changed));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_loses_a_right_loses_what_they_scheduled_with_it() {
    let house = with_adam().await;
    let lamp = house.switch("lamp").await;
    let all = [Right::View, Right::Control, Right::Schedule];
    let eve = member(&house, &lamp, &all).await;
    let schedule = made(&house, &lamp, &eve).await;
    let less = Rights::of(&[Right::View, Right::Control]);
    let set = house.hub.set_grant(eve.user, &lamp, less, &admin()).await;
    set.expect("is set");
    let changed = now_of(&house, schedule.id);
    let why = changed.disabled_reason.as_deref();
    assert_eq!(why, Some(&*format!("{}: lamp", disabled::NOT_ALLOWED)));
    let back = Rights::of(&all);
    house
        .hub
        .set_grant(eve.user, &lamp, back, &admin())
        .await
        .expect("is set");
    assert!(
        !now_of(&house, schedule.id).definition.enabled,
        "nobody enabled it"
    );
    let enabled = house
        .hub
        .scheduler()
        .set_enabled(schedule.id, true, by(&eve))
        .await;
    let enabled = enabled.expect("is enabled");
    assert_eq!(
        (enabled.definition.enabled, &enabled.disabled_reason),
        (true, &None)
    );
    house
        .hub
        .delete_user(eve.user, &admin())
        .await
        .expect("goes");
    let changed = now_of(&house, schedule.id);
    assert_eq!(
        changed.disabled_reason.as_deref(),
        Some(disabled::OWNER_REMOVED)
    );
    // Whoever enables it takes it over.
    let taken = house
        .hub
        .scheduler()
        .set_enabled(schedule.id, true, by(&admin()))
        .await;
    assert_eq!(taken.expect("is enabled").owner, admin().user);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_schedules_what_they_may_not_control_or_see() {
    let house = with_adam().await;
    let (lamp, safe) = (house.switch("lamp").await, house.switch("safe").await);
    let eve = member(&house, &lamp, &[Right::View, Right::Schedule]).await;
    let scheduler = house.hub.scheduler();
    let refused = scheduler
        .create(definition(&house, &lamp, "turn_on"), &eve)
        .await;
    assert!(matches!(refused, Err(SchedulingError::Denied { device, .. }) if device == lamp));
    let refused = scheduler
        .create(definition(&house, &safe, "turn_on"), &eve)
        .await;
    let Err(SchedulingError::Faults(faults)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(faults[0].field, "actions[0].device");
    let of_adam = made(&house, &safe, &admin()).await;
    assert!(scheduler.get(of_adam.id, &eve).is_none());
    assert!(scheduler.list(&eve, None, 10, None).is_empty());
    assert!(scheduler.week_ahead(&eve, None, &[]).items.is_empty());
    let on_lamp = made(&house, &lamp, &admin()).await;
    assert!(
        scheduler.get(on_lamp.id, &eve).is_some(),
        "what all of its devices allow to see"
    );
    assert_eq!(scheduler.week_ahead(&eve, None, &[]).items.len(), 7);
    let refused = scheduler.delete(on_lamp.id, by(&eve)).await;
    assert!(matches!(refused, Err(SchedulingError::Denied { .. })));
    let refused = scheduler
        .create(definition(&house, &lamp, "open"), &admin())
        .await;
    assert!(
        matches!(refused, Err(SchedulingError::Faults(f)) if f[0].field == "actions[0].action")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_change_is_refused_and_a_copy_waits_to_be_enabled() {
    let house = with_adam().await;
    let lamp = house.switch("lamp").await;
    let schedule = made(&house, &lamp, &admin()).await;
    let scheduler = house.hub.scheduler();
    let adam = admin();
    let stale = SavedBy {
        subject: &adam,
        if_match: Some(7),
    };
    let changed = definition(&house, &lamp, "turn_off");
    let refused = scheduler.replace(schedule.id, changed.clone(), stale).await;
    assert!(matches!(
        refused,
        Err(SchedulingError::Hub(HubError::Stale))
    ));
    let changed = scheduler.replace(schedule.id, changed, by(&adam)).await;
    assert_eq!(changed.expect("changes").version, 2);
    let skipped = scheduler.skip_next(schedule.id, true, by(&adam)).await;
    assert!(skipped.expect("skips").skip_due_at.is_some());
    let back = scheduler.skip_next(schedule.id, false, by(&adam)).await;
    assert_eq!(back.expect("is taken back").skip_due_at, None);
    let copy = scheduler
        .duplicate(schedule.id, &adam)
        .await
        .expect("is made");
    assert_eq!(copy.definition.name, "Evening (2)");
    assert!(!copy.definition.enabled);
    scheduler
        .delete(schedule.id, by(&adam))
        .await
        .expect("goes");
    let left = scheduler.list(&adam, None, 10, None);
    assert_eq!(left.iter().map(|s| s.id).collect::<Vec<_>>(), [copy.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_all_or_nothing_and_tells_every_fault() {
    let house = with_adam().await;
    let lamp = house.switch("lamp").await;
    made(&house, &lamp, &admin()).await;
    let scheduler = house.hub.scheduler();
    let file = serde_json::to_value(scheduler.export(&admin())).expect("is JSON");
    let done = scheduler
        .import(&file, &admin())
        .await
        .expect("is read back");
    assert_eq!(done.schedules.len(), 1);
    let mut bad = file.clone();
    let good = bad["schedules"][0].clone();
    let mut nowhere = good.clone();
    nowhere["actions"][0]["device"] = json!("nowhere");
    let mut never = good.clone();
    never["trigger"] = json!({"kind": "cron", "expression": "0 0 31 2 *"});
    bad["schedules"] = json!([good, nowhere, never]);
    let Err(SchedulingError::Faults(faults)) = scheduler.import(&bad, &admin()).await else {
        panic!("it was taken");
    };
    let fields: Vec<&str> = faults.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "schedules[1].actions[0].device",
            "schedules[2].trigger.expression"
        ]
    );
    assert_eq!(scheduler.list(&admin(), None, 10, None).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scheduler_comes_back_after_it_failed() {
    let mut house = with_adam().await;
    let lamp = house.switch("lamp").await;
    let schedule = made(&house, &lamp, &admin()).await;
    running(&house).await;
    house.hub.scheduler().fail();
    // It is being started again: whoever asks meanwhile is told to ask again.
    let ran = async {
        while house
            .hub
            .scheduler()
            .run(schedule.id, &admin())
            .await
            .is_err()
        {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ran).await.expect("in time");
    house.published().await;
}
