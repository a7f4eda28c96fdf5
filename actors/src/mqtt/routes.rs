//! Which topic belongs to which devices, and what must be subscribed for it.
//!
//! Devices' actors write it, the connection reads it for every message. It must
//! never hold a lock while it does anything else than look up and note down.

use crate::inbox::{Inbox, Message};
use bytes::Bytes;
use iothome_engine::ids::DeviceId;
use iothome_engine::time::Timestamp;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// The table of topics.
#[derive(Default)]
pub(crate) struct Routes {
    table: RwLock<Table>,
    /// Tells the MQTT actor that subscriptions are to be changed; set when it starts.
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct Table {
    topics: HashMap<Arc<str>, Vec<Route>>,
    devices: HashMap<DeviceId, Known>,
    /// Topics whose subscription must be made or ended; the table says which.
    due: VecDeque<Arc<str>>,
}

struct Known {
    inbox: Arc<Inbox>,
    topics: Vec<Arc<str>>,
}

struct Route {
    device: DeviceId,
    inbox: Arc<Inbox>,
    /// Whether the device waits for the broker's replay. Subscribing again for another
    /// device's sake makes the broker replay to all, and it is news only to that one.
    wants_replay: AtomicBool,
}

/// What to ask of the broker next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) subscribe: Vec<Arc<str>>,
    pub(crate) unsubscribe: Vec<Arc<str>>,
}

impl Routes {
    /// The device reads these topics, and what comes on them goes to this inbox.
    ///
    /// A new inbox (the actor was restarted) has all of them replayed to it.
    pub(crate) fn set(&self, device: &DeviceId, topics: Vec<String>, inbox: &Arc<Inbox>) {
        self.change(|table| table.set(device, topics, inbox));
    }

    /// The device is gone.
    pub(crate) fn remove(&self, device: &DeviceId) {
        self.change(|table| table.remove(device));
    }

    /// Gives a message to every device that reads its topic; `false` if none does.
    pub(crate) fn deliver(
        &self,
        topic: &str,
        payload: &Bytes,
        retained: bool,
        at: Timestamp,
    ) -> bool {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let Some((topic, routes)) = table.topics.get_key_value(topic) else {
            return false;
        };
        for route in routes {
            if retained && !route.wants_replay.swap(false, Ordering::Relaxed) {
                continue;
            }
            route.inbox.push(Message {
                topic: topic.clone(),
                payload: payload.clone(),
                retained,
                received_at: at,
            });
        }
        true
    }

    /// A new connection: everything must be subscribed again, `extra` first, and is replayed to all.
    pub(crate) fn restart(&self, extra: &[Arc<str>]) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let table = &mut *table;
        table.due = extra.iter().chain(table.topics.keys()).cloned().collect();
        for route in table.topics.values().flatten() {
            route.wants_replay.store(true, Ordering::Relaxed);
        }
    }

    /// The next changes, at most so many filters and about so many bytes. `extra` are
    /// filters that are always wanted.
    pub(crate) fn next_batch(&self, extra: &[Arc<str>], most: usize, most_bytes: usize) -> Batch {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Batch::default();
        let mut bytes = 0;
        for _ in 0..most {
            let Some(topic) = table.due.pop_front() else {
                break;
            };
            bytes += topic.len() + 3;
            if table.topics.contains_key(&topic) || extra.contains(&topic) {
                batch.subscribe.push(topic);
            } else {
                batch.unsubscribe.push(topic);
            }
            if bytes >= most_bytes {
                break;
            }
        }
        batch
    }

    /// The batch could not be asked of the broker now: it is due again, first.
    pub(crate) fn put_back(&self, topics: Vec<Arc<str>>) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        for topic in topics.into_iter().rev() {
            table.due.push_front(topic);
        }
    }

    /// Whether every subscription is as it should be.
    pub(crate) fn is_settled(&self) -> bool {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.due.is_empty()
    }

    /// Who to tell when subscriptions are to be changed; the first call counts.
    pub(crate) fn on_change(&self, wake: impl Fn() + Send + Sync + 'static) {
        let _ = self.wake.set(Box::new(wake));
    }

    fn change(&self, change: impl FnOnce(&mut Table)) {
        let due = {
            let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
            change(&mut table);
            !table.due.is_empty()
        };
        if let (true, Some(wake)) = (due, self.wake.get()) {
            wake();
        }
    }
}

impl Table {
    fn set(&mut self, device: &DeviceId, topics: Vec<String>, inbox: &Arc<Inbox>) {
        let known = self.devices.remove(device);
        let same_inbox = known.as_ref().is_some_and(|k| Arc::ptr_eq(&k.inbox, inbox));
        let before = known.map(|k| k.topics).unwrap_or_default();
        let wanted: HashSet<Arc<str>> = topics.into_iter().map(Arc::from).collect();
        for topic in &before {
            if !same_inbox || !wanted.contains(topic) {
                self.detach(device, topic);
            }
        }
        for topic in &wanted {
            if !same_inbox || !before.contains(topic) {
                self.attach(device, topic, inbox);
            }
        }
        for topic in before {
            if !wanted.contains(&topic) && !self.topics.contains_key(&topic) {
                self.due.push_back(topic);
            }
        }
        let known = Known {
            inbox: inbox.clone(),
            topics: wanted.into_iter().collect(),
        };
        self.devices.insert(device.clone(), known);
    }

    fn remove(&mut self, device: &DeviceId) {
        let Some(known) = self.devices.remove(device) else {
            return;
        };
        for topic in known.topics {
            self.detach(device, &topic);
            if !self.topics.contains_key(&topic) {
                self.due.push_back(topic);
            }
        }
    }

    fn attach(&mut self, device: &DeviceId, topic: &Arc<str>, inbox: &Arc<Inbox>) {
        let route = Route {
            device: device.clone(),
            inbox: inbox.clone(),
            wants_replay: AtomicBool::new(true),
        };
        self.topics.entry(topic.clone()).or_default().push(route);
        self.due.push_back(topic.clone());
    }

    fn detach(&mut self, device: &DeviceId, topic: &Arc<str>) {
        if let Some(routes) = self.topics.get_mut(topic) {
            routes.retain(|route| route.device != *device);
            if routes.is_empty() {
                self.topics.remove(topic);
            }
        }
    }
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
