//! Structured logs: for people on a terminal, JSON otherwise, always on standard error.
//!
//! Owner of what is logged by default. Standard output belongs to the banner.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Our own words, and of others only what is wrong. The embedded broker's warnings are
/// one per refused message, so a mad device could fill a disk with them: it is asked for
/// errors only, and the refusals are told by our own door, once each.
const DEFAULT: &str = "warn,iothome=info,iothome_actors=info,iothome_http=info,iothome_store=info,\
    iothome_broker=info,iothome_simulator=info,mqtt5=error,mqtt5_protocol=error,rumqttc=error";

/// Starts logging. A filter that does not parse is told and replaced by the default.
pub(crate) fn start(filter: Option<&str>) {
    let filter = filter.unwrap_or(DEFAULT);
    let (filter, problem) = match EnvFilter::try_new(filter) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(DEFAULT), Some(error)),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let is_terminal = std::io::stderr().is_terminal();
    // A subscriber that is there already (tests) stays.
    let _ = if is_terminal {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    if let Some(problem) = problem {
        tracing::warn!(%problem, "IOTHOME_LOG is not a filter; the default is used");
    }
}
