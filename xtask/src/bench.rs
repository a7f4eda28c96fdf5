//! `cargo xtask bench`: the figures of the release build, beside a floor or a peer.
//!
//! Owner of how they are taken. It prints and never judges: machines differ, so
//! only figures of one run compare.

use crate::command::{cargo, median, root, say, step};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often a start is measured; the median is printed.
const STARTS: usize = 7;
/// No start takes longer on the slowest machine we know; past it something is wrong.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Builds the release and prints every figure.
pub(crate) fn run(settle_s: u64) -> Result<(), String> {
    step(
        "release build",
        // With the whole workspace in both: another set of packages would be compiled anew.
        cargo().args([
            "build",
            "--release",
            "--locked",
            "--workspace",
            "--bins",
            "--example",
            "report_cost",
            "--example",
            "schedule_cost",
        ]),
    )?;
    let program = root().join("target/release/iothome");
    say("");
    say("| figure | value | beside |");
    say("|---|---|---|");
    size(&program)?;
    starts(&program)?;
    memory(&program, settle_s)?;
    report_cost()?;
    schedule_cost()
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn size(program: &Path) -> Result<(), String> {
    let bytes = std::fs::metadata(program).map_err(|e| e.to_string())?.len();
    let peer = std::fs::metadata("/usr/sbin/mosquitto").map_or(0, |m| m.len());
    say(&format!(
        "| size of the binary (broker, dashboard and simulator inside) | {:.1} MiB | {:.1} MiB mosquitto, broker alone |",
        mib(bytes),
        mib(peer)
    ));
    Ok(())
}

fn starts(program: &Path) -> Result<(), String> {
    let mut floor = Vec::new();
    let mut fresh = Vec::new();
    let mut existing = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let status = Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        status.map_err(|e| format!("{}: {e}", program.display()))?;
        floor.push(begun.elapsed().as_secs_f64() * 1000.0);
        let folder = Scratch::new("start")?;
        fresh.push(first_answer(program, &folder.0)?);
        existing.push(first_answer(program, &folder.0)?);
    }
    let floor = median(floor);
    say(&format!(
        "| start to first HTTP 200, fresh data directory | {:.0} ms | {floor:.1} ms `--version` |",
        median(fresh)
    ));
    say(&format!(
        "| start to first HTTP 200, existing data directory | {:.0} ms | {floor:.1} ms `--version` |",
        median(existing)
    ));
    Ok(())
}

/// Milliseconds from the start of the process to its first 200.
fn first_answer(program: &Path, folder: &Path) -> Result<f64, String> {
    let begun = Instant::now();
    let hub = Running::start(program, "serve", folder)?;
    hub.wait_for_200()?;
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

fn memory(program: &Path, settle_s: u64) -> Result<(), String> {
    let folder = Scratch::new("demo")?;
    let hub = Running::start(program, "demo", &folder.0)?;
    hub.wait_for_200()?;
    std::thread::sleep(Duration::from_secs(settle_s));
    let (resident, peak) = (hub.memory_kib("VmRSS:")?, hub.memory_kib("VmHWM:")?);
    say(&format!(
        "| resident memory of `demo` after {settle_s} s (hub, broker and simulated home) | {:.1} MiB | {:.1} MiB at its peak |",
        mib(resident * 1024),
        mib(peak * 1024)
    ));
    Ok(())
}

/// The cost of one report with a small, a middling and a huge house.
fn report_cost() -> Result<(), String> {
    say("");
    step(
        "cost of one report",
        &mut Command::new(root().join("target/release/examples/report_cost")),
    )
}

/// The cost of very many schedules, and how late those are that are due together.
fn schedule_cost() -> Result<(), String> {
    say("");
    step(
        "cost of schedules",
        &mut Command::new(root().join("target/release/examples/schedule_cost")),
    )
}

/// A folder that goes when the figure is taken.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Result<Self, String> {
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| d.as_nanos());
        let path = std::env::temp_dir().join(format!("iothome-bench-{name}-{nanos}"));
        std::fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies in the temporary folder and does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A hub that was started on free ports, and is ended with us.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(program: &Path, task: &str, folder: &Path) -> Result<Self, String> {
        let mut child = Command::new(program)
            .args([task, "--banner", "json"])
            // The hub makes it, for itself alone.
            .env("IOTHOME_DATA_DIR", folder.join("data"))
            .env("IOTHOME_HTTP_LISTEN", "127.0.0.1:0")
            .env("IOTHOME_HTTPS_LISTEN", "off")
            .env("IOTHOME_BROKER_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        let output = child
            .stdout
            .take()
            .ok_or("the hub has no standard output")?;
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .map_err(|e| e.to_string())?;
        let banner: serde_json::Value = serde_json::from_str(&line)
            .map_err(|e| format!("`iothome {task}` printed no banner ({e}): {line:?}"))?;
        let url = banner["url"].as_str().unwrap_or_default();
        let address = url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        Ok(Self { child, address })
    }

    fn wait_for_200(&self) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            if self.is_live().unwrap_or(false) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(format!(
            "no 200 from http://{}/health/live in {START_LIMIT:?}",
            self.address
        ))
    }

    fn is_live(&self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(&self.address)?;
        let request = format!(
            "GET /health/live HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes())?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head.ends_with(b" 200"))
    }

    fn memory_kib(&self, key: &str) -> Result<u64, String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .map_err(|e| format!("the demo is gone: {e}"))?;
        status
            .lines()
            .find_map(|line| {
                line.strip_prefix(key)?
                    .trim()
                    .trim_end_matches(" kB")
                    .parse()
                    .ok()
            })
            .ok_or_else(|| format!("/proc names no {key}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
