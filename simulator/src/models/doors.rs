//! Things that open and close: building door, front door, blind.
//!
//! Owner of pretended motors. They must never jump to the end state: real ones take time.

use crate::appliance::{Appliance, Entity, Report};
use crate::dice::Dice;
use serde_json::json;

/// A bolt needs this long.
const BOLT_MS: u64 = 1_200;
/// From closed to open in five seconds.
const BLIND_PER_CENT_PER_SECOND: f64 = 20.0;
/// How often something that moves says where it is.
const MOVING_MS: u64 = 250;

/// The building's door opener: a button and nothing to tell.
#[derive(Default)]
pub(super) struct Opener {}

impl Appliance for Opener {
    fn entities(&self) -> Vec<Entity> {
        vec![Entity::new(
            "button",
            "open",
            json!({ "name": "Open", "cmd_t": "~/open/set", "pl_prs": "PRESS" }),
        )]
    }

    fn reports(&self) -> Vec<Report> {
        Vec::new()
    }

    fn command_topics(&self) -> Vec<&'static str> {
        vec!["open/set"]
    }

    fn obey(&mut self, _now_ms: u64, _topic: &str, _payload: &str) -> Vec<&'static str> {
        Vec::new()
    }

    fn pass(&mut self, _now_ms: u64, _dice: &mut Dice) {}
}

/// A lock with a motor.
pub(super) struct FrontDoor {
    locked: bool,
    turns_at_ms: Option<u64>,
    battery: f64,
}

impl Default for FrontDoor {
    fn default() -> Self {
        Self {
            locked: true,
            turns_at_ms: None,
            battery: 87.0,
        }
    }
}

impl Appliance for FrontDoor {
    fn entities(&self) -> Vec<Entity> {
        vec![
            Entity::new(
                "lock",
                "lock",
                json!({ "name": "Lock", "cmd_t": "~/lock/set", "stat_t": "~/lock/state" }),
            ),
            Entity::new(
                "sensor",
                "battery",
                json!({
                    "name": "Battery", "stat_t": "~/battery/state", "dev_cla": "battery",
                    "unit_of_meas": "%", "stat_cla": "measurement", "ent_cat": "diagnostic",
                }),
            ),
        ]
    }

    fn reports(&self) -> Vec<Report> {
        let state = match (self.locked, self.turns_at_ms.is_some()) {
            (true, true) => "UNLOCKING",
            (false, true) => "LOCKING",
            (true, false) => "LOCKED",
            (false, false) => "UNLOCKED",
        };
        vec![
            Report::kept("lock/state", &state),
            Report::kept("battery/state", &self.battery.round()),
        ]
    }

    fn command_topics(&self) -> Vec<&'static str> {
        vec!["lock/set"]
    }

    fn obey(&mut self, now_ms: u64, _topic: &str, payload: &str) -> Vec<&'static str> {
        let wanted = match payload {
            "LOCK" => true,
            "UNLOCK" => false,
            _ => return vec!["lock/state"],
        };
        match (self.locked == wanted, self.turns_at_ms) {
            // Called back while the bolt moves away: it stays where it was.
            (true, Some(_)) => self.turns_at_ms = None,
            (false, None) => {
                self.turns_at_ms = Some(now_ms + BOLT_MS);
                self.battery = (self.battery - 0.05).max(5.0);
            }
            (true, None) | (false, Some(_)) => {}
        }
        vec!["lock/state"]
    }

    fn pass(&mut self, now_ms: u64, _dice: &mut Dice) {
        if self.turns_at_ms.is_some_and(|at| now_ms >= at) {
            self.locked = !self.locked;
            self.turns_at_ms = None;
        }
    }

    fn patience_ms(&self) -> u64 {
        if self.turns_at_ms.is_some() {
            MOVING_MS
        } else {
            1_000
        }
    }
}

/// A blind: 0 is closed, 100 is open.
pub(super) struct Blind {
    position: f64,
    target: Option<f64>,
    seen_ms: u64,
}

impl Default for Blind {
    fn default() -> Self {
        Self {
            position: 100.0,
            target: None,
            seen_ms: 0,
        }
    }
}

impl Appliance for Blind {
    fn entities(&self) -> Vec<Entity> {
        vec![Entity::new(
            "cover",
            "blind",
            json!({
                "name": "Blind", "device_class": "blind",
                "command_topic": "~/blind/set", "state_topic": "~/blind/state",
                "position_topic": "~/position/state", "set_position_topic": "~/position/set",
            }),
        )]
    }

    fn reports(&self) -> Vec<Report> {
        let state = match self.target {
            Some(target) if target > self.position => "opening",
            Some(_) => "closing",
            None if self.position >= 99.5 => "open",
            None if self.position <= 0.5 => "closed",
            None => "stopped",
        };
        vec![
            Report::kept("blind/state", &state),
            Report::kept("position/state", &self.position.round()),
        ]
    }

    fn command_topics(&self) -> Vec<&'static str> {
        vec!["blind/set", "position/set"]
    }

    fn obey(&mut self, now_ms: u64, topic: &str, payload: &str) -> Vec<&'static str> {
        self.seen_ms = now_ms;
        let target = match (topic, payload) {
            ("blind/set", "OPEN") => Some(100.0),
            ("blind/set", "CLOSE") => Some(0.0),
            ("blind/set", "STOP") => {
                self.target = None;
                None
            }
            ("position/set", text) => text.parse().ok().filter(|p| (0.0..=100.0).contains(p)),
            _ => None,
        };
        if let Some(target) = target {
            self.target = Some(target).filter(|t: &f64| (t - self.position).abs() > 0.5);
        }
        vec!["blind/state", "position/state"]
    }

    fn pass(&mut self, now_ms: u64, _dice: &mut Dice) {
        let elapsed = now_ms.saturating_sub(self.seen_ms) as f64 / 1_000.0;
        self.seen_ms = now_ms;
        let Some(target) = self.target else {
            return;
        };
        let way = target - self.position;
        let reach = BLIND_PER_CENT_PER_SECOND * elapsed;
        if way.abs() <= reach {
            self.position = target;
            self.target = None;
        } else {
            self.position += reach.copysign(way);
        }
    }

    fn patience_ms(&self) -> u64 {
        if self.target.is_some() {
            MOVING_MS
        } else {
            1_000
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(appliance: &dyn Appliance) -> String {
        appliance.reports()[0].payload.clone()
    }

    #[test]
    fn the_bolt_takes_its_time_and_can_be_called_back() {
        let (mut door, mut dice) = (FrontDoor::default(), Dice::loaded(1));
        door.obey(0, "lock/set", "UNLOCK");
        assert_eq!(said(&door), "UNLOCKING");
        door.pass(BOLT_MS, &mut dice);
        assert_eq!(said(&door), "UNLOCKED");
        door.obey(5_000, "lock/set", "LOCK");
        assert_eq!(said(&door), "LOCKING");
        door.obey(5_500, "lock/set", "UNLOCK");
        assert_eq!(said(&door), "UNLOCKED");
        door.obey(6_000, "lock/set", "DANCE");
        assert_eq!(said(&door), "UNLOCKED");
    }

    #[test]
    fn the_blind_moves_over_seconds_and_stops_when_told() {
        let (mut blind, mut dice) = (Blind::default(), Dice::loaded(1));
        blind.obey(0, "position/set", "40");
        assert_eq!(said(&blind), "closing");
        blind.pass(1_000, &mut dice);
        assert_eq!(blind.position, 80.0);
        blind.pass(10_000, &mut dice);
        assert_eq!((said(&blind).as_str(), blind.position), ("stopped", 40.0));
        blind.obey(11_000, "blind/set", "OPEN");
        assert_eq!(said(&blind), "opening");
        blind.pass(12_000, &mut dice);
        blind.obey(12_000, "blind/set", "STOP");
        assert_eq!((said(&blind).as_str(), blind.position), ("stopped", 60.0));
        blind.obey(13_000, "blind/set", "CLOSE");
        blind.pass(30_000, &mut dice);
        assert_eq!(said(&blind), "closed");
        for nonsense in ["-1", "101", "NaN", ""] {
            blind.obey(31_000, "position/set", nonsense);
            assert_eq!(said(&blind), "closed", "{nonsense}");
        }
    }
}
