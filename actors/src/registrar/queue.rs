//! Announcements on their way to the registrar: the newest per topic, bounded.
//!
//! Owner of what has arrived and was not looked at. It lies outside of the actor
//! so that nothing is lost when that fails; it must never grow with a flood.

use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Topics waiting: a house of 10,000 devices announces itself at once after each connect.
pub(crate) const TOPICS_MAX: usize = 32_768;

/// Bytes waiting: twice what such a house announces (1 KB each is usual).
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// The largest configuration: bundles of real devices stay below 20 KB.
const PAYLOAD_MAX: usize = 256 * 1024;

/// Announcements that wait.
#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    newest: HashMap<String, Bytes>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Queue {
    /// Adds an announcement; one that waits on the same topic is replaced, in its place.
    /// `false` if it was dropped.
    pub(crate) fn push(&self, topic: &str, payload: Bytes) -> bool {
        let taken = payload.len() <= PAYLOAD_MAX && self.lock().push(topic, payload, true);
        if !taken {
            metrics::counter!("iothome_announcements_dropped_total").increment(1);
        }
        taken
    }

    /// Puts back what could not be dealt with, unless something newer has come.
    pub(crate) fn put_back(&self, announcements: Vec<(String, Bytes)>) {
        let mut waiting = self.lock();
        for (topic, payload) in announcements {
            waiting.push(&topic, payload, false);
        }
    }

    /// Takes the longest waiting.
    pub(crate) fn take(&self, max: usize) -> Vec<(String, Bytes)> {
        let mut waiting = self.lock();
        let mut taken = Vec::new();
        while taken.len() < max
            && let Some(topic) = waiting.order.pop_front()
        {
            if let Some(payload) = waiting.newest.remove(&topic) {
                waiting.bytes -= payload.len();
                taken.push((topic, payload));
            }
        }
        taken
    }

    /// On how many topics something waits.
    pub(crate) fn len(&self) -> usize {
        self.lock().newest.len()
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().newest.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, topic: &str, payload: Bytes, replace: bool) -> bool {
        let old = self.newest.get(topic).map(Bytes::len);
        if old.is_some() && !replace {
            return true;
        }
        let bytes = self.bytes - old.unwrap_or(0) + payload.len();
        if bytes > BYTES_MAX || (old.is_none() && self.newest.len() >= TOPICS_MAX) {
            return false;
        }
        if old.is_none() {
            self.order.push_back(topic.to_owned());
        }
        self.bytes = bytes;
        self.newest.insert(topic.to_owned(), payload);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_announcement_of_a_topic_waits_and_keeps_its_place() {
        let queue = Queue::default();
        for (topic, payload) in [("a", "1"), ("b", "1"), ("a", "2")] {
            assert!(queue.push(topic, Bytes::from(payload)));
        }
        let taken = queue.take(10);
        assert_eq!(
            taken,
            [
                ("a".into(), Bytes::from("2")),
                ("b".into(), Bytes::from("1"))
            ]
        );
        assert!(queue.is_empty());
        assert_eq!(queue.lock().bytes, 0);
    }

    #[test]
    fn a_flood_and_a_giant_are_dropped() {
        let queue = Queue::default();
        assert!(!queue.push("giant", Bytes::from(vec![0; PAYLOAD_MAX + 1])));
        for n in 0..TOPICS_MAX {
            assert!(queue.push(&n.to_string(), Bytes::new()));
        }
        assert!(!queue.push("one more", Bytes::new()));
        assert!(
            queue.push("7", Bytes::from("newer")),
            "a known topic still moves on"
        );
    }

    #[test]
    fn what_is_put_back_does_not_replace_something_newer() {
        let queue = Queue::default();
        queue.push("a", Bytes::from("newer"));
        queue.put_back(vec![
            ("a".into(), Bytes::from("older")),
            ("b".into(), Bytes::from("1")),
        ]);
        assert_eq!(queue.take(2)[0].1, Bytes::from("newer"));
    }
}
