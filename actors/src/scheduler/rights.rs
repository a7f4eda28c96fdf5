//! Who may schedule what, and what becomes of schedules when that changes.
//!
//! Owner of the rule that a schedule never does what its owner may not do, and of
//! disabling it visibly. It must never delete a schedule.

use super::Scheduler;
use iothome_engine::ids::{DeviceId, UserId};
use iothome_engine::kind::{Action, Kind};
use iothome_engine::policy::{Decision, Right, Subject};
use iothome_engine::schedule::{ActionSpec, Condition, Definition, Schedule, ScheduleError};
use iothome_engine::value::json_number;
use iothome_engine::view::EntityView;
use iothome_engine::wire::Takes;
use iothome_store::{ScheduleWrite, StoreError};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Why the hub disabled a schedule, as codes (pages translate them), some with the device after a
/// colon.
pub mod disabled {
    /// A device that it drives or asks about was deleted.
    pub const DEVICE_REMOVED: &str = "device_removed";
    /// Its owner may not do it any more.
    pub const NOT_ALLOWED: &str = "not_allowed";
    /// Its owner was deleted.
    pub const OWNER_REMOVED: &str = "owner_removed";
    /// Its owner was disabled.
    pub const OWNER_DISABLED: &str = "owner_disabled";
    /// It is over: it had an end, and nothing comes any more.
    pub const FINISHED: &str = "finished";
}

/// Whether somebody may schedule a device: they may schedule only what they may control.
pub(crate) fn may_schedule(subject: &Subject, device: &DeviceId) -> bool {
    subject.may(Right::Schedule, device) && subject.may(Right::Control, device)
}

/// Whether somebody sees a schedule: their own, or one all of whose devices they see.
pub(super) fn may_see(subject: &Subject, schedule: &Schedule) -> bool {
    schedule.owner == subject.user
        || schedule
            .definition
            .entities()
            .all(|target| subject.may(Right::View, &target.device))
}

/// Whether somebody may change, run or delete a schedule: their own, or one whose devices they all
/// may schedule.
pub(super) fn may_change(subject: &Subject, schedule: &Schedule) -> bool {
    let actions = &schedule.definition.actions;
    schedule.owner == subject.user
        || actions
            .iter()
            .all(|action| may_schedule(subject, &action.target.device))
}

/// What speaks against a definition.
#[derive(Debug, Default)]
pub(super) struct Objections {
    /// What the house does not have, or the subject does not see.
    pub(super) faults: Vec<ScheduleError>,
    /// Fields with devices that the subject sees and may not schedule.
    pub(super) denied: Vec<(String, DeviceId)>,
}

impl Scheduler {
    /// What the subject may not do or the house does not have, of what a definition says.
    pub(super) fn check_house(&self, subject: &Subject, definition: &Definition) -> Objections {
        let actions = definition.actions.iter().enumerate();
        self.check_parts(subject, actions, definition.conditions.as_ref())
    }

    /// The same of these actions, each with its place, and conditions.
    pub(super) fn check_parts<'a>(
        &self,
        subject: &Subject,
        actions: impl Iterator<Item = (usize, &'a ActionSpec)>,
        conditions: Option<&Condition>,
    ) -> Objections {
        let mut found = Objections::default();
        for (at, action) in actions {
            let field = format!("actions[{at}]");
            let device = &action.target.device;
            match subject.decide(Right::Schedule, device) {
                Decision::Denied => found.denied.push((field, device.clone())),
                Decision::Allowed if !may_schedule(subject, device) => {
                    found.denied.push((field, device.clone()));
                }
                Decision::Hidden => found.faults.push(no_device(&field, device)),
                Decision::Allowed => found.faults.extend(self.check_action(&field, action)),
            }
        }
        if let Some(condition) = conditions {
            self.check_condition("conditions", condition, subject, &mut found.faults);
        }
        found
    }

    fn check_action(&self, field: &str, action: &ActionSpec) -> Option<ScheduleError> {
        let Some(view) = self.inner.services.house.device(&action.target.device) else {
            return Some(no_device(field, &action.target.device));
        };
        let Some(entity) = view.entity(&action.target.entity) else {
            return Some(no_entity(field, &view.entities));
        };
        if !entity.actions.contains(&action.action) {
            let known: Vec<&str> = entity.actions.iter().map(|a| a.as_str()).collect();
            let problem = format!("{} cannot be asked of this {}", action.action, entity.kind);
            let example = known
                .first()
                .copied()
                .unwrap_or("an entity that can be driven");
            let field = format!("{field}.action");
            return Some(ScheduleError::new(field, problem, format!("{example:?}")));
        }
        match (action.action, &action.value) {
            (Action::Set, Some(value)) => check_value(field, entity, value),
            _ => None,
        }
    }

    fn check_condition(
        &self,
        field: &str,
        condition: &Condition,
        subject: &Subject,
        faults: &mut Vec<ScheduleError>,
    ) {
        match condition {
            Condition::State { target, .. } => {
                let seen = subject.may(Right::View, &target.device);
                let view = self.inner.services.house.device(&target.device);
                match view.filter(|_| seen) {
                    None => faults.push(no_device(field, &target.device)),
                    Some(view) if view.entity(&target.entity).is_none() => {
                        faults.push(no_entity(field, &view.entities));
                    }
                    Some(_) => {}
                }
            }
            Condition::All(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    self.check_condition(&format!("{field}.all[{at}]"), part, subject, faults);
                }
            }
            Condition::Any(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    self.check_condition(&format!("{field}.any[{at}]"), part, subject, faults);
                }
            }
            Condition::Not(part) => {
                self.check_condition(&format!("{field}.not"), part, subject, faults);
            }
            Condition::Time { .. } | Condition::Sun { .. } => {}
        }
    }

    /// A device was deleted: what depends on it is disabled.
    pub(crate) async fn device_removed(&self, device: &DeviceId) {
        self.review(self.inner.book.of_device(device)).await;
    }

    /// A user's role, grants or being there changed: what they may not do any more is disabled.
    pub(crate) async fn owner_changed(&self, owner: UserId) {
        self.review(self.inner.book.of_owner(owner)).await;
    }

    /// Looks at every schedule: the hub may have stopped between a change and its consequence.
    pub(crate) async fn review_all(&self) {
        self.review(self.inner.book.all()).await;
    }

    async fn review(&self, schedules: Vec<Arc<Schedule>>) {
        let _one_at_a_time = self.inner.edits.lock().await;
        let mut owners = HashMap::new();
        let mut changed = Vec::new();
        for listed in schedules {
            // It may have been changed while this waited for its turn.
            let Some(schedule) = self.inner.book.get(listed.id) else {
                continue;
            };
            if !schedule.definition.enabled {
                continue;
            }
            let standing = match owners.get(&schedule.owner) {
                Some(known) => known,
                None => match self.standing(schedule.owner).await {
                    Ok(read) => owners.entry(schedule.owner).or_insert(read),
                    Err(problem) => {
                        tracing::error!(%problem, "the rights of schedules are looked at again at the next start; each is checked when it runs");
                        return;
                    }
                },
            };
            if let Some(why) = self.why_not(&schedule, standing) {
                changed.push(self.disabled(&schedule, why));
            }
        }
        self.write_disabled(changed).await;
    }

    async fn write_disabled(&self, changed: Vec<Schedule>) {
        if changed.is_empty() {
            return;
        }
        for schedule in &changed {
            let (id, reason) = (schedule.id, schedule.disabled_reason.as_deref());
            tracing::warn!(schedule = %id, name = schedule.definition.name, reason, "the schedule is disabled");
        }
        let writes = changed.into_iter().map(ScheduleWrite::Changed).collect();
        if let Err(problem) = self.write(writes).await {
            tracing::error!(%problem, "schedules that may not run could not be disabled; each is checked when it runs");
        }
    }

    async fn standing(&self, owner: UserId) -> Result<Standing, StoreError> {
        let store = &self.inner.store;
        Ok(match store.user(owner).await? {
            None => Standing::Gone,
            Some(user) if user.disabled => Standing::Disabled,
            Some(user) => Standing::Here(Subject {
                user: user.id,
                name: user.name,
                role: user.role,
                grants: store.grants_of(user.id).await?,
            }),
        })
    }

    /// Why a schedule may not run as its owner's, if it may not.
    fn why_not(&self, schedule: &Schedule, owner: &Standing) -> Option<String> {
        let house = &self.inner.services.house;
        let gone = schedule
            .definition
            .entities()
            .find(|target| house.cell(&target.device).is_none());
        if let Some(target) = gone {
            return Some(format!("{}: {}", disabled::DEVICE_REMOVED, target.device));
        }
        let owner = match owner {
            Standing::Gone => return Some(disabled::OWNER_REMOVED.to_owned()),
            Standing::Disabled => return Some(disabled::OWNER_DISABLED.to_owned()),
            Standing::Here(owner) => owner,
        };
        lacks(owner, &schedule.definition)
            .map(|device| format!("{}: {device}", disabled::NOT_ALLOWED))
    }

    /// Whether somebody still may do all that a definition says.
    pub(super) async fn still_may(
        &self,
        owner: UserId,
        definition: &Definition,
    ) -> Result<bool, StoreError> {
        Ok(match self.standing(owner).await? {
            Standing::Here(owner) => lacks(&owner, definition).is_none(),
            Standing::Gone | Standing::Disabled => false,
        })
    }

    pub(super) fn disabled(&self, schedule: &Schedule, why: String) -> Schedule {
        let mut changed = self.next_version(schedule);
        changed.definition.enabled = false;
        changed.disabled_reason = Some(why);
        changed
    }
}

enum Standing {
    Here(Subject),
    Disabled,
    Gone,
}

/// The first device of a definition that somebody may not schedule, or not see.
fn lacks<'a>(owner: &Subject, definition: &'a Definition) -> Option<&'a DeviceId> {
    let actions = definition
        .actions
        .iter()
        .map(|action| &action.target.device);
    let driven = actions.into_iter().find(|d| !may_schedule(owner, d));
    driven.or_else(|| {
        let mut all = definition.entities().map(|target| &target.device);
        all.find(|device| !owner.may(Right::View, device))
    })
}

fn no_device(field: &str, device: &DeviceId) -> ScheduleError {
    let problem = format!("there is no device {:?}", device.as_str());
    ScheduleError::new(format!("{field}.device"), problem, "the id of a device")
}

fn no_entity(field: &str, entities: &[Arc<EntityView>]) -> ScheduleError {
    let example = entities.first().map_or("an entity", |e| e.id.as_str());
    ScheduleError::new(
        format!("{field}.entity"),
        "the device has no such entity",
        format!("{example:?}"),
    )
}

/// Whether the value of `set` is one that the entity takes, as its device decides when it is asked.
fn check_value(
    field: &str,
    entity: &EntityView,
    value: &serde_json::Value,
) -> Option<ScheduleError> {
    let takes = Takes {
        kind: entity.kind,
        range: entity.range,
        unit: entity.unit.as_deref(),
        options: &entity.options,
    };
    let problem = takes.check(value).err()?.to_string();
    let least = entity.range.map_or(0.0, |range| range.min);
    let least = json_number(least);
    let example = match entity.kind {
        Kind::Light => json!({"brightness": least}).to_string(),
        _ => match entity.options.first() {
            Some(option) => format!("{option:?}"),
            None => least.to_string(),
        },
    };
    Some(ScheduleError::new(
        format!("{field}.value"),
        problem,
        example,
    ))
}
