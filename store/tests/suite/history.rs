//! Samples, roll-ups, retention and the answers made of them.

use crate::make::{NOW, device_id, entity_ref};
use iothome_engine::history::{LastState, Sample};
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;
use iothome_store::testing::on_both;
use iothome_store::{
    Bucket, Gap, GapKind, HistoryBatch, HistoryPage, HistoryQuery, Points, Resolution, Store,
};
use std::collections::BTreeMap;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 86_400_000;
/// An hour that begins before `NOW`; the tests' samples begin here.
pub(crate) const START: i64 = 1_795_503_600_000;

pub(crate) fn number(value: f64) -> Value {
    Value::number(value).expect("finite")
}

pub(crate) fn sample(entity: &str, at: i64, value: Value) -> Sample {
    Sample {
        target: entity_ref("fridge", entity),
        at: Timestamp::from_millis(at),
        value,
    }
}

pub(crate) async fn write(store: &Store, samples: Vec<Sample>) {
    let batch = HistoryBatch {
        samples,
        ..HistoryBatch::default()
    };
    store.write_history(&batch).await.expect("written");
}

pub(crate) fn ask(entity: &str, from: i64, to: i64, resolution: Resolution) -> HistoryQuery {
    HistoryQuery {
        target: entity_ref("fridge", entity),
        from: Timestamp::from_millis(from),
        to: Timestamp::from_millis(to),
        resolution,
        numeric: entity == "temperature",
        after: None,
        limit: 5_000,
    }
}

pub(crate) async fn answer(store: &Store, query: &HistoryQuery) -> HistoryPage {
    store.history(query).await.expect("an answer")
}

pub(crate) async fn raw(store: &Store, entity: &str, from: i64, to: i64) -> Vec<(i64, Value)> {
    match answer(store, &ask(entity, from, to, Resolution::Raw))
        .await
        .points
    {
        Points::Raw(points) => points,
        Points::Buckets(_) => panic!("raw was asked"),
    }
}

pub(crate) async fn buckets(
    store: &Store,
    from: i64,
    to: i64,
    resolution: Resolution,
) -> Vec<Bucket> {
    match answer(store, &ask("temperature", from, to, resolution))
        .await
        .points
    {
        Points::Buckets(buckets) => buckets,
        Points::Raw(_) => panic!("buckets were asked"),
    }
}

/// What roll-ups must come to, computed the plain way.
fn naive(samples: &BTreeMap<i64, f64>, bucket: i64, end: i64) -> Vec<Bucket> {
    let mut groups: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (at, value) in samples {
        groups.entry(at / bucket * bucket).or_default().push(*value);
    }
    groups
        .into_iter()
        .filter(|(at, _)| at + bucket <= end)
        .map(|(at, values)| {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            Bucket {
                at,
                min: values.iter().copied().fold(f64::INFINITY, f64::min),
                mean,
                max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                count: i64::try_from(values.len()).expect("few"),
            }
        })
        .collect()
}

/// Equal but for the last digits of the mean.
fn assert_same(left: &[Bucket], right: &[Bucket]) {
    assert_eq!(left.len(), right.len(), "{left:?}\n{right:?}");
    for (l, r) in left.iter().zip(right) {
        assert!((l.mean - r.mean).abs() < 1e-6, "{l:?} {r:?}");
        let r = Bucket { mean: l.mean, ..*r };
        assert_eq!(*l, r);
    }
}

/// A reproducible sequence (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test]
async fn roll_ups_come_to_what_the_samples_come_to_whenever_they_run() {
    on_both(async |store| {
        for seed in 1..=5 {
            let mut dice = Dice(seed);
            // Each round far from the one before, on the same store.
            let start = START + i64::try_from(seed).expect("small") * 30 * DAY;
            let mut all = BTreeMap::new();
            let mut now = start;
            for _ in 0..12 {
                let mut batch = Vec::new();
                for _ in 0..dice.roll(40) {
                    // Late ones too, up to an hour before what was rolled up.
                    let back = i64::try_from(dice.roll(75 * 60_000)).expect("small");
                    let at = (now - back).max(start);
                    #[expect(clippy::cast_precision_loss, reason = "small")]
                    let value = dice.roll(10_000) as f64 / 100.0 - 20.0;
                    all.insert(at, value);
                    batch.push(sample("temperature", at, number(value)));
                }
                write(&store, batch).await;
                now += i64::try_from(dice.roll(40 * 60_000)).expect("small");
                let rolled = Timestamp::from_millis(now);
                store.roll_up(rolled).await.expect("rolled up");
                if dice.roll(2) == 0 {
                    let again = store.roll_up(rolled).await;
                    assert_eq!(again.expect("rolled up"), 0, "nothing new");
                }
            }
            store
                .roll_up(Timestamp::from_millis(now))
                .await
                .expect("rolled up");
            let end = (now - 30_000) / 300_000 * 300_000;
            let to = now + HOUR;
            let fine = buckets(&store, start, to, Resolution::FiveMinutes).await;
            assert_same(&fine, &naive(&all, 5 * MINUTE, end));
            let coarse = buckets(&store, start, to, Resolution::Hour).await;
            assert_same(&coarse, &naive(&all, HOUR, end));
        }
    })
    .await;
}

#[tokio::test]
async fn only_a_bucket_that_is_over_is_rolled_up() {
    on_both(async |store| {
        let samples = (0..8).map(|n| sample("temperature", START + n * MINUTE, number(4.0)));
        write(&store, samples.collect()).await;
        let at = |ms| Timestamp::from_millis(START + ms);
        // The recorder may still be writing the last seconds of the bucket.
        assert_eq!(store.roll_up(at(5 * MINUTE)).await.expect("done"), 0);
        let made = store.roll_up(at(5 * MINUTE + 30_000)).await;
        assert_eq!(made.expect("done"), 1);
        let fine = buckets(&store, START, START + HOUR, Resolution::FiveMinutes).await;
        assert_eq!(
            fine,
            [Bucket {
                at: START,
                min: 4.0,
                mean: 4.0,
                max: 4.0,
                count: 5
            }]
        );
        assert!(
            buckets(&store, START, START + HOUR, Resolution::Hour)
                .await
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn words_and_absurd_numbers_stop_no_roll_up() {
    on_both(async |store| {
        let mut samples: Vec<_> = [f64::MAX, f64::MIN, 1e300, -1e300, 21.0, 22.0]
            .into_iter()
            .zip(0..)
            .map(|(value, n)| sample("temperature", START + n, number(value)))
            .collect();
        samples.push(sample("door", START, Value::word("on")));
        write(&store, samples).await;
        let now = Timestamp::from_millis(START + 2 * HOUR);
        assert_eq!(store.roll_up(now).await.expect("done"), 2);
        let hour = buckets(&store, START, START + HOUR, Resolution::Hour).await;
        assert_eq!((hour[0].mean, hour[0].count), (21.5, 2));
        assert_eq!(
            raw(&store, "temperature", START, START + HOUR).await.len(),
            6
        );
    })
    .await;
}

#[tokio::test]
async fn a_batch_written_twice_counts_once_and_the_later_sample_of_a_millisecond_counts() {
    on_both(async |store| {
        let state = LastState {
            target: entity_ref("fridge", "door"),
            state: Some(Value::word("on")),
            attributes: BTreeMap::from([("battery".to_owned(), serde_json::json!(80))]),
            reported_at: Some(NOW),
            changed_at: None,
        };
        let older = LastState {
            state: None,
            ..state.clone()
        };
        let batch = HistoryBatch {
            samples: vec![
                sample("temperature", START, number(1.0)),
                sample("temperature", START, number(2.0)),
                sample("door", START, Value::word("a\0b")),
            ],
            last_states: vec![older, state.clone()],
            availability: vec![(device_id("fridge"), NOW, true)],
            losses: vec![
                (entity_ref("fridge", "temperature"), NOW, 2),
                (entity_ref("fridge", "temperature"), NOW, 3),
            ],
        };
        for _ in 0..2 {
            store.write_history(&batch).await.expect("written");
        }
        assert_eq!(
            raw(&store, "temperature", START, START + 1).await,
            [(START, number(2.0))]
        );
        assert_eq!(
            raw(&store, "door", START, START + 1).await,
            [(START, Value::word("a\u{fffd}b"))]
        );
        assert_eq!(store.last_states().await.expect("read"), [state]);
        let query = ask("temperature", START, START + DAY, Resolution::Raw);
        assert_eq!(answer(&store, &query).await.lost, 5);
        store
            .write_history(&HistoryBatch::default())
            .await
            .expect("no work");
    })
    .await;
}

#[tokio::test]
async fn numbers_come_in_pages_without_a_hole_or_a_double() {
    on_both(async |store| {
        let samples = (0..1_000).map(|n| sample("temperature", START + n * 10, number(1.0)));
        write(&store, samples.collect()).await;
        let mut query = ask("temperature", START + 10, START + 9_900, Resolution::Raw);
        query.limit = 300;
        let (mut seen, mut pages) = (Vec::new(), 0);
        loop {
            let page = answer(&store, &query).await;
            let Points::Raw(points) = page.points else {
                panic!("raw was asked")
            };
            seen.extend(points.into_iter().map(|(at, _)| at));
            pages += 1;
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        let wanted: Vec<i64> = (1..990).map(|n| START + n * 10).collect();
        assert_eq!((seen, pages), (wanted, 4));
    })
    .await;
}

#[tokio::test]
async fn a_page_never_holds_more_than_its_most() {
    on_both(async |store| {
        let samples = (0..5_001).map(|n| sample("temperature", START + n, number(1.0)));
        write(&store, samples.collect()).await;
        let mut query = ask("temperature", START, START + DAY, Resolution::Raw);
        query.limit = usize::MAX;
        let page = answer(&store, &query).await;
        assert_eq!(page.next, Some(START + 4_999));
    })
    .await;
}

#[tokio::test]
async fn words_are_the_one_in_force_and_each_change() {
    on_both(async |store| {
        let words = ["off", "on", "on", "off", "off", "on"];
        let samples = words
            .into_iter()
            .zip(0..)
            .map(|(word, n)| sample("door", START + n * 1_000, Value::word(word)));
        write(&store, samples.collect()).await;
        let word = |at: i64, word: &str| (START + at, Value::word(word));
        let all = raw(&store, "door", START - 5, START + DAY).await;
        assert_eq!(
            all,
            [
                word(0, "off"),
                word(1_000, "on"),
                word(3_000, "off"),
                word(5_000, "on")
            ]
        );
        // Between two reports: the one before is in force.
        let part = raw(&store, "door", START + 2_500, START + 4_999).await;
        assert_eq!(part, [word(2_500, "on"), word(3_000, "off")]);
        // Exactly at a change.
        let part = raw(&store, "door", START + 3_000, START + 3_001).await;
        assert_eq!(part, [word(3_000, "off")]);
        let mut query = ask("door", START + 500, START + DAY, Resolution::Raw);
        query.limit = 2;
        let page = answer(&store, &query).await;
        assert_eq!(
            page.points,
            Points::Raw(vec![word(500, "off"), word(1_000, "on")])
        );
        query.after = page.next;
        let page = answer(&store, &query).await;
        assert_eq!(
            (page.points, page.next),
            (
                Points::Raw(vec![word(3_000, "off"), word(5_000, "on")]),
                None
            )
        );
    })
    .await;
}

#[tokio::test]
async fn gaps_are_when_the_hub_did_not_run_and_when_the_device_was_away() {
    on_both(async |store| {
        let at = |ms: i64| Timestamp::from_millis(START + ms);
        let first = store.open_span(at(0)).await.expect("opened");
        store.extend_span(first, at(1_000)).await.expect("extended");
        store.extend_span(first, at(500)).await.expect("no work");
        assert_eq!(store.last_instant().await.expect("read"), Some(at(1_000)));
        store.open_span(at(3_000)).await.expect("opened");
        let fridge = device_id("fridge");
        let batch = HistoryBatch {
            availability: vec![
                (fridge.clone(), at(-9_000), false),
                (fridge.clone(), at(200), true),
                (fridge.clone(), at(4_000), false),
                (fridge.clone(), at(4_500), false),
                (fridge.clone(), at(5_000), true),
                (device_id("lamp"), at(0), false),
                (fridge, at(8_000), false),
            ],
            ..HistoryBatch::default()
        };
        store.write_history(&batch).await.expect("written");
        let query = ask("temperature", START - 100, START + 9_000, Resolution::Raw);
        let page = answer(&store, &query).await;
        let gap = |from: i64, to: i64, kind| Gap {
            from: START + from,
            to: START + to,
            kind,
        };
        assert_eq!(
            page.gaps,
            [
                gap(-100, 0, GapKind::Hub),
                gap(-100, 200, GapKind::Device),
                gap(1_000, 3_000, GapKind::Hub),
                gap(4_000, 5_000, GapKind::Device),
                gap(8_000, 9_000, GapKind::Device),
            ]
        );
        assert_eq!(page.points, Points::Raw(Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn pages_tell_each_gap_and_loss_once() {
    on_both(async |store| {
        let at = |ms: i64| Timestamp::from_millis(START + ms);
        store.open_span(at(-1)).await.expect("opened");
        let batch = HistoryBatch {
            samples: (0..10)
                .map(|n| sample("temperature", START + n * 100, number(1.0)))
                .collect(),
            losses: (0..10)
                .map(|n| (entity_ref("fridge", "temperature"), at(n * 100 + 50), 1))
                .collect(),
            ..HistoryBatch::default()
        };
        store.write_history(&batch).await.expect("written");
        let mut query = ask("temperature", START, START + 1_000, Resolution::Raw);
        query.limit = 3;
        let mut lost = 0;
        loop {
            let page = answer(&store, &query).await;
            assert!(page.gaps.is_empty(), "{:?}", page.gaps);
            lost += page.lost;
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert_eq!(lost, 10);
    })
    .await;
}

#[tokio::test]
async fn many_writers_of_new_entities_agree_on_their_series() {
    on_both(async |store| {
        let tasks: Vec<_> = (0..8i64)
            .map(|n| {
                let store = store.store.clone();
                tokio::spawn(async move {
                    let samples = (0..50)
                        .map(|e| sample(&format!("e{e}"), START + n, Value::word("on")))
                        .collect();
                    write(&store, samples).await;
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
        // Had one entity two numbers, one of them would miss the first word.
        for e in 0..50 {
            let points = raw(&store, &format!("e{e}"), START, START + DAY).await;
            assert_eq!(points, [(START, Value::word("on"))]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_after_the_end_is_empty() {
    on_both(async |store| {
        let samples = vec![sample("door", START, Value::word("on"))];
        write(&store, samples).await;
        for after in [START + 10, START + 1_000_000, i64::MAX] {
            let mut query = ask("door", START, START + 10, Resolution::Raw);
            query.after = Some(after);
            let page = answer(&store, &query).await;
            assert_eq!((page.points, page.next), (Points::Raw(vec![]), None));
            assert_eq!(page.gaps, []);
        }
    })
    .await;
}
