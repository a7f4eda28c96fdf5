//! `iothome simulate …`: the house's schedules on virtual time, printed line by line.
//!
//! Owner of the dry run on the command line; works on the database, also while the hub
//! runs. It must never send or change anything of the house.

use crate::cli::Span;
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::settings::Settings;
use iothome_actors::read_schedule_home;
use iothome_engine::ids::{EntityRef, ScheduleId};
use iothome_engine::schedule::simulate::{LINES_MAX, LogEntry, LogEvent, simulate};
use iothome_engine::schedule::{Home, Reading, Schedule};
use iothome_engine::time::Timestamp;
use iothome_store::{DatabaseUrl, Store};
use jiff::civil::{Date, DateTime};
use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Schedules read at once.
const PAGE: usize = 1_000;
/// Longest span, in days: a log of ten years is read by nobody.
const DAYS_MAX: i64 = 3_660;
const DAY_MS: i64 = 86_400_000;

/// Runs the simulation and gives its log.
pub(crate) async fn run(settings: &Settings, span: &Span) -> Result<String, StartError> {
    DataDir::visit(&settings.data_dir)?;
    let store = Store::open(&DatabaseUrl::parse(settings.database_url.expose())?).await?;
    let done = simulated(&store, span).await;
    store.close().await;
    done
}

async fn simulated(store: &Store, span: &Span) -> Result<String, StartError> {
    let hub_error = |e: iothome_actors::HubError| StartError::Other(e.to_string());
    let home = read_schedule_home(store).await.map_err(hub_error)?;
    let from = match &span.from {
        Some(text) => instant("--from", text, &home)?,
        None => now(),
    };
    let to = match &span.to {
        Some(text) => instant("--to", text, &home)?,
        None => from.plus_millis(7 * DAY_MS),
    };
    let length = to.millis_since(from);
    if length <= 0 || length > DAYS_MAX * DAY_MS {
        let sentence = format!("--to must lie after --from, by {DAYS_MAX} days at most");
        return Err(StartError::Other(sentence));
    }
    let schedules = schedules(store).await?;
    let states = states(store).await?;
    let begun = Instant::now();
    let made = simulate(&schedules, &home, states, (from, to), LINES_MAX);
    let took = begun.elapsed();
    let names: HashMap<ScheduleId, &str> = schedules
        .iter()
        .map(|s| (s.id, s.definition.name.as_str()))
        .collect();
    let mut text = String::new();
    for entry in &made.log {
        line(&mut text, entry, &home, names.get(&entry.schedule).copied());
    }
    if made.cut {
        text.push_str("… and more: the log is cut here\n");
    }
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{} lines of {} schedules, from {from} to {to}, in {:.3} s",
        made.log.len(),
        schedules.len(),
        took.as_secs_f64()
    );
    Ok(text)
}

async fn schedules(store: &Store) -> Result<Vec<Schedule>, StartError> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut page = store.schedules(PAGE, after.as_deref()).await?;
        all.append(&mut page.schedules);
        // Ends: each page goes on after the one before.
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}

async fn states(store: &Store) -> Result<HashMap<EntityRef, Reading>, StartError> {
    let last = store.last_states().await?.into_iter();
    Ok(last
        .filter_map(|last| {
            let reading = Reading::Known {
                value: last.state?,
                since: last.changed_at,
            };
            Some((last.target, reading))
        })
        .collect())
}

fn line(text: &mut String, entry: &LogEntry, home: &Home, name: Option<&str>) {
    let at = jiff::Timestamp::from_millisecond(entry.at.as_millis()).unwrap_or_default();
    let local = at.to_zoned_datetime(home.zone.clone());
    let local = local.strftime("%Y-%m-%d %H:%M:%S %:z");
    let name = name.unwrap_or("?");
    // Writing to a string cannot fail.
    let _ = match &entry.event {
        LogEvent::Asked {
            target,
            action,
            value,
            state,
        } => {
            let value = value.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
            let state = state
                .as_ref()
                .map(|s| format!(" -> {s}"))
                .unwrap_or_default();
            writeln!(text, "{local}  {name}: {target} {action}{value}{state}")
        }
        LogEvent::Held { reason } => writeln!(text, "{local}  {name}: held back: {reason}"),
        LogEvent::Skipped => writeln!(text, "{local}  {name}: skipped"),
    };
}

/// An instant with its offset, or a local date or date and time of the home.
fn instant(flag: &str, text: &str, home: &Home) -> Result<Timestamp, StartError> {
    if let Some(instant) = Timestamp::parse(text) {
        return Ok(instant);
    }
    let local = text
        .parse::<DateTime>()
        .or_else(|_| text.parse::<Date>().map(DateTime::from));
    match local.and_then(|local| home.zone.to_timestamp(local)) {
        Ok(at) => Ok(Timestamp::from_millis(at.as_millisecond())),
        Err(_) => Err(StartError::Other(format!(
            "{flag} is {text:?}: a date such as 2027-03-01, a local time such as \
             2027-03-01T07:00, or an instant such as 2027-03-01T07:00:00Z is needed"
        ))),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |d| d.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use iothome_engine::schedule::Zone;

    #[test]
    fn a_date_means_its_first_moment_at_home() {
        let home = Home {
            zone: Zone::named("Europe/Berlin")
                .expect("known")
                .time_zone()
                .clone(),
            place: None,
        };
        let read = |text: &str| instant("--from", text, &home).map(|at| at.to_string());
        assert_eq!(
            read("2027-03-01").expect("a date"),
            "2027-02-28T23:00:00.000Z"
        );
        assert_eq!(
            read("2027-07-01T07:00").expect("a time"),
            "2027-07-01T05:00:00.000Z"
        );
        assert_eq!(
            read("2027-07-01T07:00:00Z").expect("ok"),
            "2027-07-01T07:00:00.000Z"
        );
        let wrong = read("tomorrow").expect_err("no date").to_string();
        assert!(wrong.contains("--from is \"tomorrow\""), "{wrong}");
    }
}
