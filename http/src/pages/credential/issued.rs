//! Passwords on their way to the one page that shows them.
//!
//! Owner of that short way: from the form that made a broker user to the page after it,
//! for the session that asked, once. It must never write one down or keep it for long.

use iothome_actors::IssuedCredential;
use iothome_engine::ids::{CredentialId, SessionId};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A browser follows the redirection at once; a slow one within this.
const KEPT: Duration = Duration::from_secs(120);

/// Made at the same time by all administrators together; the oldest goes first.
const MOST: usize = 32;

/// Passwords not shown yet.
#[derive(Default)]
pub(crate) struct Issued {
    waiting: Mutex<VecDeque<Waiting>>,
}

struct Waiting {
    session: SessionId,
    credential: CredentialId,
    password: String,
    at: Instant,
}

impl Issued {
    /// Keeps a password for the page that comes next in this session.
    pub(crate) fn put(&self, session: SessionId, issued: IssuedCredential, now: Instant) {
        let mut waiting = self.fresh(now);
        waiting.retain(|one| one.credential != issued.id);
        if waiting.len() >= MOST {
            waiting.pop_front();
        }
        waiting.push_back(Waiting {
            session,
            credential: issued.id,
            password: issued.password,
            at: now,
        });
    }

    /// The password, if this session made it just now and has not seen it.
    pub(crate) fn take(
        &self,
        session: SessionId,
        credential: CredentialId,
        now: Instant,
    ) -> Option<String> {
        let mut waiting = self.fresh(now);
        let is_it = |one: &Waiting| one.session == session && one.credential == credential;
        let place = waiting.iter().position(is_it)?;
        waiting.remove(place).map(|one| one.password)
    }

    fn fresh(&self, now: Instant) -> MutexGuard<'_, VecDeque<Waiting>> {
        // A queue of whole entries is whole at any moment.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|one| now.duration_since(one.at) < KEPT);
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iothome_engine::time::Timestamp;

    fn issued(n: u8) -> IssuedCredential {
        IssuedCredential {
            id: CredentialId::new(Timestamp::from_millis(1), [n; 10]),
            username: "lamp".into(),
            password: format!("secret {n}"),
        }
    }

    fn session(n: u8) -> SessionId {
        SessionId::new(Timestamp::from_millis(1), [n; 10])
    }

    #[test]
    fn a_password_is_handed_out_once_to_the_session_that_made_it_and_not_for_long() {
        let (store, now) = (Issued::default(), Instant::now());
        store.put(session(1), issued(1), now);
        let id = issued(1).id;
        assert_eq!(store.take(session(2), id, now), None);
        assert_eq!(store.take(session(1), issued(2).id, now), None);
        assert_eq!(store.take(session(1), id, now).as_deref(), Some("secret 1"));
        assert_eq!(store.take(session(1), id, now), None);
        store.put(session(1), issued(1), now);
        assert_eq!(store.take(session(1), id, now + KEPT), None);
    }

    #[test]
    fn only_so_many_wait() {
        let (store, now) = (Issued::default(), Instant::now());
        for n in 0..40 {
            store.put(session(1), issued(n), now);
        }
        assert_eq!(store.take(session(1), issued(0).id, now), None);
        assert!(store.take(session(1), issued(39).id, now).is_some());
    }
}
