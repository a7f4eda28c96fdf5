//! How everything looks, in the demo.
//!
//! Owner of that handler. In a real home there is no such page.

use super::visit::{Visit, page};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::problem::{Answer, Problem};
use actix_web::web;
use iothome_views::pages::design as view;

/// The page.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser) -> Answer {
    if !app.config.demo {
        return Err(Problem::not_found("there is nothing at this address"));
    }
    let visit = Visit::of(&app, &user).await?;
    Ok(page(view::page(visit.t, &visit.viewer)))
}
