//! What every signed-in page needs: who looks, in which zone, since which change.
//!
//! Owner of that little context. It must never decide what the viewer may see.

use crate::app::App;
use crate::auth::{CurrentUser, csrf};
use crate::problem::{Answer, Problem};
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::policy::{Decision, Right};
use iothome_engine::time::Timestamp;
use iothome_store::NewStatus;
use iothome_views::texts::Texts;
use iothome_views::{Markup, Viewer, links};
use jiff::tz::TimeZone;

/// The code of a device that is not there for this user.
pub(super) const NO_DEVICE: &str = "no_device";
/// The code of a device that is seen but not to be driven.
pub(super) const MAY_NOT: &str = "may_not_control";

/// One look at a page.
pub(crate) struct Visit {
    /// The texts of the viewer's language.
    pub(crate) t: &'static Texts,
    /// Who looks.
    pub(crate) viewer: Viewer,
    /// The home's zone.
    pub(crate) zone: TimeZone,
    /// Now.
    pub(crate) now: Timestamp,
    /// The last change before anything of the house was read: the live stream goes on from there.
    after: String,
}

impl Visit {
    /// Of this user, now.
    pub(crate) async fn of(app: &App, user: &CurrentUser) -> Answer<Self> {
        // First of all, so that no change falls between the page and its stream.
        let after = app.feed.place();
        let home = app.store.home().await?;
        let zone = home.as_ref().and_then(|h| TimeZone::get(&h.zone).ok());
        let admin = user.subject.is_admin();
        let viewer = Viewer {
            name: user.subject.name.clone(),
            admin,
            csrf: csrf::issue(&app.keys, user.session)
                .map_err(|error| Problem::internal(&error))?,
            home: home.map_or_else(|| user.taste.t.product.to_owned(), |h| h.name),
            waiting: if admin { waiting(app) } else { 0 },
            broker_connected: app.hub.broker().connected,
            theme: user.taste.theme,
        };
        Ok(Self {
            t: user.taste.t,
            viewer,
            zone: zone.unwrap_or(TimeZone::UTC),
            now: app.now(),
            after,
        })
    }

    /// Where the page listens: `view` is one of the words the stream knows.
    pub(crate) fn live(&self, view: &str) -> String {
        format!("{}?view={view}&after={}", links::LIVE, self.after)
    }
}

/// How many devices wait for a decision.
fn waiting(app: &App) -> usize {
    let devices = app.hub.new_devices();
    devices
        .iter()
        .filter(|new| new.status != NewStatus::Ignored)
        .count()
}

/// The page.
pub(crate) fn page(markup: Markup) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(markup.into_string())
}

/// After a form: to the page that shows what became of it.
pub(crate) fn see_other(address: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, address))
        .finish()
}

/// The device of the path, if this user has the right on it: 404 if they may not know of it.
pub(crate) fn device_of(
    app: &web::Data<App>,
    user: &CurrentUser,
    id: &str,
    right: Right,
) -> Answer<DeviceId> {
    let id: DeviceId = id.parse().map_err(|_| no_device())?;
    if app.hub.house().device(&id).is_none() {
        return Err(no_device());
    }
    match user.subject.decide(right, &id) {
        Decision::Allowed => Ok(id),
        Decision::Denied => Err(may_not()),
        Decision::Hidden => Err(no_device()),
    }
}

/// The entity id of the path.
pub(crate) fn entity_of(id: &str) -> Answer<EntityId> {
    id.parse().map_err(|_| no_device())
}

/// 404; the error page has the words.
pub(crate) fn no_device() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        NO_DEVICE,
        "there is no such device for this user",
    )
}

/// 403; the error page has the words.
fn may_not() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        MAY_NOT,
        "this user may see the device but not do this",
    )
}
