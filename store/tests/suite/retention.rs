//! How long history is kept, what must stay however old it is, and clocks that were wrong.

use crate::history::{DAY, HOUR, START, buckets, number, raw, sample, write};
use crate::make::{device, device_id, entity_ref};
use iothome_engine::history::LastState;
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;
use iothome_store::testing::on_both;
use iothome_store::{HistoryBatch, Resolution, Retention};
use std::collections::BTreeMap;

#[tokio::test]
async fn what_is_old_goes_but_not_what_is_in_force_or_not_rolled_up() {
    on_both(async |store| {
        let old = START - 11 * DAY;
        let mut samples: Vec<_> = (0..5_000)
            .map(|n| sample("temperature", old + n * 100, number(4.0)))
            .collect();
        samples.push(sample("temperature", START, number(5.0)));
        samples.push(sample("door", START - 30 * DAY, Value::word("off")));
        samples.push(sample("door", START - 20 * DAY, Value::word("on")));
        write(&store, samples).await;
        let now = Timestamp::from_millis(START + HOUR);
        let keep = Retention::default();
        let nothing = store.prune_history(now, &keep).await;
        assert_eq!(nothing.expect("done"), 0, "nothing is rolled up yet");
        store.roll_up(now).await.expect("rolled up");
        // All but the newest of each before the cut.
        let dropped = store.prune_history(now, &keep).await;
        assert_eq!(dropped.expect("done"), 4_999 + 1);
        let again = store.prune_history(now, &keep).await;
        assert_eq!(again.expect("done"), 0);
        assert_eq!(
            raw(&store, "temperature", 0, START + DAY).await,
            [(old + 499_900, number(4.0)), (START, number(5.0))]
        );
        let in_force = raw(&store, "door", START, START + HOUR).await;
        assert_eq!(in_force, [(START, Value::word("on"))]);
        // What was rolled up is still told, also after a late sample.
        write(&store, vec![sample("temperature", old, number(99.0))]).await;
        store.roll_up(now).await.expect("rolled up");
        let hours = buckets(&store, old - HOUR, START, Resolution::Hour).await;
        assert_eq!(hours.iter().map(|b| b.count).sum::<i64>(), 5_000);
    })
    .await;
}

#[tokio::test]
async fn samples_that_are_not_rolled_up_yet_do_not_go_however_old() {
    on_both(async |store| {
        let at = |ms: i64| Timestamp::from_millis(START + ms);
        write(&store, vec![sample("temperature", START, number(1.0))]).await;
        store.roll_up(at(HOUR)).await.expect("rolled up");
        let samples = (0..10).map(|n| sample("temperature", START + DAY + n, number(2.0)));
        write(&store, samples.collect()).await;
        let keep = Retention::default();
        let dropped = store.prune_history(at(30 * DAY), &keep).await;
        assert_eq!(dropped.expect("done"), 0);
        store.roll_up(at(30 * DAY)).await.expect("rolled up");
        let dropped = store.prune_history(at(30 * DAY), &keep).await;
        assert_eq!(dropped.expect("done"), 10, "all but the newest");
    })
    .await;
}

#[tokio::test]
async fn fine_buckets_go_after_their_days_and_hours_stay() {
    on_both(async |store| {
        let old = START - 100 * DAY;
        write(&store, vec![sample("temperature", old, number(4.0))]).await;
        let at = |ms: i64| Timestamp::from_millis(START + ms);
        let batch = HistoryBatch {
            availability: vec![
                (device_id("fridge"), at(-100 * DAY), false),
                (device_id("fridge"), at(-99 * DAY), true),
            ],
            losses: vec![(entity_ref("fridge", "temperature"), at(-100 * DAY), 7)],
            ..HistoryBatch::default()
        };
        store.write_history(&batch).await.expect("written");
        store.roll_up(at(HOUR)).await.expect("rolled up");
        let dropped = store.prune_history(at(HOUR), &Retention::default()).await;
        // A fine bucket, a loss, an availability; the sample is in force.
        assert_eq!(dropped.expect("done"), 3);
        let fine = buckets(&store, 0, START, Resolution::FiveMinutes).await;
        assert!(fine.is_empty(), "{fine:?}");
        assert_eq!(buckets(&store, 0, START, Resolution::Hour).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_device_is_forgotten_when_its_retention_ends() {
    on_both(async |store| {
        let fridge = device("fridge");
        store.create_device(&fridge, &[]).await.expect("made");
        let batch = HistoryBatch {
            samples: vec![sample("temperature", START, number(4.0))],
            last_states: vec![LastState {
                target: entity_ref("fridge", "temperature"),
                state: Some(number(4.0)),
                attributes: BTreeMap::new(),
                reported_at: None,
                changed_at: None,
            }],
            ..HistoryBatch::default()
        };
        store.write_history(&batch).await.expect("written");
        let at = |ms: i64| Timestamp::from_millis(START + ms);
        store.roll_up(at(2 * HOUR)).await.expect("rolled up");
        store
            .delete_device(&fridge.id, at(0))
            .await
            .expect("deleted");
        let keep = Retention::default();
        store
            .prune_history(at(89 * DAY), &keep)
            .await
            .expect("done");
        let hours = buckets(&store, START, START + HOUR, Resolution::Hour).await;
        assert_eq!(hours.len(), 1, "kept until then");
        store
            .prune_history(at(91 * DAY), &keep)
            .await
            .expect("done");
        let hours = buckets(&store, START, START + HOUR, Resolution::Hour).await;
        assert!(hours.is_empty());
        assert!(store.last_states().await.expect("read").is_empty());
        assert!(raw(&store, "temperature", 0, START + DAY).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_was_ahead_does_not_stop_the_roll_ups() {
    on_both(async |store| {
        let ahead = START + 400 * DAY;
        write(&store, vec![sample("temperature", ahead, number(1.0))]).await;
        store
            .roll_up(Timestamp::from_millis(ahead + HOUR))
            .await
            .expect("rolled up");
        store
            .prune_history(Timestamp::from_millis(ahead + HOUR), &Retention::default())
            .await
            .expect("done");
        // The clock is set right; roll-ups go on from there.
        store
            .roll_up(Timestamp::from_millis(START))
            .await
            .expect("rolled up");
        write(&store, vec![sample("temperature", START, number(2.0))]).await;
        store
            .roll_up(Timestamp::from_millis(START + 2 * HOUR))
            .await
            .expect("rolled up");
        let hours = buckets(&store, START, START + DAY, Resolution::Hour).await;
        assert_eq!(hours.len(), 1);
    })
    .await;
}
