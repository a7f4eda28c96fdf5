//! Changing and deleting a device by page.
//!
//! Owner of those forms' answers. Whether a name will do is the house's to say.

use super::device::Nothing;
use super::visit::{Visit, device_of, no_device, page, see_other};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::problem::{Answer, Problem};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use iothome_actors::{DevicePatch, HubError};
use iothome_engine::ids::DeviceId;
use iothome_engine::policy::Right;
use iothome_views::links;
use iothome_views::pages::edit_device::{self, EditPage};
use iothome_views::symbols::Symbol;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The edit form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditForm {
    name: String,
    #[serde(default)]
    room: String,
    #[serde(default)]
    icon: String,
    version: i64,
}

/// The form, filled with what is.
pub(crate) async fn show(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    let id = device_of(&app, &user, &path, Right::Manage)?;
    let visit = Visit::of(&app, &user).await?;
    let model = filled(&app, &id)?;
    Ok(page(edit_device::edit(visit.t, &visit.viewer, &model)))
}

fn filled(app: &App, id: &DeviceId) -> Answer<EditPage> {
    let view = app.hub.house().device(id).ok_or_else(no_device)?;
    Ok(EditPage {
        id: id.clone(),
        title: view.name.clone(),
        name: view.name.clone(),
        room: view.room.clone().unwrap_or_default(),
        version: view.version,
        rooms: app.hub.rooms().iter().map(|r| r.name.clone()).collect(),
        symbol: view.icon.as_deref().and_then(Symbol::from_word),
        problem: None,
        name_problem: None,
        room_problem: None,
    })
}

/// Changes the device, or shows the form again with what is wrong.
pub(crate) async fn submit(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    form: Form<EditForm>,
) -> Answer {
    let id = device_of(&app, &user, &path, Right::Manage)?;
    let form = form.0;
    let room = form.room.trim();
    let symbol = Symbol::from_word(&form.icon);
    let patch = DevicePatch {
        name: Some(form.name.clone()),
        room: Some((!room.is_empty()).then(|| room.to_owned())),
        icon: Some(symbol.map(|symbol| symbol.word().to_owned())),
        entities: BTreeMap::new(),
        ..DevicePatch::default()
    };
    let changed = app
        .hub
        .update_device(&id, patch, Some(form.version), &user.subject)
        .await;
    let Err(error) = changed else {
        return Ok(see_other(&links::device(&id)));
    };
    let visit = Visit::of(&app, &user).await?;
    let mut model = filled(&app, &id)?;
    let status = match &error {
        HubError::Stale => {
            model.problem = Some(visit.t.device.edit_changed.to_owned());
            StatusCode::CONFLICT
        }
        HubError::Invalid { field, .. } => {
            let device = &visit.t.device;
            match field.as_str() {
                "name" => model.name_problem = Some(device.edit_bad_name.to_owned()),
                _ => model.room_problem = Some(device.edit_bad_room.to_owned()),
            }
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ => return Err(Problem::from(error)),
    };
    (model.name, model.room, model.symbol) = (form.name, form.room, symbol);
    let markup = edit_device::edit(visit.t, &visit.viewer, &model);
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(markup.into_string()))
}

/// Asks once more before it is deleted.
pub(crate) async fn ask(app: web::Data<App>, user: CurrentUser, path: web::Path<String>) -> Answer {
    let id = device_of(&app, &user, &path, Right::Manage)?;
    let visit = Visit::of(&app, &user).await?;
    let view = app.hub.house().device(&id).ok_or_else(no_device)?;
    let markup = edit_device::delete(visit.t, &visit.viewer, &id, &view.name);
    Ok(page(markup))
}

/// Deletes it.
pub(crate) async fn delete(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    let id = device_of(&app, &user, &path, Right::Manage)?;
    app.hub.delete_device(&id, None, &user.subject).await?;
    Ok(see_other(links::HOME))
}
