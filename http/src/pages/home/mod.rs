//! The home page and what its stream tells.
//!
//! Owner of the order in which the house is looked at for it: first who looks and what
//! is searched for, then one plan, then words.

mod draw;
mod filter;
mod off;
mod plan;
mod tally;
#[cfg(test)]
mod tests;
mod watch;

pub(crate) use filter::{Filter, HomeQuery};
pub(crate) use off::submit as all_off;
pub(crate) use watch::{Told, Watch};

use super::show::Dearness;
use super::visit::{Visit, page};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::Query;
use crate::problem::Answer;
use actix_web::web;
use iothome_engine::ids::DeviceId;
use iothome_views::links::Back;
use iothome_views::pages::home;
use plan::Plan;
use std::sync::Arc;

/// Favourites, then rooms, with the devices this user may see.
pub(crate) async fn show(
    app: web::Data<App>,
    user: CurrentUser,
    query: Query<HomeQuery>,
) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let favourites = app.store.favourites(user.subject.user).await?;
    let filter = Filter::of(&query.0);
    let plan = Plan::make(&app.hub, &user.subject, filter, Arc::new(favourites));
    let turned = filter::turned(&query.0);
    let model = draw::page(&visit, &user.subject, &plan, turned);
    let live = match model.search.query.as_str() {
        "" => visit.live("home"),
        query => visit.live(&format!("home&{query}")),
    };
    Ok(page(home::page(visit.t, &visit.viewer, &live, &model)))
}

/// How dear a device is to this user, for a card that stands on the page that `back` leads to.
pub(crate) async fn dearness(
    app: &App,
    user: &CurrentUser,
    back: &Back,
    device: &DeviceId,
) -> Answer<Dearness> {
    let favourites = app.store.favourites(user.subject.user).await?;
    let query = match back {
        Back::Found(field) => field.strip_prefix("home?").unwrap_or_default(),
        _ => "",
    };
    // What our own page wrote can be read.
    let query = web::Query::<HomeQuery>::from_query(query);
    let query = query.map(web::Query::into_inner).unwrap_or_default();
    Ok(draw::dearness(&favourites, &Filter::of(&query), device))
}
