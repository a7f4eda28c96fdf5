//! Whether a condition holds, and if not, which part of it held the occurrence back.
//!
//! Owner of what "unknown" means: neither true nor false. `not` does not make it
//! true, and what is not known to hold does not hold. It must never read a state
//! itself.

use super::condition::{Condition, Test};
use super::place::Home;
use super::trigger::{Days, Window, hm};
use super::{sun, wall};
use crate::ids::EntityRef;
use crate::time::Timestamp;
use crate::value::Value;

/// What an entity says at the moment of the occurrence.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// There is no such entity, or it never said anything.
    Unknown,
    /// It is offline, or the hub cannot hear it.
    Unavailable,
    /// It says this.
    Known {
        /// Its state.
        value: Value,
        /// Since when it says so, as far as the hub saw it.
        since: Option<Timestamp>,
    },
}

/// Whether a condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Holds,
    /// It does not, and this is why, in words.
    Fails(String),
}

/// Longest reason, in characters: it is kept for every occurrence that is held back.
const REASON_MAX: usize = 300;
/// Most parts of an `any` that a reason tells.
const PARTS_TOLD: usize = 3;

/// What a part of a condition is.
enum Truth {
    True,
    False(String),
    Unknown(String),
}

/// Judges a condition at an instant. `read` says what an entity says.
pub fn judge(
    condition: &Condition,
    home: &Home,
    now: Timestamp,
    read: &dyn Fn(&EntityRef) -> Reading,
) -> Verdict {
    match truth(condition, home, now, read) {
        Truth::True => Verdict::Holds,
        Truth::False(why) | Truth::Unknown(why) => Verdict::Fails(short(why)),
    }
}

/// A reason, cut where it is longer than anybody reads.
fn short(mut why: String) -> String {
    if let Some((end, _)) = why.char_indices().nth(REASON_MAX) {
        why.truncate(end);
        why.push('…');
    }
    why
}

fn truth(
    condition: &Condition,
    home: &Home,
    now: Timestamp,
    read: &dyn Fn(&EntityRef) -> Reading,
) -> Truth {
    let part = |part: &Condition| truth(part, home, now, read);
    match condition {
        Condition::State {
            target,
            test,
            for_seconds,
        } => state(target, test, *for_seconds, now, read(target)),
        Condition::Time { window, days } => time(window.as_ref(), *days, home, now),
        Condition::Sun { up } => sun_is(*up, home, now),
        Condition::All(parts) => all(parts.iter().map(part)),
        Condition::Any(parts) => any(parts.iter().map(part)),
        Condition::Not(inner) => match part(inner) {
            Truth::True => Truth::False(format!("not wanted, but so: {}", words(inner))),
            Truth::False(_) => Truth::True,
            Truth::Unknown(why) => Truth::Unknown(why),
        },
    }
}

/// One false part makes it false; else one unknown part makes it unknown.
fn all(parts: impl Iterator<Item = Truth>) -> Truth {
    let mut unknown = None;
    for part in parts {
        match part {
            Truth::True => {}
            Truth::False(why) => return Truth::False(why),
            Truth::Unknown(why) => unknown = unknown.or(Some(why)),
        }
    }
    unknown.map_or(Truth::True, Truth::Unknown)
}

/// One true part makes it true; else one unknown part makes it unknown.
fn any(parts: impl Iterator<Item = Truth>) -> Truth {
    let (mut whys, mut unknown, mut untold) = (Vec::new(), false, 0);
    let mut add = |why| match whys.len() < PARTS_TOLD {
        true => whys.push(why),
        false => untold += 1,
    };
    for part in parts {
        match part {
            Truth::True => return Truth::True,
            Truth::False(why) => add(why),
            Truth::Unknown(why) => {
                unknown = true;
                add(why);
            }
        }
    }
    let mut why = whys.join("; ");
    if untold > 0 {
        why.push_str(&format!("; and {untold} more"));
    }
    if unknown {
        return Truth::Unknown(why);
    }
    Truth::False(why)
}

fn state(
    target: &EntityRef,
    test: &Test,
    for_seconds: u32,
    now: Timestamp,
    reading: Reading,
) -> Truth {
    let (value, since) = match reading {
        Reading::Unknown => return Truth::Unknown(format!("the state of {target} is not known")),
        Reading::Unavailable => return Truth::Unknown(format!("{target} is not available")),
        Reading::Known { value, since } => (value, since),
    };
    if !passes(test, &value) {
        return Truth::False(format!("{target} is {value}, not {}", test_words(test)));
    }
    if for_seconds == 0 {
        return Truth::True;
    }
    let wanted = i64::from(for_seconds) * 1000;
    match since {
        None => Truth::Unknown(format!("how long {target} is {value} is not known")),
        Some(since) if now.millis_since(since) >= wanted => Truth::True,
        Some(since) => Truth::False(format!(
            "{target} is {value} only for {} seconds, not {for_seconds}",
            now.millis_since(since).max(0) / 1000
        )),
    }
}

fn passes(test: &Test, value: &Value) -> bool {
    match test {
        Test::Is(wanted) => wanted == value || wanted.to_string() == value.to_string(),
        Test::Between { above, below } => value.as_number().is_some_and(|number| {
            above.is_none_or(|above| number > above) && below.is_none_or(|below| number < below)
        }),
    }
}

fn time(window: Option<&Window>, days: Days, home: &Home, now: Timestamp) -> Truth {
    let local = wall::civil(wall::wall_of(&home.zone, now.as_millis().div_euclid(1000)));
    if !days.has(local.weekday()) {
        return Truth::False(format!("it is {}", Days::word(local.weekday())));
    }
    match window {
        Some(window) if !window.has(local.time()) => Truth::False(format!(
            "it is {}, not from {} to {}",
            hm(local.time()),
            hm(window.from),
            window.end()
        )),
        _ => Truth::True,
    }
}

fn sun_is(up: bool, home: &Home, now: Timestamp) -> Truth {
    let Some(place) = home.place else {
        return Truth::Unknown("the home's place is not known, so neither is its sun".to_owned());
    };
    match (up, sun::is_up(place, now)) {
        (true, false) => Truth::False("the sun is down".to_owned()),
        (false, true) => Truth::False("the sun is up".to_owned()),
        (true, true) | (false, false) => Truth::True,
    }
}

/// A condition in words.
fn words(condition: &Condition) -> String {
    let list = |parts: &[Condition], and: &str| {
        let parts: Vec<String> = parts.iter().map(words).collect();
        parts.join(and)
    };
    match condition {
        Condition::State { target, test, .. } => format!("{target} is {}", test_words(test)),
        Condition::Time { window, days } => {
            let days: Vec<&str> = days.list().map(Days::word).collect();
            let window =
                window.map_or_else(String::new, |w| format!("{} to {} ", hm(w.from), w.end()));
            format!("{window}{}", days.join(" "))
        }
        Condition::Sun { up: true } => "the sun is up".to_owned(),
        Condition::Sun { up: false } => "the sun is down".to_owned(),
        Condition::All(parts) => list(parts, " and "),
        Condition::Any(parts) => list(parts, " or "),
        Condition::Not(part) => format!("not ({})", words(part)),
    }
}

fn test_words(test: &Test) -> String {
    match test {
        Test::Is(value) => value.to_string(),
        Test::Between { above, below } => {
            let above = above.map(|n| format!("above {n}"));
            let below = below.map(|n| format!("below {n}"));
            let both: Vec<String> = above.into_iter().chain(below).collect();
            both.join(" and ")
        }
    }
}
