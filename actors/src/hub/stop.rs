//! How a hub ends: in order, in time, with nothing lost.
//!
//! Owner of the order of the goodbye. It must never wait for something that may not
//! come: what is not finished is repaired at the next start.

use super::Hub;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long commands under way may take to end when the hub stops.
const FINISH_MAX: Duration = Duration::from_millis(1_200);

/// How long each of broker, journal, recorder and last instant may take when the hub stops: with
/// the commands it stays well below the 3 s that a service manager is promised.
const FLUSH_MAX: Duration = Duration::from_millis(300);

impl Hub {
    /// Stops: refuses what is new, lets what is under way end, writes what waits, says goodbye to
    /// the broker. Takes less than 3 s.
    pub async fn shutdown(&self) {
        self.inner.stopping.store(true, Ordering::SeqCst);
        let services = &self.inner.services;
        // Before anything else: nothing new is fired into the goodbye.
        if tokio::time::timeout(FLUSH_MAX, self.inner.scheduler.stop())
            .await
            .is_err()
        {
            tracing::warn!("not every end of an occurrence is written; the next start does it");
        }
        let finished = async {
            while self.is_anything_pending() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(FINISH_MAX, finished).await.is_err() {
            tracing::warn!("commands are still under way; the next start goes on with them");
        }
        if let Some(mqtt) = services.wire.mqtt() {
            let stopped = tokio::time::timeout(FLUSH_MAX, mqtt.stop()).await;
            if stopped.is_err() {
                tracing::warn!("the broker did not take the goodbye");
            }
        }
        if !services.journal.barrier(FLUSH_MAX).await || !services.journal.is_empty() {
            tracing::error!("not everything could be written to the journal");
        }
        if tokio::time::timeout(FLUSH_MAX, services.recorder.stop())
            .await
            .is_err()
        {
            tracing::error!("not all of the history could be written");
        }
        let now = services.clock.now();
        let written = self.inner.store.extend_span(self.inner.span, now);
        if !matches!(tokio::time::timeout(FLUSH_MAX, written).await, Ok(Ok(()))) {
            tracing::error!("the hub's last instant could not be written");
        }
        self.inner.root.stop(None);
    }

    fn is_anything_pending(&self) -> bool {
        let cells = self.house().cells();
        let mut entities = cells.iter().map(|c| c.view());
        entities.any(|view| view.entities.iter().any(|e| e.pending.is_some()))
    }
}
