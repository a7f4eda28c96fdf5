//! The inbox against a plain model: bounded, in order, never losing what is protected.

use super::*;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

fn message(topic: &str, n: u64) -> Message {
    Message {
        topic: topic.into(),
        payload: Bytes::from(n.to_string()),
        retained: false,
        received_at: Timestamp::from_millis(i64::try_from(n).expect("small")),
    }
}

fn drain_all(inbox: &Inbox) -> (Vec<Message>, u64) {
    let mut all = (Vec::new(), 0);
    loop {
        let (some, lost) = inbox.drain(100);
        all.1 += lost;
        if some.is_empty() {
            return all;
        }
        all.0.extend(some);
    }
}

#[test]
fn a_device_that_keeps_up_gets_every_message() {
    let inbox = Inbox::new(|| {});
    for n in 0..64 {
        inbox.push(message("t", n));
    }
    let (messages, coalesced) = drain_all(&inbox);
    assert_eq!((messages.len(), coalesced), (64, 0));
}

#[test]
fn a_device_that_is_behind_gets_the_newest_value_of_each_topic_in_arrival_order() {
    let inbox = Inbox::new(|| {});
    for n in 0..65 {
        inbox.push(message(&format!("old/{n}"), n));
    }
    for n in 100..110 {
        inbox.push(message("busy", n));
        inbox.push(message("other", n));
    }
    let (messages, coalesced) = drain_all(&inbox);
    assert_eq!(coalesced, 18);
    let mut lost = inbox.take_lost();
    lost.sort();
    assert_eq!(lost, [("busy".into(), 9), ("other".into(), 9)]);
    assert_eq!(inbox.take_lost(), []);
    let last: Vec<_> = messages[65..]
        .iter()
        .map(|m| (m.topic.as_ref(), m.payload.as_ref()))
        .collect();
    assert_eq!(last, [("busy", &b"109"[..]), ("other", &b"109"[..])]);
}

#[test]
fn a_protected_topic_is_never_coalesced() {
    let inbox = Inbox::new(|| {});
    inbox.protect(["availability".to_owned()]);
    for n in 0..500 {
        inbox.push(message("busy", n));
        inbox.push(message("availability", n));
    }
    let (messages, _) = drain_all(&inbox);
    let kept = messages
        .iter()
        .filter(|m| m.topic.as_ref() == "availability")
        .count();
    assert_eq!(kept, 500);
}

#[test]
fn a_live_message_is_not_replaced_by_a_replay() {
    let inbox = Inbox::new(|| {});
    for n in 0..70 {
        inbox.push(message(&format!("fill/{n}"), n));
    }
    inbox.push(message("t", 100));
    let replay = Message {
        retained: true,
        ..message("t", 101)
    };
    inbox.push(replay);
    let (messages, coalesced) = drain_all(&inbox);
    assert_eq!((messages.len(), coalesced), (72, 0));
}

#[test]
fn the_actor_is_woken_once_and_again_while_messages_are_left() {
    let wakes = Arc::new(AtomicUsize::new(0));
    let counter = wakes.clone();
    let inbox = Inbox::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    for n in 0..10 {
        inbox.push(message("t", n));
    }
    assert_eq!(wakes.load(Ordering::SeqCst), 1);
    assert_eq!(inbox.drain(4).0.len(), 4);
    assert_eq!(wakes.load(Ordering::SeqCst), 2);
    assert_eq!(inbox.drain(100).0.len(), 6);
    assert_eq!(wakes.load(Ordering::SeqCst), 2);
    inbox.push(message("t", 11));
    assert_eq!(wakes.load(Ordering::SeqCst), 3);
}

#[test]
fn the_holes_of_one_flooding_topic_do_not_grow() {
    let inbox = Inbox::new(|| {});
    for n in 0..65 {
        inbox.push(message(&format!("old/{n}"), n));
    }
    for n in 0..100_000 {
        inbox.push(message("flood", n));
    }
    assert!(inbox.lock().slots.len() <= 2 * MOST + 1);
    let (messages, coalesced) = drain_all(&inbox);
    assert_eq!((messages.len(), coalesced), (66, 99_999));
    assert_eq!(messages[65].payload, "99999");
}

#[derive(Clone, Debug)]
enum Step {
    Push(u8),
    Drain(usize),
    Protect(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0_u8..40).prop_map(Step::Push),
        1 => (0_usize..50).prop_map(Step::Drain),
        1 => proptest::collection::vec(0_u8..40, 0..4).prop_map(Step::Protect),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_happens_it_is_bounded_ordered_and_accounts_for_every_message(
        steps in proptest::collection::vec(step(), 0..3000),
    ) {
        let inbox = Inbox::new(|| {});
        let mut protected: HashSet<u8> = HashSet::new();
        let mut pushed = 0_u64;
        let mut must_arrive = Vec::new();
        let mut last_of_topic = HashMap::new();
        let mut got = Vec::new();
        let mut lost = 0;
        let mut most_protected = 0;
        for step in steps {
            match step {
                Step::Push(topic) => {
                    inbox.push(message(&topic.to_string(), pushed));
                    if protected.contains(&topic) {
                        must_arrive.push(pushed);
                        most_protected += 1;
                    }
                    last_of_topic.insert(topic, pushed);
                    pushed += 1;
                }
                Step::Drain(max) => {
                    let (some, n) = inbox.drain(max);
                    prop_assert!(some.len() <= max);
                    got.extend(some);
                    lost += n;
                }
                Step::Protect(topics) => {
                    protected = topics.iter().copied().collect();
                    inbox.protect(topics.iter().map(ToString::to_string));
                }
            }
            let waiting = inbox.lock();
            prop_assert!(waiting.live <= MOST);
            prop_assert!(waiting.newest.len() <= waiting.slots.len());
        }
        let (rest, n) = drain_all(&inbox);
        got.extend(rest);
        lost += n;
        let numbers: Vec<u64> = got.iter().map(number).collect();
        prop_assert!(numbers.windows(2).all(|w| w[0] < w[1]), "arrival order");
        prop_assert_eq!(numbers.len() as u64 + lost, pushed, "each is delivered or counted");
        if most_protected < MOST {
            for n in &must_arrive {
                prop_assert!(numbers.binary_search(n).is_ok(), "protected {} was lost", n);
            }
            for n in last_of_topic.values() {
                prop_assert!(numbers.binary_search(n).is_ok(), "the newest value {} was lost", n);
            }
        }
    }
}

fn number(message: &Message) -> u64 {
    std::str::from_utf8(&message.payload)
        .expect("text")
        .parse()
        .expect("a number")
}
