//! Faults of the engine, told beside the fields of the form.
//!
//! Owner of which field says what. It must never decide what is a fault.

use super::rows::Values;
use iothome_engine::schedule::ScheduleError;
use iothome_views::pages::schedules::Problems;
use iothome_views::texts::Texts;
use iothome_views::texts::rhythm::{capital, put};

/// Puts a fault of the engine beside its field, unless something is said there already.
pub(super) fn note(t: &Texts, values: &Values, problems: &mut Problems, fault: &ScheduleError) {
    let field = field_of(values, &fault.field);
    let words = (t.schedule_form.fault)(&fault.problem)
        .map_or_else(|| capital(&fault.problem), str::to_owned);
    let words = words.trim_end_matches('.');
    let example = fault.example.trim_matches('"');
    let told = format!("{words}. {}", put(t.schedule_form.example, &[example]));
    problems.entry(field).or_insert(told);
}

/// The field of the form that says what a field of the definition says.
fn field_of(values: &Values, field: &str) -> String {
    if let Some(rest) = field.strip_prefix("actions[") {
        let (n, rest) = rest.split_once(']').unwrap_or((rest, ""));
        let part = match rest {
            ".value" => "value",
            ".delay_seconds" => "delay",
            ".device" => "device",
            _ => "what",
        };
        return format!("a{n}_{part}");
    }
    if field.starts_with("conditions") {
        return condition_field(field);
    }
    let is_daily = !matches!(
        values.get("when").map(String::as_str),
        Some("at" | "in" | "every" | "sun" | "cron")
    );
    let found = match field {
        "name" => "name",
        "trigger.at" if values.get("when").is_some_and(|w| w == "in") => "in_amount",
        "trigger.at" => "date",
        "trigger.seconds" | "trigger.anchor" => "every_amount",
        "trigger.window.from" => "from",
        "trigger.window" | "trigger.window.to" => "to",
        "trigger.expression" if is_daily => "time",
        "trigger.expression" => "cron",
        "trigger.event" => "sun_event",
        "trigger.offset_minutes" => "sun_minutes",
        "trigger.zone" => "zone",
        "trigger.start_date" => "start",
        "trigger.end_date" => "end",
        "trigger.days" => "days",
        "trigger.jitter_seconds" => "jitter",
        "gap" => "gap",
        "overlap" => "overlap",
        "missed.grace_seconds" => "grace",
        "actions" => "actions",
        other if other.starts_with("trigger.excluded_dates") => "excluded",
        other if other.starts_with("missed") => "missed",
        other if other.starts_with("trigger") => "when",
        _ => "",
    };
    found.to_owned()
}

fn condition_field(field: &str) -> String {
    let number = field
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    let Some((n, rest)) = number else {
        return "conditions".to_owned();
    };
    match rest.rsplit('.').next().unwrap_or_default() {
        "entity" | "device" => format!("c{n}_entity"),
        part @ ("is" | "above" | "below" | "from" | "to" | "days") => format!("c{n}_{part}"),
        "for_seconds" => format!("c{n}_for"),
        _ => format!("c{n}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_beside_the_field_that_says_it() {
        let mut values = Values::new();
        for (when, field, found) in [
            ("daily", "trigger.expression", "time"),
            ("cron", "trigger.expression", "cron"),
            ("in", "trigger.at", "in_amount"),
            ("at", "trigger.at", "date"),
            ("every", "trigger.window.to", "to"),
            ("every", "actions[3].delay_seconds", "a3_delay"),
            ("every", "actions[0]", "a0_what"),
            ("every", "conditions.all[2].not.below", "c2_below"),
            ("every", "conditions.any[1]", "c1"),
            ("every", "conditions", "conditions"),
            ("every", "trigger.excluded_dates[4]", "excluded"),
        ] {
            values.insert("when".to_owned(), when.to_owned());
            assert_eq!(field_of(&values, field), found, "{when} {field}");
        }
    }
}
