//! The real program, started as a person would start it.
#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

mod commands;
mod demo;
mod serve;
mod support;
