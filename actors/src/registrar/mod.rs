//! The registrar: who becomes a device of the house, and who may speak for it.
//!
//! Owner of every change of the devices' stored configuration and of the broker's
//! access list, one at a time: announcements, acceptance, hand-made devices,
//! credentials. It may wait for the store; devices go on meanwhile. It must never
//! let an announcement touch ids, names given by people, rooms or grants.

mod accept;
mod announce;
mod bench;
mod by_hand;
mod credentials;
mod index;
mod plan;
mod queue;
mod registry;
mod rooms;
mod waiting;

#[cfg(test)]
mod tests;

pub use accept::Accept;
pub use bench::TestPayload;
pub use by_hand::{DevicePatch, EntityPatch, NewDevice, NewEntity};
pub use credentials::{IssuedCredential, NewCredential};
pub use rooms::ROOMS_MAX;
pub use waiting::NewDeviceView;

pub use registry::Cut;
pub(crate) use registry::{Registry, Rules, Tools};

use crate::error::HubError;
use crate::root::{Kept, Recipe};
use arc_swap::ArcSwap;
use bytes::Bytes;
use iothome_engine::ids::{CredentialId, DeviceId, EntityId, RoomId, UserId};
use iothome_engine::policy::Subject;
use iothome_store::{Room, RoomPatch};
use queue::Queue;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

/// Announcements dealt with before the mailbox is looked at: one transaction of the store.
const BATCH: usize = 256;

/// How long an entity may take to be announced again after the hub subscribed.
const ANNOUNCE_GRACE: Duration = Duration::from_secs(30);

/// Wait before what failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How long somebody waits for the registrar: a burst of announcements may be before them.
const PATIENCE: Duration = Duration::from_secs(15);

/// The answer to something that was asked of the registrar.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, HubError>>;

/// Who asks, for the audit.
#[derive(Clone, Debug)]
pub(crate) struct By {
    pub(crate) user: Option<UserId>,
    pub(crate) name: String,
}

impl From<&Subject> for By {
    fn from(subject: &Subject) -> Self {
        Self {
            user: Some(subject.user),
            name: subject.name.clone(),
        }
    }
}

/// A device that was made by hand.
pub(crate) type Created = (DeviceId, Option<IssuedCredential>);

/// Messages of the registrar.
pub(crate) enum RegistrarMsg {
    /// Announcements wait.
    Wake,
    /// The broker is connected: everything retained is announced again.
    BrokerUp,
    /// The grace since that connect is over.
    GraceOver(u64),
    /// A day has passed: what was withdrawn long ago goes for good.
    Day,
    Create(Box<NewDevice>, By, Reply<Created>),
    Update(DeviceId, Box<DevicePatch>, Option<i64>, By, Reply<i64>),
    Delete(DeviceId, Option<i64>, By, Reply<()>),
    AddEntity(
        DeviceId,
        Box<NewEntity>,
        Option<i64>,
        By,
        Reply<(EntityId, i64)>,
    ),
    RemoveEntity(DeviceId, EntityId, Option<i64>, By, Reply<i64>),
    SendTest(TestPayload, By, Reply<()>),
    Accept(String, Accept, By, Reply<DeviceId>),
    Ignore(String, By, Reply<()>),
    CreateRoom(String, Option<String>, By, Reply<Room>),
    UpdateRoom(RoomId, RoomPatch, Option<i64>, By, Reply<Room>),
    OrderRooms(Vec<RoomId>, By, Reply<()>),
    DeleteRoom(RoomId, Option<i64>, By, Reply<()>),
    OrderDevices(Vec<DeviceId>, By, Reply<()>),
    CreateCredential(Box<NewCredential>, By, Reply<IssuedCredential>),
    RotateCredential(CredentialId, By, Reply<IssuedCredential>),
    DeleteCredential(CredentialId, By, Reply<()>),
}

/// The way to the registrar. Clones lead to the same one.
#[derive(Clone)]
pub(crate) struct Registrar {
    inner: Arc<Inner>,
}

struct Inner {
    queue: Queue,
    woken: AtomicBool,
    actor: Kept<RegistrarMsg>,
    waiting: ArcSwap<Vec<Arc<NewDeviceView>>>,
    rooms: SharedRooms,
}

/// The rooms in the household's order: written by the registrar alone, read by everybody.
pub(crate) type SharedRooms = Arc<ArcSwap<Vec<Room>>>;

impl Registrar {
    pub(crate) fn new() -> Self {
        Self {
            inner: Arc::new(Inner {
                queue: Queue::default(),
                woken: AtomicBool::new(false),
                actor: Kept::default(),
                waiting: ArcSwap::default(),
                rooms: SharedRooms::default(),
            }),
        }
    }

    /// How many announcements may wait to be looked at.
    pub(crate) const BACKLOG_MAX: usize = queue::TOPICS_MAX;

    /// How many announcements wait to be looked at.
    pub(crate) fn backlog(&self) -> usize {
        self.inner.queue.len()
    }

    /// How the root starts, and starts again, the registrar's actor.
    pub(crate) fn recipe(&self, tools: Tools) -> Recipe {
        let registrar = self.clone();
        Recipe::new("registrar", move |root: ActorCell| {
            let args = (registrar.clone(), tools.clone());
            let registrar = registrar.clone();
            Box::pin(async move {
                let (actor, _) = Actor::spawn_linked(None, RegistrarActor, args, root).await?;
                registrar.inner.actor.set(actor.clone());
                registrar.inner.woken.store(false, Ordering::Release);
                registrar.wake();
                Ok(actor.get_cell())
            })
        })
    }

    /// A configuration came on a discovery topic. Never waits.
    pub(crate) fn announce(&self, topic: &str, payload: Bytes) {
        metrics::counter!("iothome_announcements_total").increment(1);
        if self.inner.queue.push(topic, payload) {
            self.wake();
        }
    }

    /// Something happened that needs no answer.
    pub(crate) fn tell(&self, message: RegistrarMsg) {
        self.inner.actor.cast(message);
    }

    /// Asks something of the registrar.
    pub(crate) async fn ask<T>(
        &self,
        message: impl FnOnce(Reply<T>) -> RegistrarMsg,
    ) -> Result<T, HubError> {
        let (reply, answer) = oneshot::channel();
        self.inner.actor.cast(message(reply));
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(outcome)) => outcome,
            // It is being started again, or works off a burst.
            Ok(Err(_)) | Err(_) => Err(HubError::Busy),
        }
    }

    /// The devices that wait.
    pub(crate) fn waiting(&self) -> Arc<Vec<Arc<NewDeviceView>>> {
        self.inner.waiting.load_full()
    }

    /// The rooms in the household's order.
    pub(crate) fn rooms(&self) -> Arc<Vec<Room>> {
        self.inner.rooms.load_full()
    }

    /// Whether no announcement waits to be looked at.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.inner.queue.is_empty()
    }

    fn wake(&self) {
        if !self.inner.woken.swap(true, Ordering::AcqRel) {
            self.tell(RegistrarMsg::Wake);
        }
    }
}

struct RegistrarActor;

struct RegistrarState {
    registry: Registry,
    registrar: Registrar,
}

impl Actor for RegistrarActor {
    type Msg = RegistrarMsg;
    type State = RegistrarState;
    type Arguments = (Registrar, Tools);

    async fn pre_start(
        &self,
        _: ActorRef<RegistrarMsg>,
        (registrar, tools): (Registrar, Tools),
    ) -> Result<RegistrarState, ActorProcessingErr> {
        let mut registry = Registry::load(tools, Arc::clone(&registrar.inner.rooms)).await?;
        registrar
            .inner
            .waiting
            .store(Arc::new(registry.waiting.views()));
        Ok(RegistrarState {
            registry,
            registrar,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<RegistrarMsg>,
        message: RegistrarMsg,
        state: &mut RegistrarState,
    ) -> Result<(), ActorProcessingErr> {
        state.handle(&me, message).await;
        Ok(())
    }
}

impl RegistrarState {
    async fn handle(&mut self, me: &ActorRef<RegistrarMsg>, message: RegistrarMsg) {
        let registry = &mut self.registry;
        match message {
            RegistrarMsg::Wake => self.work(me).await,
            RegistrarMsg::BrokerUp => {
                let epoch = registry.broker_up();
                me.send_after(ANNOUNCE_GRACE, move || RegistrarMsg::GraceOver(epoch));
            }
            // What was announced in time may still wait to be looked at.
            RegistrarMsg::GraceOver(epoch) if !self.registrar.inner.queue.is_empty() => {
                me.send_after(RETRY, move || RegistrarMsg::GraceOver(epoch));
            }
            RegistrarMsg::GraceOver(epoch) => registry.grace_over(epoch),
            RegistrarMsg::Day => registry.drop_withdrawn().await,
            // Whoever asked may have lost patience; what was done stays done.
            RegistrarMsg::Create(new, by, reply) => {
                let _ = reply.send(registry.create(*new, &by).await);
            }
            RegistrarMsg::Update(device, patch, version, by, reply) => {
                let _ = reply.send(registry.update(&device, *patch, version, &by).await);
            }
            RegistrarMsg::Delete(device, version, by, reply) => {
                let _ = reply.send(registry.delete(&device, version, &by).await);
            }
            RegistrarMsg::AddEntity(device, new, version, by, reply) => {
                let _ = reply.send(registry.add_entity(&device, *new, version, &by).await);
            }
            RegistrarMsg::RemoveEntity(device, entity, version, by, reply) => {
                let outcome = registry.remove_entity(&device, &entity, version, &by);
                let _ = reply.send(outcome.await);
            }
            RegistrarMsg::SendTest(test, by, reply) => {
                let _ = reply.send(registry.send_test(test, &by));
            }
            RegistrarMsg::Accept(id, accept, by, reply) => {
                let outcome = registry.accept(&id, accept, &by).await;
                self.show();
                let _ = reply.send(outcome);
            }
            RegistrarMsg::Ignore(id, by, reply) => {
                let outcome = registry.ignore(&id, &by).await;
                self.show();
                let _ = reply.send(outcome);
            }
            RegistrarMsg::CreateRoom(name, icon, by, reply) => {
                let _ = reply.send(registry.create_room(name, icon, &by).await);
            }
            RegistrarMsg::UpdateRoom(room, patch, version, by, reply) => {
                let _ = reply.send(registry.update_room(&room, patch, version, &by).await);
            }
            RegistrarMsg::OrderRooms(order, by, reply) => {
                let _ = reply.send(registry.order_rooms(&order, &by).await);
            }
            RegistrarMsg::DeleteRoom(room, version, by, reply) => {
                let _ = reply.send(registry.delete_room(&room, version, &by).await);
            }
            RegistrarMsg::OrderDevices(order, by, reply) => {
                let _ = reply.send(registry.order_devices(&order, &by).await);
            }
            RegistrarMsg::CreateCredential(new, by, reply) => {
                let _ = reply.send(registry.create_credential(*new, &by).await);
            }
            RegistrarMsg::RotateCredential(id, by, reply) => {
                let _ = reply.send(registry.rotate_credential(id, &by).await);
            }
            RegistrarMsg::DeleteCredential(id, by, reply) => {
                let _ = reply.send(registry.delete_credential(id, &by).await);
            }
        }
    }

    /// Deals with one batch of announcements, then lets others have their turn.
    async fn work(&mut self, me: &ActorRef<RegistrarMsg>) {
        let inner = &self.registrar.inner;
        // Before taking, so that what arrives meanwhile wakes again.
        inner.woken.store(false, Ordering::Release);
        let batch = inner.queue.take(BATCH);
        let failed = self.registry.announced(batch).await;
        let retry = !failed.is_empty() || self.registry.waiting.is_changed();
        inner.queue.put_back(failed);
        self.show();
        if retry {
            let registrar = self.registrar.clone();
            me.send_after(RETRY, move || {
                registrar.inner.woken.store(true, Ordering::Release);
                RegistrarMsg::Wake
            });
        } else if !self.registrar.inner.queue.is_empty() {
            self.registrar.wake();
        }
    }

    /// Shows who waits, if that has changed.
    fn show(&mut self) {
        if self.registry.take_shown_change() {
            let views = self.registry.waiting.views();
            self.registrar.inner.waiting.store(Arc::new(views));
            self.registry.tell_directory();
        }
    }
}
