//! The recorder with a real store; its buffer alone.

use super::*;
use crate::keeper::testing::Root;
use iothome_engine::value::Value;
use iothome_store::testing::TestStore;
use iothome_store::{HistoryQuery, Points, Resolution};

const START_MS: i64 = 1_795_506_700_000;

fn target(entity: &str) -> EntityRef {
    EntityRef {
        device: "fridge".parse().expect("an id"),
        entity: entity.parse().expect("an id"),
    }
}

fn sample(entity: &str, n: i64) -> Sample {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let value = Value::number(n as f64).expect("finite");
    Sample {
        target: target(entity),
        at: Timestamp::from_millis(START_MS + n),
        value,
    }
}

async fn recorder(store: &Store) -> Recorder {
    let root = Root::start().await;
    let clock = Clock::starting_at(Timestamp::from_millis(START_MS));
    Recorder::start(store.clone(), clock, root.get_cell())
        .await
        .expect("started")
}

async fn stored(store: &Store, entity: &str) -> (usize, u64) {
    let page = store
        .history(&HistoryQuery {
            target: target(entity),
            from: Timestamp::from_millis(START_MS - 1),
            to: Timestamp::from_millis(START_MS + 1_000_000),
            resolution: Resolution::Raw,
            numeric: true,
            after: None,
            limit: 5_000,
        })
        .await
        .expect("read");
    let Points::Raw(points) = page.points else {
        panic!("raw was asked for")
    };
    (points.len(), page.lost)
}

#[tokio::test]
async fn what_is_recorded_is_in_the_store_after_a_flush() {
    let store = TestStore::sqlite().await;
    let recorder = recorder(&store).await;
    for n in 0..1_234 {
        recorder.record(sample("temperature", n));
    }
    recorder.lost(target("temperature"), Timestamp::from_millis(START_MS), 5);
    recorder.last_state(LastState {
        target: target("temperature"),
        state: Some(Value::word("on")),
        attributes: Default::default(),
        reported_at: None,
        changed_at: None,
    });
    assert!(recorder.flush().await);
    assert_eq!(stored(&store, "temperature").await, (1_234, 5));
    assert_eq!(store.last_states().await.expect("read").len(), 1);
    recorder.stop().await;
}

#[tokio::test]
async fn it_writes_by_itself_within_about_a_second() {
    let store = TestStore::sqlite().await;
    let recorder = recorder(&store).await;
    recorder.record(sample("temperature", 1));
    while stored(&store, "temperature").await.0 == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    recorder.stop().await;
}

#[tokio::test]
async fn what_cannot_be_written_is_kept_and_the_flush_says_so() {
    let store = TestStore::sqlite().await;
    let recorder = recorder(&store).await;
    store.close().await;
    for n in 0..10 {
        recorder.record(sample("temperature", n));
    }
    assert!(!recorder.flush().await);
    assert!(!recorder.flush().await, "it still has something to write");
}

#[test]
fn beyond_the_bound_the_newest_of_each_entity_is_kept_and_the_others_are_counted() {
    let mut buffer = Buffer::default();
    for n in 0..10_000 {
        buffer.record(sample("temperature", n));
    }
    for n in 10_000..10_100 {
        buffer.record(sample("temperature", n));
        buffer.record(sample("door", n));
    }
    assert_eq!(buffer.samples(), 10_002);
    let mut samples = Vec::new();
    let mut losses = Vec::new();
    while let Some(batch) = buffer.take() {
        assert!(batch.samples.len() <= 2_100, "batches are bounded");
        samples.extend(batch.samples);
        losses.extend(batch.losses);
    }
    let newest = |entity: &str| {
        samples
            .iter()
            .rfind(|s| s.target == target(entity))
            .cloned()
    };
    assert_eq!(newest("temperature"), Some(sample("temperature", 10_099)));
    assert_eq!(newest("door"), Some(sample("door", 10_099)));
    losses.sort();
    let lost: Vec<_> = losses.iter().map(|(t, _, n)| (t.clone(), *n)).collect();
    assert_eq!(lost, [(target("door"), 99), (target("temperature"), 99)]);
}

#[test]
fn a_batch_taken_back_is_older_than_what_came_since() {
    let mut buffer = Buffer::default();
    let state = |word: &str| LastState {
        target: target("door"),
        state: Some(Value::word(word)),
        attributes: Default::default(),
        reported_at: None,
        changed_at: None,
    };
    buffer.record(sample("temperature", 1));
    buffer.last_state(state("open"));
    let batch = buffer.take().expect("something waits");
    buffer.record(sample("temperature", 2));
    buffer.last_state(state("closed"));
    buffer.put_back(batch);
    let batch = buffer.take().expect("something waits");
    assert_eq!(
        batch.samples,
        [sample("temperature", 1), sample("temperature", 2)]
    );
    assert_eq!(batch.last_states, [state("closed")]);
    assert_eq!(buffer.take(), None);
}

#[test]
fn comings_and_goings_are_bounded_and_the_last_of_each_device_stays() {
    let mut buffer = Buffer::default();
    let device: DeviceId = "sensor".parse().expect("an id");
    for n in 0..30_001 {
        buffer.availability(&device, Timestamp::from_millis(n), n % 2 == 0);
    }
    let batch = buffer.take().expect("something waits");
    assert!(batch.availability.len() <= 10_000);
    let last = batch.availability.last().expect("some");
    assert_eq!(last, &(device, Timestamp::from_millis(30_000), true));
}
