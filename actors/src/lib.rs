//! The living house: supervised actors for devices, sessions, MQTT and history.
//!
//! Owner of everything that runs. Only handles go out; it must never let a
//! ractor type, a message enum or an actor's reference out of this crate.

mod clock;
mod error;
mod house;
mod inbox;
mod keeper;
mod mqtt;
mod passwords;
mod random;
mod recorder;
mod sessions;

pub use clock::Clock;
pub use house::{Change, House};
pub use mqtt::MqttConfig;
pub use passwords::{PASSWORD_MAX, PasswordError, Passwords};
