//! Why a condition held an occurrence back, in the reader's language and with the names the
//! household uses.
//!
//! Owner of that translation. The engine writes one English sentence into the history; this
//! reads its known forms. What it does not know it must leave as it is, never guess.

use super::Texts;
use super::rhythm::{put, value_words};
use iothome_engine::ids::{DeviceId, EntityId, EntityRef};
use iothome_engine::schedule::Days;
use iothome_engine::value::Value;

/// What it says; each `{}` is filled in order.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct HeldTexts {
    pub not_known: &'static str,
    pub not_available: &'static str,
    pub is_not: &'static str,
    pub above: &'static str,
    pub below: &'static str,
    pub since_unknown: &'static str,
    pub too_short: &'static str,
    pub not_between: &'static str,
    pub between: &'static str,
    pub no_place: &'static str,
    pub not_wanted: &'static str,
    pub and_more: &'static str,
}

pub(super) const ENGLISH: HeldTexts = HeldTexts {
    not_known: "the state of {} is not known",
    not_available: "{} is not available",
    is_not: "{} is {}, not {}",
    above: "above {}",
    below: "below {}",
    since_unknown: "how long {} is {} is not known",
    too_short: "{} is {} only for {}, not {}",
    not_between: "it is {}, not between {} and {}",
    between: "it is between {} and {}",
    no_place: "the home’s place is not known, so neither is its sun",
    not_wanted: "not wanted, but so: {}",
    and_more: "and {} more",
};

pub(super) const GERMAN: HeldTexts = HeldTexts {
    not_known: "der Zustand von {} ist nicht bekannt",
    not_available: "{} ist nicht erreichbar",
    is_not: "{} ist {}, nicht {}",
    above: "über {}",
    below: "unter {}",
    since_unknown: "wie lange {} schon {} ist, ist nicht bekannt",
    too_short: "{} ist {}, aber erst seit {} statt {}",
    not_between: "es ist {}, nicht zwischen {} und {}",
    between: "es ist zwischen {} und {}",
    no_place: "der Ort des Zuhauses ist nicht bekannt, also auch nicht seine Sonne",
    not_wanted: "unerwünscht, aber so: {}",
    and_more: "und {} weitere",
};

/// Tells what an entity is called.
type Name<'a> = &'a dyn Fn(&EntityRef) -> String;

/// The engine's sentence for one reader.
pub fn told(t: &Texts, why: &str, name: Name<'_>) -> String {
    let parts = why
        .split("; ")
        .map(|part| sentence(t, part, name).unwrap_or_else(|| part.to_owned()));
    parts.collect::<Vec<_>>().join("; ")
}

fn sentence(t: &Texts, text: &str, name: Name<'_>) -> Option<String> {
    let h = &t.held;
    if let Some(inner) = text.strip_prefix("not wanted, but so: ") {
        return Some(put(h.not_wanted, &[&so(t, inner, name)?]));
    }
    if let Some(rest) = text.strip_prefix("the state of ") {
        let of = named(rest.strip_suffix(" is not known")?, name)?;
        return Some(put(h.not_known, &[&of]));
    }
    if let Some(rest) = text.strip_prefix("how long ") {
        let (of, state) = rest.strip_suffix(" is not known")?.split_once(" is ")?;
        return Some(put(h.since_unknown, &[&named(of, name)?, &value(t, state)]));
    }
    if text == "the home's place is not known, so neither is its sun" {
        return Some(h.no_place.to_owned());
    }
    if let Some(rest) = text.strip_prefix("it is ") {
        return clock(t, rest);
    }
    if let Some(rest) = text.strip_prefix("and ") {
        let count: usize = rest.strip_suffix(" more")?.parse().ok()?;
        return Some(put(h.and_more, &[&count.to_string()]));
    }
    sun(t, text).or_else(|| of_entity(t, text, name))
}

fn of_entity(t: &Texts, text: &str, name: Name<'_>) -> Option<String> {
    let h = &t.held;
    let (of, rest) = text.split_once(" is ")?;
    let of = named(of, name)?;
    if rest == "not available" {
        return Some(put(h.not_available, &[&of]));
    }
    if let Some((state, length)) = rest.rsplit_once(" only for ")
        && let Some((seconds, wanted)) = length.split_once(" seconds, not ")
    {
        let length = |text: &str| Some((t.rhythm.length)(text.parse().ok()?));
        let parts = [value(t, state), length(seconds)?, length(wanted)?];
        return Some(put(h.too_short, &[&of, &parts[0], &parts[1], &parts[2]]));
    }
    let (state, wanted) = rest.rsplit_once(", not ")?;
    Some(put(h.is_not, &[&of, &value(t, state), &tested(t, wanted)?]))
}

/// "on", "above 3 and below 5".
fn tested(t: &Texts, text: &str) -> Option<String> {
    let bound = |text: &str| {
        let (word, number) = text.split_once(' ')?;
        let template = match word {
            "above" => t.held.above,
            "below" => t.held.below,
            _ => return None,
        };
        number.parse::<f64>().ok()?;
        Some(put(template, &[&value(t, number)]))
    };
    let bounds: Option<Vec<String>> = text.split(" and ").map(bound).collect();
    let bounds = bounds.map(|both| both.join(&format!(" {} ", t.rhythm.and)));
    Some(bounds.unwrap_or_else(|| value(t, text)))
}

/// What was not to be so: a condition as the engine words it.
fn so(t: &Texts, text: &str, name: Name<'_>) -> Option<String> {
    let simple = |text: &str| sun(t, text).or_else(|| is(t, text, name));
    simple(text).or_else(|| window(t, text)).or_else(|| {
        [(" or ", t.rhythm.or), (" and ", t.rhythm.and)]
            .into_iter()
            .filter(|(word, _)| text.contains(word))
            .find_map(|(word, ours)| {
                let told: Option<Vec<String>> = text
                    .split(word)
                    .map(|part| simple(part).or_else(|| window(t, part)))
                    .collect();
                Some(told?.join(&format!(" {ours} ")))
            })
    })
}

fn is(t: &Texts, text: &str, name: Name<'_>) -> Option<String> {
    let (of, wanted) = text.split_once(" is ")?;
    Some(put(t.rhythm.is, &[&named(of, name)?, &tested(t, wanted)?]))
}

/// "08:00 to 20:00 MON TUE": from when to when, and on which days.
fn window(t: &Texts, text: &str) -> Option<String> {
    let (hours, days) = match text.split_once(" to ") {
        None => (None, text),
        Some((from, rest)) => {
            let (to, days) = rest.split_once(' ')?;
            (Some(put(t.held.between, &[from, to])), days)
        }
    };
    let days: Option<Vec<_>> = days.split(' ').map(Days::day_from_word).collect();
    let days = Days::of(days?)?;
    let days = (!days.is_all()).then(|| put(t.rhythm.time_days, &[&super::rhythm::days(t, days)]));
    let both: Vec<String> = hours.into_iter().chain(days).collect();
    Some(both.join(&format!(" {} ", t.rhythm.and)))
}

/// "MON", "14:05, not from 08:00 to 12:00".
fn clock(t: &Texts, text: &str) -> Option<String> {
    if let Some((now, hours)) = text.split_once(", not from ") {
        let (from, to) = hours.split_once(" to ")?;
        return Some(put(t.held.not_between, &[now, from, to]));
    }
    let day = Days::of([Days::day_from_word(text)?])?;
    Some(put(t.rhythm.time_days, &[&super::rhythm::days(t, day)]))
}

fn sun(t: &Texts, text: &str) -> Option<String> {
    match text {
        "the sun is up" => Some(t.rhythm.sun_up.to_owned()),
        "the sun is down" => Some(t.rhythm.sun_down.to_owned()),
        _ => None,
    }
}

fn named(text: &str, name: Name<'_>) -> Option<String> {
    let (device, entity) = text.split_once('/')?;
    let device: DeviceId = device.parse().ok()?;
    let entity: EntityId = entity.parse().ok()?;
    Some(name(&EntityRef { device, entity }))
}

fn value(t: &Texts, text: &str) -> String {
    let number = text.parse().ok().and_then(Value::number);
    value_words(t, &number.unwrap_or_else(|| Value::Word(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{ENGLISH, GERMAN};
    use iothome_engine::schedule::{Home, Reading, Verdict, judge, read_definition};
    use iothome_engine::time::Timestamp;
    use jiff::tz::TimeZone;
    use serde_json::{Value as Json, json};

    /// 2026-11-24 is a Tuesday.
    const NOW: Timestamp = Timestamp::from_millis(1_795_536_300_000);

    /// The engine's own sentence, told in English and German.
    fn both(condition: &Json, reading: &Reading) -> (String, String) {
        let whole = json!({
            "name": "Test", "trigger": {"kind": "cron", "expression": "0 7 * * *"},
            "conditions": condition,
            "actions": [{"device": "lamp", "entity": "light", "action": "turn_on"}],
        });
        let read = read_definition(&whole, Some(NOW)).expect("a definition");
        let home = Home {
            zone: TimeZone::UTC,
            place: None,
        };
        let what = read.conditions.expect("a condition");
        let Verdict::Fails(why) = judge(&what, &home, NOW, &|_| reading.clone()) else {
            panic!("{condition} holds");
        };
        let name = |of: &EntityRef| format!("<{}>", of.device);
        (told(&ENGLISH, &why, &name), told(&GERMAN, &why, &name))
    }

    fn says(value: &str) -> Reading {
        Reading::Known {
            value: Value::Word(value.to_owned()),
            since: Some(NOW.plus_millis(-30_000)),
        }
    }

    fn state(rest: &Json) -> Json {
        let mut whole = json!({"kind": "state", "device": "door", "entity": "contact"});
        let (Json::Object(whole_map), Json::Object(rest)) = (&mut whole, rest) else {
            panic!("objects");
        };
        whole_map.extend(rest.clone());
        whole
    }

    #[test]
    fn what_held_it_back_is_told_with_names_in_both_languages() {
        let is_on = state(&json!({"is": "on"}));
        let warm = state(&json!({"above": 20.5, "below": 25}));
        let long = state(&json!({"is": "on", "for_seconds": 300}));
        let twenty = Reading::Known {
            value: Value::number(20.0).expect("finite"),
            since: None,
        };
        let on = says("on");
        for (condition, reading, english, german) in [
            (
                &is_on,
                &says("off"),
                "<door> is off, not on",
                "<door> ist aus, nicht an",
            ),
            (
                &is_on,
                &Reading::Unknown,
                "the state of <door> is not known",
                "der Zustand von <door> ist nicht bekannt",
            ),
            (
                &is_on,
                &Reading::Unavailable,
                "<door> is not available",
                "<door> ist nicht erreichbar",
            ),
            (
                &warm,
                &twenty,
                "<door> is 20, not above 20.5 and below 25",
                "<door> ist 20, nicht über 20,5 und unter 25",
            ),
            (
                &long,
                &on,
                "<door> is on only for 30 seconds, not 5 minutes",
                "<door> ist an, aber erst seit 30 Sekunden statt 5 Minuten",
            ),
            (
                &json!({"not": is_on}),
                &on,
                "not wanted, but so: <door> is on",
                "unerwünscht, aber so: <door> ist an",
            ),
            (
                &json!({"kind": "sun", "is": "up"}),
                &on,
                "the home’s place is not known, so neither is its sun",
                "der Ort des Zuhauses ist nicht bekannt, also auch nicht seine Sonne",
            ),
            (
                &json!({"kind": "time", "days": ["SAT", "SUN"]}),
                &on,
                "it is Tuesday",
                "es ist Dienstag",
            ),
            (
                &json!({"kind": "time", "from": "22:00", "to": "06:00"}),
                &on,
                "it is 16:05, not between 22:00 and 06:00",
                "es ist 16:05, nicht zwischen 22:00 und 06:00",
            ),
            (
                &json!({"not": {"kind": "time", "from": "08:00", "to": "20:00", "days": ["TUE"]}}),
                &on,
                "not wanted, but so: it is between 08:00 and 20:00 and it is Tuesday",
                "unerwünscht, aber so: es ist zwischen 08:00 und 20:00 und es ist Dienstag",
            ),
            (
                &json!({"any": [{"kind": "time", "days": ["SAT"]}, is_on]}),
                &says("off"),
                "it is Tuesday; <door> is off, not on",
                "es ist Dienstag; <door> ist aus, nicht an",
            ),
            (
                &json!({"any": [is_on, is_on, is_on, is_on, is_on]}),
                &Reading::Unavailable,
                "<door> is not available; <door> is not available; <door> is not available; \
                 and 2 more",
                "<door> ist nicht erreichbar; <door> ist nicht erreichbar; <door> ist nicht \
                 erreichbar; und 2 weitere",
            ),
        ] {
            let told = both(condition, reading);
            assert_eq!(told, (english.to_owned(), german.to_owned()), "{condition}");
        }
    }

    #[test]
    fn a_sentence_that_is_not_known_is_left_as_it_is() {
        let name = |_: &EntityRef| "lamp".to_owned();
        for text in [
            "",
            "the moon is full",
            "it is MOONDAY",
            "a/b is",
            "a/b is on, no",
        ] {
            assert_eq!(told(&GERMAN, text, &name), text);
        }
    }
}
