//! What holds each container in: looked at from outside, where it cannot lie.
//!
//! Owner of what the kernel and the engine must say of each container. It must never
//! believe the Compose file.

use super::engine::Stack;
use super::shell::{answer, everything, succeeds};
use crate::command::say;
use std::collections::BTreeSet;
use std::fs;

/// The ports that the machine shows.
const PORTS: [&str; 3] = ["443", "80", "8883"];

/// Checks every running container, and the hub's image.
pub(super) fn check(stack: &Stack<'_>, services: &[&str]) -> Result<(), String> {
    say("== no root, no capabilities, read-only roots, bounded memory and logs, three ports");
    let mut ports = BTreeSet::new();
    for service in services {
        the_kernel_says(stack, service)?;
        the_engine_says(stack, service)?;
        let format = "{{range .NetworkSettings.Ports}}{{range .}}{{.HostPort}} {{end}}{{end}}";
        let published = stack.inspect(service, format)?;
        ports.extend(published.split_whitespace().map(str::to_owned));
    }
    if ports.iter().map(String::as_str).ne(PORTS) {
        return Err(format!("other ports than three are published: {ports:?}"));
    }
    the_hub_has_no_shell(stack)?;
    the_authority_s_key_stays_with_the_hub(stack)
}

/// From `/proc` of the main process: what is really so.
fn the_kernel_says(stack: &Stack<'_>, service: &str) -> Result<(), String> {
    let pid = stack.inspect(service, "{{.State.Pid}}")?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .map_err(|e| format!("/proc/{pid}/status: {e}; is the engine on this machine?"))?;
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    let none = "0000000000000000";
    let uids = value("Uid:");
    if uids.split_whitespace().any(|uid| uid == "0") {
        return Err(format!("{service} runs as root: {uids}"));
    }
    for set in ["CapEff:", "CapPrm:", "CapBnd:", "CapAmb:"] {
        if value(set) != none {
            return Err(format!("{service} has capabilities: {set} {}", value(set)));
        }
    }
    if value("NoNewPrivs:") != "1" {
        return Err(format!("{service} may gain rights"));
    }
    Ok(())
}

fn the_engine_says(stack: &Stack<'_>, service: &str) -> Result<(), String> {
    let format = "{{.HostConfig.ReadonlyRootfs}} {{gt .HostConfig.Memory 0}} \
                  {{.HostConfig.RestartPolicy.Name}} {{index .HostConfig.LogConfig.Config \"max-size\"}}";
    let said = stack.inspect(service, format)?;
    if said == "true true unless-stopped 5m" {
        return Ok(());
    }
    Err(format!(
        "{service}: read-only, memory, restart, log: {said}"
    ))
}

fn the_hub_has_no_shell(stack: &Stack<'_>) -> Result<(), String> {
    let id = stack.container("hub")?;
    for shell in ["sh", "/bin/sh", "bash", "busybox"] {
        if succeeds(
            stack
                .engine
                .docker()
                .args(["exec", &id, shell, "-c", "true"]),
        ) {
            return Err(format!("the hub's image has {shell}"));
        }
    }
    let health = answer(
        stack
            .engine
            .docker()
            .args(["exec", &id, "/iothome", "health"]),
    )?;
    say(&format!(
        "   the hub has no shell, and says of itself: {health}"
    ));
    Ok(())
}

/// Every volume of a service but the hub's own, looked through.
fn the_authority_s_key_stays_with_the_hub(stack: &Stack<'_>) -> Result<(), String> {
    for (service, folder) in [
        ("nginx", "/tls"),
        ("mosquitto", "/secrets"),
        ("postgres", "/secrets"),
    ] {
        let id = stack.container(service)?;
        let mut docker = stack.engine.docker();
        let files = everything(docker.args(["exec", &id, "ls", folder]))?;
        if files.contains("ca.key") || files.trim().is_empty() {
            return Err(format!("{service} has in {folder}: {files}"));
        }
    }
    Ok(())
}
