//! History of an entity: points, roll-ups, and the gaps between them.
//!
//! Owner of how history is asked for over REST: which resolution fits which
//! range. It must never draw a line where nobody listened.

use crate::api::paths;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::Query;
use crate::problem::{Answer, Problem};
use actix_web::{HttpResponse, web};
use iothome_engine::ids::EntityRef;
use iothome_engine::policy::Right;
use iothome_engine::time::Timestamp;
use iothome_engine::value::json_number;
use iothome_store::{HISTORY_PAGE_MAX, HistoryQuery, Points, Resolution};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// What is asked for if nothing is said.
const DEFAULT_RANGE_MS: i64 = DAY_MS;
/// Raw numbers are kept this long; a longer range could only look complete.
const RAW_MAX_MS: i64 = 10 * DAY_MS;
/// 5-minute buckets are kept this long.
const FIVE_MINUTES_MAX_MS: i64 = 90 * DAY_MS;
/// Up to this range raw numbers fit a page or two if the sensor reports every half minute.
const RAW_FITS_MS: i64 = 2 * DAY_MS;
/// Up to this range 5-minute buckets fit two pages.
const FIVE_MINUTES_FIT_MS: i64 = 31 * DAY_MS;
/// Longest range of raw words: they change seldom, and are kept ten days anyway.
const WORDS_MAX_MS: i64 = 366 * DAY_MS;

/// Which part of the history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryRequest {
    /// From this instant, RFC 3339; a day before `to` if not given.
    from: Option<String>,
    /// Up to this instant (exclusive); now if not given.
    to: Option<String>,
    /// `raw`, `5m` or `1h`; the finest that fits the range if not given.
    resolution: Option<String>,
    /// `next` of the page before.
    after: Option<i64>,
}

/// A page of history.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryBody {
    /// Unit of measurement.
    unit: Option<String>,
    /// `number` or `state`.
    kind: &'static str,
    /// `raw`, `5m` or `1h`.
    resolution: &'static str,
    /// `[t, value]`, or `[t, min, mean, max, count]`; `t` in Unix milliseconds.
    #[schema(value_type = Vec<Vec<Value>>)]
    points: Vec<Value>,
    /// `[from, to, "hub"|"device"]`: when nobody listened, or the device was away.
    #[schema(value_type = Vec<Vec<Value>>)]
    gaps: Vec<Value>,
    /// Samples lost in this range because the device sent faster than they could be kept.
    lost: u64,
    /// What to give as `after` for the next page; null at the end.
    next: Option<i64>,
}

/// The history of an entity.
#[utoipa::path(get, path = "/api/v1/devices/{device}/entities/{entity}/history", tag = "history",
    params(("device" = String, Path), ("entity" = String, Path), HistoryRequest),
    responses((status = 200, body = HistoryBody), (status = 404),
        (status = 422, description = "The range is too long for the resolution; the answer names the one to use")))]
pub(crate) async fn history(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<(String, String)>,
    query: Query<HistoryRequest>,
) -> Answer {
    let (device, entity) = path.into_inner();
    let device = paths::device(&app, &user, &device, Right::View)?;
    let entity = paths::entity(&device, &entity)?;
    let target = EntityRef {
        device: device.id.clone(),
        entity: entity.id.clone(),
    };
    let numeric = entity.numeric;
    let (from, to) = range(&query.0, app.now())?;
    let resolution = resolution(
        query.0.resolution.as_deref(),
        to.millis_since(from),
        numeric,
    )?;
    let page = app
        .store
        .history(&HistoryQuery {
            target,
            from,
            to,
            resolution,
            numeric,
            after: query.0.after,
            limit: HISTORY_PAGE_MAX,
        })
        .await?;
    Ok(HttpResponse::Ok().json(HistoryBody {
        unit: entity.unit.clone(),
        kind: if numeric { "number" } else { "state" },
        resolution: word(resolution),
        points: tell(page.points),
        gaps: page
            .gaps
            .iter()
            .map(|gap| json!([gap.from, gap.to, gap.kind.as_str()]))
            .collect(),
        lost: page.lost,
        next: page.next,
    }))
}

fn tell(points: Points) -> Vec<Value> {
    match points {
        Points::Raw(raw) => raw
            .into_iter()
            .map(|(t, value)| json!([t, value.to_json()]))
            .collect(),
        Points::Buckets(buckets) => buckets
            .into_iter()
            .map(|b| {
                let [min, mean, max] = [b.min, b.mean, b.max].map(json_number);
                json!([b.at, min, mean, max, b.count])
            })
            .collect(),
    }
}

fn range(query: &HistoryRequest, now: Timestamp) -> Answer<(Timestamp, Timestamp)> {
    let to = instant("to", query.to.as_deref())?.unwrap_or(now);
    let from = instant("from", query.from.as_deref())?
        .unwrap_or_else(|| to.plus_millis(-DEFAULT_RANGE_MS));
    if from >= to {
        return Err(Problem::bad_request("from must lie before to").field("from"));
    }
    Ok((from, to))
}

fn instant(field: &str, text: Option<&str>) -> Answer<Option<Timestamp>> {
    let Some(text) = text else { return Ok(None) };
    // In a query string a plus sign is a blank.
    match Timestamp::parse(&text.replace(' ', "+")) {
        Some(instant) => Ok(Some(instant)),
        None => Err(
            Problem::bad_request("an instant is RFC 3339, such as 2026-11-24T07:52:37Z")
                .field(field),
        ),
    }
}

const fn word(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Raw => "raw",
        Resolution::FiveMinutes => "5m",
        Resolution::Hour => "1h",
    }
}

/// The finest that fits.
const fn fitting(length_ms: i64, numeric: bool) -> Resolution {
    if !numeric || length_ms <= RAW_FITS_MS {
        Resolution::Raw
    } else if length_ms <= FIVE_MINUTES_FIT_MS {
        Resolution::FiveMinutes
    } else {
        Resolution::Hour
    }
}

fn resolution(asked: Option<&str>, length_ms: i64, numeric: bool) -> Answer<Resolution> {
    let asked = match asked {
        None => fitting(length_ms, numeric),
        Some("raw") => Resolution::Raw,
        Some("5m") => Resolution::FiveMinutes,
        Some("1h") => Resolution::Hour,
        Some(_) => {
            return Err(Problem::bad_request("resolution is raw, 5m or 1h").field("resolution"));
        }
    };
    let refuse = |detail: String| Err(Problem::invalid("resolution", detail));
    if !numeric && asked != Resolution::Raw {
        return refuse("this entity's history is words: use raw".into());
    }
    if !numeric && length_ms > WORDS_MAX_MS {
        return Err(Problem::invalid("from", "at most a year at once"));
    }
    let too_long = match asked {
        Resolution::Raw => numeric && length_ms > RAW_MAX_MS,
        Resolution::FiveMinutes => length_ms > FIVE_MINUTES_MAX_MS,
        Resolution::Hour => false,
    };
    if too_long {
        let better = word(fitting(length_ms, numeric));
        return Err(Problem::invalid(
            "resolution",
            format!("the range is too long for {}: use {better}", word(asked)),
        )
        .with("use", better));
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_too_long_for_its_resolution_is_refused_with_the_one_to_use() {
        let ask = |asked, days: i64| resolution(asked, days * DAY_MS, true);
        assert_eq!(ask(None, 1).ok(), Some(Resolution::Raw));
        assert_eq!(ask(None, 7).ok(), Some(Resolution::FiveMinutes));
        assert_eq!(ask(None, 365).ok(), Some(Resolution::Hour));
        assert_eq!(ask(Some("raw"), 10).ok(), Some(Resolution::Raw));
        for (asked, days, better) in [("raw", 11, "5m"), ("raw", 365, "1h"), ("5m", 365, "1h")] {
            let problem = ask(Some(asked), days).expect_err("too long");
            assert_eq!(problem.document()["use"], better);
            assert_eq!(problem.field.as_deref(), Some("resolution"));
        }
        assert!(ask(Some("1d"), 1).is_err());
    }

    #[test]
    fn words_have_no_buckets() {
        assert!(resolution(Some("5m"), DAY_MS, false).is_err());
        assert!(resolution(Some("raw"), 30 * DAY_MS, false).is_ok());
    }

    #[test]
    fn instants_are_read_also_where_a_plus_became_a_blank() {
        assert!(instant("from", Some("2026-11-24T08:52:37 01:00")).is_ok());
        let problem = instant("from", Some("yesterday")).expect_err("no instant");
        assert_eq!(problem.field.as_deref(), Some("from"));
    }
}
