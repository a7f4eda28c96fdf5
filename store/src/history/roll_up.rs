//! Roll-ups: what numbers did in five minutes and in an hour.
//!
//! Owner of `rollup_5m` and `rollup_1h`. It must never roll up a bucket that is
//! not over, and running it again must change nothing.

use super::marks::Mark;
use super::{FIVE_MINUTES_MS, HOUR_MS, floor_to};
use crate::db::{Turn, Tx};
use crate::{Store, StoreError};
use iothome_engine::time::Timestamp;

/// A bucket is rolled up this long after its end: the recorder writes within
/// seconds. What comes later still makes the roll-up go back.
const GRACE_MS: i64 = 30_000;

/// One level of buckets, made from the one below.
struct Level {
    mark: Mark,
    bucket_ms: i64,
    /// How much of the past one transaction rolls up: recorder and charts wait
    /// no longer than that takes.
    step_ms: i64,
    /// The first row of the level below from `$1` on.
    first: &'static str,
    /// Makes the buckets from `$1` up to `$2`.
    make: &'static str,
}

/// Numbers beyond 1e100 are no measurements, and their squares would overflow
/// PostgreSQL's AVG and stop every roll-up: they stay among the samples.
const FIVE_MINUTES: Level = Level {
    mark: Mark::Rolled5m,
    bucket_ms: FIVE_MINUTES_MS,
    step_ms: 3 * FIVE_MINUTES_MS,
    first: "SELECT MIN(f.first) FROM (SELECT (SELECT MIN(x.at) FROM samples x
            WHERE x.series = s.id AND x.at >= $1) AS first FROM series s) f",
    make: "INSERT INTO rollup_5m (series, at, lowest, mean, highest, count)
        SELECT x.series, x.at / 300000 * 300000, MIN(x.number), AVG(x.number),
            MAX(x.number), COUNT(*)
        FROM series s CROSS JOIN samples x
        WHERE x.series = s.id AND x.at >= $1 AND x.at < $2
            AND x.number BETWEEN -1e100 AND 1e100
        GROUP BY x.series, x.at / 300000
        ON CONFLICT (series, at) DO UPDATE SET lowest = excluded.lowest,
            mean = excluded.mean, highest = excluded.highest, count = excluded.count",
};

const HOUR: Level = Level {
    mark: Mark::Rolled1h,
    bucket_ms: HOUR_MS,
    step_ms: 6 * HOUR_MS,
    first: "SELECT MIN(f.first) FROM (SELECT (SELECT MIN(x.at) FROM rollup_5m x
            WHERE x.series = s.id AND x.at >= $1) AS first FROM series s) f",
    make: "INSERT INTO rollup_1h (series, at, lowest, mean, highest, count)
        SELECT x.series, x.at / 3600000 * 3600000, MIN(x.lowest),
            SUM(x.mean * x.count) / SUM(x.count), MAX(x.highest),
            CAST(SUM(x.count) AS BIGINT)
        FROM series s CROSS JOIN rollup_5m x
        WHERE x.series = s.id AND x.at >= $1 AND x.at < $2
        GROUP BY x.series, x.at / 3600000
        ON CONFLICT (series, at) DO UPDATE SET lowest = excluded.lowest,
            mean = excluded.mean, highest = excluded.highest, count = excluded.count",
};

impl Store {
    /// Rolls up every bucket that is over and not rolled up yet, in short
    /// transactions; tells how many buckets were made.
    ///
    /// # Errors
    /// Whatever the database says; the next run goes on where this one stopped.
    pub async fn roll_up(&self, now: Timestamp) -> Result<u64, StoreError> {
        let now = now.as_millis();
        self.clamp_marks(now).await?;
        let end = floor_to(now.saturating_sub(GRACE_MS), FIVE_MINUTES_MS);
        let five = self.roll_level(&FIVE_MINUTES, end).await?;
        let hour = self.roll_level(&HOUR, floor_to(end, HOUR_MS)).await?;
        Ok(five + hour)
    }

    /// A clock that was ahead left marks in the future, which would stop all work until then.
    async fn clamp_marks(&self, now: i64) -> Result<(), StoreError> {
        let mut tx = self.history_db().begin().await?;
        tx.take_turn(Turn::History).await?;
        Mark::clamp_all(&mut tx, now).await?;
        tx.commit().await
    }

    async fn roll_level(&self, level: &Level, end: i64) -> Result<u64, StoreError> {
        let mut made = 0;
        loop {
            let mut tx = self.history_db().begin().await?;
            tx.take_turn(Turn::History).await?;
            let (buckets, done) = level.step(&mut tx, end).await?;
            tx.commit().await?;
            made += buckets;
            // Ends: each step but the last moves the mark towards `end`.
            if done {
                return Ok(made);
            }
        }
    }
}

impl Level {
    /// One step; tells how many buckets it made and whether it was the last.
    async fn step(&self, tx: &mut Tx, end: i64) -> Result<(u64, bool), StoreError> {
        let mark = self.mark.get(tx).await?;
        if mark.is_some_and(|mark| mark >= end) {
            return Ok((0, true));
        }
        let since = mark.unwrap_or(i64::MIN);
        let row = tx.first(self.first, [since.into()]).await?;
        let first = row.map_or(Ok(None), |row| row.opt_int(0))?;
        // Time without samples is passed over, so a long absence costs one step.
        let Some(first) = first.filter(|&first| first < end) else {
            self.mark.set(tx, end).await?;
            return Ok((0, true));
        };
        let from = floor_to(first, self.bucket_ms);
        let to = from.saturating_add(self.step_ms).min(end);
        let made = tx.run(self.make, [from.into(), to.into()]).await?;
        self.mark.set(tx, to).await?;
        Ok((made, to >= end))
    }
}
