//! Points at which a test lets the whole program die, as a power cut would.
//!
//! Owner of their names. Without the feature `test-hooks` nothing of it is in the
//! program. `IOTHOME_DIE_AT=claimed` ends the process the first time it comes by that
//! point, `IOTHOME_DIE_AT=claimed:7` the seventh time.

/// What is decided is about to be written.
pub(crate) const CLAIM: &str = "claim";
/// It is durable; nobody knows of it yet.
pub(crate) const CLAIMED: &str = "claimed";
/// An action is about to be asked.
pub(crate) const FIRE: &str = "fire";
/// The command's row is durable; it is not published yet.
pub(crate) const ROW: &str = "row";
/// The command is about to be handed to the connection.
pub(crate) const PUBLISH: &str = "publish";
/// It was handed over.
pub(crate) const PUBLISHED: &str = "published";
/// The connection says that it is on the wire.
pub(crate) const SENT: &str = "sent";
/// What became of an action is about to be written.
pub(crate) const RECORD: &str = "record";
/// It is durable.
pub(crate) const RECORDED: &str = "recorded";
/// The end of a command is durable; who waits for it does not know yet.
pub(crate) const ENDED: &str = "ended";

/// Comes by a point.
#[cfg(not(any(test, feature = "test-hooks")))]
#[inline]
pub(crate) const fn pass(_: &'static str) {}

/// Comes by a point: the process ends here if a test asked for it.
#[cfg(any(test, feature = "test-hooks"))]
pub(crate) fn pass(point: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static ASKED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    let asked = ASKED.get_or_init(|| {
        let text = std::env::var("IOTHOME_DIE_AT").ok()?;
        let (point, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((point.to_owned(), AtomicU64::new(times.parse().ok()?)))
    });
    if let Some((at, left)) = asked
        && at == point
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        // No destructor, no flush, no goodbye.
        std::process::abort();
    }
}
