//! Making, changing, running and deleting schedules.
//!
//! Owner of the order of a change: checked, durable, then told. It must never let
//! somebody schedule what they may not control.

use super::actor::SchedulerMsg;
use super::finish::{counts, finished};
use super::rights::{may_change, may_schedule, may_see};
use super::{Scheduler, SchedulingError};
use crate::error::HubError;
use crate::random;
use iothome_engine::ids::{ScheduleId, UserId};
use iothome_engine::policy::Subject;
use iothome_engine::schedule::{Definition, NAME_MAX, Plan, Schedule, When, check};
use iothome_engine::time::Timestamp;
use iothome_store::{AuditEntry, ScheduleWrite, StoreError};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a run by hand may take to become durable: the pen gives each write 3 s.
const RUN_MAX: Duration = Duration::from_secs(8);

/// Who saves, and which version they read.
#[derive(Clone, Copy, Debug)]
pub struct SavedBy<'a> {
    /// Who.
    pub subject: &'a Subject,
    /// The version that they read, if it matters.
    pub if_match: Option<i64>,
}

impl Scheduler {
    /// Makes a schedule; it is the subject's.
    ///
    /// # Errors
    /// `Faults` names everything that is wrong; `Denied`; `TooMany`.
    pub async fn create(
        &self,
        definition: Definition,
        by: &Subject,
    ) -> Result<Arc<Schedule>, SchedulingError> {
        self.check(&definition, by)?;
        let made = self.create_all(vec![definition], by).await?;
        let first = made.into_iter().next();
        first.ok_or(SchedulingError::Hub(HubError::NotFound))
    }

    /// Makes schedules that are checked one by one already: all or none.
    pub(super) async fn create_all(
        &self,
        definitions: Vec<Definition>,
        by: &Subject,
    ) -> Result<Vec<Arc<Schedule>>, SchedulingError> {
        let _one_at_a_time = self.inner.edits.lock().await;
        let now = self.now();
        // All of this millisecond: sorted, they keep the order of what is made.
        let new_id = |_| ScheduleId::new(now, random::bytes());
        let mut ids: Vec<ScheduleId> = (0..definitions.len()).map(new_id).collect();
        ids.sort_unstable();
        let new = definitions.into_iter().zip(ids.iter().copied());
        let made: Vec<Schedule> = new
            .map(|(definition, id)| Schedule {
                id,
                owner: by.user,
                disabled_reason: self.is_over_and_off(&definition).then(finished),
                definition,
                skip_due_at: None,
                version: 1,
                created_at: now,
                updated_at: now,
            })
            .collect();
        let counted = made.iter().filter(|schedule| counts(schedule)).count();
        self.check_room(by.user, counted, made.len())?;
        self.write(made.into_iter().map(ScheduleWrite::Made).collect())
            .await?;
        let made: Vec<Arc<Schedule>> = ids
            .into_iter()
            .filter_map(|id| self.inner.book.get(id))
            .collect();
        for schedule in &made {
            self.audit(by, "schedule_created", schedule);
        }
        Ok(made)
    }

    /// Puts another definition in place of a schedule's.
    ///
    /// The owner stays, unless it is enabled or is to do something else that they may not do: then
    /// it becomes the subject's.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Faults`, `Hub(Stale)` if `if_match` is not its version.
    pub async fn replace(
        &self,
        id: ScheduleId,
        definition: Definition,
        by: SavedBy<'_>,
    ) -> Result<Arc<Schedule>, SchedulingError> {
        let _one_at_a_time = self.inner.edits.lock().await;
        let old = self.changeable(id, by)?;
        self.check_change(&old.definition, &definition, by.subject)?;
        let mut changed = self.next_version(&old);
        let takes =
            enables(&old.definition, &definition) || does_other(&old.definition, &definition);
        let others = old.owner != by.subject.user;
        if takes && others && !self.still_may(old.owner, &definition).await? {
            changed.owner = by.subject.user;
        }
        let another_plan = plan_changes(&old.definition, &definition);
        if another_plan {
            changed.skip_due_at = None;
        }
        if definition.enabled || another_plan && !counts(&old) {
            changed.disabled_reason = None;
        }
        changed.definition = definition;
        if counts(&changed) && (!counts(&old) || changed.owner != old.owner) {
            self.check_room(changed.owner, 1, 1)?;
        }
        let changed = self.write_one(changed).await?;
        self.audit(by.subject, "schedule_changed", &changed);
        Ok(changed)
    }

    /// Enables or disables a schedule.
    ///
    /// # Errors
    /// As [`Scheduler::replace`].
    pub async fn set_enabled(
        &self,
        id: ScheduleId,
        enabled: bool,
        by: SavedBy<'_>,
    ) -> Result<Arc<Schedule>, SchedulingError> {
        let seen = self.get(id, by.subject).ok_or(SchedulingError::NotFound)?;
        let mut definition = seen.definition.clone();
        definition.enabled = enabled;
        // What was read here is what is to stay.
        let if_match = by.if_match.or(Some(seen.version));
        self.replace(id, definition, SavedBy { if_match, ..by })
            .await
    }

    /// Deletes a schedule; what it did stays in the history of its devices.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Hub(Stale)`.
    pub async fn delete(&self, id: ScheduleId, by: SavedBy<'_>) -> Result<(), SchedulingError> {
        let _one_at_a_time = self.inner.edits.lock().await;
        let old = self.changeable(id, by)?;
        self.write(vec![ScheduleWrite::Deleted(id)]).await?;
        self.audit(by.subject, "schedule_deleted", &old);
        Ok(())
    }

    /// Makes another schedule that says the same. It is not enabled: twice the same at once helps
    /// nobody.
    ///
    /// # Errors
    /// As [`Scheduler::create`], and `NotFound`.
    pub async fn duplicate(
        &self,
        id: ScheduleId,
        by: &Subject,
    ) -> Result<Arc<Schedule>, SchedulingError> {
        let old = self.get(id, by).ok_or(SchedulingError::NotFound)?;
        let mut definition = old.definition.clone();
        let name: String = definition.name.chars().take(NAME_MAX - 4).collect();
        definition.name = format!("{} (2)", name.trim_end());
        definition.enabled = false;
        self.create(definition, by).await
    }

    /// Runs a schedule now, without asking its conditions. Resolves with the occurrence's due
    /// instant when its row is durable.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Hub(Busy)`, `Hub(Conflict)` while the clock is not believed.
    pub async fn run(&self, id: ScheduleId, by: &Subject) -> Result<Timestamp, SchedulingError> {
        let by_now = SavedBy {
            subject: by,
            if_match: None,
        };
        let schedule = self.changeable(id, by_now)?;
        let (reply, ran) = oneshot::channel();
        self.tell(SchedulerMsg::Run(id, reply));
        let due_at = match tokio::time::timeout(RUN_MAX, ran).await {
            Ok(Ok(outcome)) => outcome?,
            Ok(Err(_)) | Err(_) => return Err(HubError::Busy.into()),
        };
        self.audit(by, "schedule_run", &schedule);
        Ok(due_at)
    }

    /// Skips the next occurrence, or takes that back.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Hub(Conflict)` if there is none to skip.
    pub async fn skip_next(
        &self,
        id: ScheduleId,
        skip: bool,
        by: SavedBy<'_>,
    ) -> Result<Arc<Schedule>, SchedulingError> {
        let _one_at_a_time = self.inner.edits.lock().await;
        let old = self.changeable(id, by)?;
        let due = if skip {
            let next = self.next(&old).ok_or_else(|| HubError::Conflict {
                reason: "the schedule has no occurrence that could be skipped".into(),
            })?;
            Some(next.at)
        } else {
            None
        };
        if old.skip_due_at == due {
            return Ok(old);
        }
        let mut changed = self.next_version(&old);
        changed.skip_due_at = due;
        let changed = self.write_one(changed).await?;
        self.audit(by.subject, "schedule_skipped", &changed);
        Ok(changed)
    }

    /// Every fault of a definition that somebody writes.
    pub(super) fn check(
        &self,
        definition: &Definition,
        by: &Subject,
    ) -> Result<(), SchedulingError> {
        let timed = check(definition, &self.home(), self.now()).err();
        let housed = self.check_house(by, definition);
        if let Some((field, device)) = housed.denied.into_iter().next() {
            return Err(SchedulingError::Denied { field, device });
        }
        let mut faults = timed.unwrap_or_default();
        faults.extend(housed.faults);
        if faults.is_empty() {
            return Ok(());
        }
        Err(SchedulingError::Faults(faults))
    }

    /// What only gets another name or is turned off asks nothing of the house. A date that has
    /// passed is no fault of a schedule that was written before it.
    fn check_change(
        &self,
        old: &Definition,
        new: &Definition,
        by: &Subject,
    ) -> Result<(), SchedulingError> {
        let same = !plan_changes(old, new) && !enables(old, new);
        if same && !does_other(old, new) {
            return Ok(());
        }
        if same {
            let mut timeless = new.clone();
            timeless.enabled = false;
            return self.check(&timeless, by);
        }
        self.check(new, by)
    }

    /// Whether an owner may have so many more that count, of so many in all.
    fn check_room(&self, owner: UserId, more: usize, all: usize) -> Result<(), SchedulingError> {
        let book = &self.inner.book;
        for (max, would_be) in [
            (self.per_user(), book.count_of(owner) + more),
            (self.kept_per_user(), book.kept_of(owner) + all),
        ] {
            if would_be > max {
                return Err(SchedulingError::TooMany(max));
            }
        }
        Ok(())
    }

    /// The schedule, if the subject may change it and read its version.
    fn changeable(
        &self,
        id: ScheduleId,
        by: SavedBy<'_>,
    ) -> Result<Arc<Schedule>, SchedulingError> {
        let schedule = self.inner.book.get(id);
        let schedule = schedule
            .filter(|s| may_see(by.subject, s))
            .ok_or(SchedulingError::NotFound)?;
        if !may_change(by.subject, &schedule) {
            let actions = schedule.definition.actions.iter();
            let mut devices = actions.map(|action| &action.target.device);
            let device = devices.find(|device| !may_schedule(by.subject, device));
            return Err(match device {
                Some(device) => SchedulingError::Denied {
                    field: "actions".to_owned(),
                    device: device.clone(),
                },
                None => SchedulingError::NotFound,
            });
        }
        if by
            .if_match
            .is_some_and(|version| version != schedule.version)
        {
            return Err(HubError::Stale.into());
        }
        Ok(schedule)
    }

    /// The schedule with the next version, to be changed.
    pub(super) fn next_version(&self, old: &Schedule) -> Schedule {
        let mut next = old.clone();
        next.version += 1;
        next.updated_at = self.now();
        next
    }

    async fn write_one(&self, changed: Schedule) -> Result<Arc<Schedule>, SchedulingError> {
        let id = changed.id;
        self.write(vec![ScheduleWrite::Changed(changed)]).await?;
        self.inner.book.get(id).ok_or(SchedulingError::NotFound)
    }

    /// Writes changes, then tells the book and the actor. Who calls it holds the turn to edit.
    pub(super) async fn write(&self, writes: Vec<ScheduleWrite>) -> Result<(), StoreError> {
        if let Err(problem) = self.inner.store.write_schedules(&writes).await {
            // What was written before without an answer would else be stale for ever.
            self.read_again(&writes).await;
            return Err(problem);
        }
        for write in writes {
            match write {
                ScheduleWrite::Made(schedule) | ScheduleWrite::Changed(schedule) => {
                    self.show(Arc::new(schedule));
                }
                ScheduleWrite::Deleted(id) => self.hide(id),
            }
        }
        Ok(())
    }

    fn show(&self, schedule: Arc<Schedule>) {
        self.inner.book.put(Arc::clone(&schedule));
        self.tell(SchedulerMsg::Saved(schedule));
    }

    fn hide(&self, id: ScheduleId) {
        self.inner.book.remove(id);
        self.tell(SchedulerMsg::Removed(id));
    }

    async fn read_again(&self, writes: &[ScheduleWrite]) {
        for write in writes {
            let id = match write {
                ScheduleWrite::Made(schedule) | ScheduleWrite::Changed(schedule) => schedule.id,
                ScheduleWrite::Deleted(id) => *id,
            };
            let known = self.inner.book.get(id);
            match self.inner.store.schedule(id).await {
                Ok(Some(stored)) if known.as_deref() != Some(&stored) => {
                    self.show(Arc::new(stored));
                }
                Ok(None) if known.is_some() => self.hide(id),
                Ok(_) => {}
                // The database is away: the next change reads it again.
                Err(_) => return,
            }
        }
    }

    fn audit(&self, by: &Subject, action: &str, schedule: &Schedule) {
        self.inner.services.journal.audit(AuditEntry {
            at: self.now(),
            user: Some(by.user),
            name: by.name.clone(),
            action: action.to_owned(),
            target: schedule.id.to_string(),
            detail: json!({
                "name": schedule.definition.name,
                "owner": schedule.owner,
                "enabled": schedule.definition.enabled,
            }),
        });
    }

    /// The next occurrence of a schedule that is enabled, skipped or not.
    pub fn next(&self, schedule: &Schedule) -> Option<iothome_engine::schedule::Due> {
        if !schedule.definition.enabled {
            return None;
        }
        let home = self.home();
        Plan::of(&schedule.definition, &home).next_after(self.now())
    }
}

/// Whether a change touches when the schedule is due; the same cron line in other words does not.
fn plan_changes(old: &Definition, new: &Definition) -> bool {
    let mut read = new.trigger.clone();
    if let (When::Cron { expression: was }, When::Cron { expression: is }) =
        (&old.trigger.when, &new.trigger.when)
        && was.is_same(is)
    {
        read.when = old.trigger.when.clone();
    }
    (&old.trigger, old.gap, old.overlap) != (&read, new.gap, new.overlap)
}

/// Whether a change touches what the schedule does and on which conditions.
fn does_other(old: &Definition, new: &Definition) -> bool {
    (&old.actions, &old.conditions) != (&new.actions, &new.conditions)
}

const fn enables(old: &Definition, new: &Definition) -> bool {
    new.enabled && !old.enabled
}
