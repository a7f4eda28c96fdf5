//! What every device's actor is given to work with.
//!
//! Owner of the ways out of a device: wire, journal, recorder, changes. Nothing
//! here may wait: each way hands over to somebody else's queue.

use crate::clock::Clock;
use crate::complaints::Complaints;
use crate::hooks;
use crate::house::{Change, House};
use crate::journal::{Done, Journal};
use crate::mqtt::{Mqtt, Routes};
use crate::recorder::Recorder;
use arc_swap::ArcSwap;
use iothome_engine::command::{Command, CommandWrite, Status, reason};
use iothome_engine::device::{Outgoing, Shared};
use iothome_engine::ids::{CommandId, DeviceId};
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{broadcast, oneshot};

/// Acts kept until the connection to the broker is started: as many as an outbox holds.
const EARLY_MAX: usize = 4_096;

/// The house's services, shared by all its actors.
pub(crate) struct Services {
    pub(crate) clock: Clock,
    pub(crate) house: House,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) journal: Journal,
    pub(crate) recorder: Recorder,
    pub(crate) routes: Arc<Routes>,
    pub(crate) wire: Wire,
    pub(crate) waiters: Waiters,
    pub(crate) complaints: Complaints,
    pub(crate) shared: ArcSwap<Shared>,
    /// Whether the connection to the broker stands; written by the MQTT actor's events alone.
    pub(crate) broker_up: AtomicBool,
}

impl Services {
    /// Tells everybody who looks at the house. With nobody looking it is lost, as it should be.
    pub(crate) fn tell(&self, change: Change) {
        let _ = self.changes.send(change);
    }

    /// The end of a command was written, or never will be: who waits for it is told.
    pub(crate) fn command_ended(&self, command: &Command, durable: bool) {
        if durable {
            hooks::pass(hooks::ENDED);
            self.tell(Change::Command(Arc::new(command.clone())));
            self.waiters.ended(command);
        } else {
            self.waiters.forget(command.id);
        }
    }

    /// Ends the commands of a device that is gone: nobody else would.
    pub(crate) fn end_orphans(self: &Arc<Self>, commands: impl IntoIterator<Item = Command>) {
        let now = self.clock.now();
        for mut command in commands {
            let why = reason::DEVICE_REMOVED.to_owned();
            command.end(now, Status::Rejected, Some(why));
            let (services, ended) = (Arc::clone(self), command.clone());
            let done = Done::new(move |durable| services.command_ended(&ended, durable));
            self.journal.write(CommandWrite::Ended(command), done);
        }
    }
}

/// Something to be done at the broker.
#[derive(Debug)]
pub(crate) enum Act {
    /// Publish a command.
    Publish(DeviceId, Outgoing),
    /// Take a command out of the outbox.
    Unpublish(CommandId),
    /// Remove the retained message of a topic.
    ClearRetained(String),
}

/// The way to the MQTT actor, which is started after the devices.
pub(crate) struct Wire {
    end: Mutex<End>,
}

enum End {
    /// Not connected yet: what came so far, in order.
    Early(Vec<Act>),
    Broker(Mqtt),
    #[cfg(test)]
    Probe(tokio::sync::mpsc::UnboundedSender<Act>),
}

impl Wire {
    pub(crate) fn new() -> Self {
        Self {
            end: Mutex::new(End::Early(Vec::new())),
        }
    }

    #[cfg(test)]
    pub(crate) fn probe(probe: tokio::sync::mpsc::UnboundedSender<Act>) -> Self {
        Self {
            end: Mutex::new(End::Probe(probe)),
        }
    }

    /// Gives what waited to the broker connection, and from now on everything.
    pub(crate) fn connect(&self, mqtt: Mqtt) {
        let mut end = self.lock();
        if let End::Early(acts) = &mut *end {
            for act in std::mem::take(acts) {
                perform(&mqtt, act);
            }
        }
        *end = End::Broker(mqtt);
    }

    /// Hands it over.
    pub(crate) fn act(&self, act: Act) {
        match &mut *self.lock() {
            End::Early(acts) if acts.len() < EARLY_MAX => acts.push(act),
            End::Early(_) => metrics::counter!("iothome_outbox_dropped_total").increment(1),
            End::Broker(mqtt) => perform(mqtt, act),
            #[cfg(test)]
            // A test that no longer looks is content.
            End::Probe(probe) => drop(probe.send(act)),
        }
    }

    /// The connection to the broker, once it is started.
    pub(crate) fn mqtt(&self) -> Option<Mqtt> {
        match &*self.lock() {
            End::Broker(mqtt) => Some(mqtt.clone()),
            _ => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn perform(mqtt: &Mqtt, act: Act) {
    match act {
        Act::Publish(device, outgoing) => {
            hooks::pass(hooks::PUBLISH);
            mqtt.publish(outgoing, device);
            hooks::pass(hooks::PUBLISHED);
        }
        Act::Unpublish(command) => mqtt.unpublish(command),
        Act::ClearRetained(topic) => mqtt.clear_retained(&topic),
    }
}

/// Those who wait for the end of a command. Bounded by the commands under way.
#[derive(Default)]
pub(crate) struct Waiters {
    waiting: Mutex<HashMap<CommandId, Vec<oneshot::Sender<Command>>>>,
}

impl Waiters {
    /// Resolves with the command once its end is durable.
    pub(crate) fn wait(&self, command: CommandId) -> oneshot::Receiver<Command> {
        let (tell, ended) = oneshot::channel();
        self.lock().entry(command).or_default().push(tell);
        ended
    }

    /// The end of the command is durable.
    pub(crate) fn ended(&self, command: &Command) {
        let waiting = self.lock().remove(&command.id);
        for tell in waiting.into_iter().flatten() {
            // Who waited may have gone; the row tells it to whoever asks later.
            let _ = tell.send(command.clone());
        }
    }

    /// There is no such command, or its end will never be durable.
    pub(crate) fn forget(&self, command: CommandId) {
        self.lock().remove(&command);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CommandId, Vec<oneshot::Sender<Command>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
