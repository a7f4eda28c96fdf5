//! The pages of schedules.
//!
//! Owner of what their routes do. When something is due, who may see it and what
//! becomes of it is the scheduler's to say.

mod choices;
mod dry_run;
mod faults;
mod files;
mod filled;
mod form;
mod list;
mod multipart;
mod of_device;
mod one;
mod read;
mod rows;
mod week;
mod words;

pub(super) use of_device::{next_up, of_device};

use crate::problem::Problem;
use crate::routes::{Access, Entry};
use iothome_actors::SchedulingError;
use iothome_engine::ids::ScheduleId;

/// The routes; those with a word of their own before those with an id.
pub(super) fn routes() -> Vec<Entry> {
    let cookie = Access::Cookie;
    vec![
        Entry::get("/schedules", cookie, list::show),
        Entry::get("/schedules/new", cookie, form::show_new),
        Entry::post("/schedules/new", cookie, form::submit_new),
        Entry::get("/schedules/week", cookie, week::show),
        Entry::get("/schedules/simulate", cookie, dry_run::show),
        Entry::post("/schedules/simulate", cookie, dry_run::submit),
        Entry::get("/schedules/files", cookie, files::show),
        Entry::get("/schedules/export", cookie, files::export),
        Entry::post("/schedules/import", cookie, files::import),
        Entry::post("/schedules/clock", cookie, list::trust_clock),
        Entry::get("/schedules/{id}", cookie, one::show),
        Entry::get("/schedules/{id}/edit", cookie, form::show_edit),
        Entry::post("/schedules/{id}/edit", cookie, form::submit_edit),
        Entry::post("/schedules/{id}/switch", cookie, one::switch),
        Entry::post("/schedules/{id}/run", cookie, one::run),
        Entry::post("/schedules/{id}/skip", cookie, one::skip),
        Entry::post("/schedules/{id}/duplicate", cookie, one::duplicate),
        Entry::get("/schedules/{id}/delete", cookie, one::ask_delete),
        Entry::post("/schedules/{id}/delete", cookie, one::delete),
    ]
}

/// 404, in words.
fn no_schedule() -> Problem {
    Problem::not_found("there is no such schedule")
}

/// The id of the path.
fn id_of(path: &str) -> Result<ScheduleId, Problem> {
    path.parse().map_err(|_| no_schedule())
}

/// What stopped the scheduler, for the error page.
fn stopped(error: SchedulingError) -> Problem {
    match error {
        SchedulingError::NotFound => no_schedule(),
        SchedulingError::Denied { .. } => Problem::forbidden(error.to_string()),
        SchedulingError::Hub(error) => error.into(),
        SchedulingError::Faults(_) | SchedulingError::TooMany(_) => {
            Problem::invalid("schedule", error.to_string())
        }
    }
}
