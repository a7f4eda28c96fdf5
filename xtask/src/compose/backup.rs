//! A backup of the running house, and the house put back from it.
//!
//! Owner of that round trip, with the very commands that `docs/operations.md` gives.

use super::SERVICES;
use super::engine::Stack;
use super::house::House;
use crate::command::say;
use std::fs::{self, File};

/// What is made after the backup must be gone after the restore; the rest is as it was.
pub(super) fn round_trip(stack: &Stack<'_>, house: &House) -> Result<(), String> {
    say("== a backup while the house runs, and a restore");
    let path = stack.folder.join("house.backup");
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut backup = stack.command();
    backup
        .args(["exec", "-T", "hub", "/iothome", "backup", "--to", "-"])
        .stdout(File::create(&path).map_err(failed)?);
    run("backup", &mut backup)?;
    let bytes = fs::metadata(&path).map_err(failed)?.len();
    house.make_a_device("Afterwards")?;
    house.must_know("afterwards", true)?;

    stack.compose("stop", &["stop", "hub"])?;
    let mut restore = stack.command();
    restore
        .args(["run", "-T", "--rm", "hub", "restore", "-", "--force"])
        .stdin(File::open(&path).map_err(failed)?);
    run("restore", &mut restore)?;
    stack.up()?;
    stack.wait_for_health(&SERVICES)?;
    house.sign_in_again()?;
    house.must_know("afterwards", false)?;
    house.must_know("socket", true)?;
    say(&format!("   {bytes} bytes; the house is as it was"));
    fs::remove_file(&path).map_err(failed)
}

fn run(what: &str, command: &mut std::process::Command) -> Result<(), String> {
    let status = command.status().map_err(|e| format!("{what}: {e}"))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{what} failed ({status}): {command:?}"))
}
