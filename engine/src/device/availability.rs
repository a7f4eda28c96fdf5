//! Whether an entity and its device can be reached.
//!
//! Owner of the availability modes and the roll-up. It must never confuse "said
//! to be away" with "never heard of": commands to the second are sent.

use super::Device;
use super::input::Effect;
use super::report::Message;
use crate::command::{Status, reason};
use crate::config::AvailabilityMode;
use crate::time::Timestamp;
use crate::view::Availability;

/// What an entity's availability topics said since the broker connection stands.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    said: Vec<Option<bool>>,
    latest: Option<bool>,
    /// `expire_after` ran out.
    pub(super) expired: bool,
}

impl Reach {
    pub(super) fn new(topics: usize) -> Self {
        Self {
            said: vec![None; topics],
            latest: None,
            expired: false,
        }
    }

    /// A topic said whether the device is there.
    pub(super) fn say(&mut self, index: usize, available: bool) {
        if let Some(said) = self.said.get_mut(index) {
            *said = Some(available);
            self.latest = Some(available);
        }
    }

    /// The connection broke: what was said is no longer known to hold.
    pub(super) fn forget(&mut self) {
        self.said.fill(None);
        self.latest = None;
    }

    fn judge(&self, mode: AvailabilityMode, heard: bool) -> Availability {
        if self.expired {
            return Availability::Offline;
        }
        if self.said.is_empty() {
            return known(heard.then_some(true));
        }
        let some = |wanted: bool| self.said.contains(&Some(wanted));
        let all = |wanted: bool| self.said.iter().all(|s| *s == Some(wanted));
        match mode {
            AvailabilityMode::Latest => known(self.latest),
            AvailabilityMode::All if some(false) => Availability::Offline,
            AvailabilityMode::All => known(all(true).then_some(true)),
            AvailabilityMode::Any if some(true) => Availability::Online,
            AvailabilityMode::Any => known(all(false).then_some(false)),
        }
    }
}

const fn known(said: Option<bool>) -> Availability {
    match said {
        Some(true) => Availability::Online,
        Some(false) => Availability::Offline,
        None => Availability::Unknown,
    }
}

impl Device {
    /// Looks again whether an entity can be reached; if it is now away, its commands end.
    pub(super) fn judge_reach(&mut self, index: usize, now: Timestamp, effects: &mut Vec<Effect>) {
        let reachable = self.broker_up && self.quarantine.is_none();
        let entity = &mut self.entities[index];
        let availability = if reachable {
            let mode = entity.config.availability.mode;
            entity.reach.judge(mode, self.heard)
        } else {
            Availability::Unavailable
        };
        if availability == entity.availability {
            return;
        }
        entity.availability = availability;
        self.reach_changed = true;
        self.mark(index);
        if availability == Availability::Offline {
            let id = self.entities[index].id.clone();
            self.end_where(
                now,
                Status::Unavailable,
                reason::DEVICE_OFFLINE,
                effects,
                |f| f.is_for(&id),
            );
        }
    }

    /// The same for all entities.
    pub(super) fn judge_all(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        for index in 0..self.entities.len() {
            self.judge_reach(index, now, effects);
        }
        self.reach_changed = true;
    }

    /// Something was said by the device itself; a replay says nothing of now.
    pub(super) fn hear(&mut self, now: Timestamp, m: &Message<'_>, effects: &mut Vec<Effect>) {
        if m.retained {
            return;
        }
        self.last_seen = self.last_seen.max(Some(m.received_at));
        self.dirty = true;
        if !self.heard {
            self.heard = true;
            self.judge_all(now, effects);
        }
    }

    /// The roll-up: reachable if anything of it is.
    pub(super) fn roll_up(&self) -> Availability {
        if !self.broker_up || self.quarantine.is_some() {
            return Availability::Unavailable;
        }
        let any = |a| self.entities.iter().any(|e| e.availability == a);
        if any(Availability::Online) {
            Availability::Online
        } else if any(Availability::Offline) {
            Availability::Offline
        } else {
            Availability::Unknown
        }
    }

    /// Tells history when the device became reachable or ceased to be. A device of which nothing
    /// was known yet has no gap.
    pub(super) fn record_reach(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let online = self.availability == Availability::Online;
        let told = self.recorded_online;
        let is_news = match told {
            Some(told) => told != online,
            None => online || self.availability == Availability::Offline,
        };
        if is_news {
            self.recorded_online = Some(online);
            effects.push(Effect::RecordAvailability { online, at: now });
        }
    }
}
