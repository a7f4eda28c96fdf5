//! Making a device by hand: its name, then what it has, one thing at a time.
//!
//! Owner of those forms, for administrators. What a device may be is the house's to
//! say; whatever it refuses is told beside its field, with all that was typed.

mod bench;
mod entity;
mod form;
mod presets;

pub(super) use entity::{add, edit, show_add, show_edit};

use super::visit::{Visit, no_device, page, see_other};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::problem::{Answer, Problem};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use iothome_actors::NewDevice;
use iothome_engine::config::EntityConfig;
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::kind::Kind;
use iothome_store::{Origin, StoredDevice, StoredEntity};
use iothome_views::icons::Icon;
use iothome_views::pages::add_device::{
    self as view, AddDevicePage, EntitiesPage, MadeEntity, Problems,
};
use iothome_views::texts::Texts;
use iothome_views::{Markup, links};
use serde::Deserialize;

/// Topics named of an entity in the list.
const TOPICS: usize = 6;

/// A page that says what was wrong with the form it was sent.
pub(super) fn faulty(markup: Markup) -> HttpResponse {
    HttpResponse::build(StatusCode::UNPROCESSABLE_ENTITY)
        .content_type("text/html; charset=utf-8")
        .body(markup.into_string())
}

/// The names of the rooms there are.
pub(super) fn rooms(app: &App) -> Vec<String> {
    let rooms = app.hub.rooms();
    rooms.iter().map(|room| room.name.clone()).collect()
}

/// A problem in words, if it is about a field that the form has; the rest is for the error page.
pub(super) fn told(t: &Texts, problem: &Problem) -> Option<(String, String)> {
    let said = match problem.code {
        "invalid" => form::said(t, &problem.detail),
        "taken" => t.add_device.problem_taken.to_owned(),
        "conflict" => problem.detail.clone(),
        _ => return None,
    };
    let field = problem.field.as_deref().unwrap_or_default();
    Some((form::key_of(field).to_owned(), said))
}

/// The first step.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let model = AddDevicePage {
        rooms: rooms(&app),
        ..AddDevicePage::default()
    };
    Ok(page(view::page(visit.t, &visit.viewer, &model)))
}

/// The form of the first step.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceForm {
    name: String,
    #[serde(default)]
    room: String,
    #[serde(default)]
    id: String,
}

/// Makes the device, without anything yet, and goes on to what it has.
pub(crate) async fn submit(
    app: web::Data<App>,
    user: CurrentUser,
    form: Form<DeviceForm>,
) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let typed = form.0;
    let mut problems = Problems::new();
    let id = typed.id.trim();
    if !id.is_empty() && id.parse::<DeviceId>().is_err() {
        problems.insert("id".into(), visit.t.add_device.problem_id.into());
    }
    if typed.name.trim().is_empty() {
        problems.insert("name".into(), visit.t.add_device.problem_required.into());
    }
    if problems.is_empty() {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let new = NewDevice {
            id: given(id),
            name: typed.name.clone(),
            room: given(typed.room.trim()),
            entities: Vec::new(),
            // It gets its broker user when somebody looks at how to connect it: only then is the
            // password shown to a person.
            credential: false,
        };
        match app.hub.create_device(new, &user.subject).await {
            Ok((device, _)) => return Ok(see_other(&links::entities(&device.id))),
            Err(error) => {
                let problem = Problem::from(error);
                problems.extend([told(visit.t, &problem).ok_or(problem)?]);
            }
        }
    }
    let model = AddDevicePage {
        name: typed.name,
        room: typed.room,
        id: typed.id,
        problems,
        rooms: rooms(&app),
    };
    Ok(faulty(view::page(visit.t, &visit.viewer, &model)))
}

/// The stored device of the path, for an administrator.
pub(super) async fn stored(app: &App, user: &CurrentUser, id: &str) -> Answer<StoredDevice> {
    user.admin()?;
    let id: DeviceId = id.parse().map_err(|_| no_device())?;
    app.store.device(&id).await?.ok_or_else(no_device)
}

/// An entity of it that was made by hand.
pub(super) fn made_by_hand<'a>(device: &'a StoredDevice, id: &str) -> Answer<&'a StoredEntity> {
    let id: EntityId = id.parse().map_err(|_| no_device())?;
    let mut entities = device.entities.iter();
    let found = entities.find(|e| e.id == id && e.config_topic.is_none());
    found.ok_or_else(no_device)
}

/// What the device has.
pub(crate) async fn entities(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    let device = stored(&app, &user, &path).await?;
    let visit = Visit::of(&app, &user).await?;
    let model = entities_page(&visit, &device, Kind::Switch, String::new());
    Ok(page(view::entities_page(visit.t, &visit.viewer, &model)))
}

fn entities_page(visit: &Visit, device: &StoredDevice, kind: Kind, name: String) -> EntitiesPage {
    let shown = device.entities.iter().filter(|e| e.withdrawn_at.is_none());
    EntitiesPage {
        device: device.id.clone(),
        device_name: device.name.clone(),
        entities: shown.map(|entity| made(visit.t, entity)).collect(),
        may_add: device.origin == Origin::HandMade,
        kind,
        name,
        problems: Problems::new(),
    }
}

fn made(t: &'static Texts, entity: &StoredEntity) -> MadeEntity {
    let config = EntityConfig::parse(entity.kind, &entity.raw, bench::templates()).ok();
    let own = config.as_ref().and_then(|c| c.name.clone());
    let class = config.as_ref().and_then(|c| c.device_class.clone());
    let topics = entity.raw.iter().filter(|(key, _)| key.ends_with("_topic"));
    MadeEntity {
        id: entity.id.clone(),
        name: entity
            .name
            .clone()
            .or(own)
            .unwrap_or_else(|| entity.id.to_string()),
        kind: (t.words.kind)(entity.kind),
        icon: Icon::of(entity.kind, class.as_deref(), false),
        topics: topics
            .filter_map(|(key, topic)| {
                let label = (t.add_device.label)(key);
                Some((label, topic.as_str()?.to_owned())).filter(|_| !label.is_empty())
            })
            .take(TOPICS)
            .collect(),
        announced: entity.config_topic.is_some(),
    }
}

/// The form that asks for a further entity.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextForm {
    kind: String,
    name: String,
}

/// Goes on to the form of that kind, with the name.
pub(crate) async fn next(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    form: Form<NextForm>,
) -> Answer {
    let device = stored(&app, &user, &path).await?;
    let visit = Visit::of(&app, &user).await?;
    let kind: Option<Kind> = form.0.kind.parse().ok();
    let name = form.0.name.trim();
    if let (Some(kind), false) = (kind, name.is_empty()) {
        let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        let address = links::add_entity(&device.id, kind);
        return Ok(see_other(&format!("{address}&name={name}")));
    }
    let mut model = entities_page(&visit, &device, kind.unwrap_or(Kind::Switch), form.0.name);
    let needed = visit.t.add_device.problem_required.to_owned();
    let field = if kind.is_none() { "kind" } else { "name" };
    model.problems.insert(field.into(), needed);
    Ok(faulty(view::entities_page(visit.t, &visit.viewer, &model)))
}

/// Asks whether an entity is to go.
pub(crate) async fn ask_remove(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<(String, String)>,
) -> Answer {
    let device = stored(&app, &user, &path.0).await?;
    let entity = made_by_hand(&device, &path.1)?;
    let visit = Visit::of(&app, &user).await?;
    let made = made(visit.t, entity);
    let markup = view::remove_page(visit.t, &visit.viewer, &device.id, &made);
    Ok(page(markup))
}

/// A form without fields of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Takes an entity away.
pub(crate) async fn remove(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<(String, String)>,
    _form: Form<Nothing>,
) -> Answer {
    let device = stored(&app, &user, &path.0).await?;
    let entity = made_by_hand(&device, &path.1)?;
    app.hub
        .remove_entity(&device.id, &entity.id, None, &user.subject)
        .await?;
    Ok(see_other(&links::entities(&device.id)))
}
