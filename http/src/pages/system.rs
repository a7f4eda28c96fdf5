//! The system page, for administrators.
//!
//! Owner of that handler and of how the hub's figures are put into words.

use super::visit::{Visit, page, see_other};
use crate::api::system as api;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::config::{Certificate, CertificateRole};
use crate::log_filter::LogFilter;
use crate::problem::Answer;
use crate::system::{Part, Report};
use crate::warnings::{Severity, Warnings};
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::Queue;
use iothome_engine::time::Timestamp;
use iothome_views::links;
use iothome_views::pages::system::{
    self as view, CertificateLine, Lasting, LogForm, PartLine, QueueLine, SystemPage, WarningLine,
};
use iothome_views::texts::Texts;
use iothome_views::time::When;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// A certificate that ends within this time is worth a look: the web's own has been renewed long
/// before, so one that comes this near is not being renewed.
const SOON_MS: i64 = 30 * 86_400_000;

/// The hub as it is now.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser, request: HttpRequest) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let saved = request.query_string() == "done=log";
    let log = app.config.log.as_ref().map(|log| LogForm {
        filter: log.now(),
        is_changed: log.is_changed(),
        problem: false,
        saved,
    });
    let model = model(&app, &visit, log).await;
    let live = visit.live("system");
    Ok(page(view::page(visit.t, &visit.viewer, &live, &model)))
}

/// The form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogFields {
    filter: String,
}

/// Changes what is logged; nothing typed is what the hub was started with.
pub(crate) async fn change_log(
    app: web::Data<App>,
    user: CurrentUser,
    form: Form<LogFields>,
) -> Answer {
    user.admin()?;
    let typed = form.0.filter;
    let wanted = Some(typed.trim()).filter(|typed| !typed.is_empty());
    let problem = match api::change_log(&app, &user.subject, wanted) {
        Ok(_) => return Ok(see_other(&format!("{}?done=log", links::SYSTEM))),
        Err(problem) => problem,
    };
    if problem.field.is_none() {
        return Err(problem);
    }
    let visit = Visit::of(&app, &user).await?;
    let log = LogForm {
        filter: typed,
        is_changed: app.config.log.as_ref().is_some_and(LogFilter::is_changed),
        problem: true,
        saved: false,
    };
    let model = model(&app, &visit, Some(log)).await;
    let live = visit.live("system");
    Ok(HttpResponse::UnprocessableEntity()
        .content_type("text/html; charset=utf-8")
        .body(view::page(visit.t, &visit.viewer, &live, &model).into_string()))
}

async fn model(app: &web::Data<App>, visit: &Visit, log: Option<LogForm>) -> SystemPage {
    let (t, report) = (visit.t, Report::of(app).await);
    let uptime_s = report.now.millis_since(report.started_at).max(0) / 1_000;
    let certificate = |c: &Certificate| self::certificate(t, c, visit.now, &visit.zone);
    SystemPage {
        version: report.version.to_owned(),
        uptime_s: u64::try_from(uptime_s).unwrap_or(0),
        memory_bytes: report.memory_bytes,
        database: database(report.database).to_owned(),
        database_bytes: report.database_bytes,
        bytes_per_day: report.bytes_per_day,
        parts: report.parts.into_iter().filter_map(part).collect(),
        queues: report.queues.iter().filter_map(queue).collect(),
        certificates: report.certificates.iter().map(certificate).collect(),
        log,
        warnings: warnings(&app.config.warnings, t, visit.now, &visit.zone),
    }
}

fn database(kind: &str) -> &str {
    match kind {
        "sqlite" => "SQLite",
        "postgresql" => "PostgreSQL",
        other => other,
    }
}

fn part(part: Part) -> Option<PartLine> {
    let which = match part.name {
        "database" => view::Part::Database,
        "broker" => view::Part::Broker,
        "commands" => view::Part::Commands,
        "history" => view::Part::History,
        "access" => view::Part::Access,
        _ => return None,
    };
    Some(PartLine {
        part: which,
        works: part.works,
        problem: part.problem,
    })
}

fn queue(queue: &Queue) -> Option<QueueLine> {
    let which = match queue.name {
        "outbox" => view::Queue::Outbox,
        "commands" => view::Queue::Commands,
        "audit" => view::Queue::Audit,
        "history" => view::Queue::History,
        "announcements" => view::Queue::Announcements,
        "inbox" => view::Queue::Inbox,
        _ => return None,
    };
    Some(QueueLine {
        queue: which,
        waiting: queue.waiting,
        bound: queue.bound,
    })
}

fn certificate(t: &Texts, c: &Certificate, now: Timestamp, zone: &TimeZone) -> CertificateLine {
    CertificateLine {
        role: match c.role {
            CertificateRole::Web => view::CertificateRole::Web,
            CertificateRole::Broker => view::CertificateRole::Broker,
            CertificateRole::NextBroker => view::CertificateRole::NextBroker,
            CertificateRole::Authority => view::CertificateRole::Authority,
        },
        ends: When::new(t, c.ends_at, now, zone),
        lasting: match c.ends_at.millis_since(now) {
            left if left <= 0 => Lasting::Ended,
            left if left <= SOON_MS => Lasting::EndsSoon,
            _ => Lasting::Well,
        },
    }
}

/// The last warnings as the page shows them.
pub(crate) fn warnings(
    warnings: &Warnings,
    t: &Texts,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<WarningLine> {
    let lines = warnings.newest_first().into_iter();
    let lines = lines.map(|line| WarningLine {
        number: line.number,
        error: line.severity == Severity::Error,
        at: When::new(t, line.at, now, zone),
        part: line.part,
        text: line.text,
        times: line.times,
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_and_every_queue_has_words() {
        for name in ["database", "broker", "commands", "history", "access"] {
            let told = Part {
                name,
                works: true,
                problem: None,
            };
            assert!(part(told).is_some(), "{name}");
        }
        for name in [
            "outbox",
            "commands",
            "audit",
            "history",
            "announcements",
            "inbox",
        ] {
            let told = Queue {
                name,
                waiting: 0,
                bound: 1,
            };
            assert!(queue(&told).is_some(), "{name}");
        }
    }
}
