//! Schedules: what a household wants done when, decided purely.
//!
//! Owner of wall time: gaps, overlaps, cron lines and the sun exist only here. The
//! types are parsed once and cannot be wrong afterwards; the calculus says when a
//! trigger is due; the agenda decides each due instant exactly once. Nothing here
//! may read a clock, write a row or send a command.

pub mod agenda;
mod calculus;
mod check;
mod condition;
mod cron;
mod cron_fields;
mod definition;
mod describe;
mod error;
mod jitter;
mod judge;
mod occurrence;
mod place;
mod read;
pub mod simulate;
mod sun;
mod trigger;
mod wall;

#[cfg(test)]
mod tests;

pub use calculus::{Due, Note, Plan};
pub use check::{check, check_plan};
pub use condition::{CONDITIONS_MAX, Condition, DEPTH_MAX, Test};
pub use cron::CronLine;
pub use definition::{
    ACTIONS_MAX, ActionSpec, DELAYS_MAX_SECONDS, Definition, Missed, MissedPolicy, NAME_MAX,
    SCHEDULES_PER_USER, Schedule,
};
pub use describe::{Rhythm, describe, describe_trigger, rhythm};
pub use error::ScheduleError;
pub use jitter::jitter_ms;
pub use judge::{Reading, Verdict, judge};
pub use occurrence::{ActionRun, Occurrence, OccurrenceState, command_id, reason};
pub use place::{Home, Place, Zone};
pub use read::{Preview, read_definition, read_parts, read_preview};
pub use trigger::{Days, Gap, Overlap, SunEvent, Trigger, When, Window, hm};
