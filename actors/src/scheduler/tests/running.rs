//! What a running scheduler does.

use super::super::actor::SchedulerMsg;
use super::super::ways::Outcome;
use super::world::{START, World, daily, make, sleep};
use iothome_engine::command::Cause;
use iothome_engine::schedule::{Home, OccurrenceState as State, Plan, Zone, command_id, reason};
use serde_json::json;
use std::sync::Arc;

const DAY: u64 = 86_400;
const HOUR_MS: i64 = 3_600_000;

#[tokio::test(start_paused = true)]
async fn an_action_is_asked_at_its_instant_after_its_rows_are_durable() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    let _life = world.start("one").await;
    // 07:00 in Berlin is 06:00 UTC.
    sleep(6 * 3_600 - 5).await;
    assert_eq!(
        world.states(id),
        [State::Claimed],
        "at most five seconds ahead"
    );
    assert!(world.asked_at().is_empty());
    sleep(10).await;
    assert_eq!(world.states(id), [State::Fired]);
    let asked = world.asked_at();
    assert!(
        (6 * HOUR_MS..6 * HOUR_MS + 20).contains(&asked[0]),
        "{asked:?}"
    );
    let held = world.held();
    let ask = &held.asks[0].1;
    let due_at = START.plus_millis(6 * HOUR_MS);
    assert_eq!(ask.id, command_id(id, due_at.as_millis(), 0));
    assert!(
        matches!(&ask.cause, Cause::Schedule { schedule, due_at: due, .. }
            if *schedule == id.to_string() && *due == due_at)
    );
}

#[tokio::test(start_paused = true)]
async fn a_year_of_a_house_passes_in_seconds_and_each_instant_is_decided_once() {
    let world = World::new();
    let zone = Zone::named("Europe/Berlin").expect("known");
    let triggers = [
        daily("02:30"),
        daily("07:00"),
        json!({"kind": "cron", "expression": "30 22 * * MON-FRI"}),
        json!({"kind": "every", "seconds": 3_600, "window": {"from": "08:00", "to": "20:00"}}),
        json!({"kind": "cron", "expression": "0 0 29 2 *"}),
        json!({"kind": "at", "at": "2027-03-28T02:30"}),
    ];
    let ids: Vec<_> = (1..)
        .zip(&triggers)
        .map(|(n, trigger)| world.schedule(n, trigger.clone()))
        .collect();
    let _life = world.start("one").await;
    sleep(365 * DAY).await;
    let home = Home {
        zone: zone.time_zone().clone(),
        place: None,
    };
    let end = START.plus_millis(365 * 24 * HOUR_MS);
    let schedules = world.held().schedules.clone();
    for (schedule, id) in schedules.iter().zip(ids) {
        let plan = Plan::of(&schedule.definition, &home);
        let due = plan.after(START).take_while(|due| due.at <= end).count();
        let fired = world.states(id);
        assert_eq!(fired.len(), due, "{}", schedule.definition.name);
        assert!(fired.iter().all(|state| *state == State::Fired));
    }
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn actions_of_one_moment_are_asked_in_their_order_and_the_others_after_their_delays() {
    let world = World::new();
    let action = |device: &str, delay: u32| json!({"device": device, "entity": "main", "action": "turn_on", "delay_seconds": delay});
    let actions = json!([
        action("a", 0),
        action("b", 0),
        action("c", 60),
        action("d", 30)
    ]);
    let id = world.schedule_with(1, json!({"trigger": daily("07:00"), "actions": actions}));
    let _life = world.start("one").await;
    sleep(6 * 3_600 + 200).await;
    let held = world.held();
    let asked: Vec<_> = held
        .asks
        .iter()
        .map(|(at, ask)| {
            let seconds = (at.millis_since(START) - 6 * HOUR_MS) / 1_000;
            (ask.target.device.as_str(), seconds)
        })
        .collect();
    assert_eq!(asked, [("a", 0), ("b", 0), ("c", 60), ("d", 90)]);
    drop(held);
    assert_eq!(world.states(id), [State::Fired]);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn a_condition_holds_it_back_and_the_history_says_which() {
    let world = World::new();
    let lamp = json!([{"device": "lamp", "entity": "main", "action": "turn_on"}]);
    let closed = json!({"kind": "state", "device": "door", "entity": "main", "is": "off"});
    let more = json!({"trigger": daily("07:00"), "actions": lamp, "conditions": closed});
    let id = world.schedule_with(1, more);
    let _life = world.start("one").await;
    sleep(DAY).await;
    world.state_is("door", "on");
    sleep(DAY).await;
    world.state_is("door", "off");
    sleep(DAY).await;
    assert_eq!(world.states(id), [State::Held, State::Held, State::Fired]);
    let held = world.held();
    let reasons: Vec<_> = held.rows.values().map(|(o, _)| o.reason.clone()).collect();
    let begins = |n: usize| {
        reasons[n]
            .as_deref()
            .is_some_and(|r| r.starts_with(reason::CONDITION))
    };
    assert!(begins(0) && begins(1), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn an_owner_who_may_not_any_more_fails_it() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    let _life = world.start("one").await;
    world.held().owner_gone = true;
    sleep(DAY).await;
    assert_eq!(world.states(id), [State::Failed]);
    assert!(world.asked_at().is_empty());
    let held = world.held();
    let (occurrence, _) = held.rows.values().next().expect("a row");
    assert_eq!(occurrence.reason.as_deref(), Some(reason::NOT_ALLOWED));
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_cannot_be_done_now_is_tried_again_and_one_that_is_refused_is_not() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    world.held().outcomes = vec![
        Outcome::NotNow("busy".into()),
        Outcome::NotNow("busy".into()),
        Outcome::Asked,
        Outcome::Refused("state_unknown".into()),
    ];
    let _life = world.start("one").await;
    sleep(2 * DAY).await;
    assert_eq!(world.states(id), [State::Fired, State::Failed]);
    let late = world.asked_at()[0] - 6 * HOUR_MS;
    assert!((1_000..5_000).contains(&late), "{late}");
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn a_run_by_hand_is_an_occurrence_of_its_own() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    let life = world.start("one").await;
    let one = life.run(id).await;
    let two = life.run(id).await;
    assert_ne!(one, two);
    sleep(1).await;
    assert_eq!(world.states(id), [State::Fired, State::Fired]);
    assert!(world.held().rows.values().all(|(o, _)| o.by_hand));
    sleep(DAY).await;
    assert_eq!(world.states(id).len(), 3);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn skipping_the_next_one_skips_it_also_when_it_is_claimed_already() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    let life = world.start("one").await;
    let mut schedule = world.held().schedules[0].clone();
    let due = |day: i64| START.plus_millis(6 * HOUR_MS + day * 24 * HOUR_MS);
    let skip = |schedule: &iothome_engine::schedule::Schedule| {
        life.tell(SchedulerMsg::Saved(Arc::new(schedule.clone())));
    };
    schedule.skip_due_at = Some(due(0));
    skip(&schedule);
    // The second day's is claimed three seconds before.
    sleep(DAY + 6 * 3_600 - 4).await;
    assert_eq!(world.states(id), [State::Skipped, State::Claimed]);
    schedule.skip_due_at = Some(due(1));
    skip(&schedule);
    sleep(DAY + 10).await;
    assert_eq!(
        world.states(id),
        [State::Skipped, State::Skipped, State::Fired]
    );
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn an_edit_never_fires_the_past_and_disabling_takes_back_what_is_not_sent() {
    let world = World::new();
    let more = json!({
        "trigger": daily("07:00"),
        "actions": [
            {"device": "lamp", "entity": "main", "action": "turn_on"},
            {"device": "lamp", "entity": "main", "action": "turn_off", "delay_seconds": 600},
        ],
    });
    let id = world.schedule_with(1, more);
    let life = world.start("one").await;
    sleep(6 * 3_600 + 60).await;
    assert_eq!(world.asked_at().len(), 1);
    let mut changed = world.held().schedules[0].clone();
    changed.definition.enabled = false;
    life.tell(SchedulerMsg::Saved(Arc::new(changed.clone())));
    sleep(3_600).await;
    assert_eq!(world.asked_at().len(), 1, "the second action is taken back");
    // Enabled again and moved to a time that has passed today.
    changed.definition = make(
        1,
        json!({
            "trigger": daily("06:00"),
            "actions": [{"device": "lamp", "entity": "main", "action": "turn_on"}],
        }),
    )
    .definition;
    life.tell(SchedulerMsg::Saved(Arc::new(changed)));
    sleep(3_600).await;
    assert_eq!(world.asked_at().len(), 1);
    sleep(DAY).await;
    assert_eq!(world.states(id), [State::Fired, State::Fired]);
    life.tell(SchedulerMsg::Removed(id));
    sleep(2 * DAY).await;
    assert_eq!(world.states(id).len(), 2);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn without_the_lock_nothing_is_decided_or_asked() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    let _life = world.start("one").await;
    world.held().inactive = true;
    sleep(6 * 3_600 + 60).await;
    assert!(world.states(id).is_empty());
    assert!(world.asked_at().is_empty());
    world.held().inactive = false;
    sleep(60).await;
    assert_eq!(world.states(id), [State::Fired], "within its grace");
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn two_schedulers_on_one_store_ask_each_action_once() {
    let world = World::new();
    for number in 1..=20 {
        world.schedule(number, daily("07:00"));
    }
    let (_one, _two) = (world.start("one").await, world.start("two").await);
    sleep(3 * DAY).await;
    assert_eq!(world.asked_at().len(), 60);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_that_are_due_at_once_are_all_asked() {
    let world = World::new();
    let lamp = json!([{"device": "lamp", "entity": "main", "action": "turn_on"}]);
    for number in 0..10_000_u32 {
        let mut schedule = make(1, json!({"trigger": daily("07:00"), "actions": lamp}));
        let mut random = [0; 10];
        random[..4].copy_from_slice(&number.to_be_bytes());
        schedule.id = iothome_engine::ids::ScheduleId::new(START, random);
        world.held().schedules.push(schedule);
    }
    let _life = world.start("one").await;
    sleep(6 * 3_600 + 60).await;
    let asked = world.asked_at();
    assert_eq!(asked.len(), 10_000);
    let latest = asked.iter().max().expect("some") - 6 * HOUR_MS;
    assert!(
        latest < 1_000,
        "{latest} ms late on a clock that stands still while it works"
    );
    world.is_consistent();
}
