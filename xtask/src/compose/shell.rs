//! Asking other programs, and waiting for what they bring about.
//!
//! Owner of how an answer and a failure of a program read. It must never wait without
//! a bound.

use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often is looked again: quick enough for a test, and no load.
const LOOK: Duration = Duration::from_secs(1);

/// What the program says on standard output; its failure is an error.
pub(super) fn answer(command: &mut Command) -> Result<String, String> {
    let output = run(command)?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        return Ok(said);
    }
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!(
        "{command:?} ({}): {said} {complaint}",
        output.status
    ))
}

/// Both streams of a program, whatever its end.
pub(super) fn everything(command: &mut Command) -> Result<String, String> {
    let output = run(command)?;
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

/// Whether the program succeeds.
pub(super) fn succeeds(command: &mut Command) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn run(command: &mut Command) -> Result<Output, String> {
    command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{command:?}: cannot start: {e}"))
}

/// Looks until there is something to see, or the seconds are over.
pub(super) fn patiently<T>(
    what: &str,
    seconds: u64,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T, String> {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if Instant::now() >= end {
            return Err(format!("not within {seconds} s: {what}"));
        }
        sleep(LOOK);
    }
}
