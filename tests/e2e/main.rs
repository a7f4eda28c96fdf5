//! End to end: the real binary with real brokers, databases, devices and browsers.
//!
//! Owner of the proof that the parts are joined. A missing server is a failure.

mod browser;
mod crash;
mod demo;
mod door;
mod embedded;
mod hostile;
mod production;
mod rights;
mod support;
