//! The cost of schedules: a house with a hundred thousand, ten thousand due in one second,
//! single ones, and a year simulated.
//!
//! Lateness counts from the due instant to the arrival at a bare subscriber, over TLS and
//! the embedded broker. The floor is the same rows and the same publications by a bare
//! client in the same run. It prints and never judges.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::expect_used, reason = "a bench stops where it cannot go on")]

#[path = "schedule_cost/house.rs"]
mod house;

use house::{Heard, House, definition, now, schedule};
use iothome_actors::SavedBy;
use iothome_engine::command::{Cause, Command, CommandWrite, Status};
use iothome_engine::ids::ScheduleId;
use iothome_engine::schedule::agenda::{Agenda, Input, Loaded};
use iothome_engine::schedule::simulate::{LINES_MAX, simulate};
use iothome_engine::schedule::{
    ActionRun, Home, Occurrence, OccurrenceState, Place, Reading, Schedule, Zone,
};
use iothome_engine::time::Timestamp;
use iothome_store::{Decided, ScheduleWrite, Settled};
use rumqttc::v5::mqttbytes::QoS;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// Schedules of the house.
const MANY: usize = 100_000;
/// Due in one second.
const FLOOD: usize = 10_000;
/// Due alone, one each second.
const SINGLES: usize = 60;
/// Edits measured.
const EDITS: usize = 200;
/// Rows in one transaction, as the hub's journal has them.
const BATCH: usize = 256;
/// What has not arrived by then is lost.
const LOST_AFTER: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    iothome_tls::install_provider();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let house = House::new(folder.path()).await;
    println!("| schedules | value | beside |");
    println!("|---|---|---|");
    let many = load(&house).await;
    agenda_edit(many);
    year();
    lateness(&house).await;
    house.broker.stop().await;
}

/// Time and memory of a start with many schedules, and the cost of changing one of them.
async fn load(house: &House) -> Vec<Schedule> {
    let empty_rss = rss_kib();
    let begun = Instant::now();
    let hub = house.hub().await;
    let empty = begun.elapsed();
    let without = rss_kib().saturating_sub(empty_rss);
    hub.shutdown().await;
    let many: Vec<Schedule> = (0..MANY)
        .map(|n| house.owned(definition(&daily(n), "once", n)))
        .collect();
    house.write(&many).await;
    let before = rss_kib();
    let begun = Instant::now();
    let hub = house.hub().await;
    let full = begun.elapsed();
    let with = rss_kib().saturating_sub(before);
    println!(
        "| {MANY} loaded: start until schedules run | {} ms | {} ms without any |",
        full.as_millis(),
        empty.as_millis()
    );
    println!(
        "| memory they add | {} MiB | {} MiB for the hub without any |",
        with / 1024,
        without / 1024
    );
    let (mut edits, mut floor) = (Vec::new(), Vec::new());
    let by = SavedBy {
        subject: &house.owner,
        if_match: None,
    };
    for n in 0..EDITS {
        let picked = &many[n * 457 % MANY];
        let begun = Instant::now();
        let edited = definition(&daily(n + 1), "once", n + 1);
        let edit = hub.scheduler().replace(picked.id, edited, by);
        let edited = edit.await.expect("it is changed");
        edits.push(begun.elapsed());
        let mut next = Schedule::clone(&edited);
        next.version += 1;
        let begun = Instant::now();
        let write = [ScheduleWrite::Changed(next.clone())];
        house.store.write_schedules(&write).await.expect("written");
        floor.push(begun.elapsed());
    }
    println!(
        "| one edit among them, durable: median, p99, max | {} | {} the bare row |",
        Spread::of(edits),
        Spread::of(floor)
    );
    hub.shutdown().await;
    many
}

/// What an edit costs the scheduler itself, without the database.
fn agenda_edit(many: Vec<Schedule>) {
    let mut agenda = Agenda::new(Home::utc(), Timestamp::from_millis(0));
    let nothing = |_: &_| Reading::Unknown;
    let edited: Vec<Schedule> = many.iter().step_by(MANY / EDITS).cloned().collect();
    let loaded = Loaded {
        schedules: many.into_iter().map(std::sync::Arc::new).collect(),
        open: Vec::new(),
        asked: std::collections::HashSet::new(),
        decided: Vec::new(),
        last_instant: Some(now()),
    };
    agenda.apply(now(), Input::Loaded(Box::new(loaded)), &nothing);
    let mut times = Vec::new();
    for (n, mut schedule) in edited.into_iter().enumerate() {
        schedule.definition = definition(&daily(n + 1), "once", n);
        schedule.version += 1;
        let begun = Instant::now();
        agenda.apply(now(), Input::Saved(std::sync::Arc::new(schedule)), &nothing);
        times.push(begun.elapsed());
    }
    println!(
        "| … in the agenda alone: median, p99, max | {} | |",
        Spread::of(times)
    );
}

/// A year of two hundred schedules.
fn year() {
    let owner = house::user_id();
    let schedules: Vec<Schedule> = (0..200)
        .map(|n| {
            let trigger = match n % 10 {
                0..4 => daily(n),
                4..7 => json!({"kind": "sun", "event": "sunset", "offset_minutes": n % 60}),
                7..9 => json!({"kind": "cron", "expression": format!("{} 7 * * MON-FRI", n % 60)}),
                _ => json!({"kind": "every", "seconds": 3600}),
            };
            schedule(owner, definition(&trigger, "once", n))
        })
        .collect();
    let home = Home {
        zone: Zone::named("Europe/Berlin")
            .expect("a zone")
            .time_zone()
            .clone(),
        place: Place::new(52.5, 13.4),
    };
    let span = (now(), now().plus_millis(365 * 86_400_000));
    let begun = Instant::now();
    let simulated = simulate(&schedules, &home, HashMap::new(), span, LINES_MAX);
    println!(
        "| a year of 200 simulated | {} ms | {} events |",
        begun.elapsed().as_millis(),
        simulated.log.len()
    );
}

/// How late the publications of single occurrences and of a flood are.
async fn lateness(house: &House) {
    let mut heard = house.subscriber().await;
    // Writing them and starting the hub takes some seconds.
    let first = Timestamp::from_millis((now().as_millis() / 1000 + 40) * 1000);
    let flood_at = first.plus_millis(i64::try_from(SINGLES + 10).unwrap_or(0) * 1000);
    let mut made: Vec<Schedule> = (0..SINGLES)
        .map(|n| {
            let due = first.plus_millis(i64::try_from(n).unwrap_or(0) * 1000);
            house.owned(definition(&at(due), "skip", n))
        })
        .collect();
    made.extend((0..FLOOD).map(|n| house.owned(definition(&at(flood_at), "skip", n))));
    house.write(&made).await;
    let hub = house.hub().await;
    let in_time = now() < first;
    println!("| …the hub ran before the first was due | {in_time} | |");
    let mut singles = Vec::new();
    while now() < flood_at.plus_millis(-3_000) {
        let patience = Duration::from_secs(1);
        if let Ok(Some(arrived)) = tokio::time::timeout(patience, heard.recv()).await {
            let late = arrived.micros_since(first).rem_euclid(1_000_000);
            singles.push(micros(late));
        }
    }
    println!(
        "| lateness of a single occurrence: median, p99, max | {} | {} of {SINGLES} arrived |",
        Spread::of(singles.clone()),
        singles.len()
    );
    let flood = collect(&mut heard, flood_at).await;
    println!(
        "| lateness of {FLOOD} due in one second: median, p99, max | {} | {} of {FLOOD} arrived |",
        Spread::of(flood.clone()),
        flood.len()
    );
    hub.shutdown().await;
    println!(
        "| what became of them | {} | |",
        ends(house, &made[SINGLES..]).await
    );
    let floor = floor(house, &mut heard).await;
    println!(
        "| floor: the same rows and publications by a bare client | {} | {} of {FLOOD} arrived |",
        Spread::of(floor.clone()),
        floor.len()
    );
}

/// How many ended how: the actions, and the commands that they asked.
async fn ends(house: &House, made: &[Schedule]) -> String {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for schedule in made {
        let rows = house.store.occurrences_of(schedule.id, 10, None).await;
        for row in rows.expect("it answers") {
            let why = row.occurrence.reason.unwrap_or_default();
            let command = match row.actions.first() {
                Some(run) => house.store.command(run.command).await.expect("it answers"),
                None => None,
            };
            let command = command.map_or_else(
                || "no command".to_owned(),
                |c| format!("{} {}", c.status.as_str(), c.reason.unwrap_or_default()),
            );
            let end = format!("{} {why}: {command}", row.occurrence.state.as_str());
            *count.entry(end).or_default() += 1;
        }
    }
    let ends = count.iter().map(|(end, n)| format!("{n} {}", end.trim()));
    ends.collect::<Vec<_>>().join("; ")
}

/// The arrivals of a flood.
async fn collect(heard: &mut Heard, since: Timestamp) -> Vec<Duration> {
    let mut late = Vec::with_capacity(FLOOD);
    while late.len() < FLOOD {
        match tokio::time::timeout(LOST_AFTER, heard.recv()).await {
            Ok(Some(arrived)) => late.push(micros(arrived.micros_since(since))),
            Ok(None) | Err(_) => break,
        }
    }
    late
}

/// The rows of a flood and its publications, one after the other and without a hub.
async fn floor(house: &House, heard: &mut Heard) -> Vec<Duration> {
    let rows: Vec<(Decided, Command)> = (0..FLOOD).map(|n| rows(house, n)).collect();
    for batch in rows.chunks(BATCH) {
        let decided: Vec<Decided> = batch.iter().map(|(decided, _)| decided.clone()).collect();
        let written = house.store.write_occurrences(&decided, &[], "floor").await;
        written.expect("they are decided");
    }
    let client = house.client("floor");
    let begun = now();
    let work = async {
        for batch in rows.chunks(BATCH) {
            let accepted: Vec<CommandWrite> = batch
                .iter()
                .map(|(_, command)| CommandWrite::Accepted(command.clone(), None))
                .collect();
            house
                .store
                .write_commands(&accepted)
                .await
                .expect("written");
            for (_, command) in batch {
                let topic = house::topic(&command.device, &command.entity);
                let publish = client.publish(topic, QoS::AtLeastOnce, false, "ON");
                publish.await.expect("the client takes it");
            }
            let ended: Vec<CommandWrite> = batch
                .iter()
                .map(|(_, command)| {
                    let mut command = command.clone();
                    command.end(now(), Status::Delivered, None);
                    CommandWrite::Ended(command)
                })
                .collect();
            house.store.write_commands(&ended).await.expect("written");
            let settled: Vec<Settled> = batch.iter().flat_map(|(d, _)| settled(d)).collect();
            let written = house.store.write_occurrences(&[], &settled, "floor").await;
            written.expect("they are ended");
        }
    };
    let (late, ()) = tokio::join!(collect(heard, begun), work);
    late
}

fn rows(house: &House, n: usize) -> (Decided, Command) {
    let schedule = house.owned(definition(&at(now()), "skip", n));
    let due_at = now();
    let actions = ActionRun::all(&schedule, due_at, due_at);
    let run = actions.first().expect("it has one").clone();
    let occurrence = Occurrence {
        schedule: schedule.id,
        due_at,
        state: OccurrenceState::Claimed,
        reason: None,
        decided_at: due_at,
        ended_at: None,
        by_hand: false,
    };
    let command = Command {
        id: run.command,
        device: run.target.device,
        entity: run.target.entity,
        action: run.action,
        resolved: run.action,
        value: None,
        cause: Cause::Schedule {
            schedule: schedule.id.to_string(),
            name: schedule.definition.name,
            due_at,
        },
        status: Status::Accepted,
        reason: None,
        accepted_at: due_at,
        deadline_at: due_at.plus_millis(5_000),
        ended_at: None,
        latency_micros: None,
        sending: false,
    };
    (
        Decided {
            occurrence,
            actions,
        },
        command,
    )
}

/// The ends of an occurrence and of its action.
fn settled(decided: &Decided) -> [Settled; 2] {
    let end = |index| Settled {
        schedule: decided.occurrence.schedule,
        due_at: decided.occurrence.due_at,
        index,
        state: OccurrenceState::Fired,
        reason: None,
        at: now(),
    };
    [end(Some(0)), end(None)]
}

/// Each day, hours from now.
fn daily(n: usize) -> Value {
    let hour = usize::try_from(now().as_millis() / 3_600_000).unwrap_or(0);
    let hour = (hour + 3 + n % 18) % 24;
    json!({"kind": "cron", "expression": format!("{} {hour} * * *", n % 60), "zone": "UTC"})
}

fn at(due: Timestamp) -> Value {
    let second = jiff::Timestamp::from_second(due.as_millis() / 1000).expect("in range");
    let local = second.to_string();
    json!({"kind": "at", "at": local.trim_end_matches('Z'), "zone": "UTC"})
}

fn micros(late: i64) -> Duration {
    Duration::from_micros(u64::try_from(late).unwrap_or(0))
}

fn rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or(0)
}

/// A new id of a schedule.
fn schedule_id() -> ScheduleId {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut random = [0; 10];
    random[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    ScheduleId::new(now(), random)
}

/// Median, 99th percentile and maximum.
struct Spread([Duration; 3]);

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let at = |part: usize| {
            let last = times.len().saturating_sub(1);
            times.get(last * part / 100).copied().unwrap_or_default()
        };
        Self([at(50), at(99), at(100)])
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [median, p99, max] = self.0.map(|time| time.as_secs_f64() * 1000.0);
        write!(f, "{median:.2} / {p99:.2} / {max:.2} ms")
    }
}
