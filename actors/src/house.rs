//! The house as everybody sees it: a directory of one view per device.
//!
//! Owner of the directory (written by the device supervisor alone) and of the
//! cells (each written by its device's actor alone). Readers never wait. A page
//! is consistent per device, not across devices. It must never be used to
//! decide: only the device's actor knows what is true now.

use arc_swap::ArcSwap;
use iothome_engine::command::Command;
use iothome_engine::ids::DeviceId;
use iothome_engine::view::DeviceView;
use std::collections::HashMap;
use std::sync::Arc;

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

/// The place where one device's view is found.
pub(crate) struct Cell {
    view: ArcSwap<DeviceView>,
}

impl Cell {
    pub(crate) fn new(view: DeviceView) -> Arc<Self> {
        Arc::new(Self {
            view: ArcSwap::from_pointee(view),
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

    pub(crate) fn cell(&self, id: &DeviceId) -> Option<Arc<Cell>> {
        self.directory.load().get(id).cloned()
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
