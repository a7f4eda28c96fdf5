//! The week ahead.
//!
//! Owner of its days: what stands in which hour, and what is told once because it
//! comes too often.

use super::stopped;
use super::words::{Teller, local};
use crate::api::schedule_views::aside;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::pages::visit::{Visit, page};
use crate::problem::Answer;
use actix_web::web;
use iothome_actors::{Frequent, Upcoming, WeekAhead};
use iothome_engine::ids::ScheduleId;
use iothome_engine::schedule::ActionSpec;
use iothome_engine::time::Timestamp;
use iothome_views::pages::schedules::{WeekDay, WeekItem, WeekPage, week};
use iothome_views::texts::rhythm::{capital, put};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A schedule that comes more often on a day is told once.
const OFTEN: usize = 6;
/// Days of the page.
const DAYS: usize = 7;

/// The page.
pub(super) async fn show(app: web::Data<App>, user: CurrentUser) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let (scheduler, subject) = (app.hub.scheduler().clone(), user.subject.clone());
    let under_way = scheduler.under_way().await.map_err(stopped)?;
    let ahead = aside(move || scheduler.week_ahead(&subject, None, &under_way)).await?;
    let teller = Teller::of(&app, &user, &visit);
    let model = WeekPage {
        days: days(teller, &ahead),
        often: ahead.frequent.iter().map(|f| often(teller, f)).collect(),
        cut: ahead.cut,
    };
    Ok(page(week(
        visit.t,
        &visit.viewer,
        &visit.live("quiet"),
        &model,
    )))
}

fn often(teller: Teller<'_>, frequent: &Frequent) -> WeekItem {
    let schedule = frequent.schedule.as_ref();
    let words = schedule.map_or_else(
        || capital(&frequent.description),
        |s| teller.when_words(&s.definition),
    );
    WeekItem {
        schedule: schedule.map(|s| s.id),
        name: schedule.map_or_else(
            || teller.t().schedules.others.to_owned(),
            |s| s.definition.name.clone(),
        ),
        does: teller.does(frequent.actions.iter()),
        time: String::new(),
        hour: 0,
        often: Some(words),
        touched: false,
        skipped: false,
    }
}

/// What one occurrence does.
struct Moment<'a> {
    at: DateTime,
    first: &'a Upcoming,
    actions: Vec<&'a ActionSpec>,
}

fn days(teller: Teller<'_>, ahead: &WeekAhead) -> Vec<WeekDay> {
    let zone = &teller.visit.zone;
    let moments = moments(ahead, zone);
    let mut days = Vec::with_capacity(DAYS);
    let mut date = local(ahead.from, zone).date();
    // The eighth day has the rest of the hours.
    for n in 0..=DAYS {
        let of_day: Vec<&Moment<'_>> = moments.iter().filter(|m| m.at.date() == date).collect();
        if n < DAYS || !of_day.is_empty() {
            days.push(WeekDay {
                name: name(teller, date),
                iso: date.to_string(),
                change: change(teller, date),
                items: items(teller, &of_day),
            });
        }
        match date.tomorrow() {
            Ok(next) => date = next,
            Err(_) => break,
        }
    }
    days.truncate(DAYS);
    days
}

fn name(teller: Teller<'_>, date: Date) -> String {
    let t = teller.t();
    let today = teller.today();
    let day = t.dates.weekday(date.into());
    match () {
        () if date == today => format!("{}, {day}", t.schedules.today),
        () if today.tomorrow().is_ok_and(|next| next == date) => {
            format!("{}, {day}", t.schedules.tomorrow)
        }
        () => day,
    }
}

/// How clocks change on a day, in words.
fn change(teller: Teller<'_>, date: Date) -> Option<String> {
    let zone = &teller.visit.zone;
    let midnight = zone.to_ambiguous_zoned_datetime(date.into());
    let start = midnight.compatible().ok()?.timestamp();
    let found = zone.following(start).next()?;
    let at = found.timestamp();
    let before = zone.to_offset(at - jiff::SignedDuration::from_secs(1));
    let (before, after) = (before.to_datetime(at), found.offset().to_datetime(at));
    if before.date() != date && after.date() != date || before == after {
        return None;
    }
    let clock = |at: DateTime| at.strftime("%H:%M").to_string();
    let words = teller.t().schedules.week_changes;
    Some(put(words, &[&clock(before), &clock(after)]))
}

/// The actions of the same occurrence together, at the time of the first.
fn moments<'a>(ahead: &'a WeekAhead, zone: &TimeZone) -> Vec<Moment<'a>> {
    let mut moments: Vec<Moment<'a>> = Vec::new();
    let mut known: std::collections::HashMap<(ScheduleId, Timestamp), usize> =
        std::collections::HashMap::new();
    for item in &ahead.items {
        let key = item.schedule.as_ref().map(|s| (s.id, item.due.at));
        if let Some(place) = key.and_then(|key| known.get(&key)) {
            moments[*place].actions.push(&item.action);
            continue;
        }
        if let Some(key) = key {
            known.insert(key, moments.len());
        }
        moments.push(Moment {
            at: local(item.at, zone),
            first: item,
            actions: vec![&item.action],
        });
    }
    moments
}

fn items(teller: Teller<'_>, of_day: &[&Moment<'_>]) -> Vec<WeekItem> {
    let id = |m: &Moment<'_>| m.first.schedule.as_ref().map(|s| s.id);
    let mut items = Vec::new();
    let mut told: Vec<ScheduleId> = Vec::new();
    for moment in of_day {
        let Some(schedule) = id(moment) else {
            items.push(item(teller, moment, None));
            continue;
        };
        if told.contains(&schedule) {
            continue;
        }
        let same: Vec<&&Moment<'_>> = of_day.iter().filter(|m| id(m) == Some(schedule)).collect();
        if same.len() <= OFTEN {
            items.push(item(teller, moment, None));
            continue;
        }
        told.push(schedule);
        let last = same.last().map_or(moment.at, |m| m.at);
        let clock = |at: DateTime| at.strftime("%H:%M").to_string();
        let words = teller.t().schedules.week_times;
        let count = same.len().to_string();
        let often = put(words, &[&count, &clock(moment.at), &clock(last)]);
        items.push(item(teller, moment, Some(often)));
    }
    items
}

fn item(teller: Teller<'_>, moment: &Moment<'_>, often: Option<String>) -> WeekItem {
    let schedule = moment.first.schedule.as_ref();
    WeekItem {
        schedule: schedule.map(|s| s.id),
        name: schedule.map_or_else(
            || teller.t().schedules.others.to_owned(),
            |s| s.definition.name.clone(),
        ),
        does: teller.does(moment.actions.iter().copied()),
        time: moment.at.strftime("%H:%M").to_string(),
        hour: u8::try_from(moment.at.hour()).unwrap_or(0),
        often,
        touched: moment.first.due.note.is_some(),
        skipped: moment.first.skipped,
    }
}
