//! Live streams: numbered changes, resumption, keep-alive, end with the session.
//!
//! Owner of what `/live` and `/api/v1/events` share. What an event says is the
//! caller's (a closure from changes to frames); whether the reader may see it is
//! asked of the session's current subject. A slow reader is told to resync and
//! holds nothing up: the ring is bounded and the body is only polled when the
//! socket takes more.

use crate::app::App;
use crate::auth::CurrentUser;
use crate::problem::Answer;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use iothome_actors::{Change, StreamTicket};
use iothome_engine::policy::Subject;
use iothome_views::links;
use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError, error::TryRecvError};
use tokio_util::sync::CancellationToken;

/// Changes kept for readers that come back: a page that was away for some
/// seconds in a busy house. More would be slower than loading the page again.
const RING: usize = 1_024;
/// Proxies cut idle streams after 60 s; a dead reader is noticed at the next write.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How often grants are looked at: a lost grant must show within a second.
const LOOK: Duration = Duration::from_millis(400);
/// After a batch the stream waits this long, so that a device that reports a
/// thousand times a second costs each reader at most twenty batches.
const BREATH: Duration = Duration::from_millis(50);
/// Changes taken in one batch.
const BATCH: usize = 256;
/// Browsers come back after about this long; the hub's pages add jitter.
const RETRY_MS: u32 = 2_000;

/// A change with its number in this run of the hub.
#[derive(Clone)]
struct Numbered {
    n: u64,
    /// `None` where the feed itself lost changes: readers must resync.
    change: Option<Change>,
}

struct Ring {
    last: u64,
    recent: VecDeque<Numbered>,
}

/// All changes of the house, numbered once for all streams.
pub(crate) struct Feed {
    boot: String,
    ring: Mutex<Ring>,
    sender: Sender<Numbered>,
    stopping: CancellationToken,
}

/// How a reader begins.
enum Start {
    /// New here: it has just loaded everything.
    Fresh(u64),
    /// It missed these.
    Replay(u64, Vec<Numbered>),
    /// What it missed is no longer known.
    Resync(u64),
}

impl Feed {
    /// Numbers the changes from now on.
    pub(crate) fn start(changes: Receiver<Change>, boot: &str) -> Arc<Self> {
        let feed = Arc::new(Self::new(boot));
        tokio::spawn(pump(Arc::clone(&feed), changes));
        feed
    }

    fn new(boot: &str) -> Self {
        Self {
            boot: boot.to_owned(),
            ring: Mutex::new(Ring {
                last: 0,
                recent: VecDeque::new(),
            }),
            sender: broadcast::channel(RING).0,
            stopping: CancellationToken::new(),
        }
    }

    /// The place in the stream now, for a page to go on from (`/live?after=`).
    pub(crate) fn place(&self) -> String {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{}-{}", self.boot, ring.last)
    }

    /// Rights have changed: who was away meanwhile must resync, since the ring
    /// does not tell what they may see now and might not before.
    pub(crate) fn forget(&self) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.last += 1;
        ring.recent.clear();
    }

    /// Ends all streams.
    pub(crate) fn stop(&self) {
        self.stopping.cancel();
    }

    fn push(&self, change: Option<Change>) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.last += 1;
        let numbered = Numbered {
            n: ring.last,
            change,
        };
        if numbered.change.is_none() {
            ring.recent.clear();
        } else {
            if ring.recent.len() == RING {
                ring.recent.pop_front();
            }
            ring.recent.push_back(numbered.clone());
        }
        // Nobody listening is fine.
        let _ = self.sender.send(numbered);
    }

    /// Subscribes; nothing falls between the replay and the receiver.
    fn follow(&self, last_event_id: Option<&str>) -> (Start, Receiver<Numbered>) {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.sender.subscribe();
        let Some(id) = last_event_id else {
            return (Start::Fresh(ring.last), receiver);
        };
        let seen = self.number_of(id).filter(|n| *n <= ring.last);
        let oldest = ring.recent.front().map_or(ring.last + 1, |c| c.n);
        let start = match seen {
            Some(n) if n + 1 >= oldest => {
                let missed = ring.recent.iter().filter(|c| c.n > n);
                Start::Replay(ring.last, missed.cloned().collect())
            }
            _ => Start::Resync(ring.last),
        };
        (start, receiver)
    }

    fn number_of(&self, id: &str) -> Option<u64> {
        let (boot, n) = id.rsplit_once('-')?;
        (boot == self.boot).then(|| n.parse().ok())?
    }
}

async fn pump(feed: Arc<Feed>, mut changes: Receiver<Change>) {
    loop {
        let change = tokio::select! {
            () = feed.stopping.cancelled() => return,
            change = changes.recv() => change,
        };
        match change {
            Ok(change) => feed.push(Some(change)),
            Err(RecvError::Lagged(_)) => feed.push(None),
            Err(RecvError::Closed) => return,
        }
    }
}

/// What the caller's closure is told.
pub(crate) enum Signal {
    /// The stream begins: take the house as it is now as known to the reader.
    Started,
    /// These changed, each device at most once, in order.
    Changed(Vec<Change>),
    /// These changed while the reader was away: what it knows of those devices is old.
    Missed(Vec<Change>),
    /// The reader's rights changed: what it may see must be worked out anew.
    Rights,
    /// The reader is being told to load everything anew: forget what it knew.
    Resync,
}

/// One event of the stream.
pub(crate) struct Frame {
    /// The event's name.
    pub(crate) event: &'static str,
    /// Its data, of any number of lines.
    pub(crate) data: String,
}

impl Frame {
    fn write(&self, out: &mut String, id: &str) {
        out.push_str("event: ");
        out.push_str(self.event);
        for line in self.data.lines() {
            out.push_str("\ndata: ");
            out.push_str(line);
        }
        out.push_str("\nid: ");
        out.push_str(id);
        out.push_str("\n\n");
    }
}

/// Answers with a stream that lasts as long as the session.
///
/// `tell` turns signals into frames for this reader, given its subject as it is
/// at that moment. It runs on the worker: it must not block.
pub(crate) async fn respond<T>(
    app: &web::Data<App>,
    request: &HttpRequest,
    user: &CurrentUser,
    tell: T,
) -> Answer
where
    T: FnMut(&Signal, &Subject) -> Vec<Frame> + 'static,
{
    let ticket = app.hub.sessions().open_stream(user.session).await?;
    let (start, receiver) = app.feed.follow(place_of(request));
    let reader = Reader {
        feed: Arc::clone(&app.feed),
        subject: ticket.subject.load_full(),
        ticket,
        receiver,
        tell,
        start: Some(start),
        last: 0,
        rest: false,
        beats: request.path() == links::LIVE,
    };
    let body = stream::unfold(reader, |mut reader| async move {
        let text = reader.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), reader))
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Nginx would hold events back.
        .insert_header(("x-accel-buffering", "no"))
        // Compression would hold them back, too.
        .insert_header(ContentEncoding::Identity)
        .streaming(body))
}

/// `Last-Event-ID` of a reader that comes back, else `?after=` of a page that begins.
fn place_of(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get("last-event-id");
    header.and_then(|value| value.to_str().ok()).or_else(|| {
        let mut pairs = request.query_string().split('&');
        pairs.find_map(|pair| pair.strip_prefix("after="))
    })
}

struct Reader<T> {
    feed: Arc<Feed>,
    ticket: StreamTicket,
    subject: Arc<Subject>,
    receiver: Receiver<Numbered>,
    tell: T,
    start: Option<Start>,
    last: u64,
    rest: bool,
    /// Scripts do not see comments: pages are told a beat, so that they notice a dead connection.
    beats: bool,
}

/// What woke the reader.
enum Woken {
    Ended,
    Received(Result<Numbered, RecvError>),
    Look,
    KeepAlive,
}

impl<T: FnMut(&Signal, &Subject) -> Vec<Frame>> Reader<T> {
    /// The next piece of the body; `None` ends it.
    async fn next(&mut self) -> Option<String> {
        if let Some(start) = self.start.take() {
            return Some(self.begin(start));
        }
        if std::mem::take(&mut self.rest) {
            tokio::select! {
                () = self.ticket.ended.cancelled() => return None,
                () = self.feed.stopping.cancelled() => return None,
                () = tokio::time::sleep(BREATH) => {}
            }
        }
        let keep_alive = tokio::time::sleep(KEEP_ALIVE);
        tokio::pin!(keep_alive);
        loop {
            let woken = tokio::select! {
                biased;
                () = self.ticket.ended.cancelled() => Woken::Ended,
                () = self.feed.stopping.cancelled() => Woken::Ended,
                () = &mut keep_alive => Woken::KeepAlive,
                received = self.receiver.recv() => Woken::Received(received),
                () = tokio::time::sleep(LOOK) => Woken::Look,
            };
            let text = match woken {
                Woken::Ended | Woken::Received(Err(RecvError::Closed)) => return None,
                Woken::KeepAlive if self.beats => "event: beat\ndata: {}\n\n".to_owned(),
                Woken::KeepAlive => ": keep-alive\n\n".to_owned(),
                Woken::Look => self.rights(),
                Woken::Received(Err(RecvError::Lagged(_))) => self.resync(),
                Woken::Received(Ok(first)) => self.batch(first),
            };
            if !text.is_empty() {
                self.rest = true;
                return Some(text);
            }
        }
    }

    fn begin(&mut self, start: Start) -> String {
        let mut text = format!("retry: {RETRY_MS}\n\n");
        text.push_str(&self.say(&Signal::Started));
        match start {
            Start::Fresh(n) => {
                self.last = n;
                // An id without data moves the reader's place and shows nothing.
                text.push_str(&format!("id: {}\n\n", self.id()));
            }
            Start::Replay(n, missed) => text.push_str(&self.replay(n, missed)),
            Start::Resync(n) => {
                self.last = n;
                text.push_str(&self.resync());
            }
        }
        text
    }

    fn replay(&mut self, n: u64, missed: Vec<Numbered>) -> String {
        self.last = n;
        let changes: Vec<Change> = missed.into_iter().filter_map(|c| c.change).collect();
        if changes.iter().any(|c| matches!(c, Change::Directory)) {
            // What went while the reader was away is no longer known.
            return self.resync();
        }
        let mut text = format!("id: {}\n\n", self.id());
        text.push_str(&self.say(&Signal::Missed(newest_per_device(changes))));
        text
    }

    /// The first change and all that wait behind it.
    fn batch(&mut self, first: Numbered) -> String {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match self.receiver.try_recv() {
                Ok(next) => batch.push(next),
                Err(TryRecvError::Lagged(_)) => return self.resync(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        self.tell_all(batch)
    }

    fn tell_all(&mut self, batch: Vec<Numbered>) -> String {
        self.last = batch.last().map_or(self.last, |c| c.n);
        if batch.iter().any(|c| c.change.is_none()) {
            return self.resync();
        }
        let mut text = self.rights();
        let changes = batch.into_iter().filter_map(|c| c.change).collect();
        text.push_str(&self.say(&Signal::Changed(newest_per_device(changes))));
        text
    }

    fn rights(&mut self) -> String {
        let now = self.ticket.subject.load_full();
        if Arc::ptr_eq(&now, &self.subject) {
            return String::new();
        }
        self.subject = now;
        self.say(&Signal::Rights)
    }

    fn resync(&mut self) -> String {
        let mut text = String::new();
        let frame = Frame {
            event: "resync",
            data: "{}".into(),
        };
        self.subject = self.ticket.subject.load_full();
        frame.write(&mut text, &self.id());
        text.push_str(&self.say(&Signal::Resync));
        text
    }

    fn say(&mut self, signal: &Signal) -> String {
        let frames = (self.tell)(signal, &self.subject);
        let id = self.id();
        let mut text = String::new();
        for frame in frames {
            frame.write(&mut text, &id);
        }
        text
    }

    fn id(&self) -> String {
        format!("{}-{}", self.feed.boot, self.last)
    }
}

/// A device that changed several times is told once, at its last place.
fn newest_per_device(changes: Vec<Change>) -> Vec<Change> {
    let mut seen = HashSet::new();
    let mut kept: Vec<Change> = changes
        .into_iter()
        .rev()
        .filter(|change| match change {
            Change::Device(id) => seen.insert(id.clone()),
            Change::Command(_) | Change::Directory => true,
        })
        .collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str) -> Change {
        Change::Device(name.parse().expect("an id"))
    }

    fn missed(start: &Start) -> Option<Vec<u64>> {
        match start {
            Start::Replay(_, missed) => Some(missed.iter().map(|c| c.n).collect()),
            Start::Fresh(_) | Start::Resync(_) => None,
        }
    }

    #[test]
    fn a_reader_that_comes_back_gets_what_it_missed() {
        let feed = Feed::new("b00t");
        for _ in 0..5 {
            feed.push(Some(device("lamp")));
        }
        assert!(matches!(feed.follow(None).0, Start::Fresh(5)));
        assert_eq!(missed(&feed.follow(Some("b00t-3")).0), Some(vec![4, 5]));
        assert_eq!(missed(&feed.follow(Some("b00t-5")).0), Some(vec![]));
    }

    #[test]
    fn an_unknown_boot_a_future_number_or_one_too_old_gives_resync() {
        let feed = Feed::new("b00t");
        for _ in 0..=RING {
            feed.push(Some(device("lamp")));
        }
        for id in [
            "other-3",
            "b00t-99999",
            "b00t-0",
            "b00t",
            "",
            "b00t--1",
            "b00t-x",
        ] {
            assert!(matches!(feed.follow(Some(id)).0, Start::Resync(_)), "{id}");
        }
        let oldest = feed.follow(Some("b00t-1")).0;
        assert_eq!(missed(&oldest).map(|m| m.len()), Some(RING));
    }

    #[test]
    fn where_the_feed_lost_changes_readers_resync() {
        let feed = Feed::new("b00t");
        feed.push(Some(device("lamp")));
        feed.push(None);
        feed.push(Some(device("lamp")));
        assert!(matches!(feed.follow(Some("b00t-1")).0, Start::Resync(3)));
        assert_eq!(missed(&feed.follow(Some("b00t-2")).0), Some(vec![3]));
    }

    #[test]
    fn nothing_falls_between_the_replay_and_the_receiver() {
        let feed = Feed::new("b00t");
        feed.push(Some(device("lamp")));
        let (_, mut receiver) = feed.follow(Some("b00t-0"));
        feed.push(Some(device("fan")));
        assert_eq!(receiver.try_recv().map(|c| c.n).ok(), Some(2));
    }

    #[test]
    fn a_device_that_changed_often_is_told_once_in_a_batch() {
        let kept = newest_per_device(vec![
            device("lamp"),
            device("fan"),
            Change::Directory,
            device("lamp"),
        ]);
        let names: Vec<String> = kept
            .iter()
            .map(|change| match change {
                Change::Device(id) => id.to_string(),
                Change::Command(_) => "command".into(),
                Change::Directory => "directory".into(),
            })
            .collect();
        assert_eq!(names, ["fan", "directory", "lamp"]);
    }

    #[test]
    fn a_frame_of_several_lines_is_one_event() {
        let mut text = String::new();
        let frame = Frame {
            event: "card",
            data: "<a>\n<b>".into(),
        };
        frame.write(&mut text, "b00t-7");
        assert_eq!(text, "event: card\ndata: <a>\ndata: <b>\nid: b00t-7\n\n");
    }
}
