//! Recorded numbers made fit for a chart.
//!
//! Owner of which entities have one. It must never drop a peak or bridge a gap.

use super::Reading;
use iothome_engine::kind::Kind;
use iothome_engine::time::Timestamp;
use iothome_engine::view::{DeviceView, EntityView};
use iothome_store::{Band, Bucket, GapKind};
use iothome_views::components::chart::{Chart, Row, Slot};
use iothome_views::components::gap::{Gap, Why};
use iothome_views::components::period::Period;
use std::sync::Arc;

/// Rows of the table: what a person still reads; the chart holds the rest.
const ROWS: usize = 48;

/// How an entity's past is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As a line.
    Number,
    /// As bands.
    States,
}

/// Entities that have a past worth showing, in the order of the page.
pub(crate) fn recorded(device: &DeviceView) -> Vec<(&EntityView, Shape)> {
    let mut found: Vec<_> = device
        .entities
        .iter()
        .map(Arc::as_ref)
        .filter_map(|entity| Some((entity, shape(entity)?)))
        .collect();
    found.sort_by_key(|(entity, _)| entity.category.map_or(0, |_| 1));
    found
}

fn shape(entity: &EntityView) -> Option<Shape> {
    match entity.kind {
        _ if entity.numeric => Some(Shape::Number),
        Kind::Number => Some(Shape::Number),
        Kind::Button => None,
        // A moment is no state: each report would be a band of its own.
        Kind::Sensor if entity.device_class.as_deref() == Some("timestamp") => None,
        Kind::Sensor
        | Kind::Switch
        | Kind::Light
        | Kind::BinarySensor
        | Kind::Select
        | Kind::Cover
        | Kind::Lock => Some(Shape::States),
    }
}

/// The chart of a number; `before` is what was in force at the beginning, of one that is set.
pub(crate) fn chart(
    reading: Reading<'_>,
    entity: &EntityView,
    period: Period,
    band: &Band,
    before: Option<f64>,
) -> Chart {
    let (from, to) = (period.from_ms, period.to_ms);
    let stepped = entity.kind == Kind::Number;
    let place = |bucket: &Bucket| (bucket.at + band.slot_ms / 2).clamp(from, to);
    let mut slots: Vec<Slot> = Vec::with_capacity(band.slots.len() + 2);
    slots.extend(before.map(|value| still(from, value)));
    slots.extend(band.slots.iter().map(|b| slot(place(b), b)));
    if stepped && let Some(last) = slots.last().copied() {
        slots.push(still(to, last.mean));
    }
    Chart {
        id: entity.id.to_string(),
        name: entity.name.clone(),
        unit: entity.unit.clone(),
        slots,
        gaps: gaps(&band.gaps, &period),
        stepped,
        rows: rows(reading, &band.slots),
        period,
    }
}

const fn slot(at_ms: i64, bucket: &Bucket) -> Slot {
    Slot {
        at_ms,
        low: bucket.min,
        mean: bucket.mean,
        high: bucket.max,
    }
}

const fn still(at_ms: i64, value: f64) -> Slot {
    Slot {
        at_ms,
        low: value,
        mean: value,
        high: value,
    }
}

/// The gaps, as far as they lie in the period.
pub(super) fn gaps(gaps: &[iothome_store::Gap], period: &Period) -> Vec<Gap> {
    let within = gaps.iter().map(|gap| Gap {
        from_ms: gap.from.max(period.from_ms),
        to_ms: gap.to.min(period.to_ms),
        why: match gap.kind {
            GapKind::Hub => Why::Hub,
            GapKind::Device => Why::Device,
        },
    });
    within.filter(|gap| gap.from_ms < gap.to_ms).collect()
}

fn rows(reading: Reading<'_>, slots: &[Bucket]) -> Vec<Row> {
    let size = slots.len().div_ceil(ROWS).max(1);
    let row = |slots: &[Bucket]| -> Option<Row> {
        let first = slots.first()?;
        let count: i64 = slots.iter().map(|b| b.count).sum();
        #[expect(clippy::cast_precision_loss, reason = "a count of samples")]
        let mean = slots
            .iter()
            .map(|b| b.mean * (b.count as f64 / count.max(1) as f64))
            .sum();
        Some(Row {
            when: reading.when(Timestamp::from_millis(first.at)),
            slot: Slot {
                at_ms: first.at,
                low: slots.iter().fold(first.min, |low, b| low.min(b.min)),
                mean,
                high: slots.iter().fold(first.max, |high, b| high.max(b.max)),
            },
        })
    };
    // From the newest on, so that its row is whole.
    slots.rchunks(size).filter_map(row).collect()
}
