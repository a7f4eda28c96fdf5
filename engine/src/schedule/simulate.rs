//! Simulation: the schedules of the house on virtual time, with the states they would
//! cause.
//!
//! Owner of the dry run. It uses the same calculus and the same judgement of
//! conditions as the agenda; what devices would answer it can only assume. It must
//! never send anything or need to wait.

use super::calculus::Plan;
use super::definition::{ActionSpec, Schedule};
use super::jitter::jitter_ms;
use super::judge::{Reading, Verdict, judge};
use super::place::Home;
use crate::ids::{EntityRef, ScheduleId};
use crate::kind::Action;
use crate::time::Timestamp;
use crate::value::Value;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Most lines that a simulation finds before it ends: more than anybody reads.
pub const LINES_MAX: usize = 1_000_000;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogEntry {
    /// When.
    pub at: Timestamp,
    /// Which schedule.
    pub schedule: ScheduleId,
    /// Which of its occurrences.
    pub due_at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: LogEvent,
}

/// What happened in a simulation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LogEvent {
    /// A condition held the occurrence back.
    Held {
        /// Which, in words.
        reason: String,
    },
    /// Somebody had asked to skip it.
    Skipped,
    /// An action was asked.
    Asked {
        /// Of which entity.
        target: EntityRef,
        /// What.
        action: Action,
        /// The value of `set`.
        value: Option<serde_json::Value>,
        /// The state it would cause; `None` if that cannot be said.
        state: Option<Value>,
    },
}

/// What a simulation found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Simulation {
    /// What happened, in order; no more of it than was asked for.
    pub log: Vec<LogEntry>,
    /// How many lines there are in all.
    pub lines: usize,
    /// Whether it ended before its time, at [`LINES_MAX`] lines.
    pub cut: bool,
    /// The states at the end.
    #[serde(skip)]
    pub states: HashMap<EntityRef, Reading>,
}

/// Runs the enabled schedules over `[from, to)`, from these states on, and keeps the first `keep`
/// lines of the log.
pub fn simulate(
    schedules: &[Schedule],
    home: &Home,
    states: HashMap<EntityRef, Reading>,
    (from, to): (Timestamp, Timestamp),
    keep: usize,
) -> Simulation {
    let mut run = Run {
        keep,
        schedules,
        home,
        heap: BinaryHeap::new(),
        made: Simulation {
            states,
            ..Simulation::default()
        },
    };
    for at in 0..schedules.len() {
        run.plan(at, from.plus_millis(-1));
    }
    // Ends: the due instants of each schedule grow, and the span and the log have an end.
    while let Some(Reverse(next)) = run.heap.pop() {
        if next.at >= to {
            break;
        }
        if run.made.lines >= LINES_MAX {
            run.made.cut = true;
            break;
        }
        run.step(next);
    }
    run.made
}

/// Something to come. The order of the fields is the order of things at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    at: Timestamp,
    due_at: Timestamp,
    schedule: usize,
    /// The action, or the occurrence itself before its first.
    action: Option<usize>,
}

struct Run<'a> {
    keep: usize,
    schedules: &'a [Schedule],
    home: &'a Home,
    heap: BinaryHeap<Reverse<Next>>,
    made: Simulation,
}

impl Run<'_> {
    fn plan(&mut self, schedule: usize, after: Timestamp) {
        let item = &self.schedules[schedule];
        if !item.definition.enabled {
            return;
        }
        let Some(due) = Plan::of(&item.definition, self.home).next_after(after) else {
            return;
        };
        let jitter = item.definition.trigger.jitter_seconds;
        self.heap.push(Reverse(Next {
            at: due.at.plus_millis(jitter_ms(item.id, due.at, jitter)),
            due_at: due.at,
            schedule,
            action: None,
        }));
    }

    fn step(&mut self, next: Next) {
        match next.action {
            Some(action) => self.act(next, action),
            None => {
                self.plan(next.schedule, next.due_at);
                self.begin(next);
            }
        }
    }

    fn begin(&mut self, next: Next) {
        let schedule = &self.schedules[next.schedule];
        if schedule.skip_due_at == Some(next.due_at) {
            return self.log(next, LogEvent::Skipped);
        }
        let states = &self.made.states;
        let read = |target: &EntityRef| states.get(target).cloned().unwrap_or(Reading::Unknown);
        let conditions = schedule.definition.conditions.as_ref();
        let verdict = conditions.map(|c| judge(c, self.home, next.at, &read));
        if let Some(Verdict::Fails(reason)) = verdict {
            return self.log(next, LogEvent::Held { reason });
        }
        for (action, delay_ms) in schedule.definition.delays_ms().enumerate() {
            if delay_ms == 0 {
                self.act(next, action);
                continue;
            }
            self.heap.push(Reverse(Next {
                at: next.at.plus_millis(delay_ms),
                action: Some(action),
                ..next
            }));
        }
    }

    fn act(&mut self, next: Next, action: usize) {
        let spec = &self.schedules[next.schedule].definition.actions[action];
        let before = self.made.states.get(&spec.target);
        let state = caused(spec, before);
        if let Some(value) = &state {
            self.become_so(&spec.target, value.clone(), next.at);
        }
        let event = LogEvent::Asked {
            target: spec.target.clone(),
            action: spec.action,
            value: spec.value.clone(),
            state,
        };
        self.log(next, event);
    }

    fn become_so(&mut self, target: &EntityRef, value: Value, at: Timestamp) {
        let since = match self.made.states.get(target) {
            Some(Reading::Known {
                value: before,
                since,
            }) if *before == value => *since,
            _ => Some(at),
        };
        let reading = Reading::Known { value, since };
        self.made.states.insert(target.clone(), reading);
    }

    fn log(&mut self, next: Next, event: LogEvent) {
        self.made.lines += 1;
        if self.made.log.len() >= self.keep {
            return;
        }
        self.made.log.push(LogEntry {
            at: next.at,
            schedule: self.schedules[next.schedule].id,
            due_at: next.due_at,
            event,
        });
    }
}

/// The state that an action would cause, in the words that entities report.
fn caused(spec: &ActionSpec, before: Option<&Reading>) -> Option<Value> {
    let word = match spec.action {
        Action::TurnOn => "on",
        Action::TurnOff => "off",
        Action::Open => "open",
        Action::Close => "closed",
        Action::Lock => "locked",
        Action::Unlock => "unlocked",
        Action::Toggle => other(before?)?,
        Action::Set => return set(spec.value.as_ref()?),
        Action::Press | Action::Stop => return None,
    };
    Some(Value::word(word))
}

fn other(before: &Reading) -> Option<&'static str> {
    let Reading::Known { value, .. } = before else {
        return None;
    };
    match value.as_word()? {
        "on" => Some("off"),
        "off" => Some("on"),
        _ => None,
    }
}

/// A scalar is the state; what is set of a light (an object) leaves it on.
fn set(value: &serde_json::Value) -> Option<Value> {
    match value {
        serde_json::Value::Object(_) => Some(Value::word("on")),
        serde_json::Value::String(word) => Some(Value::word(word.clone())),
        serde_json::Value::Number(number) => Value::number(number.as_f64()?),
        _ => None,
    }
}
