//! From JSON to a definition that cannot be wrong.
//!
//! Owner of the shapes that REST, pages, files and the store share. Unknown fields
//! are refused; every fault is told. What depends on the moment (a date in the
//! past) or on the home (the sun without a place) is `check`'s matter.

mod condition;
mod fields;
mod trigger;

use super::ScheduleError;
use super::condition::Condition;
use super::definition::{
    ACTIONS_MAX, ActionSpec, DELAYS_MAX_SECONDS, Definition, Missed, MissedPolicy, NAME_MAX,
};
use super::trigger::{Gap, Overlap, Trigger};
use crate::ids::{DeviceId, EntityId, EntityRef};
use crate::kind::Action;
use crate::time::Timestamp;
use fields::{Faults, Fields};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

const GAPS: [(&str, Gap); 2] = [("next_valid", Gap::NextValid), ("skip", Gap::Skip)];
const OVERLAPS: [(&str, Overlap); 3] = [
    ("first", Overlap::First),
    ("second", Overlap::Second),
    ("both", Overlap::Both),
];
const POLICIES: [(&str, MissedPolicy); 3] = [
    ("once", MissedPolicy::Once),
    ("skip", MissedPolicy::Skip),
    ("all", MissedPolicy::All),
];
const DEFINITION: [&str; 8] = [
    "name",
    "trigger",
    "gap",
    "overlap",
    "missed",
    "conditions",
    "actions",
    "enabled",
];
const ACTION_EXAMPLE: &str =
    r#"{"device":"lamp","entity":"light","action":"turn_on","delay_seconds":0}"#;
/// A week: whatever was due longer ago is no longer wanted.
const GRACE_MAX_SECONDS: i64 = 604_800;
/// Most occurrences of one preview.
const PREVIEW_MAX: i64 = 1_000;

/// Reads a definition. `now` becomes the anchor of an `every` that names none; without it, that
/// is a fault.
pub fn read_definition(
    json: &Value,
    now: Option<Timestamp>,
) -> Result<Definition, Vec<ScheduleError>> {
    let mut faults = Faults::default();
    let read = definition(json, now, &mut faults);
    faults.end(read)
}

/// The actions, with their places, and the conditions that can be read of a definition that is
/// wrong elsewhere: what is wrong with the house is told together with the rest.
pub fn read_parts(json: &Value) -> (Vec<(usize, ActionSpec)>, Option<Condition>) {
    let listed = json.get("actions").and_then(Value::as_array);
    let listed = listed.into_iter().flatten().take(ACTIONS_MAX).enumerate();
    let actions = listed.filter_map(|(at, json)| {
        let mut faults = Faults::default();
        let read = action("", json, &mut faults);
        Some((at, faults.end(read).ok()?))
    });
    let conditions = json.get("conditions").and_then(|json| {
        let mut faults = Faults::default();
        let read = condition::read("conditions", json, &mut faults);
        faults.end(read).ok()
    });
    (actions.collect(), conditions)
}

/// What a preview is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The trigger.
    pub trigger: Trigger,
    /// What to do in a gap.
    pub gap: Gap,
    /// What to do in an overlap.
    pub overlap: Overlap,
    /// Occurrences after this instant.
    pub from: Timestamp,
    /// How many.
    pub count: usize,
}

/// Reads what a preview is asked for; only `trigger` is needed.
pub fn read_preview(json: &Value, now: Timestamp) -> Result<Preview, Vec<ScheduleError>> {
    let mut faults = Faults::default();
    let read = preview(json, now, &mut faults);
    faults.end(read)
}

fn preview(json: &Value, now: Timestamp, faults: &mut Faults) -> Option<Preview> {
    let known = ["trigger", "gap", "overlap", "from", "count"];
    let example = r#"{"trigger":{"kind":"cron","expression":"30 2 * * MON-FRI"}}"#;
    let fields = Fields::of("", json, &known, example, faults)?;
    let trigger = fields.need("trigger", trigger::EXAMPLE, faults);
    let trigger = trigger.and_then(|t| trigger::read("trigger", t, Some(now), faults));
    let from = fields.text("from", "\"2027-03-01T00:00:00Z\"", faults, instant);
    let count = fields.whole("count", (1, PREVIEW_MAX), "10", faults);
    let gap = fields.word("gap", &GAPS, faults);
    let overlap = fields.word("overlap", &OVERLAPS, faults);
    Some(Preview {
        trigger: trigger?,
        gap: gap.unwrap_or_default(),
        overlap: overlap.unwrap_or_default(),
        from: from.unwrap_or(now),
        count: count.and_then(|n| usize::try_from(n).ok()).unwrap_or(10),
    })
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "an instant with its offset is needed".to_owned())
}

fn definition(json: &Value, now: Option<Timestamp>, faults: &mut Faults) -> Option<Definition> {
    let example = r#"{"name":"Porch","trigger":{…},"actions":[…]}"#;
    let fields = Fields::of("", json, &DEFINITION, example, faults)?;
    let name = fields.need_text("name", "\"Porch light on\"", faults, name);
    let trigger = fields.need("trigger", trigger::EXAMPLE, faults);
    let trigger = trigger.and_then(|t| trigger::read("trigger", t, now, faults));
    let gap = fields.word("gap", &GAPS, faults).unwrap_or_default();
    let overlap = fields.word("overlap", &OVERLAPS, faults);
    let missed = fields.get("missed").and_then(|m| missed(m, faults));
    let conditions = fields
        .get("conditions")
        .and_then(|c| condition::read("conditions", c, faults));
    let actions = actions(&fields, faults);
    let enabled = fields.get("enabled").map(Value::as_bool);
    if enabled == Some(None) {
        faults.add("enabled", "true or false is needed", "true");
    }
    Some(Definition {
        name: name?,
        trigger: trigger?,
        gap,
        overlap: overlap.unwrap_or_default(),
        missed: missed.unwrap_or_default(),
        conditions,
        actions: actions?,
        enabled: enabled.flatten().unwrap_or(true),
    })
}

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > NAME_MAX || text.chars().any(char::is_control) {
        return Err(format!("1 to {NAME_MAX} printable characters are needed"));
    }
    Ok(text.to_owned())
}

fn missed(json: &Value, faults: &mut Faults) -> Option<Missed> {
    let example = r#"{"policy":"once","grace_seconds":900}"#;
    let known = ["policy", "grace_seconds"];
    let fields = Fields::of("missed", json, &known, example, faults)?;
    let usual = Missed::default();
    let policy = fields.word("policy", &POLICIES, faults);
    let grace = fields.whole("grace_seconds", (0, GRACE_MAX_SECONDS), "900", faults);
    Some(Missed {
        policy: policy.unwrap_or(usual.policy),
        grace_seconds: grace
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(usual.grace_seconds),
    })
}

fn actions(fields: &Fields<'_>, faults: &mut Faults) -> Option<Vec<ActionSpec>> {
    fields.need("actions", &format!("[{ACTION_EXAMPLE}]"), faults)?;
    let list = fields.list("actions", ACTIONS_MAX, ACTION_EXAMPLE, faults)?;
    if list.is_empty() {
        faults.add("actions", "at least one action is needed", ACTION_EXAMPLE);
    }
    let read: Vec<Option<ActionSpec>> = list
        .iter()
        .enumerate()
        .map(|(at, json)| action(&format!("actions[{at}]"), json, faults))
        .collect();
    let read: Vec<ActionSpec> = read.into_iter().collect::<Option<_>>()?;
    let delays: u64 = read.iter().map(|a| u64::from(a.delay_seconds)).sum();
    if delays > u64::from(DELAYS_MAX_SECONDS) {
        let problem = format!("the delays add up to more than {DELAYS_MAX_SECONDS} seconds");
        faults.add("actions", problem, ACTION_EXAMPLE);
    }
    Some(read)
}

fn action(path: &str, json: &Value, faults: &mut Faults) -> Option<ActionSpec> {
    let known = ["device", "entity", "action", "value", "delay_seconds"];
    let fields = Fields::of(path, json, &known, ACTION_EXAMPLE, faults)?;
    let target = target(&fields, faults);
    let action = fields.need_text("action", "\"turn_on\"", faults, |text| {
        text.parse::<Action>().map_err(|e| e.to_string())
    });
    let value = fields.get("value").cloned();
    if let Some(action) = action {
        check_value(&fields, action, value.as_ref(), faults);
    }
    let most = i64::from(DELAYS_MAX_SECONDS);
    let delay = fields.whole("delay_seconds", (0, most), "30", faults);
    Some(ActionSpec {
        target: target?,
        action: action?,
        value,
        delay_seconds: delay.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
    })
}

/// Whether `set` has a value of a sane size, and nothing else has one.
fn check_value(fields: &Fields<'_>, action: Action, value: Option<&Value>, faults: &mut Faults) {
    let field = fields.at("value");
    match (action, value) {
        (Action::Set, None) => faults.add(&field, "set needs a value", "21.5"),
        (Action::Set, Some(value)) => {
            if value.to_string().len() > crate::value::WORD_MAX {
                faults.add(&field, "the value is too long", "21.5");
            }
        }
        (_, Some(_)) => faults.add(&field, "only set takes a value", "null"),
        (_, None) => {}
    }
}

fn target(fields: &Fields<'_>, faults: &mut Faults) -> Option<EntityRef> {
    let device = fields.need_text("device", "\"lamp\"", faults, |text| {
        text.parse::<DeviceId>().map_err(|e| e.to_string())
    });
    let entity = fields.need_text("entity", "\"light\"", faults, |text| {
        text.parse::<EntityId>().map_err(|e| e.to_string())
    });
    Some(EntityRef {
        device: device?,
        entity: entity?,
    })
}

impl<'de> Deserialize<'de> for Definition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Value::deserialize(deserializer)?;
        read_definition(&json, None).map_err(|faults| {
            let first = faults.into_iter().next();
            let words = first.map_or_else(String::new, |fault| fault.to_string());
            serde::de::Error::custom(words)
        })
    }
}
