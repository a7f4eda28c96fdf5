//! The home page.
//!
//! Owner of that handler.

use super::show;
use super::visit::{Visit, page};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::problem::Answer;
use actix_web::web;
use iothome_views::pages::home;

/// Rooms with the devices this user may see.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let devices = app.hub.house().devices();
    let model = show::home(visit.t, &devices, &user.subject, &visit.zone, visit.now);
    Ok(page(home::page(
        visit.t,
        &visit.viewer,
        &visit.live("home"),
        &model,
    )))
}
