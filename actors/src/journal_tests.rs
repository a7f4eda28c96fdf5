//! The journal against a store that fails when told to.

use super::*;
use iothome_engine::command::{Cause, Command, Status};
use iothome_engine::ids::{CommandId, SessionId, UserId};
use iothome_engine::kind::Action;
use iothome_engine::time::Timestamp;
use std::sync::atomic::AtomicUsize;

/// What a fake store was given, and what it does next.
#[derive(Default)]
struct Fake {
    batches: Mutex<Vec<Vec<CommandWrite>>>,
    failures: AtomicUsize,
    poison: Mutex<Option<CommandId>>,
    slow: AtomicBool,
}

impl Fake {
    fn writer(self: &Arc<Self>) -> Writer {
        let fake = Arc::clone(self);
        Writer {
            commands: Arc::new(move |writes| {
                let fake = Arc::clone(&fake);
                Box::pin(async move { fake.write(writes).await })
            }),
            audit: Arc::new(|_| Box::pin(async { Ok(()) })),
        }
    }

    async fn write(&self, writes: Vec<CommandWrite>) -> Result<(), StoreError> {
        if self.slow.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let fails = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        let poison = *self.poison.lock().expect("whole");
        if fails.is_ok() || writes.iter().any(|w| Some(id_of(w)) == poison) {
            return Err(StoreError::NotFound);
        }
        self.batches.lock().expect("whole").push(writes);
        Ok(())
    }

    fn written(&self) -> Vec<CommandId> {
        let batches = self.batches.lock().expect("whole");
        batches.iter().flatten().map(id_of).collect()
    }
}

fn id_of(write: &CommandWrite) -> CommandId {
    match write {
        CommandWrite::Accepted(command, _) | CommandWrite::Ended(command) => command.id,
        CommandWrite::Sending(id) => *id,
    }
}

fn command(n: u8) -> Command {
    let now = Timestamp::from_millis(1_000);
    Command {
        id: CommandId::new(now, [n; 10]),
        device: "lamp".parse().expect("an id"),
        entity: "light".parse().expect("an id"),
        action: Action::TurnOn,
        resolved: Action::TurnOn,
        value: None,
        cause: Cause::User {
            user: UserId::new(now, [1; 10]),
            name: "eve".into(),
            session: SessionId::new(now, [2; 10]),
        },
        status: Status::Accepted,
        reason: None,
        accepted_at: now,
        deadline_at: now.plus_millis(5_000),
        ended_at: None,
        latency_micros: None,
        sending: false,
    }
}

fn accepted(n: u8) -> CommandWrite {
    CommandWrite::Accepted(command(n), None)
}

async fn journal(fake: &Arc<Fake>) -> Journal {
    let (root, _) = Actor::spawn(None, crate::root::Root, ())
        .await
        .expect("starts");
    let journal = Journal::new(fake.writer());
    let (reply, started) = oneshot::channel();
    root.cast(crate::root::RootMsg::Keep(journal.recipe(), reply))
        .expect("runs");
    started.await.expect("answers").expect("starts");
    journal
}

fn told() -> (Done, oneshot::Receiver<bool>) {
    let (tell, told) = oneshot::channel();
    let done = Done::new(move |durable| {
        let _ = tell.send(durable);
    });
    (done, told)
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test(start_paused = true)]
async fn writes_keep_their_order_and_gather_in_one_transaction() {
    let fake = Arc::new(Fake::default());
    fake.slow.store(true, Ordering::SeqCst);
    let journal = journal(&fake).await;
    for n in 0..100 {
        journal.write(accepted(n), Done::new(|_| {}));
    }
    assert!(journal.barrier(LONG).await);
    let expected: Vec<_> = (0..100).map(|n| command(n).id).collect();
    assert_eq!(fake.written(), expected);
    assert!(fake.batches.lock().expect("whole").len() < 10);
    assert!(journal.is_empty() && journal.healthy());
}

#[tokio::test(start_paused = true)]
async fn a_failed_acceptance_is_told_at_once_and_still_written_later() {
    let fake = Arc::new(Fake::default());
    fake.failures.store(1, Ordering::SeqCst);
    let journal = journal(&fake).await;
    let (done, durable) = told();
    journal.write(accepted(1), done);
    assert_eq!(durable.await, Ok(false));
    assert!(!journal.healthy());
    assert!(journal.barrier(LONG).await);
    assert_eq!(fake.written(), [command(1).id]);
    assert!(journal.healthy());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_command_is_told_only_when_it_is_durable() {
    let fake = Arc::new(Fake::default());
    fake.failures.store(2, Ordering::SeqCst);
    let journal = journal(&fake).await;
    let (done, durable) = told();
    journal.write(CommandWrite::Ended(command(1)), done);
    assert_eq!(durable.await, Ok(true));
    assert_eq!(fake.written(), [command(1).id]);
}

#[tokio::test(start_paused = true)]
async fn one_write_that_can_never_succeed_costs_the_others_nothing_but_time() {
    let fake = Arc::new(Fake::default());
    *fake.poison.lock().expect("whole") = Some(command(1).id);
    fake.slow.store(true, Ordering::SeqCst);
    let journal = journal(&fake).await;
    let (done, durable) = told();
    journal.write(accepted(0), Done::new(|_| {}));
    journal.write(CommandWrite::Ended(command(1)), done);
    journal.write(accepted(2), Done::new(|_| {}));
    assert!(journal.barrier(LONG).await);
    assert_eq!(durable.await, Ok(false));
    assert_eq!(fake.written(), [command(0).id, command(2).id]);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_gave_up_all_it_had_is_healthy_again() {
    let fake = Arc::new(Fake::default());
    *fake.poison.lock().expect("whole") = Some(command(1).id);
    let journal = journal(&fake).await;
    journal.write(accepted(1), Done::new(|_| {}));
    assert!(journal.barrier(LONG).await);
    assert!(journal.is_empty());
    assert!(journal.healthy(), "nothing is left that cannot be written");
}

#[tokio::test(start_paused = true)]
async fn a_full_journal_refuses_acceptances_but_still_takes_ends() {
    let fake = Arc::new(Fake::default());
    let journal = Journal::new(fake.writer());
    for _ in 0..QUEUE_MAX {
        journal.write(accepted(1), Done::new(|_| {}));
    }
    let (done, durable) = told();
    journal.write(accepted(2), done);
    assert_eq!(durable.await, Ok(false));
    let (done, mut durable) = told();
    journal.write(CommandWrite::Ended(command(1)), done);
    assert!(durable.try_recv().is_err(), "it waits");
}
