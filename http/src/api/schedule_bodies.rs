//! The JSON shapes of schedules, their occurrences and what comes.
//!
//! Owner of the outside's view of them. What a person writes has the same shape as
//! what is read back.

use crate::api::bodies::CommandBody;
use crate::api::words::{ActionWord, Instant};
use iothome_actors::{Frequent, Happened, Upcoming, WeekAhead};
use iothome_engine::ids::{CommandId, DeviceId, EntityId, ScheduleId, UserId};
use iothome_engine::kind::Action;
use iothome_engine::schedule::{
    ActionSpec, Definition, Due, Note, Occurrence, OccurrenceState, Schedule, describe,
};
use iothome_engine::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A schedule as it is written.
#[derive(ToSchema)]
#[schema(as = NewSchedule)]
#[expect(dead_code, reason = "a schema")]
pub(crate) struct ScheduleRequest {
    /// Its name, 1 to 100 characters.
    #[schema(example = "Porch light on")]
    name: String,
    /// When it is due: `{"kind":"at","at":"2027-03-28T02:30"}`,
    /// `{"kind":"every","seconds":900,"anchor":"…Z","window":{"from":"08:00","to":"20:00"}}`,
    /// `{"kind":"cron","expression":"30 2 * * MON-FRI"}` or
    /// `{"kind":"sun","event":"sunset","offset_minutes":-30}`; each may have `zone`, `start_date`,
    /// `end_date`, `excluded_dates`, `days` and `jitter_seconds`.
    #[schema(value_type = Object)]
    trigger: serde_json::Value,
    /// What to do when the local time does not exist: `next_valid` (default) or `skip`.
    #[schema(required = false)]
    gap: String,
    /// What to do when the local time exists twice: `first` (default), `second` or `both`.
    #[schema(required = false)]
    overlap: String,
    /// `{"policy":"skip|once|all","grace_seconds":900}`; `once` within 15 minutes if not given.
    #[schema(value_type = Object, required = false)]
    missed: serde_json::Value,
    /// What must hold: `{"kind":"state","device","entity","is"|"above"|"below","for_seconds"}`,
    /// `{"kind":"time","from","to","days"}`, `{"kind":"sun","is":"up"}`, combined by `all`, `any`
    /// and `not`.
    #[schema(value_type = Object, required = false)]
    conditions: serde_json::Value,
    /// What is asked, in this order.
    actions: Vec<ActionBody>,
    /// Whether it runs; true if not given.
    #[schema(required = false)]
    enabled: bool,
}

/// One thing that is asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScheduleAction)]
pub(crate) struct ActionBody {
    /// The device.
    #[schema(value_type = String)]
    device: DeviceId,
    /// The entity.
    #[schema(value_type = String)]
    entity: EntityId,
    /// What.
    #[schema(value_type = ActionWord)]
    action: Action,
    /// The value of `set`.
    #[schema(value_type = Object, required = false)]
    value: Option<serde_json::Value>,
    /// How long after the action before it, in seconds.
    #[schema(required = false)]
    delay_seconds: u32,
}

/// A schedule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Schedule)]
pub(crate) struct ScheduleBody {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ScheduleId,
    /// Whose it is: its occurrences run with this user's rights.
    #[schema(value_type = String, format = "uuid")]
    owner: UserId,
    /// What was written, normalised: `name`, `trigger`, `gap`, `overlap`, `missed`, `conditions`,
    /// `actions`, `enabled`.
    #[serde(flatten)]
    #[schema(value_type = ScheduleRequest)]
    definition: Definition,
    /// When it is due, in words.
    description: String,
    /// Why the hub disabled it: `device_removed: lamp`, `not_allowed: lamp`, `owner_removed`,
    /// `owner_disabled`.
    disabled_reason: Option<String>,
    /// Its next occurrence; null if it is disabled or over.
    next: Option<NextBody>,
    /// What became of its last occurrence.
    last: Option<OutcomeBody>,
    /// Whether you may change it.
    may_change: bool,
    /// When it was made.
    #[schema(value_type = Instant)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = Instant)]
    updated_at: Timestamp,
}

/// An occurrence to come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NextOccurrence)]
pub(crate) struct NextBody {
    /// When, its local time, and whether a clock change touches it.
    #[serde(flatten)]
    #[schema(inline)]
    due: DueBody,
    /// Whether it is to be skipped.
    skipped: bool,
}

/// An occurrence to come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Due)]
pub(crate) struct DueBody {
    /// The instant.
    #[schema(value_type = Instant)]
    at: Timestamp,
    /// Its local time with the offset.
    #[schema(example = "2027-03-28T03:00:00+02:00")]
    local: String,
    /// How a clock change touches it: `gap`, `overlap` or null.
    #[schema(value_type = Option<String>)]
    note: Option<Note>,
}

/// What became of an occurrence.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Outcome)]
pub(crate) struct OutcomeBody {
    /// The nominal instant.
    #[schema(value_type = Instant)]
    due_at: Timestamp,
    /// `claimed`, then one of `fired`, `held`, `missed`, `skipped`, `superseded`, `failed`.
    #[schema(value_type = String)]
    state: OccurrenceState,
    /// Why.
    reason: Option<String>,
}

/// An occurrence with its actions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Occurrence)]
pub(crate) struct OccurrenceBody {
    /// The schedule.
    #[schema(value_type = String, format = "uuid")]
    schedule: ScheduleId,
    /// What became of it.
    #[serde(flatten)]
    #[schema(inline)]
    outcome: OutcomeBody,
    /// When it was decided.
    #[schema(value_type = Instant)]
    decided_at: Timestamp,
    /// When it came to its end.
    #[schema(value_type = Option<Instant>)]
    ended_at: Option<Timestamp>,
    /// Whether a person asked for it.
    by_hand: bool,
    /// Its actions on devices that you may see.
    actions: Vec<RunBody>,
}

/// An action of an occurrence.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OccurrenceAction)]
pub(crate) struct RunBody {
    /// Its place among the actions.
    index: u16,
    /// When it was to be asked.
    #[schema(value_type = Instant)]
    run_at: Timestamp,
    /// The device.
    #[schema(value_type = String)]
    device: DeviceId,
    /// The entity.
    #[schema(value_type = String)]
    entity: EntityId,
    /// What.
    #[schema(value_type = ActionWord)]
    action: Action,
    /// The value of `set`.
    #[schema(value_type = Option<Object>)]
    value: Option<serde_json::Value>,
    /// What became of it, in the words of an occurrence.
    #[schema(value_type = String)]
    state: OccurrenceState,
    /// Why.
    reason: Option<String>,
    /// The id of its command, asked or not.
    #[schema(value_type = String, format = "uuid")]
    command_id: CommandId,
    /// Its command as it now is; null if it was not asked, or is no longer kept.
    command: Option<CommandBody>,
}

/// The next seven days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeekAhead)]
pub(crate) struct WeekBody {
    /// From when.
    #[schema(value_type = Instant)]
    from: Timestamp,
    /// Until when.
    #[schema(value_type = Instant)]
    to: Timestamp,
    /// Action by action, in order.
    items: Vec<UpcomingBody>,
    /// Schedules that are due more than once an hour, each once.
    frequent: Vec<FrequentBody>,
    /// Whether there are more items than these.
    cut: bool,
}

/// An action to come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Upcoming)]
pub(crate) struct UpcomingBody {
    /// When it runs, with jitter and delays.
    #[schema(value_type = Instant)]
    at: Timestamp,
    /// The occurrence.
    #[schema(inline)]
    due: DueBody,
    /// The schedule; null if you may not see it as a whole.
    #[schema(value_type = Option<String>)]
    schedule: Option<ScheduleId>,
    /// Its name.
    name: Option<String>,
    /// What is asked.
    #[serde(flatten)]
    #[schema(inline)]
    action: ActionBody,
    /// Whether it is to be skipped.
    skipped: bool,
}

/// A schedule that is due more than once an hour.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Frequent)]
pub(crate) struct FrequentBody {
    /// The schedule; null if you may not see it as a whole.
    #[schema(value_type = Option<String>)]
    schedule: Option<ScheduleId>,
    /// Its name.
    name: Option<String>,
    /// When, in words.
    description: String,
    /// Its next occurrence.
    first: DueBody,
    /// What is asked.
    actions: Vec<ActionBody>,
}

impl ScheduleBody {
    pub(crate) fn new(
        schedule: &Schedule,
        next: Option<Due>,
        last: Option<Occurrence>,
        may_change: bool,
    ) -> Self {
        Self {
            id: schedule.id,
            owner: schedule.owner,
            description: describe(&schedule.definition),
            definition: schedule.definition.clone(),
            disabled_reason: schedule.disabled_reason.clone(),
            next: next.map(|due| NextBody {
                skipped: schedule.skip_due_at == Some(due.at),
                due: due.into(),
            }),
            last: last.map(OutcomeBody::from),
            may_change,
            created_at: schedule.created_at,
            updated_at: schedule.updated_at,
        }
    }
}

impl From<Due> for DueBody {
    fn from(due: Due) -> Self {
        Self {
            at: due.at,
            local: due.local_text(),
            note: due.note,
        }
    }
}

impl From<Occurrence> for OutcomeBody {
    fn from(occurrence: Occurrence) -> Self {
        Self {
            due_at: occurrence.due_at,
            state: occurrence.state,
            reason: occurrence.reason,
        }
    }
}

impl From<Happened> for OccurrenceBody {
    fn from(happened: Happened) -> Self {
        let occurrence = happened.occurrence;
        let actions = happened.actions.into_iter().map(|caused| RunBody {
            index: caused.run.index,
            run_at: caused.run.run_at,
            device: caused.run.target.device,
            entity: caused.run.target.entity,
            action: caused.run.action,
            value: caused.run.value,
            state: caused.run.state,
            reason: caused.run.reason,
            command_id: caused.run.command,
            command: caused.command.as_ref().map(CommandBody::from),
        });
        Self {
            schedule: occurrence.schedule,
            decided_at: occurrence.decided_at,
            ended_at: occurrence.ended_at,
            by_hand: occurrence.by_hand,
            actions: actions.collect(),
            outcome: occurrence.into(),
        }
    }
}

impl From<ActionSpec> for ActionBody {
    fn from(spec: ActionSpec) -> Self {
        Self {
            device: spec.target.device,
            entity: spec.target.entity,
            action: spec.action,
            value: spec.value,
            delay_seconds: spec.delay_seconds,
        }
    }
}

impl From<WeekAhead> for WeekBody {
    fn from(week: WeekAhead) -> Self {
        Self {
            from: week.from,
            to: week.to,
            items: week.items.into_iter().map(UpcomingBody::from).collect(),
            frequent: week.frequent.into_iter().map(FrequentBody::from).collect(),
            cut: week.cut,
        }
    }
}

impl From<Upcoming> for UpcomingBody {
    fn from(upcoming: Upcoming) -> Self {
        let schedule = upcoming.schedule;
        Self {
            at: upcoming.at,
            due: upcoming.due.into(),
            schedule: schedule.as_ref().map(|s| s.id),
            name: schedule.map(|s| s.definition.name.clone()),
            action: upcoming.action.into(),
            skipped: upcoming.skipped,
        }
    }
}

impl From<Frequent> for FrequentBody {
    fn from(frequent: Frequent) -> Self {
        let schedule = frequent.schedule;
        Self {
            schedule: schedule.as_ref().map(|s| s.id),
            name: schedule.map(|s| s.definition.name.clone()),
            description: frequent.description,
            first: frequent.first.into(),
            actions: frequent.actions.into_iter().map(ActionBody::from).collect(),
        }
    }
}
