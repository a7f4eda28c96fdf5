//! A reader's stream without a socket.

use super::*;
use iothome_engine::ids::UserId;
use iothome_engine::policy::Role;
use iothome_engine::time::Timestamp;

fn device(name: &str) -> Change {
    Change::Device(name.parse().expect("an id"))
}

fn eve(role: Role) -> Subject {
    Subject {
        user: UserId::new(Timestamp::from_millis(0), [0; 10]),
        name: "eve".into(),
        role,
        grants: std::collections::HashMap::new(),
    }
}

/// Tells signals by their names.
fn names(signal: &Signal, subject: &Subject) -> Vec<Frame> {
    let data = match signal {
        Signal::Started => "started".to_owned(),
        Signal::Changed(changes) => format!("changed {}", changes.len()),
        Signal::Missed(changes) => format!("missed {}", changes.len()),
        Signal::Rights => format!("rights {}", subject.role.as_str()),
        Signal::Resync => "reset".to_owned(),
        Signal::Look => return Vec::new(),
    };
    vec![Frame { event: "t", data }]
}

type Tell = fn(&Signal, &Subject) -> Vec<Frame>;

fn reader(feed: &Arc<Feed>, last_event_id: Option<&str>) -> Reader<Tell> {
    let (start, receiver) = feed.follow(last_event_id);
    let subject = Arc::new(eve(Role::Member));
    Reader {
        feed: Arc::clone(feed),
        subject: Arc::clone(&subject),
        subject_now: Arc::new(ArcSwap::new(subject)),
        ended: CancellationToken::new(),
        _ticket: None,
        receiver,
        tell: names,
        start: Some(start),
        last: 0,
        rest: false,
        keep_alive: KEEP_ALIVE,
        beats: false,
    }
}

#[tokio::test]
async fn a_stream_begins_with_its_place_and_then_tells_what_changes() {
    let feed = Arc::new(Feed::new("b00t"));
    let mut reader = reader(&feed, None);
    let first = reader.next().await.expect("it begins");
    assert!(first.contains("data: started") && first.contains("id: b00t-0\n\n"));
    for _ in 0..3 {
        feed.push(Some(device("lamp")));
    }
    let told = reader.next().await.expect("it goes on");
    assert_eq!(told, "event: t\ndata: changed 1\nid: b00t-3\n\n");
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive() {
    let feed = Arc::new(Feed::new("b00t"));
    let mut reader = reader(&feed, None);
    reader.keep_alive = Duration::from_millis(1);
    reader.next().await.expect("it begins");
    for _ in 0..3 {
        assert_eq!(reader.next().await.as_deref(), Some(": keep-alive\n\n"));
    }
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_told_to_resync_and_goes_on() {
    let feed = Arc::new(Feed::new("b00t"));
    let mut reader = reader(&feed, None);
    reader.next().await.expect("it begins");
    for _ in 0..5_000 {
        feed.push(Some(device("lamp")));
    }
    let told = reader.next().await.expect("it goes on");
    assert!(told.starts_with("event: resync\n"), "{told}");
    assert!(told.contains("data: reset"));
    let told = reader.next().await.expect("it goes on");
    assert!(told.contains("data: changed 1"), "{told}");
}

#[tokio::test]
async fn what_was_missed_is_told_unless_devices_came_or_went_meanwhile() {
    let feed = Arc::new(Feed::new("b00t"));
    feed.push(Some(device("lamp")));
    feed.push(Some(device("fan")));
    let told = reader(&feed, Some("b00t-0")).next().await.expect("begins");
    assert!(told.contains("data: missed 2\nid: b00t-2"), "{told}");
    feed.push(Some(Change::Directory));
    let told = reader(&feed, Some("b00t-0")).next().await.expect("begins");
    assert!(told.contains("event: resync"), "{told}");
    feed.forget();
    let told = reader(&feed, Some("b00t-3")).next().await.expect("begins");
    assert!(
        told.contains("event: resync"),
        "rights may have changed: {told}"
    );
}

#[tokio::test]
async fn changed_rights_are_told_though_nothing_else_happens() {
    let feed = Arc::new(Feed::new("b00t"));
    let mut reader = reader(&feed, None);
    reader.next().await.expect("it begins");
    reader.subject_now.store(Arc::new(eve(Role::Admin)));
    let told = reader.next().await.expect("it goes on");
    assert!(told.contains("data: rights admin"), "{told}");
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_the_hub() {
    let feed = Arc::new(Feed::new("b00t"));
    let mut one = reader(&feed, None);
    let mut other = reader(&feed, None);
    one.next().await.expect("it begins");
    other.next().await.expect("it begins");
    one.ended.cancel();
    feed.push(Some(device("lamp")));
    assert_eq!(one.next().await, None, "nothing is told after the end");
    assert!(other.next().await.is_some());
    feed.stop();
    assert_eq!(other.next().await, None);
}

#[test]
fn a_frame_of_several_lines_is_one_event() {
    let mut text = String::new();
    let frame = Frame {
        event: "card",
        data: "<a>\n<b>".into(),
    };
    frame.write(&mut text, "b00t-7");
    assert_eq!(text, "event: card\ndata: <a>\ndata: <b>\nid: b00t-7\n\n");
}

#[test]
fn a_device_that_changed_often_is_told_once_in_a_batch() {
    let kept = newest_per_device(vec![
        device("lamp"),
        device("fan"),
        Change::Directory,
        device("lamp"),
    ]);
    let names: Vec<String> = kept
        .iter()
        .map(|change| match change {
            Change::Device(id) => id.to_string(),
            Change::Command(_) => "command".into(),
            Change::Directory => "directory".into(),
        })
        .collect();
    assert_eq!(names, ["fan", "directory", "lamp"]);
}
