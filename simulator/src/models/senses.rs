//! Things that only notice: motion sensor and smoke detector.
//!
//! Owner of pretended notice. A report of motion is of its moment and never retained.

use crate::appliance::{Appliance, Entity, Report};
use crate::dice::Dice;
use serde_json::json;

/// Somebody walks through the hall now and then.
pub(super) struct Motion {
    moving: bool,
    turns_ms: u64,
    lux: f64,
    measures_at_ms: u64,
}

impl Default for Motion {
    fn default() -> Self {
        Self {
            moving: false,
            turns_ms: 12_000,
            lux: 118.0,
            measures_at_ms: 0,
        }
    }
}

impl Appliance for Motion {
    fn entities(&self) -> Vec<Entity> {
        vec![
            Entity::new(
                "binary_sensor",
                "motion",
                json!({ "name": "Motion", "stat_t": "~/motion/state", "dev_cla": "motion" }),
            ),
            Entity::new(
                "sensor",
                "illuminance",
                json!({
                    "name": "Illuminance", "stat_t": "~/illuminance/state",
                    "dev_cla": "illuminance", "unit_of_meas": "lx", "stat_cla": "measurement",
                }),
            ),
        ]
    }

    fn reports(&self) -> Vec<Report> {
        let motion = if self.moving { "ON" } else { "OFF" };
        vec![
            Report::passing("motion/state", &motion),
            Report::kept("illuminance/state", &self.lux.round()),
        ]
    }

    fn command_topics(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn obey(&mut self, _now_ms: u64, _topic: &str, _payload: &str) -> Vec<&'static str> {
        Vec::new()
    }

    fn pass(&mut self, now_ms: u64, dice: &mut Dice) {
        if now_ms >= self.turns_ms {
            self.moving = !self.moving;
            let until = if self.moving {
                (4.0, 10.0)
            } else {
                (20.0, 80.0)
            };
            self.turns_ms = now_ms + dice.seconds_ms(until.0, until.1);
        }
        if now_ms >= self.measures_at_ms {
            self.measures_at_ms = now_ms + 15_000;
            self.lux = (self.lux + dice.between(-6.0, 6.0)).clamp(20.0, 400.0);
        }
    }
}

/// No smoke here, and a battery that lasts.
#[derive(Default)]
pub(super) struct Smoke {}

impl Appliance for Smoke {
    fn entities(&self) -> Vec<Entity> {
        vec![
            Entity::new(
                "binary_sensor",
                "smoke",
                json!({ "name": "Smoke", "stat_t": "~/smoke/state", "dev_cla": "smoke" }),
            ),
            Entity::new(
                "sensor",
                "battery",
                json!({
                    "name": "Battery", "stat_t": "~/battery/state", "dev_cla": "battery",
                    "unit_of_meas": "%", "ent_cat": "diagnostic",
                }),
            ),
        ]
    }

    fn reports(&self) -> Vec<Report> {
        vec![
            Report::kept("smoke/state", &"OFF"),
            Report::kept("battery/state", &98),
        ]
    }

    fn command_topics(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn obey(&mut self, _now_ms: u64, _topic: &str, _payload: &str) -> Vec<&'static str> {
        Vec::new()
    }

    fn pass(&mut self, _now_ms: u64, _dice: &mut Dice) {}
}
