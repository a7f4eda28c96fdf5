//! A device of the test: the simulated socket, as a program of its own.
//!
//! Owner of the program's life. It must never know the hub: it knows a broker.

use super::shell::patiently;
use crate::command::{cargo, step};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

/// A running socket; it is unplugged when this goes.
pub(super) struct Socket {
    child: Child,
    lines: Receiver<String>,
}

impl Socket {
    /// Starts one that trusts this fingerprint only.
    pub(super) fn start(sha256: &str, user: &str, password: &str) -> Result<Self, String> {
        let mut child = Command::new(firmware()?)
            .args(["127.0.0.1", "8883", sha256, user])
            .env("SOCKET_PASSWORD", password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("the socket cannot start: {e}"))?;
        let (tell, lines) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                lines
                    .take_while(|line| tell.send(line.clone()).is_ok())
                    .count()
            });
        }
        Ok(Self { child, lines })
    }

    /// Waits until it says something that starts like this.
    pub(super) fn wait_for(&mut self, start: &str) -> Result<(), String> {
        let mut said = Vec::new();
        let seen = patiently(&format!("the socket says {start:?}"), 60, || {
            said.extend(self.lines.try_iter());
            said.iter()
                .any(|line| line.starts_with(start))
                .then_some(())
        });
        seen.map_err(|problem| format!("{problem}; it said {said:?}"))
    }

    /// After a restart of the broker.
    pub(super) fn wait_until_back(&mut self) -> Result<(), String> {
        self.wait_for("connected")
    }
}

/// Built like all else here: one package by itself would be compiled with other features, anew.
/// Where it lands is where this program came from.
fn firmware() -> Result<PathBuf, String> {
    let mut build = cargo();
    let arguments = ["build", "--workspace", "--example", "socket", "--locked"];
    step("the socket's firmware", build.args(arguments))?;
    let own = std::env::current_exe().map_err(|e| format!("this program: {e}"))?;
    Ok(own.with_file_name("examples").join("socket"))
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Its input ends, and with it the program.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
