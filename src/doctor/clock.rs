//! The clock: believable, and told the time by somebody.
//!
//! Owner of these lines of the report. Schedules do not run on a clock that is behind.

use super::Report;
use iothome_engine::time::Timestamp;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A clock that was set a little is normal.
const SLACK_MS: i64 = 2_000;
/// Made by systemd-timesyncd once it has heard from a server.
const TIMESYNCD: &str = "/run/systemd/timesync/synchronized";
/// How long `timedatectl` may take to answer.
const WITHIN: Duration = Duration::from_secs(3);

pub(super) fn look(report: &mut Report, lived_at: Option<Timestamp>) {
    let now = crate::people::now();
    let since = iothome_actors::built_at().max(lived_at.unwrap_or(Timestamp::from_millis(0)));
    let behind = since.millis_since(now);
    if behind > SLACK_MS {
        let what = format!(
            "it is at least {} s behind: {} was reached already",
            behind / 1_000,
            told(since)
        );
        report.fault(
            "clock",
            what,
            "set the clock: no schedule runs until it has passed that instant",
        );
    } else {
        report.ok("clock", format!("{} is believable", told(now)));
    }
    match is_synchronized() {
        Some(true) => report.ok("clock", "it is synchronised with a time server"),
        Some(false) => report.warn(
            "clock",
            "it is not synchronised with a time server",
            "`timedatectl set-ntp true`, or install chrony",
        ),
        // In a container the host keeps the time, and does not tell.
        None => report.ok(
            "clock",
            "this system does not tell whether it is synchronised",
        ),
    }
}

fn told(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| "?".to_owned(), |t| t.strftime("%FT%TZ").to_string())
}

fn is_synchronized() -> Option<bool> {
    if Path::new(TIMESYNCD).exists() {
        return Some(true);
    }
    // Whatever keeps the time (chrony, ntpd), systemd asks the kernel.
    let mut child = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let begun = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if begun.elapsed() > WITHIN {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().ok()?;
    match String::from_utf8_lossy(&output.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_behind_what_was_reached_is_a_fault() {
        let mut report = Report::default();
        look(&mut report, Some(crate::people::now()));
        assert!(!report.is_faulty());
        let tomorrow = crate::people::now().plus_millis(86_400_000);
        look(&mut report, Some(tomorrow));
        assert!(report.is_faulty());
    }
}
