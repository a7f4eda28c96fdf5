//! Who gets what, and what is subscribed for it.

use super::*;

fn id(text: &str) -> DeviceId {
    text.parse().expect("an id")
}

fn topics(list: &[&str]) -> Vec<String> {
    list.iter().map(|t| (*t).to_owned()).collect()
}

fn due(routes: &Routes) -> (Vec<String>, Vec<String>) {
    let batch = routes.next_batch(&[], 100, 100_000);
    let sorted = |list: Vec<Arc<str>>| {
        let mut list: Vec<String> = list.iter().map(ToString::to_string).collect();
        list.sort();
        list
    };
    (sorted(batch.subscribe), sorted(batch.unsubscribe))
}

fn deliver(routes: &Routes, topic: &str, retained: bool) -> bool {
    let at = Timestamp::from_millis(0);
    routes.deliver(topic, &Bytes::from_static(b"x"), retained, at)
}

fn got(inbox: &Inbox) -> usize {
    inbox.drain(100).0.len()
}

#[test]
fn a_message_goes_to_every_device_that_reads_its_topic_and_to_no_other() {
    let routes = Routes::default();
    let (lamp, fan) = (Inbox::new(|| {}), Inbox::new(|| {}));
    routes.set(&id("lamp"), topics(&["lamp/state", "bridge"]), &lamp);
    routes.set(&id("fan"), topics(&["fan/state", "bridge"]), &fan);
    assert!(deliver(&routes, "bridge", false));
    assert!(deliver(&routes, "lamp/state", false));
    assert!(!deliver(&routes, "safe/state", false));
    assert_eq!((got(&lamp), got(&fan)), (2, 1));
}

#[test]
fn only_changes_are_subscribed() {
    let routes = Routes::default();
    let inbox = Inbox::new(|| {});
    routes.set(&id("lamp"), topics(&["a", "b"]), &inbox);
    assert_eq!(due(&routes), (topics(&["a", "b"]), vec![]));
    routes.set(&id("lamp"), topics(&["a", "b"]), &inbox);
    assert!(routes.is_settled());
    routes.set(&id("lamp"), topics(&["b", "c"]), &inbox);
    assert_eq!(due(&routes), (topics(&["c"]), topics(&["a"])));
    routes.remove(&id("lamp"));
    assert_eq!(due(&routes), (vec![], topics(&["b", "c"])));
    assert!(!deliver(&routes, "b", false));
}

#[test]
fn a_topic_that_another_device_reads_stays_subscribed() {
    let routes = Routes::default();
    let inbox = Inbox::new(|| {});
    routes.set(&id("lamp"), topics(&["bridge"]), &inbox);
    routes.set(&id("fan"), topics(&["bridge"]), &Inbox::new(|| {}));
    due(&routes);
    routes.remove(&id("fan"));
    assert!(routes.is_settled());
    assert!(deliver(&routes, "bridge", false));
}

#[test]
fn a_topic_taken_up_again_before_its_end_was_sent_is_not_unsubscribed() {
    let routes = Routes::default();
    let inbox = Inbox::new(|| {});
    routes.set(&id("lamp"), topics(&["a"]), &inbox);
    due(&routes);
    routes.set(&id("lamp"), topics(&[]), &inbox);
    routes.set(&id("fan"), topics(&["a"]), &inbox);
    let (subscribe, unsubscribe) = due(&routes);
    assert!(subscribe.contains(&"a".to_owned()));
    assert!(unsubscribe.is_empty());
}

#[test]
fn a_replay_goes_only_to_the_device_that_waits_for_it() {
    let routes = Routes::default();
    let (lamp, fan) = (Inbox::new(|| {}), Inbox::new(|| {}));
    routes.set(&id("lamp"), topics(&["bridge"]), &lamp);
    assert!(deliver(&routes, "bridge", true));
    assert_eq!(got(&lamp), 1);
    routes.set(&id("fan"), topics(&["bridge"]), &fan);
    assert!(deliver(&routes, "bridge", true));
    assert_eq!((got(&lamp), got(&fan)), (0, 1));
}

#[test]
fn a_restarted_device_has_everything_replayed_to_its_new_inbox() {
    let routes = Routes::default();
    let (old, new) = (Inbox::new(|| {}), Inbox::new(|| {}));
    routes.set(&id("lamp"), topics(&["a", "b"]), &old);
    due(&routes);
    deliver(&routes, "a", true);
    routes.set(&id("lamp"), topics(&["a", "b"]), &new);
    assert_eq!(due(&routes), (topics(&["a", "b"]), vec![]));
    deliver(&routes, "a", true);
    assert_eq!((got(&old), got(&new)), (1, 1));
}

#[test]
fn a_new_connection_subscribes_everything_and_replays_to_all() {
    let routes = Routes::default();
    let inbox = Inbox::new(|| {});
    let extra: [Arc<str>; 1] = ["homeassistant/+/+/config".into()];
    routes.set(&id("lamp"), topics(&["a"]), &inbox);
    due(&routes);
    deliver(&routes, "a", true);
    got(&inbox);
    routes.restart(&extra);
    let batch = routes.next_batch(&extra, 100, 100_000);
    assert_eq!(batch.subscribe, [extra[0].clone(), "a".into()]);
    assert_eq!(batch.unsubscribe, []);
    deliver(&routes, "a", true);
    assert_eq!(got(&inbox), 1);
}

#[test]
fn batches_are_bounded_and_can_be_put_back() {
    let routes = Routes::default();
    let names: Vec<String> = (0..250).map(|n| format!("t/{n}")).collect();
    routes.set(&id("lamp"), names, &Inbox::new(|| {}));
    let first = routes.next_batch(&[], 100, 100_000).subscribe;
    assert_eq!(first.len(), 100);
    routes.put_back(first.clone());
    assert_eq!(routes.next_batch(&[], 100, 100_000).subscribe, first);
    assert!(routes.next_batch(&[], 100, 50).subscribe.len() < 15);
}
