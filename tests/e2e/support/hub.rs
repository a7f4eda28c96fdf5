//! The real program under test: started as a person would, on a folder and ports of its own.

use super::PATIENCE;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A folder for one test: home of the program's data, logs and profiles.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("iothome-e2e-")
        .tempdir()
        .expect("a temporary folder")
}

/// Nothing of the tester's own settings or home reaches the program.
fn program(folder: &Path) -> Command {
    let home = folder.join("home");
    std::fs::create_dir_all(&home).expect("a home folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_iothome"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("RUST_BACKTRACE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs a command of the program to its end.
pub(crate) async fn run(folder: &Path, arguments: &[&str]) -> Output {
    let ran = program(folder).args(arguments).output();
    let ended = tokio::time::timeout(PATIENCE, ran).await;
    ended.expect("it ends").expect("the program starts")
}

/// Starts a command of the program and does not wait.
pub(crate) fn begin(folder: &Path, arguments: &[&str]) -> Child {
    program(folder)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// The same, with something on standard input.
pub(crate) async fn run_with_input(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    use tokio::io::AsyncWriteExt as _;
    let mut child = program(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input).await.expect("it is read");
    drop(stdin);
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    ended.expect("it ends").expect("an exit status")
}

/// What it printed.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it complained of.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// How to start a hub: free ports, an own folder, nothing of the surroundings.
#[derive(Clone)]
pub(crate) struct Start {
    task: &'static str,
    arguments: Vec<String>,
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
            arguments: Vec::new(),
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

    /// Adds an argument of the command line and its value.
    pub(crate) fn flag(mut self, flag: &str, value: &str) -> Self {
        self.arguments.extend([flag.to_owned(), value.to_owned()]);
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
        let waiting = self.begin(folder);
        let log = waiting.log.clone();
        let hub = waiting.until_running().await;
        hub.ok_or_else(|| std::fs::read_to_string(log).unwrap_or_default())
    }

    /// Starts it and does not wait: it may have to wait itself.
    pub(crate) fn begin(&self, folder: &Path) -> Waiting {
        let log = folder.join("hub.log");
        let errors = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log file");
        let mut child = program(folder)
            .args([self.task, "--banner", "json"])
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("the program starts");
        let output = child.stdout.take().expect("standard output is piped");
        Waiting {
            child,
            lines: BufReader::new(output).lines(),
            log,
        }
    }
}

/// A program that was started and has not printed its banner yet.
pub(crate) struct Waiting {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Waiting {
    /// Asks until it answers so.
    pub(crate) async fn until_answers(&self, at: &str, path: &str, status: u16, word: &str) {
        iothome_tls::install_provider();
        let client = reqwest::Client::new();
        super::eventually(&format!("{path} answers {status} {word}"), || async {
            let answer = client.get(format!("http://{at}{path}")).send().await.ok()?;
            let told = answer.status().as_u16();
            let text = answer.text().await.unwrap_or_default();
            (told == status && text.contains(word)).then_some(())
        })
        .await;
    }

    /// Waits for the banner; `None` if it ended without one.
    pub(crate) async fn until_running(mut self) -> Option<Hub> {
        let banner = next_banner(&mut self.lines).await?;
        Some(Hub {
            child: self.child,
            lines: self.lines,
            banner,
            log: self.log,
        })
    }

    /// SIGTERM; gives the exit code.
    pub(crate) async fn stop(self) -> Option<i32> {
        end(self.child, "TERM").await
    }

    /// Waits until it dies by itself; gives the signal that ended it.
    pub(crate) async fn until_dead(mut self) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt as _;
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let log = || std::fs::read_to_string(&self.log).unwrap_or_default();
        let status = ended.unwrap_or_else(|_| panic!("it does not die: {}", log()));
        status.expect("an exit status").signal()
    }
}

async fn next_banner(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<Value> {
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let line = line.ok()?.ok()??;
    let banner = serde_json::from_str(&line);
    Some(banner.unwrap_or_else(|e| panic!("the banner is not one line of JSON ({e}): {line}")))
}

/// Sends the signal and waits for the end.
async fn end(mut child: Child, signal: &str) -> Option<i32> {
    let pid = child.id().expect("the program runs").to_string();
    let sent = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(sent.await.is_ok_and(|s| s.success()), "{signal} is sent");
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
    let status = ended.unwrap_or_else(|_| panic!("it does not end after SIG{signal}"));
    status.expect("an exit status").code()
}

/// A running hub; it is killed when dropped.
pub(crate) struct Hub {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    banner: Value,
    log: PathBuf,
}

impl Hub {
    /// One text of the banner.
    pub(crate) fn banner(&self, key: &str) -> &str {
        self.told(key)
            .unwrap_or_else(|| panic!("the banner has no {key}: {}", self.banner))
    }

    /// One text of the banner, if it says so.
    pub(crate) fn told(&self, key: &str) -> Option<&str> {
        self.banner[key].as_str()
    }

    /// The dashboard's address, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        self.banner("url").trim_end_matches('/')
    }

    /// Where the dashboard listens: host and port.
    pub(crate) fn listens(&self) -> &str {
        self.url().trim_start_matches("http://")
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

    /// Waits until it runs anew, in the same process.
    pub(crate) async fn until_running_again(&mut self) {
        let banner = next_banner(&mut self.lines).await;
        self.banner = banner.expect("a banner is printed again");
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
    pub(crate) async fn stop(self) -> Option<i32> {
        self.stop_by("TERM").await
    }

    /// Another signal; gives the exit code, or panics when it does not end.
    pub(crate) async fn stop_by(self, signal: &str) -> Option<i32> {
        let Self { child, .. } = self;
        end(child, signal).await
    }
}
