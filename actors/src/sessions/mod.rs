//! One actor per session.

use crate::clock::Clock;
use crate::house::Change;
use iothome_engine::ids::{SessionId, UserId};
use iothome_store::{Store, StoreError};
use ractor::{ActorCell, SpawnErr};
use tokio::sync::broadcast;

/// Who is signed in.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    clock: Clock,
}

impl Sessions {
    pub(crate) async fn start(
        store: Store,
        clock: Clock,
        _: broadcast::Sender<Change>,
        _: ActorCell,
    ) -> Result<Self, SpawnErr> {
        Ok(Self { store, clock })
    }

    pub(crate) async fn subject_changed(&self, _: UserId) {}

    pub(crate) async fn end_all_of(
        &self,
        user: UserId,
        except: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.end_sessions_of(user, except, now).await?;
        Ok(())
    }
}
