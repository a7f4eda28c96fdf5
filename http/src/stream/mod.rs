//! Live streams: numbered changes, resumption, keep-alive, end with the session.
//!
//! Owner of what `/live` and `/api/v1/events` share. What an event says is the
//! caller's (a closure from changes to frames); whether the reader may see it is
//! asked of the session's current subject. A slow reader is told to resync and
//! holds nothing up: the ring is bounded and the body is only polled when the
//! socket takes more.

mod feed;

pub(crate) use feed::Feed;

use crate::app::App;
use crate::auth::CurrentUser;
use crate::problem::Answer;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::{HttpRequest, HttpResponse, web};
use arc_swap::ArcSwap;
use bytes::Bytes;
use feed::{Numbered, Start};
use futures_util::stream;
use iothome_actors::{Change, StreamTicket};
use iothome_engine::policy::Subject;
use iothome_views::links;
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError, error::TryRecvError};
use tokio_util::sync::CancellationToken;

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
    /// A moment has passed: what is not a change of the house may be looked at.
    Look,
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
        subject_now: Arc::clone(&ticket.subject),
        ended: ticket.ended.clone(),
        _ticket: Some(ticket),
        receiver,
        tell,
        start: Some(start),
        last: 0,
        rest: false,
        keep_alive: KEEP_ALIVE,
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
    /// The subject the reader was last told by.
    subject: Arc<Subject>,
    /// Written by the session alone.
    subject_now: Arc<ArcSwap<Subject>>,
    ended: CancellationToken,
    /// Keeps the session's place for this stream; a test has none.
    _ticket: Option<StreamTicket>,
    receiver: Receiver<Numbered>,
    tell: T,
    start: Option<Start>,
    /// Number of the last change told.
    last: u64,
    /// Whether something was just told.
    rest: bool,
    keep_alive: Duration,
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
                () = self.ended.cancelled() => return None,
                () = self.feed.stopping.cancelled() => return None,
                () = tokio::time::sleep(BREATH) => {}
            }
        }
        let keep_alive = tokio::time::sleep(self.keep_alive);
        tokio::pin!(keep_alive);
        loop {
            let woken = tokio::select! {
                biased;
                () = self.ended.cancelled() => Woken::Ended,
                () = self.feed.stopping.cancelled() => Woken::Ended,
                () = &mut keep_alive => Woken::KeepAlive,
                received = self.receiver.recv() => Woken::Received(received),
                () = tokio::time::sleep(LOOK) => Woken::Look,
            };
            let text = match woken {
                Woken::Ended | Woken::Received(Err(RecvError::Closed)) => return None,
                Woken::KeepAlive if self.beats => "event: beat\ndata: {}\n\n".to_owned(),
                Woken::KeepAlive => ": keep-alive\n\n".to_owned(),
                Woken::Look => self.look(),
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

    fn look(&mut self) -> String {
        let mut text = self.rights();
        text.push_str(&self.say(&Signal::Look));
        text
    }

    fn rights(&mut self) -> String {
        let now = self.subject_now.load_full();
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
        self.subject = self.subject_now.load_full();
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
mod tests;
