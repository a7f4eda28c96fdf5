//! The agenda on virtual time, with a store that keeps rows and hubs that crash.

mod late;
mod model;
mod usual;

use super::{at, home};
use crate::ids::{EntityRef, ScheduleId, UserId};
use crate::schedule::agenda::{ActionEnd, Agenda, Effect, Input, Key, Loaded};
use crate::schedule::{
    ActionRun, Home, Occurrence, OccurrenceState as State, Reading, Schedule, read_definition,
};
use crate::time::Timestamp;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What is durable: it outlives the agenda.
#[derive(Default)]
struct Rows {
    schedules: BTreeMap<ScheduleId, Schedule>,
    occurrences: BTreeMap<Key, Occurrence>,
    actions: BTreeMap<(Key, u16), ActionRun>,
    last_instant: Option<Timestamp>,
}

/// A hub with one agenda, run by the test's clock.
struct House {
    now: Timestamp,
    agenda: Agenda,
    rows: Rows,
    /// Every action that was asked: when, and which.
    asked: Vec<(Timestamp, ActionRun)>,
    timer: Option<Timestamp>,
    warnings: Vec<String>,
    finished: Vec<ScheduleId>,
    states: HashMap<EntityRef, Reading>,
    /// From where each schedule is to be accounted for.
    since: BTreeMap<ScheduleId, Timestamp>,
    /// What this life of the hub has claimed with its clock as it is.
    claimed: HashSet<Key>,
    /// Whether rows can be written now.
    writable: bool,
    /// Whether actions can be asked now.
    reachable: bool,
    /// Whether the hub dies between the command and its record.
    dies_after_asking: bool,
}

const BUILT: &str = "2026-01-01T00:00:00Z";

impl House {
    fn new(start: &str) -> Self {
        let mut house = Self {
            now: at(start),
            agenda: Agenda::new(berlin(), at(BUILT)),
            rows: Rows::default(),
            asked: Vec::new(),
            timer: None,
            warnings: Vec::new(),
            finished: Vec::new(),
            states: HashMap::new(),
            since: BTreeMap::new(),
            claimed: HashSet::new(),
            writable: true,
            reachable: true,
            dies_after_asking: false,
        };
        house.start();
        house
    }

    /// The hub starts on what is durable.
    fn start(&mut self) {
        self.claimed.clear();
        self.agenda = Agenda::new(berlin(), at(BUILT));
        let decided = self.rows.occurrences.values().filter(|row| !row.by_hand);
        let decided = decided.map(|row| (row.schedule, row.due_at));
        let open = self.rows.occurrences.values().filter_map(|row| {
            let key = Key::of(row);
            let actions = self.rows.actions.range((key, 0)..=(key, u16::MAX));
            let actions: Vec<ActionRun> = actions.map(|(_, run)| run.clone()).collect();
            let open = actions.iter().any(|run| run.state == State::Claimed);
            open.then(|| (row.clone(), actions))
        });
        let loaded = Loaded {
            schedules: self
                .rows
                .schedules
                .values()
                .cloned()
                .map(Arc::new)
                .collect(),
            open: open.collect(),
            asked: self
                .asked
                .iter()
                .map(|(_, run)| run.command)
                .collect::<HashSet<_>>(),
            decided: decided.collect(),
            last_instant: self.rows.last_instant,
        };
        self.input(Input::Loaded(Box::new(loaded)));
    }

    fn save(&mut self, n: u8, json: Json) -> ScheduleId {
        let id = ScheduleId::new(Timestamp::from_millis(0), [n; 10]);
        let before = self.rows.schedules.get(&id);
        let updated_at = self.now;
        let schedule = Schedule {
            id,
            owner: UserId::new(Timestamp::from_millis(0), [n; 10]),
            definition: read_definition(&json, Some(self.now)).expect("a definition"),
            disabled_reason: None,
            skip_due_at: None,
            version: before.map_or(1, |s| s.version + 1),
            created_at: before.map_or(self.now, |s| s.created_at),
            updated_at,
        };
        self.rows.schedules.insert(id, schedule.clone());
        self.since.insert(id, updated_at.max(self.agenda.reached()));
        self.input(Input::Saved(Arc::new(schedule)));
        id
    }

    fn change(&mut self, id: ScheduleId, change: impl FnOnce(&mut Schedule)) {
        let now = self.now;
        let schedule = self.rows.schedules.get_mut(&id).expect("a schedule");
        change(schedule);
        schedule.updated_at = now;
        let schedule = schedule.clone();
        let since = schedule.updated_at.max(self.agenda.reached());
        self.since.insert(id, since);
        self.input(Input::Saved(Arc::new(schedule)));
    }

    fn remove(&mut self, id: ScheduleId) {
        self.rows.schedules.remove(&id);
        self.input(Input::Removed(id));
    }

    fn input(&mut self, input: Input) {
        let mut inputs = vec![input];
        // Each answer can ask again only for what is new; a thousand is far beyond any test.
        for _ in 0..1_000 {
            let Some(input) = inputs.pop() else {
                return;
            };
            let states = &self.states;
            let read = |target: &EntityRef| states.get(target).cloned().unwrap_or(Reading::Unknown);
            let effects = self.agenda.apply(self.now, input, &read);
            for effect in effects {
                inputs.extend(self.perform(effect));
            }
        }
        panic!("the agenda does not come to rest");
    }

    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Claim {
                occurrence,
                actions,
            } => return Some(self.insert(occurrence, actions)),
            Effect::Decide(rows) => {
                assert!(!rows.is_empty());
                for row in rows {
                    assert!(row.state.is_end(), "{row:?}");
                    self.rows.occurrences.entry(Key::of(&row)).or_insert(row);
                }
            }
            Effect::Record {
                occurrence,
                actions,
            } => self.update(occurrence, actions),
            Effect::Fire { run, name, .. } => {
                assert!(!name.is_empty());
                return self.ask(run);
            }
            Effect::Persist(at) => self.rows.last_instant = Some(at),
            Effect::SetTimer(at) => {
                assert!(at > self.now, "a timer in the past spins");
                self.timer = Some(at);
            }
            Effect::Finished(id) => self.finished.push(id),
            Effect::Warn(what) => self.warnings.push(what),
        }
        None
    }

    fn insert(&mut self, occurrence: Occurrence, actions: Vec<ActionRun>) -> Input {
        let key = Key::of(&occurrence);
        if !self.writable {
            return Input::NotWritten(key);
        }
        // The store may have its end still to write, and would take it for the same claim.
        assert!(self.claimed.insert(key), "claimed again: {occurrence:?}");
        if self.rows.occurrences.contains_key(&key) {
            return Input::AlreadyDecided(key);
        }
        self.rows.occurrences.insert(key, occurrence);
        for run in actions {
            self.rows.actions.insert((key, run.index), run);
        }
        Input::Written(key)
    }

    fn update(&mut self, occurrence: Option<Occurrence>, actions: Vec<ActionRun>) {
        for run in actions {
            let key = Key {
                schedule: run.schedule,
                due_at: run.due_at,
            };
            if let Some(row) = self.rows.actions.get_mut(&(key, run.index)) {
                assert!(!row.state.is_end(), "a second end for {row:?}: {run:?}");
                *row = run;
            }
        }
        let Some(occurrence) = occurrence else {
            return;
        };
        if let Some(row) = self.rows.occurrences.get_mut(&Key::of(&occurrence)) {
            assert!(!row.state.is_end(), "a second end for {row:?}");
            *row = occurrence;
        }
    }

    fn ask(&mut self, run: ActionRun) -> Option<Input> {
        let key = Key {
            schedule: run.schedule,
            due_at: run.due_at,
        };
        let index = run.index;
        let durable = self.rows.actions.contains_key(&(key, index));
        assert!(durable, "asked before its row was durable: {run:?}");
        if !self.reachable {
            let end = ActionEnd::NotNow("away".to_owned());
            return Some(Input::ActionEnded { key, index, end });
        }
        self.asked.push((self.now, run));
        if self.dies_after_asking {
            return None;
        }
        let end = ActionEnd::Fired;
        Some(Input::ActionEnded { key, index, end })
    }

    /// Lives on until that instant, woken by its own timer.
    fn until(&mut self, text: &str) {
        self.until_at(at(text));
    }

    fn until_at(&mut self, end: Timestamp) {
        while let Some(timer) = self.timer.filter(|timer| *timer <= end) {
            self.now = self.now.max(timer);
            self.input(Input::Tick);
        }
        self.now = end;
    }

    /// The wall clock jumps.
    fn jump(&mut self, text: &str) {
        self.now = at(text);
        self.input(Input::Tick);
    }

    /// The hub is killed, and starts again later.
    fn down_until(&mut self, text: &str) {
        self.now = at(text);
        self.dies_after_asking = false;
        self.start();
    }

    /// `07:00:00 turn_on` for each action that was asked.
    fn log(&self) -> Vec<String> {
        let lines = self.asked.iter().map(|(at, run)| {
            let at = at.to_string();
            format!("{} {}", &at[11..19], run.action)
        });
        lines.collect()
    }

    /// `07:00 fired` for each row of a schedule.
    fn history(&self, id: ScheduleId) -> Vec<String> {
        let rows = self
            .rows
            .occurrences
            .values()
            .filter(|row| row.schedule == id);
        rows.map(|row| {
            let at = row.due_at.to_string();
            format!("{} {}", &at[11..16], row.state.as_str())
        })
        .collect()
    }
}

fn berlin() -> Home {
    home("Europe/Berlin", Some((52.52, 13.40)))
}

fn action(device: &str, action: &str, delay: u32) -> Json {
    json!({"device": device, "entity": "main", "action": action, "delay_seconds": delay})
}

fn definition(trigger: Json, actions: &[Json]) -> Json {
    json!({"name": "Test", "trigger": trigger, "actions": actions})
}

/// Every day at a UTC time.
fn daily(time: &str, actions: &[Json]) -> Json {
    let (hour, minute) = time.split_once(':').expect("a time");
    let line = format!("{minute} {hour} * * *");
    definition(
        json!({"kind": "cron", "expression": line, "zone": "UTC"}),
        actions,
    )
}

fn with(mut definition: Json, field: &str, value: Json) -> Json {
    definition[field] = value;
    definition
}
