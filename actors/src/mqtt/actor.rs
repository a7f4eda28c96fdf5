//! The MQTT actor: keeps a connection to the broker and empties the outbox into it.
//!
//! Owner of connecting, back-off, subscriptions and of what is asked of the
//! client; nobody else publishes. It must never be on the way of a message from
//! the broker to a device.

use super::Shared;
use super::connection::{self, Line, Loss, PACKET_MAX};
use super::flight::Cargo;
use super::outbox::{Key, Parcel};
use super::taps::Taps;
use iothome_engine::backoff::Backoff;
use iothome_engine::time::Timestamp;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, PublishProperties};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;

/// First wait after a lost connection; doubles with each failure in a row.
const FIRST_WAIT_MS: u64 = 100;

/// Longest wait: commands wait five seconds for the broker, so a longer pause would
/// lose some that could have been sent.
const LONGEST_WAIT_MS: u64 = 4_000;

/// A connection that lived this long was a good one: the next loss waits little again.
const GOOD: Duration = Duration::from_secs(20);

/// Filters in one subscribe packet, and packets without answer: brokers take both easily,
/// and 10,000 devices are subscribed in a second or two.
const FILTERS_PER_PACKET: usize = 64;
const FILTER_BYTES_PER_PACKET: usize = 8 * 1024;
const SUBSCRIBES_UNDER_WAY: usize = 8;

/// Bytes of a publish packet besides topic and payload, generously.
const OVERHEAD: usize = 128;

pub(crate) enum MqttMessage {
    /// There is something to publish or to subscribe.
    Pump,
    /// Connect now.
    Connect(u64),
    /// The broker took the hub in.
    Opened {
        generation: u64,
        window: u16,
        max_packet: Option<u32>,
    },
    /// The broker answered a publication.
    Settled { generation: u64, key: Key },
    /// The client gave a publication back unsent.
    GivenBack { generation: u64, key: Key },
    /// The broker answered a subscription.
    Subscribed(u64),
    /// The connection ended.
    Lost(u64, Loss),
    /// Somebody looks at topics: start the task of that number, which listens to them.
    Tap(u64),
    /// Say goodbye and stay away.
    Stop(RpcReplyPort<()>),
}

pub(crate) struct MqttActor;

pub(crate) struct State {
    shared: Arc<Shared>,
    /// Counts connections; what an old one says is not heard.
    generation: u64,
    line: Option<OpenLine>,
    backoff: Backoff,
    packet_max: u32,
    /// The last reason that was logged: the same one again is no news.
    logged: Option<String>,
    stopping: Option<RpcReplyPort<()>>,
    stopped: bool,
    /// Listens for the test bench.
    tap: Option<AbortOnDrop>,
}

struct OpenLine {
    line: Line,
    _task: AbortOnDrop,
    since: Instant,
    up: bool,
    max_packet: Option<u32>,
    subscribes_under_way: usize,
    /// Whether `online` is still to be said, once everything is subscribed.
    birth_due: bool,
}

/// Ends the connection's task with its owner.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Actor for MqttActor {
    type Msg = MqttMessage;
    type State = State;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        me: ActorRef<Self::Msg>,
        shared: Arc<Shared>,
    ) -> Result<State, ActorProcessingErr> {
        // An actor before this one may have left things handed out.
        shared.outbox().lost();
        shared.actor_is(&me);
        let _ = me.cast(MqttMessage::Connect(0));
        Ok(State {
            shared,
            generation: 0,
            line: None,
            backoff: Backoff::new(FIRST_WAIT_MS, LONGEST_WAIT_MS),
            packet_max: PACKET_MAX,
            logged: None,
            stopping: None,
            stopped: false,
            tap: None,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            MqttMessage::Pump => {}
            MqttMessage::Connect(generation) => state.connect(&me, generation),
            MqttMessage::Opened {
                generation,
                window,
                max_packet,
            } => state.opened(generation, window, max_packet),
            MqttMessage::Settled { generation, key } => {
                if generation == state.generation {
                    state.shared.outbox().settled(key);
                }
            }
            MqttMessage::GivenBack { generation, key } => {
                if generation == state.generation {
                    state.shared.outbox().give_back(key);
                }
            }
            MqttMessage::Subscribed(generation) => state.subscribed(generation),
            MqttMessage::Lost(generation, loss) => state.lost(&me, generation, &loss),
            MqttMessage::Tap(task) => state.tap(task),
            MqttMessage::Stop(reply) => state.stop(reply),
        }
        state.pump();
        Ok(())
    }
}

impl State {
    fn connect(&mut self, me: &ActorRef<MqttMessage>, generation: u64) {
        if generation != self.generation || self.line.is_some() || self.stopped {
            return;
        }
        self.generation += 1;
        let (line, connection) =
            connection::prepare(&self.shared, me.clone(), self.generation, self.packet_max);
        let task = tokio::spawn(connection.run());
        let abort = AbortOnDrop(task.abort_handle());
        watch(task, me.clone(), self.generation);
        self.line = Some(OpenLine {
            line,
            _task: abort,
            since: Instant::now(),
            up: false,
            max_packet: None,
            subscribes_under_way: 0,
            birth_due: true,
        });
    }

    fn opened(&mut self, generation: u64, window: u16, max_packet: Option<u32>) {
        if generation != self.generation {
            return;
        }
        let Some(open) = &mut self.line else { return };
        open.up = true;
        open.since = Instant::now();
        open.max_packet = max_packet;
        self.shared.outbox().opened(usize::from(window));
        self.logged = None;
        let config = &self.shared.config;
        tracing::info!(host = %config.host, port = config.port, "connected to the broker");
    }

    fn subscribed(&mut self, generation: u64) {
        if let (Some(open), true) = (&mut self.line, generation == self.generation) {
            open.subscribes_under_way = open.subscribes_under_way.saturating_sub(1);
        }
    }

    fn lost(&mut self, me: &ActorRef<MqttMessage>, generation: u64, loss: &Loss) {
        if generation != self.generation {
            return;
        }
        let was_good = self
            .line
            .take()
            .is_some_and(|open| open.up && open.since.elapsed() >= GOOD);
        self.shared.outbox().lost();
        if was_good {
            self.backoff.reset();
        }
        self.log(loss);
        if let Some(reply) = self.stopping.take() {
            self.stopped = true;
            let _ = reply.send(());
        }
        if self.stopped {
            return;
        }
        if matches!(loss, Loss::TooLarge) {
            self.packet_max = connection::larger_limit(self.packet_max);
        }
        let wait_ms = self
            .backoff
            .next_ms(u32::from_le_bytes(crate::random::bytes()));
        me.send_after(Duration::from_millis(wait_ms), move || {
            MqttMessage::Connect(generation)
        });
    }

    fn log(&mut self, loss: &Loss) {
        let why = match loss {
            Loss::Goodbye => return,
            Loss::TooLarge => "the broker sent a packet larger than the hub takes".to_owned(),
            Loss::Failed(why) => why.clone(),
        };
        if self.logged.as_ref() != Some(&why) {
            let config = &self.shared.config;
            tracing::warn!(host = %config.host, port = config.port, %why, "no connection to the broker; trying again");
        }
        self.shared.failed(&why);
        self.logged = Some(why);
    }

    fn tap(&mut self, task: u64) {
        if self.stopped || self.stopping.is_some() {
            return;
        }
        let listening = tokio::spawn(Taps::listen(self.shared.clone(), task));
        self.tap = Some(AbortOnDrop(listening.abort_handle()));
    }

    fn stop(&mut self, reply: RpcReplyPort<()>) {
        self.tap = None;
        match &self.line {
            Some(open) if open.up => {
                connection::say(&open.line.client, &self.shared.status_topic, "offline");
                let asked = open.line.client.try_disconnect().is_ok();
                if asked {
                    self.stopping = Some(reply);
                    return;
                }
            }
            _ => {}
        }
        self.stopped = true;
        self.line = None;
        let _ = reply.send(());
    }

    /// Asks the client for as much as it may have: subscriptions first, so that no answer
    /// to a command is missed, then `online`, then publications.
    fn pump(&mut self) {
        let shared = self.shared.clone();
        let stopping = self.stopping.is_some();
        let Some(open) = self.line.as_mut().filter(|open| open.up && !stopping) else {
            return;
        };
        open.subscribe(&shared);
        if !shared.routes.is_settled() {
            return;
        }
        if std::mem::take(&mut open.birth_due) {
            connection::say(&open.line.client, &shared.status_topic, "online");
        }
        open.publish(&shared);
    }
}

impl OpenLine {
    fn subscribe(&mut self, shared: &Shared) {
        while self.subscribes_under_way < SUBSCRIBES_UNDER_WAY {
            let batch = shared.routes.next_batch(
                &shared.filters,
                FILTERS_PER_PACKET,
                FILTER_BYTES_PER_PACKET,
            );
            if batch.subscribe.is_empty() && batch.unsubscribe.is_empty() {
                return;
            }
            for topic in batch.unsubscribe {
                // The library unsubscribes one filter a packet. A subscription left over
                // costs a message that nobody reads, so a full queue loses nothing.
                if self.line.client.try_unsubscribe(&*topic).is_ok() {
                    self.subscribes_under_way += 1;
                }
            }
            if !batch.subscribe.is_empty() && !self.try_subscribe(&batch.subscribe) {
                shared.routes.put_back(batch.subscribe);
                return;
            }
        }
    }

    fn try_subscribe(&mut self, topics: &[Arc<str>]) -> bool {
        let filters = topics.iter().map(|t| Filter::new(&**t, QoS::AtLeastOnce));
        let mut flight = self.line.flight.lock();
        flight.asked_to_subscribe(topics.to_vec());
        if self.line.client.try_subscribe_many(filters).is_err() {
            flight.subscribe_not_taken();
            return false;
        }
        self.subscribes_under_way += 1;
        true
    }

    fn publish(&self, shared: &Shared) {
        loop {
            let now = shared.clock.now();
            let Some(parcel) = shared.outbox().next(now) else {
                return;
            };
            let key = parcel.key;
            if self.is_too_large(&parcel) {
                shared.outbox().settled(key);
                shared.refuse(&parcel, "it is larger than the broker takes");
            } else if !self.try_publish(parcel, now) {
                // The request queue is full: the next answer of the broker pumps again.
                shared.outbox().give_back(key);
                return;
            }
        }
    }

    /// The library ends the connection over a packet that the broker would not take.
    fn is_too_large(&self, parcel: &Parcel) -> bool {
        let size = parcel.topic.len() + parcel.payload.len() + OVERHEAD;
        self.max_packet
            .is_some_and(|max| size > usize::try_from(max).unwrap_or(usize::MAX))
    }

    fn try_publish(&self, parcel: Parcel, now: Timestamp) -> bool {
        let properties = properties(&parcel, now);
        // Locked over the asking, so that the order of both queues is the same.
        let mut flight = self.line.flight.lock();
        flight.asked(Cargo {
            key: parcel.key,
            device: parcel.device,
        });
        let asked = self.line.client.try_publish_with_properties(
            parcel.topic,
            QoS::AtLeastOnce,
            parcel.retain,
            parcel.payload,
            properties,
        );
        if asked.is_err() {
            flight.not_taken();
        }
        asked.is_ok()
    }
}

/// Expiry is the rest of the deadline rounded up: the broker drops what would come late.
fn properties(parcel: &Parcel, now: Timestamp) -> PublishProperties {
    let expiry = parcel.deadline_at.map(|deadline| {
        let rest_ms = deadline.millis_since(now).max(1);
        u32::try_from(rest_ms.saturating_add(999) / 1000).unwrap_or(u32::MAX)
    });
    let correlation = match parcel.key {
        Key::Command(id) => Some(id.to_string().into()),
        Key::Plain(_) => None,
    };
    PublishProperties {
        message_expiry_interval: expiry,
        correlation_data: correlation,
        ..PublishProperties::default()
    }
}

/// Tells the actor when the connection's task ends, by itself or by a panic.
fn watch(task: JoinHandle<Loss>, actor: ActorRef<MqttMessage>, generation: u64) {
    tokio::spawn(async move {
        let loss = match task.await {
            Ok(loss) => loss,
            Err(error) => Loss::Failed(error.to_string()),
        };
        let _ = actor.cast(MqttMessage::Lost(generation, loss));
    });
}
