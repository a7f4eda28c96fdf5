//! The agenda: decides each due instant of each schedule exactly once.
//!
//! A plain struct with total functions: `now` and what happened go in, what ought
//! to happen comes out. Owner of what is late, missed, superseded or skipped, and of
//! the believable clock. It must never do anything itself: no clock, no row, no
//! command.

mod entries;
mod late;
mod running;
mod words;

pub use words::{ActionEnd, Effect, Input, Key, Loaded};

use super::{Due, Home, Reading, reason};
use crate::ids::{EntityRef, ScheduleId};
use crate::time::Timestamp;
use entries::Entry;
use running::Open;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rows are written so long before they are due, so that the command is not late by the write.
pub const CLAIM_AHEAD_MS: i64 = 5_000;
/// The agenda wakes at least so often: the wall clock may jump, and the reached instant is
/// persisted.
pub const TICK_MAX_MS: i64 = 60_000;
/// What the clock passes at once beyond this was not lived through: one tick may come late by half
/// of its length on a machine that is busy, not more.
const JUMP_MS: i64 = 90_000;
/// How long to wait before rows or actions that could not be written are tried again.
const RETRY_MS: i64 = 1_000;
/// How late an action that was already decided may be asked whatever its policy says: the shortest
/// deadline of a command.
const RESUME_MS: i64 = 5_000;

/// What an entity says, as the agenda asks it.
pub type Read<'a> = &'a dyn Fn(&EntityRef) -> Reading;

/// All schedules, what is due next, and what is under way.
#[derive(Clone, Debug)]
pub struct Agenda {
    home: Home,
    /// When this program was built: the clock is not believed before.
    built_at: Timestamp,
    loaded: bool,
    entries: HashMap<ScheduleId, Entry>,
    /// The next due instant of each schedule, in milliseconds.
    queue: BTreeSet<(i64, ScheduleId)>,
    /// Occurrences that have an action without an end.
    open: BTreeMap<Key, Open>,
    /// Actions that are durable and to be asked, by their time.
    runs: BTreeSet<(i64, Key, u16)>,
    /// Rows to be written again, by their time.
    retries: BTreeSet<(i64, Key)>,
    /// Claims that are not durable yet, by their due instant.
    unwritten: BTreeSet<(Timestamp, ScheduleId)>,
    /// Everything that was due until this instant is decided, or judged as missed.
    reached: Timestamp,
    persisted: Timestamp,
    /// Why what lies between the reached instant and now was missed, if that is yet to be judged.
    missed_because: Option<&'static str>,
    told_behind: bool,
    /// The latest instant that a run by hand took, in milliseconds: each takes one of its own.
    taken_by_hand: i64,
    /// Schedules that may have nothing to come and nothing under way any more.
    perhaps_over: BTreeSet<ScheduleId>,
}

impl Agenda {
    /// An agenda that holds nothing yet and decides nothing before [`Input::Loaded`].
    pub fn new(home: Home, built_at: Timestamp) -> Self {
        Self {
            home,
            built_at,
            loaded: false,
            entries: HashMap::new(),
            queue: BTreeSet::new(),
            open: BTreeMap::new(),
            runs: BTreeSet::new(),
            retries: BTreeSet::new(),
            unwritten: BTreeSet::new(),
            reached: built_at,
            persisted: Timestamp::from_millis(0),
            missed_because: None,
            told_behind: false,
            taken_by_hand: 0,
            perhaps_over: BTreeSet::new(),
        }
    }

    /// What happened, and what ought to happen because of it.
    pub fn apply(&mut self, now: Timestamp, input: Input, read: Read<'_>) -> Vec<Effect> {
        let mut out = Vec::new();
        self.take(now, input, &mut out);
        if self.loaded {
            self.advance(now, read, &mut out);
        }
        out
    }

    /// The next occurrence of a schedule that is not decided yet.
    pub fn next_due(&self, schedule: &ScheduleId) -> Option<Due> {
        self.entries.get(schedule)?.next
    }

    /// How many schedules it holds, and how many occurrences are under way.
    pub fn counts(&self) -> (usize, usize) {
        (self.entries.len(), self.open.len())
    }

    /// Whether the clock is believed, so that something may fire.
    pub fn is_believed(&self, now: Timestamp) -> bool {
        self.loaded && now >= self.reached
    }

    /// The instant until which everything is decided.
    pub const fn reached(&self) -> Timestamp {
        self.reached
    }

    /// The instant until which every decision is durable: to be persisted when the hub stops.
    pub fn durable_until(&self) -> Timestamp {
        let first = self.unwritten.first();
        first.map_or(self.reached, |(due, _)| {
            self.reached.min(due.plus_millis(-1))
        })
    }

    fn take(&mut self, now: Timestamp, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Loaded(loaded) => self.load(now, *loaded, out),
            _ if !self.loaded => {}
            Input::Saved(schedule) => self.saved(now, schedule, out),
            Input::Removed(schedule) => self.removed(now, schedule, out),
            Input::Run(schedule) => self.run_by_hand(now, schedule, out),
            Input::HomeChanged(home) => self.home_changed(*home),
            Input::Tick => {}
            Input::Written(key) => self.written(key),
            Input::AlreadyDecided(key) => self.taken(now, key, out),
            Input::NotWritten(key) => self.retry(now, key),
            Input::ActionEnded { key, index, end } => self.ended(now, key, index, end, out),
            Input::ClockTrusted => self.trust_the_clock(now),
        }
    }

    fn advance(&mut self, now: Timestamp, read: Read<'_>, out: &mut Vec<Effect>) {
        if now < self.reached {
            self.wait_for_the_clock(now, out);
            return;
        }
        self.told_behind = false;
        if now.millis_since(self.reached) > JUMP_MS && self.missed_because.is_none() {
            out.push(Effect::Warn(format!(
                "the clock went from {} to {now} at once; what lies between counts as missed",
                self.reached
            )));
            self.missed_because = Some(reason::CLOCK_JUMPED);
        }
        if let Some(because) = self.missed_because.take() {
            self.catch_up(now, because, out);
        }
        self.reached = now;
        // The older rows first: a later one must not stand without them after a crash.
        self.write_again(now, out);
        self.claim_due(now, out);
        self.fire_due(now, read, out);
        self.finish(out);
        self.persist(now, out);
        out.push(Effect::SetTimer(self.next_wake(now)));
    }

    /// Persists what is reached; what is not durable yet is to be found again after a crash.
    fn persist(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let durable = self.durable_until();
        if durable.millis_since(self.persisted) >= TICK_MAX_MS {
            self.persisted = durable;
            out.push(Effect::Persist(durable.min(now)));
        }
    }

    /// The clock is behind an instant that was already reached: nothing fires until it passes it.
    fn wait_for_the_clock(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let behind = self.reached.millis_since(now);
        // A second is what a clock is slewed by; nobody needs to hear of it.
        if behind > 1_000 && !self.told_behind {
            self.told_behind = true;
            out.push(Effect::Warn(format!(
                "the clock says {now}, but {} was already reached (or this program was built \
                 then): no schedule runs until the clock has passed it",
                self.reached
            )));
        }
        out.push(Effect::SetTimer(
            now.plus_millis(behind.clamp(1, TICK_MAX_MS)),
        ));
    }

    fn next_wake(&self, now: Timestamp) -> Timestamp {
        let now_ms = now.as_millis();
        let claim = self.queue.first().map(|(due, _)| due - CLAIM_AHEAD_MS);
        let run = self.runs.first().map(|(run, ..)| *run);
        let retry = self.retries.first().map(|(at, _)| *at);
        let soonest = [claim, run, retry].into_iter().flatten().min();
        let latest = now_ms + TICK_MAX_MS;
        // What is due is done already; at least a millisecond keeps the timer from spinning.
        Timestamp::from_millis(soonest.unwrap_or(latest).clamp(now_ms + 1, latest))
    }
}
