//! The simulated home's inventory.
//!
//! Owner of which devices there are and in which rooms. It must never know how they
//! get into a hub: that is up to whoever runs the home.

use crate::Model;

/// How a device gets known to a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joining {
    /// It announces itself.
    Announced,
    /// It announces itself and is left for somebody to accept.
    Waiting,
    /// It cannot announce itself: somebody enters it by hand.
    ByHand,
}

/// A device that can be made.
#[derive(Clone, Copy, Debug)]
pub struct Blueprint {
    /// Its id.
    pub id: &'static str,
    /// What it is.
    pub model: Model,
    /// Its name.
    pub name: &'static str,
    /// The room it stands in.
    pub area: &'static str,
    /// How it gets known.
    pub joining: Joining,
}

/// The whole home, in four rooms: ten devices that announce themselves, one more that is
/// left waiting, and one that is entered by hand.
pub fn household() -> Vec<Blueprint> {
    use Joining::{Announced, ByHand, Waiting};
    let device = |id, model, name, area, joining| Blueprint {
        id,
        model,
        name,
        area,
        joining,
    };
    vec![
        device("fridge", Model::Fridge, "Fridge", "Kitchen", Announced),
        device(
            "coffee",
            Model::Socket,
            "Coffee machine",
            "Kitchen",
            Announced,
        ),
        device(
            "washer",
            Model::Washer,
            "Washing machine",
            "Kitchen",
            Announced,
        ),
        device(
            "lamp",
            Model::Lamp,
            "Reading lamp",
            "Living room",
            Announced,
        ),
        device(
            "thermostat",
            Model::Thermostat,
            "Thermostat",
            "Living room",
            Announced,
        ),
        device(
            "blind",
            Model::Blind,
            "Window blind",
            "Living room",
            Announced,
        ),
        device(
            "building-door",
            Model::DoorOpener,
            "Building door",
            "Hall",
            Announced,
        ),
        device(
            "front-door",
            Model::FrontDoor,
            "Front door",
            "Hall",
            Announced,
        ),
        device(
            "hall-motion",
            Model::Motion,
            "Hall motion",
            "Hall",
            Announced,
        ),
        device(
            "outdoor",
            Model::Outdoor,
            "Outdoor sensor",
            "Balcony",
            Announced,
        ),
        device("smoke", Model::Smoke, "Smoke detector", "Hall", Waiting),
        device(
            "esp8266",
            Model::EspSocket,
            "Workbench socket",
            "Kitchen",
            ByHand,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_home_has_ten_devices_in_four_rooms_and_two_of_a_special_kind() {
        let home = household();
        let count = |joining| home.iter().filter(|b| b.joining == joining).count();
        assert!(count(Joining::Announced) >= 10);
        assert_eq!(count(Joining::Waiting), 1);
        assert_eq!(count(Joining::ByHand), 1);
        let rooms: BTreeSet<&str> = home.iter().map(|b| b.area).collect();
        assert_eq!(rooms.len(), 4);
        let ids: BTreeSet<&str> = home.iter().map(|b| b.id).collect();
        assert_eq!(ids.len(), home.len());
    }
}
