//! Bounds of the web door, each with its reason.
//!
//! Owner of the numbers; it must never hold a rule.

use std::time::Duration;

/// Largest request body. The largest sensible one is a hand-made device of a
/// hundred entities, about 50 KB.
pub(crate) const BODY_MAX: usize = 256 * 1024;
/// Largest body of a form: an entity's, with a long template and two payloads in the test bench.
pub(crate) const FORM_MAX: usize = 64 * 1024;
/// A body that takes longer holds a worker's memory for nothing.
pub(crate) const BODY_WAIT: Duration = Duration::from_secs(10);
/// The head of a request must come within this (slow-loris).
pub(crate) const HEAD_WAIT: Duration = Duration::from_secs(5);
/// Browsers come back within a minute or not at all.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// A handshake on a Pi takes 20 ms; one that takes this long is stuck.
pub(crate) const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
/// Connections a worker holds: a household has tens; file descriptors are 1,024 by default.
pub(crate) const CONNECTIONS_PER_WORKER: usize = 384;
/// Two keep one busy page from delaying another; the work is done elsewhere.
pub(crate) const WORKERS: usize = 2;
/// What is in flight when the hub stops may take this long.
pub(crate) const STOP_WAIT_S: u64 = 2;
