//! Asking something of a device: the way of a command into the house.
//!
//! Owner of the promise that an `Idempotency-Key` is one command. It must never
//! answer before the command's row is durable.

use super::Hub;
use crate::device::DeviceMsg;
use crate::error::AskError;
use crate::house::{Cell, Door};
use iothome_engine::command::{Ask, Command, Idempotency};
use iothome_engine::ids::CommandId;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, oneshot};

/// How long an ask waits for a device that is being started again.
const STARTING_MAX: Duration = Duration::from_secs(2);

/// How long an ask waits for its row: the journal gives each write 3 s, and tells of a failure.
const ROW_MAX: Duration = Duration::from_secs(8);

/// Keys are locked in so many groups: two asks wait for each other only if they share one.
const KEY_GROUPS: usize = 64;

/// A command that is durable, and the way to its end.
#[derive(Debug)]
pub struct Asked {
    /// The command as it was when its row was durable.
    pub command: Command,
    /// Gives the command once its end is durable; `None` if it has ended.
    pub ended: Option<oneshot::Receiver<Command>>,
}

/// Serialises asks with the same idempotency key.
pub(super) struct Keys {
    groups: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            groups: (0..KEY_GROUPS).map(|_| Mutex::new(())).collect(),
            hasher: RandomState::new(),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "any bits of the hash will do"
    )]
    async fn lock(&self, key: &str) -> MutexGuard<'_, ()> {
        let group = self.hasher.hash_one(key) as usize % KEY_GROUPS;
        self.groups[group].lock().await
    }
}

impl Hub {
    /// Asks something of an entity. Resolves when the command is durable.
    ///
    /// # Errors
    /// [`AskError`] says whether anything was recorded or sent.
    pub async fn ask(&self, ask: Ask) -> Result<Asked, AskError> {
        if self.is_stopping() {
            return Err(AskError::Stopping);
        }
        let Some(idempotency) = ask.idempotency.clone() else {
            return self.ask_once(ask).await;
        };
        // Held until the row is durable: the second of two asks at once finds the first's row.
        let _one_at_a_time = self.inner.keys.lock(&idempotency.key).await;
        match self.asked_before(&idempotency).await? {
            Some(command) => self.as_it_is_now(command).await,
            None => self.ask_once(ask).await,
        }
    }

    async fn asked_before(&self, asked: &Idempotency) -> Result<Option<Command>, AskError> {
        let (store, now) = (&self.inner.store, self.clock().now());
        let found = store
            .command_by_key(&asked.key, now)
            .await
            .map_err(AskError::Store)?;
        match found {
            None => Ok(None),
            Some((command, body)) if body == asked.body_sha256 => Ok(Some(command)),
            Some(_) => Err(AskError::KeyReused),
        }
    }

    async fn as_it_is_now(&self, command: Command) -> Result<Asked, AskError> {
        if command.status.is_end() {
            return Ok(Asked {
                command,
                ended: None,
            });
        }
        let ended = self.inner.services.waiters.wait(command.id);
        // It may have ended between the two looks.
        let now = self
            .inner
            .store
            .command(command.id)
            .await
            .map_err(AskError::Store)?;
        match now {
            Some(command) if command.status.is_end() => {
                // Nobody may tell of it any more: who waits is told now, and forgotten.
                self.inner.services.waiters.ended(&command);
                Ok(Asked {
                    command,
                    ended: None,
                })
            }
            _ => Ok(Asked {
                command,
                ended: Some(ended),
            }),
        }
    }

    async fn ask_once(&self, ask: Ask) -> Result<Asked, AskError> {
        let cell = self
            .house()
            .cell(&ask.target.device)
            .ok_or(AskError::NoDevice)?;
        let (id, durable_first) = (ask.id, is_durable_first(&ask));
        let entity = ask.target.entity.clone();
        let ended = self.inner.services.waiters.wait(id);
        let outcome = self.hand_over(&cell, ask, durable_first).await;
        let mut command = match outcome {
            Ok(command) => command,
            Err(error) => {
                if !matches!(error, AskError::NotDurable { sent: true, .. }) {
                    self.inner.services.waiters.forget(id);
                }
                return Err(error);
            }
        };
        if command.status.is_end() {
            return Ok(Asked {
                command,
                ended: None,
            });
        }
        // It may have gone on while its row was written.
        let view = cell.view();
        let pending = view.entity(&entity).and_then(|e| e.pending.as_ref());
        if let Some(pending) = pending.filter(|p| p.command == id) {
            command.status = pending.status;
            command.deadline_at = pending.deadline_at;
        }
        Ok(now_or_later(command, ended))
    }

    async fn hand_over(
        &self,
        cell: &Arc<Cell>,
        ask: Ask,
        durable_first: bool,
    ) -> Result<Command, AskError> {
        let actor = match cell.wait_open(STARTING_MAX).await {
            Door::Open(actor) => actor,
            Door::Starting => return Err(AskError::Busy),
            Door::Gone => return Err(AskError::NoDevice),
        };
        let command = ask.id;
        let (answer, answered) = oneshot::channel();
        if actor.cast(DeviceMsg::Ask(Box::new(ask), answer)).is_err() {
            return Err(AskError::Busy);
        }
        match tokio::time::timeout(ROW_MAX, answered).await {
            Ok(Ok(outcome)) => outcome,
            // The actor failed before it came to this ask.
            Ok(Err(_)) => Err(AskError::Busy),
            Err(_) => Err(AskError::NotDurable {
                command,
                sent: !durable_first,
            }),
        }
    }
}

fn is_durable_first(ask: &Ask) -> bool {
    ask.action.is_durable_first() || !ask.cause.is_asked()
}

fn now_or_later(command: Command, mut ended: oneshot::Receiver<Command>) -> Asked {
    match ended.try_recv() {
        Ok(command) => Asked {
            command,
            ended: None,
        },
        Err(_) => Asked {
            command,
            ended: Some(ended),
        },
    }
}

/// Ids of commands are made by whoever asks; this is how.
impl Hub {
    /// A new command id.
    pub fn new_command_id(&self) -> CommandId {
        CommandId::new(self.clock().now(), crate::random::bytes())
    }
}
