//! From a definition to what stands in the form.
//!
//! Owner of that translation: what is read back of it says the same again.

use super::choices::word_of;
use super::read::rhythm_mark;
use super::rows::{Row, Values, put};
use super::words::Teller;
use iothome_engine::schedule::{
    Condition, Days, Definition, Rhythm, Test, Trigger, When, hm, rhythm,
};
use iothome_views::numbers::exact;
use jiff::civil::Time;
use serde_json::Value;

/// What stands in the form of a new schedule.
pub(super) fn fresh(teller: Teller<'_>) -> Values {
    let tomorrow = teller.today().tomorrow().unwrap_or_else(|_| teller.today());
    let date = tomorrow.to_string();
    let usual = [
        ("when", "daily"),
        ("time", "07:00"),
        ("date", date.as_str()),
        ("in_amount", "30"),
        ("in_unit", "minutes"),
        ("every_amount", "15"),
        ("every_unit", "minutes"),
        ("sun_minutes", "0"),
        ("sun_side", "before"),
        ("sun_event", "sunset"),
        ("gap", "next_valid"),
        ("overlap", "first"),
        ("missed", "once"),
        ("grace", "15"),
        ("c_mode", "all"),
    ];
    let usual = usual.into_iter();
    usual
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// What stands in the form of a schedule that is there.
pub(super) fn of(teller: Teller<'_>, definition: &Definition, version: i64) -> Values {
    let mut values = fresh(teller);
    let mut set = |key: &str, value: String| {
        values.insert(key.to_owned(), value);
    };
    set("version", version.to_string());
    set("name", definition.name.clone());
    let enabled = if definition.enabled { "on" } else { "off" };
    set("enabled", enabled.to_owned());
    set("gap", word(&definition.gap));
    set("overlap", word(&definition.overlap));
    set("missed", word(&definition.missed.policy));
    set("grace", minutes(definition.missed.grace_seconds));
    when(&mut values, &definition.trigger);
    limits(&mut values, &definition.trigger);
    let actions = definition.actions.iter().map(|action| {
        let device = teller.device(&action.target.device);
        let entity = device
            .as_ref()
            .and_then(|d| d.entity(&action.target.entity));
        let (what, value) = word_of(action, entity);
        let (delay, unit) = lapse(action.delay_seconds);
        let delay = if action.delay_seconds == 0 {
            String::new()
        } else {
            delay
        };
        let fields = [
            ("device", action.target.device.to_string()),
            ("what", what),
            ("value", value),
            ("delay", delay),
            ("unit", unit.to_owned()),
        ];
        row(fields)
    });
    put(&mut values, 'a', actions.collect());
    if let Some(what) = &definition.conditions {
        conditions(&mut values, what);
    }
    values
}

fn row<const N: usize>(fields: [(&str, String); N]) -> Row {
    let fields = fields.into_iter();
    fields.map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The word that the engine writes.
fn word<T: serde::Serialize>(value: &T) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

/// Seconds as minutes, with a fraction if they need one.
fn minutes(seconds: u32) -> String {
    exact(f64::from(seconds) / 60.0)
}

/// An amount and its unit.
fn lapse(seconds: u32) -> (String, &'static str) {
    match seconds {
        s if s % 3_600 == 0 => ((s / 3_600).to_string(), "hours"),
        s if s % 60 == 0 => ((s / 60).to_string(), "minutes"),
        s => (s.to_string(), "seconds"),
    }
}

fn tick(values: &mut Values, prefix: &str, days: Days) {
    if days.is_all() {
        return;
    }
    for day in days.list() {
        let name = format!("{prefix}{}", Days::word(day).to_ascii_lowercase());
        values.insert(name, "on".to_owned());
    }
}

fn when(values: &mut Values, trigger: &Trigger) {
    if let (Rhythm::Daily(on, times), true) = (rhythm(trigger), trigger.days.is_all())
        && let [time] = times[..]
    {
        values.insert("when".to_owned(), "daily".to_owned());
        values.insert("time".to_owned(), hm(time));
        return tick(values, "day_", on);
    }
    let mut set = |key: &str, value: String| {
        values.insert(key.to_owned(), value);
    };
    match &trigger.when {
        When::At { at } => {
            set("when", "at".to_owned());
            set("date", at.date().to_string());
            let time: Time = at.time();
            let seconds = match time.second() {
                0 => String::new(),
                second => format!(":{second:02}"),
            };
            set("time", format!("{}{seconds}", hm(time)));
        }
        When::Every {
            seconds,
            anchor,
            window,
        } => {
            set("when", "every".to_owned());
            let (amount, unit) = match seconds {
                s if s % 86_400 == 0 => ((s / 86_400).to_string(), "days"),
                s => lapse(*s),
            };
            set("every_amount", amount);
            set("every_unit", unit.to_owned());
            let from = window.map_or_else(String::new, |w| hm(w.from));
            let to = window.map_or_else(String::new, |w| w.end());
            set("anchor", anchor.to_string());
            set("anchor_of", rhythm_mark(i64::from(*seconds), &from, &to));
            set("from", from);
            set("to", to);
        }
        When::Cron { expression } => {
            set("when", "cron".to_owned());
            set("cron", expression.as_str().to_owned());
        }
        When::Sun {
            event,
            offset_minutes,
        } => {
            set("when", "sun".to_owned());
            set("sun_event", event.as_str().to_owned());
            set("sun_minutes", offset_minutes.unsigned_abs().to_string());
            let side = if *offset_minutes > 0 {
                "after"
            } else {
                "before"
            };
            set("sun_side", side.to_owned());
        }
    }
    tick(values, "day_", trigger.days);
}

fn limits(values: &mut Values, trigger: &Trigger) {
    let mut set = |key: &str, value: String| {
        values.insert(key.to_owned(), value);
    };
    if let Some(zone) = &trigger.zone {
        set("zone", zone.name().to_owned());
    }
    if let Some(start) = trigger.start_date {
        set("start", start.to_string());
    }
    if let Some(end) = trigger.end_date {
        set("end", end.to_string());
    }
    let excluded = trigger.excluded_dates.iter().map(ToString::to_string);
    set("excluded", excluded.collect::<Vec<_>>().join("\n"));
    if trigger.jitter_seconds > 0 {
        set("jitter", minutes(trigger.jitter_seconds));
    }
}

/// Conditions as rows, if rows can say them; else they are kept as they are.
fn conditions(values: &mut Values, what: &Condition) {
    let (mode, parts) = match what {
        Condition::All(parts) => ("all", parts.as_slice()),
        Condition::Any(parts) => ("any", parts.as_slice()),
        one => ("all", std::slice::from_ref(one)),
    };
    let rows: Option<Vec<Row>> = parts.iter().map(simple).collect();
    match rows {
        Some(rows) => {
            values.insert("c_mode".to_owned(), mode.to_owned());
            put(values, 'c', rows);
        }
        None => {
            let json = serde_json::to_string(what).unwrap_or_default();
            values.insert("raw_conditions".to_owned(), json);
        }
    }
}

fn simple(part: &Condition) -> Option<Row> {
    match part {
        Condition::All(_) | Condition::Any(_) => None,
        Condition::Not(inner) => {
            let mut row = match **inner {
                Condition::Not(_) => return None,
                ref inner => simple(inner)?,
            };
            row.insert("not".to_owned(), "on".to_owned());
            Some(row)
        }
        Condition::Sun { up } => {
            let sun = if *up { "up" } else { "down" };
            Some(row([("kind", "sun".to_owned()), ("sun", sun.to_owned())]))
        }
        Condition::Time { window, days } => {
            let from = window.map_or_else(String::new, |w| hm(w.from));
            let to = window.map_or_else(String::new, |w| w.end());
            let mut row = row([("kind", "time".to_owned()), ("from", from), ("to", to)]);
            tick(&mut row, "day_", *days);
            Some(row)
        }
        Condition::State {
            target,
            test,
            for_seconds,
        } => {
            let (is, above, below) = match test {
                Test::Is(value) => (text(&value.to_json()), String::new(), String::new()),
                Test::Between { above, below } => {
                    let bound = |n: &Option<f64>| n.map(exact).unwrap_or_default();
                    (String::new(), bound(above), bound(below))
                }
            };
            let for_minutes = match for_seconds {
                0 => String::new(),
                seconds => minutes(*seconds),
            };
            Some(row([
                ("kind", "state".to_owned()),
                ("device", target.device.to_string()),
                ("entity", target.entity.to_string()),
                ("is", is),
                ("above", above),
                ("below", below),
                ("for", for_minutes),
            ]))
        }
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
