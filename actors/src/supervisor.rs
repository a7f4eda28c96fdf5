//! The supervisor of all devices: starts them, and starts again those that fail.
//!
//! Owner of the devices' lives and of the house's directory. A device that fails
//! too often is quarantined alone; it must never let one device's failure touch
//! another, nor end itself because of one.

use crate::device::{DeviceActor, DeviceArgs, DeviceMsg, broker_input};
use crate::house::{Cell, Change, Door};
use crate::services::Services;
use crate::setup::{self, Newcomer, blank_view};
use futures_util::future::BoxFuture;
use iothome_engine::command::Command;
use iothome_engine::device::{DeviceSetup, Input};
use iothome_engine::ids::DeviceId;
use iothome_engine::supervision::{Policy, Restarts, Verdict};
use iothome_engine::view::Health;
use iothome_store::{Store, StoreError, StoredDevice};
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a restart waits for writes of the former life; then it reads the store as it is, and
/// what is written later is ended at the next start.
const BARRIER_MAX: Duration = Duration::from_secs(5);

/// Wait after the store could not be read, and after a failure in quarantine.
const LATER: Duration = Duration::from_secs(5);

/// Messages of the device supervisor.
pub(crate) enum SupervisorMsg {
    /// Start these devices; answered when all run.
    Start(Vec<Newcomer>, oneshot::Sender<()>),
    /// Start every device of the directory again: the supervisor itself was started again.
    Recover,
    /// Read the device from the store, to start it again.
    Load(DeviceId),
    /// It was read; `None` if it is no longer stored.
    Loaded(DeviceId, Result<Option<Box<Newcomer>>, String>),
    /// Its stored configuration changed.
    Reconfigure(Box<DeviceSetup>),
    /// Let it out of quarantine now; answers whether it was in.
    Release(DeviceId, oneshot::Sender<bool>),
    /// Let it out of quarantine if its time is over.
    Due(DeviceId),
    /// End its commands and its actor, and take it from the directory.
    Remove(DeviceId, oneshot::Sender<()>),
    /// A minute has passed: forgive those that work.
    Minute,
    /// Test hook: panic, as a bug would.
    #[cfg(test)]
    Fail,
}

/// The actor; everything is in its state.
pub(crate) struct DeviceSupervisor;

pub(crate) struct Supervised {
    services: Arc<Services>,
    reader: Reader,
    policy: Policy,
    kids: HashMap<DeviceId, Kid>,
    ids: HashMap<ActorId, DeviceId>,
}

struct Kid {
    cell: Arc<Cell>,
    restarts: Restarts,
    /// A configuration that came while there was no actor to take it.
    newer: Option<Box<DeviceSetup>>,
    /// Whoever waits until it is gone.
    leaving: Option<oneshot::Sender<()>>,
}

/// What the device supervisor is started with.
#[derive(Clone)]
pub(crate) struct SupervisorArgs {
    pub(crate) services: Arc<Services>,
    pub(crate) reader: Reader,
    pub(crate) policy: Policy,
}

/// A device as it is stored, `None` if it is deleted, and its open commands.
pub(crate) type Read = Result<(Option<StoredDevice>, Vec<Command>), StoreError>;

/// How a device is read: the store's functions, or a test's.
pub(crate) type Reader = Arc<dyn Fn(DeviceId) -> BoxFuture<'static, Read> + Send + Sync>;

/// Reads from the store.
pub(crate) fn reader(store: &Store) -> Reader {
    let store = store.clone();
    Arc::new(move |device| {
        let store = store.clone();
        Box::pin(async move {
            let stored = store.device(&device).await?;
            Ok((stored, store.open_commands(&device).await?))
        })
    })
}

impl Actor for DeviceSupervisor {
    type Msg = SupervisorMsg;
    type State = Supervised;
    type Arguments = SupervisorArgs;

    async fn pre_start(
        &self,
        _: ActorRef<SupervisorMsg>,
        args: SupervisorArgs,
    ) -> Result<Supervised, ActorProcessingErr> {
        Ok(Supervised {
            services: args.services,
            reader: args.reader,
            policy: args.policy,
            kids: HashMap::new(),
            ids: HashMap::new(),
        })
    }

    async fn handle(
        &self,
        me: ActorRef<SupervisorMsg>,
        message: SupervisorMsg,
        state: &mut Supervised,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMsg::Start(newcomers, reply) => {
                state.start(&me, newcomers).await;
                // Whoever asked may be gone; the devices run.
                let _ = reply.send(());
            }
            SupervisorMsg::Recover => state.recover(&me),
            SupervisorMsg::Load(device) => state.load(&me, device),
            SupervisorMsg::Loaded(device, outcome) => state.loaded(&me, device, outcome).await,
            SupervisorMsg::Reconfigure(setup) => state.reconfigure(setup),
            SupervisorMsg::Release(device, reply) => {
                let _ = reply.send(state.release(&device));
            }
            SupervisorMsg::Due(device) => state.due(&device),
            SupervisorMsg::Remove(device, reply) => state.remove(&me, device, reply),
            SupervisorMsg::Minute => state.minute(),
            #[cfg(test)]
            SupervisorMsg::Fail => panic!("made to fail by a test"),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<SupervisorMsg>,
        event: SupervisionEvent,
        state: &mut Supervised,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, problem) => {
                if let Some(device) = state.ids.remove(&cell.get_id()) {
                    state.failed(&me, device, &problem.to_string());
                }
            }
            SupervisionEvent::ActorTerminated(cell, ..) => {
                if let Some(device) = state.ids.remove(&cell.get_id()) {
                    state.stopped(&me, device);
                }
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}

impl Supervised {
    /// Starts devices. They enter the directory together, once they have shown themselves.
    async fn start(&mut self, me: &ActorRef<SupervisorMsg>, newcomers: Vec<Newcomer>) {
        let mut cells = Vec::with_capacity(newcomers.len());
        for newcomer in newcomers {
            let device = newcomer.setup.id.clone();
            // A cell that is there already belongs to a device whose supervisor failed.
            let cell = self.services.house.cell(&device);
            let cell = cell.unwrap_or_else(|| Cell::new(blank_view(&newcomer.setup)));
            let kid = Kid {
                cell: Arc::clone(&cell),
                restarts: Restarts::new(self.policy),
                newer: None,
                leaving: None,
            };
            self.kids.insert(device.clone(), kid);
            cells.push((device, cell));
            self.spawn(me, newcomer).await;
        }
        self.services.house.add(cells);
        self.services.tell(Change::Directory);
        self.gauge();
    }

    async fn spawn(&mut self, me: &ActorRef<SupervisorMsg>, newcomer: Newcomer) {
        let device = newcomer.setup.id.clone();
        let Some(kid) = self.kids.get_mut(&device) else {
            return;
        };
        let newer = kid.newer.take();
        let (cell, up) = (
            Arc::clone(&kid.cell),
            DeviceArgs::broker_now(&self.services),
        );
        let args = DeviceArgs {
            setup: newcomer.setup,
            open: newcomer.open,
            quarantined: kid
                .restarts
                .quarantined()
                .map(|(reason, _)| reason.to_owned()),
            cell: Arc::clone(&cell),
            services: Arc::clone(&self.services),
            broker_up: up,
        };
        match Actor::spawn_linked(None, DeviceActor, args, me.get_cell()).await {
            Ok((actor, _)) => {
                self.ids.insert(actor.get_id(), device);
                cell.set_door(Door::Open(actor.clone()));
                if let Some(setup) = newer {
                    let _ = actor.cast(DeviceMsg::input(Input::Reconfigured(setup)));
                }
                // The connection may have come or gone while the door was closed.
                let now = DeviceArgs::broker_now(&self.services);
                if now != up {
                    let _ = actor.cast(DeviceMsg::input(broker_input(now)));
                }
            }
            Err(problem) => self.failed(me, device, &problem.to_string()),
        }
    }

    fn failed(&mut self, me: &ActorRef<SupervisorMsg>, device: DeviceId, words: &str) {
        let Some(kid) = self.kids.get_mut(&device) else {
            return;
        };
        kid.cell.set_door(Door::Starting);
        if kid.leaving.is_some() {
            // It may have failed before it ended its commands.
            self.load(me, device);
            return;
        }
        metrics::counter!("iothome_restarts_total", "actor" => "device").increment(1);
        let was_in = kid.restarts.quarantined().is_some();
        let now = self.services.clock.now();
        let wait = match kid.restarts.failed(now, words) {
            Verdict::RestartAfter(ms) => {
                tracing::warn!(%device, problem = words, wait_ms = ms, "the device failed; starting it again");
                Duration::from_millis(ms)
            }
            Verdict::Quarantine { .. } if was_in => LATER,
            Verdict::Quarantine { reason, until } => {
                tracing::error!(%device, reason, %until, "the device is quarantined");
                show_quarantined(&kid.cell, &reason);
                let ms = u64::try_from(until.millis_since(now)).unwrap_or(0);
                let due = device.clone();
                me.send_after(Duration::from_millis(ms), move || SupervisorMsg::Due(due));
                Duration::ZERO
            }
        };
        self.services.tell(Change::Device(device.clone()));
        self.gauge();
        me.send_after(wait, move || SupervisorMsg::Load(device));
    }

    /// Reads the device in a task of its own: the supervisor must not wait for the store.
    fn load(&self, me: &ActorRef<SupervisorMsg>, device: DeviceId) {
        let Some(kid) = self.kids.get(&device) else {
            return;
        };
        let (services, cell) = (Arc::clone(&self.services), Arc::clone(&kid.cell));
        let (reader, me, id) = (Arc::clone(&self.reader), me.clone(), device.clone());
        let reading = tokio::spawn(async move { read(&services, &reader, &cell, id).await });
        tokio::spawn(async move {
            let outcome = match reading.await {
                Ok(Ok(found)) => Ok(found.map(Box::new)),
                Ok(Err(problem)) => Err(problem.to_string()),
                Err(panicked) => Err(panicked.to_string()),
            };
            // A supervisor that has failed meanwhile recovers by reading everything.
            let _ = me.cast(SupervisorMsg::Loaded(device, outcome));
        });
    }

    async fn loaded(
        &mut self,
        me: &ActorRef<SupervisorMsg>,
        device: DeviceId,
        outcome: Result<Option<Box<Newcomer>>, String>,
    ) {
        let leaving = self.kids.get(&device).is_none_or(|k| k.leaving.is_some());
        match outcome {
            _ if leaving => self.ended(&device),
            Ok(Some(newcomer)) => {
                self.spawn(me, *newcomer).await;
                self.gauge();
            }
            Ok(None) => self.ended(&device),
            Err(problem) => {
                tracing::error!(%device, problem, "the device cannot be read; it will be tried again");
                me.send_after(LATER, move || SupervisorMsg::Load(device));
            }
        }
    }

    /// After the supervisor itself failed: the cells are there, the actors are not.
    fn recover(&mut self, me: &ActorRef<SupervisorMsg>) {
        for cell in self.services.house.cells() {
            let device = cell.view().id.clone();
            cell.set_door(Door::Starting);
            let kid = Kid {
                cell,
                restarts: Restarts::new(self.policy),
                newer: None,
                leaving: None,
            };
            self.kids.insert(device.clone(), kid);
            self.load(me, device);
        }
    }

    fn reconfigure(&mut self, setup: Box<DeviceSetup>) {
        let Some(kid) = self.kids.get_mut(&setup.id) else {
            return;
        };
        match kid.cell.actor() {
            Some(actor) => {
                let _ = actor.cast(DeviceMsg::input(Input::Reconfigured(setup)));
            }
            None => kid.newer = Some(setup),
        }
    }

    fn release(&mut self, device: &DeviceId) -> bool {
        let Some(kid) = self.kids.get_mut(device) else {
            return false;
        };
        let released = kid.restarts.release();
        if released {
            kid.cell.cast(DeviceMsg::Release);
            self.gauge();
        }
        released
    }

    fn due(&mut self, device: &DeviceId) {
        let now = self.services.clock.now();
        if let Some(kid) = self.kids.get_mut(device)
            && kid.restarts.release_if_due(now)
        {
            tracing::info!(%device, "the quarantine is over");
            kid.cell.cast(DeviceMsg::Release);
            self.gauge();
        }
    }

    fn remove(
        &mut self,
        me: &ActorRef<SupervisorMsg>,
        device: DeviceId,
        reply: oneshot::Sender<()>,
    ) {
        let Some(kid) = self.kids.get_mut(&device) else {
            let _ = reply.send(());
            return;
        };
        kid.leaving = Some(reply);
        let Some(actor) = kid.cell.actor() else {
            // It is being started: it ends as soon as it is read.
            return;
        };
        let _ = actor.cast(DeviceMsg::input(Input::Removed));
        // Lets it work off its mailbox, the removal included, before it stops.
        if actor.drain().is_err() {
            self.load(me, device);
        }
    }

    /// It ended by itself: because it was deleted, or to be built anew.
    fn stopped(&mut self, me: &ActorRef<SupervisorMsg>, device: DeviceId) {
        let Some(kid) = self.kids.get(&device) else {
            return;
        };
        // If it was deleted, the store no longer has it, and what it left unended is ended.
        kid.cell.set_door(Door::Starting);
        self.load(me, device);
    }

    fn ended(&mut self, device: &DeviceId) {
        let Some(kid) = self.kids.remove(device) else {
            return;
        };
        kid.cell.set_door(Door::Gone);
        self.services.routes.remove(device);
        self.services.house.remove(device);
        self.services.tell(Change::Directory);
        self.gauge();
        if let Some(reply) = kid.leaving {
            let _ = reply.send(());
        }
    }

    fn minute(&mut self) {
        let now = self.services.clock.now();
        for kid in self.kids.values_mut() {
            kid.restarts.healthy(now);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "devices are fewer than 2^52")]
    fn gauge(&self) {
        let quarantined = self
            .kids
            .values()
            .filter(|k| k.restarts.quarantined().is_some());
        metrics::gauge!("iothome_devices").set(self.kids.len() as f64);
        metrics::gauge!("iothome_devices_quarantined").set(quarantined.count() as f64);
    }
}

/// There is no actor at this moment, so the supervisor shows it.
fn show_quarantined(cell: &Cell, reason: &str) {
    let mut view = (*cell.view()).clone();
    view.health = Health::Quarantined;
    view.reason = Some(reason.to_owned());
    view.revision = view.revision.saturating_add(1);
    cell.show(view);
}

/// The device as it is stored, with what its last view knew.
async fn read(
    services: &Arc<Services>,
    reader: &Reader,
    cell: &Cell,
    device: DeviceId,
) -> Result<Option<Newcomer>, StoreError> {
    services.journal.barrier(BARRIER_MAX).await;
    let (stored, open) = reader(device).await?;
    let Some(stored) = stored else {
        // It was deleted while it had no actor to end them.
        services.end_orphans(open);
        return Ok(None);
    };
    let view = cell.view();
    let shared = services.shared.load();
    let past = |entity: &_| setup::past_in(&view, entity);
    let mut setup = setup::setup_of(&stored, &shared.templates, &services.complaints, past);
    setup.coalesced = view.coalesced;
    Ok(Some(Newcomer { setup, open }))
}

#[cfg(test)]
#[path = "supervisor_tests.rs"]
mod tests;
