//! The dry run.
//!
//! Owner of how much of it a page shows. The scheduler bounds the span.

use super::stopped;
use super::words::{Teller, local};
use crate::api::schedule_views::aside;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::pages::show;
use crate::pages::visit::{Visit, page};
use crate::problem::Answer;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use iothome_engine::ids::ScheduleId;
use iothome_engine::schedule::simulate::{LogEntry, LogEvent, Simulation};
use iothome_engine::time::Timestamp;
use iothome_views::pages::schedules::{
    SimulatePage, Simulated, SimulatedDay, SimulatedLine, simulate,
};
use iothome_views::texts::fill;
use iothome_views::texts::rhythm::{capital, value_words};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::HashMap;

/// Lines shown: more than anybody reads on a page; REST tells all.
const LINES: usize = 500;
/// Longest span, in milliseconds: a leap year.
const SPAN_MAX_MS: i64 = 366 * 86_400_000;
/// The span that is offered.
const OFFERED_MS: i64 = 7 * 86_400_000;

/// The empty form, for the next week.
pub(super) async fn show(app: web::Data<App>, user: CurrentUser) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let field = |at: Timestamp| {
        local(at, &visit.zone)
            .strftime("%Y-%m-%dT%H:%M")
            .to_string()
    };
    let model = SimulatePage {
        from: field(visit.now),
        to: field(visit.now.plus_millis(OFFERED_MS)),
        ..SimulatePage::default()
    };
    Ok(page(simulate(visit.t, &visit.viewer, &model)))
}

/// From when to when.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    from: String,
    to: String,
}

/// Runs it.
pub(super) async fn submit(app: web::Data<App>, user: CurrentUser, form: Form<Span>) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let s = &visit.t.schedules;
    let (from, to) = (
        instant(&form.0.from, &visit.zone),
        instant(&form.0.to, &visit.zone),
    );
    let mut model = SimulatePage {
        from_problem: from.is_none().then(|| s.simulate_bad_time.to_owned()),
        to_problem: to.is_none().then(|| s.simulate_bad_time.to_owned()),
        from: form.0.from.chars().take(32).collect(),
        to: form.0.to.chars().take(32).collect(),
        found: None,
    };
    let (Some(from), Some(to)) = (from, to) else {
        return Ok(faulty(&visit, &model));
    };
    let length = to.millis_since(from);
    if length <= 0 || length > SPAN_MAX_MS {
        let problem = match length <= 0 {
            true => s.simulate_bad_order,
            false => s.simulate_bad_span,
        };
        model.to_problem = Some(problem.to_owned());
        return Ok(faulty(&visit, &model));
    }
    let (scheduler, subject) = (app.hub.scheduler().clone(), user.subject.clone());
    let found = aside(move || scheduler.simulate(&subject, (from, to), LINES)).await?;
    let found = found.map_err(stopped)?;
    let teller = Teller::of(&app, &user, &visit);
    model.found = Some(told(teller, &found));
    Ok(page(simulate(visit.t, &visit.viewer, &model)))
}

fn faulty(visit: &Visit, model: &SimulatePage) -> HttpResponse {
    let markup = simulate(visit.t, &visit.viewer, model);
    HttpResponse::build(StatusCode::UNPROCESSABLE_ENTITY)
        .content_type("text/html; charset=utf-8")
        .body(markup.into_string())
}

fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let wall: DateTime = text.trim().parse().ok()?;
    let sane = (1970..=2100).contains(&wall.year());
    super::words::instant(wall, zone).filter(|_| sane)
}

fn told(teller: Teller<'_>, found: &Simulation) -> Simulated {
    let t = teller.t();
    let mut names = HashMap::new();
    let mut days: Vec<SimulatedDay> = Vec::new();
    for entry in &found.log {
        let at = local(entry.at, &teller.visit.zone);
        let name = format!("{} {}", t.dates.weekday(at), at.year());
        if days.last().is_none_or(|day| day.name != name) {
            days.push(SimulatedDay {
                name,
                lines: Vec::new(),
            });
        }
        let line = line(teller, &mut names, entry, at);
        if let Some(day) = days.last_mut() {
            day.lines.push(line);
        }
    }
    Simulated {
        count: found.lines,
        shown: (found.lines > LINES || found.cut).then_some(LINES),
        days,
    }
}

fn line(
    teller: Teller<'_>,
    names: &mut HashMap<ScheduleId, String>,
    entry: &LogEntry,
    at: DateTime,
) -> SimulatedLine {
    let t = teller.t();
    let name = names.entry(entry.schedule).or_insert_with(|| {
        let scheduler = teller.app.hub.scheduler();
        let found = scheduler.get(entry.schedule, &teller.user.subject);
        found.map_or_else(
            || t.schedules.gone.to_owned(),
            |s| s.definition.name.clone(),
        )
    });
    let (what, becomes, held) = match &entry.event {
        LogEvent::Skipped => (t.schedules.simulate_skipped.to_owned(), None, true),
        LogEvent::Held { reason } => (
            fill(t.schedules.simulate_held, &teller.held(reason)),
            None,
            true,
        ),
        LogEvent::Asked {
            target,
            action,
            value,
            state,
        } => {
            let device = teller.device(&target.device);
            let entity = device.as_ref().and_then(|d| d.entity(&target.entity));
            let what = show::action_words(t, *action, value.as_ref(), entity);
            let of = teller.name(target);
            let state = state.as_ref().map(|state| value_words(t, state));
            (format!("{of} – {}", capital(&what)), state, false)
        }
    };
    SimulatedLine {
        time: at.strftime("%H:%M:%S").to_string(),
        schedule: entry.schedule,
        name: name.clone(),
        what,
        becomes,
        held,
    }
}
