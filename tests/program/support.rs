//! A program in a folder of its own, on ports of its own.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

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

/// A program that was started and has not printed its banner yet.
pub(crate) struct Waiting {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    http: reqwest::Client,
}

/// A hub that is running.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) banner: Value,
    pub(crate) http: reqwest::Client,
}

impl Waiting {
    /// Starts it on free ports.
    pub(crate) fn start(home: &Path, arguments: &[&str]) -> Self {
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
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            lines,
            http: reqwest::Client::builder().build().unwrap(),
        }
    }

    /// Asks until it answers so.
    pub(crate) async fn until_answers(&self, at: &str, path: &str, status: u16, word: &str) {
        let waiting = async {
            loop {
                if let Ok(answer) = self.http.get(format!("http://{at}{path}")).send().await
                    && answer.status() == status
                    && answer.text().await.unwrap_or_default().contains(word)
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "{path} never answered {status} {word}");
    }

    /// Waits for the banner.
    pub(crate) async fn until_running(mut self) -> Running {
        let banner = next_banner(&mut self.lines).await;
        Running {
            child: self.child,
            lines: self.lines,
            banner,
            http: self.http,
        }
    }

    pub(crate) async fn stop(self, signal: &str) -> ExitStatus {
        stop(self.child, signal).await
    }
}

async fn next_banner(lines: &mut Lines<BufReader<ChildStdout>>) -> Value {
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let line = line.unwrap().unwrap().expect("a banner is printed");
    serde_json::from_str(&line).expect("the banner is JSON")
}

/// Sends the signal and waits for the end.
async fn stop(mut child: Child, signal: &str) -> ExitStatus {
    let pid = child.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(sent.await.unwrap().success());
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
    ended.unwrap().unwrap()
}

impl Running {
    /// Starts it on free ports and waits for its banner.
    pub(crate) async fn start(home: &Path, arguments: &[&str]) -> Self {
        Waiting::start(home, arguments).until_running().await
    }

    /// Waits until it runs anew, in the same process.
    pub(crate) async fn until_running_again(&mut self) {
        self.banner = next_banner(&mut self.lines).await;
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

    pub(crate) async fn delete(&self, token: &str, path: &str) {
        let answer = self.http.delete(self.url(path)).bearer_auth(token);
        let answer = answer.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
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
    pub(crate) async fn stop(self, signal: &str) -> ExitStatus {
        stop(self.child, signal).await
    }
}

pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    std::fs::create_dir(&home).unwrap();
    (dir, home)
}
