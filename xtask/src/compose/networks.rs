//! The three networks, tried from inside each container.
//!
//! Owner of the table of who reaches whom. It must never take a name that does not
//! resolve for a wall: addresses are tried, too.

use super::bases::BASE;
use super::engine::{PROJECT, Stack};
use super::shell::{answer, succeeds};
use crate::command::say;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// Which port a service listens on inside.
const DOORS: [(&str, u16); 4] = [
    ("hub", 8080),
    ("nginx", 8443),
    ("mosquitto", 8883),
    ("postgres", 5432),
];

/// Who reaches whom, on which network; everything else must be a wall.
const WAYS: [(&str, &str, &str); 6] = [
    ("nginx", "hub", "edge"),
    ("hub", "nginx", "edge"),
    ("hub", "mosquitto", "devices"),
    ("mosquitto", "hub", "devices"),
    ("hub", "postgres", "data"),
    ("postgres", "hub", "data"),
];

/// Tries every door from every container.
pub(super) fn check(stack: &Stack<'_>) -> Result<(), String> {
    say("== the networks, from inside each container");
    let mut places = Vec::new();
    for (service, port) in DOORS {
        for (network, address) in addresses(stack, service)? {
            places.push((service, network, address, port));
        }
    }
    let (mut ways, mut walls) = (0, 0);
    for (from, _) in DOORS {
        for (to, network, address, port) in places.iter().filter(|place| place.0 != from) {
            let expected = WAYS.contains(&(from, to, network.as_str()));
            if reaches(stack, from, address, *port)? != expected {
                let wrong = if expected {
                    "does not reach"
                } else {
                    "reaches"
                };
                return Err(format!(
                    "{from} {wrong} {to} on {network} ({address}:{port})"
                ));
            }
            if expected { ways += 1 } else { walls += 1 }
        }
    }
    if ways != WAYS.len() {
        return Err(format!("{ways} ways were tried, not {}", WAYS.len()));
    }
    say(&format!("   {ways} ways are open, {walls} are walls"));
    names(stack)?;
    the_hub_answers_nginx_alone(stack)?;
    the_database_has_no_way_out(stack)
}

/// A service's address in each of its networks.
fn addresses(stack: &Stack<'_>, service: &str) -> Result<BTreeMap<String, String>, String> {
    let text = stack.inspect(service, "{{json .NetworkSettings.Networks}}")?;
    let networks: Value = serde_json::from_str(&text).map_err(|e| format!("{text}: {e}"))?;
    let networks = networks.as_object().cloned().unwrap_or_default();
    let short = |name: &str| name.rsplit('_').next().unwrap_or(name).to_owned();
    let address = |value: &Value| value["IPAddress"].as_str().unwrap_or_default().to_owned();
    Ok(networks
        .iter()
        .map(|(name, value)| (short(name), address(value)))
        .collect())
}

/// A program in a container's network: the containers' own images have few.
fn inside(stack: &Stack<'_>, service: &str) -> Result<Command, String> {
    let network = format!("container:{}", stack.container(service)?);
    let mut docker = stack.engine.docker();
    docker.args(["run", "--rm", "--network", &network, BASE]);
    Ok(docker)
}

/// Whether a connection opens; a wall swallows packets, so 3 s of silence are one.
fn reaches(stack: &Stack<'_>, from: &str, address: &str, port: u16) -> Result<bool, String> {
    let open = format!("exec 3<>/dev/tcp/{address}/{port}");
    let mut docker = inside(stack, from)?;
    Ok(succeeds(docker.args(["timeout", "3", "bash", "-c", &open])))
}

/// The database has no name but for the hub.
fn names(stack: &Stack<'_>) -> Result<(), String> {
    for (from, knows) in [("hub", true), ("nginx", false), ("mosquitto", false)] {
        let mut docker = inside(stack, from)?;
        if succeeds(docker.args(["getent", "hosts", "postgres"])) != knows {
            return Err(format!("whether {from} can name the database: not {knows}"));
        }
    }
    // The hub's own image has no getent: that it found both by name is why it is healthy.
    say("   the hub, and only the hub, finds the database by its name");
    Ok(())
}

/// Its plain HTTP is for the proxy; a broker that was broken into gets nothing.
fn the_hub_answers_nginx_alone(stack: &Stack<'_>) -> Result<(), String> {
    let question = "exec 3<>/dev/tcp/hub/8080; printf 'GET /sign-in HTTP/1.0\\r\\nHost: iothome\\r\\n\
                    X-Forwarded-For: 192.168.1.2\\r\\nX-Forwarded-Proto: https\\r\\n\\r\\n' >&3; head -n 1 <&3";
    for (from, status) in [("nginx", "200"), ("mosquitto", "403"), ("postgres", "403")] {
        let mut docker = inside(stack, from)?;
        let said = answer(docker.args(["timeout", "5", "bash", "-c", question]))?;
        if !said.contains(status) {
            return Err(format!("the hub answers {from} with {said}, not {status}"));
        }
    }
    Ok(())
}

/// Its network has a gateway, but what would leave by it is dropped. The broker, whose network
/// is an ordinary one, shows that there is something to reach; without a line to the world
/// the engine's own word has to do.
fn the_database_has_no_way_out(stack: &Stack<'_>) -> Result<(), String> {
    let network = format!("{PROJECT}_data");
    let mut docker = stack.engine.docker();
    let format = "{{.Internal}}";
    let internal = answer(docker.args(["network", "inspect", "--format", format, &network]))?;
    if internal != "true" {
        return Err("the database's network is not internal".into());
    }
    let found = answer(Command::new("getent").args(["ahostsv4", "deb.debian.org"]));
    let found = found.unwrap_or_default();
    let Some(address) = found.split_whitespace().next() else {
        say("   no line to the world: whether the database has a way out was not tried");
        return Ok(());
    };
    let others_reach_it = reaches(stack, "mosquitto", address, 80)?;
    if reaches(stack, "postgres", address, 80)? {
        return Err(format!("the database has a way out: it reaches {address}"));
    }
    say(&format!(
        "   the database does not reach the world; the broker does: {others_reach_it}"
    ));
    Ok(())
}
