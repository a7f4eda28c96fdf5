//! All schedules as one file that people can read, and back.
//!
//! Owner of the file's shape. An import is all or nothing and tells every fault; it
//! must never bring an owner, an id or a past with it.

use super::rights::{Objections, may_see};
use super::{Scheduler, SchedulingError};
use iothome_engine::policy::Subject;
use iothome_engine::schedule::{
    Definition, Schedule, ScheduleError, check, read_definition, read_parts,
};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// The version of the file's shape.
const VERSION: u64 = 1;

/// Most faults that are told: more than anybody mends in one go.
const FAULTS_MAX: usize = 500;

const EXAMPLE: &str = r#"{"version":1,"schedules":[{"name":"Porch","trigger":{…},"actions":[…]}]}"#;

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bundle {
    /// The version of its shape.
    pub version: u64,
    /// Every schedule, as a person writes it.
    pub schedules: Vec<Definition>,
}

/// What an import made.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The new schedules, in the order of the file.
    pub schedules: Vec<Arc<Schedule>>,
}

impl Scheduler {
    /// Every schedule that somebody sees, as one file.
    pub fn export(&self, by: &Subject) -> Bundle {
        let all = self.inner.book.all();
        let seen = all.iter().filter(|schedule| may_see(by, schedule));
        Bundle {
            version: VERSION,
            schedules: seen.map(|schedule| schedule.definition.clone()).collect(),
        }
    }

    /// Makes every schedule of a file, or none.
    ///
    /// # Errors
    /// `Faults` with every fault of every entry; `TooMany`.
    pub async fn import(&self, file: &Value, by: &Subject) -> Result<Imported, SchedulingError> {
        let entries = entries(file)?;
        // What of it counts is known when it is read; more than this is not read.
        if entries.len() > self.kept_per_user() {
            return Err(SchedulingError::TooMany(self.per_user()));
        }
        let mut faults = Vec::new();
        let mut more = 0;
        let mut definitions = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            match self.read_entry(entry, by) {
                Ok(definition) => definitions.push(definition),
                Err(found) => {
                    let path = format!("schedules[{at}]");
                    faults.extend(found.into_iter().map(|fault| fault.within(&path)));
                    more += faults.len().saturating_sub(FAULTS_MAX);
                    faults.truncate(FAULTS_MAX);
                }
            }
        }
        if more > 0 {
            let problem = format!("and {more} more faults");
            faults.push(ScheduleError::new("schedules", problem, EXAMPLE));
        }
        if !faults.is_empty() {
            return Err(SchedulingError::Faults(faults));
        }
        let schedules = self.create_all(definitions, by).await?;
        Ok(Imported { schedules })
    }

    fn read_entry(&self, entry: &Value, by: &Subject) -> Result<Definition, Vec<ScheduleError>> {
        let definition = match read_definition(entry, Some(self.now())) {
            Ok(definition) => definition,
            Err(mut faults) => {
                let (actions, conditions) = read_parts(entry);
                let actions = actions.iter().map(|(at, action)| (*at, action));
                faults.extend(told(self.check_parts(by, actions, conditions.as_ref())));
                return Err(faults);
            }
        };
        let timed = check(&definition, &self.home(), self.now());
        let mut faults = timed.err().unwrap_or_default();
        let mut objections = self.check_house(by, &definition);
        if !definition.enabled {
            // What is turned off may wait for what the house does not have any more.
            objections.faults.clear();
        }
        faults.extend(told(objections));
        if faults.is_empty() {
            return Ok(definition);
        }
        Err(faults)
    }
}

/// All that speaks against an entry, in words.
fn told(found: Objections) -> Vec<ScheduleError> {
    let mut faults = found.faults;
    faults.extend(found.denied.into_iter().map(|(field, device)| {
        let problem = format!("you may not schedule the device {device}");
        ScheduleError::new(field, problem, "a device that you may schedule")
    }));
    faults
}

fn entries(file: &Value) -> Result<&Vec<Value>, SchedulingError> {
    let fault = |field: &str, problem: &str| {
        let fault = ScheduleError::new(field, problem, EXAMPLE);
        SchedulingError::Faults(vec![fault])
    };
    let Value::Object(fields) = file else {
        return Err(fault("", "an object is needed"));
    };
    for key in fields.keys() {
        if !["version", "schedules"].contains(&key.as_str()) {
            let key: String = key.chars().take(40).collect();
            return Err(fault(&key, "there is no such field"));
        }
    }
    if fields.get("version").and_then(Value::as_u64) != Some(VERSION) {
        return Err(fault("version", "this program reads version 1"));
    }
    match fields.get("schedules") {
        Some(Value::Array(list)) => Ok(list),
        _ => Err(fault("schedules", "a list is needed")),
    }
}
