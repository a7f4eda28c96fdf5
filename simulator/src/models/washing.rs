//! A washing machine: a programme is chosen, started, and runs down.
//!
//! Owner of pretended laundry. An unknown programme changes nothing.

use crate::appliance::{Appliance, Entity, Report};
use crate::dice::Dice;
use serde_json::json;

/// What can be chosen, and how many minutes it takes.
const PROGRAMMES: [(&str, u64); 4] = [
    ("Cotton", 125),
    ("Easy care", 75),
    ("Wool", 40),
    ("Quick", 20),
];

/// A washing machine that stands idle at first.
#[derive(Default)]
pub(super) struct Washer {
    programme: usize,
    ends_at_ms: Option<u64>,
    seen_ms: u64,
}

impl Washer {
    fn minutes_left(&self) -> u64 {
        self.ends_at_ms
            .map_or(0, |end| end.saturating_sub(self.seen_ms).div_ceil(60_000))
    }
}

impl Appliance for Washer {
    fn entities(&self) -> Vec<Entity> {
        let options = PROGRAMMES.map(|(name, _)| name);
        vec![
            Entity::new(
                "select",
                "programme",
                json!({
                    "name": "Programme", "cmd_t": "~/programme/set", "stat_t": "~/programme/state",
                    "ops": options,
                }),
            ),
            Entity::new(
                "button",
                "start",
                json!({ "name": "Start", "cmd_t": "~/start/set" }),
            ),
            Entity::new(
                "sensor",
                "remaining",
                json!({
                    "name": "Remaining", "stat_t": "~/remaining/state", "dev_cla": "duration",
                    "unit_of_meas": "min", "stat_cla": "measurement",
                }),
            ),
        ]
    }

    fn reports(&self) -> Vec<Report> {
        vec![
            Report::kept("programme/state", &PROGRAMMES[self.programme].0),
            Report::kept("remaining/state", &self.minutes_left()),
        ]
    }

    fn command_topics(&self) -> Vec<&'static str> {
        vec!["programme/set", "start/set"]
    }

    fn obey(&mut self, now_ms: u64, topic: &str, payload: &str) -> Vec<&'static str> {
        self.seen_ms = now_ms;
        if topic == "start/set" {
            self.ends_at_ms = Some(now_ms + PROGRAMMES[self.programme].1 * 60_000);
            return vec!["remaining/state"];
        }
        // The drum turns: what runs is not changed any more.
        let chosen = PROGRAMMES.iter().position(|(name, _)| *name == payload);
        if let (Some(chosen), None) = (chosen, self.ends_at_ms) {
            self.programme = chosen;
        }
        vec!["programme/state"]
    }

    fn pass(&mut self, now_ms: u64, _dice: &mut Dice) {
        self.seen_ms = now_ms;
        if self.ends_at_ms.is_some_and(|end| now_ms >= end) {
            self.ends_at_ms = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(washer: &Washer) -> Vec<String> {
        washer.reports().into_iter().map(|r| r.payload).collect()
    }

    #[test]
    fn a_chosen_programme_runs_down_and_cannot_be_changed_meanwhile() {
        let (mut washer, mut dice) = (Washer::default(), Dice::loaded(1));
        washer.obey(0, "programme/set", "Spin cycle of doom");
        assert_eq!(said(&washer), ["Cotton", "0"]);
        washer.obey(0, "programme/set", "Quick");
        washer.obey(1_000, "start/set", "PRESS");
        assert_eq!(said(&washer), ["Quick", "20"]);
        washer.obey(2_000, "programme/set", "Wool");
        washer.pass(601_000, &mut dice);
        assert_eq!(said(&washer), ["Quick", "10"]);
        washer.pass(1_201_000, &mut dice);
        washer.obey(1_202_000, "programme/set", "Wool");
        assert_eq!(said(&washer), ["Wool", "0"]);
    }
}
