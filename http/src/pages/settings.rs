//! What administrators manage: the list of its pages.
//!
//! Owner of that handler.

use super::visit::{Visit, page};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::problem::Answer;
use actix_web::web;
use iothome_views::pages::settings as view;

/// The list.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let live = visit.live("quiet");
    Ok(page(view::page(visit.t, &visit.viewer, &live)))
}
