//! The real binary under test.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How to start a hub: free ports, an own folder, nothing of the surroundings.
pub(crate) struct Start {
    task: &'static str,
    environment: Vec<(String, String)>,
}

impl Start {
    /// The hub without a simulated home.
    pub(crate) fn serve() -> Self {
        Self::task("serve")
    }

    /// The hub with the simulated home.
    pub(crate) fn demo() -> Self {
        Self::task("demo")
    }

    fn task(task: &'static str) -> Self {
        let start = Self {
            task,
            environment: Vec::new(),
        };
        start
            .with("HTTP_LISTEN", "127.0.0.1:0")
            .with("HTTPS_LISTEN", "off")
            .with("BROKER_LISTEN", "127.0.0.1:0")
    }

    /// Sets `IOTHOME_<name>`; the last one wins.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let name = format!("IOTHOME_{name}");
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.into()));
        self
    }

    /// Starts it on a folder and waits for its banner.
    pub(crate) async fn on(&self, folder: &Path) -> Hub {
        match self.try_on(folder).await {
            Ok(hub) => hub,
            Err(words) => panic!("the hub did not start: {words}"),
        }
    }

    /// Starts it; `Err` holds what it said on standard error before it ended.
    pub(crate) async fn try_on(&self, folder: &Path) -> Result<Hub, String> {
        let log = folder.join(format!("hub-{}.log", std::process::id()));
        let errors = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_iothome"))
            .args([self.task, "--banner", "json"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("RUST_BACKTRACE", "1")
            .env("IOTHOME_DATA_DIR", folder.join("data"))
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let output = child.stdout.take().expect("standard output is piped");
        let mut lines = BufReader::new(output).lines();
        let line = tokio::time::timeout(super::PATIENCE, lines.next_line()).await;
        match line {
            Ok(Ok(Some(line))) => {
                let banner = serde_json::from_str(&line)
                    .unwrap_or_else(|e| panic!("the banner is not one line of JSON ({e}): {line}"));
                Ok(Hub { child, banner, log })
            }
            _ => Err(std::fs::read_to_string(&log).unwrap_or_default()),
        }
    }
}

/// A running hub; it is killed when dropped.
pub(crate) struct Hub {
    child: Child,
    banner: Value,
    log: PathBuf,
}

impl Hub {
    /// One text of the banner.
    pub(crate) fn banner(&self, key: &str) -> &str {
        self.banner[key]
            .as_str()
            .unwrap_or_else(|| panic!("the banner has no {key}: {}", self.banner))
    }

    /// The dashboard's address, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        self.banner("url").trim_end_matches('/')
    }

    /// The broker's host and port.
    pub(crate) fn broker(&self) -> (String, u16) {
        let text = self.banner("broker");
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (host, port) = text
            .rsplit_once(':')
            .expect("the broker's address has a port");
        (host.to_owned(), port.parse().expect("a port"))
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("the hub runs")
    }

    /// `kill -9`, at once.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("the hub can be killed");
    }

    /// SIGTERM; gives the exit code, or panics when it does not end.
    pub(crate) async fn stop(mut self) -> Option<i32> {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(sent.is_ok_and(|s| s.success()), "SIGTERM could not be sent");
        let status = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
        status
            .expect("the hub ends after SIGTERM")
            .expect("an exit status")
            .code()
    }
}

/// A folder for one test's hub.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("iothome-e2e-")
        .tempdir()
        .expect("a temporary folder")
}
