//! One schedule: its page, and what its buttons do.
//!
//! Owner of those handlers. After a button the browser goes where the outcome is shown.

use super::list::{card, clock_wrong, owner};
use super::words::Teller;
use super::{id_of, no_schedule, stopped};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::json::Query;
use crate::pages::error::wants_fragment;
use crate::pages::show;
use crate::pages::visit::{Visit, page, see_other};
use crate::problem::{Answer, Problem};
use actix_web::{HttpRequest, web};
use iothome_actors::{Caused, Happened, SavedBy};
use iothome_engine::schedule::{Gap, MissedPolicy, Overlap, Plan, Schedule};
use iothome_engine::time::Timestamp;
use iothome_views::links;
use iothome_views::pages::schedules::{self as view, HistoryAction, HistoryLine, SchedulePage};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Times to come.
const DUE: usize = 10;
/// Occurrences a page.
const HISTORY: usize = 20;
/// How long a run by hand may take to show in the history at once.
const SHOWN_WITHIN: Duration = Duration::from_millis(1_500);
/// How often the history is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Which part of the history.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    before: Option<i64>,
}

fn get(app: &App, user: &CurrentUser, path: &str) -> Answer<Arc<Schedule>> {
    let id = id_of(path)?;
    let found = app.hub.scheduler().get(id, &user.subject);
    found.ok_or_else(no_schedule)
}

fn by(user: &CurrentUser) -> SavedBy<'_> {
    SavedBy {
        subject: &user.subject,
        if_match: None,
    }
}

/// The page.
pub(super) async fn show(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    wanted: Query<Wanted>,
) -> Answer {
    let schedule = get(&app, &user, &path)?;
    let visit = Visit::of(&app, &user).await?;
    let teller = Teller::of(&app, &user, &visit);
    let scheduler = app.hub.scheduler();
    let before = wanted.0.before.map(Timestamp::from_millis);
    let mut history = scheduler
        .occurrences(schedule.id, HISTORY + 1, before, &user.subject)
        .await
        .map_err(stopped)?;
    let older = history.len() > HISTORY;
    history.truncate(HISTORY);
    let older = history.last().filter(|_| older);
    let older = older.map(|last| last.occurrence.due_at.as_millis());
    let definition = &schedule.definition;
    let due = due(teller, &schedule);
    let model = SchedulePage {
        id: schedule.id,
        name: definition.name.clone(),
        words: teller.when_words(definition),
        conditions: teller.conditions(definition),
        steps: teller.steps(definition),
        enabled: definition.enabled,
        reason: teller.why_off(&schedule),
        owner: owner(teller, &schedule, &mut HashMap::new()).await?,
        may_change: scheduler.may_change(&schedule, &user.subject),
        done: teller.done(&schedule, !due.is_empty()),
        due,
        rules: rules(teller, &schedule),
        history: history.iter().map(|line| happened(teller, line)).collect(),
        older,
        paged: before.is_some(),
        clock_wrong: clock_wrong(teller).await,
    };
    let markup = view::schedule(visit.t, &visit.viewer, &visit.live("quiet"), &model);
    Ok(page(markup))
}

fn due(
    teller: Teller<'_>,
    schedule: &Schedule,
) -> Vec<iothome_views::components::schedule::DueLine> {
    let home = teller.home();
    let plan = Plan::of(&schedule.definition, &home);
    let due = plan.after(teller.visit.now).take(DUE);
    due.map(|due| {
        let mut line = teller.due(&due);
        line.skipped = schedule.skip_due_at == Some(due.at);
        line
    })
    .collect()
}

fn rules(teller: Teller<'_>, schedule: &Schedule) -> Vec<(&'static str, String)> {
    let s = &teller.t().schedules;
    let definition = &schedule.definition;
    let policy = |word: &str| (s.policy)(word).to_owned();
    let missed = definition.missed;
    let missed_words = match missed.policy {
        MissedPolicy::Skip => policy("skip"),
        MissedPolicy::All => policy("all"),
        MissedPolicy::Once => {
            let length = (teller.t().rhythm.length)(missed.grace_seconds);
            format!("{} ({length})", policy("once"))
        }
    };
    let home = teller.home();
    let zone = Plan::of(definition, &home).zone().iana_name();
    vec![
        (s.rule_zone, zone.unwrap_or("UTC").to_owned()),
        (
            s.rule_gap,
            policy(match definition.gap {
                Gap::NextValid => "next_valid",
                Gap::Skip => "skip",
            }),
        ),
        (
            s.rule_overlap,
            policy(match definition.overlap {
                Overlap::First => "first",
                Overlap::Second => "second",
                Overlap::Both => "both",
            }),
        ),
        (s.rule_missed, missed_words),
    ]
}

fn happened(teller: Teller<'_>, line: &Happened) -> HistoryLine {
    let occurrence = &line.occurrence;
    HistoryLine {
        due: teller.moment(occurrence.due_at),
        due_ms: occurrence.due_at.as_millis(),
        state: occurrence.state,
        reason: teller.reason(occurrence.reason.as_deref()),
        by_hand: occurrence.by_hand,
        actions: line
            .actions
            .iter()
            .map(|action| caused(teller, action, occurrence.reason.as_deref()))
            .collect(),
    }
}

/// One action; why it was not asked is not told again where the occurrence says so already.
fn caused(teller: Teller<'_>, action: &Caused, said: Option<&str>) -> HistoryAction {
    let t = teller.t();
    let run = &action.run;
    let device = teller.device(&run.target.device);
    let entity = device.as_ref().and_then(|d| d.entity(&run.target.entity));
    let command = action.command.as_ref();
    HistoryAction {
        of: teller.name(&run.target),
        what: show::action_words(t, run.action, run.value.as_ref(), entity),
        status: command.map(|command| command.status),
        latency_ms: command.and_then(|command| show::command_latency(t, command)),
        state: run.state,
        reason: match command {
            Some(command) => show::reason_words(t, command),
            None => teller.reason(run.reason.as_deref().filter(|why| said != Some(*why))),
        },
    }
}

/// A form without fields of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The switch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switched {
    enabled: bool,
    #[serde(default)]
    back: String,
}

/// Turns it on or off.
pub(super) async fn switch(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    form: Form<Switched>,
) -> Answer {
    let id = id_of(&path)?;
    let changed = app
        .hub
        .scheduler()
        .set_enabled(id, form.0.enabled, by(&user))
        .await
        .map_err(stopped)?;
    if wants_fragment(&request) {
        let visit = Visit::of(&app, &user).await?;
        let teller = Teller::of(&app, &user, &visit);
        let model = card(teller, &changed, &mut HashMap::new()).await?;
        return Ok(page(view::card(visit.t, &visit.viewer.csrf, &model)));
    }
    Ok(see_other(&match form.0.back.as_str() {
        "list" => format!("{}#schedule-{id}", links::SCHEDULES),
        _ => links::schedule(&id),
    }))
}

/// Runs it now; the page that follows shows what became of it, if that is quick.
pub(super) async fn run(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    let schedule = get(&app, &user, &path)?;
    let id = schedule.id;
    // As often as commands may be asked: a run is as many as its actions.
    let commands = schedule.definition.actions.len();
    let sessions = app.hub.sessions();
    let _place = sessions.permit_for(user.session, commands).await?;
    let due_at = app
        .hub
        .scheduler()
        .run(id, &user.subject)
        .await
        .map_err(stopped)?;
    // Too late: the page shows how far it came.
    let _ = tokio::time::timeout(SHOWN_WITHIN, ended(&app, &user, id, due_at)).await;
    let address = links::schedule(&id);
    Ok(see_other(&format!("{address}#due-{}", due_at.as_millis())))
}

/// Resolves when everything that an occurrence asked has its end.
async fn ended(
    app: &App,
    user: &CurrentUser,
    id: iothome_engine::ids::ScheduleId,
    due_at: Timestamp,
) -> Result<(), Problem> {
    loop {
        let found = app
            .hub
            .scheduler()
            .occurrences(id, 1, Some(due_at.plus_millis(1)), &user.subject)
            .await
            .map_err(stopped)?;
        let done = found.iter().all(|line| {
            line.occurrence.state.is_end()
                && line.actions.iter().all(|action| {
                    let command = action.command.as_ref();
                    command.is_some_and(|c| c.status.is_end())
                        || action.run.state.is_end() && command.is_none()
                })
        });
        if done {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Skips the next one.
pub(super) async fn skip(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    let id = id_of(&path)?;
    let skipped = app.hub.scheduler().skip_next(id, true, by(&user)).await;
    skipped.map_err(stopped)?;
    Ok(see_other(&links::schedule(&id)))
}

/// Makes another like it, turned off, and shows its form.
pub(super) async fn duplicate(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    let id = id_of(&path)?;
    let made = app.hub.scheduler().duplicate(id, &user.subject).await;
    let made = made.map_err(stopped)?;
    Ok(see_other(&links::edit_schedule(&made.id)))
}

/// Asks whether it is to go.
pub(super) async fn ask_delete(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    let schedule = get(&app, &user, &path)?;
    let visit = Visit::of(&app, &user).await?;
    let name = &schedule.definition.name;
    let markup = view::delete(visit.t, &visit.viewer, &schedule.id, name);
    Ok(page(markup))
}

/// Deletes it.
pub(super) async fn delete(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    let id = id_of(&path)?;
    let deleted = app.hub.scheduler().delete(id, by(&user)).await;
    deleted.map_err(stopped)?;
    Ok(see_other(links::SCHEDULES))
}
