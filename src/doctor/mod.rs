//! `iothome doctor`: what is well, what is not, and what to do about it.
//!
//! Owner of the report and of which parts are looked at. It must never open anything
//! for writing, and never stop at the first fault: everything is told at once.

mod broker;
mod certificates;
mod clock;
mod database;
mod folder;

use crate::error::StartError;
use crate::health;
use crate::settings::{Problems, Settings};
use serde::Serialize;
use std::fmt::Write;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// Nothing to do.
    Ok,
    /// It works, and somebody should look.
    Warning,
    /// It does not work.
    Fault,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Which part: `settings`, `folder`, `disk`, `database`, `broker`, `certificates`, `clock`, `hub`.
    part: &'static str,
    level: Level,
    /// What is so.
    what: String,
    /// What to do about it.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    todo: Option<String>,
}

/// All lines.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Finding>);

impl Report {
    pub(crate) fn ok(&mut self, part: &'static str, what: impl Into<String>) {
        self.add(part, Level::Ok, what.into(), None);
    }

    pub(crate) fn warn(
        &mut self,
        part: &'static str,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) {
        self.add(part, Level::Warning, what.into(), Some(todo.into()));
    }

    pub(crate) fn fault(
        &mut self,
        part: &'static str,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) {
        self.add(part, Level::Fault, what.into(), Some(todo.into()));
    }

    fn add(&mut self, part: &'static str, level: Level, what: String, todo: Option<String>) {
        self.0.push(Finding {
            part,
            level,
            what,
            todo,
        });
    }

    /// Whether anything does not work.
    pub(crate) fn is_faulty(&self) -> bool {
        self.0.iter().any(|line| line.level == Level::Fault)
    }

    /// The report for people, or as one JSON array.
    pub(crate) fn told(&self, as_json: bool) -> String {
        if as_json {
            return serde_json::to_string(&self.0).unwrap_or_else(|e| e.to_string());
        }
        let mut text = String::new();
        for line in &self.0 {
            let level = match line.level {
                Level::Ok => "ok",
                Level::Warning => "warning",
                Level::Fault => "FAULT",
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{level:<8} {:<13} {}", line.part, line.what);
            if let Some(todo) = &line.todo {
                let _ = writeln!(text, "{:<22} -> {todo}", "");
            }
        }
        let count = |level| self.0.iter().filter(|line| line.level == level).count();
        let (faults, warnings) = (count(Level::Fault), count(Level::Warning));
        let _ = match (faults, warnings) {
            (0, 0) => write!(text, "All is well."),
            _ => write!(text, "Faults: {faults}. Warnings: {warnings}."),
        };
        text
    }
}

/// Settings that cannot be read: the rest cannot be looked at.
pub(crate) fn unreadable(problems: &Problems, strangers: &[String]) -> Report {
    let mut report = Report::default();
    for problem in &problems.0 {
        let what = format!("{}: {}", problem.origin, problem.problem);
        report.fault(
            "settings",
            what,
            "mend the setting; docs/settings.md lists them all",
        );
    }
    unknown(&mut report, strangers);
    report
}

fn unknown(report: &mut Report, strangers: &[String]) {
    for stranger in strangers {
        let what = format!("{stranger} is set, but there is no such setting");
        report.warn(
            "settings",
            what,
            "look for a typing mistake, or take it away",
        );
    }
}

/// Looks at everything.
pub(crate) async fn look(settings: &Settings, strangers: &[String]) -> Result<Report, StartError> {
    let mut report = Report::default();
    report.ok("settings", "every setting can be read");
    unknown(&mut report, strangers);
    let is_running = hub(&mut report, settings);
    folder::look(&mut report, settings);
    let lived_at = database::look(&mut report, settings).await;
    clock::look(&mut report, lived_at);
    certificates::look(&mut report, settings);
    broker::look(&mut report, settings, is_running)?;
    Ok(report)
}

/// Whether a hub answers here.
fn hub(report: &mut Report, settings: &Settings) -> bool {
    match health::ask(settings) {
        Ok(_) => {
            report.ok("hub", "it runs and is ready");
            true
        }
        Err(error) => {
            let todo = "start it, if it ought to run; if it does run, its log and the lines below say what it lacks";
            report.warn("hub", error.to_string(), todo);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_is_so_and_what_to_do_for_people_and_programs() {
        let mut report = Report::default();
        report.ok("clock", "it is right");
        assert_eq!(
            report.told(false),
            "ok       clock         it is right\nAll is well."
        );
        report.warn("disk", "little is free", "make room");
        assert!(!report.is_faulty());
        report.fault("broker", "it is away", "start it");
        assert!(report.is_faulty());
        let text = report.told(false);
        assert!(text.contains("-> make room"), "{text}");
        assert!(text.ends_with("Faults: 1. Warnings: 1."), "{text}");
        let json: serde_json::Value = serde_json::from_str(&report.told(true)).expect("it is JSON");
        assert_eq!(json[2]["level"], "fault");
        assert_eq!(json[2]["do"], "start it");
        assert_eq!(json[0].get("do"), None);
    }
}
