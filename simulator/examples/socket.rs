//! One simulated socket at any hub's broker, as firmware would do it: TLS with the
//! fingerprint burnt in, `1` and `0` on `esp8266/socket`, JSON on its status topic.
//!
//! `cargo run --example socket -- HOST PORT SHA256 USER`, the password in
//! `SOCKET_PASSWORD`. It says on standard output what becomes of its line, and ends
//! when its standard input does. Enter it by hand in the hub, as the README shows.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use iothome_simulator::{Blueprint, DeviceSpec, Home, SimulatorConfig, household};
use std::error::Error;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// How often the line is looked at: people do not read faster.
const LOOK: Duration = Duration::from_millis(200);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, sha256, user] = arguments.as_slice() else {
        return Err("HOST PORT SHA256 USER are needed, and SOCKET_PASSWORD".into());
    };
    let password = std::env::var("SOCKET_PASSWORD").map_err(|_| "SOCKET_PASSWORD is needed")?;
    iothome_tls::install_provider();
    let socket = blueprint().ok_or("the household has no socket that is entered by hand")?;
    let home = Home::start(SimulatorConfig {
        host: host.clone(),
        port: port.parse()?,
        pins: vec![sha256.parse().map_err(|_| "SHA256 is no fingerprint")?],
        discovery_prefix: "homeassistant".to_owned(),
        devices: vec![DeviceSpec::new(&socket, user.clone(), password)],
    })?;
    tokio::select! {
        () = tell(&home, socket.id) => {}
        () = end_of_input() => {}
    }
    home.stop().await;
    Ok(())
}

fn blueprint() -> Option<Blueprint> {
    let by_hand = |b: &Blueprint| b.joining == iothome_simulator::Joining::ByHand;
    household().into_iter().find(by_hand)
}

/// One line for each change of the line; never ends.
async fn tell(home: &Home, id: &str) {
    let mut said = String::new();
    loop {
        if let Some(status) = home.status().get(id) {
            let now = match (&status.refusal, status.connected) {
                (Some(reason), _) => format!("refuses: {reason}"),
                (None, true) => format!("connected ({})", status.connections),
                (None, false) => "away".to_owned(),
            };
            if now != said {
                println!("{now}");
                said = now;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn end_of_input() {
    let mut rest = [0; 64];
    let mut input = tokio::io::stdin();
    while input.read(&mut rest).await.is_ok_and(|count| count > 0) {}
}
