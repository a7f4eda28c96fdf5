//! What a number did over a stretch of time, as finely as a chart can show.
//!
//! Owner of choosing among samples and roll-ups for a drawing. It must never drop a
//! peak: each slot tells its lowest and highest, however many samples fell into it.

use super::marks::Mark;
use super::{Bucket, FIVE_MINUTES_MS, Gap, HOUR_MS, floor_to};
use crate::{Store, StoreError};
use iothome_engine::ids::EntityRef;
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;

/// Slots of one band: finer than the pixels of a phone, and few enough to be sent.
pub const BAND_SLOTS_MAX: i64 = 288;

/// The three levels follow each other without overlap: hours as far as they are
/// rolled up, then five minutes, then samples. Numbers beyond 1e100 are no
/// measurements; the roll-ups leave them out too.
const BAND: &str = "SELECT (p.at - $2) / $6, MIN(p.lowest), SUM(p.mean * p.count) / SUM(p.count),
        MAX(p.highest), CAST(SUM(p.count) AS BIGINT)
    FROM (
        SELECT at, lowest, mean, highest, count FROM rollup_1h
            WHERE series = $1 AND at >= $2 AND at < $3
        UNION ALL SELECT at, lowest, mean, highest, count FROM rollup_5m
            WHERE series = $1 AND at >= $3 AND at < $4
        UNION ALL SELECT at, number, number, number, 1 FROM samples
            WHERE series = $1 AND at >= $4 AND at < $5 AND number BETWEEN -1e100 AND 1e100
    ) p GROUP BY 1 ORDER BY 1";
const BEFORE: &str = "SELECT number, word FROM samples
    WHERE series = $1 AND at < $2 ORDER BY at DESC LIMIT 1";

/// A number's band over a stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// How long a slot is, in milliseconds.
    pub slot_ms: i64,
    /// The slots that hold anything, in order; `at` is where each begins.
    pub slots: Vec<Bucket>,
    /// When nothing could be known.
    pub gaps: Vec<Gap>,
}

/// Where each level of detail begins: hours before `five`, five minutes before `raw`.
struct Levels {
    five: i64,
    raw: i64,
}

impl Store {
    /// What the number did from `from` up to but not including `to`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn band(
        &self,
        target: &EntityRef,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Band, StoreError> {
        let (from, to) = (from.as_millis(), to.as_millis());
        let to = to.max(from);
        let slot_ms = slot_ms(to - from);
        let begin = floor_to(from, slot_ms);
        let gaps = self.gaps_between(&target.device, from, to).await?;
        let Some(series) = self.known_series(target).await? else {
            let slots = Vec::new();
            return Ok(Band {
                slot_ms,
                slots,
                gaps,
            });
        };
        let levels = self.levels(slot_ms, begin, to).await?;
        let args = [
            series.into(),
            begin.into(),
            levels.five.into(),
            levels.raw.into(),
            to.into(),
            slot_ms.into(),
        ];
        let rows = self.history_db().all(BAND, args).await?;
        let slot = |row: &crate::db::Row| -> Result<Bucket, StoreError> {
            Ok(Bucket {
                at: begin + row.int(0)? * slot_ms,
                min: row.real(1)?,
                mean: row.real(2)?,
                max: row.real(3)?,
                count: row.int(4)?,
            })
        };
        let slots = rows.iter().map(slot).collect::<Result<Vec<_>, _>>()?;
        Ok(Band {
            slot_ms,
            slots,
            gaps,
        })
    }

    /// What was in force right before an instant, as far as samples are kept.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn value_before(
        &self,
        target: &EntityRef,
        at: Timestamp,
    ) -> Result<Option<Value>, StoreError> {
        let Some(series) = self.known_series(target).await? else {
            return Ok(None);
        };
        let args = [series.into(), at.into()];
        let Some(row) = self.history_db().first(BEFORE, args).await? else {
            return Ok(None);
        };
        Ok(super::value(row.opt_real(0)?, row.opt_text(1)?))
    }

    /// The finest level that the slots need and that is still kept; where a coarser one has not
    /// been made yet, the finer one steps in.
    async fn levels(&self, slot_ms: i64, from: i64, to: i64) -> Result<Levels, StoreError> {
        let mut tx = self.history_db().snapshot().await?;
        let mut mark = async |mark: Mark| -> Result<i64, StoreError> {
            Ok(mark.get(&mut tx).await?.unwrap_or(i64::MIN))
        };
        let (rolled_1h, rolled_5m) = (mark(Mark::Rolled1h).await?, mark(Mark::Rolled5m).await?);
        let (pruned_5m, pruned_raw) = (mark(Mark::Pruned5m).await?, mark(Mark::PrunedRaw).await?);
        let hours_until = if slot_ms >= HOUR_MS {
            rolled_1h
        } else {
            pruned_5m
        };
        let five = hours_until.min(rolled_1h).clamp(from, to);
        let five_until = if slot_ms >= FIVE_MINUTES_MS {
            rolled_5m
        } else {
            pruned_raw
        };
        let raw = five_until.min(rolled_5m).clamp(five, to);
        Ok(Levels { five, raw })
    }
}

/// How long a slot is for a stretch of this length: whole roll-ups where it is longer than one.
fn slot_ms(length: i64) -> i64 {
    let fine = (length + BAND_SLOTS_MAX - 1) / BAND_SLOTS_MAX;
    let step = if fine > HOUR_MS {
        HOUR_MS
    } else if fine >= FIVE_MINUTES_MS {
        FIVE_MINUTES_MS
    } else {
        1_000
    };
    ((fine + step - 1) / step).max(1) * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_whole_roll_ups_and_there_are_never_too_many() {
        let minute = 60_000;
        for (length, slot) in [
            (60 * minute, 13_000),
            (24 * 60 * minute, FIVE_MINUTES_MS),
            (7 * 24 * 60 * minute, 35 * minute),
            (30 * 24 * 60 * minute, 3 * HOUR_MS),
            (0, 1_000),
        ] {
            assert_eq!(slot_ms(length), slot, "{length}");
            assert!(length / slot <= BAND_SLOTS_MAX);
        }
    }
}
