//! What a device adds to "3 on, 1 open, 2 away", and what "all off" turns off.
//!
//! Owner of what counts as on and open. What is away is counted as away alone: its
//! last word may no longer be true.

use iothome_engine::kind::{Action, Kind};
use iothome_engine::view::{Availability, DeviceView, EntityView, Health};
use iothome_views::pages::home::Counts;

/// What one device adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Something of it is on.
    pub(crate) on: bool,
    /// Something of it is open or unlocked.
    pub(crate) open: bool,
    /// It cannot be reached.
    pub(crate) away: bool,
    /// Something of it is on that the viewer may turn off.
    pub(crate) off: bool,
}

impl Tally {
    /// Of the device as it is now.
    pub(crate) fn of(device: &DeviceView, may_control: bool) -> Self {
        if is_away(device) {
            return Self {
                away: true,
                ..Self::default()
            };
        }
        let mut tally = Self::default();
        for entity in &device.entities {
            tally.open |= is_open(entity);
            tally.on |= is_on(entity) && entity.availability != Availability::Offline;
        }
        tally.off = tally.on && may_control;
        tally
    }
}

/// Whether nothing that is said to the device would arrive.
pub(crate) fn is_away(device: &DeviceView) -> bool {
    device.health == Health::Quarantined
        || matches!(
            device.availability,
            Availability::Offline | Availability::Unavailable
        )
}

fn word(entity: &EntityView) -> Option<&str> {
    entity.state.as_ref().and_then(|state| state.as_word())
}

/// Whether it is a switch or light that the household uses, and on by its last word.
pub(crate) fn is_on(entity: &EntityView) -> bool {
    matches!(entity.kind, Kind::Switch | Kind::Light)
        && entity.category.is_none()
        && entity.actions.contains(&Action::TurnOff)
        && word(entity) == Some("on")
}

fn is_open(entity: &EntityView) -> bool {
    let opens = matches!(
        entity.device_class.as_deref(),
        Some("door" | "window" | "opening" | "garage_door" | "lock")
    );
    match (entity.kind, word(entity)) {
        (Kind::Cover, Some(word)) => word != "closed",
        (Kind::Lock, Some(word)) => word != "locked" && word != "locking",
        (Kind::BinarySensor, Some("on")) => opens,
        _ => false,
    }
}

/// Counts of many devices that follow each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) counts: Counts,
    /// Devices of which something can be turned off by the viewer.
    pub(crate) off: usize,
}

impl Sum {
    /// One more device.
    pub(crate) fn add(&mut self, tally: Tally) {
        self.counts.on += usize::from(tally.on);
        self.counts.open += usize::from(tally.open);
        self.counts.away += usize::from(tally.away);
        self.off += usize::from(tally.off);
    }

    /// A device that was counted so is no longer.
    pub(crate) fn take(&mut self, tally: Tally) {
        self.counts.on -= usize::from(tally.on);
        self.counts.open -= usize::from(tally.open);
        self.counts.away -= usize::from(tally.away);
        self.off -= usize::from(tally.off);
    }
}
