//! The test bench's ear: what comes on a few topics, for somebody who looks.
//!
//! Owner of a connection of its own, so that a look changes nothing of what devices
//! are told: no replay, no second copy of a report. It listens only while somebody
//! looks, to a bounded number of topics, and keeps a bounded number of messages.

use super::Shared;
use super::connection::{self, PACKET_MAX};
use bytes::Bytes;
use iothome_engine::time::Timestamp;
use iothome_engine::topic::{matches, valid_filter};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish, SubscribeProperties, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, Event, EventLoop};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Filters listened to at once: a form has four topics, and half-typed ones linger.
const FILTERS_MAX: usize = 16;

/// Filters of one look: every topic of an entity, and one more.
pub(crate) const FILTERS_OF_A_LOOK: usize = 8;

/// Messages kept of one filter.
const MESSAGES_KEPT: usize = 20;

/// Bytes kept of a payload; with the numbers above that is 2.5 MiB at the most.
const PAYLOAD_KEPT: usize = 8 * 1024;

/// How long a filter is listened to after the last look: a person without script needs that
/// long between two looks.
const LINGER: Duration = Duration::from_secs(60);

/// How long a first look waits for what the broker keeps on the topic.
const FIRST_LOOK: Duration = Duration::from_millis(1_500);

/// After the broker's answer, how long retained messages may take; they come right behind it.
const REPLAY: Duration = Duration::from_millis(150);

/// How long the actor may take to start the task.
const START_MAX: Duration = Duration::from_secs(5);

/// Pause between two attempts to connect.
const RETRY: Duration = Duration::from_secs(1);

/// How often filters that nobody looks at are given up.
const TICK: Duration = Duration::from_secs(1);

/// Requests that wait in the client: each filter is subscribed and given up once.
const REQUESTS: usize = 4 * FILTERS_MAX;

/// A message that came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overheard {
    /// Its topic.
    pub topic: String,
    /// Its payload, cut if it is long.
    pub payload: Bytes,
    /// Bytes of the whole payload.
    pub size: usize,
    /// Whether the broker had kept it.
    pub retained: bool,
    /// When it came.
    pub received_at: Timestamp,
}

impl Overheard {
    /// Whether all of the payload is there.
    pub const fn is_whole(&self) -> bool {
        self.payload.len() == self.size
    }
}

/// What was heard on the topics that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tapped {
    /// Whether the bench has its connection to the broker.
    pub connected: bool,
    /// Filters that the broker does not let the hub listen to.
    pub refused: Vec<String>,
    /// The newest messages, the newest first.
    pub messages: Vec<Overheard>,
    /// How many came since somebody looks, also those that are not kept.
    pub seen: u64,
}

/// Why a filter cannot be listened to.
pub(crate) fn check(filter: &str) -> Result<(), String> {
    valid_filter(filter).map_err(|error| format!("is no topic: {error}"))?;
    if filter.starts_with(['+', '#']) {
        return Err("must begin with a level that is no wildcard, such as esp8266/#".to_owned());
    }
    if filter.starts_with('$') {
        return Err("must not begin with $: those topics are the broker's own".to_owned());
    }
    Ok(())
}

/// The filters that somebody looks at, and what came on them.
#[derive(Default)]
pub(crate) struct Taps {
    book: Mutex<Book>,
    changed: Notify,
}

#[derive(Default)]
struct Book {
    taps: Vec<Tap>,
    /// Given-up filters whose subscription is still to be ended.
    leaving: Vec<Arc<str>>,
    /// Subscription identifier of the next filter.
    next: usize,
    /// The task that listens; 0 if there is none.
    task: u64,
    tasks: u64,
    /// When it was asked for, until it runs: an actor that fails meanwhile forgets it.
    starting: Option<Instant>,
    /// Filters asked of the broker, in the order in which it answers.
    asked: VecDeque<usize>,
    connected: bool,
}

struct Tap {
    id: usize,
    filter: Arc<str>,
    looked: Instant,
    stage: Stage,
    kept: VecDeque<(u64, Overheard)>,
    seen: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Due,
    Asked,
    Open,
    Refused,
}

impl Taps {
    /// Notes that somebody looks. Answers the number of a task to be started, if there is none.
    pub(crate) fn look(&self, filters: &[String]) -> Option<u64> {
        let now = Instant::now();
        let mut book = self.book();
        for filter in filters.iter().take(FILTERS_OF_A_LOOK) {
            book.look(filter, now);
        }
        self.changed.notify_one();
        let forgotten = book.starting.is_some_and(|at| now - at > START_MAX);
        if (book.task != 0 && !forgotten) || book.taps.is_empty() {
            return None;
        }
        book.tasks += 1;
        book.task = book.tasks;
        book.starting = Some(now);
        Some(book.task)
    }

    /// What was heard on these filters; what matches two of them is told once.
    pub(crate) fn heard(&self, filters: &[String]) -> Tapped {
        let book = self.book();
        let asked: Vec<&Tap> = book
            .taps
            .iter()
            .filter(|tap| filters.iter().any(|f| **f == *tap.filter))
            .collect();
        let mut messages: Vec<&(u64, Overheard)> = Vec::new();
        for (n, tap) in asked.iter().enumerate() {
            let told = |topic: &str| asked[..n].iter().any(|t| matches(&t.filter, topic));
            messages.extend(tap.kept.iter().filter(|(_, m)| !told(&m.topic)));
        }
        messages.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        let refused = asked.iter().filter(|tap| tap.stage == Stage::Refused);
        Tapped {
            connected: book.connected,
            refused: refused.map(|tap| tap.filter.to_string()).collect(),
            messages: messages
                .into_iter()
                .take(MESSAGES_KEPT)
                .map(|(_, message)| message.clone())
                .collect(),
            seen: asked.iter().map(|tap| tap.seen).sum(),
        }
    }

    /// Waits until the broker has answered for these filters and what it keeps is here; not long.
    pub(crate) async fn settle(&self, filters: &[String]) {
        let answered = async {
            while !self.book().is_answered(filters) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(REPLAY).await;
        };
        // In vain while the broker is away: the page says so.
        let _ = tokio::time::timeout(FIRST_LOOK, answered).await;
    }

    /// The task could not be started.
    pub(crate) fn not_started(&self, task: u64) {
        let mut book = self.book();
        if book.task == task {
            book.task = 0;
            book.starting = None;
        }
    }

    /// Whether every one of these filters was listened to before.
    pub(crate) fn knows(&self, filters: &[String]) -> bool {
        self.book().is_answered(filters)
    }

    /// Filters that are listened to now.
    pub(crate) fn count(&self) -> usize {
        self.book().taps.len()
    }

    /// Listens until nobody looks any more.
    pub(super) async fn listen(shared: Arc<Shared>, task: u64) {
        let _end = End(shared.clone(), task);
        shared.taps.book().started(task);
        loop {
            let mut options = connection::options(&shared.config, PACKET_MAX);
            let client_id = format!("{}-bench", shared.config.client_id);
            options.set_client_id(client_id).set_clean_start(true);
            let (client, events) = AsyncClient::new(options, REQUESTS);
            tokio::select! {
                () = shared.taps.hear(events, &shared) => {}
                () = shared.taps.mind(&client, task) => return,
            }
            shared.taps.book().lost();
            tokio::time::sleep(RETRY).await;
            if !shared.taps.book().goes_on(task) {
                return;
            }
        }
    }

    /// Reads until the connection ends.
    async fn hear(&self, mut events: EventLoop, shared: &Shared) {
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    self.book().connected = true;
                    self.changed.notify_one();
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    self.book().note(&publish, shared.clock.now());
                }
                Ok(Event::Incoming(Packet::SubAck(ack))) => {
                    let good = ack
                        .return_codes
                        .iter()
                        .all(|code| matches!(code, SubscribeReasonCode::Success(_)));
                    self.book().answered(good);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "the test bench lost its connection");
                    return;
                }
            }
        }
    }

    /// Subscribes what is due and gives up what nobody looks at; ends with the last filter.
    async fn mind(&self, client: &AsyncClient, task: u64) {
        loop {
            // In vain after the tick: nobody may have looked meanwhile.
            let _ = tokio::time::timeout(TICK, self.changed.notified()).await;
            let mut book = self.book();
            book.expire(Instant::now());
            if !book.goes_on(task) {
                // Let the broker know at once; if the queue is full, the closed socket tells it.
                let _ = client.try_disconnect();
                return;
            }
            if book.connected {
                book.subscribe(client);
            }
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Every change of the book is whole before the lock is given back.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes that the task has ended, however it ended: the next look starts another.
struct End(Arc<Shared>, u64);

impl Drop for End {
    fn drop(&mut self) {
        let mut book = self.0.taps.book();
        if book.task == self.1 {
            book.task = 0;
            book.lost();
        }
    }
}

impl Book {
    fn look(&mut self, filter: &str, now: Instant) {
        if let Some(tap) = self.taps.iter_mut().find(|tap| *tap.filter == *filter) {
            tap.looked = now;
            return;
        }
        if self.taps.len() >= FILTERS_MAX {
            let oldest = (0..self.taps.len()).min_by_key(|n| self.taps[*n].looked);
            let gone = self.taps.remove(oldest.unwrap_or_default());
            self.leave(gone);
        }
        self.next += 1;
        self.leaving.retain(|leaving| **leaving != *filter);
        self.taps.push(Tap {
            id: self.next,
            filter: filter.into(),
            looked: now,
            stage: Stage::Due,
            kept: VecDeque::new(),
            seen: 0,
        });
    }

    fn started(&mut self, task: u64) {
        if self.task == task {
            self.starting = None;
        }
    }

    fn leave(&mut self, gone: Tap) {
        if self.connected && matches!(gone.stage, Stage::Asked | Stage::Open) {
            self.leaving.push(gone.filter);
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(n) = self
            .taps
            .iter()
            .position(|tap| now.duration_since(tap.looked) >= LINGER)
        {
            let gone = self.taps.remove(n);
            self.leave(gone);
        }
    }

    /// Whether this task is to listen on. If not, no other call may believe that it does.
    fn goes_on(&mut self, task: u64) -> bool {
        if self.task != task {
            return false;
        }
        if self.taps.is_empty() {
            self.task = 0;
            self.lost();
            return false;
        }
        true
    }

    fn lost(&mut self) {
        self.connected = false;
        self.leaving.clear();
        self.asked.clear();
        for tap in &mut self.taps {
            tap.stage = Stage::Due;
        }
    }

    /// One packet for each filter: the broker's answers come in the same order.
    fn subscribe(&mut self, client: &AsyncClient) {
        for filter in std::mem::take(&mut self.leaving) {
            // A subscription left over costs a message that nobody reads.
            let _ = client.try_unsubscribe(&*filter);
        }
        for tap in self.taps.iter_mut().filter(|t| t.stage == Stage::Due) {
            let properties = SubscribeProperties {
                id: Some(tap.id),
                user_properties: Vec::new(),
            };
            let qos = QoS::AtMostOnce;
            let asked = client.try_subscribe_with_properties(&*tap.filter, qos, properties);
            if asked.is_err() {
                return;
            }
            tap.stage = Stage::Asked;
            self.asked.push_back(tap.id);
        }
    }

    fn answered(&mut self, good: bool) {
        let stage = if good { Stage::Open } else { Stage::Refused };
        let id = self.asked.pop_front();
        if let Some(tap) = self.taps.iter_mut().find(|tap| Some(tap.id) == id) {
            tap.stage = stage;
        }
    }

    fn is_answered(&self, filters: &[String]) -> bool {
        filters.iter().all(|filter| {
            let tap = self.taps.iter().find(|tap| *tap.filter == **filter);
            tap.is_some_and(|tap| matches!(tap.stage, Stage::Open | Stage::Refused))
        })
    }

    /// Keeps a message for the filters it came for.
    fn note(&mut self, publish: &Publish, now: Timestamp) {
        let Ok(topic) = std::str::from_utf8(&publish.topic) else {
            return;
        };
        let ids = publish.properties.as_ref();
        let ids = ids.map_or(&[][..], |p| &p.subscription_identifiers);
        let size = publish.payload.len();
        let message = Overheard {
            topic: topic.to_owned(),
            // Copied, not sliced: a slice would hold the whole read buffer.
            payload: Bytes::copy_from_slice(&publish.payload[..size.min(PAYLOAD_KEPT)]),
            size,
            retained: publish.retain,
            received_at: now,
        };
        self.next += 1;
        let number = self.next as u64;
        for tap in &mut self.taps {
            // A broker that names no subscription has sent one copy for all of them.
            let is_for = if ids.is_empty() {
                matches(&tap.filter, topic)
            } else {
                ids.contains(&tap.id)
            };
            if is_for {
                tap.keep(number, message.clone());
            }
        }
    }
}

impl Tap {
    fn keep(&mut self, number: u64, message: Overheard) {
        self.seen += 1;
        if self.kept.len() >= MESSAGES_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((number, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(list: &[&str]) -> Vec<String> {
        list.iter().map(|f| (*f).to_owned()).collect()
    }

    #[test]
    fn nobody_listens_to_everything_or_to_the_broker_itself() {
        for filter in ["", "#", "+/state", "$SYS/#", "$share/a/b", "a#", "a/\0"] {
            assert!(check(filter).is_err(), "{filter:?}");
        }
        for filter in ["esp8266/socket", "esp8266/#", "tele/+/LWT"] {
            assert_eq!(check(filter), Ok(()), "{filter}");
        }
    }

    #[test]
    fn what_nobody_looks_at_is_given_up_and_the_task_ends_with_the_last() {
        let taps = Taps::default();
        let task = taps
            .look(&filters(&["a"]))
            .expect("the first look starts it");
        assert_eq!(taps.look(&filters(&["b"])), None, "one task is enough");
        let mut book = taps.book();
        let now = Instant::now();
        book.look("b", now + LINGER);
        book.expire(now + LINGER);
        assert_eq!(book.taps.len(), 1);
        assert!(book.goes_on(task));
        book.expire(now + LINGER + LINGER);
        assert!(!book.goes_on(task) && book.task == 0);
        drop(book);
        assert_ne!(
            taps.look(&filters(&["a"])),
            None,
            "the next look starts it again"
        );
    }

    #[test]
    fn a_task_that_was_never_started_is_started_by_a_later_look() {
        let taps = Taps::default();
        taps.look(&filters(&["a"])).expect("a task");
        taps.book().starting = Instant::now().checked_sub(START_MAX + START_MAX);
        assert_eq!(taps.look(&filters(&["a"])), Some(2));
    }
}
