//! All schedules as one file that people can read, and back.
//!
//! Owner of the file's shape. An import is all or nothing and tells every fault; it
//! must never bring an owner, an id or a past with it.

use super::rights::may_see;
use super::{Scheduler, SchedulingError};
use iothome_engine::policy::Subject;
use iothome_engine::schedule::{Definition, Schedule, ScheduleError, read_definition};
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
        let room = self.per_user().saturating_sub(self.count_of(by));
        if entries.len() > room {
            return Err(SchedulingError::TooMany(self.per_user()));
        }
        let mut faults = Vec::new();
        let mut definitions = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            match self.read_entry(entry, by) {
                Ok(definition) => definitions.push(definition),
                Err(found) => {
                    let path = format!("schedules[{at}]");
                    faults.extend(found.into_iter().map(|fault| fault.within(&path)));
                }
            }
            if faults.len() >= FAULTS_MAX {
                break;
            }
        }
        if !faults.is_empty() {
            faults.truncate(FAULTS_MAX);
            return Err(SchedulingError::Faults(faults));
        }
        let schedules = self.create_all(definitions, by).await?;
        Ok(Imported { schedules })
    }

    fn read_entry(&self, entry: &Value, by: &Subject) -> Result<Definition, Vec<ScheduleError>> {
        let definition = read_definition(entry, Some(self.now()))?;
        match self.check(&definition, by) {
            Ok(()) => Ok(definition),
            Err(SchedulingError::Faults(faults)) => Err(faults),
            Err(SchedulingError::Denied { field, device }) => {
                let problem = format!("you may not schedule the device {device}");
                let example = "a device that you may schedule";
                Err(vec![ScheduleError::new(field, problem, example)])
            }
            Err(other) => Err(vec![ScheduleError::new("", other.to_string(), EXAMPLE)]),
        }
    }
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
