//! The live stream of pages.
//!
//! Owner of the fragments sent to browsers.

use crate::routes::Entry;

/// The routes of the live stream.
pub(crate) fn routes() -> Vec<Entry> {
    Vec::new()
}
