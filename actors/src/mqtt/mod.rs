//! The hub's end of MQTT: publishes commands, delivers reports, knows whether the broker is there.
//!
//! Owner of everything that talks to the broker. It must never interpret a
//! payload: that is the device's business.

mod actor;
mod connection;
mod counts;
mod flight;
mod outbox;
mod routes;
mod taps;
#[cfg(test)]
mod tests;

pub(crate) use connection::options as plain_options;
pub(crate) use outbox::MOST as OUTBOX_MAX;
pub(crate) use routes::Routes;
pub(crate) use taps::{FILTERS_OF_A_LOOK, check as check_tap};
pub use taps::{Overheard, Tapped};

use crate::Clock;
use crate::keeper::{self, KeeperMessage, Kept};
use actor::{MqttActor, MqttMessage};
use bytes::Bytes;
use counts::Counts;
use iothome_engine::device::Outgoing;
use iothome_engine::discovery::filters;
use iothome_engine::ids::{CommandId, DeviceId};
use iothome_engine::time::Timestamp;
use outbox::{Key, Outbox, Parcel};
use ractor::{Actor, ActorCell, ActorRef, SpawnErr, call_t};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use taps::Taps;

/// Time for `offline` and DISCONNECT to leave; after that the connection is cut.
const GOODBYE_MS: u64 = 1_000;

/// How long a test payload may wait for the broker: whoever sent it looks at what it does.
const TEST_MS: i64 = 5_000;

/// How to reach the broker.
#[derive(Clone)]
pub struct MqttConfig {
    /// Host name or address.
    pub host: String,
    /// TCP port; always TLS.
    pub port: u16,
    /// The hub's user at the broker.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// How the broker's certificate is verified.
    pub tls: Arc<rustls::ClientConfig>,
    /// Unique per installation: a second client of this name throws the first out.
    pub client_id: String,
    /// Seconds between pings; at least 5.
    pub keep_alive_s: u64,
}

impl fmt::Debug for MqttConfig {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("username", &self.username)
            .field("client_id", &self.client_id)
            .field("keep_alive_s", &self.keep_alive_s)
            .finish_non_exhaustive()
    }
}

/// What the MQTT side tells the house. Callbacks run on the connection's task and must not block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MqttEvent {
    /// The broker is there; everything is being subscribed again.
    Up,
    /// The broker is away.
    Down,
    /// The command was written to the broker's socket; what was received before this instant
    /// is no answer to it.
    Sent {
        device: DeviceId,
        command: CommandId,
        at: Timestamp,
    },
    /// The broker has it.
    Acknowledged {
        device: DeviceId,
        command: CommandId,
    },
    /// The broker does not want it.
    Refused {
        device: DeviceId,
        command: CommandId,
        reason: String,
    },
}

/// Takes what is announced: topic, payload, whether it is a replay.
pub(crate) type OnDiscovery = Arc<dyn Fn(&str, Bytes, bool) + Send + Sync>;

/// Takes events in the order in which they happened.
pub(crate) type OnEvent = Arc<dyn Fn(MqttEvent) + Send + Sync>;

/// Everything the MQTT side needs to start.
pub(crate) struct MqttSetup {
    pub(crate) config: MqttConfig,
    /// Where devices announce themselves; `None` to listen to nobody.
    pub(crate) discovery_prefix: Option<String>,
    /// `<this>/status` says whether the hub is there.
    pub(crate) status_prefix: String,
    pub(crate) routes: Arc<Routes>,
    pub(crate) discovery: OnDiscovery,
    pub(crate) events: OnEvent,
}

/// The connection as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MqttStatus {
    pub(crate) connected: bool,
    /// Since when it is connected, or not.
    pub(crate) since: Timestamp,
    /// Why the last connection ended or could not be made; `None` while connected.
    pub(crate) problem: Option<String>,
    /// Publications not acknowledged.
    pub(crate) outbox: usize,
    /// Messages received.
    pub(crate) received: u64,
    /// Messages dropped: too large, of an unknown topic, with a topic that is no text.
    pub(crate) dropped: u64,
    /// Subscriptions that the broker refused.
    pub(crate) refused_subscriptions: u64,
    /// Messages sent.
    pub(crate) sent: u64,
    /// Messages received a second, over the last minute.
    pub(crate) received_per_second: f64,
    /// Messages sent a second, over the last minute.
    pub(crate) sent_per_second: f64,
}

/// What the handle, the actor and the connection share. It outlives each of them.
pub(crate) struct Shared {
    config: MqttConfig,
    status_topic: String,
    discovery_prefix: Option<String>,
    /// Filters that are always subscribed.
    filters: Vec<Arc<str>>,
    routes: Arc<Routes>,
    discovery: OnDiscovery,
    events: OnEvent,
    clock: Clock,
    outbox: Mutex<Outbox>,
    actor: Mutex<Option<ActorRef<MqttMessage>>>,
    link: Mutex<Link>,
    counts: Counts,
    taps: Taps,
}

#[derive(Default)]
struct Link {
    connected: bool,
    since: Timestamp,
    problem: Option<String>,
}

/// Handle of the MQTT side; clones share it.
#[derive(Clone)]
pub(crate) struct Mqtt {
    shared: Arc<Shared>,
    keeper: ActorRef<KeeperMessage>,
    plain: Arc<AtomicU64>,
}

impl Mqtt {
    /// Starts it under `supervisor`; it connects by itself, now and ever again.
    pub(crate) async fn start(
        setup: MqttSetup,
        clock: Clock,
        supervisor: ActorCell,
    ) -> Result<Self, SpawnErr> {
        let shared = Arc::new(Shared::new(setup, clock));
        let child = shared.clone();
        let spawn: keeper::Spawn = Box::new(move |keeper| {
            let shared = child.clone();
            Box::pin(async move {
                let (actor, _) = Actor::spawn_linked(None, MqttActor, shared, keeper).await?;
                Ok(actor.get_cell())
            })
        });
        let kept = Kept {
            name: "mqtt",
            spawn,
        };
        let keeper = keeper::keep(supervisor, kept).await?;
        let waker = Arc::downgrade(&shared);
        shared.routes.on_change(move || {
            if let Some(shared) = waker.upgrade() {
                shared.pump();
            }
        });
        Ok(Self {
            shared,
            keeper,
            plain: Arc::default(),
        })
    }

    /// Publishes a command: quality 1, not retained, not after its deadline. The events
    /// tell how it went; if the deadline passes first, they tell nothing.
    pub(crate) fn publish(&self, outgoing: Outgoing, device: DeviceId) {
        let parcel = Parcel {
            key: Key::Command(outgoing.command),
            device: Some(device),
            topic: outgoing.topic,
            payload: outgoing.payload.into(),
            retain: false,
            deadline_at: Some(outgoing.deadline_at),
            once: outgoing.at_most_once,
        };
        self.shared.put(&parcel);
    }

    /// Takes a command back, if it has not left yet.
    pub(crate) fn unpublish(&self, command: CommandId) {
        self.shared.outbox().remove(Key::Command(command));
    }

    /// Makes the broker forget what it keeps on the topic.
    pub(crate) fn clear_retained(&self, topic: &str) {
        self.publish_plain(topic, Bytes::new(), true);
    }

    /// Publishes a message of the hub itself; it waits for the broker if need be.
    pub(crate) fn publish_plain(&self, topic: &str, payload: Bytes, retain: bool) {
        let number = self.plain.fetch_add(1, Ordering::Relaxed);
        self.shared.put(&Parcel {
            key: Key::Plain(number),
            device: None,
            topic: topic.to_owned(),
            payload,
            retain,
            deadline_at: None,
            once: false,
        });
    }

    /// Publishes what somebody wants to try: once, not retained, now or not at all.
    pub(crate) fn publish_test(&self, topic: &str, payload: Bytes) {
        let number = self.plain.fetch_add(1, Ordering::Relaxed);
        self.shared.put(&Parcel {
            key: Key::Plain(number),
            device: None,
            topic: topic.to_owned(),
            payload,
            retain: false,
            deadline_at: Some(self.shared.clock.now().plus_millis(TEST_MS)),
            once: true,
        });
    }

    /// What comes on these filters. The first look waits a moment for what the broker keeps.
    pub(crate) async fn tap(&self, filters: &[String]) -> Tapped {
        let taps = &self.shared.taps;
        let first = !taps.knows(filters);
        if let Some(task) = taps.look(filters) {
            let actor = self.shared.actor().clone();
            let started = actor.is_some_and(|a| a.cast(MqttMessage::Tap(task)).is_ok());
            if !started {
                // It is being restarted: the next look starts the task.
                taps.not_started(task);
            }
        }
        if first {
            taps.settle(filters).await;
        }
        taps.heard(filters)
    }

    /// How many filters the test bench listens to.
    pub(crate) fn tapped(&self) -> usize {
        self.shared.taps.count()
    }

    /// How it goes.
    pub(crate) fn status(&self) -> MqttStatus {
        let outbox = self.shared.outbox().len();
        let (received_per_second, sent_per_second) = self.shared.counts.rates();
        let link = self.shared.link();
        MqttStatus {
            connected: link.connected,
            since: link.since,
            problem: link.problem.clone(),
            outbox,
            received: self.shared.counts.total_received(),
            dropped: self.shared.counts.total_dropped(),
            refused_subscriptions: self.shared.counts.total_refused(),
            sent: self.shared.counts.total_sent(),
            received_per_second,
            sent_per_second,
        }
    }

    /// Says goodbye to the broker and ends; at most a second.
    pub(crate) async fn stop(&self) {
        let actor = self.shared.actor().clone();
        let heard = match actor {
            Some(actor) => call_t!(actor, MqttMessage::Stop, GOODBYE_MS).is_ok(),
            None => false,
        };
        if !heard {
            tracing::warn!("the broker did not hear the hub's goodbye");
        }
        self.keeper.stop(None);
    }
}

impl Shared {
    fn new(setup: MqttSetup, clock: Clock) -> Self {
        let filters = setup.discovery_prefix.iter().flat_map(|p| filters(p));
        let link = Link {
            since: clock.now(),
            ..Link::default()
        };
        Self {
            status_topic: format!("{}/status", setup.status_prefix),
            filters: filters.map(Arc::from).collect(),
            discovery_prefix: setup.discovery_prefix,
            config: setup.config,
            routes: setup.routes,
            discovery: setup.discovery,
            events: setup.events,
            clock,
            outbox: Mutex::default(),
            actor: Mutex::default(),
            link: Mutex::new(link),
            counts: Counts::default(),
            taps: Taps::default(),
        }
    }

    fn put(&self, parcel: &Parcel) {
        if !is_topic(&parcel.topic) {
            return self.refuse(parcel, "its topic is not one that can be published to");
        }
        if self.outbox().put(parcel.clone()).is_err() {
            return self.refuse(parcel, "too much waits for the broker");
        }
        self.pump();
    }

    /// Tells the sender that a parcel will never leave.
    fn refuse(&self, parcel: &Parcel, why: &str) {
        tracing::warn!(topic = %parcel.topic, why, "a message cannot be published");
        if let (Key::Command(command), Some(device)) = (parcel.key, &parcel.device) {
            (self.events)(MqttEvent::Refused {
                device: device.clone(),
                command,
                reason: iothome_engine::command::reason::BROKER_REFUSED.to_owned(),
            });
        }
    }

    fn pump(&self) {
        if let Some(actor) = self.actor().as_ref() {
            // If it is being restarted, the new one pumps when it is connected.
            let _ = actor.cast(MqttMessage::Pump);
        }
    }

    fn is_discovery(&self, topic: &str) -> bool {
        let rest = self
            .discovery_prefix
            .as_ref()
            .and_then(|prefix| topic.strip_prefix(prefix.as_str()));
        rest.is_some_and(|rest| rest.starts_with('/') && rest.ends_with("/config"))
    }

    fn went_up(&self) {
        *self.link() = Link {
            connected: true,
            since: self.clock.now(),
            problem: None,
        };
    }

    fn went_down(&self) {
        *self.link() = Link {
            connected: false,
            since: self.clock.now(),
            problem: None,
        };
    }

    fn failed(&self, why: &str) {
        self.link().problem = Some(why.to_owned());
    }

    fn actor_is(&self, actor: &ActorRef<MqttMessage>) {
        *self.actor() = Some(actor.clone());
    }

    // Each of the locks below is held for one step that cannot panic half-way.

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn actor(&self) -> MutexGuard<'_, Option<ActorRef<MqttMessage>>> {
        self.actor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A topic name that MQTT can carry (MQTT 5, section 4.7).
fn is_topic(topic: &str) -> bool {
    !topic.is_empty() && topic.len() <= usize::from(u16::MAX) && !topic.contains(['+', '#', '\0'])
}
