//! What is to be published and not yet acknowledged by the broker.
//!
//! Pure: owner of the order, the window and the deadlines of publications. The
//! client library forgets its queue when the broker forgets the session, so this
//! is the only memory. It must never hand out a parcel after its deadline, and
//! never hand out a `once` parcel twice.

use bytes::Bytes;
use iothome_engine::ids::{CommandId, DeviceId};
use iothome_engine::time::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Most parcels kept: commands of a house of 10,000 devices, one each.
pub(crate) const MOST: usize = 10_000;

/// Most times a parcel is handed to a connection: if five connections died with it
/// on board, it is better lost than the sixth.
const MOST_ATTEMPTS: u32 = 5;

/// What names a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A command.
    Command(CommandId),
    /// A message of the hub itself, numbered.
    Plain(u64),
}

/// One publication.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parcel {
    pub(crate) key: Key,
    /// Whose command it is; `None` for the hub's own messages.
    pub(crate) device: Option<DeviceId>,
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) retain: bool,
    /// After this it is not sent any more.
    pub(crate) deadline_at: Option<Timestamp>,
    /// Never sent a second time (`press`).
    pub(crate) once: bool,
}

/// The outbox is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// The outbox.
#[derive(Default)]
pub(crate) struct Outbox {
    entries: HashMap<Key, Entry>,
    /// What waits, by the order in which it was put in.
    waiting: BTreeMap<u64, Key>,
    /// What the connection has and the broker has not acknowledged.
    handed: HashSet<Key>,
    next_order: u64,
    /// How many may be handed out at once; none while there is no connection.
    window: usize,
}

struct Entry {
    parcel: Parcel,
    order: u64,
    attempts: u32,
}

impl Outbox {
    /// Puts a parcel in; the same key again replaces nothing.
    pub(crate) fn put(&mut self, parcel: Parcel) -> Result<(), Full> {
        if self.entries.contains_key(&parcel.key) {
            return Ok(());
        }
        if self.entries.len() >= MOST {
            return Err(Full);
        }
        let (key, order) = (parcel.key, self.next_order);
        self.next_order += 1;
        self.waiting.insert(order, key);
        self.entries.insert(
            key,
            Entry {
                parcel,
                order,
                attempts: 0,
            },
        );
        Ok(())
    }

    /// Takes a parcel out; if the connection already has it, it may still be sent.
    pub(crate) fn remove(&mut self, key: Key) {
        if let Some(entry) = self.entries.remove(&key) {
            self.waiting.remove(&entry.order);
        }
    }

    /// The next parcel to hand to the connection, if its window is not full.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Parcel> {
        while self.handed.len() < self.window {
            let (_, key) = self.waiting.pop_first()?;
            let Some(entry) = self.entries.get_mut(&key) else {
                continue;
            };
            let late = entry.parcel.deadline_at.is_some_and(|at| at <= now);
            if late || entry.attempts >= MOST_ATTEMPTS {
                // Who asked has a deadline of their own and ends the command by it.
                self.entries.remove(&key);
                continue;
            }
            entry.attempts += 1;
            self.handed.insert(key);
            return Some(entry.parcel.clone());
        }
        None
    }

    /// The connection could not take it or gave it back: it waits again, where it was.
    pub(crate) fn give_back(&mut self, key: Key) {
        self.handed.remove(&key);
        if let Some(entry) = self.entries.get_mut(&key) {
            // It never left, so no connection can have died of it.
            entry.attempts = entry.attempts.saturating_sub(1);
            self.waiting.insert(entry.order, key);
        }
    }

    /// The broker acknowledged or refused it.
    pub(crate) fn settled(&mut self, key: Key) {
        self.handed.remove(&key);
        self.remove(key);
    }

    /// A connection is there that may have so many publications under way.
    pub(crate) fn opened(&mut self, window: usize) {
        self.window = window.max(1);
    }

    /// The connection is gone: what it had waits again, except what may go only once.
    pub(crate) fn lost(&mut self) {
        self.window = 0;
        for key in std::mem::take(&mut self.handed) {
            let Some(entry) = self.entries.get(&key) else {
                continue;
            };
            if entry.parcel.once {
                // It may have arrived: at most once means not to ask again.
                self.entries.remove(&key);
            } else {
                self.waiting.insert(entry.order, key);
            }
        }
    }

    /// How many parcels are not acknowledged.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_000)
    }

    fn parcel(n: u64) -> Parcel {
        Parcel {
            key: Key::Plain(n),
            device: None,
            topic: format!("t/{n}"),
            payload: Bytes::from_static(b"on"),
            retain: false,
            deadline_at: Some(now().plus_millis(5_000)),
            once: false,
        }
    }

    fn handed(outbox: &mut Outbox) -> Vec<Key> {
        std::iter::from_fn(|| outbox.next(now()).map(|p| p.key)).collect()
    }

    fn filled(n: u64, window: usize) -> Outbox {
        let mut outbox = Outbox::default();
        for n in 0..n {
            outbox.put(parcel(n)).expect("room");
        }
        outbox.opened(window);
        outbox
    }

    #[test]
    fn parcels_leave_in_order_within_the_window() {
        let mut outbox = filled(5, 2);
        assert_eq!(handed(&mut outbox), [Key::Plain(0), Key::Plain(1)]);
        outbox.settled(Key::Plain(0));
        assert_eq!(handed(&mut outbox), [Key::Plain(2)]);
        assert_eq!(outbox.len(), 4);
    }

    #[test]
    fn without_a_connection_nothing_leaves() {
        let mut outbox = Outbox::default();
        outbox.put(parcel(0)).expect("room");
        assert_eq!(handed(&mut outbox), []);
    }

    #[test]
    fn what_a_lost_connection_had_is_sent_again_in_the_first_order() {
        let mut outbox = filled(4, 3);
        assert_eq!(handed(&mut outbox).len(), 3);
        outbox.settled(Key::Plain(1));
        outbox.lost();
        assert_eq!(handed(&mut outbox), []);
        outbox.opened(10);
        assert_eq!(
            handed(&mut outbox),
            [Key::Plain(0), Key::Plain(2), Key::Plain(3)]
        );
    }

    #[test]
    fn what_may_go_only_once_is_not_sent_again() {
        let mut outbox = Outbox::default();
        for n in 0..2 {
            let once = Parcel {
                once: true,
                ..parcel(n)
            };
            outbox.put(once).expect("room");
        }
        outbox.opened(1);
        assert_eq!(handed(&mut outbox), [Key::Plain(0)]);
        outbox.lost();
        outbox.opened(10);
        assert_eq!(handed(&mut outbox), [Key::Plain(1)]);
    }

    #[test]
    fn nothing_leaves_after_its_deadline() {
        let mut outbox = filled(2, 10);
        assert_eq!(outbox.next(now().plus_millis(5_000)), None);
        assert_eq!(outbox.len(), 0);
    }

    #[test]
    fn what_was_taken_out_does_not_leave_and_its_place_in_the_window_comes_back() {
        let mut outbox = filled(3, 1);
        assert_eq!(handed(&mut outbox), [Key::Plain(0)]);
        outbox.remove(Key::Plain(0));
        outbox.remove(Key::Plain(1));
        assert_eq!(handed(&mut outbox), []);
        outbox.settled(Key::Plain(0));
        assert_eq!(handed(&mut outbox), [Key::Plain(2)]);
    }

    #[test]
    fn a_parcel_that_connections_die_of_is_given_up() {
        let mut outbox = filled(1, 1);
        for _ in 0..MOST_ATTEMPTS {
            assert_eq!(handed(&mut outbox), [Key::Plain(0)]);
            outbox.lost();
            outbox.opened(1);
        }
        assert_eq!(handed(&mut outbox), []);
        assert_eq!(outbox.len(), 0);
    }

    #[test]
    fn a_parcel_that_was_given_back_unsent_is_not_given_up() {
        let mut outbox = filled(1, 1);
        for _ in 0..=MOST_ATTEMPTS {
            assert_eq!(handed(&mut outbox), [Key::Plain(0)]);
            outbox.give_back(Key::Plain(0));
        }
        assert_eq!(outbox.len(), 1);
    }

    #[test]
    fn it_is_bounded() {
        let mut outbox = filled(MOST as u64, 1);
        assert_eq!(outbox.put(parcel(1_000_000)), Err(Full));
        assert_eq!(outbox.put(parcel(0)), Ok(()), "known parcels are no news");
    }
}
