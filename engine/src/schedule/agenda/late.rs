//! What the hub slept through: judged by each schedule's policy, once.
//!
//! Owner of missed and superseded. Of all that is late and would still run, only
//! the latest for each entity does.

use super::entries::ended;
use super::running::Open;
use super::{Agenda, Effect, Key, RESUME_MS};
use crate::ids::{EntityRef, ScheduleId};
use crate::schedule::{
    MissedPolicy, Occurrence, OccurrenceState as State, Plan, Schedule, jitter_ms, reason,
};
use crate::time::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Most missed occurrences of one schedule that still run, and that get a row of their own.
pub(super) const MISSED_MAX: usize = 100;
/// The first span that is looked back over; it grows until it holds enough.
const LOOK_BACK_MS: i64 = 3_600_000;

/// The latest due instants of a span.
struct Slept {
    dues: VecDeque<Timestamp>,
    /// The first of the span, if there were more before those.
    more_since: Option<Timestamp>,
}

impl Agenda {
    /// Judges everything due after what was reached, until now.
    pub(super) fn catch_up(&mut self, now: Timestamp, because: &str, out: &mut Vec<Effect>) {
        self.changed_before(now);
        let mut claims = Vec::new();
        let mut rows = Vec::new();
        for (first, id) in self.slept_through(now) {
            let Some(schedule) = self.entries.get(&id).map(|e| Arc::clone(&e.schedule)) else {
                continue;
            };
            let plan = Plan::of(&schedule.definition, &self.home);
            let slept = latest(&plan, first, now, |due_at| self.has_row(id, due_at));
            if let Some(first) = slept.more_since {
                rows.push(ended(
                    &schedule,
                    first,
                    now,
                    State::Missed,
                    reason::TOO_MANY,
                ));
            }
            judge_slept(&schedule, &slept.dues, now, because, &mut claims, &mut rows);
            self.decided(id, now);
        }
        self.end_late(now, because, out);
        self.supersede(now, &mut claims, &mut rows, out);
        if !rows.is_empty() {
            out.push(Effect::Decide(rows));
        }
        for open in claims {
            self.open_claim(open, out);
        }
    }

    /// The schedules that were due until now, each with the first such instant.
    fn slept_through(&self, now: Timestamp) -> Vec<(Timestamp, ScheduleId)> {
        self.queue
            .iter()
            .take_while(|(due, _)| *due <= now.as_millis())
            .map(|(due, id)| (Timestamp::from_millis(*due), *id))
            .collect()
    }

    /// Decided actions that are late: the policy judges each.
    fn end_late(&mut self, now: Timestamp, because: &str, out: &mut Vec<Effect>) {
        let late: Vec<(i64, Key, u16)> = self
            .runs
            .iter()
            .take_while(|(at, ..)| *at <= now.as_millis())
            .copied()
            .collect();
        for (at, key, index) in late {
            let missed = self.missed_of(key.schedule);
            let late_ms = now.as_millis() - at;
            let grace_ms = i64::from(missed.grace_seconds) * 1000;
            let runs = late_ms <= RESUME_MS
                || match missed.policy {
                    MissedPolicy::Skip => false,
                    MissedPolicy::Once => late_ms <= grace_ms,
                    MissedPolicy::All => true,
                };
            if runs {
                continue;
            }
            let open = self.open.get_mut(&key);
            let ended = open.and_then(|open| open.end(index, State::Missed, because));
            self.record(now, key, ended.into_iter().collect(), out);
        }
    }

    /// Of the late actions for one entity only the latest runs.
    fn supersede(
        &mut self,
        now: Timestamp,
        claims: &mut Vec<Open>,
        rows: &mut Vec<Occurrence>,
        out: &mut Vec<Effect>,
    ) {
        let latest = self.latest_late(now, claims);
        let loses = |key: Key, index: u16, at: i64, target: &EntityRef| {
            at <= now.as_millis()
                && latest
                    .get(target)
                    .is_some_and(|best| *best != (at, key, index))
        };
        let mut resumed: Vec<(Key, u16)> = Vec::new();
        for (key, open) in &self.open {
            let waiting = open.waiting();
            let losers =
                waiting.filter(|run| loses(*key, run.index, run.run_at.as_millis(), &run.target));
            resumed.extend(losers.map(|run| (*key, run.index)));
        }
        for (key, index) in resumed {
            let open = self.open.get_mut(&key);
            let ended =
                open.and_then(|open| open.end(index, State::Superseded, reason::LATER_MISSED));
            self.record(now, key, ended.into_iter().collect(), out);
        }
        for open in claims.iter_mut() {
            let key = Key::of(&open.occurrence);
            let losers: Vec<u16> = open
                .waiting()
                .filter(|run| loses(key, run.index, run.run_at.as_millis(), &run.target))
                .map(|run| run.index)
                .collect();
            for index in losers {
                open.end(index, State::Superseded, reason::LATER_MISSED);
            }
        }
        claims.retain(|open| {
            let runs = open.waiting().next().is_some();
            if !runs {
                rows.push(superseded(&open.occurrence, now));
            }
            runs
        });
    }

    /// For each entity the latest of the late actions that would run.
    fn latest_late(&self, now: Timestamp, claims: &[Open]) -> HashMap<EntityRef, (i64, Key, u16)> {
        let mut latest: HashMap<EntityRef, (i64, Key, u16)> = HashMap::new();
        for open in self.open.values().chain(claims) {
            let key = Key::of(&open.occurrence);
            for run in open.waiting().filter(|run| run.run_at <= now) {
                let this = (run.run_at.as_millis(), key, run.index);
                let best = latest.entry(run.target.clone()).or_insert(this);
                *best = (*best).max(this);
            }
        }
        latest
    }
}

fn superseded(occurrence: &Occurrence, now: Timestamp) -> Occurrence {
    Occurrence {
        state: State::Superseded,
        reason: Some(reason::LATER_MISSED.to_owned()),
        ended_at: Some(now),
        ..occurrence.clone()
    }
}

/// Sorts the due instants that were slept through into those that still run and the rest.
fn judge_slept(
    schedule: &Schedule,
    dues: &VecDeque<Timestamp>,
    now: Timestamp,
    because: &str,
    claims: &mut Vec<Open>,
    rows: &mut Vec<Occurrence>,
) {
    let missed = schedule.definition.missed;
    let grace_ms = i64::from(missed.grace_seconds) * 1000;
    let jitter = schedule.definition.trigger.jitter_seconds;
    for (at, due_at) in dues.iter().enumerate() {
        let (due_at, last) = (*due_at, at + 1 == dues.len());
        if schedule.skip_due_at == Some(due_at) {
            let why = reason::SKIPPED_BY_HAND;
            rows.push(ended(schedule, due_at, now, State::Skipped, why));
            continue;
        }
        let runs = match missed.policy {
            MissedPolicy::Skip => false,
            MissedPolicy::Once => last && now.millis_since(due_at) <= grace_ms,
            MissedPolicy::All => true,
        };
        if runs {
            let base = due_at.plus_millis(jitter_ms(schedule.id, due_at, jitter));
            claims.push(Open::claimed(schedule, due_at, base, now));
        } else {
            rows.push(ended(schedule, due_at, now, State::Missed, because));
        }
    }
}

/// The latest due instants from `first` to now that have no row, found without going through all.
fn latest(
    plan: &Plan<'_>,
    first: Timestamp,
    now: Timestamp,
    has_row: impl Fn(Timestamp) -> bool,
) -> Slept {
    let mut span = LOOK_BACK_MS;
    // Ends: the span grows eightfold until it begins before the first.
    loop {
        let from = now.plus_millis(-span).max(first.plus_millis(-1));
        let whole = from < first;
        let mut dues = VecDeque::new();
        let dues_of_span = plan.after(from).take_while(|due| due.at <= now);
        for due in dues_of_span.filter(|due| !has_row(due.at)) {
            dues.push_back(due.at);
            if dues.len() > MISSED_MAX + 1 {
                dues.pop_front();
            }
        }
        if !whole && dues.len() <= MISSED_MAX {
            span = span.saturating_mul(8);
            continue;
        }
        let more = dues.len() > MISSED_MAX;
        while dues.len() > MISSED_MAX {
            dues.pop_front();
        }
        return Slept {
            dues,
            more_since: more.then_some(first),
        };
    }
}
