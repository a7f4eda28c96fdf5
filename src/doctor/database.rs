//! The database: there, in reach, of an age that this program knows, sound.
//!
//! Owner of these lines of the report.

use super::Report;
use crate::settings::Settings;
use iothome_engine::time::Timestamp;
use iothome_store::{DatabaseUrl, Inspection, Store, StoreError};
use std::time::Duration;

/// Longest look altogether: two files that are each given up on, and a server that is slow.
const WITHIN: Duration = Duration::from_secs(75);
/// A server's clock that is so far from ours makes times in its logs misleading.
const APART_MS: i64 = 5_000;

/// Gives the last instant that a hub lived at.
pub(super) async fn look(report: &mut Report, settings: &Settings) -> Option<Timestamp> {
    let url = match DatabaseUrl::parse(settings.database_url.expose()) {
        Ok(url) => url,
        Err(error) => {
            report.fault("database", error.to_string(), "mend the address");
            return None;
        }
    };
    match tokio::time::timeout(WITHIN, Store::inspect(&url)).await {
        Ok(Ok(found)) => {
            tell(report, &url, &found);
            found.lived_at
        }
        Ok(Err(error @ StoreError::NotThere { .. })) => {
            let todo = "it is made at the first start; if there was one, check IOTHOME_DATA_DIR and IOTHOME_DATABASE_URL, or restore a backup";
            report.warn("database", error.to_string(), todo);
            None
        }
        Ok(Err(error)) => {
            let todo = match &error {
                StoreError::FromTheFuture { .. } => {
                    "install that version, or restore a backup made before the upgrade"
                }
                error if error.is_passing() => {
                    "check that the server runs, its address, user and password, and the network in between"
                }
                _ => "if the file is damaged, restore the last backup (docs/operations.md)",
            };
            report.fault("database", error.to_string(), todo);
            None
        }
        Err(_) => {
            let what = format!("{url} did not answer within {} seconds", WITHIN.as_secs());
            report.fault(
                "database",
                what,
                "check whether the server or the disk is overloaded",
            );
            None
        }
    }
}

fn tell(report: &mut Report, url: &DatabaseUrl, found: &Inspection) {
    let what = format!(
        "{} answers at {url}, with {} migrations",
        found.program, found.applied
    );
    report.ok("database", what);
    if !found.pending.is_empty() {
        let what = format!(
            "it is older than this program; pending: {}",
            found.pending.join(", ")
        );
        report.warn(
            "database",
            what,
            "take a backup; the next start brings it up to date",
        );
    }
    match &found.damage {
        Some(damage) if damage.is_empty() => report.ok("database", "it finds no damage in itself"),
        Some(damage) => {
            let what = format!("it is damaged: {}", damage.join("; "));
            report.fault(
                "database",
                what,
                "stop the hub, keep the files, and restore the last backup (docs/operations.md)",
            );
        }
        None => report.warn(
            "database",
            "it is too large to be searched for damage in half a minute",
            "run `PRAGMA quick_check` on a copy, if you doubt it",
        ),
    }
    if let Some(server) = found.server_now {
        let apart = crate::people::now().millis_since(server).abs();
        if apart > APART_MS {
            let what = format!("its clock and this one are {apart} ms apart");
            report.warn("clock", what, "let both machines ask the same time server");
        }
    }
}
