//! The strings a simulated device hangs on, and what can be seen of it.
//!
//! Owner of a device's conduct and status. It must never block: all locks are
//! held for a copy only.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How a device behaves. The default is well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conduct {
    /// Hears commands and obeys none.
    pub mute: bool,
    /// Obeys after so many milliseconds.
    pub slow_ms: Option<u64>,
    /// Sends random bytes instead of reports.
    pub garbage: bool,
    /// Sends so many reports a second.
    pub flood_per_second: u32,
}

/// What can be seen of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceStatus {
    /// Whether its line is up.
    pub connected: bool,
    /// How often the line came up.
    pub connections: u64,
    /// Why it refuses to talk to the broker, if it does.
    pub refusal: Option<String>,
    /// Commands that arrived.
    pub commands: u64,
    /// The last of them: topic below its base, and payload.
    pub last_command: Option<(String, String)>,
    /// Reports handed to the line.
    pub reports: u64,
}

pub(crate) struct Controls {
    inner: Mutex<Inner>,
    changed: Notify,
    stopped: CancellationToken,
}

struct Inner {
    conduct: Conduct,
    plugged: bool,
    status: DeviceStatus,
}

impl Controls {
    pub(crate) fn new(conduct: Conduct) -> Self {
        Self {
            inner: Mutex::new(Inner {
                conduct,
                plugged: true,
                status: DeviceStatus::default(),
            }),
            changed: Notify::new(),
            stopped: CancellationToken::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Each field is replaced whole, so what a panicking holder leaves is usable.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn status(&self) -> DeviceStatus {
        self.inner().status.clone()
    }

    pub(crate) fn conduct(&self) -> Conduct {
        self.inner().conduct.clone()
    }

    pub(crate) fn set_conduct(&self, conduct: Conduct) {
        self.inner().conduct = conduct;
        self.changed.notify_one();
    }

    pub(crate) fn is_plugged(&self) -> bool {
        self.inner().plugged
    }

    pub(crate) fn set_plugged(&self, plugged: bool) {
        self.inner().plugged = plugged;
        self.changed.notify_one();
    }

    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(crate) fn stop(&self) {
        self.stopped.cancel();
    }

    pub(crate) fn stopped(&self) -> CancellationToken {
        self.stopped.clone()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.inner().status.connected
    }

    pub(crate) fn set_connected(&self, connected: bool) {
        self.inner().status.connected = connected;
    }

    pub(crate) fn came_up(&self) {
        let mut inner = self.inner();
        inner.status.connected = true;
        inner.status.connections += 1;
        inner.status.refusal = None;
    }

    /// Notes a refusal; true if it is a new one.
    pub(crate) fn refused(&self, reason: &str) -> bool {
        let mut inner = self.inner();
        inner.status.connected = false;
        let before = inner.status.refusal.replace(reason.to_owned());
        before.as_deref() != Some(reason)
    }

    pub(crate) fn commanded(&self, topic: &str, payload: &str) {
        let mut inner = self.inner();
        inner.status.commands += 1;
        inner.status.last_command = Some((topic.to_owned(), payload.to_owned()));
    }

    pub(crate) fn reported(&self, count: u64) {
        self.inner().status.reports += count;
    }
}
