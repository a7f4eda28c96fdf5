//! The actor of one device: performs what the pure device decides.
//!
//! Owner of the device's state while it lives, and the only writer of its view.
//! It must never wait: whatever is slow is handed to somebody else's queue and
//! comes back as an input.

use crate::error::AskError;
use crate::house::{Cell, Change};
use crate::inbox::Inbox;
use crate::journal::Done;
use crate::services::{Act, Services};
use crate::timers::Timers;
use iothome_engine::command::{Ask, Command, CommandWrite, Refusal};
use iothome_engine::device::{Device, DeviceSetup, Effect, Input};
use iothome_engine::ids::{CommandId, DeviceId, EntityId, EntityRef};
use iothome_engine::time::Timestamp;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Messages applied before the actor looks at its mailbox again: a flood of reports must not
/// keep a command waiting for long. 64 reports take well under a millisecond.
const MESSAGES_AT_ONCE: usize = 64;

/// The answer to an ask: the command as it is once its acceptance is durable.
pub(crate) type Answer = oneshot::Sender<Result<Command, AskError>>;

/// Messages of a device's actor.
pub(crate) enum DeviceMsg {
    /// Somebody asks something of it.
    Ask(Box<Ask>, Answer),
    /// Its inbox holds messages.
    Wake,
    /// A timer is due.
    Tick,
    /// Something happened.
    Input(Box<Input>),
    /// It is let out of quarantine.
    Release,
    /// What all devices share has changed: end, to be built anew from the store.
    Rebuild,
    /// Test hook: panic, as a bug would.
    #[cfg(any(test, feature = "test-hooks"))]
    Fail,
}

impl DeviceMsg {
    /// Something happened.
    pub(crate) fn input(input: Input) -> Self {
        Self::Input(Box::new(input))
    }
}

/// What a device's actor is started with.
pub(crate) struct DeviceArgs {
    pub(crate) setup: DeviceSetup,
    /// Commands without an end, from the store.
    pub(crate) open: Vec<Command>,
    /// Why it is quarantined, if it is: then it answers asks and hears nothing.
    pub(crate) quarantined: Option<String>,
    pub(crate) cell: Arc<Cell>,
    pub(crate) services: Arc<Services>,
    /// Whether the broker is connected.
    pub(crate) broker_up: bool,
}

/// The actor; everything is in its state.
pub(crate) struct DeviceActor;

pub(crate) struct DeviceState {
    id: DeviceId,
    device: Device,
    cell: Arc<Cell>,
    services: Arc<Services>,
    inbox: Arc<Inbox>,
    timers: Timers,
    actor: ActorRef<DeviceMsg>,
    /// Whether the view must be shown again.
    changed: bool,
    quarantined: bool,
    topics: Vec<String>,
    /// Who reads what, to say whose history lost something.
    readers: Vec<(String, EntityId)>,
    protected: Vec<String>,
    /// The revision of the last view of the former life; views only grow.
    revision_base: u64,
}

impl Actor for DeviceActor {
    type Msg = DeviceMsg;
    type State = DeviceState;
    type Arguments = DeviceArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<DeviceMsg>,
        args: DeviceArgs,
    ) -> Result<DeviceState, ActorProcessingErr> {
        Ok(DeviceState::start(myself, args))
    }

    async fn handle(
        &self,
        me: ActorRef<DeviceMsg>,
        message: DeviceMsg,
        state: &mut DeviceState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            DeviceMsg::Ask(ask, answer) => state.ask(&ask, answer),
            DeviceMsg::Wake => state.hear(),
            DeviceMsg::Tick => state.tick(),
            DeviceMsg::Input(input) => state.happen(*input),
            DeviceMsg::Release => state.release(),
            DeviceMsg::Rebuild => me.stop(None),
            #[cfg(any(test, feature = "test-hooks"))]
            DeviceMsg::Fail => panic!("made to fail by a test"),
        }
        state.settle();
        Ok(())
    }
}

impl DeviceState {
    fn start(actor: ActorRef<DeviceMsg>, args: DeviceArgs) -> Self {
        let now = args.services.clock.now();
        let waker = actor.clone();
        let inbox = Inbox::new(move || {
            // A stopped actor needs no waking.
            let _ = waker.cast(DeviceMsg::Wake);
        });
        let id = args.setup.id.clone();
        let mut state = Self {
            revision_base: args.cell.view().revision,
            readers: readers(&args.setup),
            device: Device::new(args.setup, args.services.shared.load_full(), now),
            id,
            cell: args.cell,
            services: args.services,
            inbox,
            timers: Timers::default(),
            actor,
            changed: true,
            quarantined: args.quarantined.is_some(),
            topics: Vec::new(),
            protected: Vec::new(),
        };
        state.apply(
            now,
            Input::Resumed {
                commands: args.open,
            },
        );
        if let Some(reason) = args.quarantined {
            state.apply(now, Input::Quarantined { reason });
        }
        state.apply(now, broker_input(args.broker_up));
        state.listen();
        state.settle();
        state
    }

    /// Makes the broker's messages come to this inbox, and takes over the former life's.
    fn listen(&mut self) {
        self.topics = self.device.read_topics();
        self.protect();
        let (services, id) = (&self.services, &self.id);
        if self.quarantined {
            self.cell
                .move_in(&self.inbox, || services.routes.remove(id));
            return;
        }
        let topics = self.topics.clone();
        let inbox = &self.inbox;
        self.cell
            .move_in(inbox, || services.routes.set(id, topics, inbox));
        let _ = self.actor.cast(DeviceMsg::Wake);
    }

    fn ask(&mut self, ask: &Ask, answer: Answer) {
        let now = self.services.clock.now();
        let healthy = self.services.journal.healthy();
        self.apply(now, Input::Journal { healthy });
        match self.device.ask(now, ask) {
            Ok((command, effects)) => {
                let asked = Asked::new(command, &effects, answer);
                self.perform(effects, Some(&asked));
            }
            Err(refusal) => {
                let command = ask.id;
                let error = match refusal {
                    Refusal::NotDurable(_) => AskError::NotDurable {
                        command,
                        sent: false,
                    },
                    other => AskError::Refused(other),
                };
                // The asker may have gone: nothing was done, so nothing is lost.
                let _ = answer.send(Err(error));
            }
        }
    }

    /// Applies what waits, one message at a time, so that one that kills takes only itself along.
    fn hear(&mut self) {
        if self.quarantined {
            return;
        }
        for _ in 0..MESSAGES_AT_ONCE {
            let Some(message) = self.next_message() else {
                return;
            };
            metrics::counter!("iothome_reports_total").increment(1);
            let input = Input::Reported {
                topic: message.topic,
                payload: message.payload.to_vec(),
                retained: message.retained,
                received_at: message.received_at,
            };
            self.happen(input);
        }
        let _ = self.actor.cast(DeviceMsg::Wake);
    }

    fn next_message(&mut self) -> Option<crate::inbox::Message> {
        if let Some(message) = self.cell.next() {
            return Some(message);
        }
        let (messages, coalesced) = self.inbox.drain(MESSAGES_AT_ONCE);
        if coalesced > 0 {
            metrics::counter!("iothome_reports_coalesced_total").increment(coalesced);
            self.happen(Input::Coalesced { count: coalesced });
            self.record_lost();
        }
        if !messages.is_empty() {
            metrics::histogram!("iothome_inbox_batch_size").record(messages.len() as f64);
        }
        self.cell.queue(messages);
        self.cell.next()
    }

    /// What was coalesced is missing from the history, which must say so.
    fn record_lost(&self) {
        let now = self.services.clock.now();
        for (topic, count) in self.inbox.take_lost() {
            for (_, entity) in self.readers.iter().filter(|(t, _)| **t == *topic) {
                let target = EntityRef {
                    device: self.id.clone(),
                    entity: entity.clone(),
                };
                self.services.recorder.lost(target, now, count);
            }
        }
    }

    fn tick(&mut self) {
        self.timers.woken();
        let now = self.services.clock.now();
        for (timer, at) in self.timers.take_due(now) {
            self.apply(now, Input::Fired { timer, at });
        }
    }

    fn release(&mut self) {
        self.quarantined = false;
        self.happen(Input::Released);
        self.listen();
    }

    fn happen(&mut self, input: Input) {
        let reconfigured = if let Input::Reconfigured(setup) = &input {
            self.readers = readers(setup);
            true
        } else {
            false
        };
        self.apply(self.services.clock.now(), input);
        if reconfigured {
            self.subscribe_again();
        }
    }

    fn subscribe_again(&mut self) {
        let topics = self.device.read_topics();
        if topics == self.topics || self.quarantined {
            return;
        }
        self.topics.clone_from(&topics);
        self.services.routes.set(&self.id, topics, &self.inbox);
    }

    fn apply(&mut self, now: Timestamp, input: Input) {
        let effects = self.device.apply(now, input);
        self.perform(effects, None);
    }

    fn perform(&mut self, effects: Vec<Effect>, asked: Option<&Asked>) {
        for effect in effects {
            match effect {
                Effect::Persist(write) => self.persist(write, asked),
                Effect::Publish(outgoing) => {
                    let act = Act::Publish(self.id.clone(), outgoing);
                    self.services.wire.act(act);
                }
                Effect::Unpublish { command } => self.services.wire.act(Act::Unpublish(command)),
                Effect::SetTimer { timer, at } => self.timers.set(timer, at),
                Effect::Record(sample) => self.services.recorder.record(sample),
                Effect::RecordState(state) => self.services.recorder.last_state(state),
                Effect::RecordAvailability { online, at } => {
                    self.services.recorder.availability(&self.id, at, online);
                }
                Effect::Warn { what } => self.services.complaints.note(self.id.as_str(), &what),
                Effect::Changed => self.changed = true,
            }
        }
    }

    fn persist(&self, write: CommandWrite, asked: Option<&Asked>) {
        let done = match &write {
            CommandWrite::Accepted(command, _) => self.accepted(command, asked),
            CommandWrite::Sending(command) => self.marked(*command),
            CommandWrite::Ended(command) => self.ended(command, asked),
        };
        self.services.journal.write(write, done);
    }

    fn accepted(&self, command: &Command, asked: Option<&Asked>) -> Done {
        let (actor, services) = (self.actor.clone(), Arc::clone(&self.services));
        let asked = asked.filter(|a| a.command.id == command.id).cloned();
        let command = command.clone();
        Done::new(move |durable| {
            let id = command.id;
            let input = if durable {
                Input::Stored { command: id }
            } else {
                Input::NotStored { command: id }
            };
            // If the actor has failed meanwhile, the next one finds the row in the store.
            let _ = actor.cast(DeviceMsg::input(input));
            if durable {
                crate::hooks::pass(crate::hooks::ROW);
                services.tell(Change::Command(Arc::new(command)));
            }
            if let Some(asked) = asked {
                asked.stored(durable, &services);
            }
        })
    }

    fn marked(&self, command: CommandId) -> Done {
        let actor = self.actor.clone();
        Done::new(move |durable| {
            let input = if durable {
                Input::SendingStored { command }
            } else {
                Input::NotStored { command }
            };
            // If the actor has failed meanwhile, the next one finds the mark in the store.
            let _ = actor.cast(DeviceMsg::input(input));
        })
    }

    fn ended(&self, command: &Command, asked: Option<&Asked>) -> Done {
        let status = command.status.as_str();
        metrics::counter!("iothome_commands_total", "end" => status).increment(1);
        if let Some(ms) = command.latency_ms() {
            metrics::histogram!("iothome_command_seconds", "end" => status).record(ms / 1000.0);
        }
        let services = Arc::clone(&self.services);
        let asked = asked.filter(|a| a.command.id == command.id).cloned();
        let command = command.clone();
        Done::new(move |durable| {
            services.command_ended(&command, durable);
            if let Some(asked) = asked {
                asked.ended(durable, command);
            }
        })
    }

    /// After each message: show what changed, and sleep until the next timer.
    fn settle(&mut self) {
        if std::mem::take(&mut self.changed) {
            let mut view = self.device.view();
            view.revision = view.revision.saturating_add(self.revision_base);
            self.cell.show(view);
            self.services.tell(Change::Device(self.id.clone()));
        }
        self.protect();
        let actor = self.actor.clone();
        self.timers.arm(self.services.clock.now(), |wait| {
            actor.send_after(wait, || DeviceMsg::Tick).abort_handle()
        });
    }

    /// Tells the inbox which topics may not be coalesced now.
    fn protect(&mut self) {
        let device = &self.device;
        let mut sensitive = self.topics.iter().filter(|t| device.is_sensitive(t));
        if self.protected.iter().eq(sensitive.by_ref()) {
            return;
        }
        let sensitive = self.topics.iter().filter(|t| device.is_sensitive(t));
        let protected: Vec<String> = sensitive.cloned().collect();
        self.inbox.protect(protected.iter().cloned());
        self.protected = protected;
    }
}

/// The entities by the topics that report their state.
fn readers(setup: &DeviceSetup) -> Vec<(String, EntityId)> {
    let entities = setup.entities.iter();
    entities
        .flat_map(|e| {
            let shared = e
                .config
                .availability
                .topics
                .iter()
                .map(|a| a.topic.as_str());
            let shared: Vec<&str> = shared.collect();
            let own = e.config.read_topics().into_iter();
            own.filter(move |t| !shared.contains(t))
                .map(|t| (t.to_owned(), e.id.clone()))
        })
        .collect()
}

/// Whether the broker is connected, as the device is told.
pub(crate) fn broker_input(up: bool) -> Input {
    if up {
        Input::BrokerUp
    } else {
        Input::BrokerDown
    }
}

/// An ask that became a command and waits for its durable answer. It is told from the journal, so
/// that the answer comes also if the device's actor fails meanwhile.
#[derive(Clone)]
struct Asked {
    command: Command,
    sent: bool,
    ends_at_once: bool,
    answer: Arc<Mutex<Option<Answer>>>,
}

impl Asked {
    fn new(command: Command, effects: &[Effect], answer: Answer) -> Self {
        let publishes = |e: &Effect| matches!(e, Effect::Publish(o) if o.command == command.id);
        let ends =
            |e: &Effect| matches!(e, Effect::Persist(CommandWrite::Ended(c)) if c.id == command.id);
        Self {
            sent: effects.iter().any(publishes),
            ends_at_once: effects.iter().any(ends),
            command,
            answer: Arc::new(Mutex::new(Some(answer))),
        }
    }

    fn stored(self, durable: bool, services: &Services) {
        if !durable {
            let (command, sent) = (self.command.id, self.sent);
            if !sent {
                services.waiters.forget(command);
            }
            self.say(Err(AskError::NotDurable { command, sent }));
        } else if !self.ends_at_once {
            let command = self.command.clone();
            self.say(Ok(command));
        }
    }

    fn ended(self, durable: bool, command: Command) {
        let (id, sent) = (command.id, self.sent);
        self.say(if durable {
            Ok(command)
        } else {
            Err(AskError::NotDurable { command: id, sent })
        });
    }

    fn say(&self, outcome: Result<Command, AskError>) {
        let answer = self
            .answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(answer) = answer {
            // The asker may have lost patience; the command goes on all the same.
            let _ = answer.send(outcome);
        }
    }
}

impl DeviceArgs {
    /// The connection as it is at this moment.
    pub(crate) fn broker_now(services: &Services) -> bool {
        services.broker_up.load(Ordering::SeqCst)
    }
}
