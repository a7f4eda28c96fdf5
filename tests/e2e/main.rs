//! End to end: the real program with real brokers, databases, devices and browsers.
//!
//! Owner of the proof that the parts are joined. A missing server is a failure.
#![cfg_attr(
    not(feature = "embedded"),
    allow(dead_code, reason = "most tests start the embedded broker")
)]

mod commands;
mod schedule_crash;
mod support;

#[cfg(feature = "embedded")]
mod accounts;
#[cfg(feature = "embedded")]
mod browser;
#[cfg(feature = "embedded")]
mod crash;
#[cfg(feature = "embedded")]
mod demo;
#[cfg(feature = "embedded")]
mod deploy;
#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "embedded")]
mod hostile;
#[cfg(feature = "embedded")]
mod operations;
#[cfg(feature = "embedded")]
mod production;
#[cfg(feature = "embedded")]
mod rights;
#[cfg(feature = "embedded")]
mod standby;
#[cfg(feature = "embedded")]
mod start;
