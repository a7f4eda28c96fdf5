//! The viewer's favourites: the star on a card, and the page that puts them in order.
//!
//! Owner of those forms. It must never touch anybody else's favourites.

use super::error::wants_fragment;
use super::rooms::{MoveForm, Told, device_line, moved};
use super::visit::{Visit, device_of, no_device, page, see_other};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::json::Query;
use crate::problem::Answer;
use actix_web::{HttpRequest, web};
use iothome_engine::ids::DeviceId;
use iothome_engine::policy::Right;
use iothome_views::components::Look;
use iothome_views::components::star::star;
use iothome_views::links::{self, Back};
use iothome_views::pages::rooms::{self as view, FavouritesPage};
use serde::Deserialize;

/// Whether a device is to be a favourite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Dear {
    Yes,
    No,
}

/// The star's form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StarForm {
    dear: Dear,
    #[serde(default)]
    back: String,
}

/// Makes a device a favourite, or one no more.
pub(crate) async fn mark(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    form: Form<StarForm>,
) -> Answer {
    let id = device_of(&app, &user, &path, Right::View)?;
    let dear = form.0.dear == Dear::Yes;
    app.hub.set_favourite(user.subject.user, &id, dear).await?;
    let back = Back::from_field(&form.0.back, &id);
    if !wants_fragment(&request) {
        let address = match form.0.back.as_str() {
            "favourites" => links::FAVOURITES.to_owned(),
            _ => back.page(&id),
        };
        return Ok(see_other(&address));
    }
    let visit = Visit::of(&app, &user).await?;
    let device = app.hub.house().device(&id).ok_or_else(no_device)?;
    let look = Look {
        t: visit.t,
        csrf: &visit.viewer.csrf,
        back: &back,
    };
    Ok(page(star(look, &id, &device.name, dear)))
}

/// Those that this user may still see: a grant may have gone.
async fn seen(app: &App, user: &CurrentUser) -> Answer<FavouritesPage> {
    let all = app.store.favourites(user.subject.user).await?;
    let seen = all.iter().filter(|id| user.subject.may(Right::View, id));
    let devices = seen.filter_map(|id| app.hub.house().device(id));
    Ok(FavouritesPage {
        devices: devices.map(|device| device_line(&device, true)).collect(),
        moved: None,
    })
}

/// The favourites.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser, told: Query<Told>) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let mut model = seen(&app, &user).await?;
    let moved = told.0.moved();
    model.moved = moved.and_then(|id| model.devices.iter().position(|d| d.id.as_str() == id));
    let live = visit.live("directory");
    Ok(page(view::favourites_page(
        visit.t,
        &visit.viewer,
        &live,
        &model,
    )))
}

/// Moves a favourite up or down.
pub(crate) async fn shift(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    form: Form<MoveForm>,
) -> Answer {
    let id = device_of(&app, &user, &path, Right::View)?;
    let now = seen(&app, &user).await?;
    let order: Vec<DeviceId> = now.devices.iter().map(|d| d.id.clone()).collect();
    let (order, place) = moved(order, &id, form.0.way).ok_or_else(no_device)?;
    app.hub.set_favourites(user.subject.user, &order).await?;
    if !wants_fragment(&request) {
        let address = format!("{0}?moved={1}#place-{1}", links::FAVOURITES, id);
        return Ok(see_other(&address));
    }
    let visit = Visit::of(&app, &user).await?;
    let mut model = seen(&app, &user).await?;
    model.moved = Some(place);
    let csrf = &visit.viewer.csrf;
    Ok(page(view::favourite_list(visit.t, csrf, &model)))
}
