//! SIGINT and SIGTERM: the two ways to be told to stop.
//!
//! Owner of signals. It must never do more than pass them on.

use crate::error::StartError;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn listen() -> Result<Self, StartError> {
        let on = |kind| {
            signal(kind).map_err(|e| StartError::Other(format!("cannot listen to signals: {e}")))
        };
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
        })
    }

    /// Waits until the program is told to stop.
    pub(crate) async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
