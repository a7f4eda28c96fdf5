//! What waits to be written to the history: bounded, whatever happens.
//!
//! Pure. Beyond the bound only the newest sample of each entity is kept, and each
//! one lost is counted for its entity. It must never forget a last state.

use iothome_engine::history::{LastState, Sample};
use iothome_engine::ids::{DeviceId, EntityRef};
use iothome_engine::time::Timestamp;
use iothome_store::HistoryBatch;
use std::collections::HashMap;

/// Most samples that wait in full: ten seconds of a thousand reports a second.
pub(super) const MOST_SAMPLES: usize = 10_000;

/// Most comings and goings that wait in full; beyond it, the last of each device.
const MOST_AVAILABILITY: usize = 10_000;

/// Samples in one transaction: some 50 ms on a small computer.
const BATCH: usize = 2_000;

#[derive(Default)]
pub(super) struct Buffer {
    samples: Vec<Sample>,
    /// The newest sample of an entity, when there is no room for all.
    newest: HashMap<EntityRef, Sample>,
    last_states: HashMap<EntityRef, LastState>,
    availability: Vec<(DeviceId, Timestamp, bool)>,
    losses: HashMap<EntityRef, (Timestamp, u32)>,
}

impl Buffer {
    pub(super) fn record(&mut self, sample: Sample) {
        if self.samples.len() < MOST_SAMPLES {
            self.samples.push(sample);
            return;
        }
        let (target, at) = (sample.target.clone(), sample.at);
        if self.newest.insert(target.clone(), sample).is_some() {
            metrics::counter!("iothome_history_samples_lost_total").increment(1);
            self.lost(target, at, 1);
        }
    }

    pub(super) fn last_state(&mut self, state: LastState) {
        // Not keyed by `entry`: the target is inside, and a clone of two Arcs is cheap.
        self.last_states.insert(state.target.clone(), state);
    }

    pub(super) fn availability(&mut self, device: &DeviceId, at: Timestamp, online: bool) {
        if self.availability.len() >= MOST_AVAILABILITY {
            self.keep_last_availability();
        }
        self.availability.push((device.clone(), at, online));
    }

    pub(super) fn lost(&mut self, target: EntityRef, at: Timestamp, count: u32) {
        let loss = self.losses.entry(target).or_insert((at, 0));
        *loss = (at, loss.1.saturating_add(count));
    }

    /// How many samples wait.
    pub(super) fn samples(&self) -> usize {
        self.samples.len() + self.newest.len()
    }

    /// The next batch; `None` if nothing waits.
    pub(super) fn take(&mut self) -> Option<HistoryBatch> {
        let rest = self.samples.split_off(self.samples.len().min(BATCH));
        let mut samples = std::mem::replace(&mut self.samples, rest);
        if self.samples.is_empty() {
            samples.extend(self.newest.drain().map(|(_, sample)| sample));
        }
        let losses = self.losses.drain();
        let batch = HistoryBatch {
            samples,
            last_states: self.last_states.drain().map(|(_, state)| state).collect(),
            availability: std::mem::take(&mut self.availability),
            losses: losses.map(|(target, (at, n))| (target, at, n)).collect(),
        };
        (batch != HistoryBatch::default()).then_some(batch)
    }

    /// Takes a batch back that could not be written, as the oldest of what waits.
    pub(super) fn put_back(&mut self, batch: HistoryBatch) {
        let newer = std::mem::replace(&mut self.samples, batch.samples);
        for sample in newer {
            self.record(sample);
        }
        for state in batch.last_states {
            self.last_states
                .entry(state.target.clone())
                .or_insert(state);
        }
        let newer = std::mem::replace(&mut self.availability, batch.availability);
        self.availability.extend(newer);
        for (target, at, count) in batch.losses {
            self.lost(target, at, count);
        }
    }

    fn keep_last_availability(&mut self) {
        let all = std::mem::take(&mut self.availability);
        let last: HashMap<DeviceId, (Timestamp, bool)> = all
            .into_iter()
            .map(|(device, at, online)| (device, (at, online)))
            .collect();
        self.availability = last
            .into_iter()
            .map(|(device, (at, online))| (device, at, online))
            .collect();
    }
}
