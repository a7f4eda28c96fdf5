//! The page of one device.
//!
//! Owner of what is read for it: the view, its recent commands, its recent values.

use super::show::{self, Reading};
use super::visit::{Visit, device_of, no_device, page, see_other};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::problem::Answer;
use actix_web::web;
use iothome_engine::ids::{DeviceId, EntityRef};
use iothome_engine::policy::Right;
use iothome_engine::time::Timestamp;
use iothome_engine::view::{DeviceView, EntityView};
use iothome_store::{HistoryQuery, Points, Resolution};
use iothome_views::components::values::RecentValues;
use iothome_views::links;
use iothome_views::pages::device::{self, DevicePage};
use serde::Deserialize;

/// Commands listed; older ones are REST's to tell.
const COMMANDS: usize = 20;
/// Sensors with a chart: more would make the page long and slow.
const CHARTS: usize = 8;
/// The span of the charts.
const SPAN_MS: i64 = 86_400_000;
/// Samples read for a chart; a sensor that reports more often is told by its roll-ups.
const SAMPLES: usize = 2_000;

/// The device with all its entities.
pub(crate) async fn show(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    let id = device_of(&app, &user, &path, Right::View)?;
    let visit = Visit::of(&app, &user).await?;
    let view = app.hub.house().device(&id).ok_or_else(no_device)?;
    let reading = Reading {
        t: visit.t,
        zone: &visit.zone,
        now: visit.now,
        rights: user.subject.rights(&id),
    };
    let commands = app.store.commands_of(&id, None, COMMANDS, None).await?;
    let model = DevicePage {
        panel: show::panel(reading, &view),
        values: values(&app, reading, &view).await?,
        commands: commands
            .iter()
            .map(|command| show::line(reading, view.entity(&command.entity), command))
            .collect(),
        details: show::details(visit.t, &view),
    };
    let live = visit.live(&format!("device&device={id}"));
    Ok(page(device::page(visit.t, &visit.viewer, &live, &model)))
}

async fn values(app: &App, reading: Reading<'_>, view: &DeviceView) -> Answer<Vec<RecentValues>> {
    let span = (reading.now.plus_millis(-SPAN_MS), reading.now);
    let mut charts = Vec::new();
    for entity in show::charted(view).take(CHARTS) {
        let (samples, gaps) = history(app, &view.id, entity, span).await?;
        charts.push(show::recent(reading, entity, span, &samples, &gaps));
    }
    Ok(charts)
}

type Samples = Vec<(i64, f64)>;
type Gaps = Vec<(i64, i64)>;

/// Raw samples, or the means of five minutes where there are too many.
async fn history(
    app: &App,
    device: &DeviceId,
    entity: &EntityView,
    (from, to): (Timestamp, Timestamp),
) -> Answer<(Samples, Gaps)> {
    let mut query = HistoryQuery {
        target: EntityRef {
            device: device.clone(),
            entity: entity.id.clone(),
        },
        from,
        to,
        resolution: Resolution::Raw,
        numeric: true,
        after: None,
        limit: SAMPLES,
    };
    let mut found = app.store.history(&query).await?;
    if found.next.is_some() {
        query.resolution = Resolution::FiveMinutes;
        found = app.store.history(&query).await?;
    }
    let gaps = found.gaps.iter().map(|gap| (gap.from, gap.to)).collect();
    let samples = match found.points {
        Points::Raw(points) => points
            .into_iter()
            .filter_map(|(at, value)| Some((at, value.as_number()?)))
            .collect(),
        Points::Buckets(buckets) => buckets.into_iter().map(|b| (b.at, b.mean)).collect(),
    };
    Ok((samples, gaps))
}

/// A form without fields of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Lets a quarantined device back.
pub(crate) async fn release(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    let id = device_of(&app, &user, &path, Right::Manage)?;
    app.hub.release_device(&id, &user.subject).await?;
    Ok(see_other(&links::device(&id)))
}
