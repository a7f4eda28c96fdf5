//! `cargo xtask soak`: the long repetitions in full.
//!
//! The ordinary test run repeats a few times from fixed seeds; here the same
//! tests run as often as asked. It must never run a test that the ordinary run
//! does not also run.

use crate::command::{cargo, root, say, step};
use crate::{compose, web};
use std::process::Command;

/// Runs the kill tests so many times and prints the line for `docs/reliability.md`.
pub(crate) fn run(kills: u32) -> Result<(), String> {
    step(
        &format!("{kills} kills under load, and {kills} of schedules, on both databases"),
        cargo()
            .args([
                "test",
                "--workspace",
                "--locked",
                "--test",
                "e2e",
                "--",
                // Both: those of commands and those of schedules.
                "crash::",
                "--nocapture",
            ])
            .env("IOTHOME_TEST_KILLS", kills.to_string())
            .env("IOTHOME_TEST_SCHEDULE_KILLS", kills.to_string()),
    )?;
    step(
        "schedules: every zone, the years 2020 to 2035, long random lives",
        cargo()
            .args(["test", "--workspace", "--locked", "--lib", "schedule::"])
            .env("IOTHOME_SOAK", "1"),
    )?;
    web::lighthouse()?;
    compose::run("dist", false, false)?;
    say(&format!(
        "| {} | {kills} kills on each database, and {kills} of schedules and one at each point; schedules in every zone; Lighthouse; the containers | passed |",
        commit()
    ));
    Ok(())
}

fn commit() -> String {
    Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .current_dir(root())
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
