//! How a hub comes to life: state restored, devices up, then the broker.
//!
//! Owner of the order of the start. It must never connect to the broker before the
//! devices can take what it replays.

use super::{DiscoveryMode, Hub, HubConfig, Inner, ask, housekeeping};
use crate::accounts::{self, Accounts, Keeping};
use crate::clock::Clock;
use crate::complaints::Complaints;
use crate::device::{DeviceMsg, broker_input};
use crate::error::HubError;
use crate::house::{CHANGES_KEPT, House};
use crate::journal::{Journal, Writer};
use crate::mqtt::{Mqtt, MqttEvent, MqttSetup, Routes};
use crate::passwords::Passwords;
use crate::recorder::Recorder;
use crate::registrar::{Registrar, RegistrarMsg, Rules, Tools};
use crate::root::{Kept, Recipe, Root, RootMsg};
use crate::scheduler::Scheduler;
use crate::services::{Services, Waiters, Wire};
use crate::sessions::Sessions;
use crate::setup::{Newcomer, Past, past_of, setup_of};
use crate::supervisor::{DeviceSupervisor, SupervisorArgs, SupervisorMsg, reader};
use arc_swap::ArcSwap;
use iothome_engine::command::Command;
use iothome_engine::device::{Input, Shared};
use iothome_engine::history::LastState;
use iothome_engine::ids::{DeviceId, EntityRef};
use iothome_engine::supervision::Policy;
use iothome_engine::template::Templates;
use iothome_store::Store;
use ractor::{Actor, ActorCell, ActorRef};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, oneshot};

/// How long all devices may take to start: 10,000 take about a second.
const START_MAX: Duration = Duration::from_secs(60);

impl Hub {
    /// Starts the house: restores what is known, starts the devices, then connects to the broker.
    ///
    /// # Errors
    /// `Store` if the state cannot be read, `Start` if a part cannot be started.
    pub async fn start(config: HubConfig, store: Store, clock: Clock) -> Result<Self, HubError> {
        let hub = Self::prepare(config, store, clock, Wire::new(), Policy::DEVICE).await?;
        hub.connect().await?;
        Ok(hub)
    }

    /// Everything but the connection to the broker.
    pub(super) async fn prepare(
        config: HubConfig,
        store: Store,
        clock: Clock,
        wire: Wire,
        policy: Policy,
    ) -> Result<Self, HubError> {
        let started_at = clock.now();
        let span = store.open_span(started_at).await?;
        let (root, _) = Actor::spawn(None, Root, ())
            .await
            .map_err(|e| HubError::start("the root", &e))?;
        let journal = Journal::new(Writer::to(&store));
        keep(&root, "the journal", journal.recipe()).await?;
        let services = services(&root, &store, clock, journal, wire).await?;
        let supervisor = supervise(&root, &services, &store, policy).await?;
        start_devices(&services, &store, &supervisor).await?;
        let registrar = Registrar::new();
        let accounts = accounts(&config, &services, &store);
        keep(&root, "the broker's accounts", accounts.recipe()).await?;
        let tools = tools(&config, &services, &store, &supervisor, &accounts);
        keep(&root, "the registrar", registrar.recipe(tools)).await?;
        let changes = services.changes.clone();
        let sessions = Sessions::start(
            store.clone(),
            services.clock.clone(),
            changes,
            root.get_cell(),
        )
        .await
        .map_err(|e| HubError::start("the sessions", &e))?;
        let scheduler = Scheduler::open(&services, &store, config.scheduling.clone()).await?;
        let passwords = Passwords::start(config.password_workers)
            .map_err(|e| HubError::start("the password pool", &e))?;
        let hub = Self {
            inner: Arc::new(Inner {
                config,
                services,
                store,
                sessions,
                passwords,
                registrar,
                accounts,
                scheduler,
                supervisor,
                root,
                keys: ask::Keys::new(),
                watched: super::places::Watched::default(),
                span,
                started_at,
                stopping: AtomicBool::new(false),
            }),
        };
        keep(
            &hub.inner.root,
            "the housekeeping",
            housekeeping::recipe(&hub),
        )
        .await?;
        let scheduler = hub.scheduler();
        scheduler.review_all().await;
        let recipe = scheduler.recipe(&hub);
        keep(&hub.inner.root, "the scheduler", recipe).await?;
        Ok(hub)
    }

    async fn connect(&self) -> Result<(), HubError> {
        let inner = &self.inner;
        let listens = inner.config.discovery != DiscoveryMode::Off;
        let registrar = inner.registrar.clone();
        let setup = MqttSetup {
            config: inner.config.mqtt.clone(),
            discovery_prefix: listens.then(|| inner.config.discovery_prefix.clone()),
            status_prefix: inner.config.discovery_prefix.clone(),
            routes: Arc::clone(&inner.services.routes),
            discovery: Arc::new(move |topic, payload, _| registrar.announce(topic, payload)),
            events: on_event(&inner.services, &inner.registrar, &inner.accounts, listens),
        };
        let clock = inner.services.clock.clone();
        let mqtt = Mqtt::start(setup, clock, inner.root.get_cell())
            .await
            .map_err(|e| HubError::start("the connection to the broker", &e))?;
        inner.services.wire.connect(mqtt);
        Ok(())
    }

    /// The home's zone or place may have changed: schedules use it at once, and devices that are started from now on use it, and those
    /// that run are started again with it.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn home_changed(&self) -> Result<(), HubError> {
        let shared = read_shared(&self.inner.store).await?;
        self.inner.scheduler.home_changed().await?;
        let services = &self.inner.services;
        if shared.zone == services.shared.load().zone {
            return Ok(());
        }
        services.shared.store(Arc::new(shared));
        for cell in services.house.cells() {
            cell.cast(DeviceMsg::Rebuild);
        }
        Ok(())
    }
}

/// Starts an actor under the root.
async fn keep(
    root: &ActorRef<RootMsg>,
    part: &'static str,
    recipe: Recipe,
) -> Result<(), HubError> {
    let (reply, started) = oneshot::channel();
    root.cast(RootMsg::Keep(recipe, reply))
        .map_err(|e| HubError::start(part, &e))?;
    let outcome = started.await.map_err(|e| HubError::start(part, &e))?;
    outcome.map_err(|e| HubError::start(part, &e))
}

async fn services(
    root: &ActorRef<RootMsg>,
    store: &Store,
    clock: Clock,
    journal: Journal,
    wire: Wire,
) -> Result<Arc<Services>, HubError> {
    let recorder = Recorder::start(store.clone(), clock.clone(), root.get_cell())
        .await
        .map_err(|e| HubError::start("the recorder", &e))?;
    Ok(Arc::new(Services {
        clock,
        house: House::default(),
        changes: broadcast::Sender::new(CHANGES_KEPT),
        journal,
        recorder,
        routes: Arc::new(Routes::default()),
        wire,
        waiters: Waiters::default(),
        complaints: Complaints::default(),
        shared: ArcSwap::from_pointee(read_shared(store).await?),
        broker_up: AtomicBool::new(false),
    }))
}

/// What devices share: a template engine, and the home's zone (UTC until the home is set up).
async fn read_shared(store: &Store) -> Result<Shared, HubError> {
    let home = store.home().await?;
    let named = home.and_then(|h| {
        let zone = jiff::tz::TimeZone::get(&h.zone);
        if zone.is_err() {
            tracing::error!(
                zone = h.zone,
                "the home's time zone is not known; UTC is used"
            );
        }
        zone.ok()
    });
    Ok(Shared {
        templates: Arc::new(Templates::new()),
        zone: named.unwrap_or(jiff::tz::TimeZone::UTC),
    })
}

async fn supervise(
    root: &ActorRef<RootMsg>,
    services: &Arc<Services>,
    store: &Store,
    policy: Policy,
) -> Result<Arc<Kept<SupervisorMsg>>, HubError> {
    let kept: Arc<Kept<SupervisorMsg>> = Arc::default();
    let args = SupervisorArgs {
        services: Arc::clone(services),
        reader: reader(store),
        policy,
    };
    keep(root, "the devices", supervisor_recipe(&kept, args)).await?;
    Ok(kept)
}

/// How the root starts, and starts again, the device supervisor.
pub(crate) fn supervisor_recipe(kept: &Arc<Kept<SupervisorMsg>>, args: SupervisorArgs) -> Recipe {
    let place = Arc::clone(kept);
    Recipe::new("devices", move |root: ActorCell| {
        let (args, place) = (args.clone(), Arc::clone(&place));
        Box::pin(async move {
            let (actor, _) = Actor::spawn_linked(None, DeviceSupervisor, args, root).await?;
            // At the first start there is nothing in the directory to recover.
            let _ = actor.cast(SupervisorMsg::Recover);
            place.set(actor.clone());
            Ok(actor.get_cell())
        })
    })
}

/// Starts every stored device with what was last known of it and with its open commands.
async fn start_devices(
    services: &Arc<Services>,
    store: &Store,
    supervisor: &Kept<SupervisorMsg>,
) -> Result<(), HubError> {
    let mut states = states_by_entity(store.last_states().await?);
    let mut open: HashMap<DeviceId, Vec<Command>> = HashMap::new();
    for command in store.open_commands_all().await? {
        open.entry(command.device.clone())
            .or_default()
            .push(command);
    }
    let shared = services.shared.load_full();
    let mut newcomers = Vec::new();
    for stored in store.devices().await? {
        let mut known: HashMap<_, _> = stored
            .entities
            .iter()
            .filter_map(|e| {
                let target = EntityRef {
                    device: stored.id.clone(),
                    entity: e.id.clone(),
                };
                Some((e.id.clone(), states.remove(&target)?))
            })
            .collect();
        let known = std::cell::RefCell::new(&mut known);
        let past = |entity: &_| {
            let state = known.borrow_mut().remove(entity);
            state.map_or_else(Past::default, past_of)
        };
        newcomers.push(Newcomer {
            setup: setup_of(&stored, &shared.templates, &services.complaints, past),
            open: open.remove(&stored.id).unwrap_or_default(),
        });
    }
    // What is left belongs to devices that are gone.
    services.end_orphans(open.into_values().flatten());
    let (reply, started) = oneshot::channel();
    supervisor.cast(SupervisorMsg::Start(newcomers, reply));
    match tokio::time::timeout(START_MAX, started).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(HubError::start("the devices", &e)),
        Err(e) => Err(HubError::start("the devices", &e)),
    }
}

fn states_by_entity(states: Vec<LastState>) -> HashMap<EntityRef, LastState> {
    states.into_iter().map(|s| (s.target.clone(), s)).collect()
}

fn accounts(config: &HubConfig, services: &Arc<Services>, store: &Store) -> Accounts {
    Accounts::new(accounts::Tools {
        services: Arc::clone(services),
        store: store.clone(),
        mqtt: config.mqtt.clone(),
        access: Arc::clone(&config.access),
        keeping: match (config.managed, &config.dynsec) {
            (false, _) => Keeping::Operator,
            (true, None) => Keeping::Embedded(config.cut.clone()),
            (true, Some(seal)) => Keeping::Dynsec(seal.clone()),
        },
    })
}

fn tools(
    config: &HubConfig,
    services: &Arc<Services>,
    store: &Store,
    supervisor: &Arc<Kept<SupervisorMsg>>,
    accounts: &Accounts,
) -> Tools {
    Tools {
        services: Arc::clone(services),
        store: store.clone(),
        supervisor: Arc::clone(supervisor),
        access: Arc::clone(&config.access),
        cut: config.cut.clone(),
        accounts: accounts.clone(),
        rules: Rules {
            managed: config.managed,
            accept: config.discovery == DiscoveryMode::Accept,
            prefix: config.discovery_prefix.clone(),
        },
    }
}

/// What the broker connection tells goes straight to the devices, so that a device hears of the
/// connection before it hears anything over it.
pub(super) fn on_event(
    services: &Arc<Services>,
    registrar: &Registrar,
    accounts: &Accounts,
    listens: bool,
) -> Arc<dyn Fn(MqttEvent) + Send + Sync> {
    let (services, registrar) = (Arc::clone(services), registrar.clone());
    let accounts = accounts.clone();
    Arc::new(move |event| match event {
        MqttEvent::Up => {
            broker_is(&services, true);
            accounts.broker_up();
            if listens {
                registrar.tell(RegistrarMsg::BrokerUp);
            }
        }
        MqttEvent::Down => broker_is(&services, false),
        MqttEvent::Sent {
            device,
            command,
            at,
        } => {
            crate::hooks::pass(crate::hooks::SENT);
            tell_device(&services, &device, Input::Sent { command, at });
        }
        MqttEvent::Acknowledged { device, command } => {
            tell_device(&services, &device, Input::Acknowledged { command });
        }
        MqttEvent::Refused {
            device,
            command,
            reason,
        } => {
            tell_device(&services, &device, Input::Refused { command, reason });
        }
    })
}

pub(super) fn broker_is(services: &Services, up: bool) {
    // Before the devices are told: one that starts meanwhile reads it.
    services.broker_up.store(up, Ordering::SeqCst);
    for cell in services.house.cells() {
        cell.cast(DeviceMsg::input(broker_input(up)));
    }
}

fn tell_device(services: &Services, device: &DeviceId, input: Input) {
    if let Some(cell) = services.house.cell(device) {
        // A device that is being started again learns from the store what became of its commands.
        cell.cast(DeviceMsg::input(input));
    }
}
