//! The kinds of simulated devices.
//!
//! Owner of the list of models. It must never hold behaviour: that is in the files beside it.

mod climate;
mod doors;
mod senses;
mod switching;
mod washing;

use crate::appliance::{Appliance, Introduction, bundle, own_base, singles};
use serde_json::Value;

/// What a simulated device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// Temperature and door.
    Fridge,
    /// A switched socket that measures power.
    Socket,
    /// A lamp with brightness.
    Lamp,
    /// Measured and target temperature.
    Thermostat,
    /// The button that opens the building's door; it reports nothing.
    DoorOpener,
    /// A lock that takes its time.
    FrontDoor,
    /// A blind that moves over seconds.
    Blind,
    /// Motion and light in the hall.
    Motion,
    /// Weather; drops off now and then.
    Outdoor,
    /// Smoke and battery.
    Smoke,
    /// A washing machine with programmes.
    Washer,
    /// Hand-made firmware: `1`/`0` on `esp8266/socket`, JSON on its status topic.
    EspSocket,
}

impl Model {
    pub(crate) fn build(self) -> Box<dyn Appliance> {
        match self {
            Self::Fridge => Box::new(climate::Fridge::default()),
            Self::Thermostat => Box::new(climate::Thermostat::default()),
            Self::Outdoor => Box::new(climate::Outdoor::default()),
            Self::Socket => Box::new(switching::Socket::default()),
            Self::Lamp => Box::new(switching::Lamp::default()),
            Self::EspSocket => Box::new(switching::EspSocket::default()),
            Self::DoorOpener => Box::new(doors::Opener::default()),
            Self::FrontDoor => Box::new(doors::FrontDoor::default()),
            Self::Blind => Box::new(doors::Blind::default()),
            Self::Motion => Box::new(senses::Motion::default()),
            Self::Smoke => Box::new(senses::Smoke::default()),
            Self::Washer => Box::new(washing::Washer::default()),
        }
    }

    /// The base of the device's topics.
    pub(crate) fn base(self, id: &str) -> String {
        match self {
            Self::EspSocket => "esp8266".to_owned(),
            _ => own_base(id),
        }
    }

    /// Where it says that it is there, below its base.
    pub(crate) fn availability_topic(self) -> &'static str {
        match self {
            Self::EspSocket => "socket/availability",
            _ => "availability",
        }
    }

    pub(crate) fn announcements(self, who: &Introduction<'_>) -> Vec<(String, Value)> {
        let entities = self.build().entities();
        match self {
            Self::EspSocket => Vec::new(),
            // Both forms are in the field; a hub has to understand both.
            Self::Fridge | Self::Thermostat | Self::Outdoor | Self::Blind => {
                vec![bundle(who, entities)]
            }
            _ => singles(who, entities),
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Fridge => "Cool 200",
            Self::Socket => "Plug S",
            Self::Lamp => "Glow 800",
            Self::Thermostat => "Warm 2",
            Self::DoorOpener => "Buzz 1",
            Self::FrontDoor => "Bolt 4",
            Self::Blind => "Shade 60",
            Self::Motion => "Notice 3",
            Self::Outdoor => "Weather 9",
            Self::Smoke => "Alarm 5",
            Self::Washer => "Drum 7",
            Self::EspSocket => "Workbench",
        }
    }
}
