//! A story that is told apart: in namespaces of its own, as root of them.
//!
//! Owner of the one way in. The test runs itself again below `unshare`, so that whatever the
//! story makes (networks, mounts, processes) ends with it, however it ends.

use crate::support::hub::folder;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says that this process is apart, and names its folder.
const APART: &str = "IOTHOME_TEST_APART";

/// Nothing of this is seen outside: the folder is in memory, and names of networks are its own.
const PREPARE: &str = "set -e; mkdir -p /run/netns; mount -t tmpfs tmpfs /run/netns; \
    mount -t tmpfs -o mode=755 tmpfs \"$1\"; ip link set lo up; shift; exec \"$@\"";

/// Tells the story of the test `name` in a folder of its own.
pub(super) fn tell<F: Future<Output = ()>>(name: &str, story: impl FnOnce(PathBuf) -> F) {
    if let Some(folder) = std::env::var_os(APART) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        // Boxed: a whole house is in this future.
        runtime.block_on(Box::pin(story(folder.into())));
        return;
    }
    let folder = folder();
    let program = std::env::current_exe().expect("this program has a path");
    let status = again(&program, folder.path(), name).status();
    let status = status.expect("unshare starts; it comes with util-linux");
    assert!(
        status.success(),
        "{name} failed apart ({status}); it needs root, to make namespaces and mounts"
    );
}

fn again(program: &Path, folder: &Path, name: &str) -> Command {
    // Whoever kills this test kills what is apart, too.
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "unshare"])
        .args(["--net", "--mount", "--pid", "--fork", "--kill-child"])
        .args(["--mount-proc", "sh", "-c", PREPARE, "sh"])
        .arg(folder)
        .arg(program)
        .args(["--exact", name, "--nocapture"])
        .env(APART, folder);
    command
}

/// Runs a program to its end, which has to be a good one.
pub(super) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    let status = output.status;
    assert!(
        status.success(),
        "{program} {arguments:?}: {status}: {errors}"
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
