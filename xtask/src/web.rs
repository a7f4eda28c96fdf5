//! What judges the dashboard from outside: axe-core and Lighthouse, from the npm registry.
//!
//! Owner of `target/web`. `xtask/web` pins every package by version and digest;
//! no script of theirs runs while they are unpacked, and nothing of them
//! reaches the program.

use crate::command::{cargo, root, say, step};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the manifest and the lock are called, here and there.
const PINNED: [&str; 2] = ["package.json", "package-lock.json"];

/// Lighthouse's least score for performance (of 100), on a machine with nothing else to do.
const PERFORMANCE_MIN: &str = "98";

/// Fetches what is pinned, unless exactly that is there already.
pub(crate) fn fetch() -> Result<(), String> {
    let (from, to) = (root().join("xtask/web"), folder());
    if is_fetched(&from, &to) {
        say("== web checks: all there");
        return Ok(());
    }
    std::fs::create_dir_all(&to).map_err(|e| format!("{}: {e}", to.display()))?;
    for name in PINNED {
        std::fs::copy(from.join(name), to.join(name))
            .map_err(|e| format!("{name} to {}: {e}", to.display()))?;
    }
    let done = to.join("fetched");
    // A fetch that breaks off must not pass for a whole one.
    let _ = std::fs::remove_file(&done);
    step(
        "axe-core and Lighthouse",
        Command::new("npm").current_dir(&to).args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]),
    )?;
    std::fs::write(&done, "").map_err(|e| format!("{}: {e}", done.display()))
}

/// Where the tests look for them: beside their own temporary folder.
fn folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |target| root().join(target))
        .join("web")
}

fn is_fetched(from: &Path, to: &Path) -> bool {
    let same = |name: &str| {
        let read = |folder: &Path| std::fs::read(folder.join(name)).ok();
        read(from).is_some() && read(from) == read(to)
    };
    to.join("fetched").exists() && PINNED.iter().all(|name| same(name))
}

/// Lighthouse on home, device and sign-in page, with performance judged as well.
pub(crate) fn lighthouse() -> Result<(), String> {
    fetch()?;
    step(
        "Lighthouse",
        cargo()
            .args([
                "test",
                "--workspace",
                "--locked",
                "--test",
                "e2e",
                "--",
                "lighthouse::",
                "--nocapture",
            ])
            .env("IOTHOME_TEST_LIGHTHOUSE_PERFORMANCE", PERFORMANCE_MIN),
    )
}
