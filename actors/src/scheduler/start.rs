//! How the scheduler comes to life, and how it ends.
//!
//! Owner of its ties to the store, the house and the devices. It must never let the
//! actor begin before the schedules are read.

use super::actor::{Lasting, SchedulerActor, SchedulerMsg, State};
use super::ways::{Outcome, Rows, Ways};
use super::{Book, Inner, Scheduler, Scheduling};
use crate::error::{AskError, HubError};
use crate::hub::Hub;
use crate::root::{Kept, Recipe};
use crate::services::Services;
use arc_swap::ArcSwap;
use iothome_engine::command::Refusal;
use iothome_engine::ids::EntityRef;
use iothome_engine::policy::Subject;
use iothome_engine::schedule::agenda::Loaded;
use iothome_engine::schedule::{Home, Place, Reading};
use iothome_engine::time::Timestamp;
use iothome_engine::view::{Availability, Freshness};
use iothome_store::{Store, StoreError};
use ractor::{Actor, ActorCell};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;

/// Schedules read at once.
const PAGE: usize = 1_000;

/// How long the lock may take to say that it holds.
const LOCK_MAX: Duration = Duration::from_secs(2);

/// How long somebody waits for the actor.
const PATIENCE: Duration = Duration::from_secs(5);

/// When this program was built: no clock that stands before it is right.
pub fn built_at() -> Timestamp {
    let seconds: i64 = env!("IOTHOME_BUILT_AT").parse().unwrap_or(0);
    Timestamp::from_millis(seconds.saturating_mul(1_000))
}

impl Scheduler {
    /// Reads every schedule.
    pub(crate) async fn open(
        services: &Arc<Services>,
        store: &Store,
        scheduling: Scheduling,
    ) -> Result<Self, HubError> {
        let book = Book::default();
        let mut after: Option<String> = None;
        loop {
            let page = store.schedules(PAGE, after.as_deref()).await?;
            for schedule in page.schedules {
                book.put(Arc::new(schedule));
            }
            for (id, problem) in page.unreadable {
                tracing::error!(id, problem, "a schedule cannot be read and does not run");
            }
            // Ends: each page goes on after the one before.
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(Self {
            inner: Arc::new(Inner {
                services: Arc::clone(services),
                store: store.clone(),
                book,
                edits: tokio::sync::Mutex::new(()),
                home: ArcSwap::from_pointee(read_schedule_home(store).await?),
                actor: Kept::default(),
                scheduling,
                running: Arc::default(),
                began: services.clock.now(),
            }),
        })
    }

    /// How the root starts, and starts again, the scheduler's actor.
    pub(crate) fn recipe(&self, hub: &Hub) -> Recipe {
        let (scheduler, homes) = (self.clone(), self.clone());
        let home = Box::new(move || Home::clone(&homes.home()));
        let lasting = Lasting::new(self.ways(hub), home, built_at());
        Recipe::new("scheduler", move |root: ActorCell| {
            let (scheduler, lasting) = (scheduler.clone(), Arc::clone(&lasting));
            Box::pin(async move {
                let (actor, _) = Actor::spawn_linked(None, SchedulerActor, lasting, root).await?;
                scheduler.inner.actor.set(actor.clone());
                Ok(actor.get_cell())
            })
        })
    }

    /// The home's zone or place may have changed.
    pub(crate) async fn home_changed(&self) -> Result<(), HubError> {
        let home = read_schedule_home(&self.inner.store).await?;
        if home != *self.home() {
            self.inner.home.store(Arc::new(home.clone()));
            self.tell(SchedulerMsg::Home(Box::new(home)));
        }
        Ok(())
    }

    /// How the scheduler is.
    ///
    /// # Errors
    /// `Busy` while it is being started.
    pub async fn state(&self) -> Result<State, HubError> {
        let (reply, answer) = oneshot::channel();
        self.tell(SchedulerMsg::Look(reply));
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(state)) => Ok(state),
            Ok(Err(_)) | Err(_) => Err(HubError::Busy),
        }
    }

    /// Whether schedules run: the actor has begun, and believes the clock.
    pub fn is_running(&self) -> bool {
        self.inner.running.load(Ordering::SeqCst)
    }

    /// A person says that the clock is right although it was ahead before: schedules run from now
    /// on. What was decided already stays decided.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn trust_clock(&self) -> Result<(), HubError> {
        self.inner.store.reset_scheduler_instant(self.now()).await?;
        self.tell(SchedulerMsg::TrustClock);
        Ok(())
    }

    /// Fires nothing any more; resolves when what has ended is written.
    pub(crate) async fn stop(&self) {
        let (reply, stopped) = oneshot::channel();
        self.tell(SchedulerMsg::Stop(reply));
        // A scheduler that is being started has fired nothing.
        let _ = stopped.await;
    }

    /// Makes the scheduler fail, as a bug would.
    #[cfg(any(test, feature = "test-hooks"))]
    pub fn fail(&self) {
        self.tell(SchedulerMsg::Fail);
    }

    pub(super) fn tell(&self, message: SchedulerMsg) {
        self.inner.actor.cast(message);
    }

    fn ways(&self, hub: &Hub) -> Ways {
        let inner = &self.inner;
        let (reader, loader, finisher) = (self.clone(), self.clone(), self.clone());
        let (writer, keeper) = (inner.store.clone(), inner.store.clone());
        let (people, rows) = (inner.store.clone(), inner.store.clone());
        let life = crate::random::name();
        let asker = hub.weak();
        let guard = inner.scheduling.lock.clone();
        let services = Arc::clone(&inner.services);
        Ways {
            clock: inner.services.clock.clone(),
            read: Arc::new(move |target| reader.reading(target)),
            load: Arc::new(move |()| {
                let loader = loader.clone();
                Box::pin(async move { loader.load().await })
            }),
            write: Arc::new(move |rows: Rows| {
                let (store, life) = (writer.clone(), life.clone());
                Box::pin(async move {
                    store
                        .write_occurrences(&rows.decided, &rows.settled, &life)
                        .await
                })
            }),
            persist: Arc::new(move |at| {
                let store = keeper.clone();
                Box::pin(async move { store.set_scheduler_instant(at).await })
            }),
            subject: Arc::new(move |user| {
                let store = people.clone();
                Box::pin(async move { subject(&store, user).await })
            }),
            ask: Arc::new(move |ask| {
                let hub = asker.upgrade();
                Box::pin(async move {
                    match hub {
                        Some(hub) => outcome(hub.ask(ask).await),
                        None => Outcome::NotNow("stopping".to_owned()),
                    }
                })
            }),
            is_recorded: Arc::new(move |command| {
                let store = rows.clone();
                Box::pin(async move { Ok(store.command(command).await?.is_some()) })
            }),
            finish: Arc::new(move |ids| {
                let scheduler = finisher.clone();
                Box::pin(async move { scheduler.finish(ids).await })
            }),
            running: Arc::clone(&inner.running),
            is_active: Arc::new(move |()| {
                let lock = guard.clone();
                Box::pin(async move {
                    match lock {
                        Some(lock) => {
                            let held = tokio::time::timeout(LOCK_MAX, lock.is_held()).await;
                            matches!(held, Ok(true))
                        }
                        None => true,
                    }
                })
            }),
            is_ready: Arc::new(move || services.broker_up.load(Ordering::SeqCst)),
        }
    }

    async fn load(&self) -> Result<Loaded, StoreError> {
        let store = &self.inner.store;
        let last_instant = store.scheduler_instant().await?;
        let (mut open, mut asked) = (Vec::new(), HashSet::new());
        for found in store.open_occurrences().await? {
            let recorded = found.actions.iter().filter(|(_, recorded)| *recorded);
            asked.extend(recorded.map(|(run, _)| run.command));
            let actions = found.actions.into_iter().map(|(run, _)| run).collect();
            open.push((found.occurrence, actions));
        }
        let since = last_instant.unwrap_or(Timestamp::from_millis(0));
        let decided = store.decided_after(since).await?;
        Ok(Loaded {
            schedules: self.inner.book.all(),
            open,
            asked,
            decided,
            last_instant,
        })
    }

    /// What an entity says, as conditions and simulations take it.
    pub(super) fn reading(&self, target: &EntityRef) -> Reading {
        let Some(device) = self.inner.services.house.device(&target.device) else {
            return Reading::Unknown;
        };
        let Some(entity) = device.entity(&target.entity) else {
            return Reading::Unknown;
        };
        match entity.availability {
            Availability::Offline | Availability::Unavailable => return Reading::Unavailable,
            Availability::Online | Availability::Unknown => {}
        }
        // What was so before the hub began may have changed since; nobody has said so again.
        let heard = entity.freshness != Freshness::Restored;
        let Some(value) = entity.state.clone().filter(|_| heard) else {
            return Reading::Unknown;
        };
        // What was before this hub began it did not see: the state may have changed and come back.
        let seen = |at: Timestamp| at.max(self.inner.began);
        Reading::Known {
            value,
            since: entity.changed_at.map(seen),
        }
    }
}

/// The home's zone and place, as schedules use them; UTC and no place until it is set up.
///
/// # Errors
/// Whatever the store says.
pub async fn read_schedule_home(store: &Store) -> Result<Home, HubError> {
    let Some(home) = store.home().await? else {
        return Ok(Home::utc());
    };
    let place = home.latitude.zip(home.longitude);
    let zone = iothome_engine::schedule::Zone::named(&home.zone);
    if zone.is_none() {
        tracing::error!(
            zone = home.zone,
            "the home's time zone is not known; schedules use UTC"
        );
    }
    Ok(Home {
        zone: zone.map_or(Home::utc().zone, |zone| zone.time_zone().clone()),
        place: place.and_then(|(north, east)| Place::new(north, east)),
    })
}

/// The user with their grants; `None` if they may not be here.
async fn subject(
    store: &Store,
    user: iothome_engine::ids::UserId,
) -> Result<Option<Subject>, StoreError> {
    let Some(user) = store.user(user).await?.filter(|u| !u.disabled) else {
        return Ok(None);
    };
    Ok(Some(Subject {
        user: user.id,
        name: user.name,
        role: user.role,
        grants: store.grants_of(user.id).await?,
    }))
}

fn outcome(asked: Result<crate::hub::Asked, AskError>) -> Outcome {
    match asked {
        Ok(_) => Outcome::Asked,
        Err(AskError::NoDevice) => Outcome::Refused("no_device".to_owned()),
        Err(AskError::Refused(refusal)) => match refusal {
            Refusal::TooManyInFlight(_) | Refusal::NotDurable(_) => {
                Outcome::NotNow(refusal.to_string())
            }
            Refusal::StateUnknown => Outcome::Refused("state_unknown".to_owned()),
            other => Outcome::Refused(other.to_string()),
        },
        // Its device has ended it; the row says so as soon as it can be written.
        Err(AskError::NotDurable { .. }) => Outcome::Refused("not_durable".to_owned()),
        Err(AskError::Stopping) => Outcome::NotNow("stopping".to_owned()),
        Err(other) => Outcome::Unknown(other.to_string()),
    }
}
