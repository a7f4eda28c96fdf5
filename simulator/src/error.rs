//! What can be asked wrongly of the simulator.
//!
//! Owner of the crate's one error type.

/// Why the simulator refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimulatorError {
    /// No device of that id.
    #[error("the simulated home has no device {0:?}")]
    NoSuchDevice(String),
    /// Two devices of the same id.
    #[error("the simulated home has two devices {0:?}")]
    TwiceTheSame(String),
}
