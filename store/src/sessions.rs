//! Signed-in browsers and apps.
//!
//! Owner of `sessions`. It must never see a token, only its digest, and never
//! let two refreshes of one token both succeed.

use crate::db::{Row, Tx, id};
use crate::{Store, StoreError};
use iothome_engine::ids::{SessionId, UserId};
use iothome_engine::time::Timestamp;

/// What sort of client signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// Pages, with cookies.
    Browser,
    /// The REST API, with tokens.
    Api,
}

impl SessionKind {
    /// The word used in REST and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Api => "api",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Browser, Self::Api]
            .into_iter()
            .find(|k| k.as_str() == word)
    }
}

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// What sort of client.
    pub kind: SessionKind,
    /// SHA-256 of the refresh token that counts, in hex.
    pub refresh_sha256: String,
    /// SHA-256 of the one before.
    pub previous_sha256: Option<String>,
    /// When the token was last rotated.
    pub rotated_at: Timestamp,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What the client calls itself.
    pub client: String,
}

const ONE: &str = "SELECT id, user_id, kind, refresh_sha256, previous_sha256, rotated_at,
    created_at, last_used_at, expires_at, ended_at, client FROM sessions WHERE id = $1";
const OF_USER: &str = "SELECT id, user_id, kind, refresh_sha256, previous_sha256, rotated_at,
    created_at, last_used_at, expires_at, ended_at, client FROM sessions
    WHERE user_id = $1 AND ended_at IS NULL ORDER BY last_used_at DESC, id LIMIT $2";
const END_OF_USER: &str = "UPDATE sessions SET ended_at = $3
    WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL RETURNING id";

/// Sessions of one user at once: a household has some browsers and scripts for each of its people,
/// and a script that signs in anew every time must not fill the disk.
pub const SESSIONS_MAX: usize = 100;

/// Ended sessions are kept for a day, so that a page can still say that they ended.
const KEPT_MS: i64 = 86_400_000;

fn read(row: &Row) -> Result<SessionRow, StoreError> {
    let kind = row.text(2)?;
    Ok(SessionRow {
        id: row.parsed(0, "session")?,
        user: row.parsed(1, "session")?,
        kind: SessionKind::from_word(&kind).ok_or_else(|| StoreError::corrupt("session", kind))?,
        refresh_sha256: row.text(3)?,
        previous_sha256: row.opt_text(4)?,
        rotated_at: row.at(5)?,
        created_at: row.at(6)?,
        last_used_at: row.at(7)?,
        expires_at: row.at(8)?,
        ended_at: row.opt_at(9)?,
        client: row.text(10)?,
    })
}

impl Store {
    /// Writes a new session down.
    ///
    /// # Errors
    /// `NotFound` if the user is gone.
    pub async fn create_session(&self, session: &SessionRow) -> Result<(), StoreError> {
        self.house()
            .run(
                "INSERT INTO sessions (id, user_id, kind, refresh_sha256, previous_sha256,
                    rotated_at, created_at, last_used_at, expires_at, ended_at, client)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                [
                    id(session.id),
                    id(session.user),
                    session.kind.as_str().into(),
                    session.refresh_sha256.as_str().into(),
                    session.previous_sha256.as_deref().into(),
                    session.rotated_at.into(),
                    session.created_at.into(),
                    session.last_used_at.into(),
                    session.expires_at.into(),
                    session.ended_at.into(),
                    session.client.as_str().into(),
                ],
            )
            .await
            .map_err(StoreError::or_not_found)?;
        Ok(())
    }

    /// The session, ended or not.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn session(&self, session: SessionId) -> Result<Option<SessionRow>, StoreError> {
        let row = self.house().first(ONE, [id(session)]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Replaces the refresh token, if `from` is the one that counts and the session lasts.
    ///
    /// Of two that do this at once with the same `from`, one gets `true`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn rotate_session(
        &self,
        session: SessionId,
        from_sha256: &str,
        to_sha256: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self
            .house()
            .run(
                "UPDATE sessions SET previous_sha256 = refresh_sha256, refresh_sha256 = $3,
                    rotated_at = $4, last_used_at = $4
                 WHERE id = $1 AND refresh_sha256 = $2 AND ended_at IS NULL",
                [
                    id(session),
                    from_sha256.into(),
                    to_sha256.into(),
                    now.into(),
                ],
            )
            .await?;
        Ok(changed > 0)
    }

    /// Notes that the session was used.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn touch_session(
        &self,
        session: SessionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.house()
            .run(
                "UPDATE sessions SET last_used_at = $2
                 WHERE id = $1 AND last_used_at < $2 AND ended_at IS NULL",
                [id(session), now.into()],
            )
            .await?;
        Ok(())
    }

    /// Ends the session; the first end stands.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn end_session(&self, session: SessionId, now: Timestamp) -> Result<(), StoreError> {
        self.house()
            .run(
                "UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL",
                [id(session), now.into()],
            )
            .await?;
        Ok(())
    }

    /// Ends the user's sessions but one; tells which.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn end_sessions_of(
        &self,
        user: UserId,
        except: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let args = [id(user), spared(except).into(), now.into()];
        let rows = self.house().returning(END_OF_USER, args).await?;
        rows.iter().map(|row| row.parsed(0, "session")).collect()
    }

    /// Ends those sessions of the user that are more than [`SESSIONS_MAX`], the longest unused
    /// first; tells which.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn end_surplus_sessions_of(
        &self,
        user: UserId,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let rows = self
            .house()
            .returning(
                "UPDATE sessions SET ended_at = $2
                 WHERE user_id = $1 AND ended_at IS NULL AND id NOT IN (
                    SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL
                    ORDER BY last_used_at DESC, id DESC LIMIT $3)
                 RETURNING id",
                [id(user), now.into(), crate::limit(SESSIONS_MAX)],
            )
            .await?;
        rows.iter().map(|row| row.parsed(0, "session")).collect()
    }

    /// The user's sessions that have not ended, the last used first; at most [`SESSIONS_MAX`].
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<SessionRow>, StoreError> {
        let args = [id(user), crate::limit(SESSIONS_MAX)];
        let rows = self.house().all(OF_USER, args).await?;
        rows.iter().map(read).collect()
    }

    /// Drops sessions that expired, and those that ended more than a day ago.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn prune_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.house()
            .run(
                "DELETE FROM sessions WHERE expires_at < $1 OR ended_at < $2",
                [now.into(), now.plus_millis(-KEPT_MS).into()],
            )
            .await
    }
}

/// No id is the empty text: then none is spared.
fn spared(except: Option<SessionId>) -> String {
    except.map(|s| s.to_string()).unwrap_or_default()
}

/// Ends the user's sessions but one, within a transaction; tells which.
pub(crate) async fn end_sessions(
    tx: &mut Tx,
    user: UserId,
    except: Option<SessionId>,
    now: Timestamp,
) -> Result<Vec<SessionId>, StoreError> {
    let args = [id(user), spared(except).into(), now.into()];
    let rows = tx.all(END_OF_USER, args).await?;
    rows.iter().map(|row| row.parsed(0, "session")).collect()
}
