//! The Debian packages that the tests need, and how they get here.
//!
//! Owner of the one list of packages. It must never install what is there.

use crate::command::{say, step};
use std::path::Path;
use std::process::Command;

/// A program that the tests start, and the package that brings it.
const PROGRAMS: [(&str, &str); 9] = [
    ("/usr/sbin/nginx", "nginx-light"),
    ("/usr/bin/ip", "iproute2"),
    ("/usr/sbin/mosquitto", "mosquitto"),
    ("/usr/bin/mosquitto_pub", "mosquitto-clients"),
    ("/usr/lib/postgresql", "postgresql"),
    ("/usr/bin/chromium", "chromium"),
    ("/usr/bin/chromedriver", "chromium-driver"),
    ("node", "nodejs"),
    ("npm", "npm"),
];

/// A font for the browser: without one every page is blank boxes.
const FONT: (&str, &str) = ("/usr/share/fonts/truetype", "fonts-dejavu-core");

/// Installs what is missing; asks `sudo` when we are not root.
pub(crate) fn install() -> Result<(), String> {
    let all: Vec<_> = PROGRAMS.into_iter().chain([FONT]).collect();
    install_all(&all)
}

/// Installs the package of each program that is missing.
pub(crate) fn install_all(programs: &[(&str, &str)]) -> Result<(), String> {
    let mut missing: Vec<&str> = programs
        .iter()
        .filter(|(path, _)| !is_there(path))
        .map(|(_, package)| *package)
        .collect();
    missing.dedup();
    if missing.is_empty() {
        say("== packages: all there");
        return Ok(());
    }
    step("apt-get update", apt().args(["update", "-qq"]))?;
    step(
        "apt-get install",
        apt()
            .args(["install", "-y", "--no-install-recommends"])
            .args(&missing),
    )
}

/// A bare name is looked for on the path: many bring their own Node.js. A PostgreSQL folder may
/// hold clients only: the server is what counts.
fn is_there(path: &str) -> bool {
    if !path.starts_with('/') {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        return std::env::split_paths(&folders).any(|folder| folder.join(path).exists());
    }
    if path != "/usr/lib/postgresql" {
        return Path::new(path).exists();
    }
    let Ok(versions) = std::fs::read_dir(path) else {
        return false;
    };
    versions
        .flatten()
        .any(|version| version.path().join("bin/initdb").exists())
}

fn apt() -> Command {
    let is_root = std::fs::metadata("/proc/self")
        .map(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0)
        .unwrap_or(false);
    let mut command = if is_root {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("apt-get");
        sudo
    };
    // Five minutes: another package manager may be at work on a fresh machine.
    command
        .args(["-o", "DPkg::Lock::Timeout=300"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}
