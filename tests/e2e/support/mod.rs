//! What the end-to-end tests start and hold: hubs, brokers, databases, devices, browsers.
//!
//! Owner of every server of a test. Nothing here may outlive its test, use a
//! fixed port, or pass where a server is missing.

pub(crate) mod api;
pub(crate) mod axe;
pub(crate) mod browser;
pub(crate) mod device;
pub(crate) mod hub;
pub(crate) mod ledger;
pub(crate) mod mosquitto;

use std::future::Future;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// How long a test waits for something that ought to happen soon.
///
/// Far longer than anything here takes, so that only a hang fails a test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again until there is an answer; panics with `what` when patience ends.
pub(crate) async fn eventually<T, F>(what: &str, ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let answer = within_patience(ask).await;
    answer.unwrap_or_else(|| panic!("did not happen within {PATIENCE:?}: {what}"))
}

/// Asks again until there is an answer, or until patience ends.
pub(crate) async fn within_patience<T, F>(mut ask: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Option<T>>,
{
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(answer) = ask().await {
            return Some(answer);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

/// One line for the reader of the run, whether the test passes or not.
pub(crate) fn tell(line: &str) {
    // A closed console is no reason to fail.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

/// A small generator, so that a seed tells the same story again (Knuth's MMIX constants).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}
