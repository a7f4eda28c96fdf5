//! Recorded values made fit for a small chart.
//!
//! Owner of thinning out: it keeps each slot's lowest and highest value, so that no
//! peak is lost.

use super::Reading;
use iothome_engine::time::Timestamp;
use iothome_engine::view::EntityView;
use iothome_views::components::values::{Point, RecentValues};

/// The chart spans at least this, so that the first minutes of a sensor are a line and not a dot.
const SPAN_MIN_MS: i64 = 600_000;
/// Slots of the chart, each with at most two points: finer than a phone's pixels.
const SLOTS: usize = 150;

/// The recent values of an entity between two instants; from its first value on, if that is later.
pub(crate) fn recent(
    reading: Reading<'_>,
    entity: &EntityView,
    (from, to): (Timestamp, Timestamp),
    samples: &[(i64, f64)],
    gaps: &[(i64, i64)],
) -> RecentValues {
    let first = samples.first().map_or(from.as_millis(), |(at, _)| *at);
    let start = first
        .min(to.as_millis() - SPAN_MIN_MS)
        .max(from.as_millis());
    let from = Timestamp::from_millis(start);
    let span_ms = to.millis_since(from).max(1);
    let offset = |at: i64| (at - start).clamp(0, span_ms);
    RecentValues {
        name: entity.name.clone(),
        unit: entity.unit.clone(),
        span_ms,
        from: reading.when(from),
        to: reading.when(to),
        points: thinned(samples)
            .into_iter()
            .map(|(at, value)| Point {
                offset_ms: offset(at),
                value,
                when: reading.when(Timestamp::from_millis(at)),
            })
            .collect(),
        gaps: gaps
            .iter()
            .map(|(a, b)| (offset(*a), offset(*b)))
            .filter(|(a, b)| a < b)
            .collect(),
    }
}

fn thinned(samples: &[(i64, f64)]) -> Vec<(i64, f64)> {
    if samples.len() <= 2 * SLOTS {
        return samples.to_vec();
    }
    let mut kept = Vec::with_capacity(2 * SLOTS + 1);
    for slot in samples.chunks(samples.len().div_ceil(SLOTS)) {
        let low = slot.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let high = slot.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let mut pair: Vec<_> = low.into_iter().chain(high).copied().collect();
        pair.sort_by_key(|(at, _)| *at);
        pair.dedup();
        kept.append(&mut pair);
    }
    // The newest value is told in words, so the chart ends with it.
    if let Some(last) = samples.last()
        && kept.last() != Some(last)
    {
        kept.push(*last);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_every_peak_and_the_newest_value() {
        let mut samples: Vec<(i64, f64)> = (0..10_000).map(|n| (n, 1.0)).collect();
        samples[4_321].1 = 99.0;
        samples[7_000].1 = -5.0;
        let kept = thinned(&samples);
        assert!(kept.len() <= 2 * SLOTS + 1);
        assert!(kept.contains(&(4_321, 99.0)) && kept.contains(&(7_000, -5.0)));
        assert_eq!(kept.last(), Some(&(9_999, 1.0)));
        assert!(kept.is_sorted_by_key(|(at, _)| *at));
    }

    #[test]
    fn few_values_stay_as_they_are() {
        let samples = [(1, 2.0), (3, 4.0)];
        assert_eq!(thinned(&samples), samples);
        assert!(thinned(&[]).is_empty());
    }
}
