//! What other pages show of schedules: those of a device, and the next of all.
//!
//! Owner of those little view-models.

use super::choices;
use super::words::Teller;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::pages::visit::Visit;
use iothome_actors::Hub;
use iothome_engine::policy::Subject;
use iothome_engine::schedule::{Due, Schedule};
use iothome_engine::view::DeviceView;
use iothome_views::components::schedule::{DeviceLine, DeviceSchedules};
use std::sync::Arc;

/// Schedules listed on a device's page.
const LINES: usize = 20;
/// Schedules looked at for the next of all.
const LOOKED_AT: usize = 1_000;

/// The schedules of a device, and the quick form for whoever may schedule it.
pub(in crate::pages) fn of_device(
    app: &App,
    user: &CurrentUser,
    visit: &Visit,
    view: &DeviceView,
) -> DeviceSchedules {
    let teller = Teller::of(app, user, visit);
    let scheduler = app.hub.scheduler();
    let found = scheduler.list_by_next(&user.subject, Some(&view.id));
    let lines = found.iter().take(LINES).map(|(schedule, next)| {
        let definition = &schedule.definition;
        DeviceLine {
            id: schedule.id,
            name: definition.name.clone(),
            words: teller.when_words(definition),
            enabled: definition.enabled,
            done: teller.done(schedule, next.is_some()),
            next: next.map(|due| teller.due(&due)),
        }
    });
    let lines = lines.collect();
    let quick = teller.may_schedule(&view.id).then(|| {
        let choices = choices::of(teller, view).into_iter();
        // What needs a value is for the whole form.
        choices
            .filter(|choice| choice.range.is_none())
            .map(|choice| (choice.value, choice.words))
            .collect()
    });
    DeviceSchedules { lines, quick }
}

/// The schedule of all that somebody sees that is due next.
pub(in crate::pages) fn next_up(hub: &Hub, subject: &Subject) -> Option<(Arc<Schedule>, Due)> {
    let scheduler = hub.scheduler();
    // While the clock is not believed nothing is due.
    if !scheduler.is_running() {
        return None;
    }
    let all = scheduler.enabled(subject, LOOKED_AT);
    let due = all.into_iter().filter_map(|schedule| {
        let due = scheduler.next(&schedule)?;
        (schedule.skip_due_at != Some(due.at)).then_some((schedule, due))
    });
    due.min_by_key(|(_, due)| due.at)
}
