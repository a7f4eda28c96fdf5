//! All changes of the house, numbered once for all streams.
//!
//! Owner of the numbers, of the bounded ring of recent changes, and of the
//! answer to "what did I miss?". It must never know who reads.

use iothome_actors::Change;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};
use tokio_util::sync::CancellationToken;

/// Changes kept for readers that come back: a page that was away for some
/// seconds in a busy house. More would be slower than loading the page again.
pub(super) const RING: usize = 1_024;

/// A change with its number in this run of the hub.
#[derive(Clone)]
pub(super) struct Numbered {
    pub(super) n: u64,
    /// `None` where the feed itself lost changes: readers must resync.
    pub(super) change: Option<Change>,
}

struct Ring {
    last: u64,
    recent: VecDeque<Numbered>,
}

/// All changes of the house, numbered once for all streams.
pub(crate) struct Feed {
    pub(super) boot: String,
    ring: Mutex<Ring>,
    sender: Sender<Numbered>,
    pub(super) stopping: CancellationToken,
}

/// How a reader begins.
pub(super) enum Start {
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

    pub(super) fn new(boot: &str) -> Self {
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

    pub(super) fn push(&self, change: Option<Change>) {
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
    pub(super) fn follow(&self, last_event_id: Option<&str>) -> (Start, Receiver<Numbered>) {
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
}
