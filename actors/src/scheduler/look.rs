//! Looking at schedules: lists, what comes, what was, what would be.
//!
//! Owner of what each person sees of them. It must never show an action on a device
//! that they may not see.

use super::rights::may_see;
use super::{Scheduler, SchedulingError};
use crate::error::HubError;
use iothome_engine::command::Command;
use iothome_engine::ids::{CommandId, DeviceId, EntityRef, ScheduleId};
use iothome_engine::policy::{Right, Subject};
use iothome_engine::schedule::simulate::{Simulation, simulate};
use iothome_engine::schedule::{
    ActionRun, ActionSpec, Due, Home, Occurrence, OccurrenceState, Plan, Preview, Reading,
    Schedule, check_plan, describe, jitter_ms,
};
use iothome_engine::time::Timestamp;
use iothome_store::Decided;
use std::collections::HashMap;
use std::sync::Arc;

/// A schedule that is due more often in a week is told once, not line by line: every hour is the
/// most that a time line can show.
const FREQUENT: usize = 7 * 24;
/// Most lines of a week: a page of them is long enough.
const WEEK_MAX: usize = 5_000;
/// The week.
const WEEK_MS: i64 = 7 * 86_400_000;
/// Longest simulation: a leap year.
const SIMULATION_MAX_MS: i64 = 366 * 86_400_000;
/// Most schedules of one simulation.
const SIMULATED_MAX: usize = 10_000;

/// What became of one occurrence, with the commands it caused.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// The occurrence.
    pub occurrence: Occurrence,
    /// Its actions on devices that the reader may see.
    pub actions: Vec<Caused>,
}

/// An action of an occurrence with its command.
#[derive(Clone, Debug, PartialEq)]
pub struct Caused {
    /// The action.
    pub run: ActionRun,
    /// Its command as it now is, if it was asked and is still kept.
    pub command: Option<Command>,
}

/// An occurrence that has begun and is not over.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurring {
    /// The occurrence.
    pub occurrence: Occurrence,
    /// Its actions that are still to be asked.
    pub waiting: Vec<ActionRun>,
}

/// What will happen in the next seven days.
#[derive(Clone, Debug, PartialEq)]
pub struct WeekAhead {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// Line by line, in order.
    pub items: Vec<Upcoming>,
    /// What is due too often for that.
    pub frequent: Vec<Frequent>,
    /// Whether there are more lines than these.
    pub cut: bool,
}

/// One action to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Upcoming {
    /// When it runs: due instant, jitter and delays.
    pub at: Timestamp,
    /// The occurrence.
    pub due: Due,
    /// Its schedule; `None` if the reader may not see it as a whole.
    pub schedule: Option<Arc<Schedule>>,
    /// What is asked.
    pub action: ActionSpec,
    /// Whether somebody asked to skip it.
    pub skipped: bool,
}

/// A schedule that is due more than once an hour.
#[derive(Clone, Debug, PartialEq)]
pub struct Frequent {
    /// The schedule; `None` if the reader may not see it as a whole.
    pub schedule: Option<Arc<Schedule>>,
    /// When, in words.
    pub description: String,
    /// Its next occurrence.
    pub first: Due,
    /// What is asked of devices that the reader may see.
    pub actions: Vec<ActionSpec>,
}

impl Scheduler {
    /// The schedules that somebody sees, the oldest first, after `after`; with `device`, those
    /// that drive it or ask about it.
    pub fn list(
        &self,
        by: &Subject,
        device: Option<&DeviceId>,
        limit: usize,
        after: Option<ScheduleId>,
    ) -> Vec<Arc<Schedule>> {
        let Some(device) = device else {
            return self.inner.book.page(after, limit, |s| may_see(by, s));
        };
        let all = self.inner.book.of_device(device).into_iter();
        all.filter(|s| after.is_none_or(|after| s.id > after) && may_see(by, s))
            .take(limit)
            .collect()
    }

    /// A schedule that somebody sees.
    pub fn get(&self, id: ScheduleId, by: &Subject) -> Option<Arc<Schedule>> {
        self.inner.book.get(id).filter(|s| may_see(by, s))
    }

    /// Whether somebody may change a schedule.
    pub fn may_change(&self, schedule: &Schedule, by: &Subject) -> bool {
        super::rights::may_change(by, schedule)
    }

    /// How many schedules somebody owns.
    pub fn count_of(&self, by: &Subject) -> usize {
        self.inner.book.count_of(by.user)
    }

    /// The schedules that somebody sees, what comes next before what comes later or never; with
    /// `device`, those that drive it or ask about it. Takes a while with many schedules.
    pub fn list_by_next(
        &self,
        by: &Subject,
        device: Option<&DeviceId>,
    ) -> Vec<(Arc<Schedule>, Option<Due>)> {
        let seen = self.list(by, device, usize::MAX, None).into_iter();
        let mut all: Vec<(Arc<Schedule>, Option<Due>)> = seen
            .map(|schedule| {
                let due = self.next(&schedule);
                (schedule, due)
            })
            .collect();
        all.sort_by_cached_key(|(schedule, due)| {
            let definition = &schedule.definition;
            let at = due.map(|due| due.at);
            (
                !definition.enabled,
                at.is_none(),
                at,
                definition.name.clone(),
            )
        });
        all
    }

    /// The first `limit` enabled schedules that somebody sees.
    pub fn enabled(&self, by: &Subject, limit: usize) -> Vec<Arc<Schedule>> {
        let which = |s: &Schedule| s.definition.enabled && may_see(by, s);
        self.inner.book.page(None, limit, which)
    }

    /// The next occurrences of a trigger that is not saved.
    ///
    /// # Errors
    /// `Faults` if it has none.
    pub fn preview(&self, preview: &Preview) -> Result<Vec<Due>, SchedulingError> {
        let home = self.home();
        let plan = Plan {
            trigger: &preview.trigger,
            gap: preview.gap,
            overlap: preview.overlap,
            home: &home,
        };
        if let Some(fault) = check_plan(&plan, true, preview.from) {
            return Err(SchedulingError::Faults(vec![fault]));
        }
        Ok(plan.after(preview.from).take(preview.count).collect())
    }

    /// What became of a schedule's occurrences, the newest first, due before `before`.
    ///
    /// # Errors
    /// `NotFound`, or whatever the store says.
    pub async fn occurrences(
        &self,
        id: ScheduleId,
        limit: usize,
        before: Option<Timestamp>,
        by: &Subject,
    ) -> Result<Vec<Happened>, SchedulingError> {
        self.get(id, by).ok_or(SchedulingError::NotFound)?;
        let store = &self.inner.store;
        let found = store.occurrences_of(id, limit, before).await?;
        let (Some(newest), Some(oldest)) = (found.first(), found.last()) else {
            return Ok(Vec::new());
        };
        let span = (oldest.occurrence.due_at, newest.occurrence.due_at);
        let commands = store.commands_caused(id, span).await?;
        let mut commands: HashMap<CommandId, Command> =
            commands.into_iter().map(|c| (c.id, c)).collect();
        let found = found.into_iter();
        Ok(found.map(|d| happened(d, &mut commands, by)).collect())
    }

    /// The newest occurrence that has its end, else the one under way.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn last(&self, id: ScheduleId) -> Result<Option<Occurrence>, SchedulingError> {
        // The newest may be claimed ahead of its time.
        let found = self.inner.store.occurrences_of(id, 2, None).await?;
        let mut found = found.into_iter().map(|d| d.occurrence);
        let newest = found.next();
        let is_open = |o: &Occurrence| o.state == OccurrenceState::Claimed;
        let ended = match newest {
            Some(ref open) if is_open(open) => found.next().filter(|o| !is_open(o)),
            _ => None,
        };
        Ok(ended.or(newest))
    }

    /// What has begun and is not over.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn under_way(&self) -> Result<Vec<Occurring>, SchedulingError> {
        let open = self.inner.store.open_occurrences().await?.into_iter();
        let with_waiting = open.map(|found| {
            let actions = found.actions.into_iter();
            let waiting = actions.filter(|(run, asked)| !asked && !run.state.is_end());
            Occurring {
                occurrence: found.occurrence,
                waiting: waiting.map(|(run, _)| run).collect(),
            }
        });
        Ok(with_waiting.filter(|one| !one.waiting.is_empty()).collect())
    }

    /// Everything that will happen, after what is under way, in the next seven days to devices that somebody sees. Takes
    /// a while with many schedules: not for a thread that must not wait.
    pub fn week_ahead(
        &self,
        by: &Subject,
        device: Option<&DeviceId>,
        under_way: &[Occurring],
    ) -> WeekAhead {
        let (home, from) = (self.home(), self.now());
        let to = from.plus_millis(WEEK_MS);
        let mut week = WeekAhead {
            from,
            to,
            items: Vec::new(),
            frequent: Vec::new(),
            cut: false,
        };
        let all = match device {
            Some(device) => self.inner.book.of_device(device),
            None => self.inner.book.all(),
        };
        for schedule in all.into_iter().filter(|s| s.definition.enabled) {
            let plan = Plan::of(&schedule.definition, &home);
            week.add(&schedule, &plan, by, device);
        }
        for occurring in under_way {
            if let Some(schedule) = self.inner.book.get(occurring.occurrence.schedule) {
                week.add_under_way(&schedule, occurring, &home, by, device);
            }
        }
        week.items.sort_by_key(|item| item.at);
        week.cut = week.items.len() > WEEK_MAX;
        week.items.truncate(WEEK_MAX);
        week
    }

    /// What the schedules that somebody sees would do over `[from, to)`, from the present states
    /// on, with the first `keep` lines of its log. Takes a while: not for a thread that must not wait.
    ///
    /// # Errors
    /// `Hub(Invalid)` if the span is empty or too long, `Hub(Conflict)` if there are too many.
    pub fn simulate(
        &self,
        by: &Subject,
        (from, to): (Timestamp, Timestamp),
        keep: usize,
    ) -> Result<Simulation, SchedulingError> {
        let span = to.millis_since(from);
        if span <= 0 || span > SIMULATION_MAX_MS {
            let problem = "must lie after `from`, by 366 days at most";
            return Err(HubError::invalid("to", problem).into());
        }
        let seen = self.inner.book.page(None, SIMULATED_MAX + 1, |s| {
            s.definition.enabled && may_see(by, s)
        });
        if seen.len() > SIMULATED_MAX {
            let reason = format!("more than {SIMULATED_MAX} schedules cannot be simulated at once");
            return Err(HubError::Conflict { reason }.into());
        }
        let mut states: HashMap<EntityRef, Reading> = HashMap::new();
        for target in seen.iter().flat_map(|s| s.definition.entities()) {
            if !states.contains_key(target) {
                states.insert(target.clone(), self.reading(target));
            }
        }
        let schedules: Vec<Schedule> = seen.iter().map(|s| Schedule::clone(s)).collect();
        Ok(simulate(&schedules, &self.home(), states, (from, to), keep))
    }
}

fn happened(
    decided: Decided,
    commands: &mut HashMap<CommandId, Command>,
    by: &Subject,
) -> Happened {
    let actions = decided.actions.into_iter();
    Happened {
        actions: actions
            .filter(|run| by.may(Right::View, &run.target.device))
            .map(|run| Caused {
                command: commands.remove(&run.command),
                run,
            })
            .collect(),
        occurrence: decided.occurrence,
    }
}

impl WeekAhead {
    /// The actions of an occurrence that are still to be asked.
    fn add_under_way(
        &mut self,
        schedule: &Arc<Schedule>,
        occurring: &Occurring,
        home: &Home,
        by: &Subject,
        device: Option<&DeviceId>,
    ) {
        let due_at = occurring.occurrence.due_at;
        // What is claimed ahead of its time is among what comes.
        if due_at > self.from {
            return;
        }
        let shown = may_see(by, schedule).then(|| Arc::clone(schedule));
        let due = Plan::of(&schedule.definition, home).shown_at(due_at);
        for run in &occurring.waiting {
            let target = &run.target.device;
            let seen = by.may(Right::View, target) && device.is_none_or(|d| d == target);
            if seen && run.run_at >= self.from {
                self.items.push(Upcoming {
                    at: run.run_at,
                    due,
                    schedule: shown.clone(),
                    action: ActionSpec {
                        target: run.target.clone(),
                        action: run.action,
                        value: run.value.clone(),
                        delay_seconds: 0,
                    },
                    skipped: false,
                });
            }
        }
    }

    fn add(
        &mut self,
        schedule: &Arc<Schedule>,
        plan: &Plan<'_>,
        by: &Subject,
        device: Option<&DeviceId>,
    ) {
        let definition = &schedule.definition;
        let seen = |action: &ActionSpec| {
            let target = &action.target.device;
            by.may(Right::View, target) && device.is_none_or(|device| device == target)
        };
        if !definition.actions.iter().any(seen) {
            return;
        }
        let shown = may_see(by, schedule).then(|| Arc::clone(schedule));
        let to = self.to;
        let due_soon = plan.after(self.from).take_while(|due| due.at < to);
        let dues: Vec<Due> = due_soon.take(FREQUENT + 1).collect();
        if dues.len() > FREQUENT {
            self.frequent.push(Frequent {
                description: describe(definition),
                first: dues[0],
                actions: definition
                    .actions
                    .iter()
                    .filter(|a| seen(a))
                    .cloned()
                    .collect(),
                schedule: shown,
            });
            return;
        }
        for due in dues {
            let jitter = jitter_ms(schedule.id, due.at, definition.trigger.jitter_seconds);
            let timed = definition.actions.iter().zip(definition.delays_ms());
            for (action, delay) in timed.filter(|(action, _)| seen(action)) {
                self.items.push(Upcoming {
                    at: due.at.plus_millis(jitter + delay),
                    due,
                    schedule: shown.clone(),
                    action: action.clone(),
                    skipped: schedule.skip_due_at == Some(due.at),
                });
            }
        }
    }
}
