//! One actor per session.
use crate::clock::Clock;
use crate::house::Change;
use iothome_engine::ids::{SessionId, UserId};
use iothome_store::{Store, StoreError};
use ractor::ActorCell;
/// S
#[derive(Clone)]
pub struct Sessions;
impl Sessions {
    pub(crate) async fn start(
        _: Store,
        _: Clock,
        _: tokio::sync::broadcast::Sender<Change>,
        _: ActorCell,
    ) -> Result<Self, String> {
        Ok(Self)
    }
    pub(crate) async fn subject_changed(&self, _: UserId) {}
    pub(crate) async fn end_all_of(
        &self,
        _: UserId,
        _: Option<SessionId>,
    ) -> Result<(), StoreError> {
        Ok(())
    }
}
