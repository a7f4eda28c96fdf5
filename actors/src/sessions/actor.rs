//! The actor of one session: its sole authority while it runs.
//!
//! Owner of who the session is, what they may, whether it lasts, its rate and its
//! live streams. Everything durable is in its row; the actor can be started anew
//! at any moment. It must never let a stream outlive it.

use super::budget::{Budget, Permit};
use super::token::{Judgement, Rotation, digest};
use super::{Opened, SessionError, Shared, StreamTicket};
use arc_swap::ArcSwap;
use iothome_engine::ids::{SessionId, UserId};
use iothome_engine::policy::Subject;
use iothome_engine::time::Timestamp;
use iothome_store::SessionRow;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Unused for this long, a session ends.
pub(super) const IDLE_END_MS: i64 = 14 * 86_400_000;

/// The actor goes when nothing was asked for this long and no stream is open.
const ACTOR_IDLE: Duration = Duration::from_secs(600);

/// How often it looks whether it is still needed.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The last use is written at most so often.
const TOUCH_EVERY_MS: i64 = 60_000;

/// Streams of one session: three times ten open tabs.
const MOST_STREAMS: usize = 32;

type Reply<T> = RpcReplyPort<Result<T, SessionError>>;

pub(super) enum SessionMessage {
    /// A request: who is it?
    Enter(Reply<Arc<Subject>>),
    /// A refresh token is presented.
    Refresh(String, Reply<Opened>),
    /// A command is asked for.
    Permit(u16, Reply<Permit>),
    OpenStream(Reply<StreamTicket>),
    StreamClosed,
    /// The user, or what they may, was changed.
    SubjectChanged(UserId, RpcReplyPort<()>),
    /// End the session.
    End(Reply<()>),
    /// Its row was ended by somebody else.
    RowEnded,
    Look,
}

pub(super) struct SessionActor;

pub(super) struct State {
    id: SessionId,
    shared: Arc<Shared>,
    me: ActorRef<SessionMessage>,
    life: Life,
    budget: Budget,
    last_request: Instant,
    streams: usize,
}

enum Life {
    /// Not loaded, or what was loaded is not to be trusted any more.
    Unknown,
    Live(Live),
    /// Ended; `written` once its row says so, too.
    Ended {
        written: bool,
    },
}

struct Live {
    user: UserId,
    expires_at: Timestamp,
    last_used_at: Timestamp,
    /// What the row says of it.
    written_at: Timestamp,
    rotation: Rotation,
    subject: Arc<ArcSwap<Subject>>,
    ended: CancellationToken,
    /// Ends the streams with this life, even if the actor fails.
    _cut: DropGuard,
}

/// Counts a stream while it lives.
pub(super) struct StreamGuard(ActorRef<SessionMessage>);

impl Drop for StreamGuard {
    fn drop(&mut self) {
        // An actor that is gone counts no streams.
        let _ = self.0.cast(SessionMessage::StreamClosed);
    }
}

impl Actor for SessionActor {
    type Msg = SessionMessage;
    type State = State;
    type Arguments = (SessionId, Arc<Shared>);

    async fn pre_start(
        &self,
        me: ActorRef<Self::Msg>,
        (id, shared): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        me.send_interval(LOOK_EVERY, || SessionMessage::Look);
        Ok(State {
            id,
            shared,
            me,
            life: Life::Unknown,
            budget: Budget::new(),
            last_request: Instant::now(),
            streams: 0,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SessionMessage::Enter(reply) => {
                let entered = state.live().await;
                let _ = reply.send(entered.map(|live| live.subject.load_full()));
            }
            SessionMessage::Refresh(token, reply) => {
                let _ = reply.send(state.refresh(&token).await);
            }
            SessionMessage::Permit(commands, reply) => {
                let _ = reply.send(state.permit(commands).await);
            }
            SessionMessage::OpenStream(reply) => {
                // If the asker is gone, dropping the ticket closes the stream again.
                let _ = reply.send(state.open_stream().await);
            }
            SessionMessage::StreamClosed => state.streams = state.streams.saturating_sub(1),
            SessionMessage::SubjectChanged(user, reply) => {
                state.subject_changed(user).await;
                let _ = reply.send(());
            }
            SessionMessage::End(reply) => {
                let _ = reply.send(state.end().await);
            }
            SessionMessage::RowEnded => state.life = Life::Ended { written: true },
            SessionMessage::Look => state.look().await,
        }
        if state.is_done() {
            me.stop(None);
        }
        Ok(())
    }
}

impl State {
    /// The session, if it lasts; this use of it is noted.
    async fn live(&mut self) -> Result<&mut Live, SessionError> {
        self.last_request = Instant::now();
        if matches!(self.life, Life::Unknown) {
            self.life = self.load().await?;
        }
        let now = self.shared.clock.now();
        if matches!(&self.life, Life::Live(live) if live.is_over(now)) {
            self.end().await?;
        }
        let Life::Live(live) = &mut self.life else {
            return Err(SessionError::Ended);
        };
        live.last_used_at = live.last_used_at.max(now);
        if live.last_used_at.millis_since(live.written_at) >= TOUCH_EVERY_MS {
            live.written_at = live.last_used_at;
            touch(self.shared.clone(), self.id, live.last_used_at);
        }
        Ok(live)
    }

    async fn load(&self) -> Result<Life, SessionError> {
        let store = &self.shared.store;
        let Some(row) = store.session(self.id).await? else {
            return Ok(Life::Ended { written: true });
        };
        if row.ended_at.is_some() {
            return Ok(Life::Ended { written: true });
        }
        let Some(subject) = self.shared.subject_of(row.user).await? else {
            return Ok(Life::Ended { written: false });
        };
        Ok(Life::Live(Live::new(&row, subject)))
    }

    async fn refresh(&mut self, token: &str) -> Result<Opened, SessionError> {
        let shared = self.shared.clone();
        let now = shared.clock.now();
        let live = self.live().await?;
        match live.rotation.judge(&shared.key, token, now) {
            Judgement::Rotate => self.rotate(token, now).await,
            Judgement::Again => {
                let subject = live.subject.load_full();
                Ok(self.opened(token, subject))
            }
            Judgement::Foreign => Err(SessionError::Ended),
            Judgement::Reused => {
                tracing::warn!(session = %self.id, "a refresh token was used again: the session ends");
                self.end().await?;
                Err(SessionError::Ended)
            }
        }
    }

    async fn rotate(&mut self, token: &str, now: Timestamp) -> Result<Opened, SessionError> {
        let (id, shared) = (self.id, self.shared.clone());
        let live = self.live().await?;
        let to = digest(&shared.key.successor(token));
        let from = live.rotation.current();
        if !shared.store.rotate_session(id, from, &to, now).await? {
            // Its row says otherwise (ended beside us): look at it anew.
            self.life = Life::Unknown;
            self.live().await?;
            return Err(SessionError::Busy);
        }
        live.rotation.rotated(to, now);
        live.written_at = now;
        let subject = live.subject.load_full();
        Ok(self.opened(token, subject))
    }

    fn opened(&self, presented: &str, subject: Arc<Subject>) -> Opened {
        Opened {
            session: self.id,
            subject,
            refresh: self.shared.key.successor(presented),
        }
    }

    async fn permit(&mut self, commands: u16) -> Result<Permit, SessionError> {
        self.live().await?;
        self.budget
            .take(commands)
            .map_err(|retry_after_s| SessionError::Throttled { retry_after_s })
    }

    async fn open_stream(&mut self) -> Result<StreamTicket, SessionError> {
        let (me, changes) = (self.me.clone(), self.shared.changes.subscribe());
        if self.streams >= MOST_STREAMS {
            return Err(SessionError::TooManyStreams);
        }
        let live = self.live().await?;
        let ticket = StreamTicket {
            changes,
            subject: live.subject.clone(),
            ended: live.ended.clone(),
            _guard: StreamGuard(me),
        };
        self.streams += 1;
        Ok(ticket)
    }

    async fn subject_changed(&mut self, user: UserId) {
        let Life::Live(live) = &self.life else { return };
        if live.user != user {
            return;
        }
        match self.shared.subject_of(user).await {
            Ok(Some(subject)) => live.subject.store(Arc::new(subject)),
            Ok(None) => {
                // What could not be written is tried again; nobody comes in meanwhile.
                let _ = self.end().await;
            }
            Err(error) => {
                // What they may is not known: streams are cut and the next request asks again.
                tracing::error!(%error, "the rights of a session could not be read");
                self.life = Life::Unknown;
            }
        }
    }

    /// Ends it at once in memory, then in its row.
    async fn end(&mut self) -> Result<(), SessionError> {
        if matches!(self.life, Life::Ended { written: true }) {
            return Ok(());
        }
        self.life = Life::Ended { written: false };
        let now = self.shared.clock.now();
        self.shared.store.end_session(self.id, now).await?;
        self.life = Life::Ended { written: true };
        Ok(())
    }

    async fn look(&mut self) {
        let now = self.shared.clock.now();
        match &self.life {
            Life::Ended { written: false } => {
                if let Err(error) = self.end().await {
                    tracing::error!(%error, "the end of a session could not be written");
                }
            }
            // An open stream is use; this also ends it when its time has come.
            Life::Live(live) if self.streams > 0 || live.is_over(now) => {
                let last_request = self.last_request;
                let _ = self.live().await;
                self.last_request = last_request;
            }
            _ => {}
        }
    }

    /// Whether nobody needs the actor any more.
    fn is_done(&self) -> bool {
        match self.life {
            Life::Ended { written } => written,
            Life::Unknown | Life::Live(_) => {
                self.streams == 0
                    && !self.budget.in_use()
                    && self.last_request.elapsed() >= ACTOR_IDLE
            }
        }
    }
}

impl Live {
    fn new(row: &SessionRow, subject: Subject) -> Self {
        let ended = CancellationToken::new();
        let current = row.refresh_sha256.clone();
        Self {
            user: row.user,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            written_at: row.last_used_at,
            rotation: Rotation::new(current, row.previous_sha256.clone(), row.rotated_at),
            subject: Arc::new(ArcSwap::from_pointee(subject)),
            _cut: ended.clone().drop_guard(),
            ended,
        }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.expires_at || now.millis_since(self.last_used_at) >= IDLE_END_MS
    }
}

/// Writes the last use beside the request that was it.
fn touch(shared: Arc<Shared>, id: SessionId, at: Timestamp) {
    tokio::spawn(async move {
        if let Err(error) = shared.store.touch_session(id, at).await {
            // The next minute writes it again.
            tracing::debug!(%error, "the last use of a session could not be written");
        }
    });
}
