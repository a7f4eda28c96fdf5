//! What the MQTT side counts, for the broker's page and for Prometheus.
//!
//! Each kind of loss is logged once and counted ever after. It must never make
//! a label out of a topic.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Most topics whose loss is logged by name; the others are only counted.
const TOPICS_LOGGED: usize = 100;

#[derive(Default)]
pub(crate) struct Counts {
    received: AtomicU64,
    sent: AtomicU64,
    incoming: Minute,
    outgoing: Minute,
    dropped: AtomicU64,
    refused: AtomicU64,
    logged: Mutex<HashSet<(&'static str, String)>>,
}

impl Counts {
    /// A message arrived.
    pub(crate) fn received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.incoming.add();
        metrics::counter!("iothome_mqtt_messages_received_total").increment(1);
    }

    /// A message was written to the broker's socket.
    pub(crate) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.outgoing.add();
        metrics::counter!("iothome_mqtt_messages_sent_total").increment(1);
    }

    /// A message is not delivered.
    pub(crate) fn drop_message(&self, why: &'static str, topic: &str) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("iothome_mqtt_messages_dropped_total", "why" => why).increment(1);
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() < TOPICS_LOGGED && logged.insert((why, topic.to_owned())) {
            tracing::warn!(
                topic,
                why,
                "a message was dropped; further ones are counted only"
            );
        }
    }

    /// The broker refused a subscription.
    pub(crate) fn subscription_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("iothome_mqtt_subscriptions_refused_total").increment(1);
    }

    /// Messages a second over the last minute: received, sent.
    pub(crate) fn rates(&self) -> (f64, f64) {
        (self.incoming.per_second(), self.outgoing.per_second())
    }

    pub(crate) fn total_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn total_received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(crate) fn total_dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn total_refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Seconds over which a rate is told.
const SECONDS: usize = 60;

/// How many in each of the last sixty seconds. Every second has a slot that is used again a
/// minute later; a slot holds its second in the upper half and the count in the lower.
struct Minute {
    since: Instant,
    slots: [AtomicU64; SECONDS],
}

impl Default for Minute {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            slots: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl Minute {
    fn add(&self) {
        self.add_at(self.since.elapsed().as_secs());
    }

    fn add_at(&self, second: u64) {
        let counted = |slot: u64| {
            // A count of 4,000 million in a second does not happen.
            Some(if slot >> 32 == second {
                slot + 1
            } else {
                (second << 32) | 1
            })
        };
        let slot = &self.slots[second as usize % SECONDS];
        // The closure always gives a value, so this cannot fail.
        let _ = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted);
    }

    fn per_second(&self) -> f64 {
        self.per_second_at(self.since.elapsed().as_secs())
    }

    /// The second that runs is not over, so it does not count.
    fn per_second_at(&self, second: u64) -> f64 {
        let oldest = second.saturating_sub(SECONDS as u64 - 1);
        let counted = self.slots.iter().map(|slot| slot.load(Ordering::Relaxed));
        let recent = counted.filter(|slot| (oldest..second).contains(&(slot >> 32)));
        let sum: u64 = recent.map(|slot| slot & 0xffff_ffff).sum();
        sum as f64 / (second - oldest).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_counts_the_last_minute_and_nothing_older() {
        let minute = Minute::default();
        assert_eq!(minute.per_second_at(0), 0.0);
        for _ in 0..118 {
            minute.add_at(70);
        }
        // The second that runs is not over.
        assert_eq!(minute.per_second_at(70), 0.0);
        assert_eq!(minute.per_second_at(71), 2.0);
        assert_eq!(minute.per_second_at(129), 2.0);
        assert_eq!(minute.per_second_at(130), 0.0);
        minute.add_at(130);
        assert_eq!(minute.per_second_at(131), 1.0 / 59.0);
    }

    #[test]
    fn a_young_connection_is_measured_over_the_seconds_it_has() {
        let minute = Minute::default();
        for _ in 0..6 {
            minute.add_at(1);
        }
        assert_eq!(minute.per_second_at(3), 2.0);
    }
}
