//! Things with a temperature: fridge, thermostat, outdoor sensor.
//!
//! Owner of pretended warmth. It must never jump: values drift as real ones do.

use crate::appliance::{Appliance, Entity, Report};
use crate::dice::Dice;
use serde_json::json;

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Seconds that passed; at most a minute, so that a paused process does not boil the fridge.
fn seconds(from_ms: u64, to_ms: u64) -> f64 {
    to_ms.saturating_sub(from_ms).min(60_000) as f64 / 1_000.0
}

/// A compressor cycle between 3.6 and 5.2 °C, and a door that is opened now and then.
pub(super) struct Fridge {
    celsius: f64,
    cooling: bool,
    open: bool,
    door_turns_ms: u64,
    seen_ms: u64,
}

impl Default for Fridge {
    fn default() -> Self {
        Self {
            celsius: 4.4,
            cooling: false,
            open: false,
            door_turns_ms: 40_000,
            seen_ms: 0,
        }
    }
}

impl Appliance for Fridge {
    fn entities(&self) -> Vec<Entity> {
        vec![
            Entity::new(
                "sensor",
                "temperature",
                json!({
                    "name": "Temperature", "state_topic": "~/status",
                    "value_template": "{{ value_json.temperature }}",
                    "device_class": "temperature", "unit_of_measurement": "°C",
                    "state_class": "measurement",
                }),
            ),
            Entity::new(
                "binary_sensor",
                "door",
                json!({
                    "name": "Door", "state_topic": "~/status", "device_class": "door",
                    "value_template": "{{ 'ON' if value_json.open else 'OFF' }}",
                }),
            ),
        ]
    }

    fn reports(&self) -> Vec<Report> {
        let status = json!({ "temperature": tenths(self.celsius), "open": self.open });
        vec![Report::kept("status", &status)]
    }

    fn command_topics(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn obey(&mut self, _now_ms: u64, _topic: &str, _payload: &str) -> Vec<&'static str> {
        Vec::new()
    }

    fn pass(&mut self, now_ms: u64, dice: &mut Dice) {
        let elapsed = seconds(self.seen_ms, now_ms);
        self.seen_ms = now_ms;
        if self.celsius > 5.2 {
            self.cooling = true;
        } else if self.celsius < 3.6 {
            self.cooling = false;
        }
        let per_second = match (self.open, self.cooling) {
            (true, _) => 0.03,
            (false, true) => -0.015,
            (false, false) => 0.006,
        };
        self.celsius += per_second * elapsed;
        if now_ms >= self.door_turns_ms {
            self.open = !self.open;
            let until = if self.open {
                (8.0, 20.0)
            } else {
                (90.0, 240.0)
            };
            self.door_turns_ms = now_ms + dice.seconds_ms(until.0, until.1);
        }
    }
}

/// A room that follows the target slowly.
pub(super) struct Thermostat {
    measured: f64,
    target: f64,
    seen_ms: u64,
}

impl Default for Thermostat {
    fn default() -> Self {
        Self {
            measured: 20.1,
            target: 21.0,
            seen_ms: 0,
        }
    }
}

impl Appliance for Thermostat {
    fn entities(&self) -> Vec<Entity> {
        vec![
            Entity::new(
                "sensor",
                "measured",
                json!({
                    "name": "Measured", "state_topic": "~/measured/state",
                    "device_class": "temperature", "unit_of_measurement": "°C",
                    "state_class": "measurement",
                }),
            ),
            Entity::new(
                "number",
                "target",
                json!({
                    "name": "Target", "command_topic": "~/target/set",
                    "state_topic": "~/target/state", "min": 5, "max": 30, "step": 0.5,
                    "device_class": "temperature", "unit_of_measurement": "°C",
                }),
            ),
        ]
    }

    fn reports(&self) -> Vec<Report> {
        vec![
            Report::kept("measured/state", &tenths(self.measured)),
            Report::kept("target/state", &self.target),
        ]
    }

    fn command_topics(&self) -> Vec<&'static str> {
        vec!["target/set"]
    }

    fn obey(&mut self, _now_ms: u64, _topic: &str, payload: &str) -> Vec<&'static str> {
        match payload.parse::<f64>() {
            Ok(celsius) if (5.0..=30.0).contains(&celsius) => {
                self.target = (celsius * 2.0).round() / 2.0;
            }
            _ => {}
        }
        vec!["target/state"]
    }

    fn pass(&mut self, now_ms: u64, dice: &mut Dice) {
        let elapsed = seconds(self.seen_ms, now_ms);
        self.seen_ms = now_ms;
        let pull = (self.target - self.measured).clamp(-1.0, 1.0);
        self.measured += elapsed * (0.01 * pull + dice.between(-0.01, 0.01));
    }
}

/// Weather at the balcony; its radio loses the broker now and then.
pub(super) struct Outdoor {
    celsius: f64,
    humidity: f64,
    away: bool,
    turns_ms: u64,
    seen_ms: u64,
}

impl Default for Outdoor {
    fn default() -> Self {
        Self {
            celsius: 7.3,
            humidity: 71.0,
            away: false,
            turns_ms: 75_000,
            seen_ms: 0,
        }
    }
}

impl Appliance for Outdoor {
    fn entities(&self) -> Vec<Entity> {
        vec![
            Entity::new(
                "sensor",
                "temperature",
                json!({
                    "name": "Temperature", "state_topic": "~/temperature/state",
                    "device_class": "temperature", "unit_of_measurement": "°C",
                    "state_class": "measurement",
                }),
            ),
            Entity::new(
                "sensor",
                "humidity",
                json!({
                    "name": "Humidity", "state_topic": "~/humidity/state",
                    "device_class": "humidity", "unit_of_measurement": "%",
                    "state_class": "measurement",
                }),
            ),
        ]
    }

    fn reports(&self) -> Vec<Report> {
        vec![
            Report::kept("temperature/state", &tenths(self.celsius)),
            Report::kept("humidity/state", &self.humidity.round()),
        ]
    }

    fn command_topics(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn obey(&mut self, _now_ms: u64, _topic: &str, _payload: &str) -> Vec<&'static str> {
        Vec::new()
    }

    fn pass(&mut self, now_ms: u64, dice: &mut Dice) {
        let elapsed = seconds(self.seen_ms, now_ms);
        self.seen_ms = now_ms;
        self.celsius += elapsed * (0.002 * (7.0 - self.celsius) + dice.between(-0.02, 0.02));
        self.humidity = (self.humidity + elapsed * dice.between(-0.2, 0.2)).clamp(40.0, 95.0);
        if now_ms >= self.turns_ms {
            self.away = !self.away;
            let until = if self.away {
                (15.0, 35.0)
            } else {
                (90.0, 200.0)
            };
            self.turns_ms = now_ms + dice.seconds_ms(until.0, until.1);
        }
    }

    fn is_away(&self) -> bool {
        self.away
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_in_the_fridge_stays_cold_and_sees_the_door_opened() {
        let (mut fridge, mut dice) = (Fridge::default(), Dice::loaded(7));
        let mut opened = 0;
        for second in 0..86_400_u64 {
            let before = fridge.open;
            fridge.pass(second * 1_000, &mut dice);
            opened += u32::from(fridge.open && !before);
            assert!((3.0..7.0).contains(&fridge.celsius), "{}", fridge.celsius);
        }
        assert!(opened > 100, "{opened}");
    }

    #[test]
    fn the_thermostat_reaches_its_target_and_refuses_nonsense() {
        let (mut thermostat, mut dice) = (Thermostat::default(), Dice::loaded(3));
        thermostat.obey(0, "target/set", "23.5");
        for second in 0..3_600_u64 {
            thermostat.pass(second * 1_000, &mut dice);
        }
        assert!((thermostat.measured - 23.5).abs() < 1.0);
        for nonsense in ["", "NaN", "500", "warm"] {
            thermostat.obey(0, "target/set", nonsense);
            assert_eq!(thermostat.target, 23.5, "{nonsense}");
        }
    }

    #[test]
    fn the_outdoor_sensor_drops_off_and_comes_back() {
        let (mut outdoor, mut dice) = (Outdoor::default(), Dice::loaded(5));
        let mut away = 0_u32;
        for second in 0..3_600_u64 {
            outdoor.pass(second * 1_000, &mut dice);
            away += u32::from(outdoor.is_away());
        }
        assert!((60..1_800).contains(&away), "{away}");
    }
}
