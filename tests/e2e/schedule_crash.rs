//! `kill -9` while schedules run: decided once, asked once, and nothing that was due is forgotten.
//!
//! A story is told in chapters. In each, schedules are written that are due within seconds,
//! and the hub dies again and again, at a point of its work or at a random moment; then it
//! may finish, and the rows are compared with what the device really received. A few kills
//! here; `cargo xtask soak` sets `IOTHOME_TEST_SCHEDULE_KILLS` for the long run.

use crate::support::api::Api;
use crate::support::device::{Device, Door, Told};
use crate::support::hub::{Start, folder};
use crate::support::ledger::Ledger;
use crate::support::mosquitto::Mosquitto;
use crate::support::{Dice, eventually, free_port, tell};
use iothome_engine::ids::{ScheduleId, UserId};
use iothome_engine::schedule::{Schedule, read_definition};
use iothome_engine::time::Timestamp;
use iothome_store::testing::PgServer;
use iothome_store::{DatabaseUrl, ScheduleWrite, Store};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// Points at which the program can be told to die, and how often it passes them in a life at least.
const POINTS: [(&str, u64); 10] = [
    ("claim", 1),
    ("claimed", 1),
    ("fire", 12),
    ("row", 12),
    ("publish", 12),
    ("published", 12),
    ("sent", 12),
    ("record", 1),
    ("recorded", 1),
    ("ended", 12),
];
/// Random kills of an ordinary run.
const KILLS: u32 = 2;
/// Deaths of one chapter: each has entities of its own, so that no schedule supersedes another.
const DEATHS: usize = 5;
/// Numbers and buttons of one life.
const NUMBERS: usize = 20;
const BUTTONS: usize = 6;
/// How `abort` ends a process.
const SIGABRT: i32 = 6;

fn kills() -> Option<u32> {
    let text = std::env::var("IOTHOME_TEST_SCHEDULE_KILLS").ok()?;
    text.parse().ok()
}

/// Handovers of an ordinary run, and of a long one: each has to end before the next begins.
fn handovers() -> usize {
    if kills().is_some() { 20 } else { 2 }
}

/// How a life ends.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// When it comes by a point for that time.
    At(&'static str, u64),
    /// So long after it has started.
    After(Duration),
    /// So long after the first second in which something is due.
    Due(Duration),
}

/// The deaths of a run: some or all points, and random moments, shuffled by the seed.
fn deaths(dice: &mut Dice, which: usize) -> Vec<Death> {
    let all = kills().is_some();
    let points = POINTS.iter().enumerate();
    let points = points.filter(|(n, _)| all || n % 2 == which);
    let mut deaths: Vec<Death> = points
        .map(|(_, (point, passes))| Death::At(point, 1 + dice.roll(*passes)))
        .collect();
    for n in 0..kills().unwrap_or(KILLS) {
        deaths.push(if n % 3 == 0 {
            Death::After(Duration::from_millis(dice.roll(3_000)))
        } else {
            Death::Due(Duration::from_micros(dice.roll(400_000)))
        });
    }
    for last in (1..deaths.len()).rev() {
        let other = dice.roll(last as u64 + 1);
        deaths.swap(last, usize::try_from(other).unwrap_or(0));
    }
    deaths
}

/// A device with numbers, which report what they are told, and buttons, which do not: so many
/// for each life of a chapter, and one more for what is due every minute.
fn gate() -> Value {
    let number = |n: usize| {
        json!({"id": format!("n{n}"), "name": format!("Number {n}"), "kind": "number",
            "deadline_ms": 30_000, "config": {"min": 0, "max": 10_000_000, "step": 1,
            "command_topic": format!("gate/n{n}/set"), "state_topic": format!("gate/n{n}")}})
    };
    let button = |n: usize| {
        json!({"id": format!("b{n}"), "name": format!("Button {n}"), "kind": "button",
            "deadline_ms": 30_000, "config": {"command_topic": format!("gate/b{n}/press")}})
    };
    let mut entities: Vec<Value> = (0..=(DEATHS + 1) * NUMBERS).map(number).collect();
    entities.extend((0..=(DEATHS + 1) * BUTTONS).map(button));
    json!({"id": "gate", "name": "Gate", "entities": entities})
}

fn obey(told: &Told) -> Vec<(String, String, bool)> {
    match told.topic.strip_suffix("/set") {
        Some(topic) => vec![(topic.to_owned(), told.payload.clone(), false)],
        None => Vec::new(),
    }
}

/// A hub that is tormented, and all that is known about it from outside.
struct Story<'a> {
    start: &'a Start,
    folder: &'a Path,
    url: DatabaseUrl,
    owner: UserId,
    device: Device,
    dice: Dice,
    ledger: Ledger,
    /// The last value that was set; no two actions set the same.
    value: u64,
}

impl Story<'_> {
    /// So many deaths, and a life in which everything comes to its end.
    async fn chapter(&mut self, deaths: &[Death]) {
        for (slot, death) in deaths.iter().enumerate() {
            let due = self.write_schedules(slot).await;
            self.life(*death, due).await;
        }
        let due = self.write_schedules(deaths.len()).await;
        let hub = self.start.on(self.folder).await;
        sleep_until(due).await;
        self.finish().await;
        assert_eq!(hub.stop().await, Some(0), "it stops in order");
    }

    /// Waits until everything that was written has its end, compares it and takes it away.
    async fn finish(&mut self) {
        let store = self.store().await;
        let (ledger, device) = (&self.ledger, &self.device);
        eventually("everything that was due has its end", || {
            ledger.is_settled(&store)
        })
        .await;
        ledger.compare(&store, &device.told()).await;
        let written = self.ledger.close_chapter();
        let gone: Vec<_> = written.into_iter().map(ScheduleWrite::Deleted).collect();
        store.write_schedules(&gone).await.expect("they go");
        store.close().await;
    }

    /// A hub dies while another stands by, which takes over and finishes everything.
    async fn handover(&mut self, slot: usize, span: Duration) {
        let due = self.write_schedules(slot).await;
        let first = self.start.on(self.folder).await;
        let (home, listen) = (folder(), format!("127.0.0.1:{}", free_port()));
        let second = self.start.clone().with("HTTP_LISTEN", listen.as_str());
        let second = second.begin(home.path());
        second
            .until_answers(&listen, "/health/ready", 503, "standby")
            .await;
        sleep_until(due).await;
        tokio::time::sleep(span).await;
        first.kill().await;
        let since = Instant::now();
        let second = second.until_running().await.expect("it takes over");
        tell(&format!(
            "the active hub killed: its standby runs after {:.1} s",
            since.elapsed().as_secs_f64()
        ));
        self.finish().await;
        assert_eq!(second.stop().await, Some(0), "it stops in order");
    }

    /// One life of the hub and its death.
    async fn life(&self, death: Death, due: Timestamp) {
        if let Death::At(point, times) = death {
            let start = self.start.clone();
            let start = start.with("DIE_AT", format!("{point}:{times}"));
            let signal = start.begin(self.folder).until_dead().await;
            assert_eq!(
                signal,
                Some(SIGABRT),
                "it dies by itself at {point}:{times}"
            );
            return;
        }
        let hub = self.start.on(self.folder).await;
        match death {
            Death::At(..) => {}
            Death::After(span) => tokio::time::sleep(span).await,
            Death::Due(span) => {
                sleep_until(due).await;
                tokio::time::sleep(span).await;
            }
        }
        hub.kill().await;
    }

    /// Writes what is due soon, while no hub runs; answers when the first of it is.
    async fn write_schedules(&mut self, slot: usize) -> Timestamp {
        let first = Timestamp::from_millis((now().as_millis() / 1000 + 3) * 1000);
        let mut made = Vec::new();
        let (mut numbers, mut buttons) = (slot * NUMBERS.., slot * BUTTONS..);
        for n in 0..NUMBERS {
            let policy = ["once", "once", "once", "all", "skip"][n % 5];
            let mut actions = vec![self.set(numbers.next().unwrap_or(0))];
            if n < 2 {
                let mut press = press(buttons.next().unwrap_or(0));
                press["delay_seconds"] = 1.into();
                actions.push(press);
            }
            let due = first.plus_millis(self.second());
            made.push(self.schedule(policy, due, &actions));
        }
        for button in buttons.take(BUTTONS - 2) {
            let due = first.plus_millis(self.second());
            made.push(self.schedule("once", due, &[press(button)]));
        }
        self.write(&made).await;
        self.ledger.note(made);
        first
    }

    /// Two schedules that are due every minute as long as the story lasts.
    async fn write_endless(&mut self) {
        let anchor = now().plus_millis(4_000);
        let every = json!({"kind": "every", "seconds": 60, "anchor": text(anchor)});
        let number = (DEATHS + 1) * NUMBERS;
        let set = self.set(number);
        let press = press((DEATHS + 1) * BUTTONS);
        let made = vec![
            self.made("all", &every, &[set]),
            self.made("once", &every, &[press]),
        ];
        self.write(&made).await;
        self.ledger.note_endless(made);
    }

    async fn write(&self, made: &[Schedule]) {
        let made: Vec<_> = made.iter().cloned().map(ScheduleWrite::Made).collect();
        let store = self.store().await;
        store.write_schedules(&made).await.expect("they are new");
        store.close().await;
    }

    fn second(&mut self) -> i64 {
        i64::try_from(self.dice.roll(2)).unwrap_or(0) * 1000
    }

    fn set(&mut self, number: usize) -> Value {
        self.value += 1;
        json!({"device": "gate", "entity": format!("n{number}"), "action": "set",
            "value": self.value})
    }

    fn schedule(&mut self, policy: &str, due: Timestamp, actions: &[Value]) -> Schedule {
        let local = text(due).trim_end_matches('Z').to_owned();
        self.made(
            policy,
            &json!({"kind": "at", "at": local, "zone": "UTC"}),
            actions,
        )
    }

    fn made(&mut self, policy: &str, trigger: &Value, actions: &[Value]) -> Schedule {
        let (made_at, mut random) = (now(), [0; 10]);
        random.fill_with(|| u8::try_from(self.dice.roll(256)).unwrap_or(0));
        let definition = json!({"name": format!("{policy} {}", self.value), "trigger": trigger,
            "missed": {"policy": policy}, "actions": actions});
        Schedule {
            id: ScheduleId::new(made_at, random),
            owner: self.owner,
            definition: read_definition(&definition, Some(made_at)).expect("it is well written"),
            disabled_reason: None,
            skip_due_at: None,
            version: 1,
            created_at: made_at,
            updated_at: made_at,
        }
    }

    async fn store(&self) -> Store {
        Store::open(&self.url).await.expect("the store opens")
    }
}

fn press(button: usize) -> Value {
    json!({"device": "gate", "entity": format!("b{button}"), "action": "press"})
}

fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().expect("the clock is right");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("before the year 292 million"))
}

/// The instant to the second, as people write it.
fn text(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.as_millis() / 1000).expect("in range");
    at.to_string()
}

async fn sleep_until(at: Timestamp) {
    let wait = u64::try_from(at.millis_since(now())).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(wait)).await;
}

/// A hub that knows Mosquitto and a database.
fn start_of(broker: &Mosquitto, database: &str) -> Start {
    Start::serve()
        .with("DATABASE_URL", database)
        .with("MQTT_FINGERPRINT", broker.sha256.as_str())
        .with(
            "MQTT_URL",
            format!("mqtts://hub:hub-word@127.0.0.1:{}", broker.port),
        )
}

fn broker() -> Mosquitto {
    Mosquitto::start(&[("hub", "hub-word"), ("gate", "gate-word")])
}

impl<'a> Story<'a> {
    /// Sets the house up and lets the device in; no hub runs afterwards.
    async fn begin(
        seed: u64,
        start: &'a Start,
        broker: &Mosquitto,
        database: &str,
        folder: &'a Path,
    ) -> Self {
        let hub = start.on(folder).await;
        let api = Api::set_up(&hub).await;
        let (status, made) = api.post("/api/v1/devices", gate()).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert_eq!(hub.stop().await, Some(0));
        let door = Door {
            host: "127.0.0.1".into(),
            port: broker.port,
            sha256: broker.sha256.clone(),
            username: "gate".into(),
            password: "gate-word".into(),
        };
        let url = DatabaseUrl::parse(database).expect("a database");
        let store = Store::open(&url).await.expect("the store opens");
        let adam = store.user_by_name("adam").await.expect("it answers");
        store.close().await;
        Self {
            start,
            folder,
            url,
            owner: adam.expect("they were set up").0.id,
            device: Device::connect(&door, "gate", &["gate/+/set", "gate/+/press"], obey),
            dice: Dice(seed),
            ledger: Ledger::default(),
            value: 0,
        }
    }
}

/// Tells the whole story on a database; `which` half of the points an ordinary run takes.
async fn torment(seed: u64, which: usize, database: &str, folder: &Path) {
    let broker = broker();
    let start = start_of(&broker, database);
    let mut story = Story::begin(seed, &start, &broker, database, folder).await;
    story.write_endless().await;
    let deaths = deaths(&mut story.dice, which);
    for deaths in deaths.chunks(DEATHS) {
        story.chapter(deaths).await;
    }
    let store = story.store().await;
    story.ledger.compare_endless(&store, now()).await;
    let told = story.device.told();
    story.ledger.compare_all(&told);
    tell(&format!(
        "schedules, {} deaths, {} messages received: {}",
        deaths.len(),
        told.len(),
        story.ledger.tally()
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_on_sqlite_are_decided_once_whenever_the_hub_is_killed() {
    let folder = folder();
    let data = folder.path().join("data");
    private_folder(&data);
    let database = format!("sqlite:{}/house.db", data.display());
    torment(0x5eed_0001, 0, &database, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_on_postgresql_are_decided_once_whenever_the_hub_is_killed() {
    let folder = folder();
    let database = PgServer::shared().new_database();
    torment(0x5eed_0002, 1, &database, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_are_decided_once_when_a_standby_takes_over_from_a_hub_that_is_killed() {
    let (folder, broker) = (folder(), broker());
    let database = PgServer::shared().new_database();
    let start = start_of(&broker, &database);
    let mut story = Story::begin(0x5eed_0003, &start, &broker, &database, folder.path()).await;
    for slot in 0..handovers() {
        let span = Duration::from_micros(story.dice.roll(900_000));
        story.handover(slot % (DEATHS + 1), span).await;
    }
    let told = story.device.told();
    story.ledger.compare_all(&told);
    tell(&format!("handovers: {}", story.ledger.tally()));
}

/// A folder that only we may enter, as the hub would make it.
fn private_folder(folder: &Path) {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().mode(0o700).create(folder);
    made.expect("a folder");
}
