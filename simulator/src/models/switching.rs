//! Things that are switched: socket, lamp, hand-made socket.
//!
//! Owner of pretended current. A command they do not understand changes nothing.

use crate::appliance::{Appliance, Entity, Report};
use crate::dice::Dice;
use serde_json::json;

fn on_off(on: bool) -> &'static str {
    if on { "ON" } else { "OFF" }
}

fn set_by(current: bool, payload: &str) -> bool {
    match payload {
        "ON" => true,
        "OFF" => false,
        _ => current,
    }
}

/// A socket with something on it that heats up, then idles.
#[derive(Default)]
pub(super) struct Socket {
    on: bool,
    on_since_ms: u64,
    watts: f64,
    measures_at_ms: u64,
}

impl Appliance for Socket {
    fn entities(&self) -> Vec<Entity> {
        vec![
            Entity::new(
                "switch",
                "switch",
                json!({
                    "name": "Switch", "cmd_t": "~/switch/set", "stat_t": "~/switch/state",
                    "dev_cla": "outlet",
                }),
            ),
            Entity::new(
                "sensor",
                "power",
                json!({
                    "name": "Power", "stat_t": "~/power/state", "dev_cla": "power",
                    "unit_of_meas": "W", "stat_cla": "measurement",
                }),
            ),
        ]
    }

    fn reports(&self) -> Vec<Report> {
        vec![
            Report::kept("switch/state", &on_off(self.on)),
            Report::kept("power/state", &format!("{:.1}", self.watts)),
        ]
    }

    fn command_topics(&self) -> Vec<&'static str> {
        vec!["switch/set"]
    }

    fn obey(&mut self, now_ms: u64, _topic: &str, payload: &str) -> Vec<&'static str> {
        let on = set_by(self.on, payload);
        if on && !self.on {
            self.on_since_ms = now_ms;
        }
        self.on = on;
        self.measures_at_ms = now_ms + 500;
        vec!["switch/state"]
    }

    fn pass(&mut self, now_ms: u64, dice: &mut Dice) {
        if now_ms < self.measures_at_ms {
            return;
        }
        self.measures_at_ms = now_ms + 5_000;
        let heating = now_ms.saturating_sub(self.on_since_ms) < 60_000;
        self.watts = match (self.on, heating) {
            (false, _) => 0.0,
            (true, true) => dice.between(1_150.0, 1_210.0),
            (true, false) => dice.between(3.0, 4.5),
        };
    }
}

/// A lamp; its brightness runs from 0 to 255 on the wire.
pub(super) struct Lamp {
    on: bool,
    brightness: u8,
}

impl Default for Lamp {
    fn default() -> Self {
        Self {
            on: true,
            brightness: 153,
        }
    }
}

impl Appliance for Lamp {
    fn entities(&self) -> Vec<Entity> {
        vec![Entity::new(
            "light",
            "light",
            json!({
                "name": "Light", "cmd_t": "~/light/set", "stat_t": "~/light/state",
                "bri_cmd_t": "~/brightness/set", "bri_stat_t": "~/brightness/state",
                "bri_scl": 255,
            }),
        )]
    }

    fn reports(&self) -> Vec<Report> {
        vec![
            Report::kept("light/state", &on_off(self.on)),
            Report::kept("brightness/state", &self.brightness),
        ]
    }

    fn command_topics(&self) -> Vec<&'static str> {
        vec!["light/set", "brightness/set"]
    }

    fn obey(&mut self, _now_ms: u64, topic: &str, payload: &str) -> Vec<&'static str> {
        if topic == "light/set" {
            self.on = set_by(self.on, payload);
            return vec!["light/state"];
        }
        match payload.parse::<u8>() {
            Ok(0) => self.on = false,
            Ok(brightness) => {
                self.brightness = brightness;
                self.on = true;
            }
            Err(_) => {}
        }
        vec!["light/state", "brightness/state"]
    }

    fn pass(&mut self, _now_ms: u64, _dice: &mut Dice) {}
}

/// Hand-made firmware: takes `1` and `0`, tells its status as JSON, announces nothing.
pub(super) struct EspSocket {
    on: bool,
    rssi: i32,
    measures_at_ms: u64,
}

impl Default for EspSocket {
    fn default() -> Self {
        Self {
            on: false,
            rssi: -61,
            measures_at_ms: 0,
        }
    }
}

impl Appliance for EspSocket {
    fn entities(&self) -> Vec<Entity> {
        Vec::new()
    }

    fn reports(&self) -> Vec<Report> {
        let status = json!({ "state": u8::from(self.on), "rssi": self.rssi });
        vec![Report::kept("socket/status", &status)]
    }

    fn command_topics(&self) -> Vec<&'static str> {
        vec!["socket"]
    }

    fn obey(&mut self, _now_ms: u64, _topic: &str, payload: &str) -> Vec<&'static str> {
        match payload {
            "1" => self.on = true,
            "0" => self.on = false,
            _ => {}
        }
        vec!["socket/status"]
    }

    fn pass(&mut self, now_ms: u64, dice: &mut Dice) {
        if now_ms >= self.measures_at_ms {
            self.measures_at_ms = now_ms + 30_000;
            // Whole decibels between two small numbers: nothing is cut off.
            self.rssi = dice.between(-68.0, -55.0) as i32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(appliance: &dyn Appliance, topic: &str) -> String {
        let reports = appliance.reports();
        let found = reports.iter().find(|r| r.topic == topic);
        found.map(|r| r.payload.clone()).unwrap_or_default()
    }

    #[test]
    fn a_socket_that_is_on_draws_power() {
        let (mut socket, mut dice) = (Socket::default(), Dice::loaded(1));
        assert_eq!(socket.obey(0, "switch/set", "ON"), ["switch/state"]);
        assert_eq!(said(&socket, "switch/state"), "ON");
        socket.pass(1_000, &mut dice);
        assert!(socket.watts > 1_000.0);
        socket.obey(2_000, "switch/set", "OFF");
        socket.pass(3_000, &mut dice);
        assert_eq!(said(&socket, "power/state"), "0.0");
    }

    #[test]
    fn brightness_switches_the_lamp_on_and_nought_switches_it_off() {
        let mut lamp = Lamp::default();
        lamp.obey(0, "light/set", "OFF");
        lamp.obey(0, "brightness/set", "102");
        assert_eq!(said(&lamp, "light/state"), "ON");
        assert_eq!(said(&lamp, "brightness/state"), "102");
        lamp.obey(0, "brightness/set", "0");
        assert_eq!(said(&lamp, "light/state"), "OFF");
        lamp.obey(0, "brightness/set", "300");
        assert_eq!(said(&lamp, "brightness/state"), "102");
    }

    #[test]
    fn the_hand_made_socket_takes_one_and_nought() {
        let mut socket = EspSocket::default();
        socket.obey(0, "socket", "1");
        assert!(said(&socket, "socket/status").contains("\"state\":1"));
        socket.obey(0, "socket", "ON");
        assert!(said(&socket, "socket/status").contains("\"state\":1"));
        socket.obey(0, "socket", "0");
        assert!(said(&socket, "socket/status").contains("\"state\":0"));
    }
}
