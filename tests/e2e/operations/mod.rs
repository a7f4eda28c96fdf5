//! What keeps a house alive for years: backups, another machine, a look at its health.

mod backup;
mod doctor;

use std::path::{Path, PathBuf};

/// Where a hub that was started on this folder keeps its things.
fn data(folder: &Path) -> PathBuf {
    folder.join("home/.local/share/iothome")
}
