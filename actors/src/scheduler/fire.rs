//! Firing: from an action that is due to a command.
//!
//! Owner of the check of the owner's rights at that moment. Actions are handed over
//! in their order, and their rows are waited for side by side. It must never ask
//! what is not claimed, and never ask a `press` twice.

use super::actor::SchedulerMsg;
use super::may_schedule;
use super::ways::{Outcome, Ways};
use crate::hooks;
use futures_util::poll;
use iothome_engine::command::{Ask, Cause};
use iothome_engine::ids::UserId;
use iothome_engine::kind::Action;
use iothome_engine::policy::Subject;
use iothome_engine::schedule::agenda::{ActionEnd, Key};
use iothome_engine::schedule::{ActionRun, reason};
use iothome_store::StoreError;
use ractor::ActorRef;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::Semaphore;

/// Asks under way at once: half of what the journal takes, so that people are never refused
/// because of schedules.
pub(super) const ASKS_MAX: usize = 4_096;

/// An action that is due.
pub(super) struct Firing {
    pub(super) run: ActionRun,
    pub(super) name: String,
    pub(super) owner: UserId,
}

/// Asks every action of a moment, in this order.
pub(super) async fn fire_all(
    ways: Ways,
    firings: Vec<Firing>,
    asks: Arc<Semaphore>,
    actor: ActorRef<SchedulerMsg>,
) {
    // Whoever lost the house hears of it here, before anything of another hub's is asked.
    if !(ways.is_active)(()).await {
        tracing::warn!(
            count = firings.len(),
            "this hub does not run the house now: what is due is left to the one that does"
        );
        for firing in &firings {
            let why = "standby".to_owned();
            Teller::of(&firing.run, &actor, &ways).end(ActionEnd::NotNow(why));
        }
        return;
    }
    let mut owners: HashMap<UserId, Result<Option<Subject>, StoreError>> = HashMap::new();
    for firing in firings {
        let owner = match owners.get(&firing.owner) {
            Some(known) => known,
            None => {
                let read = (ways.subject)(firing.owner).await;
                owners.entry(firing.owner).or_insert(read)
            }
        };
        let tell = Teller::of(&firing.run, &actor, &ways);
        if let Some(end) = refusal(owner, &firing) {
            tell.end(end);
            continue;
        }
        // Closed never: it lives as long as the scheduler.
        let Ok(permit) = Arc::clone(&asks).acquire_owned().await else {
            return;
        };
        hooks::pass(hooks::FIRE);
        let mut asking = Box::pin(ask(ways.clone(), firing));
        // Polled once here, so that it is handed over before the next one is.
        match poll!(&mut asking) {
            Poll::Ready(end) => tell.end(end),
            Poll::Pending => {
                tokio::spawn(async move {
                    let end = asking.await;
                    drop(permit);
                    tell.end(end);
                });
            }
        }
    }
}

/// Why the owner's rights do not allow it now, if they do not.
fn refusal(owner: &Result<Option<Subject>, StoreError>, firing: &Firing) -> Option<ActionEnd> {
    let device = &firing.run.target.device;
    match owner {
        Ok(Some(owner)) if may_schedule(owner, device) => None,
        Ok(_) => Some(ActionEnd::Failed(reason::NOT_ALLOWED.to_owned())),
        Err(problem) => Some(ActionEnd::NotNow(problem.to_string())),
    }
}

async fn ask(ways: Ways, firing: Firing) -> ActionEnd {
    let run = firing.run;
    let command = run.command;
    // A command of this id that an earlier life of the scheduler asked is not asked again.
    if run.action == Action::Press {
        match (ways.is_recorded)(command).await {
            Ok(false) => {}
            Ok(true) => return ActionEnd::Fired,
            Err(problem) => return ActionEnd::NotNow(problem.to_string()),
        }
    }
    let ask = Ask {
        id: command,
        target: run.target,
        action: run.action,
        value: run.value,
        cause: Cause::Schedule {
            schedule: run.schedule.to_string(),
            name: firing.name,
            due_at: run.due_at,
        },
        idempotency: None,
    };
    match (ways.ask)(ask).await {
        Outcome::Asked => ActionEnd::Fired,
        Outcome::Refused(why) => ActionEnd::Failed(why),
        Outcome::NotNow(why) => ActionEnd::NotNow(why),
        Outcome::Unknown(why) => match (ways.is_recorded)(command).await {
            Ok(true) => ActionEnd::Fired,
            Ok(false) | Err(_) => ActionEnd::NotNow(why),
        },
    }
}

/// Tells the actor what became of an action.
struct Teller {
    key: Key,
    index: u16,
    run_at: iothome_engine::time::Timestamp,
    actor: ActorRef<SchedulerMsg>,
    clock: crate::clock::Clock,
}

impl Teller {
    fn of(run: &ActionRun, actor: &ActorRef<SchedulerMsg>, ways: &Ways) -> Self {
        Self {
            key: Key {
                schedule: run.schedule,
                due_at: run.due_at,
            },
            index: run.index,
            run_at: run.run_at,
            actor: actor.clone(),
            clock: ways.clock.clone(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "microseconds fit 2^53")]
    fn end(self, end: ActionEnd) {
        let word = match &end {
            ActionEnd::Fired => {
                let late = self.clock.now().micros_since(self.run_at).max(0);
                metrics::histogram!("iothome_schedule_lateness_seconds")
                    .record(late as f64 / 1_000_000.0);
                "fired"
            }
            ActionEnd::Failed(_) => "failed",
            ActionEnd::NotNow(_) => "not_now",
        };
        metrics::counter!("iothome_schedule_actions_total", "end" => word).increment(1);
        let message = SchedulerMsg::Ended(self.key, self.index, end);
        // A scheduler that failed meanwhile finds the command's row.
        let _ = self.actor.cast(message);
    }
}
