//! `cargo xtask test`: every check of the project, in the order of their cost.
//!
//! Owner of what "green" means. Nothing here may be skipped silently.

use crate::command::{cargo, say, step};
use crate::{packages, tidy, web};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// The version whose configuration `deny.toml` follows.
const CARGO_DENY: &str = "0.20";

/// Runs all checks; the last line tells how many tests passed and failed.
pub(crate) fn run() -> Result<(), String> {
    packages::install()?;
    web::fetch()?;
    tidy::run()?;
    step("format", cargo().args(["fmt", "--all", "--check"]))?;
    step(
        "clippy",
        cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    step(
        "documentation",
        cargo()
            .args(["doc", "--workspace", "--no-deps", "--locked"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    licences()?;
    tests()
}

/// Licences, bans and sources of every crate we use.
fn licences() -> Result<(), String> {
    let installed = cargo()
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !installed {
        step(
            "install cargo-deny",
            cargo().args(["install", "cargo-deny", "--locked", "--version", CARGO_DENY]),
        )?;
    }
    step(
        "licences, bans, sources",
        cargo().args(["deny", "check", "licenses", "bans", "sources"]),
    )
}

/// What the test runner counted.
#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    ignored: u64,
}

fn tests() -> Result<(), String> {
    say("== tests");
    let mut command = cargo();
    command
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .stdout(Stdio::piped());
    let (count, success) = watch(&mut command)?;
    say(&format!(
        "{} passed, {} failed, {} skipped",
        count.passed, count.failed, count.ignored
    ));
    if !success || count.failed > 0 {
        return Err(format!("{} tests failed", count.failed));
    }
    if count.passed == 0 {
        return Err("no test ran".into());
    }
    Ok(())
}

/// Passes the runner's output through and adds up its summaries.
fn watch(command: &mut Command) -> Result<(Count, bool), String> {
    let mut child = command
        .spawn()
        .map_err(|e| format!("cargo test: cannot start: {e}"))?;
    let mut count = Count::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.map_err(|e| format!("cargo test: {e}"))?;
            add(&mut count, &line);
            say(&line);
        }
    }
    let status = child.wait().map_err(|e| format!("cargo test: {e}"))?;
    Ok((count, status.success()))
}

/// Reads a line such as `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
fn add(count: &mut Count, line: &str) {
    let Some(rest) = line.strip_prefix("test result: ") else {
        return;
    };
    let number = |word: &str| -> u64 {
        rest.split([';', '.'])
            .find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
            .unwrap_or(0)
    };
    count.passed += number("passed");
    count.failed += number("failed");
    count.ignored += number("ignored");
}

#[cfg(test)]
mod tests {
    use super::{Count, add};

    #[test]
    fn the_runners_summaries_are_added_up() {
        let mut count = Count::default();
        add(
            &mut count,
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
        );
        add(
            &mut count,
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured",
        );
        add(&mut count, "test unrelated ... ok");
        assert_eq!((count.passed, count.failed, count.ignored), (15, 2, 1));
    }
}
