//! A house as text, one line a row, the same for either database.
//!
//! Owner of which tables a backup holds, in which order, and of how a value is
//! written. It must never name a database's own types or numbers of migrations:
//! what SQLite gave, PostgreSQL takes, and the other way round.

mod dump;
mod load;
mod schema;

pub use dump::{BackupLine, DumpedHouse};
pub use load::Restoring;
pub(crate) use schema::Part;

/// Tables of the house; what is referred to comes before what refers to it.
pub(crate) const HOUSE: [&str; 21] = [
    "settings",
    "home",
    "users",
    "rooms",
    "devices",
    "identities",
    "entities",
    "grants",
    "favourites",
    "preferences",
    "new_devices",
    "credentials",
    "credential_topics",
    "sealed_passwords",
    "commands",
    "audit",
    "hub_spans",
    "schedules",
    "occurrences",
    "occurrence_actions",
    "instants",
];
/// Tables of the history.
pub(crate) const HISTORY: [&str; 8] = [
    "series",
    "samples",
    "rollup_5m",
    "rollup_1h",
    "last_states",
    "availability",
    "losses",
    "marks",
];
/// Not in a backup: a session that was ended since must not come back to life, so
/// after a restore everybody signs in again.
pub(crate) const LEFT_OUT: [&str; 1] = ["sessions"];
