//! The page of one device.
//!
//! Owner of what is read for it: the view, its past, its recent commands.

use super::range::{RangeQuery, Shown};
use super::schedules::of_device;
use super::show::{self, Changes, Reading, Shape};
use super::visit::{Visit, device_of, no_device, page, see_other};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::json::Query;
use crate::problem::Answer;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use iothome_engine::ids::{DeviceId, EntityRef};
use iothome_engine::kind::Kind;
use iothome_engine::policy::Right;
use iothome_engine::value::Value;
use iothome_engine::view::{DeviceView, EntityView};
use iothome_store::{Gap, HISTORY_PAGE_MAX, HistoryQuery, Points, Resolution};
use iothome_views::components::period::Period;
use iothome_views::links;
use iothome_views::pages::device::{
    self, BrokerUser, BrokerUsers, Details, DevicePage, History, Latency, Record,
};
use serde::Deserialize;

/// Commands listed at first.
const COMMANDS: usize = 20;
/// Commands listed at most; older ones are REST's to tell.
const COMMANDS_MAX: usize = 500;
/// Entities with a record at first: more would make the page long and slow.
const RECORDS: usize = 8;
/// Entities with a record at most.
const RECORDS_MAX: usize = 64;
/// Pages of changes read for a timeline: what changes more often is not worth telling apart.
const CHANGE_PAGES: usize = 4;
/// Latencies looked at: the newest thousand tell how a device is now.
const LATENCIES: usize = 1_000;
/// And none older than this.
const LATENCY_MS: i64 = 30 * 86_400_000;

/// What of the page is asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    /// How many commands.
    #[serde(default)]
    commands: Option<usize>,
    /// How many records.
    #[serde(default)]
    records: Option<usize>,
    range: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// The device with all its entities.
pub(crate) async fn show(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    wanted: Query<Wanted>,
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
    let wanted = wanted.0;
    let range = RangeQuery {
        range: wanted.range.clone(),
        from: wanted.from.clone(),
        to: wanted.to.clone(),
    };
    let shown = range.read(reading);
    let wrong = shown.is_wrong();
    let count = wanted
        .commands
        .unwrap_or(COMMANDS)
        .clamp(COMMANDS, COMMANDS_MAX);
    let mut commands = app.store.commands_of(&id, None, count + 1, None).await?;
    let older = commands.len() > count && count < COMMANDS_MAX;
    commands.truncate(count);
    let favourites = app.store.favourites(user.subject.user).await?;
    let dear = favourites.contains(&id);
    let model = DevicePage {
        panel: show::panel(reading, &view, dear),
        history: history(&app, reading, &view, &wanted, shown).await?,
        schedules: of_device(&app, &user, &visit, &view),
        commands: commands
            .iter()
            .map(|command| show::line(reading, view.entity(&command.entity), command))
            .collect(),
        older: older.then(|| {
            let more = (count * 3).min(COMMANDS_MAX);
            format!(
                "{}?{}commands={more}#commands",
                links::device(&id),
                wanted.range()
            )
        }),
        latency: latency(&app, reading, &id).await?,
        details: details(&app, &user, reading, &view).await?,
    };
    let live = visit.live(&format!("device&device={id}"));
    // A page that says what is wrong stays until the person has read it.
    let live = (!wrong).then_some(live.as_str());
    let markup = device::page(visit.t, &visit.viewer, live, &model);
    Ok(if wrong {
        HttpResponse::build(StatusCode::UNPROCESSABLE_ENTITY)
            .content_type("text/html; charset=utf-8")
            .body(markup.into_string())
    } else {
        page(markup)
    })
}

impl Wanted {
    /// The part of an address that says the time shown.
    fn range(&self) -> String {
        let mut pairs = String::new();
        for (name, value) in [
            ("range", &self.range),
            ("from", &self.from),
            ("to", &self.to),
        ] {
            if let Some(value) = value {
                let value = percent_encoding::utf8_percent_encode(
                    value,
                    percent_encoding::NON_ALPHANUMERIC,
                );
                pairs.push_str(&format!("{name}={value}&"));
            }
        }
        pairs
    }
}

async fn history(
    app: &App,
    reading: Reading<'_>,
    view: &DeviceView,
    wanted: &Wanted,
    shown: Shown,
) -> Answer<Option<History>> {
    let recorded = show::recorded(view);
    if recorded.is_empty() {
        return Ok(None);
    }
    let count = wanted
        .records
        .unwrap_or(RECORDS)
        .clamp(RECORDS, RECORDS_MAX);
    let mut records = Vec::new();
    for (entity, shape) in recorded.iter().take(count) {
        records.push(record(app, reading, view, entity, *shape, &shown).await?);
    }
    let left = recorded.len().min(RECORDS_MAX).saturating_sub(count);
    let address = format!(
        "{}?{}records={RECORDS_MAX}#values",
        links::device(&view.id),
        wanted.range()
    );
    Ok(Some(History {
        range: shown.choice,
        records,
        more: (left > 0).then_some((left, address)),
    }))
}

async fn record(
    app: &App,
    reading: Reading<'_>,
    view: &DeviceView,
    entity: &EntityView,
    shape: Shape,
    shown: &Shown,
) -> Answer<Record> {
    let target = EntityRef {
        device: view.id.clone(),
        entity: entity.id.clone(),
    };
    let range = (shown.from, shown.to);
    let period = Period::new(reading.t, range, reading.now, reading.zone);
    match shape {
        Shape::Number => {
            let band = app.store.band(&target, shown.from, shown.to).await?;
            let before = if entity.kind == Kind::Number {
                app.store.value_before(&target, shown.from).await?
            } else {
                None
            };
            let before = before.and_then(|value| value.as_number());
            let chart = show::chart(reading, entity, period, &band, before);
            Ok(Record::Number(chart))
        }
        Shape::States => {
            let (points, until, gaps) = changes(app, &target, shown).await?;
            let changes = Changes {
                points: &points,
                until,
                gaps: &gaps,
            };
            let timeline = show::timeline(reading, entity, period, &changes);
            Ok(Record::States(timeline))
        }
    }
}

/// The changes of a state, until when they are all there, and the gaps.
async fn changes(
    app: &App,
    target: &EntityRef,
    shown: &Shown,
) -> Answer<(Vec<(i64, Value)>, i64, Vec<Gap>)> {
    let mut query = HistoryQuery {
        target: target.clone(),
        from: shown.from,
        to: shown.to,
        resolution: Resolution::Raw,
        numeric: false,
        after: None,
        limit: HISTORY_PAGE_MAX,
    };
    let (mut points, mut gaps) = (Vec::new(), Vec::new());
    for _ in 0..CHANGE_PAGES {
        let found = app.store.history(&query).await?;
        gaps.extend(found.gaps);
        if let Points::Raw(more) = found.points {
            points.extend(more);
        }
        query.after = found.next;
        if found.next.is_none() {
            return Ok((points, shown.to.as_millis(), gaps));
        }
    }
    let until = points.last().map_or(shown.from.as_millis(), |(at, _)| *at);
    Ok((points, until, gaps))
}

async fn latency(app: &App, reading: Reading<'_>, id: &DeviceId) -> Answer<Option<Latency>> {
    let since = reading.now.plus_millis(-LATENCY_MS);
    let micros = app.store.latencies(id, since, LATENCIES).await?;
    Ok(show::latency(reading.t, micros))
}

/// What it is; where it is heard, for whoever manages it; its broker users, for administrators.
async fn details(
    app: &App,
    user: &CurrentUser,
    reading: Reading<'_>,
    view: &DeviceView,
) -> Answer<Details> {
    let stored = app.store.device(&view.id).await?;
    let mut details = Details {
        facts: show::facts(reading, view, stored.as_ref()),
        ..Details::default()
    };
    if reading.rights.has(Right::Manage)
        && let Some(stored) = &stored
    {
        (details.reads, details.writes) = show::topics(stored);
    }
    details.broker_users = user
        .subject
        .is_admin()
        .then(|| broker_users(app, reading, &view.id));
    Ok(details)
}

fn broker_users(app: &App, reading: Reading<'_>, id: &DeviceId) -> BrokerUsers {
    if !app.hub.manages_broker() {
        return BrokerUsers::Operator;
    }
    let all = app.hub.credentials();
    let own = all.iter().filter(|c| c.device.as_ref() == Some(id));
    BrokerUsers::Hub(
        own.map(|credential| BrokerUser {
            username: credential.username.clone(),
            created: reading.when(credential.created_at),
            rotate: links::rotate_device_credential(id),
        })
        .collect(),
    )
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
