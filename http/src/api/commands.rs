//! Commands: ask, look up, list.
//!
//! Owner of how a command is asked over REST: waiting, keys, and what the
//! status code says. 2xx says recorded; `status` says what happened.

use crate::api::bodies::{CommandBody, Page};
use crate::api::paths;
use crate::api::words::ActionWord;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::{Json, Query};
use crate::problem::{Answer, Problem};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::Asked;
use iothome_engine::command::{Ask, Cause, Command, Idempotency};
use iothome_engine::ids::{CommandId, EntityId, EntityRef};
use iothome_engine::kind::Action;
use iothome_engine::policy::Right;
use serde::Deserialize;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// Longest wait for the end of a command.
const WAIT_MAX_S: u64 = 30;
/// Longest `Idempotency-Key`.
const KEY_MAX: usize = 255;
/// Commands listed at once.
const LIMIT_MAX: usize = 200;
const LIMIT: usize = 50;

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandRequest {
    /// What to do.
    #[schema(value_type = ActionWord)]
    pub(crate) action: Action,
    /// For `set`: a number, a word, or for a light `{"brightness": 40}`.
    #[serde(default)]
    pub(crate) value: Option<serde_json::Value>,
}

/// How long to wait.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitQuery {
    /// Wait for the end, `1s` to `30s`; without it the answer comes as soon as the command is recorded.
    wait: Option<String>,
}

/// Which part of a list of commands.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CommandsQuery {
    /// At most so many (1 to 200, 50 if not given).
    limit: Option<usize>,
    /// Only older ones than this command.
    before: Option<String>,
}

/// Asks an entity to do something.
#[utoipa::path(post, path = "/api/v1/devices/{device}/entities/{entity}/commands", tag = "commands",
    params(("device" = String, Path), ("entity" = String, Path), WaitQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body within 24 hours is the same command")),
    request_body = CommandRequest,
    responses((status = 200, body = CommandBody, description = "Recorded and ended"),
        (status = 202, body = CommandBody, description = "Recorded, not ended yet"),
        (status = 403), (status = 404), (status = 409, description = "`state_unknown`"),
        (status = 422), (status = 429), (status = 503)))]
pub(crate) async fn ask(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    query: Query<WaitQuery>,
    body: Json<CommandRequest>,
) -> Answer {
    let wait = query.0.wait.as_deref().map(parse_wait).transpose()?;
    let (device, entity) = path.into_inner();
    let device = paths::device(&app, &user, &device, Right::Control)?;
    let entity = paths::entity(&device, &entity)?;
    let target = EntityRef {
        device: device.id.clone(),
        entity: entity.id.clone(),
    };
    let idempotency = idempotency(&request, &user, &body.sha256)?;
    let command = perform(&app, &user, target, body.value, idempotency, wait).await?;
    Ok(answer(&command))
}

/// Asks in the name of a user and waits for the end, if told to.
pub(crate) async fn perform(
    app: &App,
    user: &CurrentUser,
    target: EntityRef,
    wanted: CommandRequest,
    idempotency: Option<Idempotency>,
    wait: Option<Duration>,
) -> Answer<Command> {
    let _place = app.hub.sessions().permit(user.session).await?;
    let ask = Ask {
        id: app.new_command_id()?,
        target,
        action: wanted.action,
        value: wanted.value,
        cause: Cause::User {
            user: user.subject.user,
            name: user.subject.name.clone(),
            session: user.session,
        },
        idempotency,
    };
    let Asked { command, ended } = app.hub.ask(ask).await?;
    if let (Some(wait), Some(ended)) = (wait, ended)
        && !command.status.is_end()
        && let Ok(Ok(ended)) = tokio::time::timeout(wait, ended).await
    {
        return Ok(ended);
    }
    Ok(as_it_is_now(app, command))
}

fn answer(command: &Command) -> HttpResponse {
    let mut response = if command.status.is_end() {
        HttpResponse::Ok()
    } else {
        HttpResponse::Accepted()
    };
    response
        .insert_header((header::LOCATION, format!("/api/v1/commands/{}", command.id)))
        .json(CommandBody::from(command))
}

/// The steps between acceptance and end live in the house only.
fn as_it_is_now(app: &App, mut command: Command) -> Command {
    if command.status.is_end() {
        return command;
    }
    let Some(device) = app.hub.house().device(&command.device) else {
        return command;
    };
    let Some(entity) = device.entity(&command.entity) else {
        return command;
    };
    match (&entity.pending, &entity.last_command) {
        (Some(pending), _) if pending.command == command.id => command.status = pending.status,
        (_, Some(last)) if last.id == command.id => return Command::clone(last),
        _ => {}
    }
    command
}

fn parse_wait(text: &str) -> Answer<Duration> {
    let seconds = text.strip_suffix('s').and_then(|s| s.parse::<u64>().ok());
    match seconds {
        Some(seconds @ 1..=WAIT_MAX_S) => Ok(Duration::from_secs(seconds)),
        _ => {
            let detail = format!("wait is whole seconds from 1s to {WAIT_MAX_S}s");
            Err(Problem::bad_request(detail).field("wait"))
        }
    }
}

fn idempotency(
    request: &HttpRequest,
    user: &CurrentUser,
    body_sha256: &str,
) -> Answer<Option<Idempotency>> {
    let Some(value) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or("").trim();
    if key.is_empty() || key.len() > KEY_MAX {
        let detail = format!("an Idempotency-Key has 1 to {KEY_MAX} ASCII characters");
        return Err(Problem::bad_request(detail).field("Idempotency-Key"));
    }
    Ok(Some(Idempotency {
        key: format!("{}{}/{key}", user.subject.user, request.path()),
        body_sha256: body_sha256.to_owned(),
    }))
}

/// A command, as it is now.
#[utoipa::path(get, path = "/api/v1/commands/{command}", tag = "commands", params(("command" = String, Path)),
    responses((status = 200, body = CommandBody), (status = 404)))]
pub(crate) async fn get(app: web::Data<App>, user: CurrentUser, path: web::Path<String>) -> Answer {
    let id: CommandId = paths::id(&path, "command")?;
    let command = app.store.command(id).await?;
    let command = command
        .filter(|command| user.subject.may(Right::View, &command.device))
        .ok_or_else(|| Problem::not_found("there is no such command"))?;
    Ok(HttpResponse::Ok().json(CommandBody::from(&as_it_is_now(&app, command))))
}

/// The newest commands of a device.
#[utoipa::path(get, path = "/api/v1/devices/{device}/commands", tag = "commands",
    params(("device" = String, Path), CommandsQuery),
    responses((status = 200, body = Page<CommandBody>), (status = 404)))]
pub(crate) async fn of_device(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    query: Query<CommandsQuery>,
) -> Answer {
    let device = paths::device(&app, &user, &path, Right::View)?;
    list(&app, &device.id, None, &query.0).await
}

/// The newest commands of an entity.
#[utoipa::path(get, path = "/api/v1/devices/{device}/entities/{entity}/commands", tag = "commands",
    params(("device" = String, Path), ("entity" = String, Path), CommandsQuery),
    responses((status = 200, body = Page<CommandBody>), (status = 404)))]
pub(crate) async fn of_entity(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<(String, String)>,
    query: Query<CommandsQuery>,
) -> Answer {
    let (device, entity) = path.into_inner();
    let device = paths::device(&app, &user, &device, Right::View)?;
    let entity = paths::entity(&device, &entity)?;
    list(&app, &device.id, Some(&entity.id), &query.0).await
}

async fn list(
    app: &App,
    device: &iothome_engine::ids::DeviceId,
    entity: Option<&EntityId>,
    query: &CommandsQuery,
) -> Answer {
    let limit = paths::limit(query.limit, LIMIT, LIMIT_MAX)?;
    let before =
        match &query.before {
            None => None,
            Some(text) => Some(text.parse::<CommandId>().map_err(|_| {
                Problem::bad_request("before is the id of a command").field("before")
            })?),
        };
    let commands = app.store.commands_of(device, entity, limit, before).await?;
    let full = commands.len() >= limit;
    let next = commands.last().filter(|_| full).map(|c| c.id.to_string());
    let items: Vec<CommandBody> = commands
        .into_iter()
        .map(|command| CommandBody::from(&as_it_is_now(app, command)))
        .collect();
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_one_to_thirty_whole_seconds() {
        assert_eq!(parse_wait("1s").ok(), Some(Duration::from_secs(1)));
        assert_eq!(parse_wait("30s").ok(), Some(Duration::from_secs(30)));
        for bad in ["", "s", "0s", "31s", "5", "1.5s", "-1s", "1m"] {
            let problem = parse_wait(bad).expect_err(bad);
            assert_eq!(problem.field.as_deref(), Some("wait"));
        }
    }
}
