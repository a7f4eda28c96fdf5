//! The JSON shapes of things that several routes tell: devices, entities, commands.
//!
//! Owner of the outside's view of the engine's views. It must never leave out
//! what a field means: null is "nothing known", not "forgot".

use crate::api::words::{ActionWord, Instant, KindWord, StatusWord};
use iothome_engine::command::{Cause, Command, Status};
use iothome_engine::ids::{CommandId, DeviceId, EntityId};
use iothome_engine::kind::{Action, Kind};
use iothome_engine::time::Timestamp;
use iothome_engine::value::{Value, json_number};
use iothome_engine::view::{
    About, Availability, Category, DeviceView, EntityView, Freshness, Health, Pending, Range,
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The things.
    pub(crate) items: Vec<T>,
    /// What to give as `after` (or `before`) for the next page; null at the end.
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// The part of all things that comes after the cursor, at most `limit` of them, in the
    /// order of their keys.
    pub(crate) fn of(mut all: Vec<(String, T)>, after: Option<&str>, limit: usize) -> Self {
        all.retain(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        let more = all.len() > limit;
        all.truncate(limit);
        let next = all.last().filter(|_| more).map(|(key, _)| key.clone());
        let items = all.into_iter().map(|(_, item)| item).collect();
        Self { items, next }
    }

    /// A list that is short by its nature.
    pub(crate) const fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// A device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Device)]
pub(crate) struct DeviceBody {
    /// Its id; never changes.
    #[schema(value_type = String, example = "fridge")]
    id: DeviceId,
    /// Its name.
    name: String,
    /// Its room.
    room: Option<String>,
    /// The picture that a person chose for it.
    #[schema(example = "fridge")]
    icon: Option<String>,
    /// Its place in its room: lower comes first; null comes after all, by name.
    position: Option<i64>,
    /// Roll-up of its entities' availability.
    #[schema(value_type = AvailabilityBody)]
    availability: Availability,
    /// Whether the hub is content with it.
    #[schema(value_type = HealthBody)]
    health: Health,
    /// Why not.
    reason: Option<String>,
    /// Whether the hub vouches for who sends in its name.
    sender_verified: bool,
    /// What it says it is.
    #[schema(value_type = Object)]
    about: About,
    /// When anything was last heard from it while the hub listened.
    #[schema(value_type = Option<Instant>)]
    last_seen: Option<Timestamp>,
    /// Reports coalesced because the device sent faster than the hub took.
    coalesced: u64,
    /// Its entities; left out of `device` events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    entities: Option<Vec<EntityBody>>,
}

/// `online`, `offline`, `unknown` (never heard), `unavailable` (no broker, or quarantined).
#[derive(ToSchema)]
#[schema(rename_all = "snake_case", as = Availability)]
#[expect(dead_code, reason = "a schema")]
pub(crate) enum AvailabilityBody {
    Online,
    Offline,
    Unknown,
    Unavailable,
}

/// `quarantined`: it failed too often. `not_announced`: its configuration was not seen again.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case", as = Health)]
#[expect(dead_code, reason = "a schema")]
pub(crate) enum HealthBody {
    Ok,
    Quarantined,
    NotAnnounced,
}

/// Where a state comes from.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case", as = Freshness)]
#[expect(dead_code, reason = "a schema")]
pub(crate) enum FreshnessBody {
    Live,
    Retained,
    Restored,
    Assumed,
    Never,
}

impl DeviceBody {
    /// A device with its entities.
    pub(crate) fn new(view: &DeviceView) -> Self {
        let mut body = Self::without_entities(view);
        body.entities = Some(view.entities.iter().map(|e| EntityBody::new(e)).collect());
        body
    }

    /// A device by itself.
    pub(crate) fn without_entities(view: &DeviceView) -> Self {
        Self {
            id: view.id.clone(),
            name: view.name.to_string(),
            room: view.room.as_ref().map(ToString::to_string),
            icon: view.icon.clone(),
            position: view.position,
            availability: view.availability,
            health: view.health,
            reason: view.reason.clone(),
            sender_verified: view.sender_verified,
            about: About::clone(&view.about),
            last_seen: view.last_seen,
            coalesced: view.coalesced,
            entities: None,
        }
    }
}

/// One thing of a device that can be read or driven.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entity)]
pub(crate) struct EntityBody {
    /// Its id within the device; never changes.
    #[schema(value_type = String, example = "temperature")]
    id: EntityId,
    /// Its name.
    name: String,
    /// Its kind.
    #[schema(value_type = KindWord)]
    kind: Kind,
    /// `config`, `diagnostic`, or null for what the household uses.
    #[schema(value_type = Option<String>)]
    category: Option<Category>,
    /// Home Assistant's device class.
    device_class: Option<String>,
    /// Unit of measurement.
    unit: Option<String>,
    /// Limits of a number, or of brightness or position in per cent.
    range: Option<RangeBody>,
    /// Options of a select.
    options: Vec<String>,
    /// Actions it takes.
    #[schema(value_type = Vec<ActionWord>)]
    actions: Vec<Action>,
    /// Whether it can be reached.
    #[schema(value_type = AvailabilityBody)]
    availability: Availability,
    /// A word or a number; null if nothing is known.
    #[schema(value_type = Value)]
    state: Option<Value>,
    /// Further facts, such as `brightness` and `position` in per cent.
    #[schema(value_type = Object)]
    attributes: BTreeMap<String, serde_json::Value>,
    /// Where the state comes from.
    #[schema(value_type = FreshnessBody)]
    freshness: Freshness,
    /// When it was reported; null if it is a retained replay.
    #[schema(value_type = Option<Instant>)]
    reported_at: Option<Timestamp>,
    /// When the state last changed.
    #[schema(value_type = Option<Instant>)]
    changed_at: Option<Timestamp>,
    /// The newest command under way.
    pending: Option<PendingBody>,
}

/// Limits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Range)]
pub(crate) struct RangeBody {
    /// Smallest value.
    #[schema(value_type = f64)]
    min: serde_json::Value,
    /// Largest value.
    #[schema(value_type = f64)]
    max: serde_json::Value,
    /// Step between values.
    #[schema(value_type = f64)]
    step: serde_json::Value,
}

impl From<Range> for RangeBody {
    fn from(range: Range) -> Self {
        Self {
            min: json_number(range.min),
            max: json_number(range.max),
            step: json_number(range.step),
        }
    }
}

/// A command that has no end yet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pending)]
pub(crate) struct PendingBody {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    command: CommandId,
    /// What is asked.
    #[schema(value_type = ActionWord)]
    action: Action,
    /// The value of `set`.
    value: Option<serde_json::Value>,
    /// How far it is.
    #[schema(value_type = StatusWord)]
    status: Status,
    /// When it times out.
    #[schema(value_type = Instant)]
    deadline_at: Timestamp,
}

impl From<&Pending> for PendingBody {
    fn from(pending: &Pending) -> Self {
        Self {
            command: pending.command,
            action: pending.action,
            value: pending.value.clone(),
            status: pending.status,
            deadline_at: pending.deadline_at,
        }
    }
}

impl EntityBody {
    /// As it is now.
    pub(crate) fn new(view: &EntityView) -> Self {
        Self {
            id: view.id.clone(),
            name: view.name.to_string(),
            kind: view.kind,
            category: view.category,
            device_class: view.device_class.clone(),
            unit: view.unit.clone(),
            range: view.range.map(Into::into),
            options: view.options.to_vec(),
            actions: view.actions.to_vec(),
            availability: view.availability,
            state: view.state.clone(),
            attributes: BTreeMap::clone(&view.attributes),
            freshness: view.freshness,
            reported_at: view.reported_at,
            changed_at: view.changed_at,
            pending: view.pending.as_ref().map(Into::into),
        }
    }
}

/// A command.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Command)]
pub(crate) struct CommandBody {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: CommandId,
    /// The device.
    #[schema(value_type = String)]
    device: DeviceId,
    /// The entity.
    #[schema(value_type = String)]
    entity: EntityId,
    /// The action as it was asked.
    #[schema(value_type = ActionWord)]
    action: Action,
    /// The action as it is carried out (`toggle` becomes `turn_on` or `turn_off`).
    #[schema(value_type = ActionWord)]
    resolved: Action,
    /// The value of `set`.
    value: Option<serde_json::Value>,
    /// Who or what asked.
    cause: CauseBody,
    /// How far it came.
    #[schema(value_type = StatusWord)]
    pub(crate) status: Status,
    /// Why it ended so.
    reason: Option<String>,
    /// When it was accepted.
    #[schema(value_type = Instant)]
    accepted_at: Timestamp,
    /// When it times out.
    #[schema(value_type = Instant)]
    deadline_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<Instant>)]
    ended_at: Option<Timestamp>,
    /// From acceptance to the end.
    latency_ms: Option<f64>,
}

/// Who or what asked. Sessions are not told: they are nobody else's business.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cause)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum CauseBody {
    /// A signed-in person.
    User {
        /// Who.
        user: String,
        /// Their name when they asked.
        name: String,
    },
    /// An occurrence of a schedule.
    Schedule {
        /// The schedule.
        schedule: String,
        /// Its name when it fired.
        name: String,
        /// The occurrence.
        #[schema(value_type = Instant)]
        due_at: Timestamp,
    },
}

impl From<&Cause> for CauseBody {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::User { user, name, .. } => Self::User {
                user: user.to_string(),
                name: name.clone(),
            },
            Cause::Schedule {
                schedule,
                name,
                due_at,
            } => Self::Schedule {
                schedule: schedule.clone(),
                name: name.clone(),
                due_at: *due_at,
            },
        }
    }
}

impl From<&Command> for CommandBody {
    fn from(command: &Command) -> Self {
        Self {
            id: command.id,
            device: command.device.clone(),
            entity: command.entity.clone(),
            action: command.action,
            resolved: command.resolved,
            value: command.value.clone(),
            cause: (&command.cause).into(),
            status: command.status,
            reason: command.reason.clone(),
            accepted_at: command.accepted_at,
            deadline_at: command.deadline_at,
            ended_at: command.ended_at,
            latency_ms: command.latency_ms(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_without_gap_or_repetition() {
        let all = || {
            (0..7)
                .map(|n| (format!("k{n}"), n))
                .rev()
                .collect::<Vec<_>>()
        };
        let mut seen = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = Page::of(all(), after.as_deref(), 3);
            assert!(page.items.len() <= 3);
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(Page::of(all(), None, 7).next, None, "just full is the end");
    }
}
