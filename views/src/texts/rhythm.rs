//! Schedules as sentences: triggers, conditions, lengths of time.
//!
//! Owner of how a trigger and a condition are told in every language. It must never
//! say something that is nearly right: what it cannot say simply it says by the cron
//! line itself.

use super::{Dates, Texts};
use crate::numbers::readable;
use iothome_engine::ids::EntityRef;
use iothome_engine::schedule::{Condition, Days, Rhythm, SunEvent, Test, Trigger, hm, rhythm};
use iothome_engine::value::Value;
use jiff::civil::{Date, DateTime, Time, Weekday};

/// Most dates that are listed one by one.
const DATES_MAX: usize = 4;

/// The parts of sentences; each `{}` is filled in order.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct RhythmTexts {
    pub once: &'static str,
    pub every: fn(u32) -> String,
    pub window: &'static str,
    pub hourly: &'static str,
    pub minute: &'static str,
    pub minutes: &'static str,
    pub daily: &'static str,
    pub on_days: &'static str,
    pub monthly: &'static str,
    pub cron: &'static str,
    pub sun_at: fn(SunEvent) -> &'static str,
    pub sun: fn(SunEvent) -> &'static str,
    pub before: &'static str,
    pub after: &'static str,
    pub only: &'static str,
    pub from_to: &'static str,
    pub from: &'static str,
    pub until: &'static str,
    pub except: &'static str,
    pub dates: &'static str,
    pub jitter: &'static str,
    pub zone: &'static str,
    pub and: &'static str,
    pub or: &'static str,
    pub to_day: &'static str,
    pub length: fn(u32) -> String,
    pub is: &'static str,
    pub above: &'static str,
    pub below: &'static str,
    pub between: &'static str,
    pub for_at_least: &'static str,
    pub time_between: &'static str,
    pub time_days: &'static str,
    pub sun_up: &'static str,
    pub sun_down: &'static str,
    pub not: &'static str,
    pub state: fn(&str) -> Option<&'static str>,
}

pub(super) const ENGLISH: RhythmTexts = RhythmTexts {
    once: "once, on {} at {}",
    every: every_english,
    window: "{} from {} to {}",
    hourly: "every hour at minute {}",
    minute: "every minute",
    minutes: "every {} minutes",
    daily: "every day at {}",
    on_days: "{} at {}",
    monthly: "on day {} of each month at {}",
    cron: "by the cron line {}",
    sun_at: |event| match event {
        SunEvent::Sunrise => "at sunrise",
        SunEvent::Sunset => "at sunset",
        SunEvent::Dawn => "at dawn",
        SunEvent::Dusk => "at dusk",
    },
    sun: SunEvent::as_str,
    before: "{} before {}",
    after: "{} after {}",
    only: "only on {}",
    from_to: "from {} to {}",
    from: "from {} on",
    until: "until {}",
    except: "except on {}",
    dates: "{} dates",
    jitter: "up to {} later",
    zone: "by the clocks of {}",
    and: "and",
    or: "or",
    to_day: "{} to {}",
    length: length_english,
    is: "{} is {}",
    above: "{} is above {}",
    below: "{} is below {}",
    between: "{} is between {} and {}",
    for_at_least: "{} for at least {}",
    time_between: "it is between {} and {}",
    time_days: "it is {}",
    sun_up: "the sun is up",
    sun_down: "the sun is down",
    not: "not so: {}",
    state: |_| None,
};

pub(super) const GERMAN: RhythmTexts = RhythmTexts {
    once: "einmal, am {} um {}",
    every: every_german,
    window: "{} von {} bis {}",
    hourly: "jede Stunde in Minute {}",
    minute: "jede Minute",
    minutes: "alle {} Minuten",
    daily: "jeden Tag um {}",
    on_days: "{} um {}",
    monthly: "am {}. jedes Monats um {}",
    cron: "nach der Cron-Zeile {}",
    sun_at: |event| match event {
        SunEvent::Sunrise => "bei Sonnenaufgang",
        SunEvent::Sunset => "bei Sonnenuntergang",
        SunEvent::Dawn => "in der Morgendämmerung",
        SunEvent::Dusk => "in der Abenddämmerung",
    },
    sun: |event| match event {
        SunEvent::Sunrise => "Sonnenaufgang",
        SunEvent::Sunset => "Sonnenuntergang",
        SunEvent::Dawn => "Beginn der Morgendämmerung",
        SunEvent::Dusk => "Ende der Abenddämmerung",
    },
    before: "{} vor {}",
    after: "{} nach {}",
    only: "nur {}",
    from_to: "vom {} bis zum {}",
    from: "ab {}",
    until: "bis {}",
    except: "außer am {}",
    dates: "{} Tagen",
    jitter: "bis zu {} später",
    zone: "nach den Uhren von {}",
    and: "und",
    or: "oder",
    to_day: "{} bis {}",
    length: length_german,
    is: "{} ist {}",
    above: "{} liegt über {}",
    below: "{} liegt unter {}",
    between: "{} liegt zwischen {} und {}",
    for_at_least: "{}, und das seit mindestens {}",
    time_between: "es ist zwischen {} und {}",
    time_days: "es ist {}",
    sun_up: "die Sonne ist aufgegangen",
    sun_down: "die Sonne ist untergegangen",
    not: "nicht so: {}",
    state: |word| {
        Some(match word {
            "on" => "an",
            "off" => "aus",
            "open" => "offen",
            "closed" => "geschlossen",
            "locked" => "verriegelt",
            "unlocked" => "entriegelt",
            _ => return None,
        })
    },
};

/// Whole units of a length: how many, and which (seconds, minutes, hours, days).
fn units(seconds: u32) -> (u32, usize) {
    match seconds {
        s if s % 86_400 == 0 && s > 0 => (s / 86_400, 3),
        s if s % 3_600 == 0 && s > 0 => (s / 3_600, 2),
        s if s % 60 == 0 && s > 0 => (s / 60, 1),
        s => (s, 0),
    }
}

fn length_english(seconds: u32) -> String {
    let (count, unit) = units(seconds);
    let unit = ["second", "minute", "hour", "day"][unit];
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

fn every_english(seconds: u32) -> String {
    match units(seconds) {
        (1, unit) => format!("every {}", ["second", "minute", "hour", "day"][unit]),
        _ => format!("every {}", length_english(seconds)),
    }
}

fn length_german(seconds: u32) -> String {
    let (count, unit) = units(seconds);
    let unit = match count {
        1 => ["Sekunde", "Minute", "Stunde", "Tag"][unit],
        _ => ["Sekunden", "Minuten", "Stunden", "Tage"][unit],
    };
    format!("{count} {unit}")
}

fn every_german(seconds: u32) -> String {
    match units(seconds) {
        (1, 3) => "jeden Tag".to_owned(),
        (1, unit) => format!("jede {}", ["Sekunde", "Minute", "Stunde"][unit]),
        _ => format!("alle {}", length_german(seconds)),
    }
}

/// Fills each `{}` in order; what is filled in is not looked at again.
pub fn put(template: &str, parts: &[&str]) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut parts = parts.iter();
    let mut pieces = template.split("{}");
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push_str(parts.next().copied().unwrap_or_default());
        out.push_str(piece);
    }
    out
}

/// The sentence with a capital at its beginning.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// A trigger as a sentence without a full stop.
pub fn trigger(t: &Texts, trigger: &Trigger) -> String {
    let r = &t.rhythm;
    let mut parts = vec![told(t, &rhythm(trigger))];
    if !trigger.days.is_all() {
        parts.push(put(r.only, &[&days(t, trigger.days)]));
    }
    let day = |date: Date| t.dates.day_of_year(date.into());
    match (trigger.start_date, trigger.end_date) {
        (Some(start), Some(end)) => parts.push(put(r.from_to, &[&day(start), &day(end)])),
        (Some(start), None) => parts.push(put(r.from, &[&day(start)])),
        (None, Some(end)) => parts.push(put(r.until, &[&day(end)])),
        (None, None) => {}
    }
    match &trigger.excluded_dates[..] {
        [] => {}
        few if few.len() <= DATES_MAX => {
            let few = few.iter().map(|date| day(*date)).collect();
            parts.push(put(r.except, &[&joined(r.and, few)]));
        }
        many => parts.push(put(r.except, &[&put(r.dates, &[&many.len().to_string()])])),
    }
    if trigger.jitter_seconds > 0 {
        parts.push(put(r.jitter, &[&(r.length)(trigger.jitter_seconds)]));
    }
    if let Some(zone) = &trigger.zone {
        parts.push(put(r.zone, &[zone.name()]));
    }
    parts.join(", ")
}

fn told(t: &Texts, rhythm: &Rhythm) -> String {
    let r = &t.rhythm;
    match rhythm {
        Rhythm::Once(at) => put(r.once, &[&date(&t.dates, *at), &clock(at.time())]),
        Rhythm::Every(seconds, None) => (r.every)(*seconds),
        Rhythm::Every(seconds, Some(window)) => {
            let every = (r.every)(*seconds);
            put(r.window, &[&every, &hm(window.from), &window.end()])
        }
        Rhythm::Hourly(minute) => put(r.hourly, &[&minute.to_string()]),
        Rhythm::Minutes(1) => r.minute.to_owned(),
        Rhythm::Minutes(step) => put(r.minutes, &[&step.to_string()]),
        Rhythm::Daily(days, times) if days.is_all() => put(r.daily, &[&list(r, times)]),
        Rhythm::Daily(on, times) => put(r.on_days, &[&days(t, *on), &list(r, times)]),
        Rhythm::Monthly(day, times) => put(r.monthly, &[&day.to_string(), &list(r, times)]),
        Rhythm::Cron(line) => put(r.cron, &[line]),
        Rhythm::Sun(event, 0) => (r.sun_at)(*event).to_owned(),
        Rhythm::Sun(event, offset) => {
            let side = if *offset < 0 { r.before } else { r.after };
            let length = (r.length)(offset.unsigned_abs() * 60);
            put(side, &[&length, (r.sun)(*event)])
        }
    }
}

/// "Wed 25 Nov 2026".
fn date(dates: &Dates, at: DateTime) -> String {
    format!("{} {}", dates.weekday(at), at.year())
}

fn clock(time: Time) -> String {
    if time.second() == 0 {
        return hm(time);
    }
    format!("{}:{:02}", hm(time), time.second())
}

fn list(r: &RhythmTexts, times: &[Time]) -> String {
    joined(r.and, times.iter().map(|time| hm(*time)).collect())
}

fn joined(word: &str, mut words: Vec<String>) -> String {
    match words.pop() {
        None => String::new(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} {word} {last}", words.join(", ")),
    }
}

/// "Monday to Friday", "Saturday and Sunday".
pub fn days(t: &Texts, days: Days) -> String {
    let name = |day: Weekday| {
        let at = usize::try_from(day.to_monday_zero_offset()).unwrap_or_default();
        t.dates.days_long.get(at).copied().unwrap_or_default()
    };
    let days: Vec<Weekday> = days.list().collect();
    if days.len() > 2
        && let [first, .., last] = days[..]
        && usize::try_from(last.since(first)).is_ok_and(|span| span + 1 == days.len())
    {
        return put(t.rhythm.to_day, &[name(first), name(last)]);
    }
    let names = days.into_iter().map(|day| name(day).to_owned()).collect();
    joined(t.rhythm.and, names)
}

/// A condition as a sentence without a full stop; `name` tells what an entity is called.
pub fn condition(t: &Texts, what: &Condition, name: &dyn Fn(&EntityRef) -> String) -> String {
    let r = &t.rhythm;
    let parts = |parts: &[Condition], word: &str| {
        let told = parts.iter().map(|part| match part {
            Condition::All(_) | Condition::Any(_) => format!("({})", condition(t, part, name)),
            _ => condition(t, part, name),
        });
        told.collect::<Vec<_>>().join(&format!(" {word} "))
    };
    match what {
        Condition::State {
            target,
            test,
            for_seconds,
        } => {
            let told = tested(t, &name(target), test);
            match for_seconds {
                0 => told,
                seconds => put(r.for_at_least, &[&told, &(r.length)(*seconds)]),
            }
        }
        Condition::Time { window, days: on } => {
            let on = (!on.is_all()).then(|| put(r.time_days, &[&days(t, *on)]));
            let window = window.map(|w| put(r.time_between, &[&hm(w.from), &w.end()]));
            let both: Vec<String> = window.into_iter().chain(on).collect();
            both.join(&format!(" {} ", r.and))
        }
        Condition::Sun { up: true } => r.sun_up.to_owned(),
        Condition::Sun { up: false } => r.sun_down.to_owned(),
        Condition::All(all) => parts(all, r.and),
        Condition::Any(any) => parts(any, r.or),
        Condition::Not(part) => put(r.not, &[&condition(t, part, name)]),
    }
}

fn tested(t: &Texts, name: &str, test: &Test) -> String {
    let r = &t.rhythm;
    let number = |n: f64| readable(t, n);
    match test {
        Test::Is(value) => put(r.is, &[name, &value_words(t, value)]),
        Test::Between {
            above: Some(above),
            below: Some(below),
        } => put(r.between, &[name, &number(*above), &number(*below)]),
        Test::Between {
            above: Some(above), ..
        } => put(r.above, &[name, &number(*above)]),
        Test::Between { below, .. } => {
            put(r.below, &[name, &number(below.unwrap_or(f64::INFINITY))])
        }
    }
}

/// A state as a word or number of the language.
pub fn value_words(t: &Texts, value: &Value) -> String {
    match (value.as_word(), value.as_number()) {
        (Some(word), _) => (t.rhythm.state)(word).unwrap_or(word).to_owned(),
        (None, Some(number)) => readable(t, number),
        (None, None) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{ENGLISH, GERMAN};
    use iothome_engine::schedule::read_definition;
    use iothome_engine::time::Timestamp;
    use serde_json::{Value as Json, json};

    fn read(trigger: &Json, conditions: &Json) -> iothome_engine::schedule::Definition {
        let whole = json!({
            "name": "Test", "trigger": trigger, "conditions": conditions,
            "actions": [{"device": "lamp", "entity": "light", "action": "turn_on"}],
        });
        read_definition(&whole, Some(Timestamp::from_millis(0))).expect("a definition")
    }

    #[test]
    fn triggers_are_told_in_both_languages() {
        for (json, english, german) in [
            (
                json!({"kind": "cron", "expression": "0 7 * * *"}),
                "every day at 07:00",
                "jeden Tag um 07:00",
            ),
            (
                json!({"kind": "cron", "expression": "30 22 * * MON-FRI"}),
                "Monday to Friday at 22:30",
                "Montag bis Freitag um 22:30",
            ),
            (
                json!({"kind": "every", "seconds": 900, "window": {"from": "08:00", "to": "24:00"}}),
                "every 15 minutes from 08:00 to 24:00",
                "alle 15 Minuten von 08:00 bis 24:00",
            ),
            (
                json!({"kind": "every", "seconds": 86400}),
                "every day",
                "jeden Tag",
            ),
            (
                json!({"kind": "sun", "event": "sunset", "offset_minutes": -30}),
                "30 minutes before sunset",
                "30 Minuten vor Sonnenuntergang",
            ),
            (
                json!({"kind": "at", "at": "2026-11-25T07:00", "zone": "Asia/Tokyo"}),
                "once, on Wed 25 Nov 2026 at 07:00, by the clocks of Asia/Tokyo",
                "einmal, am Mi 25. Nov. 2026 um 07:00, nach den Uhren von Asia/Tokyo",
            ),
            (
                json!({"kind": "cron", "expression": "5 4 L * *", "start_date": "2027-01-01",
                    "excluded_dates": ["2027-02-28"], "jitter_seconds": 120}),
                "by the cron line 5 4 L * *, from 1 Jan 2027 on, except on 28 Feb 2027, up to 2 minutes later",
                "nach der Cron-Zeile 5 4 L * *, ab 1. Jan. 2027, außer am 28. Feb. 2027, bis zu 2 Minuten später",
            ),
        ] {
            let read = read(&json, &Json::Null);
            assert_eq!(trigger(&ENGLISH, &read.trigger), english);
            assert_eq!(trigger(&GERMAN, &read.trigger), german);
        }
    }

    #[test]
    fn conditions_are_told_in_both_languages() {
        let json = json!({"all": [
            {"kind": "state", "device": "door", "entity": "contact", "is": "off", "for_seconds": 300},
            {"any": [
                {"kind": "time", "from": "22:00", "to": "06:00", "days": ["SAT", "SUN"]},
                {"not": {"kind": "sun", "is": "up"}},
            ]},
            {"kind": "state", "device": "room", "entity": "temperature", "below": 18.5},
        ]});
        let read = read(&json!({"kind": "sun", "event": "dusk"}), &json);
        let told = read.conditions.expect("a condition");
        let name = |target: &EntityRef| format!("{} {{}}", target.device);
        assert_eq!(
            condition(&ENGLISH, &told, &name),
            "door {} is off for at least 5 minutes and (it is between 22:00 and 06:00 and it is \
             Saturday and Sunday or not so: the sun is up) and room {} is below 18.5"
        );
        assert_eq!(
            condition(&GERMAN, &told, &name),
            "door {} ist aus, und das seit mindestens 5 Minuten und (es ist zwischen 22:00 und \
             06:00 und es ist Samstag und Sonntag oder nicht so: die Sonne ist aufgegangen) und \
             room {} liegt unter 18,5"
        );
    }
}
