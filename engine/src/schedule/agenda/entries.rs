//! The schedules of the agenda, and when each is due next.
//!
//! Owner of the queue. A schedule that is enabled and due again is in it exactly
//! once; a due instant leaves it when it is decided and never comes back.

use super::running::Open;
use super::{Agenda, CLAIM_AHEAD_MS, Effect, Key, Loaded};
use crate::ids::ScheduleId;
use crate::schedule::{Due, Home, Occurrence, OccurrenceState, Plan, Schedule, jitter_ms, reason};
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A schedule with what is known of its due instants.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) schedule: Arc<Schedule>,
    /// No due instant until this one is decided again.
    pub(super) decided: Timestamp,
    /// Later instants that have a row already: from before the hub stopped, or before the clock was
    /// set back.
    pub(super) rows: BTreeSet<Timestamp>,
    /// The next one; `None` if it is disabled or over.
    pub(super) next: Option<Due>,
}

impl Agenda {
    pub(super) fn load(&mut self, now: Timestamp, loaded: Loaded, out: &mut Vec<Effect>) {
        let last = loaded.last_instant.unwrap_or(Timestamp::from_millis(0));
        self.reached = self.built_at.max(last);
        self.persisted = last;
        self.missed_because = Some(reason::HUB_DOWN);
        self.loaded = true;
        for schedule in loaded.schedules {
            let since = last.max(schedule.updated_at);
            let entry = Entry {
                schedule,
                decided: since,
                rows: BTreeSet::new(),
                next: None,
            };
            self.entries.insert(entry.schedule.id, entry);
        }
        for (id, due_at) in loaded.decided {
            // Only these very instants: a changed plan may be due before them.
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.rows.insert(due_at);
            }
        }
        for (occurrence, actions) in loaded.open {
            self.resume(now, Open::resumed(occurrence, actions), &loaded.asked, out);
        }
        let ids: Vec<ScheduleId> = self.entries.keys().copied().collect();
        for id in ids {
            self.plan(id);
        }
    }

    /// A schedule that was changed while the clock was ahead was changed before now all the same.
    pub(super) fn changed_before(&mut self, now: Timestamp) {
        let ahead = self.entries.iter().filter(|(_, e)| e.decided > now);
        let ahead: Vec<ScheduleId> = ahead.map(|(id, _)| *id).collect();
        for id in ahead {
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.decided = now;
            }
            self.plan(id);
        }
    }

    /// Whether this due instant was decided already, as far as is known here; the store knows all.
    pub(super) fn has_row(&self, id: ScheduleId, due_at: Timestamp) -> bool {
        let known = |entry: &Entry| entry.rows.contains(&due_at);
        let key = Key {
            schedule: id,
            due_at,
        };
        self.entries.get(&id).is_some_and(known) || self.open.contains_key(&key)
    }

    /// Looks for the next due instant and puts it into the queue.
    pub(super) fn plan(&mut self, id: ScheduleId) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let (before, definition) = (entry.next, &entry.schedule.definition);
        let plan = definition.enabled.then(|| Plan::of(definition, &self.home));
        // Ends: finitely many have a row.
        let next = plan.and_then(|plan| {
            let mut dues = plan.after(entry.decided);
            dues.find(|due| !self.has_row(id, due.at))
        });
        if let Some(due) = before {
            self.queue.remove(&(due.at.as_millis(), id));
        }
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.next = next;
        }
        match next {
            Some(due) => self.queue.insert((due.at.as_millis(), id)),
            None => self.perhaps_over.insert(id),
        };
    }

    /// Plans on after a due instant was decided.
    pub(super) fn decided(&mut self, id: ScheduleId, until: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.decided = entry.decided.max(until);
            entry.rows.retain(|due_at| *due_at > until);
            self.plan(id);
        }
    }

    /// Says which schedules have nothing to come and nothing under way.
    pub(super) fn finish(&mut self, out: &mut Vec<Effect>) {
        for id in std::mem::take(&mut self.perhaps_over) {
            let enabled = self
                .entries
                .get(&id)
                .filter(|e| e.schedule.definition.enabled);
            let over = enabled.is_some_and(|entry| entry.next.is_none());
            if over && self.open_of(id).next().is_none() {
                out.push(Effect::Finished(id));
            }
        }
    }

    pub(super) fn saved(&mut self, now: Timestamp, schedule: Arc<Schedule>, out: &mut Vec<Effect>) {
        let id = schedule.id;
        // What is past does not run because of a change, nor what was decided runs again.
        let since = now.max(self.reached);
        let enabled = schedule.definition.enabled;
        let (next, rows) = self
            .entries
            .remove(&id)
            .map_or_else(Default::default, |entry| (entry.next, entry.rows));
        let entry = Entry {
            schedule,
            decided: since,
            rows,
            next,
        };
        self.entries.insert(id, entry);
        if enabled {
            self.drop_claims_of_another_plan(now, id, out);
        } else {
            self.cancel(now, id, out);
        }
        self.plan(id);
    }

    /// A claim that was written ahead stands if the changed schedule is due at that instant too.
    fn drop_claims_of_another_plan(
        &mut self,
        now: Timestamp,
        id: ScheduleId,
        out: &mut Vec<Effect>,
    ) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let (skip, plan) = (
            entry.schedule.skip_due_at,
            Plan::of(&entry.schedule.definition, &self.home),
        );
        let ahead: Vec<Key> = self
            .open_of(id)
            .filter(|open| open.occurrence.due_at > now && !open.occurrence.by_hand)
            .map(|open| Key::of(&open.occurrence))
            .collect();
        let others: Vec<Key> = ahead
            .into_iter()
            .filter(|key| {
                let before = key.due_at.plus_millis(-1);
                plan.next_after(before).map(|due| due.at) != Some(key.due_at)
            })
            .collect();
        for key in others {
            self.cancel_one(now, key, out);
        }
        // One that is to be skipped may have been written ahead already.
        if let Some(due_at) = skip.filter(|due_at| *due_at > now) {
            let key = Key {
                schedule: id,
                due_at,
            };
            self.end_waiting(
                now,
                key,
                OccurrenceState::Skipped,
                reason::SKIPPED_BY_HAND,
                out,
            );
        }
    }

    pub(super) fn removed(&mut self, now: Timestamp, id: ScheduleId, out: &mut Vec<Effect>) {
        if let Some(entry) = self.entries.remove(&id)
            && let Some(due) = entry.next
        {
            self.queue.remove(&(due.at.as_millis(), id));
        }
        self.cancel(now, id, out);
    }

    pub(super) fn home_changed(&mut self, home: Home) {
        self.home = home;
        // Before the missed ones are judged, they are still to be found.
        let reached = self.missed_because.is_none().then_some(self.reached);
        let ids: Vec<ScheduleId> = self.entries.keys().copied().collect();
        for id in ids {
            if let Some(entry) = self.entries.get_mut(&id)
                && let Some(reached) = reached
            {
                entry.decided = entry.decided.max(reached);
            }
            self.plan(id);
        }
    }

    /// Plans from now although the clock was farther. What was decided has its row, and a row is
    /// never written twice.
    pub(super) fn trust_the_clock(&mut self, now: Timestamp) {
        if now >= self.reached {
            return;
        }
        self.reached = now.max(self.built_at);
        self.persisted = Timestamp::from_millis(0);
        self.taken_by_hand = 0;
        let ids: Vec<ScheduleId> = self.entries.keys().copied().collect();
        for id in ids {
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.decided = entry.decided.min(self.reached);
            }
            self.plan(id);
        }
    }

    /// Claims what is due within the time that rows are written ahead.
    pub(super) fn claim_due(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let until = now.as_millis() + CLAIM_AHEAD_MS;
        // Ends: each turn takes one due instant out of a span of seconds, and intervals are a
        // minute at least.
        while let Some((due_ms, id)) = self.queue.first().copied() {
            if due_ms > until {
                return;
            }
            let due_at = Timestamp::from_millis(due_ms);
            let Some(schedule) = self.entries.get(&id).map(|e| Arc::clone(&e.schedule)) else {
                self.queue.remove(&(due_ms, id));
                continue;
            };
            if schedule.skip_due_at == Some(due_at) {
                let skipped = OccurrenceState::Skipped;
                let row = ended(&schedule, due_at, now, skipped, reason::SKIPPED_BY_HAND);
                out.push(Effect::Decide(vec![row]));
            } else {
                self.claim(now, &schedule, due_at, out);
            }
            self.decided(id, due_at);
        }
    }

    fn claim(
        &mut self,
        now: Timestamp,
        schedule: &Schedule,
        due_at: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let jitter = schedule.definition.trigger.jitter_seconds;
        let base = due_at.plus_millis(jitter_ms(schedule.id, due_at, jitter));
        let open = Open::claimed(schedule, due_at, base, now);
        self.open_claim(open, out);
    }

    pub(super) fn run_by_hand(&mut self, now: Timestamp, id: ScheduleId, out: &mut Vec<Effect>) {
        self.run_at_free(now, id, now.as_millis(), out);
    }

    /// Somebody else decided it. A run by hand is nobody else's: it takes the next free instant.
    pub(super) fn taken(&mut self, now: Timestamp, key: Key, out: &mut Vec<Effect>) {
        let open = self.open.get(&key);
        let by_hand = open.is_some_and(|open| open.occurrence.by_hand);
        self.forget(key);
        if by_hand {
            self.run_at_free(now, key.schedule, key.due_at.as_millis() + 1, out);
        }
    }

    fn run_at_free(
        &mut self,
        now: Timestamp,
        id: ScheduleId,
        mut due_ms: i64,
        out: &mut Vec<Effect>,
    ) {
        let Some(schedule) = self.entries.get(&id).map(|e| Arc::clone(&e.schedule)) else {
            return;
        };
        let at = |due_ms| Key {
            schedule: id,
            due_at: Timestamp::from_millis(due_ms),
        };
        due_ms = due_ms.max(self.taken_by_hand + 1);
        // Whole seconds are the trigger's. Ends: finitely many are under way.
        while due_ms % 1000 == 0 || self.open.contains_key(&at(due_ms)) {
            due_ms += 1;
        }
        self.taken_by_hand = due_ms;
        let mut open = Open::claimed(&schedule, at(due_ms).due_at, now, now);
        open.occurrence.by_hand = true;
        self.open_claim(open, out);
    }
}

/// An occurrence that has its end from the start.
pub(super) fn ended(
    schedule: &Schedule,
    due_at: Timestamp,
    now: Timestamp,
    state: OccurrenceState,
    reason: &str,
) -> Occurrence {
    Occurrence {
        schedule: schedule.id,
        due_at,
        state,
        reason: Some(reason.to_owned()),
        decided_at: now,
        ended_at: Some(now),
        by_hand: false,
    }
}
