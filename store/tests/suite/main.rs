//! What the store promises, on SQLite and on PostgreSQL.
//!
//! Every test has a database of its own. Owner of the proof that the two
//! behave alike; it must never reach below the public interface, except to
//! break something on purpose.

mod backup;
mod band;
mod commands;
mod crash;
mod devices;
mod history;
mod make;
mod opening;
mod people;
mod retention;
mod rooms;
mod schedules;
mod upgrade;
