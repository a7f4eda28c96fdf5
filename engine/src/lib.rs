//! The pure core of IoT Home.
//!
//! Ids and values, devices and their entities, the command life cycle, schedules,
//! who may do what, and the wire codecs. Owner: the household's rules. It must never do
//! I/O, read a clock, roll dice, spawn or log: time, randomness and
//! configuration arrive as arguments.

pub mod access;
pub mod backoff;
pub mod command;
pub mod config;
pub mod device;
pub mod discovery;
pub mod history;
pub mod ids;
pub mod kind;
pub mod policy;
pub mod schedule;
pub mod supervision;
pub mod template;
pub mod time;
pub mod topic;
pub mod value;
pub mod view;
pub mod wire;
