//! Which acknowledgement belongs to which publication, on one connection.
//!
//! Pure. The client library numbers packets itself and tells the number only
//! when it writes one, in the order it was asked: so what was asked waits in a
//! queue until its number is told. It must never outlive its connection.

use super::outbox::Key;
use iothome_engine::ids::DeviceId;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// A publication on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cargo {
    pub(crate) key: Key,
    /// Whose command it is.
    pub(crate) device: Option<DeviceId>,
}

/// Filters of one subscribe packet.
pub(crate) type Filters = Vec<Arc<str>>;

/// Everything under way on one connection.
#[derive(Default)]
pub(crate) struct Flight {
    /// Asked of the client, not yet written.
    asked: VecDeque<Cargo>,
    /// Held back by the client, because an older packet has the same number.
    held: Option<(u16, Cargo)>,
    /// Written, not acknowledged.
    written: HashMap<u16, Cargo>,
    asked_filters: VecDeque<Filters>,
    written_filters: HashMap<u16, Filters>,
}

impl Flight {
    /// The client was asked to publish it.
    pub(crate) fn asked(&mut self, cargo: Cargo) {
        self.asked.push_back(cargo);
    }

    /// The client refused what it was asked last.
    pub(crate) fn not_taken(&mut self) {
        self.asked.pop_back();
    }

    /// A publish packet with this number was written. Number 0 is QoS 0, which nobody tracks.
    pub(crate) fn written(&mut self, number: u16) -> Option<&Cargo> {
        if number == 0 {
            return None;
        }
        let cargo = match self.held.take() {
            Some((held, cargo)) if held == number => cargo,
            held => {
                self.held = held;
                self.asked.pop_front()?
            }
        };
        self.written.insert(number, cargo);
        self.written.get(&number)
    }

    /// The client holds the next packet back until the older one of this number is acknowledged.
    pub(crate) fn held(&mut self, number: u16) {
        if let Some(cargo) = self.asked.pop_front() {
            self.held = Some((number, cargo));
        }
    }

    /// The client dropped the packet it held back.
    pub(crate) fn held_dropped(&mut self) -> Option<Cargo> {
        self.held.take().map(|(_, cargo)| cargo)
    }

    /// The broker acknowledged or refused the packet of this number.
    pub(crate) fn acknowledged(&mut self, number: u16) -> Option<Cargo> {
        self.written.remove(&number)
    }

    /// The client was asked to subscribe to these.
    pub(crate) fn asked_to_subscribe(&mut self, filters: Filters) {
        self.asked_filters.push_back(filters);
    }

    /// The client refused the subscribe packet it was asked last.
    pub(crate) fn subscribe_not_taken(&mut self) {
        self.asked_filters.pop_back();
    }

    /// A subscribe packet with this number was written.
    pub(crate) fn subscribe_written(&mut self, number: u16) {
        if let Some(filters) = self.asked_filters.pop_front() {
            self.written_filters.insert(number, filters);
        }
    }

    /// The broker answered the subscribe packet of this number.
    pub(crate) fn subscribe_acknowledged(&mut self, number: u16) -> Filters {
        self.written_filters.remove(&number).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cargo(n: u64) -> Cargo {
        Cargo {
            key: Key::Plain(n),
            device: None,
        }
    }

    #[test]
    fn an_acknowledgement_finds_the_publication_it_belongs_to() {
        let mut flight = Flight::default();
        flight.asked(cargo(1));
        flight.asked(cargo(2));
        assert_eq!(flight.written(0), None, "QoS 0 is nobody's");
        assert_eq!(flight.written(7), Some(&cargo(1)));
        assert_eq!(flight.written(8), Some(&cargo(2)));
        assert_eq!(flight.acknowledged(8), Some(cargo(2)));
        assert_eq!(flight.acknowledged(7), Some(cargo(1)));
        assert_eq!(flight.acknowledged(7), None);
    }

    #[test]
    fn what_was_not_taken_shifts_nothing() {
        let mut flight = Flight::default();
        flight.asked(cargo(1));
        flight.asked(cargo(2));
        flight.not_taken();
        flight.asked(cargo(3));
        assert_eq!(flight.written(1), Some(&cargo(1)));
        assert_eq!(flight.written(2), Some(&cargo(3)));
    }

    #[test]
    fn a_packet_held_back_keeps_its_place() {
        let mut flight = Flight::default();
        flight.asked(cargo(1));
        flight.written(1);
        flight.asked(cargo(2));
        flight.held(1);
        assert_eq!(flight.acknowledged(1), Some(cargo(1)));
        flight.asked(cargo(3));
        assert_eq!(flight.written(1), Some(&cargo(2)));
        assert_eq!(flight.written(2), Some(&cargo(3)));
    }

    #[test]
    fn subscriptions_are_told_apart_by_their_numbers() {
        let mut flight = Flight::default();
        flight.asked_to_subscribe(vec!["a".into()]);
        flight.asked_to_subscribe(vec!["b".into()]);
        flight.subscribe_not_taken();
        flight.subscribe_written(4);
        assert_eq!(flight.subscribe_acknowledged(4), ["a".into()]);
        assert!(flight.subscribe_acknowledged(5).is_empty());
    }
}
