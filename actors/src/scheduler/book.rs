//! The book: every schedule as it was written last, for everybody to read.
//!
//! Owner of the copy in memory and of who is looked up how. Only the scheduler's
//! handle writes it, after the store; readers never wait for the store. It must never
//! say when something is due.

use super::finish::counts;
use iothome_engine::ids::{DeviceId, ScheduleId, UserId};
use iothome_engine::schedule::Schedule;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

#[derive(Default)]
pub(super) struct Book {
    pages: RwLock<Pages>,
}

#[derive(Default)]
struct Pages {
    by_id: BTreeMap<ScheduleId, Arc<Schedule>>,
    by_owner: HashMap<UserId, BTreeSet<ScheduleId>>,
    by_device: HashMap<DeviceId, BTreeSet<ScheduleId>>,
}

impl Book {
    /// Puts a schedule in, in place of what it was.
    pub(super) fn put(&self, schedule: Arc<Schedule>) {
        let mut pages = self.write();
        pages.take_out(schedule.id);
        let id = schedule.id;
        pages.by_owner.entry(schedule.owner).or_default().insert(id);
        for target in schedule.definition.entities() {
            let device = target.device.clone();
            pages.by_device.entry(device).or_default().insert(id);
        }
        pages.by_id.insert(id, schedule);
    }

    /// Takes a schedule out.
    pub(super) fn remove(&self, id: ScheduleId) {
        self.write().take_out(id);
    }

    /// The schedule.
    pub(super) fn get(&self, id: ScheduleId) -> Option<Arc<Schedule>> {
        self.read().by_id.get(&id).cloned()
    }

    /// Every schedule, the oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Schedule>> {
        self.read().by_id.values().cloned().collect()
    }

    /// The first `limit` that `which` picks, after `after`, the oldest first.
    pub(super) fn page(
        &self,
        after: Option<ScheduleId>,
        limit: usize,
        which: impl Fn(&Schedule) -> bool,
    ) -> Vec<Arc<Schedule>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let pages = self.read();
        let after = pages.by_id.range((from, Bound::Unbounded));
        let picked = after.map(|(_, s)| s).filter(|s| which(s));
        picked.take(limit).cloned().collect()
    }

    /// The schedules of an owner.
    pub(super) fn of_owner(&self, owner: UserId) -> Vec<Arc<Schedule>> {
        let pages = self.read();
        pages.listed(pages.by_owner.get(&owner))
    }

    /// The schedules that drive a device or ask about it.
    pub(super) fn of_device(&self, device: &DeviceId) -> Vec<Arc<Schedule>> {
        let pages = self.read();
        pages.listed(pages.by_device.get(device))
    }

    /// How many schedules an owner has that count.
    pub(super) fn count_of(&self, owner: UserId) -> usize {
        let pages = self.read();
        let ids = pages.by_owner.get(&owner).into_iter().flatten();
        let schedules = ids.filter_map(|id| pages.by_id.get(id));
        schedules.filter(|schedule| counts(schedule)).count()
    }

    /// How many schedules an owner has, with those that are over.
    pub(super) fn kept_of(&self, owner: UserId) -> usize {
        self.read().by_owner.get(&owner).map_or(0, BTreeSet::len)
    }

    fn read(&self) -> RwLockReadGuard<'_, Pages> {
        self.pages.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Pages> {
        self.pages.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn listed(&self, ids: Option<&BTreeSet<ScheduleId>>) -> Vec<Arc<Schedule>> {
        let ids = ids.into_iter().flatten();
        ids.filter_map(|id| self.by_id.get(id)).cloned().collect()
    }

    fn take_out(&mut self, id: ScheduleId) {
        let Some(old) = self.by_id.remove(&id) else {
            return;
        };
        strike(&mut self.by_owner, &old.owner, id);
        for target in old.definition.entities() {
            strike(&mut self.by_device, &target.device, id);
        }
    }
}

fn strike<K: Eq + Hash>(index: &mut HashMap<K, BTreeSet<ScheduleId>>, key: &K, id: ScheduleId) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}
