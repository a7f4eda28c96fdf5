//! Signed-in browsers and apps: one actor per session, started when first needed.
//!
//! Owner of sign-in's end: identity, grants, revocation, refresh tokens, rates,
//! live streams. It must never check a password, and never store a token in plain.

mod actor;
mod budget;
mod supervisor;
#[cfg(test)]
mod tests;
mod token;

pub use budget::Permit;
pub use iothome_store::SessionKind;

use crate::keeper::{self, Kept};
use crate::{Change, Clock, random};
use actor::{IDLE_END_MS, SessionMessage, StreamGuard};
use arc_swap::ArcSwap;
use futures_util::future::join_all;
use iothome_engine::ids::{SessionId, UserId};
use iothome_engine::policy::Subject;
use iothome_engine::time::Timestamp;
use iothome_store::{SessionRow, Store, StoreError, User};
use ractor::concurrency::Duration;
use ractor::rpc::CallResult;
use ractor::{Actor, ActorCell, ActorRef, RpcReplyPort};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use supervisor::{SessionSupervisor, SupervisorMessage};
use token::TokenKey;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// A session ends this long after sign-in, whatever happens.
const ABSOLUTE_END_MS: i64 = 90 * 86_400_000;

/// Where the store keeps the key of the refresh tokens.
const KEY_SETTING: &str = "refresh_token_key";

/// How long a session's answer may take: it reads three rows at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Times a session is started for one question; it can stop by itself just then.
const TRIES: usize = 3;

/// Longest name of a client that is kept, in characters.
const CLIENT_MAX: usize = 200;

/// Why a session does not do what is asked.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// It ended, or never was.
    #[error("the session has ended: sign in again")]
    Ended,
    /// Too many commands.
    #[error("too many commands: at most 50 a second and 20 at once")]
    Throttled {
        /// After how many seconds to ask again.
        retry_after_s: u64,
    },
    /// Too many live streams.
    #[error("too many live streams are open in this session")]
    TooManyStreams,
    /// It did not answer in time, or too many run.
    #[error("the session does not answer; try again")]
    Busy,
    /// Its row could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A session that was opened or renewed.
#[derive(Clone)]
pub struct Opened {
    /// The session.
    pub session: SessionId,
    /// Who they are and what they may, now.
    pub subject: Arc<Subject>,
    /// The refresh token; shown to the client only.
    pub refresh: String,
}

impl fmt::Debug for Opened {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("session", &self.session)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// What a live stream works with. Dropping it closes the stream.
pub struct StreamTicket {
    /// What changes in the house.
    pub changes: broadcast::Receiver<Change>,
    /// Who they are and what they may: always the present state.
    pub subject: Arc<ArcSwap<Subject>>,
    /// Cancelled when the session ends.
    pub ended: CancellationToken,
    _guard: StreamGuard,
}

impl fmt::Debug for StreamTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamTicket")
            .field("subject", &self.subject)
            .field("ended", &self.ended.is_cancelled())
            .finish_non_exhaustive()
    }
}

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its id.
    pub id: SessionId,
    /// What sort of client.
    pub kind: SessionKind,
    /// What the client calls itself.
    pub client: String,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
}

/// What all sessions share.
pub(crate) struct Shared {
    store: Store,
    clock: Clock,
    changes: broadcast::Sender<Change>,
    key: TokenKey,
    supervisor: Mutex<Option<ActorRef<SupervisorMessage>>>,
    running: Mutex<HashMap<SessionId, ActorRef<SessionMessage>>>,
}

/// Handle of all sessions; clones share it.
#[derive(Clone)]
pub struct Sessions {
    shared: Arc<Shared>,
}

impl Sessions {
    /// Starts it under `supervisor`.
    pub(crate) async fn start(
        store: Store,
        clock: Clock,
        changes: broadcast::Sender<Change>,
        supervisor: ActorCell,
    ) -> Result<Self, SessionError> {
        let fresh = random::secret();
        let secret = store.set_setting_if_absent(KEY_SETTING, &fresh).await?;
        let shared = Arc::new(Shared {
            store,
            clock,
            changes,
            key: TokenKey::new(&secret),
            supervisor: Mutex::default(),
            running: Mutex::default(),
        });
        let child = shared.clone();
        let spawn: keeper::Spawn = Box::new(move |keeper| {
            let shared = child.clone();
            Box::pin(async move {
                let spawned = Actor::spawn_linked(None, SessionSupervisor, shared, keeper).await?;
                Ok(spawned.0.get_cell())
            })
        });
        let kept = Kept {
            name: "sessions",
            spawn,
        };
        keeper::keep(supervisor, kept)
            .await
            .map_err(|_| SessionError::Busy)?;
        Ok(Self { shared })
    }

    /// Opens a session for a user who proved who they are.
    ///
    /// # Errors
    /// `Ended` if the account was disabled or deleted just now; what the store says.
    pub async fn sign_in(
        &self,
        user: &User,
        kind: SessionKind,
        client: &str,
    ) -> Result<Opened, SessionError> {
        let now = self.shared.clock.now();
        let id = SessionId::new(now, random::bytes());
        let refresh = token::first(id);
        let row = SessionRow {
            id,
            user: user.id,
            kind,
            refresh_sha256: token::digest(&refresh),
            previous_sha256: None,
            rotated_at: now,
            created_at: now,
            last_used_at: now,
            expires_at: now.plus_millis(ABSOLUTE_END_MS),
            ended_at: None,
            client: client.chars().take(CLIENT_MAX).collect(),
        };
        self.shared.store.create_session(&row).await?;
        let surplus = self
            .shared
            .store
            .end_surplus_sessions_of(user.id, now)
            .await?;
        self.have_ended(&surplus);
        let subject = self.enter(id).await?;
        Ok(Opened {
            session: id,
            subject,
            refresh,
        })
    }

    /// Who the session is, asked by every request.
    ///
    /// # Errors
    /// `Ended`; `Busy` or what the store says when it cannot be known now.
    pub async fn enter(&self, session: SessionId) -> Result<Arc<Subject>, SessionError> {
        self.ask(session, SessionMessage::Enter).await
    }

    /// Renews a session by its refresh token; the same token within 30 s gives the same answer.
    ///
    /// # Errors
    /// `Ended` if the token does not count, and for the whole session if it was used before.
    pub async fn refresh(&self, token: &str) -> Result<Opened, SessionError> {
        let session = token::session_of(token).ok_or(SessionError::Ended)?;
        self.ask(session, |reply| {
            SessionMessage::Refresh(token.to_owned(), reply)
        })
        .await
    }

    /// Ends a session: its requests and streams at once, its row before this returns.
    ///
    /// # Errors
    /// What the store says; then it is ended in memory, and its row is tried again.
    pub async fn end(&self, session: SessionId) -> Result<(), SessionError> {
        self.ask(session, SessionMessage::End).await
    }

    /// Ends the user's sessions but one.
    ///
    /// # Errors
    /// What the store says; then none of them ended.
    pub async fn end_all_of(
        &self,
        user: UserId,
        except: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let ended = self.shared.store.end_sessions_of(user, except, now).await?;
        self.have_ended(&ended);
        Ok(())
    }

    /// The rows of these sessions were ended: those that run end, too.
    pub(crate) fn have_ended(&self, ended: &[SessionId]) {
        let running = self.shared.running();
        for session in ended.iter().filter_map(|id| running.get(id)) {
            // One that just stopped will find its row ended.
            let _ = session.cast(SessionMessage::RowEnded);
        }
    }

    /// The user's sessions that last, the last used first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self, user: UserId) -> Result<Vec<SessionInfo>, SessionError> {
        let now = self.shared.clock.now();
        let rows = self.shared.store.sessions_of(user).await?;
        let lasts = |row: &SessionRow| {
            row.expires_at > now && now.millis_since(row.last_used_at) < IDLE_END_MS
        };
        let infos = rows.into_iter().filter(lasts).map(|row| SessionInfo {
            id: row.id,
            kind: row.kind,
            client: row.client,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        });
        Ok(infos.collect())
    }

    /// Leave to ask for one command.
    ///
    /// # Errors
    /// `Throttled` over 50 a second or 20 at once.
    pub async fn permit(&self, session: SessionId) -> Result<Permit, SessionError> {
        self.permit_for(session, 1).await
    }

    /// The same for what asks so many commands at once.
    ///
    /// # Errors
    /// As [`Sessions::permit`].
    pub async fn permit_for(
        &self,
        session: SessionId,
        commands: usize,
    ) -> Result<Permit, SessionError> {
        let commands = u16::try_from(commands).unwrap_or(u16::MAX);
        let message = |reply| SessionMessage::Permit(commands, reply);
        self.ask(session, message).await
    }

    /// Opens a live stream that lasts as long as the session.
    ///
    /// # Errors
    /// `TooManyStreams`, `Ended`.
    pub async fn open_stream(&self, session: SessionId) -> Result<StreamTicket, SessionError> {
        self.ask(session, SessionMessage::OpenStream).await
    }

    /// A user's name, role, grants or disabling was changed in the store: when this returns,
    /// their running sessions and streams know, or are ended.
    pub async fn subject_changed(&self, user: UserId) {
        let running: Vec<_> = self.shared.running().values().cloned().collect();
        let told = running.iter().map(|session| {
            let message = |reply| SessionMessage::SubjectChanged(user, reply);
            session.call(message, Some(PATIENCE))
        });
        for (outcome, session) in join_all(told).await.into_iter().zip(&running) {
            if matches!(outcome, Ok(CallResult::Timeout)) {
                // It must not go on with rights it may not have any more.
                session.kill();
            }
        }
    }

    /// Asks a session, which is started from its row if it does not run.
    async fn ask<T: Send + 'static>(
        &self,
        session: SessionId,
        message: impl Fn(RpcReplyPort<Result<T, SessionError>>) -> SessionMessage,
    ) -> Result<T, SessionError> {
        for _ in 0..TRIES {
            let actor = self.running(session).await?;
            match actor.call(&message, Some(PATIENCE)).await {
                Ok(CallResult::Success(answer)) => return answer,
                Ok(CallResult::Timeout) => return Err(SessionError::Busy),
                // It stopped between being found and being asked.
                Ok(CallResult::SenderError) | Err(_) => {}
            }
        }
        Err(SessionError::Busy)
    }

    async fn running(&self, session: SessionId) -> Result<ActorRef<SessionMessage>, SessionError> {
        let known = self.shared.running().get(&session).cloned();
        if let Some(actor) = known.filter(|a| a.get_status() <= ractor::ActorStatus::Running) {
            return Ok(actor);
        }
        let supervisor = self.shared.supervisor().clone();
        let supervisor = supervisor.ok_or(SessionError::Busy)?;
        let message = |reply| SupervisorMessage::Start(session, reply);
        match supervisor.call(message, Some(PATIENCE)).await {
            Ok(CallResult::Success(Some(actor))) => Ok(actor),
            _ => Err(SessionError::Busy),
        }
    }
}

impl Shared {
    /// The user with their grants; `None` if they may not be here.
    async fn subject_of(&self, user: UserId) -> Result<Option<Subject>, StoreError> {
        let Some(user) = self.store.user(user).await?.filter(|u| !u.disabled) else {
            return Ok(None);
        };
        let grants = self.store.grants_of(user.id).await?;
        Ok(Some(Subject {
            user: user.id,
            name: user.name,
            role: user.role,
            grants,
        }))
    }

    fn supervisor_is(&self, actor: ActorRef<SupervisorMessage>) {
        *self.supervisor() = Some(actor);
    }

    // Both locks are held for one step that cannot panic half-way.

    fn supervisor(&self) -> MutexGuard<'_, Option<ActorRef<SupervisorMessage>>> {
        let lock = self.supervisor.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<SessionId, ActorRef<SessionMessage>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
