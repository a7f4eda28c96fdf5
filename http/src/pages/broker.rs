//! The broker page, for administrators.
//!
//! Owner of that handler.

use super::visit::{Visit, page};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::problem::Answer;
use actix_web::web;
use iothome_views::pages::broker::{self as view, BrokerPage, ManagedBy};
use iothome_views::time::When;

/// Address, fingerprints, connection, counts.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let t = visit.t;
    let status = app.hub.broker();
    let count = |label: &str, count| (label.to_owned(), count);
    let model = BrokerPage {
        address: status.address,
        connected: status.connected,
        since: Some(When::new(visit.t, status.since, visit.now, &visit.zone)),
        problem: status.problem,
        sha256: status.sha256,
        sha1: status.sha1,
        managed_by: match status.managed_by {
            "embedded" => ManagedBy::Embedded,
            "hub" => ManagedBy::Hub,
            _ => ManagedBy::Operator,
        },
        counts: vec![
            count(t.broker.outbox, status.outbox as u64),
            count(t.broker.received, status.received),
            count(t.broker.dropped, status.dropped),
            count(t.broker.refused, status.refused_subscriptions),
        ],
        version: env!("CARGO_PKG_VERSION").to_owned(),
        has_ca: app.config.ca_pem.is_some(),
    };
    Ok(page(view::page(
        t,
        &visit.viewer,
        &visit.live("broker"),
        &model,
    )))
}
