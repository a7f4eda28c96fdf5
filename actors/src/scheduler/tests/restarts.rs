//! Restarts, crashes, a database that is away, and clocks that jump.

use super::world::{START, World, daily, sleep};
use iothome_engine::schedule::{OccurrenceState as State, reason};
use iothome_engine::time::Timestamp;
use serde_json::json;

const DAY: u64 = 86_400;
const HOUR_MS: i64 = 3_600_000;

fn missed(policy: &str, trigger: &serde_json::Value, device: &str) -> serde_json::Value {
    json!({
        "trigger": trigger,
        "missed": {"policy": policy, "grace_seconds": 900},
        "actions": [{"device": device, "entity": "main", "action": "turn_on"}],
    })
}

#[tokio::test(start_paused = true)]
async fn what_was_claimed_and_not_asked_is_asked_by_the_next_life_under_the_same_id() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    let life = world.start("one").await;
    sleep(6 * 3_600 - 4).await;
    assert_eq!(world.states(id), [State::Claimed]);
    let command = world.held().rows.values().next().expect("a row").1[0].command;
    life.kill();
    let _life = world.start("two").await;
    sleep(60).await;
    assert_eq!(world.states(id), [State::Fired]);
    assert_eq!(world.held().asks[0].1.id, command);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_a_crash_is_not_asked_again() {
    let world = World::new();
    let press = json!([{"device": "bell", "entity": "main", "action": "press"}]);
    let id = world.schedule_with(1, json!({"trigger": daily("07:00"), "actions": press}));
    let life = world.start("one").await;
    // Asked at the instant; what became of it is written 200 ms later.
    sleep(6 * 3_600 - 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(world.asked_at().len(), 1);
    assert_eq!(world.states(id), [State::Claimed]);
    life.kill();
    let _life = world.start("two").await;
    sleep(60).await;
    assert_eq!(world.states(id), [State::Fired]);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_that_fails_again_and_again_loses_and_doubles_nothing() {
    let world = World::new();
    let press = json!([{"device": "bell", "entity": "main", "action": "press"}]);
    let every = json!({"kind": "every", "seconds": 60});
    let id = world.schedule_with(1, json!({"trigger": every, "actions": press}));
    let mut life = world.start("one").await;
    for round in 0..200_u64 {
        // All moments of the minute around a due instant come by.
        tokio::time::sleep(std::time::Duration::from_millis(58_000 + round * 37)).await;
        life = life.fails().await;
    }
    sleep(120).await;
    let fired = world.states(id);
    assert!(fired.len() > 200, "{}", fired.len());
    assert!(fired.iter().all(|state| *state == State::Fired));
    world.is_consistent();
    assert!(life.look().await.running);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_runs_as_its_policy_says() {
    let world = World::new();
    let hourly = json!({"kind": "cron", "expression": "50 * * * *"});
    let skip = world.schedule_with(1, missed("skip", &hourly, "a"));
    let once = world.schedule_with(2, missed("once", &hourly, "b"));
    let all = world.schedule_with(3, missed("all", &hourly, "c"));
    let life = world.start("one").await;
    sleep(120).await;
    life.kill();
    // 00:50, 01:50, 02:50 and 03:50 pass, the last ten minutes ago.
    sleep(4 * 3_600 - 120).await;
    let _life = world.start("two").await;
    sleep(60).await;
    let (m, f, s) = (State::Missed, State::Fired, State::Superseded);
    assert_eq!(world.states(skip), [m, m, m, m]);
    assert_eq!(world.states(once), [m, m, m, f]);
    assert_eq!(
        world.states(all),
        [s, s, s, f],
        "the same entity: only the last is sent"
    );
    assert_eq!(world.asked_at().len(), 2);
    let held = world.held();
    let (occurrence, _) = held.rows.values().next().expect("a row");
    assert_eq!(occurrence.reason.as_deref(), Some(reason::HUB_DOWN));
    drop(held);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn what_lies_too_far_back_for_its_grace_is_missed() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    let life = world.start("one").await;
    sleep(3_600).await;
    life.kill();
    sleep(6 * 3_600).await;
    let _life = world.start("two").await;
    sleep(60).await;
    assert_eq!(world.states(id), [State::Missed]);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn of_what_was_missed_for_one_entity_only_the_latest_is_asked() {
    let world = World::new();
    let at = |time: &str| json!({"kind": "cron", "expression": format!("{time} * * *")});
    let on = world.schedule_with(1, missed("once", &at("0 7"), "lamp"));
    let off = world.schedule_with(2, missed("once", &at("5 7"), "lamp"));
    let life = world.start("one").await;
    sleep(5 * 3_600).await;
    life.kill();
    sleep(3_600 + 600).await;
    let _life = world.start("two").await;
    sleep(60).await;
    assert_eq!(
        (world.states(on), world.states(off)),
        (vec![State::Superseded], vec![State::Fired])
    );
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn while_the_database_is_away_nothing_is_asked_and_afterwards_nothing_is_lost() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    let _life = world.start("one").await;
    sleep(6 * 3_600 - 60).await;
    world.held().store_away = true;
    sleep(180).await;
    assert!(world.asked_at().is_empty());
    world.held().store_away = false;
    sleep(60).await;
    assert_eq!(world.states(id), [State::Fired]);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn a_database_that_refuses_for_a_while_costs_nothing_either() {
    let world = World::new();
    let ids = [
        world.schedule(1, daily("07:00")),
        world.schedule(2, daily("07:00")),
    ];
    let _life = world.start("one").await;
    sleep(6 * 3_600 - 60).await;
    world.held().store_refuses = true;
    sleep(180).await;
    assert!(world.asked_at().is_empty());
    world.held().store_refuses = false;
    sleep(60).await;
    for id in ids {
        assert_eq!(world.states(id), [State::Fired]);
    }
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn rows_whose_answer_is_lost_are_still_its_own() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    let _life = world.start("one").await;
    world.held().answers_lost = 2;
    sleep(DAY).await;
    assert_eq!(world.states(id), [State::Fired]);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_fires_nothing_twice_and_nothing_until_it_has_passed() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    let every = json!({"kind": "every", "seconds": 900});
    let often = world.schedule(2, every);
    let life = world.start("one").await;
    sleep(6 * 3_600 + 60).await;
    let before = world.states(often).len();
    assert_eq!(world.states(id), [State::Fired]);
    world.clock.shift(-HOUR_MS * 1_000);
    sleep(3_600 - 120).await;
    assert_eq!(world.states(often).len(), before);
    assert!(!life.look().await.running);
    sleep(DAY - 3_600).await;
    assert!(life.look().await.running);
    assert_eq!(world.states(id), [State::Fired]);
    sleep(7_200).await;
    assert_eq!(world.states(id), [State::Fired; 2]);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_brings_no_storm() {
    let world = World::new();
    let often = world.schedule(1, json!({"kind": "every", "seconds": 60}));
    let life = world.start("one").await;
    sleep(600).await;
    let before = world.asked_at().len();
    world.clock.shift(30 * 24 * HOUR_MS * 1_000);
    sleep(61).await;
    let after = world.asked_at().len();
    assert!(after - before <= 3, "{before} {after}");
    assert!(world.states(often).contains(&State::Missed));
    assert!(life.look().await.running);
    world.is_consistent();
}

#[tokio::test(start_paused = true)]
async fn a_clock_before_the_program_was_built_fires_nothing_until_it_is_set() {
    let world = World::new();
    let id = world.schedule(1, daily("07:00"));
    let to_1970 = -START.as_micros();
    world.clock.shift(to_1970);
    let life = world.start("one").await;
    assert!(!life.look().await.running);
    sleep(2 * DAY).await;
    assert!(world.states(id).is_empty());
    world.clock.shift(-to_1970);
    sleep(61).await;
    assert!(life.look().await.running);
    sleep(DAY).await;
    let fired = world
        .states(id)
        .iter()
        .filter(|s| **s == State::Fired)
        .count();
    assert_eq!(fired, 1);
    assert!(world.held().instant > Some(Timestamp::from_millis(START.as_millis())));
    world.is_consistent();
}
