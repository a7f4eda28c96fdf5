//! Durable state of IoT Home: one store over SQLite or PostgreSQL.
//!
//! Owner of every table. On SQLite the house and its history are two files, so
//! that history never slows a command; on PostgreSQL they are two pools. It must
//! never let a row type out, read a clock or decide anything of the household.

mod audit;
mod backup;
mod commands;
mod credentials;
mod db;
mod devices;
mod error;
mod favourites;
mod grants;
mod growth;
mod history;
mod home;
mod insert;
mod inspect;
mod lock;
mod new_devices;
mod occurrences;
mod open;
mod preferences;
mod rooms;
mod schedules;
mod sessions;
mod settings;
mod spans;
mod store;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
mod url;
mod users;

pub use audit::AuditEntry;
pub use backup::{BackupLine, DumpedHouse, Restoring};
pub use devices::{DevicePatch, Origin, StoredDevice, StoredEntity};
pub use error::StoreError;
pub use favourites::FAVOURITES_MAX;
pub use growth::MeasuredSize;
pub use history::{
    BAND_SLOTS_MAX, Band, Bucket, Gap, GapKind, HISTORY_PAGE_MAX, HistoryBatch, HistoryPage,
    HistoryQuery, Points, Resolution, Retention,
};
pub use home::Home;
pub use inspect::Inspection;
pub use lock::HouseLock;
pub use new_devices::{AnnouncedConfig, NewDevice, NewStatus};
pub use occurrences::{Decided, Open, Settled};
pub use preferences::{Preferences, Theme};
pub use rooms::{Room, RoomPatch};
pub use schedules::{SchedulePage, ScheduleWrite};
pub use sessions::{SESSIONS_MAX, SessionKind, SessionRow};
pub use store::Store;
pub use url::DatabaseUrl;
pub use users::{NewPassword, NewUser, User, UserPatch};

use std::collections::HashMap;
use std::hash::Hash;

/// A number of rows as an argument.
fn limit(rows: usize) -> db::Arg {
    i64::try_from(rows).unwrap_or(i64::MAX).into()
}

/// The last item of each key, in the order of first appearance.
fn last_of_each<T, K: Eq + Hash>(items: &[T], key: impl Fn(&T) -> K) -> Vec<&T> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut last: Vec<&T> = Vec::new();
    for item in items {
        let place = *places.entry(key(item)).or_insert(last.len());
        match last.get_mut(place) {
            Some(slot) => *slot = item,
            None => last.push(item),
        }
    }
    last
}
