//! What schedules would do: previews, the week ahead, simulations; and all of them as
//! one file.
//!
//! Owner of the bounds on what is worked out for a request. It must never hold a
//! worker thread up: what takes long runs beside it.

use crate::api::schedule_bodies::{DueBody, WeekBody};
use crate::api::words::Instant;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::door::limits::BODY_WAIT;
use crate::json::{self, Json, Query};
use crate::problem::{Answer, Problem};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use futures_util::StreamExt;
use iothome_actors::SchedulingError;
use iothome_engine::schedule::simulate::{LogEntry, Simulation};
use iothome_engine::schedule::{Reading, When, describe_trigger, read_preview};
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value as State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::LazyLock;
use tokio::sync::Semaphore;
use utoipa::{IntoParams, ToSchema};

/// Largest file that is imported: a few thousand schedules.
const FILE_MAX: usize = 4 * 1024 * 1024;
/// Most lines of a simulation's log in one answer.
const LOG_MAX: usize = 10_000;
const LOG: usize = 1_000;
/// A simulation that names no end runs a week.
const WEEK_MS: i64 = 7 * 86_400_000;
/// What takes long is worked out for so many at once: the house comes first.
static LONG: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(1));
/// So is what is soon done; it does not wait behind what takes long.
static SHORT: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(1));

/// A trigger that is not saved.
#[derive(ToSchema)]
#[schema(as = PreviewRequest)]
#[expect(dead_code, reason = "a schema")]
pub(crate) struct PreviewRequest {
    /// The trigger, as in a schedule.
    #[schema(value_type = Object)]
    trigger: Value,
    /// `next_valid` (default) or `skip`.
    #[schema(required = false)]
    gap: String,
    /// `first` (default), `second` or `both`.
    #[schema(required = false)]
    overlap: String,
    /// Only occurrences after this instant; now if not given.
    #[schema(value_type = Instant, required = false)]
    from: Timestamp,
    /// How many, 1 to 1,000; 10 if not given.
    #[schema(required = false)]
    count: u32,
}

/// What a trigger means.
#[derive(Serialize, ToSchema)]
#[schema(as = Preview)]
pub(crate) struct PreviewBody {
    /// When it is due, in words.
    description: String,
    /// The cron line, normalised; null for other triggers.
    expression: Option<String>,
    /// Its next occurrences.
    occurrences: Vec<DueBody>,
}

/// Whose week.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WeekQuery {
    /// Only what this device does.
    device: Option<String>,
}

/// What is to be simulated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimulationRequest {
    /// From when; now if not given.
    #[serde(default)]
    #[schema(value_type = Option<Instant>)]
    from: Option<Timestamp>,
    /// Until when, at most 366 days later; a week later if not given.
    #[serde(default)]
    #[schema(value_type = Option<Instant>)]
    to: Option<Timestamp>,
    /// At most so many lines of the log (1 to 10,000, 1,000 if not given).
    #[serde(default)]
    limit: Option<usize>,
}

/// What the schedules that you see would do, from the present states on.
#[derive(Serialize, ToSchema)]
#[schema(as = Simulation)]
pub(crate) struct SimulationBody {
    /// From when.
    #[schema(value_type = Instant)]
    from: Timestamp,
    /// Until when.
    #[schema(value_type = Instant)]
    to: Timestamp,
    /// What would happen, in order: `at`, `schedule`, `due_at`, and `event`, which is `asked` (with
    /// `target`, `action`, `value` and the `state` it would cause), `held` (with the `reason`) or
    /// `skipped`.
    #[schema(value_type = Vec<Object>)]
    log: Vec<LogEntry>,
    /// How many lines there are in all.
    lines: usize,
    /// Whether the log was cut.
    cut: bool,
    /// The states at the end, as far as they are known.
    states: Vec<StateBody>,
}

/// A state that would be.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedState)]
pub(crate) struct StateBody {
    device: String,
    entity: String,
    #[schema(value_type = Object)]
    state: State,
}

/// Every schedule as one file.
#[derive(ToSchema)]
#[schema(as = ScheduleFile)]
#[expect(dead_code, reason = "a schema")]
pub(crate) struct FileBody {
    /// 1.
    version: u64,
    /// The schedules, each as it is written.
    #[schema(value_type = Vec<super::schedule_bodies::ScheduleRequest>)]
    schedules: Vec<Value>,
}

/// What an import made.
#[derive(Serialize, ToSchema)]
#[schema(as = Imported)]
pub(crate) struct ImportedBody {
    /// The ids of the new schedules, in the order of the file.
    ids: Vec<String>,
}

/// How the scheduler is.
#[derive(Serialize, ToSchema)]
#[schema(as = Scheduler)]
pub(crate) struct SchedulerBody {
    /// Whether schedules run: it has begun, and the clock is believed.
    running: bool,
    /// The instant until which everything is decided.
    #[schema(value_type = Instant)]
    reached: Timestamp,
    /// How many schedules there are.
    schedules: usize,
    /// How many occurrences are under way.
    under_way: usize,
}

/// What a trigger means, before it is saved. Saves nothing.
#[utoipa::path(post, path = "/api/v1/schedules/preview", tag = "schedules", request_body = PreviewRequest,
    responses((status = 200, body = PreviewBody), (status = 422)))]
pub(crate) async fn preview(app: web::Data<App>, _user: CurrentUser, body: Json<Value>) -> Answer {
    let read = read_preview(&body.value, app.hub.clock().now());
    let preview = read.map_err(SchedulingError::Faults)?;
    let expression = match &preview.trigger.when {
        When::Cron { expression } => Some(expression.as_str().to_owned()),
        When::At { .. } | When::Every { .. } | When::Sun { .. } => None,
    };
    let description = describe_trigger(&preview.trigger);
    let scheduler = app.hub.scheduler().clone();
    let found = at_once(move || scheduler.preview(&preview)).await??;
    Ok(HttpResponse::Ok().json(PreviewBody {
        description,
        expression,
        occurrences: found.into_iter().map(DueBody::from).collect(),
    }))
}

/// Everything that will happen in the next seven days to devices that you may see.
#[utoipa::path(get, path = "/api/v1/week-ahead", tag = "schedules", params(WeekQuery),
    responses((status = 200, body = WeekBody)))]
pub(crate) async fn week_ahead(
    app: web::Data<App>,
    user: CurrentUser,
    query: Query<WeekQuery>,
) -> Answer {
    let device = query.0.device.as_deref();
    let device = device.map(|d| super::devices::device_id("device", d));
    let device = device.transpose()?;
    let (scheduler, subject) = (app.hub.scheduler().clone(), user.subject.clone());
    let under_way = scheduler.under_way().await?;
    let week = aside(move || scheduler.week_ahead(&subject, device.as_ref(), &under_way)).await?;
    Ok(HttpResponse::Ok().json(WeekBody::from(week)))
}

/// Runs the schedules that you see on virtual time. Sends nothing.
#[utoipa::path(post, path = "/api/v1/simulations", tag = "schedules", request_body = SimulationRequest,
    responses((status = 200, body = SimulationBody), (status = 409), (status = 422), (status = 503)))]
pub(crate) async fn simulate(
    app: web::Data<App>,
    user: CurrentUser,
    body: Json<SimulationRequest>,
) -> Answer {
    let asked = body.value;
    let from = asked.from.unwrap_or_else(|| app.hub.clock().now());
    let to = asked.to.unwrap_or_else(|| from.plus_millis(WEEK_MS));
    let limit = super::paths::limit(asked.limit, LOG, LOG_MAX)?;
    let (scheduler, subject) = (app.hub.scheduler().clone(), user.subject.clone());
    let made = aside(move || scheduler.simulate(&subject, (from, to), limit)).await??;
    Ok(HttpResponse::Ok().json(SimulationBody::new(made, (from, to))))
}

/// Every schedule that you see, as one file that people can read.
#[utoipa::path(get, path = "/api/v1/schedules/export", tag = "schedules",
    responses((status = 200, body = FileBody)))]
pub(crate) async fn export(app: web::Data<App>, user: CurrentUser) -> Answer {
    let (scheduler, subject) = (app.hub.scheduler().clone(), user.subject.clone());
    let text = aside(move || serde_json::to_string_pretty(&scheduler.export(&subject))).await?;
    let text = text.map_err(|error| Problem::internal(&error))?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"schedules.json\"",
        ))
        .body(text))
}

/// Makes every schedule of a file, or none; `errors` lists every fault.
#[utoipa::path(post, path = "/api/v1/schedules/import", tag = "schedules", request_body = FileBody,
    responses((status = 201, body = ImportedBody), (status = 409, description = "`too_many_schedules`"),
        (status = 413), (status = 422)))]
pub(crate) async fn import(
    app: web::Data<App>,
    user: CurrentUser,
    payload: web::Payload,
) -> Answer {
    let bytes = tokio::time::timeout(BODY_WAIT, whole(payload)).await;
    let bytes = bytes.map_err(|_| {
        let detail = "the file took too long to arrive";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail)
    })??;
    let file: Value = json::parse(&bytes)?;
    let scheduler = app.hub.scheduler();
    let done = scheduler.import(&file, &user.subject).await?;
    let ids = done.schedules.iter().map(|s| s.id.to_string()).collect();
    Ok(HttpResponse::Created().json(ImportedBody { ids }))
}

/// How the scheduler is.
#[utoipa::path(get, path = "/api/v1/scheduler", tag = "schedules",
    responses((status = 200, body = SchedulerBody), (status = 503)))]
pub(crate) async fn state(app: web::Data<App>, _user: CurrentUser) -> Answer {
    let state = app.hub.scheduler().state().await?;
    Ok(HttpResponse::Ok().json(SchedulerBody {
        running: state.running,
        reached: state.reached,
        schedules: state.schedules,
        under_way: state.under_way,
    }))
}

/// Says that the clock is right although it was ahead before, so that schedules run from now on.
#[utoipa::path(post, path = "/api/v1/scheduler/trust-clock", tag = "schedules",
    responses((status = 204), (status = 403)))]
pub(crate) async fn trust_clock(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    app.hub.scheduler().trust_clock().await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn whole(mut payload: web::Payload) -> Answer<web::BytesMut> {
    let mut bytes = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::bad_request("the file could not be read"))?;
        if bytes.len() + chunk.len() > FILE_MAX {
            let detail = format!("the file is larger than {FILE_MAX} bytes");
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Problem::new(status, "too_large", detail));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Works out beside the worker threads what takes long, one at a time.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Answer<T> {
    in_turn(&LONG, work).await
}

/// Works out beside the worker threads what is soon done, one at a time.
async fn at_once<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Answer<T> {
    in_turn(&SHORT, work).await
}

async fn in_turn<T: Send + 'static>(
    turns: &Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Answer<T> {
    // Closed never.
    let _turn = turns.acquire().await.map_err(|e| Problem::internal(&e))?;
    web::block(work).await.map_err(|e| Problem::internal(&e))
}

impl SimulationBody {
    fn new(made: Simulation, (from, to): (Timestamp, Timestamp)) -> Self {
        let mut states: Vec<StateBody> = made
            .states
            .into_iter()
            .filter_map(|(target, reading)| match reading {
                Reading::Known { value, .. } => Some(StateBody {
                    device: target.device.to_string(),
                    entity: target.entity.to_string(),
                    state: value,
                }),
                Reading::Unknown | Reading::Unavailable => None,
            })
            .collect();
        states.sort_by(|a, b| (&a.device, &a.entity).cmp(&(&b.device, &b.entity)));
        Self {
            from,
            to,
            cut: made.cut || made.lines > made.log.len(),
            log: made.log,
            lines: made.lines,
            states,
        }
    }
}
