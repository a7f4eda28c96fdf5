//! Devices under paused time: deadlines, back-off, quarantine. No test waits in earnest.

use super::*;
use crate::clock::Clock;
use crate::complaints::Complaints;
use crate::house::{CHANGES_KEPT, House};
use crate::journal::{Journal, Writer};
use crate::mqtt::Routes;
use crate::recorder::Recorder;
use crate::root::{Kept, Recipe, Root, RootMsg};
use crate::services::{Act, Waiters, Wire};
use arc_swap::ArcSwap;
use bytes::Bytes;
use iothome_engine::command::{Ask, Cause, Status, reason};
use iothome_engine::device::Shared;
use iothome_engine::ids::{CommandId, EntityId, EntityRef, SessionId, UserId};
use iothome_engine::kind::{Action, Kind};
use iothome_engine::template::Templates;
use iothome_engine::time::Timestamp;
use iothome_engine::value::Value;
use iothome_engine::view::{About, DeviceView};
use iothome_store::testing::TestStore;
use iothome_store::{Origin, StoredEntity};
use serde_json::json;
use std::sync::atomic::AtomicBool;
use tokio::sync::{broadcast, mpsc};

/// Supervised devices with a journal that always writes and a store that holds nothing but them.
struct Home {
    services: Arc<Services>,
    supervisor: Arc<Kept<SupervisorMsg>>,
    acts: mpsc::UnboundedReceiver<Act>,
    /// Once there are some, every device is deleted and these are its open commands.
    orphans: Orphans,
    _store: TestStore,
}

type Orphans = Arc<std::sync::Mutex<Vec<Command>>>;

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

impl Home {
    /// Time is paused once everything stands.
    async fn new(devices: &[&str]) -> Self {
        // The recorder wants a store; what it cannot write while time is paused it keeps.
        let home = TestStore::sqlite().await;
        let (root, _) = Actor::spawn(None, Root, ()).await.expect("starts");
        let clock = Clock::starting_at(START);
        let recorder = Recorder::start(home.store.clone(), clock.clone(), root.get_cell());
        let recorder = recorder.await.expect("starts");
        tokio::time::pause();
        let journal = Journal::new(Writer {
            commands: Arc::new(|_| Box::pin(async { Ok(()) })),
            audit: Arc::new(|_| Box::pin(async { Ok(()) })),
        });
        keep(&root, journal.recipe()).await;
        let (probe, acts) = mpsc::unbounded_channel();
        let services = Arc::new(Services {
            clock,
            house: House::default(),
            changes: broadcast::Sender::new(CHANGES_KEPT),
            journal,
            recorder,
            routes: Arc::new(Routes::default()),
            wire: Wire::probe(probe),
            waiters: Waiters::default(),
            complaints: Complaints::default(),
            shared: ArcSwap::from_pointee(Shared {
                templates: Arc::new(Templates::new()),
                zone: jiff::tz::TimeZone::UTC,
            }),
            broker_up: AtomicBool::new(true),
        });
        let stored: Vec<StoredDevice> = devices.iter().map(|d| stored(d)).collect();
        let orphans = Orphans::default();
        let supervisor = supervise(&root, &services, stored.clone(), &orphans).await;
        let (reply, started) = oneshot::channel();
        let newcomers = stored.iter().map(|s| newcomer(&services, s)).collect();
        supervisor.cast(SupervisorMsg::Start(newcomers, reply));
        started.await.expect("started");
        Self {
            services,
            supervisor,
            acts,
            orphans,
            _store: home,
        }
    }

    fn cell(&self, device: &str) -> Arc<Cell> {
        self.services.house.cell(&id(device)).expect("is there")
    }

    fn view(&self, device: &str) -> Arc<DeviceView> {
        self.cell(device).view()
    }

    fn state(&self, device: &str) -> Option<Value> {
        self.view(device).entities[0].state.clone()
    }

    fn deliver(&self, topic: &str, payload: &'static str) {
        let (payload, now) = (
            Bytes::from_static(payload.as_bytes()),
            self.services.clock.now(),
        );
        assert!(self.services.routes.deliver(topic, &payload, false, now));
    }

    async fn ask(&self, device: &str, action: Action) -> Command {
        let ask = Ask {
            id: CommandId::new(self.services.clock.now(), crate::random::bytes()),
            target: EntityRef {
                device: id(device),
                entity: main_entity(),
            },
            action,
            value: None,
            cause: Cause::User {
                user: UserId::new(START, [1; 10]),
                name: "eve".into(),
                session: SessionId::new(START, [2; 10]),
            },
            idempotency: None,
        };
        let (answer, answered) = oneshot::channel();
        let Door::Open(actor) = self.cell(device).wait_open(Duration::from_secs(60)).await else {
            panic!("the device does not come back");
        };
        actor
            .cast(DeviceMsg::Ask(Box::new(ask), answer))
            .expect("runs");
        answered.await.expect("is answered").expect("is accepted")
    }

    /// Makes the device fail once and waits until its next life has begun, or it is quarantined.
    async fn fail(&self, device: &str) -> Duration {
        let started = tokio::time::Instant::now();
        let before = self.view(device).revision;
        assert!(self.cell(device).cast(DeviceMsg::Fail));
        until(|| self.view(device).revision > before && self.cell(device).actor().is_some()).await;
        started.elapsed()
    }
}

fn id(text: &str) -> DeviceId {
    text.parse().expect("an id")
}

fn main_entity() -> EntityId {
    "main".parse().expect("an id")
}

fn stored(device: &str) -> StoredDevice {
    let raw = json!({
        "command_topic": format!("{device}/set"),
        "state_topic": format!("{device}/state"),
    });
    let entity = StoredEntity {
        id: main_entity(),
        kind: Kind::Switch,
        name: None,
        raw: raw.as_object().expect("an object").clone(),
        config_topic: None,
        config_hash: None,
        key: None,
        deadline_ms: None,
        position: 0,
        withdrawn_at: None,
    };
    StoredDevice {
        id: id(device),
        name: device.to_owned(),
        room: None,
        icon: None,
        position: None,
        about: About::default(),
        origin: Origin::HandMade,
        identity: Vec::new(),
        sender_verified: true,
        created_at: START,
        version: 1,
        entities: vec![entity],
    }
}

fn newcomer(services: &Services, stored: &StoredDevice) -> Newcomer {
    let shared = services.shared.load();
    let past = |_: &_| setup::Past::default();
    Newcomer::fresh(setup::setup_of(
        stored,
        &shared.templates,
        &services.complaints,
        past,
    ))
}

async fn keep(root: &ActorRef<RootMsg>, recipe: Recipe) {
    let (reply, started) = oneshot::channel();
    root.cast(RootMsg::Keep(recipe, reply)).expect("runs");
    started.await.expect("answers").expect("starts");
}

async fn supervise(
    root: &ActorRef<RootMsg>,
    services: &Arc<Services>,
    devices: Vec<StoredDevice>,
    orphans: &Orphans,
) -> Arc<Kept<SupervisorMsg>> {
    let kept: Arc<Kept<SupervisorMsg>> = Arc::default();
    let orphans = Arc::clone(orphans);
    let args = SupervisorArgs {
        services: Arc::clone(services),
        reader: Arc::new(move |device| {
            let open = orphans.lock().expect("whole").clone();
            let found = devices.iter().find(|d| d.id == device && open.is_empty());
            let found = found.cloned();
            Box::pin(async move { Ok((found, open)) })
        }),
        policy: Policy::DEVICE,
    };
    keep(root, crate::hub::supervisor_recipe(&kept, args)).await;
    kept
}

/// Lets paused time run until it is so, an hour at most.
async fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..3_600_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("not within an hour");
}

#[tokio::test]
async fn a_command_without_an_answer_times_out_at_its_deadline() {
    let mut home = Home::new(&["lamp"]).await;
    let command = home.ask("lamp", Action::TurnOn).await;
    let ended = home.services.waiters.wait(command.id);
    assert!(matches!(home.acts.recv().await, Some(Act::Publish(..))));
    let ended = ended.await.expect("ends");
    assert_eq!(ended.status, Status::TimedOut);
    let took = ended
        .ended_at
        .map(|at| at.millis_since(command.accepted_at));
    assert!(
        took.is_some_and(|ms| (5_000..5_010).contains(&ms)),
        "{took:?} ms"
    );
}

#[tokio::test]
async fn a_newer_command_supersedes_the_older_one_long_before_its_deadline() {
    let home = Home::new(&["lamp"]).await;
    let first = home.ask("lamp", Action::TurnOn).await;
    let ended = home.services.waiters.wait(first.id);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let second = home.ask("lamp", Action::TurnOff).await;
    assert_eq!(ended.await.map(|c| c.status), Ok(Status::Superseded));
    home.deliver("lamp/state", "ON");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let pending = home.view("lamp").entities[0].pending.clone();
    assert_eq!(
        pending.map(|p| p.command),
        Some(second.id),
        "the old wish ends nothing"
    );
}

#[tokio::test]
async fn restarts_come_at_once_first_and_later_ever_slower() {
    let home = Home::new(&["lamp", "other"]).await;
    home.deliver("lamp/state", "ON");
    until(|| home.state("lamp").is_some()).await;
    let mut waits = Vec::new();
    for _ in 0..5 {
        waits.push(home.fail("lamp").await);
        assert_eq!(home.view("lamp").health, Health::Ok);
        assert_eq!(
            home.state("lamp"),
            Some(Value::word("on")),
            "its state is kept"
        );
    }
    assert!(waits[0] < Duration::from_millis(20), "{waits:?}");
    assert!(
        waits[1..].is_sorted() && waits[4] > waits[1] * 4,
        "{waits:?}"
    );
}

#[tokio::test]
async fn a_quarantine_ends_by_itself_and_the_next_one_is_longer() {
    let home = Home::new(&["lamp", "other"]).await;
    let mut sentences = Vec::new();
    for _ in 0..2 {
        while home.view("lamp").health != Health::Quarantined {
            home.fail("lamp").await;
        }
        let refused = home.ask("lamp", Action::TurnOn).await;
        assert_eq!(refused.reason.as_deref(), Some(reason::QUARANTINED));
        assert_eq!(home.view("other").health, Health::Ok);
        let started = tokio::time::Instant::now();
        until(|| home.view("lamp").health == Health::Ok).await;
        sentences.push(started.elapsed().as_secs());
        home.deliver("lamp/state", "ON");
        until(|| home.state("lamp") == Some(Value::word("on"))).await;
    }
    assert_eq!(
        sentences.iter().map(|s| (s + 30) / 60).collect::<Vec<_>>(),
        [5, 10]
    );
}

#[tokio::test]
async fn a_quarantined_device_hears_nothing() {
    let home = Home::new(&["lamp"]).await;
    while home.view("lamp").health != Health::Quarantined {
        home.fail("lamp").await;
    }
    let (payload, now) = (Bytes::from_static(b"ON"), home.services.clock.now());
    assert!(
        !home
            .services
            .routes
            .deliver("lamp/state", &payload, false, now)
    );
}

#[tokio::test]
async fn a_device_deleted_between_two_lives_leaves_no_command_without_an_end() {
    let home = Home::new(&["lamp"]).await;
    for _ in 0..3 {
        home.fail("lamp").await;
    }
    let command = home.ask("lamp", Action::TurnOn).await;
    let ended = home.services.waiters.wait(command.id);
    let cell = home.cell("lamp");
    assert!(cell.cast(DeviceMsg::Fail));
    until(|| cell.actor().is_none()).await;
    home.orphans.lock().expect("whole").push(command);
    let (reply, gone) = oneshot::channel();
    home.supervisor
        .cast(SupervisorMsg::Remove(id("lamp"), reply));
    gone.await.expect("it is gone");
    let ended = tokio::time::timeout(Duration::from_secs(3_600), ended).await;
    let ended = ended.expect("within an hour").expect("it ends");
    assert_eq!(ended.status, Status::Rejected);
    assert_eq!(ended.reason.as_deref(), Some(reason::DEVICE_REMOVED));
}

#[tokio::test]
async fn when_the_supervisor_itself_fails_every_device_comes_back() {
    let home = Home::new(&["a", "b", "c"]).await;
    home.deliver("b/state", "ON");
    until(|| home.state("b").is_some()).await;
    let before: Vec<u64> = ["a", "b", "c"].map(|d| home.view(d).revision).to_vec();
    home.supervisor.cast(SupervisorMsg::Fail);
    until(|| {
        ["a", "b", "c"].iter().zip(&before).all(|(d, revision)| {
            home.view(d).revision > *revision && home.cell(d).actor().is_some()
        })
    })
    .await;
    assert_eq!(home.state("b"), Some(Value::word("on")));
    let command = home.ask("a", Action::TurnOn).await;
    assert_eq!(command.status, Status::Accepted);
}

#[tokio::test]
async fn a_flood_of_reports_costs_no_more_than_its_own_device() {
    let home = Home::new(&["loud", "calm"]).await;
    for n in 0..20_000_u32 {
        home.deliver("loud/state", if n % 2 == 0 { "ON" } else { "OFF" });
    }
    let command = home.ask("calm", Action::TurnOn).await;
    assert_eq!(command.status, Status::Accepted);
    until(|| home.state("loud") == Some(Value::word("off"))).await;
    assert!(
        home.view("loud").coalesced > 0,
        "what was left out is counted"
    );
}
