//! The broker page, for administrators, and the page about the first device.
//!
//! Owner of those handlers and of how the broker is put into words.

use super::accounts;
use super::visit::{Visit, page};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::problem::Answer;
use crate::system;
use actix_web::web;
use iothome_actors::{BrokerStatus, Hub};
use iothome_engine::time::Timestamp;
use iothome_views::pages::broker::{
    self as view, BrokerPage, ClientLine, ManagedBy, Messages, Prints,
};
use iothome_views::pages::first_device::{self, FirstDevicePage};
use iothome_views::texts::Texts;
use iothome_views::time::When;
use jiff::tz::TimeZone;

/// The hub's own user at the embedded broker: no device can be called so, as ids hold no dot.
const HUB_USER: &str = "iothome.hub";

/// Address, fingerprints, connection, messages, clients.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let t = visit.t;
    let status = app.hub.broker();
    let next = system::next_broker(&system::certificates(&app).await);
    let model = BrokerPage {
        address: status.address.clone(),
        connected: status.connected,
        since: Some(When::new(t, status.since, visit.now, &visit.zone)),
        problem: status.problem.clone(),
        prints: prints(&status),
        next: next.map(|next| Prints {
            sha256: Some(next.sha256),
            sha1: Some(next.sha1),
        }),
        managed_by: match status.managed_by {
            "embedded" => ManagedBy::Embedded,
            "hub" => ManagedBy::Hub,
            _ => ManagedBy::Operator,
        },
        accounts: accounts::part(&app.hub, &visit),
        has_ca: app.config.ca_pem.is_some(),
        messages: messages(&app.hub),
        clients: clients(&app, t, visit.now, &visit.zone),
    };
    let live = visit.live("broker");
    Ok(page(view::page(t, &visit.viewer, &live, &model)))
}

/// How to bring the first device in.
pub(crate) async fn first_device(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let status = app.hub.broker();
    let model = FirstDevicePage {
        prints: prints(&status),
        address: status.address,
    };
    let live = visit.live("quiet");
    Ok(page(first_device::page(
        visit.t,
        &visit.viewer,
        &live,
        &model,
    )))
}

fn prints(status: &BrokerStatus) -> Prints {
    Prints {
        sha256: status.sha256.clone(),
        sha1: status.sha1.clone(),
    }
}

/// The figures of messages as they are now.
pub(crate) fn messages(hub: &Hub) -> Messages {
    let status = hub.broker();
    Messages {
        received_per_second: status.received_per_second,
        sent_per_second: status.sent_per_second,
        received: status.received,
        sent: status.sent,
        waiting: status.outbox as u64,
        dropped: status.dropped,
        refused: status.refused_subscriptions,
    }
}

/// Who is connected now.
pub(crate) fn clients(
    app: &App,
    t: &Texts,
    now: Timestamp,
    zone: &TimeZone,
) -> Option<Vec<ClientLine>> {
    let clients = system::broker_clients(app)?.into_iter();
    let lines = clients.map(|client| ClientLine {
        username: Some(client.username).filter(|name| name != HUB_USER),
        client_id: client.client_id,
        address: client.address,
        since: When::new(t, client.since, now, zone),
    });
    Some(lines.collect())
}
