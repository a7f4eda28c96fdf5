//! The house as everybody sees it: a directory of one view per device.
//!
//! Owner of the directory (written by the device supervisor alone) and of the
//! cells (each written by its device's actor alone). Readers never wait. A page
//! is consistent per device, not across devices. It must never be used to
//! decide: only the device's actor knows what is true now.

use crate::device::DeviceMsg;
use crate::inbox::{Inbox, Message};
use arc_swap::ArcSwap;
use iothome_engine::command::Command;
use iothome_engine::ids::DeviceId;
use iothome_engine::view::DeviceView;
use ractor::ActorRef;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Something changed in the house. Sent after the view was replaced.
#[derive(Clone, Debug)]
pub enum Change {
    /// The device's view was replaced.
    Device(DeviceId),
    /// A command was accepted or has ended, and that is durable.
    Command(Arc<Command>),
    /// Devices came or went, or wait as new.
    Directory,
}

/// Changes kept for a slow reader; one that lags behind further must look at the
/// whole house again. At 1,000 reports a second that is a second.
pub(crate) const CHANGES_KEPT: usize = 1024;

/// Every device as it is now. Clones see the same house.
#[derive(Clone, Default)]
pub struct House {
    directory: Arc<ArcSwap<HashMap<DeviceId, Arc<Cell>>>>,
}

/// One device's place in the house: it stays while the device's actors come and go.
pub(crate) struct Cell {
    view: ArcSwap<DeviceView>,
    door: watch::Sender<Door>,
    /// The inbox of the present actor; the next one takes over what was not read.
    inbox: Mutex<Option<Arc<Inbox>>>,
    /// Messages taken from the inbox and not yet applied. It lies here so that a
    /// message that kills the actor takes only itself along.
    backlog: Mutex<VecDeque<Message>>,
}

/// The way to a device's actor.
#[derive(Clone)]
pub(crate) enum Door {
    /// The actor works (perhaps in quarantine).
    Open(ActorRef<DeviceMsg>),
    /// It is being started.
    Starting,
    /// The device was deleted.
    Gone,
}

impl Cell {
    pub(crate) fn new(view: DeviceView) -> Arc<Self> {
        Arc::new(Self {
            view: ArcSwap::from_pointee(view),
            door: watch::Sender::new(Door::Starting),
            inbox: Mutex::default(),
            backlog: Mutex::default(),
        })
    }

    /// The view now.
    pub(crate) fn view(&self) -> Arc<DeviceView> {
        self.view.load_full()
    }

    /// Replaces the view; only the device's actor may, or its supervisor while there is none.
    pub(crate) fn show(&self, view: DeviceView) {
        self.view.store(Arc::new(view));
    }

    /// Opens or closes the way to the actor; only the supervisor may.
    pub(crate) fn set_door(&self, door: Door) {
        self.door.send_replace(door);
    }

    /// The actor, if it works now.
    pub(crate) fn actor(&self) -> Option<ActorRef<DeviceMsg>> {
        match &*self.door.borrow() {
            Door::Open(actor) => Some(actor.clone()),
            Door::Starting | Door::Gone => None,
        }
    }

    /// Sends to the actor if it works now; says whether it was sent.
    pub(crate) fn cast(&self, message: DeviceMsg) -> bool {
        self.actor().is_some_and(|a| a.cast(message).is_ok())
    }

    /// The actor, once it works; the door as it is after `patience`.
    pub(crate) async fn wait_open(&self, patience: Duration) -> Door {
        let mut door = self.door.subscribe();
        let settled = door.wait_for(|d| !matches!(d, Door::Starting));
        match tokio::time::timeout(patience, settled).await {
            Ok(Ok(door)) => door.clone(),
            // The cell holds the sender, so the channel cannot be closed: it was the time.
            Ok(Err(_)) | Err(_) => Door::Starting,
        }
    }

    /// Puts the new actor's inbox in place and takes over what the old one did not read.
    pub(crate) fn move_in(&self, inbox: &Arc<Inbox>, switch: impl FnOnce()) {
        let old = lock(&self.inbox).replace(Arc::clone(inbox));
        // From here on new messages go to the new inbox, so the old one's come first.
        switch();
        if let Some(old) = old {
            let (rest, _) = old.drain(usize::MAX);
            lock(&self.backlog).extend(rest);
        }
    }

    /// How many messages wait for the actor.
    fn waiting(&self) -> usize {
        lock(&self.inbox)
            .as_ref()
            .map_or(0, |inbox| inbox.waiting())
    }

    /// Adds to what is to be applied.
    pub(crate) fn queue(&self, messages: Vec<Message>) {
        lock(&self.backlog).extend(messages);
    }

    /// The next message to apply.
    pub(crate) fn next(&self) -> Option<Message> {
        lock(&self.backlog).pop_front()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl House {
    /// The device with that id.
    pub fn device(&self, id: &DeviceId) -> Option<Arc<DeviceView>> {
        self.cell(id).map(|cell| cell.view())
    }

    /// Every device, by name, then by id.
    pub fn devices(&self) -> Vec<Arc<DeviceView>> {
        let mut devices: Vec<_> = self.directory.load().values().map(|c| c.view()).collect();
        devices.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        devices
    }

    /// How many devices there are.
    pub fn len(&self) -> usize {
        self.directory.load().len()
    }

    /// Whether there is no device.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much waits for the device that is furthest behind.
    pub(crate) fn fullest_inbox(&self) -> usize {
        let directory = self.directory.load();
        let waiting = directory.values().map(|cell| cell.waiting());
        waiting.max().unwrap_or(0)
    }

    pub(crate) fn cell(&self, id: &DeviceId) -> Option<Arc<Cell>> {
        self.directory.load().get(id).cloned()
    }

    /// The cells of all devices.
    pub(crate) fn cells(&self) -> Vec<Arc<Cell>> {
        self.directory.load().values().cloned().collect()
    }

    /// Adds devices; many at once cost one copy of the directory, not one each.
    pub(crate) fn add(&self, cells: impl IntoIterator<Item = (DeviceId, Arc<Cell>)>) {
        let mut directory = HashMap::clone(&self.directory.load());
        directory.extend(cells);
        self.directory.store(Arc::new(directory));
    }

    pub(crate) fn remove(&self, id: &DeviceId) {
        let mut directory = HashMap::clone(&self.directory.load());
        directory.remove(id);
        self.directory.store(Arc::new(directory));
    }
}
