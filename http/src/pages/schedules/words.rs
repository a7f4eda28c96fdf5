//! Schedules put into words for one reader.
//!
//! Owner of the names of devices in them: what the reader may not see is told by its
//! id alone.

use crate::app::App;
use crate::auth::CurrentUser;
use crate::pages::show;
use crate::pages::visit::Visit;
use iothome_actors::disabled;
use iothome_engine::ids::{DeviceId, EntityRef};
use iothome_engine::policy::Right;
use iothome_engine::schedule::{
    ActionSpec, Definition, Due, Home, Occurrence, Schedule, When as Moment, reason,
};
use iothome_engine::time::Timestamp;
use iothome_engine::view::{DeviceView, EntityView};
use iothome_views::components::schedule::{DueLine, EndLine, StepLine};
use iothome_views::texts::rhythm::{capital, condition, put, trigger};
use iothome_views::texts::{Texts, held};
use iothome_views::time::When;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Steps told in the short form.
const SHORT: usize = 3;
/// Characters of a reason: a line or two of a phone.
const REASON_MAX: usize = 200;

/// Tells schedules to a reader.
#[derive(Clone, Copy)]
pub(super) struct Teller<'a> {
    pub(super) app: &'a App,
    pub(super) user: &'a CurrentUser,
    pub(super) visit: &'a Visit,
}

impl<'a> Teller<'a> {
    pub(super) fn of(app: &'a App, user: &'a CurrentUser, visit: &'a Visit) -> Self {
        Self { app, user, visit }
    }

    pub(super) fn t(&self) -> &'static Texts {
        self.visit.t
    }

    pub(super) fn home(&self) -> Arc<Home> {
        self.app.hub.scheduler().home()
    }

    pub(super) fn may_schedule(&self, device: &DeviceId) -> bool {
        let subject = &self.user.subject;
        subject.may(Right::Schedule, device) && subject.may(Right::Control, device)
    }

    /// A device, if the reader may see it.
    pub(super) fn device(&self, id: &DeviceId) -> Option<Arc<DeviceView>> {
        let seen = self.user.subject.may(Right::View, id);
        self.app.hub.house().device(id).filter(|_| seen)
    }

    /// What a device is called.
    pub(super) fn device_name(&self, id: &DeviceId) -> String {
        self.device(id)
            .map_or_else(|| id.to_string(), |device| device.name.clone())
    }

    /// What an entity is called: by its device alone, if that has one that people use.
    pub(super) fn name(&self, target: &EntityRef) -> String {
        let Some(device) = self.device(&target.device) else {
            return target.to_string();
        };
        match device.entity(&target.entity) {
            Some(entity) => entity_name(&device, entity),
            None => format!("{}, {}", device.name, target.entity),
        }
    }

    /// An action, in words.
    pub(super) fn step(&self, action: &ActionSpec) -> StepLine {
        let device = self.device(&action.target.device);
        let entity = device
            .as_ref()
            .and_then(|d| d.entity(&action.target.entity));
        let t = self.t();
        let delay = action.delay_seconds;
        StepLine {
            what: show::action_words(t, action.action, action.value.as_ref(), entity),
            of: self.name(&action.target),
            delay: (delay > 0).then(|| (t.rhythm.length)(delay)),
            gone: entity.is_none(),
        }
    }

    pub(super) fn steps(&self, definition: &Definition) -> Vec<StepLine> {
        let actions = definition.actions.iter();
        actions.map(|action| self.step(action)).collect()
    }

    /// "Reading lamp – Turn on; Fan – Turn off; +3".
    pub(super) fn does<'s>(&self, actions: impl Iterator<Item = &'s ActionSpec>) -> String {
        let all: Vec<StepLine> = actions.map(|action| self.step(action)).collect();
        let told = all.iter().take(SHORT);
        let mut told: Vec<String> = told
            .map(|step| format!("{} – {}", step.of, step.what))
            .collect();
        if all.len() > SHORT {
            told.push(format!("+{}", all.len() - SHORT));
        }
        told.join("; ")
    }

    pub(super) fn when_words(&self, definition: &Definition) -> String {
        capital(&trigger(self.t(), &definition.trigger))
    }

    pub(super) fn conditions(&self, definition: &Definition) -> Option<String> {
        let what = definition.conditions.as_ref()?;
        Some(condition(self.t(), what, &|target| self.name(target)))
    }

    /// The local date now.
    pub(super) fn today(&self) -> Date {
        local_date(self.visit.now, &self.visit.zone)
    }

    pub(super) fn due(&self, due: &Due) -> DueLine {
        DueLine::new(self.t(), due, self.today())
    }

    pub(super) fn moment(&self, at: Timestamp) -> When {
        When::new(self.t(), at, self.visit.now, &self.visit.zone)
    }

    pub(super) fn end(&self, occurrence: &Occurrence) -> EndLine {
        EndLine {
            state: occurrence.state,
            reason: self.reason(occurrence.reason.as_deref()),
            due: self.moment(occurrence.due_at),
        }
    }

    /// A reason's code in words, with what follows it.
    pub(super) fn reason(&self, reason: Option<&str>) -> Option<String> {
        let reason = reason.filter(|reason| !reason.is_empty())?;
        let t = self.t();
        let (code, rest) = reason.split_once(':').unwrap_or((reason, ""));
        let words = (t.schedules.reason)(code).or_else(|| (t.words.reason)(code));
        let Some(words) = words else {
            return Some(reason.chars().take(REASON_MAX).collect());
        };
        let rest = rest.trim();
        let rest = match rest.parse::<DeviceId>() {
            Ok(device) => self.device_name(&device),
            Err(_) if code == reason::CONDITION => self.held(rest),
            Err(_) => rest.chars().take(REASON_MAX).collect(),
        };
        Some(match rest.is_empty() {
            true => words.to_owned(),
            false => put("{} ({})", &[words, &rest]),
        })
    }

    /// Whether a schedule has done all it was to do: nobody turned it off, and its time is over.
    /// One that waits for the sun of a place that nobody told is not over.
    pub(super) fn done(&self, schedule: &Schedule, next: bool) -> bool {
        let definition = &schedule.definition;
        let sunless =
            matches!(definition.trigger.when, Moment::Sun { .. }) && self.home().place.is_none();
        let finished = schedule.disabled_reason.as_deref() == Some(disabled::FINISHED);
        finished || definition.enabled && !next && !sunless
    }

    /// Why the hub turned it off; that it has done all it was to do is told otherwise.
    pub(super) fn why_off(&self, schedule: &Schedule) -> Option<String> {
        let reason = schedule.disabled_reason.as_deref();
        self.reason(reason.filter(|reason| *reason != disabled::FINISHED))
    }

    /// What did not hold, as the engine wrote it down.
    pub(super) fn held(&self, why: &str) -> String {
        let told = held::told(self.t(), why, &|target| self.name(target));
        told.chars().take(REASON_MAX).collect()
    }
}

/// What an entity is called among all of the house.
pub(super) fn entity_name(device: &DeviceView, entity: &EntityView) -> String {
    let mut used = device.entities.iter().filter(|e| e.category.is_none());
    match (used.next(), used.next()) {
        (Some(only), None) if only.id == entity.id => device.name.clone(),
        _ => format!("{}, {}", device.name, entity.name),
    }
}

/// What the calendar on the wall shows.
pub(super) fn local_date(at: Timestamp, zone: &TimeZone) -> Date {
    local(at, zone).date()
}

/// What calendar and clock on the wall show.
pub(super) fn local(at: Timestamp, zone: &TimeZone) -> jiff::civil::DateTime {
    // The engine's instants lie within the years that jiff knows.
    let at = jiff::Timestamp::from_millisecond(at.as_millis());
    zone.to_datetime(at.unwrap_or(jiff::Timestamp::UNIX_EPOCH))
}

/// The instant at which the wall shows this, the first of two; after a gap, as much later.
pub(super) fn instant(wall: jiff::civil::DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let at = zone.to_ambiguous_zoned_datetime(wall).compatible().ok()?;
    Some(Timestamp::from_millis(at.timestamp().as_millisecond()))
}
