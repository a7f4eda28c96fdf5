//! The base image, where no registry of images can be reached.
//!
//! Owner of a stand-in for Debian's own image, made of Debian's own packages. It must
//! never replace an image that is there or can be had.

use super::engine::Engine;
use super::shell::succeeds;
use crate::command::{say, step};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What every Dockerfile of ours starts from.
pub(super) const BASE: &str = "debian:bookworm-slim";
const SUITE: &str = "bookworm";
const MIRROR: &str = "http://deb.debian.org/debian";
/// Where a machine keeps authorities of its own, such as its network's inspecting proxy.
/// What is built inside the image goes through the same network.
const OWN_AUTHORITIES: &str = "/usr/local/share/ca-certificates";

/// Makes the base image under its own name, if nobody can give it.
pub(super) fn make_missing(engine: &Engine, folder: &Path) -> Result<(), String> {
    if succeeds(engine.docker().args(["image", "inspect", BASE])) {
        return Ok(());
    }
    if succeeds(engine.docker().args(["pull", "--quiet", BASE])) {
        say(&format!("== pulled {BASE}"));
        return Ok(());
    }
    say(&format!(
        "== no registry has {BASE}: making it of Debian's packages"
    ));
    let tree = folder.join("base");
    // What a try that broke off left behind.
    let _ = fs::remove_dir_all(&tree);
    step(
        "debootstrap",
        Command::new("debootstrap")
            .args(["--variant=minbase", "--include=ca-certificates", SUITE])
            .arg(&tree)
            .arg(MIRROR)
            .stdout(Stdio::null()),
    )?;
    trust_the_same(&tree)?;
    let archive = folder.join("base.tar");
    step(
        "pack",
        Command::new("tar")
            .arg("-C")
            .arg(&tree)
            .arg("-cf")
            .arg(&archive)
            .arg("."),
    )?;
    step(
        "docker import",
        engine.docker().arg("import").arg(&archive).arg(BASE),
    )?;
    let _ = fs::remove_file(archive);
    let _ = fs::remove_dir_all(tree);
    Ok(())
}

fn trust_the_same(tree: &Path) -> Result<(), String> {
    if !Path::new(OWN_AUTHORITIES).is_dir() {
        return Ok(());
    }
    let target = format!("{}{OWN_AUTHORITIES}", tree.display());
    step(
        "this machine's own authorities",
        Command::new("cp").args(["-a", &format!("{OWN_AUTHORITIES}/."), &target]),
    )?;
    step(
        "update-ca-certificates",
        Command::new("chroot")
            .arg(tree)
            .arg("update-ca-certificates")
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )
}
