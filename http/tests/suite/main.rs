//! The web door as programs and browsers use it, against a whole house in memory.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may fail here")]

mod arranged;
mod commands;
mod common;
mod credentials;
mod device_page;
mod door;
mod events;
mod home;
mod hostile;
mod hub_pages;
mod live;
mod looks;
mod making;
mod outside;
mod pages;
mod people_pages;
mod schedule_forms;
mod schedule_pages;
mod schedules;
mod set_up;
mod sign_in;
mod things;
