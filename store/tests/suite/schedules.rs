//! Schedules, and the promise that a due instant is decided once.

use crate::make::{NOW, command, user_id};
use crate::opening::sql;
use iothome_engine::command::CommandWrite;
use iothome_engine::ids::ScheduleId;
use iothome_engine::schedule::{
    ActionRun, Definition, Occurrence, OccurrenceState, Schedule, read_definition,
};
use iothome_engine::time::Timestamp;
use iothome_store::testing::on_both;
use iothome_store::{Decided, ScheduleWrite, Settled, Store, StoreError};

fn schedule_id(number: u32) -> ScheduleId {
    let mut random = [3; 10];
    random[..4].copy_from_slice(&number.to_be_bytes());
    ScheduleId::new(NOW, random)
}

fn definition(name: &str) -> Definition {
    let json = serde_json::json!({
        "name": name,
        "trigger": {"kind": "cron", "expression": "30 2 * * 1-5", "zone": "Europe/Berlin"},
        "conditions": {"kind": "state", "device": "door", "entity": "contact", "is": "off"},
        "actions": [
            {"device": "lamp", "entity": "light", "action": "set", "value": {"brightness": 40}},
            {"device": "lamp", "entity": "light", "action": "turn_off", "delay_seconds": 60},
        ],
    });
    read_definition(&json, None).expect("is right")
}

fn schedule(number: u32) -> Schedule {
    Schedule {
        id: schedule_id(number),
        owner: user_id(1),
        definition: definition(&format!("Schedule {number}")),
        disabled_reason: None,
        skip_due_at: None,
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn decided(number: u32, due_at: Timestamp) -> Decided {
    let schedule = schedule(number);
    Decided {
        occurrence: Occurrence {
            schedule: schedule.id,
            due_at,
            state: OccurrenceState::Claimed,
            reason: None,
            decided_at: NOW,
            ended_at: None,
            by_hand: false,
        },
        actions: ActionRun::all(&schedule, due_at, due_at),
    }
}

fn end(decided: &Decided, index: Option<u16>, state: OccurrenceState) -> Settled {
    Settled {
        schedule: decided.occurrence.schedule,
        due_at: decided.occurrence.due_at,
        index,
        state,
        reason: Some("why".to_owned()),
        at: NOW.plus_millis(9),
    }
}

async fn all(store: &Store) -> Vec<Schedule> {
    let page = store.schedules(10, None).await.expect("read");
    assert_eq!(page.unreadable, []);
    page.schedules
}

#[tokio::test]
async fn a_schedule_reads_back_as_it_was_written() {
    on_both(async |store| {
        let mut one = schedule(1);
        one.skip_due_at = Some(NOW);
        one.definition.enabled = false;
        one.disabled_reason = Some("device_removed".to_owned());
        let writes = [
            ScheduleWrite::Made(one.clone()),
            ScheduleWrite::Made(schedule(2)),
        ];
        store.write_schedules(&writes).await.expect("written");
        assert_eq!(all(&store).await, [one.clone(), schedule(2)]);
        assert_eq!(store.schedule(one.id).await.expect("read"), Some(one));
        let page = store.schedules(1, None).await.expect("read");
        let next = page.next.as_deref();
        let page = store.schedules(2, next).await.expect("read");
        assert_eq!((page.schedules, page.next), (vec![schedule(2)], None));
    })
    .await;
}

#[tokio::test]
async fn a_change_of_a_stale_schedule_takes_the_whole_batch_back() {
    on_both(async |store| {
        let made = ScheduleWrite::Made(schedule(1));
        store
            .write_schedules(std::slice::from_ref(&made))
            .await
            .expect("written");
        let mut changed = schedule(1);
        changed.version = 2;
        changed.definition.name = "Changed".to_owned();
        let batch = [
            ScheduleWrite::Changed(changed.clone()),
            ScheduleWrite::Made(schedule(2)),
        ];
        store.write_schedules(&batch).await.expect("written");
        let again = [
            ScheduleWrite::Made(schedule(3)),
            ScheduleWrite::Changed(changed.clone()),
        ];
        let refused = store.write_schedules(&again).await;
        assert!(matches!(refused, Err(StoreError::Stale)));
        let refused = store.write_schedules(&[made]).await;
        assert!(matches!(refused, Err(StoreError::Taken { .. })));
        assert_eq!(all(&store).await, [changed, schedule(2)]);
        let gone = ScheduleWrite::Deleted(schedule_id(1));
        store.write_schedules(&[gone]).await.expect("written");
        assert_eq!(all(&store).await, [schedule(2)]);
    })
    .await;
}

#[tokio::test]
async fn a_due_instant_is_decided_by_the_first_alone() {
    on_both(async |store| {
        let (early, late) = (NOW, NOW.plus_millis(60_000));
        let first = [decided(1, early), decided(1, early), decided(2, early)];
        let ours = store
            .write_occurrences(&first, &[], "me")
            .await
            .expect("decided");
        assert_eq!(ours, [true, false, true]);
        let mut other = decided(1, early);
        other.occurrence.state = OccurrenceState::Missed;
        other.actions.clear();
        let second = [other, decided(1, late)];
        let ours = store
            .write_occurrences(&second, &[], "other")
            .await
            .expect("decided");
        assert_eq!(ours, [false, true]);
        let found = store.occurrences_of(schedule_id(1), 10, None).await;
        assert_eq!(found.expect("read"), [decided(1, late), decided(1, early)]);
        let older = store.occurrences_of(schedule_id(1), 10, Some(late)).await;
        assert_eq!(older.expect("read"), [decided(1, early)]);
    })
    .await;
}

#[tokio::test]
async fn a_scheduler_that_lost_the_answer_writes_again_and_keeps_what_is_its_own() {
    on_both(async |store| {
        let batch = [decided(1, NOW), decided(2, NOW)];
        for _ in 0..2 {
            let ours = store.write_occurrences(&batch, &[], "me").await;
            assert_eq!(ours.expect("decided"), [true, true]);
        }
        let other = store.write_occurrences(&batch, &[], "other").await;
        assert_eq!(other.expect("decided"), [false, false]);
        let fired = end(&batch[0], None, OccurrenceState::Fired);
        store
            .write_occurrences(&[], &[fired], "me")
            .await
            .expect("written");
        let again = store.write_occurrences(&batch, &[], "me").await;
        assert_eq!(again.expect("decided"), [false, true], "an end stands");
        let found = store.occurrences_of(schedule_id(2), 10, None).await;
        assert_eq!(found.expect("read"), [decided(2, NOW)]);
    })
    .await;
}

#[tokio::test]
async fn two_hubs_that_decide_the_same_at_once_decide_each_instant_once() {
    on_both(async |store| {
        let batch: Vec<Decided> = (0..200).map(|n| decided(n, NOW)).collect();
        let (one, two) = tokio::join!(
            store.write_occurrences(&batch, &[], "one"),
            store.write_occurrences(&batch, &[], "two")
        );
        let (one, two) = (one.expect("decided"), two.expect("decided"));
        assert!(one.iter().zip(&two).all(|(one, two)| one != two));
        let open = store.open_occurrences().await.expect("read");
        assert_eq!(open.len(), 200);
        assert!(open.iter().all(|open| open.actions.len() == 2));
    })
    .await;
}

#[tokio::test]
async fn the_first_end_of_an_occurrence_and_of_an_action_stands() {
    on_both(async |store| {
        let one = decided(1, NOW);
        store
            .write_occurrences(std::slice::from_ref(&one), &[], "me")
            .await
            .expect("decided");
        let fired = [
            end(&one, Some(0), OccurrenceState::Fired),
            end(&one, None, OccurrenceState::Fired),
        ];
        store
            .write_occurrences(&[], &fired, "me")
            .await
            .expect("written");
        // Its second action is still to be asked.
        assert_eq!(store.open_occurrences().await.expect("read").len(), 1);
        let again = [
            end(&one, Some(0), OccurrenceState::Missed),
            end(&one, Some(1), OccurrenceState::Failed),
            end(&one, None, OccurrenceState::Missed),
        ];
        store
            .write_occurrences(&[], &again, "me")
            .await
            .expect("written");
        let found = store.occurrences_of(schedule_id(1), 10, None).await;
        let found = found.expect("read").remove(0);
        assert_eq!(found.occurrence.state, OccurrenceState::Fired);
        assert_eq!(found.occurrence.ended_at, Some(NOW.plus_millis(9)));
        let states: Vec<_> = found.actions.iter().map(|a| a.state).collect();
        assert_eq!(states, [OccurrenceState::Fired, OccurrenceState::Failed]);
        assert_eq!(found.actions[1].reason.as_deref(), Some("why"));
        assert!(store.open_occurrences().await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_open_occurrence_says_which_of_its_commands_have_a_row_and_the_latest_by_trigger_is_known()
 {
    on_both(async |store| {
        let one = decided(1, NOW);
        store
            .write_occurrences(std::slice::from_ref(&one), &[], "me")
            .await
            .expect("decided");
        let mut asked = command(1);
        asked.id = one.actions[1].command;
        let row = CommandWrite::Accepted(asked.clone(), None);
        store.write_commands(&[row]).await.expect("written");
        let open = store.open_occurrences().await.expect("read");
        let asked_of: Vec<bool> = open[0].actions.iter().map(|(_, asked)| *asked).collect();
        assert_eq!(asked_of, [false, true]);
        assert_eq!(open[0].actions[0].0, one.actions[0]);
        let caused = store.commands_caused(schedule_id(1), (NOW, NOW)).await;
        assert_eq!(caused.expect("read"), [asked]);
        let mut by_hand = decided(1, NOW.plus_millis(5));
        by_hand.occurrence.by_hand = true;
        store
            .write_occurrences(&[by_hand], &[], "me")
            .await
            .expect("decided");
        let latest = store.decided_after(NOW.plus_millis(-1)).await;
        assert_eq!(latest.expect("read"), [(schedule_id(1), NOW)]);
        assert_eq!(store.decided_after(NOW).await.expect("read"), []);
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_due_in_one_second_are_decided_and_ended_in_a_few_transactions() {
    on_both(async |store| {
        let batch: Vec<Decided> = (0..10_000).map(|n| decided(n, NOW)).collect();
        for some in batch.chunks(1_000) {
            let ours = store
                .write_occurrences(some, &[], "me")
                .await
                .expect("decided");
            assert!(ours.iter().all(|ours| *ours));
        }
        let ends: Vec<Settled> = batch
            .iter()
            .flat_map(|one| {
                let fired = OccurrenceState::Fired;
                [Some(0), Some(1), None].map(|index| end(one, index, fired))
            })
            .collect();
        store
            .write_occurrences(&[], &ends, "me")
            .await
            .expect("written");
        assert!(store.open_occurrences().await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn old_occurrences_go_and_open_ones_stay() {
    on_both(async |store| {
        let batch: Vec<Decided> = (0..1_200).map(|n| decided(n, NOW)).collect();
        store
            .write_occurrences(&batch, &[], "me")
            .await
            .expect("decided");
        let missed = OccurrenceState::Missed;
        let ends: Vec<Settled> = batch[1..]
            .iter()
            .map(|one| end(one, None, missed))
            .collect();
        store
            .write_occurrences(&[], &ends, "me")
            .await
            .expect("written");
        let before = store.prune_occurrences(NOW).await.expect("pruned");
        let after = store.prune_occurrences(NOW.plus_millis(1)).await;
        assert_eq!((before, after.expect("pruned")), (0, 1_199));
        assert_eq!(store.open_occurrences().await.expect("read").len(), 1);
        let found = store.occurrences_of(schedule_id(5), 10, None).await;
        assert!(found.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_schedulers_last_instant_never_goes_back() {
    on_both(async |store| {
        assert_eq!(store.scheduler_instant().await.expect("read"), None);
        for at in [NOW, NOW.plus_millis(60_000), NOW.plus_millis(-3_600_000)] {
            store.set_scheduler_instant(at).await.expect("written");
        }
        let last = store.scheduler_instant().await.expect("read");
        assert_eq!(last, Some(NOW.plus_millis(60_000)));
        store.reset_scheduler_instant(NOW).await.expect("written");
        assert_eq!(store.scheduler_instant().await.expect("read"), Some(NOW));
    })
    .await;
}

#[tokio::test]
async fn a_schedule_that_cannot_be_read_hides_no_other() {
    on_both(async |store| {
        let writes = [1, 2].map(|n| ScheduleWrite::Made(schedule(n)));
        store.write_schedules(&writes).await.expect("written");
        let spoil = "UPDATE schedules SET definition = '{}' WHERE definition LIKE '%Schedule 1%'";
        sql(&store.url, false, spoil).await;
        let page = store.schedules(10, None).await.expect("read");
        assert_eq!(page.schedules, [schedule(2)]);
        assert_eq!(page.unreadable[0].0, schedule_id(1).to_string());
    })
    .await;
}
