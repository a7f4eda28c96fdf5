//! What the MQTT side counts, for the broker's page and for Prometheus.
//!
//! Each kind of loss is logged once and counted ever after. It must never make
//! a label out of a topic.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Most topics whose loss is logged by name; the others are only counted.
const TOPICS_LOGGED: usize = 100;

#[derive(Default)]
pub(crate) struct Counts {
    received: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    logged: Mutex<HashSet<(&'static str, String)>>,
}

impl Counts {
    /// A message arrived.
    pub(crate) fn received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("iothome_mqtt_messages_received_total").increment(1);
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
