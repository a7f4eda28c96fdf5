//! "All off" in a room: one form, a command for each switch and light that is on.
//!
//! Owner of the choice of what is asked and of what the person is told. It must never
//! ask what the person may not control, nor what is away.

use super::filter::{self, HomeQuery};
use super::plan::{self, NO_ROOM};
use super::tally::{is_away, is_on};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::json::Query;
use crate::pages::error::wants_fragment;
use crate::pages::visit::{Visit, page, see_other};
use crate::problem::{Answer, Problem};
use actix_web::{HttpRequest, web};
use futures_util::{StreamExt as _, stream};
use iothome_actors::Asked;
use iothome_engine::command::{Ask, Cause};
use iothome_engine::ids::{DeviceId, EntityId, EntityRef, RoomId};
use iothome_engine::kind::Action;
use iothome_engine::policy::{Right, Subject};
use iothome_engine::view::Availability;
use iothome_views::links::Back;
use iothome_views::pages::home::{Turned, turned};
use serde::Deserialize;
use std::time::Duration;

/// Entities asked by one press: beyond the largest room, and a bound on what one form can do. A
/// press counts as one command of the session's budget, for the house bounds it, not the sender.
const ASKED_MAX: usize = 500;
/// Commands on their way to the journal at once: it writes many in one go.
const AT_ONCE: usize = 16;
/// How long a browser without script waits for the ends.
const WAIT: Duration = Duration::from_millis(1_200);

/// The form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OffForm {
    #[serde(default)]
    back: String,
}

/// Turns off what is on in a room.
pub(crate) async fn submit(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    form: Form<OffForm>,
    _query: Query<HomeQuery>,
) -> Answer {
    let room = room_of(&app, &user.subject, &path)?;
    let _permit = app.hub.sessions().permit(user.session).await?;
    let (mut told, targets) = choose(&app, &user, room.as_ref());
    let outcomes: Vec<Answer<Asked>> = stream::iter(targets)
        .map(|target| ask(&app, &user, target))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let (asked, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    told.asked = asked.len();
    told.failed = failed.len();
    if wants_fragment(&request) {
        let visit = Visit::of(&app, &user).await?;
        return Ok(page(turned(visit.t, &told.room, Some(&told))));
    }
    let ends = asked.into_iter().flatten().filter_map(|asked| asked.ended);
    let _ = tokio::time::timeout(WAIT, futures_util::future::join_all(ends)).await;
    let start = back_of(&form.0.back).start();
    let joint = if start.contains('?') { '&' } else { '?' };
    let told = filter::told(&told);
    Ok(see_other(&format!("{start}{joint}{told}#room-{}", *path)))
}

/// Only the home page has rooms with that button.
fn back_of(field: &str) -> Back {
    Back::home(field.strip_prefix("home?").unwrap_or_default())
}

/// A room in which they have nothing is none to members.
fn room_of(app: &App, subject: &Subject, key: &str) -> Answer<Option<RoomId>> {
    if key == NO_ROOM {
        return Ok(None);
    }
    let none = || Problem::not_found("there is no such room");
    let rooms = app.hub.rooms();
    let found = rooms.iter().find(|room| room.id.as_str() == key);
    let found = found.ok_or_else(none)?;
    let id = Some(found.id.clone());
    if !subject.is_admin() && plan::in_room(app, subject, id.as_ref()).is_empty() {
        return Err(none());
    }
    Ok(id)
}

fn choose(
    app: &App,
    user: &CurrentUser,
    room: Option<&RoomId>,
) -> (Turned, Vec<(DeviceId, EntityId)>) {
    let mut told = Turned {
        room: room.map_or(NO_ROOM, RoomId::as_str).to_owned(),
        ..Turned::default()
    };
    let mut targets = Vec::new();
    for device in plan::in_room(app, &user.subject, room) {
        let may = user.subject.may(Right::Control, &device.id);
        for entity in &device.entities {
            let away = is_away(&device) || entity.availability == Availability::Offline;
            match (is_on(entity), may, away) {
                (false, _, _) => {}
                (true, false, _) => told.skipped += 1,
                (true, true, true) => told.unreached += 1,
                (true, true, false) if targets.len() < ASKED_MAX => {
                    targets.push((device.id.clone(), entity.id.clone()));
                }
                (true, true, false) => told.failed += 1,
            }
        }
    }
    (told, targets)
}

async fn ask(
    app: &App,
    user: &CurrentUser,
    (device, entity): (DeviceId, EntityId),
) -> Answer<Asked> {
    let ask = Ask {
        id: app.new_command_id()?,
        target: EntityRef { device, entity },
        action: Action::TurnOff,
        value: None,
        cause: Cause::User {
            user: user.subject.user,
            name: user.subject.name.clone(),
            session: user.session,
        },
        idempotency: None,
    };
    Ok(app.hub.ask(ask).await?)
}
