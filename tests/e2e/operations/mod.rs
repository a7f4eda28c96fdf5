//! What keeps a house alive for years: backups, another machine, a look at its health.

mod backup;
mod doctor;
mod killed;
mod log;

use iothome_store::{BackupLine, DatabaseUrl, DumpedHouse};
use std::path::{Path, PathBuf};

/// Where a hub that was started on this folder keeps its things.
fn data(folder: &Path) -> PathBuf {
    folder.join("home/.local/share/iothome")
}

/// All rows of a house, sorted.
async fn rows(url: &DatabaseUrl) -> Vec<String> {
    let mut rows = Vec::new();
    let mut table = String::new();
    let dumped = DumpedHouse::open(url).await.expect("it opens");
    let told = dumped.tell(|line| {
        match line {
            BackupLine::Table { name, .. } => table = name,
            BackupLine::Row(values) => rows.push(format!("{table} {values:?}")),
        }
        Ok(())
    });
    told.await.expect("it is read");
    rows.sort();
    rows
}
