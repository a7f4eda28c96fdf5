//! What a number did, as finely as a chart can show.

use crate::history::{DAY, HOUR, MINUTE, START, number, sample, write};
use crate::make::entity_ref;
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;
use iothome_store::testing::on_both;
use iothome_store::{BAND_SLOTS_MAX, Band, Retention, Store};

async fn band(store: &Store, from: i64, to: i64) -> Band {
    let target = entity_ref("fridge", "temperature");
    let (from, to) = (Timestamp::from_millis(from), Timestamp::from_millis(to));
    store.band(&target, from, to).await.expect("a band")
}

/// A sample each minute, one of them a peak.
async fn month(store: &Store, from: i64, days: i64, peak: i64) {
    for day in 0..days {
        let samples = (0..DAY / MINUTE).map(|minute| {
            let at = from + day * DAY + minute * MINUTE;
            let value = if at == peak { 99.0 } else { 4.0 };
            sample("temperature", at, number(value))
        });
        write(store, samples.collect()).await;
    }
}

fn count(band: &Band) -> i64 {
    band.slots.iter().map(|slot| slot.count).sum()
}

fn highest(band: &Band) -> f64 {
    band.slots
        .iter()
        .fold(f64::MIN, |high, slot| high.max(slot.max))
}

#[tokio::test]
async fn every_sample_is_in_exactly_one_slot_however_far_roll_ups_have_come() {
    on_both(async |store| {
        let (from, to) = (START - 4 * DAY, START);
        month(&store, from, 4, START - 90 * MINUTE).await;
        // Nothing is rolled up, then two days are, then all but the last minutes.
        for rolled in [None, Some(START - 2 * DAY + 7 * MINUTE), Some(START)] {
            if let Some(now) = rolled {
                store
                    .roll_up(Timestamp::from_millis(now))
                    .await
                    .expect("rolled up");
            }
            for length in [HOUR, 5 * HOUR, DAY, 4 * DAY] {
                let band = band(&store, to - length, to).await;
                assert_eq!(count(&band), length / MINUTE, "{length} {rolled:?}");
                let slots = i64::try_from(band.slots.len()).expect("few");
                assert!(slots <= BAND_SLOTS_MAX + 1, "{slots}");
                let peak = if length > HOUR { 99.0 } else { 4.0 };
                assert_eq!(highest(&band), peak, "{length}");
            }
        }
        assert_eq!(count(&band(&store, from - 30 * DAY, from).await), 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_longer_kept_finely_is_told_coarsely() {
    on_both(async |store| {
        month(&store, START - 4 * DAY, 4, START - 3 * DAY).await;
        let now = Timestamp::from_millis(START);
        store.roll_up(now).await.expect("rolled up");
        let retention = Retention {
            raw_days: 1,
            five_minute_days: 2,
        };
        store.prune_history(now, &retention).await.expect("pruned");
        // An hour of three days ago: neither samples nor five minutes are left, but the hour is.
        let old = band(&store, START - 3 * DAY, START - 3 * DAY + HOUR).await;
        assert_eq!((count(&old), highest(&old)), (60, 99.0));
        let fresh = band(&store, START - HOUR, START).await;
        assert_eq!((count(&fresh), fresh.slots.len()), (60, 60));
    })
    .await;
}

#[tokio::test]
async fn what_was_in_force_before_is_known_and_an_unknown_entity_has_no_band() {
    on_both(async |store| {
        write(&store, vec![sample("temperature", START, number(4.5))]).await;
        let target = entity_ref("fridge", "temperature");
        let before = async |at| {
            let at = Timestamp::from_millis(at);
            store.value_before(&target, at).await.expect("an answer")
        };
        assert_eq!(before(START + 1).await, Some(number(4.5)));
        assert_eq!(before(START).await, None);
        let other = entity_ref("fridge", "door");
        let at = Timestamp::from_millis(START);
        assert_eq!(
            store.value_before(&other, at).await.expect("an answer"),
            None::<Value>
        );
        let (from, to) = (at, at.plus_millis(DAY));
        assert!(
            store
                .band(&other, from, to)
                .await
                .expect("a band")
                .slots
                .is_empty()
        );
    })
    .await;
}
