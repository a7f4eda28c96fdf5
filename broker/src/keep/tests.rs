//! What is on disk after which moment.
#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use super::*;
use mqtt5::QoS;
use mqtt5::broker::MemoryBackend;
use mqtt5::broker::storage::RetainedMessage;
use mqtt5::packet::publish::PublishPacket;

fn message(topic: &str, payload: &[u8]) -> RetainedMessage {
    RetainedMessage::new(PublishPacket::new(
        topic,
        payload.to_vec(),
        QoS::AtLeastOnce,
    ))
}

fn memory() -> Arc<DynamicStorage> {
    Arc::new(DynamicStorage::Memory(MemoryBackend::new()))
}

struct House {
    storage: Arc<DynamicStorage>,
    notes: Arc<Notes>,
    keeper: Keeper,
}

impl House {
    async fn open(dir: &Path) -> Self {
        let (storage, notes) = (memory(), Arc::new(Notes::default()));
        let keeper = Keeper::open(dir, Arc::clone(&storage), Arc::clone(&notes));
        Self {
            keeper: keeper.await.unwrap(),
            storage,
            notes,
        }
    }

    async fn set(&self, topic: &str, payload: &[u8]) {
        let message = message(topic, payload);
        self.storage
            .store_retained_message(topic, message)
            .await
            .unwrap();
        self.notes.note(topic, false);
    }

    async fn clear(&self, topic: &str) {
        self.storage.remove_retained_message(topic).await.unwrap();
        self.notes.note(topic, true);
    }

    async fn payload(&self, topic: &str) -> Option<Vec<u8>> {
        let message = self.storage.get_retained_message(topic).await.unwrap();
        message.map(|m| m.payload)
    }
}

#[tokio::test]
async fn a_new_topic_is_written_soon_and_a_changed_value_later() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::open(dir.path()).await;
    house.set("a", b"1").await;
    house.keeper.write(false).await;
    house.set("a", b"2").await;
    house.set("b", &[0xff, 0]).await;
    house.keeper.write(false).await;
    let crashed = House::open(dir.path()).await;
    assert_eq!(crashed.payload("a").await.unwrap(), b"1");
    assert_eq!(crashed.payload("b").await.unwrap(), [0xff, 0]);

    house.keeper.write(true).await;
    let stopped = House::open(dir.path()).await;
    assert_eq!(stopped.payload("a").await.unwrap(), b"2");
}

#[tokio::test]
async fn a_cleared_topic_stays_away() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::open(dir.path()).await;
    house.set("a", b"1").await;
    house.keeper.write(false).await;
    house.clear("a").await;
    house.keeper.write(false).await;
    assert_eq!(House::open(dir.path()).await.payload("a").await, None);
}

#[tokio::test]
async fn a_file_cut_off_anywhere_costs_only_what_was_cut() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::open(dir.path()).await;
    house.set("a", b"1").await;
    house.keeper.write(true).await;
    house.set("b", b"1").await;
    house.keeper.write(true).await;
    let path = dir.path().join("retained.jsonl");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();

    let mut house = House::open(dir.path()).await;
    assert_eq!(house.payload("a").await.unwrap(), b"1");
    assert_eq!(house.payload("b").await, None);
    house.set("c", b"1").await;
    house.keeper.write(true).await;
    let again = House::open(dir.path()).await;
    assert_eq!(again.payload("c").await.unwrap(), b"1");
    assert_eq!(again.payload("a").await.unwrap(), b"1");
}

#[tokio::test]
async fn the_file_does_not_grow_with_the_number_of_changes() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::open(dir.path()).await;
    let long = vec![b'x'; 40_000];
    for n in 0..100_u8 {
        house.set("chatty", &long).await;
        house
            .set("chatty", &[long.as_slice(), &[b'a' + n % 20]].concat())
            .await;
        house.keeper.write(true).await;
    }
    let file = std::fs::metadata(dir.path().join("retained.jsonl")).unwrap();
    assert!(file.len() < 1_300_000, "{}", file.len());
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.permissions());
    assert_eq!(mode & 0o077, 0, "{mode:o}: nobody else may read it");
    let last = House::open(dir.path())
        .await
        .payload("chatty")
        .await
        .unwrap();
    assert_eq!(last.len(), 40_001);
}
