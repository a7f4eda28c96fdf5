//! Occurrences under way: claimed, asked, ended.
//!
//! Owner of the rule that an occurrence and each of its actions have exactly one
//! end. Nothing is asked before its row is durable.

use super::{ActionEnd, Agenda, Effect, Key, RESUME_MS, RETRY_MS, Read};
use crate::ids::{CommandId, ScheduleId};
use crate::schedule::{
    ActionRun, Condition, Missed, Occurrence, OccurrenceState as State, Schedule, Verdict, judge,
    reason,
};
use crate::time::Timestamp;
use std::collections::HashSet;

/// Rows that cannot be written are tried at least so long, whatever the grace.
const WRITE_FOR_MS: i64 = 60_000;

/// An occurrence that has an action without an end.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) occurrence: Occurrence,
    pub(super) actions: Vec<ActionRun>,
    /// Whether its rows are durable.
    written: bool,
    /// Whether its conditions were found to hold, or are not to be asked.
    judged: bool,
    /// The actions that were handed out to be asked.
    asked: HashSet<u16>,
    /// When its rows are written again, in milliseconds.
    retry_at: Option<i64>,
}

impl Open {
    pub(super) fn claimed(
        schedule: &Schedule,
        due_at: Timestamp,
        base: Timestamp,
        now: Timestamp,
    ) -> Self {
        let occurrence = Occurrence {
            schedule: schedule.id,
            due_at,
            state: State::Claimed,
            reason: None,
            decided_at: now,
            ended_at: None,
            by_hand: false,
        };
        Self::new(occurrence, ActionRun::all(schedule, due_at, base), false)
    }

    pub(super) fn resumed(occurrence: Occurrence, actions: Vec<ActionRun>) -> Self {
        Self::new(occurrence, actions, true)
    }

    fn new(occurrence: Occurrence, actions: Vec<ActionRun>, written: bool) -> Self {
        let begun = occurrence.state == State::Fired;
        Self {
            judged: begun || actions.iter().any(|run| run.state == State::Fired),
            occurrence,
            actions,
            written,
            asked: HashSet::new(),
            retry_at: None,
        }
    }

    /// The actions that are neither ended nor handed out.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &ActionRun> {
        self.actions
            .iter()
            .filter(|run| run.state == State::Claimed && !self.asked.contains(&run.index))
    }

    /// Ends an action that waits; the row as it is now.
    pub(super) fn end(&mut self, index: u16, state: State, why: &str) -> Option<ActionRun> {
        let run = self.actions.iter_mut().find(|run| run.index == index)?;
        if run.state != State::Claimed {
            return None;
        }
        run.state = state;
        run.reason = (!why.is_empty()).then(|| why.to_owned());
        self.asked.remove(&index);
        Some(run.clone())
    }

    /// The occurrence's state by its actions; the row if it changed.
    fn settle(&mut self, now: Timestamp) -> Option<Occurrence> {
        if self.occurrence.state != State::Claimed {
            return None;
        }
        let has = |state| self.actions.iter().any(|run| run.state == state);
        let state = if has(State::Fired) {
            State::Fired
        } else if has(State::Claimed) {
            return None;
        } else {
            // The worst that befell it; a schedule without actions does not exist.
            [State::Failed, State::Held, State::Missed, State::Superseded]
                .into_iter()
                .find(|state| has(*state))
                .unwrap_or(State::Skipped)
        };
        let first = self.actions.iter().find(|run| run.state == state);
        self.occurrence.reason = first.and_then(|run| run.reason.clone());
        self.occurrence.state = state;
        self.occurrence.ended_at = Some(now);
        Some(self.occurrence.clone())
    }

    fn is_over(&self) -> bool {
        self.actions.iter().all(|run| run.state != State::Claimed)
    }
}

impl Agenda {
    pub(super) fn open_of(&self, id: ScheduleId) -> impl Iterator<Item = &Open> {
        let at = |due_at| Key {
            schedule: id,
            due_at,
        };
        let first = at(Timestamp::from_micros(i64::MIN));
        let last = at(Timestamp::from_micros(i64::MAX));
        self.open.range(first..=last).map(|(_, open)| open)
    }

    /// Writes the rows of a claim; it goes on when they are durable.
    pub(super) fn open_claim(&mut self, open: Open, out: &mut Vec<Effect>) {
        out.push(Effect::Claim {
            occurrence: open.occurrence.clone(),
            actions: open.actions.clone(),
        });
        let key = Key::of(&open.occurrence);
        self.unwritten.insert((key.due_at, key.schedule));
        self.open.insert(key, open);
    }

    /// Writes the rows of a claim again, a little later.
    pub(super) fn retry(&mut self, now: Timestamp, key: Key) {
        let at = now.as_millis() + RETRY_MS;
        if let Some(open) = self.open.get_mut(&key).filter(|open| !open.written)
            && open.retry_at.is_none()
        {
            open.retry_at = Some(at);
            self.retries.insert((at, key));
        }
    }

    pub(super) fn written(&mut self, key: Key) {
        let Some(open) = self.open.get_mut(&key) else {
            return;
        };
        if open.written {
            return;
        }
        open.written = true;
        let retry_at = open.retry_at.take();
        self.retries.remove(&(retry_at.unwrap_or(0), key));
        self.unwritten.remove(&(key.due_at, key.schedule));
        self.queue_runs(key);
    }

    /// Queues every action of a durable occurrence that waits.
    fn queue_runs(&mut self, key: Key) {
        let Some(open) = self.open.get(&key) else {
            return;
        };
        let waiting = open.waiting();
        let runs: Vec<_> = waiting
            .map(|run| (run.run_at.as_millis(), key, run.index))
            .collect();
        self.runs.extend(runs);
    }

    /// Drops an occurrence that is somebody else's, or over.
    pub(super) fn forget(&mut self, key: Key) {
        // One that ended ahead of its time is not decided again when its time comes.
        let entry = self.entries.get_mut(&key.schedule);
        if let Some(entry) = entry.filter(|entry| key.due_at > entry.decided) {
            entry.rows.insert(key.due_at);
        }
        if let Some(open) = self.open.remove(&key) {
            for run in &open.actions {
                self.runs.remove(&(run.run_at.as_millis(), key, run.index));
            }
            self.retries.remove(&(open.retry_at.unwrap_or(0), key));
        }
        self.unwritten.remove(&(key.due_at, key.schedule));
        self.perhaps_over.insert(key.schedule);
    }

    /// Takes up an occurrence that was under way when the hub stopped.
    pub(super) fn resume(
        &mut self,
        now: Timestamp,
        mut open: Open,
        asked: &HashSet<CommandId>,
        out: &mut Vec<Effect>,
    ) {
        let key = Key::of(&open.occurrence);
        let done: Vec<u16> = open
            .waiting()
            .filter(|run| asked.contains(&run.command))
            .map(|run| run.index)
            .collect();
        let ended: Vec<ActionRun> = done
            .into_iter()
            .filter_map(|index| open.end(index, State::Fired, ""))
            .collect();
        open.judged |= !ended.is_empty() || open.occurrence.by_hand;
        let gone = self
            .entries
            .get(&key.schedule)
            .is_none_or(|entry| !entry.schedule.definition.enabled);
        let cancelled = gone && !open.occurrence.by_hand;
        self.open.insert(key, open);
        self.record(now, key, ended, out);
        self.queue_runs(key);
        if cancelled {
            self.cancel_one(now, key, out);
        }
    }

    /// Ends whatever of the schedule was not handed out.
    pub(super) fn cancel(&mut self, now: Timestamp, id: ScheduleId, out: &mut Vec<Effect>) {
        let keys: Vec<Key> = self
            .open_of(id)
            .map(|open| Key::of(&open.occurrence))
            .collect();
        for key in keys {
            self.cancel_one(now, key, out);
        }
    }

    pub(super) fn cancel_one(&mut self, now: Timestamp, key: Key, out: &mut Vec<Effect>) {
        self.end_waiting(now, key, State::Skipped, reason::DISABLED, out);
    }

    pub(super) fn end_waiting(
        &mut self,
        now: Timestamp,
        key: Key,
        state: State,
        why: &str,
        out: &mut Vec<Effect>,
    ) {
        let Some(open) = self.open.get_mut(&key) else {
            return;
        };
        let waiting: Vec<u16> = open.waiting().map(|run| run.index).collect();
        let ended: Vec<ActionRun> = waiting
            .into_iter()
            .filter_map(|index| open.end(index, state, why))
            .collect();
        self.record(now, key, ended, out);
    }

    /// Says what changed of an occurrence, and forgets it when it is over.
    pub(super) fn record(
        &mut self,
        now: Timestamp,
        key: Key,
        actions: Vec<ActionRun>,
        out: &mut Vec<Effect>,
    ) {
        for run in &actions {
            self.runs.remove(&(run.run_at.as_millis(), key, run.index));
        }
        let Some(open) = self.open.get_mut(&key) else {
            return;
        };
        let occurrence = open.settle(now);
        let over = open.is_over();
        // What was not written and is over already must not be left without a row.
        let unwritten = occurrence.clone().filter(|_| over && !open.written);
        // A claim that is to be written again is written as it is then.
        let told = open.retry_at.is_none();
        if told && (occurrence.is_some() || !actions.is_empty()) {
            out.push(Effect::Record {
                occurrence,
                actions,
            });
        }
        out.extend(unwritten.map(|row| Effect::Decide(vec![row])));
        if over {
            self.forget(key);
        }
    }

    /// Writes rows again that could not be written, unless they are no longer wanted.
    pub(super) fn write_again(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        while let Some((at, key)) = self.retries.first().copied() {
            if at > now.as_millis() {
                return;
            }
            self.retries.remove(&(at, key));
            let Some(open) = self.open.get_mut(&key).filter(|open| !open.written) else {
                continue;
            };
            open.retry_at = None;
            let open = open.clone();
            let late = now.millis_since(key.due_at.max(open.occurrence.decided_at));
            if late <= WRITE_FOR_MS.max(self.grace_ms(key.schedule)) {
                out.push(Effect::Claim {
                    occurrence: open.occurrence,
                    actions: open.actions,
                });
                continue;
            }
            let mut row = open.occurrence;
            row.state = State::Failed;
            row.reason = Some(reason::NOT_WRITTEN.to_owned());
            row.ended_at = Some(now);
            out.push(Effect::Decide(vec![row]));
            self.forget(key);
        }
    }

    pub(super) fn missed_of(&self, id: ScheduleId) -> Missed {
        let entry = self.entries.get(&id);
        entry.map_or_else(Missed::default, |e| e.schedule.definition.missed)
    }

    fn grace_ms(&self, id: ScheduleId) -> i64 {
        i64::from(self.missed_of(id).grace_seconds) * 1000
    }

    /// Asks every action whose time has come.
    pub(super) fn fire_due(&mut self, now: Timestamp, read: Read<'_>, out: &mut Vec<Effect>) {
        while let Some((at, key, index)) = self.runs.first().copied() {
            if at > now.as_millis() {
                return;
            }
            self.runs.remove(&(at, key, index));
            self.fire(now, key, index, read, out);
        }
    }

    fn fire(
        &mut self,
        now: Timestamp,
        key: Key,
        index: u16,
        read: Read<'_>,
        out: &mut Vec<Effect>,
    ) {
        let Some(schedule) = self.entries.get(&key.schedule).map(|e| &e.schedule) else {
            return self.cancel_one(now, key, out);
        };
        let Some(open) = self.open.get_mut(&key) else {
            return;
        };
        let conditions = schedule.definition.conditions.as_ref();
        if let Some(why) = held_back(open, conditions, &self.home, now, read) {
            let why = format!("{}: {why}", reason::CONDITION);
            return self.end_waiting(now, key, State::Held, &why, out);
        }
        let Some(run) = open.waiting().find(|run| run.index == index).cloned() else {
            return;
        };
        open.asked.insert(index);
        out.push(Effect::Fire {
            run,
            name: schedule.definition.name.clone(),
            owner: schedule.owner,
        });
    }

    pub(super) fn ended(
        &mut self,
        now: Timestamp,
        key: Key,
        index: u16,
        end: ActionEnd,
        out: &mut Vec<Effect>,
    ) {
        let Some(open) = self.open.get_mut(&key) else {
            return;
        };
        let ended = match end {
            ActionEnd::Fired => open.end(index, State::Fired, ""),
            ActionEnd::Failed(why) => open.end(index, State::Failed, &why),
            ActionEnd::NotNow(why) => {
                let run = open.actions.iter().find(|run| run.index == index);
                let late = run.map_or(0, |run| now.millis_since(run.run_at));
                if late <= RESUME_MS && open.asked.remove(&index) {
                    self.runs.insert((now.as_millis() + RETRY_MS, key, index));
                    return;
                }
                open.end(index, State::Failed, &why)
            }
        };
        self.record(now, key, ended.into_iter().collect(), out);
    }
}

/// Why the conditions hold an occurrence back; they are asked once, before its first action.
fn held_back(
    open: &mut Open,
    conditions: Option<&Condition>,
    home: &crate::schedule::Home,
    now: Timestamp,
    read: Read<'_>,
) -> Option<String> {
    if open.judged || open.occurrence.by_hand {
        return None;
    }
    let verdict = conditions.map_or(Verdict::Holds, |c| judge(c, home, now, read));
    match verdict {
        Verdict::Holds => {
            open.judged = true;
            None
        }
        Verdict::Fails(why) => Some(why),
    }
}
