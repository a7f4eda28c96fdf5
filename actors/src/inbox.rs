//! The bounded inbox of one device: what the broker delivered and the device has not yet seen.
//!
//! The MQTT connection writes it, the device's actor drains it. It must never
//! block, never grow without bound, and never coalesce a message on a protected
//! topic (availability, or one that could end a command under way).

use bytes::Bytes;
use iothome_engine::time::Timestamp;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// With more than this waiting, a device is *behind* and its states coalesce:
/// a healthy device is drained after every message, so 64 means it cannot keep up.
const BEHIND: usize = 64;

/// Most messages that wait: with the payload bound of the connection this keeps
/// one flooding device from taking the house's memory.
const MOST: usize = 1024;

/// One message that arrived for the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The topic it came on.
    pub(crate) topic: Arc<str>,
    /// What it says.
    pub(crate) payload: Bytes,
    /// Whether it is a replay of what the broker kept, not news.
    pub(crate) retained: bool,
    /// When the hub received it.
    pub(crate) received_at: Timestamp,
}

/// The inbox; shared by the connection (pushes) and the device's actor (drains).
pub(crate) struct Inbox {
    waiting: Mutex<Waiting>,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// Messages in arrival order. A coalesced message leaves a hole, so that the order
/// of the others stands; holes are squeezed out when they outnumber the bound.
#[derive(Default)]
struct Waiting {
    slots: VecDeque<Option<Slot>>,
    /// Number of the first slot: slot `n` is at index `n - first`.
    first: u64,
    /// How many slots hold a message.
    live: usize,
    /// The newest message per topic that may be coalesced, as a slot number.
    newest: HashMap<(Arc<str>, bool), u64>,
    protected: HashSet<Arc<str>>,
    /// Coalesced or dropped since the last drain.
    coalesced: u64,
    /// The same by topic, since it was last asked for; only topics that are subscribed.
    lost: HashMap<Arc<str>, u32>,
    /// Whether the actor was told and has not drained everything since.
    woken: bool,
}

struct Slot {
    message: Message,
    protected: bool,
}

impl Inbox {
    /// How many messages may wait.
    pub(crate) const MOST: usize = MOST;

    /// How many messages wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().live
    }

    /// An empty inbox. `wake` is called once when messages wait, from the connection's
    /// task: it must not block.
    pub(crate) fn new(wake: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            wake: Box::new(wake),
        })
    }

    /// Takes a message in; wakes the actor if it sleeps.
    pub(crate) fn push(&self, message: Message) {
        let mut waiting = self.lock();
        waiting.push(message);
        let wake = waiting.live > 0 && !std::mem::replace(&mut waiting.woken, true);
        drop(waiting);
        if wake {
            (self.wake)();
        }
    }

    /// Hands out up to `max` messages in arrival order, and how many were coalesced or
    /// dropped since the last time. If more wait, the actor is woken again.
    pub(crate) fn drain(&self, max: usize) -> (Vec<Message>, u64) {
        let mut waiting = self.lock();
        let messages = waiting.take(max);
        let coalesced = std::mem::take(&mut waiting.coalesced);
        let more = waiting.live > 0;
        waiting.woken = more;
        drop(waiting);
        if more {
            (self.wake)();
        }
        (messages, coalesced)
    }

    /// On which topics how many messages were coalesced or dropped since the last time.
    pub(crate) fn take_lost(&self) -> Vec<(Arc<str>, u32)> {
        self.lock().lost.drain().collect()
    }

    /// Says on which topics no message may be coalesced from now on; replaces the last list.
    pub(crate) fn protect(&self, topics: impl IntoIterator<Item = String>) {
        let protected = topics.into_iter().map(Arc::from).collect();
        self.lock().protected = protected;
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Each change below leaves the queue whole, so a panic elsewhere cannot have torn it.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("waiting", &self.lock().live)
            .finish_non_exhaustive()
    }
}

impl Waiting {
    fn push(&mut self, message: Message) {
        let protected = self.protected.contains(&message.topic);
        let key = (message.topic.clone(), message.retained);
        let behind = !protected && self.live > BEHIND;
        if let Some(old) = self.newest.get(&key).copied().filter(|_| behind) {
            self.drop_slot(old);
        }
        if self.live >= MOST && !self.make_room() {
            // Only protected messages wait: the newest is the one to lose, as the
            // device will repeat it, and the older ones may end a command.
            self.count_lost(message.topic);
            return;
        }
        if !protected {
            let number = self.first + self.slots.len() as u64;
            self.newest.insert(key, number);
        }
        self.slots.push_back(Some(Slot { message, protected }));
        self.live += 1;
        if self.slots.len() > 2 * MOST {
            self.squeeze();
        }
    }

    /// Drops the oldest message that may be lost; `false` if there is none.
    fn make_room(&mut self) -> bool {
        let oldest = self
            .slots
            .iter()
            .position(|slot| slot.as_ref().is_some_and(|s| !s.protected));
        let Some(index) = oldest else { return false };
        self.drop_slot(self.first + index as u64);
        true
    }

    /// Empties the slot with that number and counts it.
    fn drop_slot(&mut self, number: u64) {
        let Some(slot) = self.slot_mut(number).and_then(Option::take) else {
            return;
        };
        self.forget(&slot.message, number);
        self.live -= 1;
        self.count_lost(slot.message.topic);
    }

    fn count_lost(&mut self, topic: Arc<str>) {
        self.coalesced += 1;
        let lost = self.lost.entry(topic).or_default();
        *lost = lost.saturating_add(1);
    }

    fn slot_mut(&mut self, number: u64) -> Option<&mut Option<Slot>> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.slots.get_mut(index)
    }

    /// Takes the message out of the index, unless a newer one is there.
    fn forget(&mut self, message: &Message, number: u64) {
        let key = (message.topic.clone(), message.retained);
        if self.newest.get(&key) == Some(&number) {
            self.newest.remove(&key);
        }
    }

    fn take(&mut self, max: usize) -> Vec<Message> {
        let mut taken = Vec::with_capacity(max.min(self.live));
        while taken.len() < max {
            let Some(slot) = self.slots.pop_front() else {
                break;
            };
            let number = self.first;
            self.first += 1;
            if let Some(slot) = slot {
                self.forget(&slot.message, number);
                self.live -= 1;
                taken.push(slot.message);
            }
        }
        taken
    }

    /// Closes the holes.
    fn squeeze(&mut self) {
        self.slots.retain(Option::is_some);
        self.newest.clear();
        for (index, slot) in self.slots.iter().enumerate() {
            if let Some(slot) = slot.as_ref().filter(|s| !s.protected) {
                let key = (slot.message.topic.clone(), slot.message.retained);
                self.newest.insert(key, self.first + index as u64);
            }
        }
    }
}

#[cfg(test)]
#[path = "inbox_tests.rs"]
mod tests;
