//! Running other programs and talking to the console.
//!
//! Owner of how a step is announced and how its failure reads. It must never
//! swallow an exit code.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// One line on the console.
pub(crate) fn say(line: &str) {
    // A closed console is no reason to stop a check.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// The cargo that runs us, else the one on the path.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    // Cargo names our own package to us; ring and all above it would be compiled anew for that.
    let ours = ["CARGO_PKG_", "CARGO_MANIFEST_"];
    for (name, _) in std::env::vars_os() {
        let is_ours = |name: &str| ours.iter().any(|prefix| name.starts_with(prefix));
        if name.to_str().is_some_and(is_ours) {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs one step to its end; says what ran when it fails.
pub(crate) fn step(title: &str, command: &mut Command) -> Result<(), String> {
    say(&format!("== {title}"));
    let status = command
        .status()
        .map_err(|e| format!("{title}: cannot start: {e}"))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{title} failed ({status}): {command:?}"))
}

/// The middle one of some measurements; the lower middle of an even number.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values
        .get(values.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(f64::NAN)
}
