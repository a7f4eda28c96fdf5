//! A program in a folder of its own, on ports of its own.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Far longer than anything here takes, so that only a hang fails a test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Nothing of the tester's own settings or home reaches the program.
fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iothome"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub(crate) async fn run(home: &Path, arguments: &[&str]) -> Output {
    let ran = program(home).args(arguments).output();
    tokio::time::timeout(PATIENCE, ran).await.unwrap().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A hub that is running.
pub(crate) struct Running {
    child: Child,
    pub(crate) banner: Value,
    pub(crate) http: reqwest::Client,
}

impl Running {
    /// Starts it on free ports and waits for its banner.
    pub(crate) async fn start(home: &Path, arguments: &[&str]) -> Self {
        iothome_tls::install_provider();
        let mut command = program(home);
        command
            .args(arguments)
            .args(["--banner", "json", "--log", "warn"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        for (flag, address) in [
            ("--http-listen", "127.0.0.1:0"),
            ("--https-listen", "off"),
            ("--broker-listen", "127.0.0.1:0"),
        ] {
            if !arguments.contains(&flag) {
                command.args([flag, address]);
            }
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let line = line.unwrap().unwrap().expect("a banner is printed");
        let banner = serde_json::from_str(&line).expect("the banner is JSON");
        Self {
            child,
            banner,
            http: reqwest::Client::builder().build().unwrap(),
        }
    }

    pub(crate) fn told(&self, name: &str) -> &str {
        self.banner[name].as_str().unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.told("url"))
    }

    /// Signs in and gives the access token.
    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Option<String> {
        let body = json!({ "username": name, "password": password });
        let answer = self.http.post(self.url("/api/v1/auth/login")).json(&body);
        let answer = answer.send().await.unwrap();
        if !answer.status().is_success() {
            return None;
        }
        let tokens: Value = answer.json().await.unwrap();
        tokens["access_token"].as_str().map(str::to_owned)
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Value {
        let answer = self.http.get(self.url(path)).bearer_auth(token);
        answer.send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Value {
        let request = self.http.post(self.url(path)).bearer_auth(token);
        let answer = request.json(&body).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Asks again and again until the answer is as wanted.
    pub(crate) async fn until(
        &self,
        token: &str,
        path: &str,
        mut is_so: impl FnMut(&Value) -> bool,
    ) -> Value {
        let waiting = async {
            loop {
                let answer = self.get(token, path).await;
                if is_so(&answer) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("{path} never was as wanted"))
    }

    /// Sends the signal and waits for the end.
    pub(crate) async fn stop(mut self, signal: &str) -> ExitStatus {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.await.unwrap().success());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.unwrap().unwrap()
    }
}

pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    std::fs::create_dir(&home).unwrap();
    (dir, home)
}
