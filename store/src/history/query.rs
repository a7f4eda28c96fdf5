//! Answers questions about the past.
//!
//! Owner of the reading side of history. It must never guess: what could not be
//! known is a gap, and what was lost is counted.

use super::{
    Bucket, Gap, GapKind, HISTORY_PAGE_MAX, HistoryPage, HistoryQuery, Points, Resolution,
    floor_to, value,
};
use crate::db::{Row, id};
use crate::{Store, StoreError};
use iothome_engine::ids::DeviceId;
use iothome_engine::value::Value;

const NUMBERS: &str = "SELECT at, number, word FROM samples
    WHERE series = $1 AND at >= $2 AND at < $3 AND number IS NOT NULL ORDER BY at LIMIT $4";
/// A report that repeats the one before is no change. The row before `$2` is
/// looked at too, so that a page goes on where the last one ended.
const CHANGES: &str = "SELECT at, number, word FROM (
        SELECT at, number, word,
            LAG(at) OVER (ORDER BY at) AS before_at,
            LAG(number) OVER (ORDER BY at) AS before_number,
            LAG(word) OVER (ORDER BY at) AS before_word
        FROM samples WHERE series = $1 AND at < $3 AND at >= COALESCE(
            (SELECT MAX(at) FROM samples WHERE series = $1 AND at < $2), $2)) c
    WHERE at >= $2 AND (before_at IS NULL OR before_number IS DISTINCT FROM number
        OR before_word IS DISTINCT FROM word)
    ORDER BY at LIMIT $4";
const IN_FORCE: &str = "SELECT at, number, word FROM samples
    WHERE series = $1 AND at <= $2 ORDER BY at DESC LIMIT 1";
const BUCKETS_5M: &str = "SELECT at, lowest, mean, highest, count FROM rollup_5m
    WHERE series = $1 AND at >= $2 AND at < $3 ORDER BY at LIMIT $4";
const BUCKETS_1H: &str = "SELECT at, lowest, mean, highest, count FROM rollup_1h
    WHERE series = $1 AND at >= $2 AND at < $3 ORDER BY at LIMIT $4";
/// Spans that touch the stretch.
const SPANS: &str = "SELECT started_at, ended_at FROM hub_spans
    WHERE started_at < $2 AND ended_at >= $1 ORDER BY ended_at LIMIT $3";
const NEWEST_SPAN: &str = "SELECT started_at FROM hub_spans ORDER BY id DESC LIMIT 1";
const AVAILABILITY: &str = "SELECT at, online FROM availability
    WHERE device_id = $1 AND at < $3 AND at >= COALESCE(
        (SELECT MAX(at) FROM availability WHERE device_id = $1 AND at <= $2), $2)
    ORDER BY at LIMIT $4";
const LOST: &str = "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM losses
    WHERE series = $1 AND at >= $2 AND at < $3";

/// Spans and changes of availability that one page looks at: a hub or device
/// that comes and goes more often than this has worse troubles than a chart.
const GAP_ROWS: i64 = 5_000;

/// The stretch of time that a page covers.
#[derive(Clone, Copy)]
struct Stretch {
    from: i64,
    to: i64,
}

impl Store {
    /// A page of an entity's history.
    ///
    /// An entity that never reported has no points, but may have gaps.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        let limit = query.limit.clamp(1, HISTORY_PAGE_MAX);
        let bucket = query.resolution.bucket_ms();
        let begin = floor_to(query.from.as_millis(), bucket);
        let mut stretch = Stretch {
            from: begin,
            to: query.to.as_millis().max(begin),
        };
        if let Some(after) = query.after {
            // A mark beyond the end leaves an empty page.
            stretch.from = after.saturating_add(1).clamp(begin, stretch.to);
        }
        let series = self.known_series(&query.target).await?;
        let mut points = match (series, query.resolution) {
            (None, Resolution::Raw) => Points::Raw(Vec::new()),
            (None, _) => Points::Buckets(Vec::new()),
            (Some(series), Resolution::Raw) => {
                Points::Raw(self.raw(series, query, stretch, limit).await?)
            }
            (Some(series), _) => {
                let sql = match query.resolution {
                    Resolution::Hour => BUCKETS_1H,
                    Resolution::Raw | Resolution::FiveMinutes => BUCKETS_5M,
                };
                Points::Buckets(self.buckets(sql, series, stretch, limit).await?)
            }
        };
        let next = points.cut(limit);
        if let Some(last) = next {
            // The next page goes on right after the last point, with its gaps and losses.
            stretch.to = last + 1;
        }
        Ok(HistoryPage {
            points,
            gaps: self.gaps(&query.target.device, stretch).await?,
            lost: self.lost(series, stretch).await?,
            next,
        })
    }

    async fn raw(
        &self,
        series: i64,
        query: &HistoryQuery,
        stretch: Stretch,
        limit: usize,
    ) -> Result<Vec<(i64, Value)>, StoreError> {
        let sql = if query.numeric { NUMBERS } else { CHANGES };
        let args = [
            series.into(),
            stretch.from.into(),
            stretch.to.into(),
            crate::limit(limit + 1),
        ];
        let rows = self.history_db().all(sql, args).await?;
        let points = rows.iter().map(point).collect::<Result<Vec<_>, _>>()?;
        let mut points: Vec<_> = points.into_iter().flatten().collect();
        if query.numeric || query.after.is_some() {
            return Ok(points);
        }
        // The first page of words begins with the one in force.
        let args = [series.into(), stretch.from.into()];
        let row = self.history_db().first(IN_FORCE, args).await?;
        let in_force = row.map(|row| point(&row)).transpose()?.flatten();
        if let Some((_, word)) = in_force {
            points.retain(|(at, _)| *at > stretch.from);
            points.insert(0, (stretch.from, word));
        }
        Ok(points)
    }

    async fn buckets(
        &self,
        sql: &'static str,
        series: i64,
        stretch: Stretch,
        limit: usize,
    ) -> Result<Vec<Bucket>, StoreError> {
        let args = [
            series.into(),
            stretch.from.into(),
            stretch.to.into(),
            crate::limit(limit + 1),
        ];
        let rows = self.history_db().all(sql, args).await?;
        rows.iter().map(bucket).collect()
    }

    async fn lost(&self, series: Option<i64>, stretch: Stretch) -> Result<u64, StoreError> {
        let Some(series) = series else { return Ok(0) };
        let args = [series.into(), stretch.from.into(), stretch.to.into()];
        let row = self.history_db().first(LOST, args).await?;
        let lost = row.map_or(Ok(0), |row| row.int(0))?;
        Ok(u64::try_from(lost).unwrap_or(0))
    }

    /// When nothing could be known of a device.
    pub(super) async fn gaps_between(
        &self,
        device: &DeviceId,
        from: i64,
        to: i64,
    ) -> Result<Vec<Gap>, StoreError> {
        self.gaps(device, Stretch { from, to }).await
    }

    async fn gaps(&self, device: &DeviceId, stretch: Stretch) -> Result<Vec<Gap>, StoreError> {
        let mut gaps = self.hub_gaps(stretch).await?;
        gaps.extend(self.device_gaps(device, stretch).await?);
        gaps.sort_by_key(|gap| (gap.from, gap.to));
        Ok(gaps)
    }

    /// What lies between the hub's spans. The newest span is the one of the hub
    /// that answers, so it lasts.
    async fn hub_gaps(&self, stretch: Stretch) -> Result<Vec<Gap>, StoreError> {
        let newest = self.house().first(NEWEST_SPAN, []).await?;
        let newest = newest.map(|row| row.int(0)).transpose()?;
        let args = [stretch.from.into(), stretch.to.into(), GAP_ROWS.into()];
        let rows = self.house().all(SPANS, args).await?;
        let mut spans = Vec::with_capacity(rows.len() + 1);
        for row in rows {
            spans.push((row.int(0)?, row.int(1)?));
        }
        if let Some(newest) = newest.filter(|&newest| newest < stretch.to) {
            spans.push((newest, i64::MAX));
        }
        // A clock that was set back made the newest begin before others.
        spans.sort_unstable();
        Ok(between(stretch, spans)
            .into_iter()
            .map(|(from, to)| Gap {
                from,
                to,
                kind: GapKind::Hub,
            })
            .collect())
    }

    async fn device_gaps(
        &self,
        device: &DeviceId,
        stretch: Stretch,
    ) -> Result<Vec<Gap>, StoreError> {
        let args = [
            id(device),
            stretch.from.into(),
            stretch.to.into(),
            GAP_ROWS.into(),
        ];
        let rows = self.history_db().all(AVAILABILITY, args).await?;
        let mut gaps = Vec::new();
        let mut offline_since = None;
        for row in rows {
            let at = row.int(0)?.max(stretch.from);
            match (row.flag(1)?, offline_since) {
                (false, None) => offline_since = Some(at),
                (true, Some(since)) => {
                    gaps.extend(device_gap(since, at));
                    offline_since = None;
                }
                (false, Some(_)) | (true, None) => {}
            }
        }
        if let Some(since) = offline_since {
            gaps.extend(device_gap(since, stretch.to));
        }
        Ok(gaps)
    }
}

fn device_gap(from: i64, to: i64) -> Option<Gap> {
    (from < to).then_some(Gap {
        from,
        to,
        kind: GapKind::Device,
    })
}

/// What of the stretch no span covers; the spans are in order of their starts.
fn between(stretch: Stretch, spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    let mut gaps = Vec::new();
    let mut known_until = stretch.from;
    for (start, end) in spans {
        if start > known_until {
            gaps.push((known_until, start.min(stretch.to)));
        }
        known_until = known_until.max(end);
    }
    if known_until < stretch.to {
        gaps.push((known_until, stretch.to));
    }
    gaps
}

/// A sample; `None` if it has neither number nor word.
fn point(row: &Row) -> Result<Option<(i64, Value)>, StoreError> {
    let at = row.int(0)?;
    Ok(value(row.opt_real(1)?, row.opt_text(2)?).map(|value| (at, value)))
}

fn bucket(row: &Row) -> Result<Bucket, StoreError> {
    Ok(Bucket {
        at: row.int(0)?,
        min: row.real(1)?,
        mean: row.real(2)?,
        max: row.real(3)?,
        count: row.int(4)?,
    })
}

impl Points {
    /// Cuts to the page's length; tells where the next page goes on, if anything was cut.
    fn cut(&mut self, limit: usize) -> Option<i64> {
        match self {
            Self::Raw(points) => {
                let more = points.len() > limit;
                points.truncate(limit);
                points.last().filter(|_| more).map(|(at, _)| *at)
            }
            Self::Buckets(points) => {
                let more = points.len() > limit;
                points.truncate(limit);
                points.last().filter(|_| more).map(|bucket| bucket.at)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_span_covers_is_a_gap() {
        let day = Stretch { from: 0, to: 100 };
        assert_eq!(between(day, vec![]), [(0, 100)]);
        assert_eq!(between(day, vec![(-5, 200)]), []);
        assert_eq!(
            between(day, vec![(10, 20), (15, 30), (40, 40)]),
            [(0, 10), (30, 40), (40, 100)]
        );
        assert_eq!(between(day, vec![(0, 50), (150, i64::MAX)]), [(50, 100)]);
    }
}
