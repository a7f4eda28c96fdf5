//! Who is connected to the broker.
//!
//! Owner of the list of live connections. It must never hold more than there are
//! connections, plus a bounded number that are still shaking hands.

use iothome_engine::time::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A connection is either established or given up within this time; the broker waits 10 s.
const ARRIVAL_MS: i64 = 30_000;
/// Handshakes that may be under way before stale ones are looked for.
const ARRIVALS_BEFORE_SWEEP: usize = 1_024;

/// One live connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectedClient {
    /// The MQTT client id.
    pub client_id: String,
    /// The credential it came in with.
    pub username: String,
    /// Where it comes from.
    pub address: SocketAddr,
    /// Since when.
    pub connected_at: Timestamp,
}

/// A client that showed a good password and is not yet connected.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) client: ConnectedClient,
    /// The digest of the password it showed: a password changed meanwhile does not count.
    pub(crate) secret_sha256: String,
}

#[derive(Debug, Default)]
pub(crate) struct Guests {
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    arriving: HashMap<String, Arrival>,
    /// A client id has two entries for a moment while a newer connection displaces the older.
    connected: HashMap<String, VecDeque<ConnectedClient>>,
}

impl Guests {
    fn book(&self) -> MutexGuard<'_, Book> {
        // Every change below is a single insertion or removal, so a poisoned book is whole.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another user is connected under this client id now.
    pub(crate) fn belongs_to_other(&self, client_id: &str, username: &str) -> bool {
        self.book()
            .connected
            .get(client_id)
            .is_some_and(|all| all.iter().any(|c| c.username != username))
    }

    pub(crate) fn arrive(&self, arrival: Arrival) {
        let mut book = self.book();
        if book.arriving.len() >= ARRIVALS_BEFORE_SWEEP {
            let now = arrival.client.connected_at.as_millis();
            book.arriving
                .retain(|_, a| now - a.client.connected_at.as_millis() < ARRIVAL_MS);
        }
        book.arriving
            .insert(arrival.client.client_id.clone(), arrival);
    }

    /// The connection is up; gives what was noted at the door.
    pub(crate) fn enter(&self, client_id: &str) -> Option<Arrival> {
        let mut book = self.book();
        let arrival = book.arriving.remove(client_id)?;
        book.connected
            .entry(client_id.to_owned())
            .or_default()
            .push_back(arrival.client.clone());
        Some(arrival)
    }

    /// A connection of this client id ended: the oldest, since a newer one displaces it.
    pub(crate) fn leave(&self, client_id: &str) {
        let mut book = self.book();
        let Some(all) = book.connected.get_mut(client_id) else {
            return;
        };
        all.pop_front();
        if all.is_empty() {
            book.connected.remove(client_id);
        }
    }

    pub(crate) fn of(&self, username: &str) -> Vec<String> {
        let book = self.book();
        let connected = book.connected.iter();
        connected
            .filter(|(_, all)| all.iter().any(|c| c.username == username))
            .map(|(id, _)| id.clone())
            .collect()
    }

    pub(crate) fn all(&self) -> Vec<ConnectedClient> {
        let mut all: Vec<ConnectedClient> = self
            .book()
            .connected
            .values()
            .filter_map(|of_one| of_one.back().cloned())
            .collect();
        all.sort_by(|a, b| (&a.username, &a.client_id).cmp(&(&b.username, &b.client_id)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(client_id: &str, username: &str, at_ms: i64) -> Arrival {
        Arrival {
            client: ConnectedClient {
                client_id: client_id.to_owned(),
                username: username.to_owned(),
                address: ([127, 0, 0, 1], 4_000).into(),
                connected_at: Timestamp::from_millis(at_ms),
            },
            secret_sha256: String::new(),
        }
    }

    #[test]
    fn a_displaced_connection_leaves_the_newer_one_in_the_list() {
        let guests = Guests::default();
        guests.arrive(arrival("c", "lamp", 1));
        guests.enter("c");
        guests.arrive(arrival("c", "lamp", 2));
        guests.enter("c");
        guests.leave("c");
        assert_eq!(guests.all(), [arrival("c", "lamp", 2).client]);
        guests.leave("c");
        assert_eq!(guests.all(), []);
        guests.leave("c");
    }

    #[test]
    fn a_client_id_in_use_by_another_user_is_known() {
        let guests = Guests::default();
        guests.arrive(arrival("c", "lamp", 1));
        assert!(!guests.belongs_to_other("c", "fridge"));
        guests.enter("c");
        assert!(guests.belongs_to_other("c", "fridge"));
        assert!(!guests.belongs_to_other("c", "lamp"));
        assert_eq!(guests.of("lamp"), ["c"]);
    }

    #[test]
    fn handshakes_that_never_end_are_forgotten() {
        let guests = Guests::default();
        for n in 0..ARRIVALS_BEFORE_SWEEP {
            guests.arrive(arrival(&n.to_string(), "flood", 0));
        }
        guests.arrive(arrival("last", "lamp", ARRIVAL_MS + 1));
        assert_eq!(guests.book().arriving.len(), 1);
    }
}
