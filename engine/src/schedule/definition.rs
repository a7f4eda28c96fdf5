//! What a person writes down: trigger, conditions, actions, and how to be late.
//!
//! Owner of a schedule's definition and its limits. It must never hold what the
//! hub adds: id, owner, history.

use super::condition::Condition;
use super::trigger::{Gap, Overlap, Trigger};
use crate::ids::{EntityRef, ScheduleId, UserId};
use crate::kind::Action;
use crate::time::Timestamp;
use serde::{Serialize, Serializer};

/// Longest name, in characters.
pub const NAME_MAX: usize = 100;
/// Most actions of one schedule: a scene of a whole house, and still one screen.
pub const ACTIONS_MAX: usize = 50;
/// The delays of one schedule add up to a day at most.
pub const DELAYS_MAX_SECONDS: u32 = 86_400;
/// Most schedules of one user unless set otherwise.
pub const SCHEDULES_PER_USER: usize = 1_000;

/// A schedule as a person or client writes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// When it is due.
    pub trigger: Trigger,
    /// What to do when its local time does not exist.
    pub gap: Gap,
    /// What to do when its local time exists twice.
    pub overlap: Overlap,
    /// What to do with occurrences that the hub slept through.
    pub missed: Missed,
    /// What must hold at its occurrence, if anything.
    pub conditions: Option<Condition>,
    /// What is asked, in this order.
    pub actions: Vec<ActionSpec>,
    /// Whether it runs.
    pub enabled: bool,
}

impl Definition {
    /// When each action runs, in milliseconds after the occurrence: the sums of the delays.
    pub fn delays_ms(&self) -> impl Iterator<Item = i64> {
        self.actions.iter().scan(0_i64, |sum, action| {
            *sum += i64::from(action.delay_seconds) * 1000;
            Some(*sum)
        })
    }

    /// Every entity that it drives or asks about.
    pub fn entities(&self) -> impl Iterator<Item = &EntityRef> {
        let asked = self
            .conditions
            .iter()
            .flat_map(|condition| condition.entities());
        self.actions
            .iter()
            .map(|action| &action.target)
            .chain(asked)
    }
}

/// What to do with occurrences that the hub slept through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Missed {
    /// Which of them still run.
    pub policy: MissedPolicy,
    /// How late the latest may be for `once`.
    pub grace_seconds: u32,
}

impl Default for Missed {
    fn default() -> Self {
        Self {
            policy: MissedPolicy::Once,
            grace_seconds: 900,
        }
    }
}

/// Which missed occurrences still run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MissedPolicy {
    /// None.
    Skip,
    /// The latest, if it is not older than the grace.
    #[default]
    Once,
    /// All, the latest hundred at most.
    All,
}

/// One thing to ask of one entity.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionSpec {
    /// Of which entity.
    pub target: EntityRef,
    /// What.
    pub action: Action,
    /// The value of `set`.
    pub value: Option<serde_json::Value>,
    /// How long to wait after the action before it (after the occurrence, for the first).
    pub delay_seconds: u32,
}

impl Serialize for ActionSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("ActionSpec", 5)?;
        out.serialize_field("device", &self.target.device)?;
        out.serialize_field("entity", &self.target.entity)?;
        out.serialize_field("action", &self.action)?;
        match &self.value {
            Some(value) => out.serialize_field("value", value)?,
            None => out.skip_field("value")?,
        }
        out.serialize_field("delay_seconds", &self.delay_seconds)?;
        out.end()
    }
}

/// A schedule of the house.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Whose it is; its occurrences run with the owner's rights at that moment.
    pub owner: UserId,
    /// What was written down.
    #[serde(flatten)]
    pub definition: Definition,
    /// Why the hub disabled it: a device is gone, a grant was taken.
    pub disabled_reason: Option<String>,
    /// The due instant that is to be skipped, if somebody asked so.
    pub skip_due_at: Option<Timestamp>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last; it never goes back, whatever the clock does. Nothing that was due
    /// before runs because of the change.
    pub updated_at: Timestamp,
}
