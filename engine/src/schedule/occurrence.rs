//! Occurrences: what became of each due instant.
//!
//! Owner of the occurrence's words and of the ids that follow from it. A due
//! instant of a schedule has one row, and each of its actions has one row and one
//! command id, whatever crashes.

use super::definition::{ActionSpec, Schedule};
use crate::ids::{CommandId, EntityRef, ScheduleId};
use crate::kind::Action;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The name space of scheduled command ids (RFC 9562, section 5.5): a random UUID, chosen once.
const COMMANDS: Uuid = Uuid::from_u128(0x6f0d_2b1e_8c55_4c39_9e7a_51d0_c3b7_24f8);

/// The id of the command that an action of an occurrence asks: always the same.
pub fn command_id(schedule: ScheduleId, due_ms: i64, action_index: u16) -> CommandId {
    let mut name = [0; 26];
    name[..16].copy_from_slice(schedule.as_uuid().as_bytes());
    name[16..24].copy_from_slice(&due_ms.to_be_bytes());
    name[24..].copy_from_slice(&action_index.to_be_bytes());
    CommandId::from_uuid(Uuid::new_v5(&COMMANDS, &name))
}

/// What became of an occurrence, or of one of its actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OccurrenceState {
    /// Decided: it will run. Every other state is an end.
    Claimed,
    /// It ran.
    Fired,
    /// A condition held it back.
    Held,
    /// The hub slept through it and it was too late to run.
    Missed,
    /// Somebody skipped it, or the schedule was disabled or deleted in between.
    Skipped,
    /// A later missed occurrence drives the same entity.
    Superseded,
    /// It could not be asked: the owner's rights, the entity, or a fault.
    Failed,
}

impl OccurrenceState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Claimed,
        Self::Fired,
        Self::Held,
        Self::Missed,
        Self::Skipped,
        Self::Superseded,
        Self::Failed,
    ];

    /// The word used in REST and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Fired => "fired",
            Self::Held => "held",
            Self::Missed => "missed",
            Self::Skipped => "skipped",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
        }
    }

    /// The state with that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// Whether nothing follows.
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Claimed)
    }
}

/// One due instant of one schedule: a row, unique in (schedule, due instant).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Occurrence {
    /// Of which schedule.
    pub schedule: ScheduleId,
    /// The nominal instant, to the millisecond.
    pub due_at: Timestamp,
    /// What became of it.
    pub state: OccurrenceState,
    /// Why, as a code of [`reason`] with details after a colon.
    pub reason: Option<String>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
    /// Whether a person asked for it (`run`), rather than the trigger.
    pub by_hand: bool,
}

/// One action of one occurrence: a row, unique in (schedule, due instant, index).
///
/// It is written with its occurrence, so that what was decided does not change when the schedule
/// is edited. `Claimed` means: still to be asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionRun {
    /// Of which schedule.
    pub schedule: ScheduleId,
    /// Of which occurrence.
    pub due_at: Timestamp,
    /// Its place among the actions.
    pub index: u16,
    /// When it is to be asked: due instant, jitter and delays.
    pub run_at: Timestamp,
    /// Of which entity.
    pub target: EntityRef,
    /// What.
    pub action: Action,
    /// The value of `set`.
    pub value: Option<serde_json::Value>,
    /// What became of it.
    pub state: OccurrenceState,
    /// Why.
    pub reason: Option<String>,
    /// The command it asks.
    pub command: CommandId,
}

impl ActionRun {
    /// The rows of an occurrence whose first action may run at `base`.
    pub fn all(schedule: &Schedule, due_at: Timestamp, base: Timestamp) -> Vec<Self> {
        let definition = &schedule.definition;
        definition
            .actions
            .iter()
            .zip(definition.delays_ms())
            .zip(0_u16..)
            .map(|((spec, delay_ms), index)| {
                Self::new(schedule.id, due_at, index, base.plus_millis(delay_ms), spec)
            })
            .collect()
    }

    fn new(
        schedule: ScheduleId,
        due_at: Timestamp,
        index: u16,
        run_at: Timestamp,
        spec: &ActionSpec,
    ) -> Self {
        Self {
            schedule,
            due_at,
            index,
            run_at,
            target: spec.target.clone(),
            action: spec.action,
            value: spec.value.clone(),
            state: OccurrenceState::Claimed,
            reason: None,
            command: command_id(schedule, due_at.as_millis(), index),
        }
    }
}

/// Why an occurrence or action ended as it did, as codes (pages translate them).
pub mod reason {
    /// The hub did not run at that time.
    pub const HUB_DOWN: &str = "hub_down";
    /// The clock was set forward over it.
    pub const CLOCK_JUMPED: &str = "clock_jumped";
    /// More were missed than may run after one another.
    pub const TOO_MANY: &str = "too_many";
    /// A later missed occurrence drives the same entities.
    pub const LATER_MISSED: &str = "later_missed";
    /// Somebody asked to skip it.
    pub const SKIPPED_BY_HAND: &str = "skipped_by_hand";
    /// The schedule was disabled, changed or deleted in between.
    pub const DISABLED: &str = "disabled";
    /// A condition did not hold; which one follows.
    pub const CONDITION: &str = "condition";
    /// The occurrence's row could not be written.
    pub const NOT_WRITTEN: &str = "not_written";
    /// The owner may not do this any more.
    pub const NOT_ALLOWED: &str = "not_allowed";
}
