//! Reading a trigger.
//!
//! Owner of the four kinds' shapes and limits. It must never ask for the time or
//! the home: those faults are found by `check`.

use super::fields::{Faults, Fields};
use crate::schedule::cron::{self, CronLine};
use crate::schedule::place::Zone;
use crate::schedule::trigger::{Days, SunEvent, Trigger, When, Window};
use crate::time::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use serde_json::Value;

pub(super) const EXAMPLE: &str = r#"{"kind":"cron","expression":"30 2 * * MON-FRI"}"#;

/// Shortest interval: what is quicker than a minute is no schedule but a device's own matter.
const SECONDS_MIN: i64 = 60;
/// Longest interval: a leap year.
const SECONDS_MAX: i64 = 31_622_400;
/// Most excluded dates: each day of a year.
const EXCLUDED_MAX: usize = 366;
/// Most jitter: an hour.
const JITTER_MAX: i64 = 3_600;
/// Farthest offset from an event of the sun: half a day.
const OFFSET_MAX: i64 = 720;

const COMMON: [&str; 7] = [
    "kind",
    "zone",
    "start_date",
    "end_date",
    "excluded_dates",
    "days",
    "jitter_seconds",
];

/// Reads the trigger at `path`.
pub(super) fn read(
    path: &str,
    json: &Value,
    now: Option<Timestamp>,
    faults: &mut Faults,
) -> Option<Trigger> {
    let kind = json.get("kind").and_then(Value::as_str).unwrap_or("");
    let own: &[&str] = match kind {
        "at" => &["at"],
        "every" => &["seconds", "anchor", "window"],
        "cron" => &["expression"],
        "sun" => &["event", "offset_minutes"],
        _ => {
            let field = format!("{path}.kind");
            faults.add(&field, "the kind is at, every, cron or sun", EXAMPLE);
            return None;
        }
    };
    let known: Vec<&str> = COMMON.iter().chain(own).copied().collect();
    let fields = Fields::of(path, json, &known, EXAMPLE, faults)?;
    let when = match kind {
        "at" => at(&fields, faults),
        "every" => every(&fields, now, faults),
        "cron" => cron_line(&fields, faults),
        _ => sun(&fields, faults),
    };
    limits(&fields, when, faults)
}

fn limits(fields: &Fields<'_>, when: Option<When>, faults: &mut Faults) -> Option<Trigger> {
    let zone = fields.text("zone", "\"Europe/Berlin\"", faults, |name| {
        Zone::named(name).ok_or_else(|| "there is no such time zone".to_owned())
    });
    let start_date = fields.text("start_date", "\"2027-03-01\"", faults, date);
    let end_date = fields.text("end_date", "\"2027-09-30\"", faults, date);
    if let (Some(start), Some(end)) = (start_date, end_date)
        && end < start
    {
        let problem = format!("the end lies before the start, {start}");
        faults.add(&fields.at("end_date"), problem, &format!("\"{start}\""));
    }
    let excluded_dates = excluded(fields, faults);
    let days = days(fields, faults);
    let jitter = fields.whole("jitter_seconds", (0, JITTER_MAX), "120", faults);
    Some(Trigger {
        when: when?,
        zone,
        start_date,
        end_date,
        excluded_dates,
        days,
        jitter_seconds: jitter.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
    })
}

fn excluded(fields: &Fields<'_>, faults: &mut Faults) -> Vec<Date> {
    let key = "excluded_dates";
    let Some(list) = fields.list(key, EXCLUDED_MAX, "[\"2027-12-24\"]", faults) else {
        return Vec::new();
    };
    let mut dates = Vec::with_capacity(list.len());
    for (at, json) in list.iter().enumerate() {
        match json.as_str().map(date) {
            Some(Ok(date)) => dates.push(date),
            _ => {
                let field = format!("{}[{at}]", fields.at(key));
                faults.add(&field, "a date is needed", "\"2027-12-24\"");
            }
        }
    }
    dates.sort_unstable();
    dates.dedup();
    dates
}

/// The field `days`: every day if it is absent.
pub(super) fn days(fields: &Fields<'_>, faults: &mut Faults) -> Days {
    let example = "[\"MON\",\"TUE\"]";
    let Some(list) = fields.list("days", 7, example, faults) else {
        return Days::ALL;
    };
    let read: Option<Vec<_>> = list
        .iter()
        .map(|day| day.as_str().and_then(Days::day_from_word))
        .collect();
    read.and_then(Days::of).unwrap_or_else(|| {
        let problem = "one or more of MON, TUE, WED, THU, FRI, SAT, SUN are needed";
        faults.add(&fields.at("days"), problem, example);
        Days::ALL
    })
}

fn at(fields: &Fields<'_>, faults: &mut Faults) -> Option<When> {
    let example = "\"2027-03-28T07:00\"";
    let at = fields.need_text("at", example, faults, |text| {
        let plain = text.len() <= 19 && text.contains('T');
        plain
            .then(|| text.parse::<DateTime>().ok())
            .flatten()
            .filter(|at| sane(at.date()))
            .ok_or_else(|| "a local date and time without offset is needed".to_owned())
    })?;
    Some(When::At { at })
}

fn every(fields: &Fields<'_>, now: Option<Timestamp>, faults: &mut Faults) -> Option<When> {
    fields.need("seconds", "900", faults);
    let seconds = fields.whole("seconds", (SECONDS_MIN, SECONDS_MAX), "900", faults);
    let example = "\"2027-03-01T08:00:00Z\"";
    let anchor = match (fields.get("anchor"), now) {
        (None, Some(now)) => Some(Timestamp::from_millis(
            now.as_millis().div_euclid(60_000) * 60_000,
        )),
        _ => fields.need_text("anchor", example, faults, |text| {
            Timestamp::parse(text)
                .map(|anchor| Timestamp::from_millis(anchor.as_millis().div_euclid(1000) * 1000))
                .filter(|anchor| (0..=YEAR_2100_MS).contains(&anchor.as_millis()))
                .ok_or_else(|| "an instant between 1970 and 2100 is needed".to_owned())
        }),
    };
    let window = fields.get("window").map(|json| {
        let path = fields.at("window");
        let example = r#"{"from":"08:00","to":"20:00"}"#;
        let inner = Fields::of(&path, json, &["from", "to"], example, faults)?;
        window(&inner, faults)
    });
    Some(When::Every {
        seconds: u32::try_from(seconds?).ok()?,
        anchor: anchor?,
        window: match window {
            Some(window) => Some(window?),
            None => None,
        },
    })
}

/// The first instant of the year 2100, in milliseconds.
const YEAR_2100_MS: i64 = 4_102_444_800_000;

fn sane(date: Date) -> bool {
    (1970..=2100).contains(&date.year())
}

/// The fields `from` and `to`: two different times of day.
pub(super) fn window(fields: &Fields<'_>, faults: &mut Faults) -> Option<Window> {
    let from = fields.need_text("from", "\"08:00\"", faults, time);
    let to = fields.need_text("to", "\"20:00\"", faults, time);
    let (from, to) = (from?, to?);
    let whole_day = fields.get("to").and_then(serde_json::Value::as_str) == Some("24:00");
    if from == to && !whole_day {
        let problem = "the window is empty: it ends where it begins";
        faults.add(&fields.at("to"), problem, "\"20:00\"");
        return None;
    }
    Some(Window { from, to })
}

fn time(text: &str) -> Result<Time, String> {
    let wrong = || "a time of day from 00:00 to 24:00 is needed".to_owned();
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let two = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
    if !two(hour) || !two(minute) {
        return Err(wrong());
    }
    let hour: i8 = hour.parse().map_err(|_| wrong())?;
    let minute: i8 = minute.parse().map_err(|_| wrong())?;
    if (hour, minute) == (24, 0) {
        return Ok(Time::midnight());
    }
    Time::new(hour, minute, 0, 0).map_err(|_| wrong())
}

fn date(text: &str) -> Result<Date, String> {
    let plain = text.len() == 10;
    plain
        .then(|| text.parse::<Date>().ok())
        .flatten()
        .filter(|date| sane(*date))
        .ok_or_else(|| "a date between 1970 and 2100 is needed".to_owned())
}

fn cron_line(fields: &Fields<'_>, faults: &mut Faults) -> Option<When> {
    let example = format!("{:?}", cron::EXAMPLE);
    let expression = fields.need_text("expression", &example, faults, CronLine::parse)?;
    Some(When::Cron { expression })
}

fn sun(fields: &Fields<'_>, faults: &mut Faults) -> Option<When> {
    let event = fields.need_text("event", "\"sunset\"", faults, |text| {
        SunEvent::from_word(text)
            .ok_or_else(|| "the event is sunrise, sunset, dawn or dusk".to_owned())
    });
    let range = (-OFFSET_MAX, OFFSET_MAX);
    let offset = fields.whole("offset_minutes", range, "-30", faults);
    Some(When::Sun {
        event: event?,
        offset_minutes: offset.and_then(|n| i32::try_from(n).ok()).unwrap_or(0),
    })
}
