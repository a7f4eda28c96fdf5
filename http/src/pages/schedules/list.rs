//! The list of schedules.
//!
//! Owner of its order: what runs before what is turned off, the next first.

use super::one::Nothing;
use super::stopped;
use super::words::Teller;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::json::Query;
use crate::pages::visit::{Visit, page, see_other};
use crate::problem::{Answer, Problem};
use actix_web::web;
use iothome_engine::ids::{DeviceId, ScheduleId, UserId};
use iothome_engine::schedule::Schedule;
use iothome_views::links;
use iothome_views::pages::schedules::{Filter, ListPage, ScheduleCard, list};
use iothome_views::texts::fill;
use iothome_views::time::When;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Schedules on a page: what a person still looks through.
const PAGE: usize = 100;
/// Schedules looked at for the devices to filter by.
const LOOKED_AT: usize = 1_000;
/// Devices to filter by.
const FILTERS: usize = 40;

/// What of the list is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    device: Option<String>,
    after: Option<String>,
    imported: Option<u32>,
}

/// The list.
pub(super) async fn show(app: web::Data<App>, user: CurrentUser, wanted: Query<Wanted>) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let teller = Teller::of(&app, &user, &visit);
    let device: Option<DeviceId> = wanted.0.device.as_deref().and_then(|d| d.parse().ok());
    let after: Option<ScheduleId> = wanted.0.after.as_deref().and_then(|id| id.parse().ok());
    let (found, more) = part(&app, &user, device.clone(), after).await?;
    let more = more.map(|last| next_page(device.as_ref(), last));
    let mut owners = HashMap::new();
    let mut cards = Vec::new();
    for schedule in &found {
        cards.push(card(teller, schedule, &mut owners).await?);
    }
    let model = ListPage {
        schedules: cards,
        filters: filters(teller, device.as_ref()),
        may_make: may_make(teller),
        clock_wrong: clock_wrong(teller).await,
        done: wanted
            .0
            .imported
            .map(|n| fill(visit.t.schedules.import_done, &n.to_string())),
        more,
    };
    let markup = list(visit.t, &visit.viewer, &visit.live("quiet"), &model);
    Ok(page(markup))
}

/// A page of the list after that schedule, the next first, and its last one if there are more.
async fn part(
    app: &App,
    user: &CurrentUser,
    device: Option<DeviceId>,
    after: Option<ScheduleId>,
) -> Answer<(Vec<Arc<Schedule>>, Option<ScheduleId>)> {
    let (scheduler, subject) = (app.hub.scheduler().clone(), user.subject.clone());
    let all = web::block(move || scheduler.list_by_next(&subject, device.as_ref())).await;
    let all = all.map_err(|error| Problem::internal(&error))?;
    let from = after.and_then(|after| all.iter().position(|(s, _)| s.id == after));
    let left = all.into_iter().skip(from.map_or(0, |at| at + 1));
    let mut found: Vec<Arc<Schedule>> = left.take(PAGE + 1).map(|(s, _)| s).collect();
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let last = found.last().filter(|_| more).map(|last| last.id);
    Ok((found, last))
}

fn next_page(device: Option<&DeviceId>, after: ScheduleId) -> String {
    match device {
        Some(device) => format!("{}&after={after}", links::schedules_of(device)),
        None => format!("{}?after={after}", links::SCHEDULES),
    }
}

/// Whether the viewer may schedule anything.
pub(super) fn may_make(teller: Teller<'_>) -> bool {
    let devices = teller.app.hub.house().devices();
    devices.iter().any(|device| teller.may_schedule(&device.id))
}

/// Until when nothing runs, if the clock is behind what was already lived through.
pub(super) async fn clock_wrong(teller: Teller<'_>) -> Option<When> {
    let app = teller.app;
    let state = app.hub.scheduler().state().await.ok()?;
    let waits = !state.running && state.reached > app.now();
    waits.then(|| teller.moment(state.reached))
}

/// An administrator says that the clock is right.
pub(super) async fn trust_clock(
    app: web::Data<App>,
    user: CurrentUser,
    _form: Form<Nothing>,
) -> Answer {
    user.admin()?;
    app.hub.scheduler().trust_clock().await?;
    Ok(see_other(links::SCHEDULES))
}

/// A schedule as a card.
pub(super) async fn card(
    teller: Teller<'_>,
    schedule: &Schedule,
    owners: &mut HashMap<UserId, String>,
) -> Answer<ScheduleCard> {
    let scheduler = teller.app.hub.scheduler();
    let definition = &schedule.definition;
    let last = scheduler.last(schedule.id).await.map_err(stopped)?;
    let next = scheduler.next(schedule).map(|due| {
        let mut line = teller.due(&due);
        line.skipped = schedule.skip_due_at == Some(due.at);
        line
    });
    Ok(ScheduleCard {
        id: schedule.id,
        name: definition.name.clone(),
        words: teller.when_words(definition),
        done: teller.done(schedule, next.is_some()),
        does: teller.does(definition.actions.iter()),
        next,
        last: last.map(|occurrence| teller.end(&occurrence)),
        enabled: definition.enabled,
        reason: teller.why_off(schedule),
        owner: owner(teller, schedule, owners).await?,
        may_change: scheduler.may_change(schedule, &teller.user.subject),
    })
}

/// Whose it is, if not the reader's.
pub(super) async fn owner(
    teller: Teller<'_>,
    schedule: &Schedule,
    owners: &mut HashMap<UserId, String>,
) -> Answer<Option<String>> {
    let id = schedule.owner;
    if id == teller.user.subject.user {
        return Ok(None);
    }
    if let Some(known) = owners.get(&id) {
        return Ok(Some(known.clone()));
    }
    let user = teller.app.store.user(id).await?;
    let name = user.map_or_else(|| teller.t().schedules.gone.to_owned(), |user| user.name);
    owners.insert(id, name.clone());
    Ok(Some(name))
}

fn filters(teller: Teller<'_>, chosen: Option<&DeviceId>) -> Vec<Filter> {
    let scheduler = teller.app.hub.scheduler();
    let all: Vec<Arc<Schedule>> = scheduler.list(&teller.user.subject, None, LOOKED_AT, None);
    let mut devices: BTreeMap<(String, DeviceId), ()> = BTreeMap::new();
    let mut add = |id: &DeviceId| {
        if let Some(device) = teller.device(id) {
            devices.insert((device.name.to_lowercase(), id.clone()), ());
        }
    };
    for schedule in &all {
        for action in &schedule.definition.actions {
            add(&action.target.device);
        }
    }
    chosen.into_iter().for_each(add);
    let filter = |id: DeviceId| Filter {
        name: teller.device_name(&id),
        chosen: chosen == Some(&id),
        device: id,
    };
    let devices = devices.into_keys().map(|(_, id)| filter(id));
    let (chosen, others): (Vec<_>, Vec<_>) = devices.partition(|f| f.chosen);
    chosen.into_iter().chain(others).take(FILTERS).collect()
}
