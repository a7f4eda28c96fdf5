//! Simulated devices that speak real MQTT over TLS, for the demo, tests and benches.
//!
//! Each device is its own MQTT client: it checks the broker's fingerprint before it
//! says anything, announces itself as Home Assistant's MQTT discovery wants it,
//! reports, obeys, and misbehaves when asked to. Owner of the pretended physics.
//! It must never know anything of the hub's inside: it speaks to a broker only.

mod appliance;
mod device;
mod dice;
mod error;
mod household;
mod models;

pub use device::{Conduct, DeviceStatus};
pub use error::SimulatorError;
pub use household::{Blueprint, Joining, household};
pub use models::Model;

use device::{Controls, Running};
use iothome_tls::{Fingerprint, pinned_client};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A device that does not say goodbye within this time is cut off.
const STOP_WITHIN: Duration = Duration::from_millis(800);

/// Where the devices connect, and which.
#[derive(Debug)]
pub struct SimulatorConfig {
    /// The broker's host name or address.
    pub host: String,
    /// The broker's TLS port.
    pub port: u16,
    /// Fingerprints the devices have burnt in.
    pub pins: Vec<Fingerprint>,
    /// Prefix of discovery topics, `homeassistant` as a rule.
    pub discovery_prefix: String,
    /// The devices.
    pub devices: Vec<DeviceSpec>,
}

/// One device and its way into the broker.
#[derive(Clone)]
pub struct DeviceSpec {
    /// What it is.
    pub model: Model,
    /// Its id, part of its topics and its client id.
    pub id: String,
    /// The name it announces.
    pub name: String,
    /// The area it suggests.
    pub area: Option<String>,
    /// Broker user.
    pub username: String,
    /// Broker password.
    pub password: String,
    /// How it behaves from the start.
    pub conduct: Conduct,
    /// Another fingerprint than the home's, to see it refuse.
    pub own_pins: Option<Vec<Fingerprint>>,
}

impl std::fmt::Debug for DeviceSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceSpec")
            .field("id", &self.id)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl DeviceSpec {
    /// A well-behaved device made after a blueprint.
    pub fn new(blueprint: &Blueprint, username: String, password: String) -> Self {
        Self {
            model: blueprint.model,
            id: blueprint.id.to_owned(),
            name: blueprint.name.to_owned(),
            area: Some(blueprint.area.to_owned()),
            username,
            password,
            conduct: Conduct::default(),
            own_pins: None,
        }
    }
}

/// A running simulated home; dropping it cuts every device off without a goodbye.
pub struct Home {
    devices: BTreeMap<String, Running>,
}

impl Home {
    /// Starts every device; they connect by themselves and keep trying.
    pub fn start(config: SimulatorConfig) -> Result<Self, SimulatorError> {
        let tls = pinned_client(&config.pins);
        let prefix: Arc<str> = config.discovery_prefix.into();
        let mut devices = BTreeMap::new();
        for spec in config.devices {
            let id = spec.id.clone();
            if devices.contains_key(&id) {
                return Err(SimulatorError::TwiceTheSame(id));
            }
            let tls = match &spec.own_pins {
                Some(pins) => pinned_client(pins),
                None => Arc::clone(&tls),
            };
            let way = device::Way {
                host: config.host.clone(),
                port: config.port,
                tls,
                prefix: Arc::clone(&prefix),
            };
            devices.insert(id, device::start(spec, way));
        }
        Ok(Self { devices })
    }

    /// What every device is up to.
    pub fn status(&self) -> BTreeMap<String, DeviceStatus> {
        let all = self.devices.iter();
        all.map(|(id, d)| (id.clone(), d.controls.status()))
            .collect()
    }

    /// Changes how a device behaves.
    pub fn set_conduct(&self, id: &str, conduct: Conduct) -> Result<(), SimulatorError> {
        self.controls(id)?.set_conduct(conduct);
        Ok(())
    }

    /// Pulls the device's plug (its last will speaks) or puts it back.
    pub fn set_plugged(&self, id: &str, plugged: bool) -> Result<(), SimulatorError> {
        self.controls(id)?.set_plugged(plugged);
        Ok(())
    }

    fn controls(&self, id: &str) -> Result<&Controls, SimulatorError> {
        self.devices
            .get(id)
            .map(|d| &*d.controls)
            .ok_or_else(|| SimulatorError::NoSuchDevice(id.to_owned()))
    }

    /// Every device says goodbye.
    pub async fn stop(mut self) {
        for device in self.devices.values() {
            device.controls.stop();
        }
        let deadline = tokio::time::Instant::now() + STOP_WITHIN;
        for device in self.devices.values_mut() {
            // The deadline is for all together; what is late is cut off by Drop.
            let _ = tokio::time::timeout_at(deadline, &mut device.task).await;
        }
    }
}
