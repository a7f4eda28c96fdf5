//! The scheduler's actor: performs what the agenda says ought to happen.
//!
//! Owner of the agenda and of the timer that wakes it. It decides nothing itself and
//! never waits in a handler: rows go to the pen, actions to `fire`. Whatever kills it,
//! the next life reads from the store what was decided and what was asked.

use super::fire::{ASKS_MAX, Firing, fire_all};
use super::pen::{Claimed, Pen};
use super::ways::Ways;
use crate::error::HubError;
use iothome_engine::ids::ScheduleId;
use iothome_engine::schedule::agenda::{ActionEnd, Agenda, Effect, Input, Key, Loaded};
use iothome_engine::schedule::{ActionRun, Home, Occurrence, Schedule};
use iothome_engine::time::Timestamp;
use iothome_store::{Decided, Settled, StoreError};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::AbortHandle;

/// How long a start waits for the broker: without it conditions cannot be judged, and commands
/// would wait in vain.
const READY_MAX: Duration = Duration::from_secs(10);
/// How often it looks.
const READY_EVERY: Duration = Duration::from_millis(50);
/// After the connection the broker replays what it retained: conditions are judged by that.
const SETTLE: Duration = Duration::from_millis(500);
/// Wait before the store is read again.
const RETRY: Duration = Duration::from_secs(1);
/// How long a former life's last rows and asks may take.
const FORMER_MAX: Duration = Duration::from_secs(10);
/// The wall clock is looked at least so often: one that was set is noticed by then.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Answered with the due instant once the occurrence is durable.
pub(super) type Ran = oneshot::Sender<Result<Timestamp, HubError>>;

/// Messages of the scheduler.
pub(crate) enum SchedulerMsg {
    /// Begin: everything needed is there.
    Begin,
    /// What the store holds.
    Loaded(Result<Box<Loaded>, StoreError>),
    /// The timer.
    Tick,
    /// A schedule was written.
    Saved(Arc<Schedule>),
    /// A schedule was deleted.
    Removed(ScheduleId),
    /// The home's zone or place changed.
    Home(Box<Home>),
    /// Run a schedule now.
    Run(ScheduleId, Ran),
    /// A person says that the clock is right.
    TrustClock,
    /// What became of decisions.
    Written(Vec<(Key, Claimed)>),
    /// What became of an action.
    Ended(Key, u16, ActionEnd),
    /// A look at the agenda.
    Look(oneshot::Sender<State>),
    /// The hub stops: nothing is fired any more.
    Stop(oneshot::Sender<()>),
    /// Fail, as a bug would.
    #[cfg(any(test, feature = "test-hooks"))]
    Fail,
}

/// How the scheduler is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Whether it has begun and believes the clock, so that schedules run.
    pub running: bool,
    /// The instant until which everything is decided.
    pub reached: Timestamp,
    /// How many schedules there are.
    pub schedules: usize,
    /// How many occurrences are under way.
    pub under_way: usize,
}

/// What outlives one life of the actor.
pub(super) struct Lasting {
    pub(super) ways: Ways,
    pub(super) home: Box<dyn Fn() -> Home + Send + Sync>,
    pub(super) built_at: Timestamp,
    asks: Arc<Semaphore>,
    pen: Mutex<Option<Arc<Pen>>>,
}

impl Lasting {
    pub(super) fn new(
        ways: Ways,
        home: Box<dyn Fn() -> Home + Send + Sync>,
        built_at: Timestamp,
    ) -> Arc<Self> {
        Arc::new(Self {
            ways,
            home,
            built_at,
            asks: Arc::new(Semaphore::new(ASKS_MAX)),
            pen: Mutex::new(None),
        })
    }

    /// Puts the new life's pen in place; gives the former one's.
    fn take_over(&self, pen: &Arc<Pen>) -> Option<Arc<Pen>> {
        let mut held = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        held.replace(Arc::clone(pen))
    }
}

pub(super) struct SchedulerActor;

pub(super) struct Running {
    lasting: Arc<Lasting>,
    agenda: Agenda,
    pen: Arc<Pen>,
    me: ActorRef<SchedulerMsg>,
    /// The agenda's timer: when it rings, and who sleeps until then.
    timer: Option<AbortHandle>,
    wake_at: Option<Timestamp>,
    loaded: bool,
    stopped: bool,
    /// What came before the store was read: it may be in what was read, or not.
    early: Vec<SchedulerMsg>,
    /// Who waits for the rows of what was run by hand.
    ran: HashMap<Key, Ran>,
}

impl Actor for SchedulerActor {
    type Msg = SchedulerMsg;
    type State = Running;
    type Arguments = Arc<Lasting>;

    async fn pre_start(
        &self,
        me: ActorRef<SchedulerMsg>,
        lasting: Arc<Lasting>,
    ) -> Result<Running, ActorProcessingErr> {
        let teller = me.clone();
        let tell = Box::new(move |told| {
            // The next life reads it from the store.
            let _ = teller.cast(SchedulerMsg::Written(told));
        });
        let pen = Pen::new(lasting.ways.clone(), tell);
        lasting.ways.running.store(false, Ordering::SeqCst);
        let former = lasting.take_over(&pen);
        tokio::spawn(prepare(Arc::clone(&lasting), former, me.clone()));
        Ok(Running {
            agenda: Agenda::new((lasting.home)(), lasting.built_at),
            lasting,
            pen,
            me,
            timer: None,
            wake_at: None,
            loaded: false,
            stopped: false,
            early: Vec::new(),
            ran: HashMap::new(),
        })
    }

    async fn handle(
        &self,
        _: ActorRef<SchedulerMsg>,
        message: SchedulerMsg,
        state: &mut Running,
    ) -> Result<(), ActorProcessingErr> {
        state.take(message).await;
        Ok(())
    }
}

/// Waits for the former life's last doings and for the broker, then lets the actor begin.
async fn prepare(lasting: Arc<Lasting>, former: Option<Arc<Pen>>, me: ActorRef<SchedulerMsg>) {
    if let Some(pen) = former {
        pen.close(FORMER_MAX).await;
        // What it asked has its row, or never will, once nobody holds a permit.
        let all = u32::try_from(ASKS_MAX).unwrap_or(u32::MAX);
        let answered = lasting.asks.acquire_many(all);
        if tokio::time::timeout(FORMER_MAX, answered).await.is_err() {
            tracing::warn!("asks of the former scheduler are still under way");
        }
    } else {
        let is_ready = Arc::clone(&lasting.ways.is_ready);
        let ready = async {
            while !is_ready() {
                tokio::time::sleep(READY_EVERY).await;
            }
            tokio::time::sleep(SETTLE).await;
        };
        if tokio::time::timeout(READY_MAX, ready).await.is_err() {
            tracing::warn!("the broker is not reached yet; schedules run all the same");
        }
    }
    // The actor may have failed meanwhile: its next life has its own preparation.
    let _ = me.cast(SchedulerMsg::Begin);
}

impl Running {
    async fn take(&mut self, message: SchedulerMsg) {
        if self.stopped {
            return;
        }
        match message {
            SchedulerMsg::Begin => self.load(),
            SchedulerMsg::Loaded(loaded) => self.begin(loaded),
            SchedulerMsg::Look(reply) => {
                // Who asked may be gone.
                let _ = reply.send(self.look());
            }
            SchedulerMsg::Stop(reply) => self.stop(reply).await,
            #[cfg(any(test, feature = "test-hooks"))]
            SchedulerMsg::Fail => panic!("made to fail by a test"),
            SchedulerMsg::Tick => self.tick(),
            message if !self.loaded => self.early.push(message),
            message => self.happen(message),
        }
    }

    fn load(&self) {
        let (reading, me) = ((self.lasting.ways.load)(()), self.me.clone());
        tokio::spawn(async move {
            let read = reading.await.map(Box::new);
            if read.is_err() {
                tokio::time::sleep(RETRY).await;
            }
            // An actor that failed meanwhile is followed by one that reads again.
            let _ = me.cast(SchedulerMsg::Loaded(read));
        });
    }

    fn begin(&mut self, loaded: Result<Box<Loaded>, StoreError>) {
        match loaded {
            Err(problem) => {
                tracing::error!(%problem, "schedules cannot be read; it will be tried again");
                self.load();
            }
            Ok(loaded) => {
                let (schedules, open) = (loaded.schedules.len(), loaded.open.len());
                tracing::info!(schedules, open, "the scheduler begins");
                self.loaded = true;
                self.apply(vec![Input::Loaded(loaded)]);
                for message in std::mem::take(&mut self.early) {
                    self.happen(message);
                }
            }
        }
    }

    fn happen(&mut self, message: SchedulerMsg) {
        let inputs = match message {
            SchedulerMsg::Saved(schedule) => {
                vec![Input::Saved(schedule)]
            }
            SchedulerMsg::Removed(schedule) => vec![Input::Removed(schedule)],
            SchedulerMsg::Home(home) => vec![Input::HomeChanged(home)],
            SchedulerMsg::TrustClock => vec![Input::ClockTrusted],
            SchedulerMsg::Run(schedule, ran) => return self.run(schedule, ran),
            SchedulerMsg::Written(told) => self.written(told),
            SchedulerMsg::Ended(key, index, end) => {
                vec![Input::ActionEnded { key, index, end }]
            }
            // The others were taken before.
            _ => return,
        };
        self.apply(inputs);
    }

    fn run(&mut self, schedule: ScheduleId, ran: Ran) {
        let now = self.lasting.ways.clock.now();
        if !self.agenda.is_believed(now) {
            let refused = HubError::Conflict {
                reason: "the hub's clock is not right yet, so no schedule runs".into(),
            };
            // Who asked may be gone.
            let _ = ran.send(Err(refused));
            return;
        }
        let effects = self.effects_of(now, Input::Run(schedule));
        let claim = effects.iter().find_map(|effect| match effect {
            Effect::Claim { occurrence, .. } if occurrence.by_hand => Some(Key::of(occurrence)),
            _ => None,
        });
        match claim {
            Some(key) => {
                self.ran.insert(key, ran);
            }
            None => drop(ran.send(Err(HubError::NotFound))),
        }
        self.perform(effects);
    }

    fn written(&mut self, told: Vec<(Key, Claimed)>) -> Vec<Input> {
        let mut inputs = Vec::with_capacity(told.len());
        for (key, claimed) in told {
            if let Some(ran) = self.ran.remove(&key) {
                let outcome = match claimed {
                    Claimed::Ours => Ok(key.due_at),
                    Claimed::Others | Claimed::NotWritten => Err(HubError::Busy),
                };
                // Who asked may be gone.
                let _ = ran.send(outcome);
            }
            inputs.push(match claimed {
                Claimed::Ours => Input::Written(key),
                Claimed::Others => Input::AlreadyDecided(key),
                Claimed::NotWritten => Input::NotWritten(key),
            });
        }
        inputs
    }

    /// The timer rang: it is time, or the wall clock was set, or it is only to be looked at.
    fn tick(&mut self) {
        self.timer = None;
        let clock = &self.lasting.ways.clock;
        let moved = clock.follow();
        if moved != 0 {
            tracing::warn!(micros = moved, "the machine's clock was set");
        }
        let is_due = self.wake_at.is_none_or(|at| at <= clock.now());
        if self.loaded && (is_due || moved != 0) {
            self.apply(vec![Input::Tick]);
        } else {
            self.arm();
        }
    }

    /// Gives the agenda what happened, and does what ought to happen.
    fn apply(&mut self, inputs: Vec<Input>) {
        let now = self.lasting.ways.clock.now();
        let mut effects = Vec::new();
        for input in inputs {
            effects.append(&mut self.effects_of(now, input));
        }
        self.perform(effects);
    }

    fn effects_of(&mut self, now: Timestamp, input: Input) -> Vec<Effect> {
        let read = &self.lasting.ways.read;
        self.agenda.apply(now, input, &|target| read(target))
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        let mut firings = Vec::new();
        let mut finished = Vec::new();
        for effect in effects {
            match effect {
                Effect::Claim {
                    occurrence,
                    actions,
                } => self.pen.decide(Decided {
                    occurrence,
                    actions,
                }),
                Effect::Decide(rows) => {
                    for occurrence in rows {
                        self.pen.decide(Decided {
                            occurrence,
                            actions: Vec::new(),
                        });
                    }
                }
                Effect::Record {
                    occurrence,
                    actions,
                } => self.record(occurrence, actions),
                Effect::Fire { run, name, owner } => firings.push(Firing { run, name, owner }),
                Effect::Persist(at) => self.persist(at),
                Effect::SetTimer(at) => self.wake_at = Some(at),
                Effect::Finished(schedule) => finished.push(schedule),
                Effect::Warn(text) => tracing::warn!("{text}"),
            }
        }
        if !firings.is_empty() {
            let (ways, asks) = (self.lasting.ways.clone(), Arc::clone(&self.lasting.asks));
            tokio::spawn(fire_all(ways, firings, asks, self.me.clone()));
        }
        if !finished.is_empty() {
            tokio::spawn((self.lasting.ways.finish)(finished));
        }
        self.tell_running();
        self.arm();
    }

    fn tell_running(&self) {
        let believed = self.agenda.is_believed(self.lasting.ways.clock.now());
        let running = &self.lasting.ways.running;
        running.store(self.loaded && believed, Ordering::SeqCst);
    }

    fn record(&self, occurrence: Option<Occurrence>, actions: Vec<ActionRun>) {
        let now = self.lasting.ways.clock.now();
        let mut settled: Vec<Settled> = actions
            .into_iter()
            .map(|run| Settled {
                schedule: run.schedule,
                due_at: run.due_at,
                index: Some(run.index),
                state: run.state,
                reason: run.reason,
                at: now,
            })
            .collect();
        if let Some(row) = occurrence {
            let state = row.state.as_str();
            metrics::counter!("iothome_occurrences_total", "state" => state).increment(1);
            settled.push(Settled {
                schedule: row.schedule,
                due_at: row.due_at,
                index: None,
                state: row.state,
                reason: row.reason,
                at: row.ended_at.unwrap_or(now),
            });
        }
        self.pen.settle(settled);
    }

    fn persist(&self, at: Timestamp) {
        let persisting = (self.lasting.ways.persist)(at);
        tokio::spawn(async move {
            if let Err(problem) = persisting.await {
                tracing::error!(%problem, "the scheduler's last instant could not be written");
            }
        });
    }

    /// Sleeps until the agenda wants to be woken, or until the wall clock is to be looked at.
    fn arm(&mut self) {
        if let Some(sleeper) = self.timer.take() {
            sleeper.abort();
        }
        let clock = &self.lasting.ways.clock;
        let wait = self.wake_at.map_or(LOOK_EVERY, |at| {
            let micros = u64::try_from(at.micros_since(clock.now())).unwrap_or(0);
            Duration::from_micros(micros)
        });
        let most = if clock.follows_wall() {
            LOOK_EVERY
        } else {
            Duration::MAX
        };
        // A millisecond is the grain of the timer: it must not ring just before its time.
        let wait = wait.min(most).max(Duration::from_millis(1));
        let sleeper = self.me.send_after(wait, || SchedulerMsg::Tick);
        self.timer = Some(sleeper.abort_handle());
    }

    fn look(&self) -> State {
        let now = self.lasting.ways.clock.now();
        let (schedules, under_way) = self.agenda.counts();
        State {
            running: self.loaded && self.agenda.is_believed(now),
            reached: self.agenda.reached(),
            schedules,
            under_way,
        }
    }

    /// Fires nothing any more, and writes what has ended and how far it came.
    async fn stop(&mut self, reply: oneshot::Sender<()>) {
        self.stopped = true;
        if let Some(sleeper) = self.timer.take() {
            sleeper.abort();
        }
        let (pen, loaded) = (Arc::clone(&self.pen), self.loaded);
        let persisting = (self.lasting.ways.persist)(self.agenda.durable_until());
        tokio::spawn(async move {
            pen.close(FORMER_MAX).await;
            if loaded && let Err(problem) = persisting.await {
                tracing::error!(%problem, "the scheduler's last instant could not be written");
            }
            // The hub may have lost patience.
            let _ = reply.send(());
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(sleeper) = &self.timer {
            sleeper.abort();
        }
    }
}
