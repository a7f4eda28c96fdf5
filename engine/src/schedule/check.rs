//! Whether a definition makes sense now and in this home.
//!
//! Owner of the faults that its shape does not show: a date in the past, a local
//! time that is left out, the sun without a place. It must never refuse what is
//! already stored: only what somebody asks for now.

use super::calculus::Plan;
use super::condition::Condition;
use super::definition::Definition;
use super::place::Home;
use super::trigger::{Gap, Trigger, When};
use super::wall::{self, Shown};
use super::{ScheduleError, hm};
use crate::time::Timestamp;

/// Every fault that a new or changed definition has now.
///
/// One that is not enabled may lie in the past: a copy of old schedules can be imported.
pub fn check(
    definition: &Definition,
    home: &Home,
    now: Timestamp,
) -> Result<(), Vec<ScheduleError>> {
    let mut faults = Vec::new();
    faults.extend(placeless(definition, home));
    faults.extend(check_plan(
        &Plan::of(definition, home),
        definition.enabled,
        now,
    ));
    if faults.is_empty() {
        return Ok(());
    }
    Err(faults)
}

/// The fault of a trigger that a preview asks for, or that a definition has; at most one.
pub fn check_plan(plan: &Plan<'_>, enabled: bool, now: Timestamp) -> Option<ScheduleError> {
    let trigger = plan.trigger;
    if matches!(trigger.when, When::Sun { .. }) && plan.home.place.is_none() {
        return Some(no_place("trigger.event"));
    }
    if let Some(fault) = left_out(plan).or_else(|| shaken(trigger)) {
        return Some(fault);
    }
    if !enabled || plan.next_after(now).is_some() {
        return None;
    }
    let field = match trigger.when {
        When::At { .. } => "trigger.at",
        _ if trigger.end_date.is_some() => "trigger.end_date",
        When::Cron { .. } => "trigger.expression",
        _ => "trigger",
    };
    let once = plan.next_after(Timestamp::from_millis(0)).is_some();
    let problem = if once {
        "it lies in the past"
    } else {
        "it is never due: its limits leave out every occurrence"
    };
    Some(ScheduleError::new(field, problem, soon(plan, now)))
}

fn placeless(definition: &Definition, home: &Home) -> Option<ScheduleError> {
    let asks = definition.conditions.as_ref().is_some_and(asks_the_sun);
    (asks && home.place.is_none()).then(|| no_place("conditions"))
}

fn asks_the_sun(condition: &Condition) -> bool {
    match condition {
        Condition::Sun { .. } => true,
        Condition::State { .. } | Condition::Time { .. } => false,
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(asks_the_sun),
        Condition::Not(part) => asks_the_sun(part),
    }
}

fn no_place(field: &str) -> ScheduleError {
    ScheduleError::new(
        field,
        "the home's place is not known, so neither is its sun",
        "52.52 degrees north, 13.40 east, in the settings of the home",
    )
}

/// More jitter than there is between two occurrences: they would overtake each other.
fn shaken(trigger: &Trigger) -> Option<ScheduleError> {
    let When::Every { seconds, .. } = trigger.when else {
        return None;
    };
    let problem = "it must be less than the interval, else occurrences overtake each other";
    let example = (seconds / 4).to_string();
    (trigger.jitter_seconds >= seconds)
        .then(|| ScheduleError::new("trigger.jitter_seconds", problem, example))
}

/// An `at` in a gap, with `skip`: it would never be.
fn left_out(plan: &Plan<'_>) -> Option<ScheduleError> {
    let When::At { at } = &plan.trigger.when else {
        return None;
    };
    if plan.gap != Gap::Skip {
        return None;
    }
    let Shown::Never { gap_end } = wall::shown(plan.zone(), wall::wall_at(*at)) else {
        return None;
    };
    let next = wall::civil(wall::wall_of(plan.zone(), gap_end));
    Some(ScheduleError::new(
        "trigger.at",
        "this local time does not exist: clocks are set forward over it, and the gap is to be skipped",
        format!("\"{}T{}\"", next.date(), hm(next.time())),
    ))
}

/// A local time an hour from now, as an example.
fn soon(plan: &Plan<'_>, now: Timestamp) -> String {
    let soon = now.as_millis().div_euclid(1000) + 3_600;
    let local = wall::civil(wall::wall_of(plan.zone(), soon));
    match plan.trigger.when {
        When::At { .. } => format!("\"{}T{}\"", local.date(), hm(local.time())),
        When::Cron { .. } if plan.trigger.end_date.is_none() => "\"30 2 * * MON-FRI\"".to_owned(),
        _ => format!("an end_date after \"{}\"", local.date()),
    }
}
