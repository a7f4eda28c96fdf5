//! Schedules: list, read, make, change, delete, run, skip, copy.
//!
//! Owner of how schedules travel over REST. The scheduler owns who may do what with
//! them; the engine owns what they say.

use crate::api::bodies::Page;
use crate::api::schedule_bodies::{OccurrenceBody, ScheduleBody, ScheduleRequest};
use crate::api::{conditional, paths};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::{Json, Query};
use crate::problem::{Answer, Problem};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::{SavedBy, SchedulingError};
use iothome_engine::ids::ScheduleId;
use iothome_engine::schedule::{Definition, Schedule, read_definition};
use iothome_engine::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::IntoParams;

/// Schedules or occurrences listed at once.
const LIMIT_MAX: usize = 500;
const LIMIT: usize = 100;

/// Which schedules.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SchedulesQuery {
    /// At most so many (1 to 500, 100 if not given).
    limit: Option<usize>,
    /// Only what comes after this id.
    after: Option<String>,
    /// Only those that drive this device or ask about it.
    device: Option<String>,
}

/// Which occurrences.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OccurrencesQuery {
    /// At most so many (1 to 500, 100 if not given).
    limit: Option<usize>,
    /// Only those due before this instant.
    before: Option<String>,
}

/// The schedules that you see: your own, and those all of whose devices you may see. The oldest
/// first.
#[utoipa::path(get, path = "/api/v1/schedules", tag = "schedules", params(SchedulesQuery),
    responses((status = 200, body = Page<ScheduleBody>)))]
pub(crate) async fn list(
    app: web::Data<App>,
    user: CurrentUser,
    query: Query<SchedulesQuery>,
) -> Answer {
    let limit = paths::limit(query.0.limit, LIMIT, LIMIT_MAX)?;
    let device = query.0.device.as_deref();
    let device = device.map(|d| super::devices::device_id("device", d));
    let after = query.0.after.as_deref().map(cursor).transpose()?;
    let scheduler = app.hub.scheduler();
    let device = device.transpose()?;
    let mut found = scheduler.list(&user.subject, device.as_ref(), limit + 1, after);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|s| s.id.to_string());
    let mut items = Vec::with_capacity(found.len());
    for schedule in &found {
        items.push(body(&app, &user, schedule).await?);
    }
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// Makes a schedule. It is yours and runs with your rights at that moment.
#[utoipa::path(post, path = "/api/v1/schedules", tag = "schedules", request_body = ScheduleRequest,
    responses((status = 201, body = ScheduleBody), (status = 403), (status = 409, description = "`too_many_schedules`"),
        (status = 422, description = "`errors` lists every fault with its field, the problem and an example")))]
pub(crate) async fn create(app: web::Data<App>, user: CurrentUser, body: Json<Value>) -> Answer {
    let definition = read(&app, &body.value)?;
    let made = app
        .hub
        .scheduler()
        .create(definition, &user.subject)
        .await?;
    created(&app, &user, &made).await
}

/// A schedule.
#[utoipa::path(get, path = "/api/v1/schedules/{schedule}", tag = "schedules",
    params(("schedule" = String, Path)),
    responses((status = 200, body = ScheduleBody), (status = 404)))]
pub(crate) async fn get(app: web::Data<App>, user: CurrentUser, path: web::Path<String>) -> Answer {
    let schedule = seen(&app, &user, &path)?;
    shown(&app, &user, &schedule).await
}

/// Changes a schedule. What was due before the change never runs because of it.
///
/// A trigger of another kind takes the whole place of the one before, and so do conditions; all
/// else is merged.
#[utoipa::path(patch, path = "/api/v1/schedules/{schedule}", tag = "schedules",
    params(("schedule" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body(content = ScheduleRequest, content_type = "application/merge-patch+json"),
    responses((status = 200, body = ScheduleBody), (status = 403), (status = 404), (status = 412), (status = 422)))]
pub(crate) async fn patch(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    body: Json<Value>,
) -> Answer {
    let schedule = seen(&app, &user, &path)?;
    let asked = conditional::if_match(&request)?;
    let merged = merged(&schedule.definition, body.value)?;
    let definition = read(&app, &merged)?;
    let by = SavedBy {
        subject: &user.subject,
        // What was merged here must still be what is there.
        if_match: asked.or(Some(schedule.version)),
    };
    let scheduler = app.hub.scheduler();
    let changed = scheduler.replace(schedule.id, definition, by).await?;
    shown(&app, &user, &changed).await
}

/// Deletes a schedule; what is not sent yet is not sent.
#[utoipa::path(delete, path = "/api/v1/schedules/{schedule}", tag = "schedules",
    params(("schedule" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 403), (status = 404), (status = 412)))]
pub(crate) async fn delete(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
) -> Answer {
    let schedule = seen(&app, &user, &path)?;
    let by = by(&request, &user)?;
    app.hub.scheduler().delete(schedule.id, by).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Runs a schedule now, whatever its conditions say.
#[utoipa::path(post, path = "/api/v1/schedules/{schedule}/run", tag = "schedules",
    params(("schedule" = String, Path)),
    responses((status = 202, body = OccurrenceBody, description = "Recorded, and being carried out"),
        (status = 403), (status = 404), (status = 409), (status = 503)))]
pub(crate) async fn run(app: web::Data<App>, user: CurrentUser, path: web::Path<String>) -> Answer {
    let schedule = seen(&app, &user, &path)?;
    // As often as commands may be asked: a run is as many as its actions.
    let commands = schedule.definition.actions.len();
    let sessions = app.hub.sessions();
    let _place = sessions.permit_for(user.session, commands).await?;
    let scheduler = app.hub.scheduler();
    let due_at = scheduler.run(schedule.id, &user.subject).await?;
    let before = Some(due_at.plus_millis(1));
    let found = scheduler
        .occurrences(schedule.id, 1, before, &user.subject)
        .await?;
    let Some(happened) = found.into_iter().next() else {
        return Err(Problem::not_found("there is no such schedule"));
    };
    let list = format!("/api/v1/schedules/{}/occurrences", schedule.id);
    Ok(HttpResponse::Accepted()
        .insert_header((header::LOCATION, list))
        .json(OccurrenceBody::from(happened)))
}

/// Skips the next occurrence.
#[utoipa::path(post, path = "/api/v1/schedules/{schedule}/skip-next", tag = "schedules",
    params(("schedule" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ScheduleBody), (status = 403), (status = 404),
        (status = 409, description = "There is none to skip"), (status = 412)))]
pub(crate) async fn skip_next(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
) -> Answer {
    skip(&app, &user, &request, &path, true).await
}

/// Takes back that the next occurrence is skipped.
#[utoipa::path(delete, path = "/api/v1/schedules/{schedule}/skip-next", tag = "schedules",
    params(("schedule" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ScheduleBody), (status = 403), (status = 404), (status = 412)))]
pub(crate) async fn keep_next(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
) -> Answer {
    skip(&app, &user, &request, &path, false).await
}

async fn skip(
    app: &App,
    user: &CurrentUser,
    request: &HttpRequest,
    path: &str,
    skip: bool,
) -> Answer {
    let schedule = seen(app, user, path)?;
    let by = by(request, user)?;
    let scheduler = app.hub.scheduler();
    let changed = scheduler.skip_next(schedule.id, skip, by).await?;
    shown(app, user, &changed).await
}

/// Makes another schedule that says the same; it waits to be enabled.
#[utoipa::path(post, path = "/api/v1/schedules/{schedule}/duplicate", tag = "schedules",
    params(("schedule" = String, Path)),
    responses((status = 201, body = ScheduleBody), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn duplicate(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    let schedule = seen(&app, &user, &path)?;
    let scheduler = app.hub.scheduler();
    let made = scheduler.duplicate(schedule.id, &user.subject).await?;
    created(&app, &user, &made).await
}

/// What became of a schedule's occurrences, the newest first, each with the commands it caused.
#[utoipa::path(get, path = "/api/v1/schedules/{schedule}/occurrences", tag = "schedules",
    params(("schedule" = String, Path), OccurrencesQuery),
    responses((status = 200, body = Page<OccurrenceBody>), (status = 404)))]
pub(crate) async fn occurrences(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    query: Query<OccurrencesQuery>,
) -> Answer {
    let schedule = seen(&app, &user, &path)?;
    let limit = paths::limit(query.0.limit, LIMIT, LIMIT_MAX)?;
    let before = query.0.before.as_deref().map(instant).transpose()?;
    let scheduler = app.hub.scheduler();
    let mut found = scheduler
        .occurrences(schedule.id, limit + 1, before, &user.subject)
        .await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more);
    let next = next.map(|happened| happened.occurrence.due_at.to_string());
    let items = found.into_iter().map(OccurrenceBody::from).collect();
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

fn instant(text: &str) -> Answer<Timestamp> {
    Timestamp::parse(text).ok_or_else(|| {
        Problem::invalid(
            "before",
            "an instant such as 2027-03-01T07:00:00Z is needed",
        )
    })
}

fn cursor(text: &str) -> Answer<ScheduleId> {
    let parsed = text.parse();
    parsed.map_err(|_| Problem::invalid("after", "the `next` of a page is needed"))
}

fn seen(app: &App, user: &CurrentUser, path: &str) -> Answer<Arc<Schedule>> {
    let id = paths::id(path, "schedule")?;
    let found = app.hub.scheduler().get(id, &user.subject);
    found.ok_or_else(|| Problem::not_found("there is no such schedule"))
}

fn by<'a>(request: &HttpRequest, user: &'a CurrentUser) -> Answer<SavedBy<'a>> {
    Ok(SavedBy {
        subject: &user.subject,
        if_match: conditional::if_match(request)?,
    })
}

fn read(app: &App, json: &Value) -> Answer<Definition> {
    let read = read_definition(json, Some(app.hub.clock().now()));
    read.map_err(|faults| SchedulingError::Faults(faults).into())
}

/// A merge patch (RFC 7396) on what a person wrote.
fn merged(definition: &Definition, patch: Value) -> Answer<Value> {
    let mut whole = serde_json::to_value(definition).map_err(|e| Problem::internal(&e))?;
    let Value::Object(mut fields) = patch else {
        return Err(Problem::invalid("body", "the body must be a JSON object"));
    };
    let kind_of = |trigger: &Value| trigger.get("kind").cloned();
    let another = fields
        .get("trigger")
        .and_then(kind_of)
        .is_some_and(|kind| Some(kind) != kind_of(&whole["trigger"]));
    if another && let Some(trigger) = fields.remove("trigger") {
        whole["trigger"] = trigger;
    }
    if let Some(conditions) = fields.remove("conditions") {
        whole["conditions"] = conditions;
    }
    merge(&mut whole, Value::Object(fields));
    Ok(whole)
}

fn merge(whole: &mut Value, patch: Value) {
    let Value::Object(fields) = patch else {
        *whole = patch;
        return;
    };
    if !whole.is_object() {
        *whole = Value::Object(serde_json::Map::new());
    }
    for (name, change) in fields {
        if change.is_null() {
            if let Some(whole) = whole.as_object_mut() {
                whole.remove(&name);
            }
        } else {
            // As deep as the body's parser lets anything be.
            merge(&mut whole[name.as_str()], change);
        }
    }
}

async fn body(app: &App, user: &CurrentUser, schedule: &Schedule) -> Answer<ScheduleBody> {
    let scheduler = app.hub.scheduler();
    let last = scheduler.last(schedule.id).await?;
    let may_change = scheduler.may_change(schedule, &user.subject);
    Ok(ScheduleBody::new(
        schedule,
        scheduler.next(schedule),
        last,
        may_change,
    ))
}

async fn shown(app: &App, user: &CurrentUser, schedule: &Schedule) -> Answer {
    Ok(HttpResponse::Ok()
        .insert_header(conditional::tag(schedule.version))
        .json(body(app, user, schedule).await?))
}

async fn created(app: &App, user: &CurrentUser, schedule: &Schedule) -> Answer {
    let at = format!("/api/v1/schedules/{}", schedule.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, at))
        .insert_header(conditional::tag(schedule.version))
        .json(body(app, user, schedule).await?))
}

impl From<SchedulingError> for Problem {
    fn from(error: SchedulingError) -> Self {
        let detail = error.to_string();
        match error {
            SchedulingError::NotFound => Self::not_found(detail),
            SchedulingError::Denied { field, device } => Self::forbidden(format!(
                "scheduling {device} needs the rights `control` and `schedule` on it"
            ))
            .field(field),
            SchedulingError::Faults(faults) => {
                let first = faults.first().map(|fault| fault.field.clone());
                let field = first
                    .filter(|f| !f.is_empty())
                    .unwrap_or_else(|| "body".into());
                let errors = serde_json::to_value(&faults).unwrap_or_default();
                Self::invalid(field, detail).with("errors", errors)
            }
            SchedulingError::TooMany(max) => Self::new(
                StatusCode::CONFLICT,
                "too_many_schedules",
                format!("a user may have {max} schedules: delete one, or have the limit raised"),
            ),
            SchedulingError::Hub(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn definition() -> Definition {
        let json = json!({
            "name": "Porch",
            "trigger": {"kind": "cron", "expression": "0 7 * * *", "zone": "Europe/Berlin"},
            "missed": {"policy": "once", "grace_seconds": 60},
            "conditions": {"kind": "time", "days": ["MON"]},
            "actions": [{"device": "lamp", "entity": "main", "action": "turn_on"}],
        });
        read_definition(&json, None).expect("is right")
    }

    fn patched(patch: Value) -> Value {
        merged(&definition(), patch).expect("merges")
    }

    #[test]
    fn a_patch_changes_what_it_names_and_null_takes_away() {
        let whole = patched(json!({"trigger": {"expression": "0 8 * * *", "zone": null}}));
        assert_eq!(
            whole["trigger"],
            json!({"kind": "cron", "expression": "0 8 * * *"})
        );
        assert_eq!(whole["missed"]["grace_seconds"], 60);
        let whole = patched(json!({"missed": {"policy": "all"}, "conditions": null}));
        assert_eq!(
            whole["missed"],
            json!({"policy": "all", "grace_seconds": 60})
        );
        assert_eq!(whole["conditions"], Value::Null);
    }

    #[test]
    fn a_trigger_of_another_kind_and_conditions_are_taken_whole() {
        let at = json!({"kind": "at", "at": "2027-03-28T02:30"});
        let whole = patched(json!({"trigger": at, "conditions": {"any": []}}));
        assert_eq!(
            (&whole["trigger"], &whole["conditions"]),
            (&at, &json!({"any": []}))
        );
    }

    #[test]
    fn a_patch_of_nothing_is_the_same_schedule() {
        let same = read_definition(&patched(json!({})), None).expect("is right");
        assert_eq!(same, definition());
    }
}
