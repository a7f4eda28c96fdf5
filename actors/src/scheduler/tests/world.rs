//! A store and devices in memory, on a clock that a test moves.

use super::super::actor::{Lasting, SchedulerActor, SchedulerMsg, State};
use super::super::ways::{Outcome, Rows, Ways};
use crate::clock::Clock;
use iothome_engine::command::Ask;
use iothome_engine::ids::{CommandId, EntityRef, ScheduleId, UserId};
use iothome_engine::policy::{Role, Subject};
use iothome_engine::schedule::agenda::{Key, Loaded};
use iothome_engine::schedule::{
    ActionRun, Home, Occurrence, OccurrenceState, Reading, Schedule, Zone, read_definition,
};
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;
use iothome_store::StoreError;
use ractor::{Actor, ActorRef};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::oneshot;

/// Monday, 2027-01-04, 00:00 UTC.
pub(super) const START: Timestamp = Timestamp::from_millis(1_798_934_400_000);

/// What the world holds: what is durable, and what happened.
#[derive(Default)]
pub(super) struct Held {
    pub(super) schedules: Vec<Schedule>,
    pub(super) rows: BTreeMap<Key, (Occurrence, Vec<ActionRun>)>,
    pub(super) commands: HashSet<CommandId>,
    /// Each ask with the instant at which it came.
    pub(super) asks: Vec<(Timestamp, Ask)>,
    pub(super) instant: Option<Timestamp>,
    pub(super) states: HashMap<EntityRef, Reading>,
    pub(super) owner_gone: bool,
    /// The store does not answer.
    pub(super) store_away: bool,
    /// The store answers, and refuses.
    pub(super) store_refuses: bool,
    /// Rows are written, but the answer is lost.
    pub(super) answers_lost: u32,
    pub(super) inactive: bool,
    /// How the next asks go, before they go well again.
    pub(super) outcomes: Vec<Outcome>,
}

/// A house that outlives schedulers.
#[derive(Clone)]
pub(super) struct World {
    pub(super) clock: Clock,
    held: Arc<Mutex<Held>>,
}

/// One life of a scheduler.
pub(super) struct Life {
    pub(super) actor: ActorRef<SchedulerMsg>,
    lasting: Arc<Lasting>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            clock: Clock::starting_at(START),
            held: Arc::new(Mutex::new(Held {
                instant: Some(START),
                ..Held::default()
            })),
        }
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("whole")
    }

    /// A schedule that was there before the scheduler begins.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a trigger is written where it is given"
    )]
    pub(super) fn schedule(&self, number: u8, trigger: serde_json::Value) -> ScheduleId {
        let lamp = json!([{"device": "lamp", "entity": "main", "action": "turn_on"}]);
        self.schedule_with(number, json!({"trigger": trigger, "actions": lamp}))
    }

    pub(super) fn schedule_with(&self, number: u8, more: serde_json::Value) -> ScheduleId {
        let schedule = make(number, more);
        let id = schedule.id;
        self.held().schedules.push(schedule);
        id
    }

    /// Starts a scheduler; it begins after the half second that retained states get.
    pub(super) async fn start(&self, by: &str) -> Life {
        let home = || Home {
            zone: Zone::named("Europe/Berlin")
                .expect("known")
                .time_zone()
                .clone(),
            place: None,
        };
        let built = START.plus_millis(-86_400_000);
        let lasting = Lasting::new(self.ways(by), Box::new(home), built);
        let life = Life::begin(lasting).await;
        sleep(1).await;
        life
    }

    fn ways(&self, by: &str) -> Ways {
        let by = by.to_owned();
        let w = || self.clone();
        let (read, load, write, persist) = (w(), w(), w(), w());
        let (subject, ask, recorded, active) = (w(), w(), w(), w());
        Ways {
            clock: self.clock.clone(),
            read: Arc::new(move |target| {
                let states = &read.held().states;
                states.get(target).cloned().unwrap_or(Reading::Unknown)
            }),
            load: Arc::new(move |()| {
                let loaded = load.loaded();
                Box::pin(async move { loaded })
            }),
            write: Arc::new(move |rows| {
                let away = write.held().store_away;
                let written = (!away).then(|| write.write(&rows, &by));
                Box::pin(async move {
                    let Some(written) = written else {
                        return std::future::pending().await;
                    };
                    tokio::time::sleep(Duration::from_millis(4)).await;
                    written
                })
            }),
            persist: Arc::new(move |at| {
                let instant = &mut persist.held().instant;
                *instant = (*instant).max(Some(at));
                Box::pin(async { Ok(()) })
            }),
            subject: Arc::new(move |user| {
                let subject = (!subject.held().owner_gone).then(|| admin(user));
                Box::pin(async { Ok(subject) })
            }),
            ask: Arc::new(move |asked| {
                let outcome = ask.asked(asked);
                Box::pin(async move {
                    tokio::time::sleep(Duration::from_millis(4)).await;
                    outcome
                })
            }),
            is_recorded: Arc::new(move |command| {
                let is = recorded.held().commands.contains(&command);
                Box::pin(async move { Ok(is) })
            }),
            is_active: Arc::new(move |()| {
                let is = !active.held().inactive;
                Box::pin(async move { is })
            }),
            finish: Arc::new(|_| Box::pin(async {})),
            running: Arc::default(),
            is_ready: Arc::new(|| true),
        }
    }

    fn loaded(&self) -> Result<Loaded, StoreError> {
        let held = self.held();
        let open = |actions: &[ActionRun]| {
            actions
                .iter()
                .any(|run| run.state == OccurrenceState::Claimed)
        };
        let mut decided: HashMap<ScheduleId, Timestamp> = HashMap::new();
        for (key, (occurrence, _)) in &held.rows {
            let latest = decided.entry(key.schedule).or_insert(key.due_at);
            if !occurrence.by_hand {
                *latest = key.due_at.max(*latest);
            }
        }
        Ok(Loaded {
            schedules: held.schedules.iter().cloned().map(Arc::new).collect(),
            open: held
                .rows
                .values()
                .filter(|(_, a)| open(a))
                .cloned()
                .collect(),
            asked: held.commands.clone(),
            decided: decided.into_iter().collect(),
            last_instant: held.instant,
        })
    }

    fn write(&self, rows: &Rows, by: &str) -> Result<Vec<bool>, StoreError> {
        let mut held = self.held();
        if held.store_refuses {
            return Err(StoreError::NotFound);
        }
        let mut ours = Vec::new();
        for decided in &rows.decided {
            let key = Key::of(&decided.occurrence);
            let mut row = (decided.occurrence.clone(), decided.actions.clone());
            // The name of the life stands in the reason: occurrences that are claimed have none.
            row.0.reason = row.0.reason.or_else(|| Some(by.to_owned()));
            match held.rows.get(&key) {
                None => {
                    held.rows.insert(key, row);
                    ours.push(true);
                }
                Some((known, _)) => ours.push(known.reason == row.0.reason),
            }
        }
        for end in &rows.settled {
            let key = Key {
                schedule: end.schedule,
                due_at: end.due_at,
            };
            let (occurrence, actions) = held.rows.get_mut(&key).expect("decided before");
            match end.index {
                None if !occurrence.state.is_end() => {
                    occurrence.state = end.state;
                    occurrence.reason.clone_from(&end.reason);
                }
                None => {}
                Some(index) => {
                    let run = &mut actions[usize::from(index)];
                    if !run.state.is_end() {
                        run.state = end.state;
                        run.reason.clone_from(&end.reason);
                    }
                }
            }
        }
        if held.answers_lost > 0 {
            held.answers_lost -= 1;
            return Err(StoreError::NotFound);
        }
        Ok(ours)
    }

    fn asked(&self, ask: Ask) -> Outcome {
        let now = self.clock.now();
        let mut held = self.held();
        let outcome = if held.outcomes.is_empty() {
            Outcome::Asked
        } else {
            held.outcomes.remove(0)
        };
        if outcome == Outcome::Asked {
            held.commands.insert(ask.id);
            held.asks.push((now, ask));
        }
        outcome
    }

    /// The states of a schedule's occurrences, the oldest first.
    pub(super) fn states(&self, id: ScheduleId) -> Vec<OccurrenceState> {
        let held = self.held();
        let rows = held.rows.iter().filter(|(key, _)| key.schedule == id);
        rows.map(|(_, (occurrence, _))| occurrence.state).collect()
    }

    /// When something was asked, in milliseconds since the start.
    pub(super) fn asked_at(&self) -> Vec<i64> {
        let held = self.held();
        held.asks
            .iter()
            .map(|(at, _)| at.millis_since(START))
            .collect()
    }

    /// No two commands for one action, no two asks with one id, and each row has its end.
    pub(super) fn is_consistent(&self) {
        let held = self.held();
        let ids: BTreeSet<CommandId> = held.asks.iter().map(|(_, ask)| ask.id).collect();
        assert_eq!(ids.len(), held.asks.len(), "nothing is asked twice");
        let rows: HashSet<CommandId> = held
            .rows
            .values()
            .flat_map(|(_, actions)| actions.iter().map(|run| run.command))
            .collect();
        assert!(
            ids.iter().all(|id| rows.contains(id)),
            "no id without a row"
        );
        for (occurrence, actions) in held.rows.values() {
            assert!(occurrence.state.is_end(), "{occurrence:?}");
            assert!(actions.iter().all(|run| run.state.is_end()), "{actions:?}");
        }
    }

    pub(super) fn state_is(&self, device: &str, word: &str) {
        let reading = Reading::Known {
            value: Value::word(word),
            since: Some(self.clock.now()),
        };
        self.held().states.insert(target(device), reading);
    }
}

impl Life {
    async fn begin(lasting: Arc<Lasting>) -> Self {
        let spawned = Actor::spawn(None, SchedulerActor, Arc::clone(&lasting)).await;
        Self {
            actor: spawned.expect("starts").0,
            lasting,
        }
    }

    pub(super) fn tell(&self, message: SchedulerMsg) {
        self.actor.cast(message).expect("it lives");
    }

    pub(super) async fn look(&self) -> State {
        let (reply, answer) = oneshot::channel();
        self.tell(SchedulerMsg::Look(reply));
        answer.await.expect("it answers")
    }

    /// Ends it without a word; the store and what is under way there stay.
    pub(super) fn kill(self) {
        self.actor.kill();
    }

    /// It fails, and its supervisor starts the next one.
    pub(super) async fn fails(self) -> Self {
        self.tell(SchedulerMsg::Fail);
        self.actor.wait(None).await.expect("it ends");
        Self::begin(self.lasting).await
    }

    pub(super) async fn run(&self, id: ScheduleId) -> Timestamp {
        let (reply, ran) = oneshot::channel();
        self.tell(SchedulerMsg::Run(id, reply));
        ran.await.expect("it answers").expect("it runs")
    }
}

pub(super) fn make(number: u8, more: serde_json::Value) -> Schedule {
    let mut json = more;
    json["name"] = json!(format!("Schedule {number}"));
    let before = START.plus_millis(-3_600_000);
    Schedule {
        id: ScheduleId::new(before, [number; 10]),
        owner: admin(UserId::new(before, [1; 10])).user,
        definition: read_definition(&json, Some(START)).expect("is right"),
        disabled_reason: None,
        skip_due_at: None,
        version: 1,
        created_at: before,
        updated_at: before,
    }
}

fn admin(user: UserId) -> Subject {
    Subject {
        user,
        name: "adam".into(),
        role: Role::Admin,
        grants: HashMap::new(),
    }
}

pub(super) fn target(device: &str) -> EntityRef {
    EntityRef {
        device: device.parse().expect("an id"),
        entity: "main".parse().expect("an id"),
    }
}

/// Lets so many seconds pass.
pub(super) async fn sleep(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// Every day at this time of the home.
pub(super) fn daily(time: &str) -> serde_json::Value {
    let (hour, minute) = time.split_once(':').expect("a time");
    let (hour, minute): (u8, u8) = (hour.parse().expect("ok"), minute.parse().expect("ok"));
    json!({"kind": "cron", "expression": format!("{minute} {hour} * * *")})
}
