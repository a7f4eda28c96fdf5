//! The hub itself, for administrators.
//!
//! Owner of its JSON shape. It must never tell a secret.

use crate::api::words::Instant;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::Json;
use crate::log_filter::LogFilter;
use crate::problem::Answer;
use crate::problem::Problem;
use crate::system::Report;
use actix_web::{HttpResponse, web};
use iothome_engine::policy::Subject;
use iothome_engine::time::Timestamp;
use iothome_store::AuditEntry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The hub as it is now.
#[derive(Serialize, ToSchema)]
#[schema(as = System)]
pub(crate) struct SystemBody {
    /// Its version.
    version: &'static str,
    /// Since when it runs.
    #[schema(value_type = Instant)]
    started_at: Timestamp,
    /// How long that is.
    uptime_seconds: i64,
    /// Resident memory; null where the system does not tell.
    memory_bytes: Option<u64>,
    /// The database.
    database: DatabaseBody,
    /// Each queue, how much waits in it and how much may.
    queues: Vec<QueueBody>,
    /// The certificates and when they end.
    certificates: Vec<CertificateBody>,
    /// Each part and whether it works.
    parts: Vec<PartBody>,
    /// What is logged; null where that cannot be changed.
    log_filter: Option<String>,
    /// The last 200 warnings and errors, the newest first.
    warnings: Vec<WarningBody>,
}

/// The database.
#[derive(Serialize, ToSchema)]
#[schema(as = SystemDatabase)]
pub(crate) struct DatabaseBody {
    /// `sqlite` or `postgresql`.
    kind: &'static str,
    /// Its size; null if it does not answer.
    bytes: Option<u64>,
    /// How fast it grows, over the last week; null until it was measured for a day.
    bytes_per_day: Option<i64>,
}

/// A queue.
#[derive(Serialize, ToSchema)]
#[schema(as = SystemQueue)]
pub(crate) struct QueueBody {
    /// `outbox`, `commands`, `audit`, `history`, `announcements`, `inbox`.
    name: &'static str,
    /// How much waits.
    waiting: usize,
    /// How much may.
    bound: usize,
}

/// A certificate.
#[derive(Serialize, ToSchema)]
#[schema(as = SystemCertificate)]
pub(crate) struct CertificateBody {
    /// `web`, `broker`, `next_broker`, `authority`.
    name: &'static str,
    /// When it ends.
    #[schema(value_type = Instant)]
    ends_at: Timestamp,
    /// SHA-256 of it.
    sha256: String,
}

/// A part of the hub.
#[derive(Serialize, ToSchema)]
#[schema(as = SystemPart)]
pub(crate) struct PartBody {
    /// `database`, `broker`, `commands`, `history`.
    name: &'static str,
    /// Whether it works.
    works: bool,
    /// Why not, if that is known.
    problem: Option<String>,
}

/// A warning or an error.
#[derive(Serialize, ToSchema)]
#[schema(as = SystemWarning)]
pub(crate) struct WarningBody {
    /// When it was last said.
    #[schema(value_type = Instant)]
    at: Timestamp,
    /// `warning` or `error`.
    severity: &'static str,
    /// Which part of the program said it.
    part: String,
    /// What it said.
    text: String,
    /// How often in a row.
    times: u64,
}

/// Version, memory, database, queues, certificates, health and the last warnings.
#[utoipa::path(get, path = "/api/v1/system", tag = "system",
    responses((status = 200, body = SystemBody), (status = 403)))]
pub(crate) async fn get(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    let report = Report::of(&app).await;
    let warnings = app.config.warnings.newest_first();
    Ok(HttpResponse::Ok().json(SystemBody {
        version: report.version,
        started_at: report.started_at,
        uptime_seconds: report.now.millis_since(report.started_at).max(0) / 1_000,
        memory_bytes: report.memory_bytes,
        database: DatabaseBody {
            kind: report.database,
            bytes: report.database_bytes,
            bytes_per_day: report.bytes_per_day,
        },
        queues: all(report.queues, |queue| QueueBody {
            name: queue.name,
            waiting: queue.waiting,
            bound: queue.bound,
        }),
        certificates: all(report.certificates, |certificate| CertificateBody {
            name: certificate.role.as_str(),
            ends_at: certificate.ends_at,
            sha256: certificate.sha256,
        }),
        parts: all(report.parts, |part| PartBody {
            name: part.name,
            works: part.works,
            problem: part.problem,
        }),
        log_filter: app.config.log.as_ref().map(LogFilter::now),
        warnings: all(warnings, |warning| WarningBody {
            at: warning.at,
            severity: warning.severity.as_str(),
            part: warning.part,
            text: warning.text,
            times: warning.times,
        }),
    }))
}

/// What is to be logged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LogLevelWanted)]
pub(crate) struct LogLevelWanted {
    /// Levels (`off`, `error`, `warn`, `info`, `debug`, `trace`) and `part=level`, with commas in
    /// between; null is what the hub was started with.
    #[serde(deserialize_with = "Option::deserialize")]
    filter: Option<String>,
}

/// What is logged now.
#[derive(Serialize, ToSchema)]
#[schema(as = LogLevel)]
pub(crate) struct LogLevelBody {
    /// The filter in force.
    filter: String,
    /// Whether it is another one than the hub was started with; the next start forgets it.
    until_restart: bool,
}

/// Changes what is logged until the next start; for administrators.
#[utoipa::path(put, path = "/api/v1/system/log-level", tag = "system",
    request_body = LogLevelWanted,
    responses((status = 200, body = LogLevelBody), (status = 403), (status = 404), (status = 422)))]
pub(crate) async fn put_log_level(
    app: web::Data<App>,
    user: CurrentUser,
    body: Json<LogLevelWanted>,
) -> Answer {
    user.admin()?;
    let (filter, until_restart) = change_log(&app, &user.subject, body.value.filter.as_deref())?;
    Ok(HttpResponse::Ok().json(LogLevelBody {
        filter,
        until_restart,
    }))
}

/// Changes what is logged and says in the audit log who did; gives the filter in force, and
/// whether it is another one than at the start.
pub(crate) fn change_log(app: &App, by: &Subject, wanted: Option<&str>) -> Answer<(String, bool)> {
    let Some(log) = &app.config.log else {
        return Err(Problem::not_found("what is logged cannot be changed here"));
    };
    let before = log.now();
    let filter = log
        .change(wanted)
        .map_err(|problem| Problem::invalid("filter", problem))?;
    app.hub.audit(AuditEntry {
        at: app.now(),
        user: Some(by.user),
        name: by.name.clone(),
        action: "log_level_changed".to_owned(),
        target: filter.clone(),
        detail: serde_json::json!({ "before": before }),
    });
    Ok((filter, log.is_changed()))
}

fn all<A, B>(items: Vec<A>, body: impl Fn(A) -> B) -> Vec<B> {
    items.into_iter().map(body).collect()
}
