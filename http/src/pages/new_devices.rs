//! Devices that wait, for administrators.
//!
//! Owner of accepting and ignoring by page.

use super::add_device::{faulty, rooms, told};
use super::visit::{Visit, page, see_other};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::problem::{Answer, Problem};
use actix_web::web;
use iothome_actors::{Accept, NewDeviceView};
use iothome_store::NewStatus;
use iothome_views::icons::Icon;
use iothome_views::links;
use iothome_views::pages::new_devices::{self as view, NewDevicesPage, Waiting, WaitingDevice};
use iothome_views::time::When;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Entities named of a waiting device; a bundle may hold hundreds.
const OFFERS: usize = 40;
/// Waiting devices on the page: after a burst of thousands the newest come first.
const DEVICES: usize = 200;

/// The list.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let model = list(&app, &visit);
    let live = visit.live("directory");
    Ok(page(view::page(visit.t, &visit.viewer, &live, &model)))
}

fn list(app: &App, visit: &Visit) -> NewDevicesPage {
    let mut waiting = app.hub.new_devices().to_vec();
    waiting.sort_by_key(|new| std::cmp::Reverse(new.first_seen_at));
    NewDevicesPage {
        devices: waiting
            .iter()
            .take(DEVICES)
            .map(|new| waiting_device(visit, new))
            .collect(),
        rooms: rooms(app),
    }
}

fn waiting_device(visit: &Visit, new: &NewDeviceView) -> WaitingDevice {
    let when = |at| When::new(visit.t, at, visit.now, &visit.zone);
    let about = [
        new.about.manufacturer.as_deref(),
        new.about.model.as_deref(),
        new.about.sw_version.as_deref(),
    ];
    let about: Vec<&str> = about.into_iter().flatten().collect();
    WaitingDevice {
        id: new.id.clone(),
        name: new.name.clone(),
        status: match new.status {
            NewStatus::New => Waiting::New,
            NewStatus::Ignored => Waiting::Ignored,
            NewStatus::Conflict => Waiting::Conflict(new.reason.clone()),
            NewStatus::Removed => Waiting::Removed,
        },
        about: (!about.is_empty()).then(|| about.join(" · ")),
        offers: new
            .entities
            .iter()
            .take(OFFERS)
            .map(|(name, kind)| {
                let words = (visit.t.words.kind)(*kind);
                (name.clone(), words, Icon::of(*kind, None, false))
            })
            .collect(),
        topics: new.topics.clone(),
        first_seen: when(new.first_seen_at),
        last_seen: when(new.last_seen_at),
        room: String::new(),
        problems: BTreeMap::new(),
        typed_name: None,
    }
}

/// The form of "Accept".
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptForm {
    name: String,
    #[serde(default)]
    room: String,
}

/// Takes the device into the house and shows it.
pub(crate) async fn accept(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    form: Form<AcceptForm>,
) -> Answer {
    user.admin()?;
    let given = |text: &str| {
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let accept = Accept {
        name: given(&form.0.name),
        room: given(&form.0.room),
    };
    match app.hub.accept_new(&path, accept, &user.subject).await {
        Ok(device) => Ok(see_other(&links::device(&device.id))),
        Err(error) => again(&app, &user, &path, form.0, error.into()).await,
    }
}

/// The list once more, with what was typed and what is wrong with it.
async fn again(
    app: &App,
    user: &CurrentUser,
    id: &str,
    typed: AcceptForm,
    problem: Problem,
) -> Answer {
    let visit = Visit::of(app, user).await?;
    let mut model = list(app, &visit);
    let device = model.devices.iter_mut().find(|device| device.id == id);
    let (Some(device), Some(told)) = (device, told(visit.t, &problem)) else {
        return Err(problem);
    };
    device.problems.extend([told]);
    device.typed_name = Some(typed.name);
    device.room = typed.room;
    Ok(faulty(view::page(visit.t, &visit.viewer, "", &model)))
}

/// The same form sent by "Ignore": what stands in its fields does not matter.
#[derive(Deserialize)]
pub(crate) struct IgnoreForm {}

/// Nobody wants it.
pub(crate) async fn ignore(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<IgnoreForm>,
) -> Answer {
    user.admin()?;
    app.hub.ignore_new(&path, &user.subject).await?;
    Ok(see_other(links::NEW_DEVICES))
}
