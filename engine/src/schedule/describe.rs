//! A trigger in words: its rhythm as parts that any language can say, and in English.
//!
//! Owner of how a trigger is told before it is saved. What it cannot say simply it
//! says by the cron line itself; it must never say something that is nearly right.

use super::definition::Definition;
use super::trigger::{Days, SunEvent, Trigger, When, Window, hm};
use jiff::civil::{Date, DateTime, Time, Weekday};

/// Most times of day that are listed one by one.
const TIMES_MAX: usize = 6;

/// How often a trigger is due, for a sentence in any language.
#[derive(Clone, Debug, PartialEq)]
pub enum Rhythm {
    /// Once.
    Once(DateTime),
    /// Again and again after this many seconds, perhaps only in a window.
    Every(u32, Option<Window>),
    /// At every hour's minute.
    Hourly(u8),
    /// Every so many minutes of the hour, counted from its start.
    Minutes(u8),
    /// At these times, on these days of the week.
    Daily(Days, Vec<Time>),
    /// At these times, on this day of each month.
    Monthly(u8, Vec<Time>),
    /// A cron line that no simple sentence tells.
    Cron(String),
    /// So many minutes after (before, if negative) an event of the sun.
    Sun(SunEvent, i32),
}

/// The rhythm of a trigger.
pub fn rhythm(trigger: &Trigger) -> Rhythm {
    match &trigger.when {
        When::At { at } => Rhythm::Once(*at),
        When::Every {
            seconds, window, ..
        } => Rhythm::Every(*seconds, *window),
        When::Cron { expression } => {
            let line = expression.as_str();
            cron(line).unwrap_or_else(|| Rhythm::Cron(line.to_owned()))
        }
        When::Sun {
            event,
            offset_minutes,
        } => Rhythm::Sun(*event, *offset_minutes),
    }
}

fn cron(line: &str) -> Option<Rhythm> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return None;
    };
    if month != "*" {
        return None;
    }
    if [hour, day, weekday] == ["*"; 3] {
        return match minute.strip_prefix("*/") {
            _ if minute == "*" => Some(Rhythm::Minutes(1)),
            Some(step) => {
                let step: u8 = step.parse().ok()?;
                (60 % step == 0).then_some(Rhythm::Minutes(step))
            }
            None => minute.parse().ok().map(Rhythm::Hourly),
        };
    }
    let times = times(minute, hour)?;
    if day == "*" {
        return Some(Rhythm::Daily(weekdays(weekday)?, times));
    }
    if weekday != "*" {
        return None;
    }
    day.parse().ok().map(|day| Rhythm::Monthly(day, times))
}

fn times(minute: &str, hour: &str) -> Option<Vec<Time>> {
    let numbers = |field: &str| -> Option<Vec<i8>> {
        let read = field.split(',').map(|n| n.parse().ok());
        let mut read = read.collect::<Option<Vec<i8>>>()?;
        read.sort_unstable();
        Some(read)
    };
    let (minutes, hours) = (numbers(minute)?, numbers(hour)?);
    if minutes.len() * hours.len() > TIMES_MAX {
        return None;
    }
    let pairs = hours
        .iter()
        .flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute)));
    pairs
        .map(|(hour, minute)| Time::new(hour, minute, 0, 0).ok())
        .collect()
}

fn weekdays(field: &str) -> Option<Days> {
    if field == "*" {
        return Some(Days::ALL);
    }
    let mut days = Vec::new();
    for part in field.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (sunday_first(first)?, sunday_first(last)?);
        for at in first..=last {
            days.push(Weekday::from_sunday_zero_offset(at).ok()?);
        }
    }
    Days::of(days)
}

fn sunday_first(word: &str) -> Option<i8> {
    Days::day_from_word(word).map(Weekday::to_sunday_zero_offset)
}

/// The definition's trigger as an English sentence without a full stop.
pub fn describe(definition: &Definition) -> String {
    describe_trigger(&definition.trigger)
}

/// A trigger as an English sentence without a full stop.
pub fn describe_trigger(trigger: &Trigger) -> String {
    let mut parts = vec![english(&rhythm(trigger))];
    if !trigger.days.is_all() {
        parts.push(format!("only on {}", day_words(trigger.days)));
    }
    match (trigger.start_date, trigger.end_date) {
        (Some(start), Some(end)) => parts.push(format!("from {start} to {end}")),
        (Some(start), None) => parts.push(format!("from {start} on")),
        (None, Some(end)) => parts.push(format!("until {end}")),
        (None, None) => {}
    }
    if !trigger.excluded_dates.is_empty() {
        parts.push(format!("except on {}", date_words(&trigger.excluded_dates)));
    }
    if trigger.jitter_seconds > 0 {
        parts.push(format!("up to {} later", duration(trigger.jitter_seconds)));
    }
    if let Some(zone) = &trigger.zone {
        parts.push(format!("by the clocks of {}", zone.name()));
    }
    parts.join(", ")
}

fn english(rhythm: &Rhythm) -> String {
    match rhythm {
        Rhythm::Once(at) => format!("once, on {} at {}", at.date(), clock(at.time())),
        Rhythm::Every(seconds, None) => format!("every {}", duration(*seconds)),
        Rhythm::Every(seconds, Some(window)) => format!(
            "every {} from {} to {}",
            duration(*seconds),
            hm(window.from),
            window.end()
        ),
        Rhythm::Hourly(minute) => format!("every hour at minute {minute}"),
        Rhythm::Minutes(1) => "every minute".to_owned(),
        Rhythm::Minutes(step) => format!("every {step} minutes"),
        Rhythm::Daily(days, times) if days.is_all() => format!("every day at {}", list(times)),
        Rhythm::Daily(days, times) => format!("{} at {}", day_words(*days), list(times)),
        Rhythm::Monthly(day, times) => {
            format!("on day {day} of each month at {}", list(times))
        }
        Rhythm::Cron(line) => format!("by the cron line {line}"),
        Rhythm::Sun(event, 0) => format!("at {}", event.as_str()),
        Rhythm::Sun(event, offset) => {
            let side = if *offset < 0 { "before" } else { "after" };
            let length = duration(offset.unsigned_abs() * 60);
            format!("{length} {side} {}", event.as_str())
        }
    }
}

fn clock(time: Time) -> String {
    if time.second() == 0 {
        return hm(time);
    }
    format!("{}:{:02}", hm(time), time.second())
}

fn list(times: &[Time]) -> String {
    and(times.iter().map(|time| hm(*time)).collect())
}

fn and(mut words: Vec<String>) -> String {
    match words.pop() {
        None => String::new(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} and {last}", words.join(", ")),
    }
}

fn date_words(dates: &[Date]) -> String {
    if dates.len() > TIMES_MAX {
        return format!("{} dates", dates.len());
    }
    and(dates.iter().map(ToString::to_string).collect())
}

fn day_words(days: Days) -> String {
    let days: Vec<Weekday> = days.list().collect();
    if days.len() > 2
        && let [first, .., last] = days[..]
        && usize::try_from(last.since(first)).is_ok_and(|span| span + 1 == days.len())
    {
        return format!("{} to {}", day_word(first), day_word(last));
    }
    and(days
        .into_iter()
        .map(|day| day_word(day).to_owned())
        .collect())
}

const fn day_word(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// A length of time in whole units: `90 minutes`, `1 hour`, `2 days`.
fn duration(seconds: u32) -> String {
    let (count, unit) = match seconds {
        s if s % 86_400 == 0 && s > 0 => (s / 86_400, "day"),
        s if s % 3_600 == 0 && s > 0 => (s / 3_600, "hour"),
        s if s % 60 == 0 && s > 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}
