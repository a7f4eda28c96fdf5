//! The real program, started as a person would start it.
#![expect(clippy::unwrap_used, reason = "a test may stop at once")]
#![cfg_attr(
    not(feature = "embedded"),
    expect(dead_code, reason = "a hub is started only with the embedded broker")
)]

mod commands;
#[cfg(feature = "embedded")]
mod demo;
#[cfg(feature = "embedded")]
mod serve;
#[cfg(feature = "embedded")]
mod standby;
mod support;
