//! The journal of commands: the hot path.

use crate::make::{self, NOW, command, command_id, device_id, ended};
use iothome_engine::command::{CommandWrite, Idempotency, Status};
use iothome_store::testing::{PgServer, TestStore, database_of, on_both};
use iothome_store::{DatabaseUrl, Store, StoreError};

fn key(text: &str) -> Idempotency {
    Idempotency {
        key: text.to_owned(),
        body_sha256: format!("body of {text}"),
    }
}

async fn count(store: &Store) -> usize {
    let lamp = device_id("lamp");
    let all = store.commands_of(&lamp, None, usize::MAX, None).await;
    all.expect("read").len()
}

#[tokio::test]
async fn a_command_is_written_twice_and_reads_back() {
    on_both(async |store| {
        let (accepted, end) = (command(1), ended(1, Status::Confirmed));
        let write = CommandWrite::Accepted(accepted.clone(), Some(key("k")));
        store.write_commands(&[write]).await.expect("written");
        let read = store.command(accepted.id).await.expect("read");
        assert_eq!(read, Some(accepted.clone()));
        let open = store.open_commands(&accepted.device).await.expect("read");
        assert_eq!(open, [accepted]);
        store
            .write_commands(&[CommandWrite::Ended(end.clone())])
            .await
            .expect("written");
        assert_eq!(
            store.command(end.id).await.expect("read"),
            Some(end.clone())
        );
        assert!(store.open_commands_all().await.expect("read").is_empty());
        let by_key = store.command_by_key("k", NOW).await.expect("read");
        assert_eq!(by_key, Some((end, "body of k".to_owned())));
    })
    .await;
}

#[tokio::test]
async fn writing_again_changes_nothing_and_the_first_end_stands() {
    on_both(async |store| {
        let first = [
            CommandWrite::Accepted(command(1), Some(key("k"))),
            CommandWrite::Ended(ended(1, Status::Confirmed)),
        ];
        let again = [
            CommandWrite::Ended(ended(1, Status::TimedOut)),
            CommandWrite::Accepted(command(1), Some(key("other"))),
            CommandWrite::Ended(ended(1, Status::Rejected)),
        ];
        for batch in [&first[..], &first, &again] {
            store.write_commands(batch).await.expect("written");
        }
        let read = store.command(command_id(1)).await.expect("read");
        assert_eq!(read, Some(ended(1, Status::Confirmed)));
        assert_eq!(
            store.command_by_key("other", NOW).await.expect("read"),
            None
        );
        assert_eq!(count(&store).await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_end_without_an_acceptance_writes_the_whole_row() {
    on_both(async |store| {
        let end = ended(1, Status::Superseded);
        store
            .write_commands(&[CommandWrite::Ended(end.clone())])
            .await
            .expect("written");
        assert_eq!(
            store.command(end.id).await.expect("read"),
            Some(end.clone())
        );
        // The acceptance comes late: its key counts, its status does not.
        let late = CommandWrite::Accepted(command(1), Some(key("k")));
        store.write_commands(&[late]).await.expect("written");
        let by_key = store.command_by_key("k", NOW).await.expect("read");
        assert_eq!(by_key, Some((end, "body of k".to_owned())));
    })
    .await;
}

#[tokio::test]
async fn a_batch_of_any_length_and_order_is_folded_to_one_row_a_command() {
    on_both(async |store| {
        let mut batch = Vec::new();
        for n in 0..300 {
            batch.push(CommandWrite::Accepted(command(n), None));
            batch.push(CommandWrite::Sending(command_id(n)));
            if n % 3 == 0 {
                batch.push(CommandWrite::Ended(ended(n, Status::Delivered)));
                batch.push(CommandWrite::Ended(ended(n, Status::TimedOut)));
            }
        }
        store.write_commands(&batch).await.expect("written");
        store.write_commands(&[]).await.expect("no work");
        let lamp = device_id("lamp");
        let all = store.commands_of(&lamp, None, 1_000, None).await;
        let all = all.expect("read");
        assert_eq!(all.len(), 300);
        assert!(all.iter().all(|c| c.sending));
        assert!(all.iter().all(|c| c.status != Status::TimedOut));
        let open = store.open_commands_all().await.expect("read");
        assert_eq!(open.len(), 200);
    })
    .await;
}

#[tokio::test]
async fn the_mark_of_sending_outlives_the_batch() {
    on_both(async |store| {
        let accept = CommandWrite::Accepted(command(1), None);
        store.write_commands(&[accept]).await.expect("written");
        let sending = CommandWrite::Sending(command_id(1));
        store.write_commands(&[sending]).await.expect("written");
        let end = CommandWrite::Ended(ended(1, Status::TimedOut));
        store.write_commands(&[end]).await.expect("written");
        let read = store.command(command_id(1)).await.expect("read");
        assert!(read.expect("there").sending);
    })
    .await;
}

#[tokio::test]
async fn commands_come_newest_first_in_pages() {
    on_both(async |store| {
        let mut other = command(50);
        other.entity = "fan".parse().expect("an id");
        let mut batch: Vec<_> = (0..5)
            .map(|n| CommandWrite::Accepted(command(n), None))
            .collect();
        batch.push(CommandWrite::Accepted(other.clone(), None));
        store.write_commands(&batch).await.expect("written");
        let lamp = device_id("lamp");
        let light = "light".parse().expect("an id");
        let page = store.commands_of(&lamp, Some(&light), 2, None).await;
        assert_eq!(page.expect("read"), [command(4), command(3)]);
        let before = Some(command_id(3));
        let page = store.commands_of(&lamp, Some(&light), 9, before).await;
        assert_eq!(page.expect("read"), [command(2), command(1), command(0)]);
        let all = store.commands_of(&lamp, None, 1, None).await;
        assert_eq!(all.expect("read"), [other]);
        let none = store.commands_of(&device_id("fan"), None, 9, None).await;
        assert!(none.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_idempotency_key_counts_for_a_day_and_then_may_be_used_again() {
    on_both(async |store| {
        let write = CommandWrite::Accepted(command(0), Some(key("k")));
        store.write_commands(&[write]).await.expect("written");
        let day = NOW.plus_millis(86_400_000);
        let just = store.command_by_key("k", day.plus_millis(-1)).await;
        assert!(just.expect("read").is_some());
        assert_eq!(store.command_by_key("k", day).await.expect("read"), None);
        let write = CommandWrite::Accepted(command(86_400_000), Some(key("k")));
        store.write_commands(&[write]).await.expect("written");
        let newer = store.command_by_key("k", day).await.expect("read");
        assert_eq!(newer.expect("there").0.id, command_id(86_400_000));
        assert_eq!(count(&store).await, 2);
    })
    .await;
}

#[tokio::test]
async fn old_commands_are_pruned_but_never_an_open_one() {
    on_both(async |store| {
        let mut batch: Vec<_> = (0..1_200)
            .map(|n| CommandWrite::Ended(ended(n, Status::Confirmed)))
            .collect();
        batch.push(CommandWrite::Accepted(command(1_200), None));
        batch.push(CommandWrite::Ended(ended(5_000, Status::Confirmed)));
        store.write_commands(&batch).await.expect("written");
        let pruned = store.prune_commands(NOW.plus_millis(5_000)).await;
        assert_eq!(pruned.expect("pruned"), 1_200);
        assert_eq!(count(&store).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_text_with_a_nul_is_kept_without_it() {
    on_both(async |store| {
        let mut odd = command(1);
        odd.end(NOW, Status::Rejected, Some("a\0b".to_owned()));
        odd.value = Some(serde_json::json!("x\0y"));
        store
            .write_commands(&[CommandWrite::Ended(odd.clone())])
            .await
            .expect("written");
        let read = store.command(odd.id).await.expect("read").expect("there");
        assert_eq!(read.reason.as_deref(), Some("a\u{fffd}b"));
        assert_eq!(read.value, odd.value);
    })
    .await;
}

/// Commands of the batch that is interrupted; enough to be caught in the middle.
const MANY: u32 = 4_000;

fn big_batch() -> Vec<CommandWrite> {
    (0..MANY)
        .map(|n| CommandWrite::Accepted(command(n), None))
        .collect()
}

#[tokio::test]
async fn a_batch_whose_writer_is_dropped_is_written_whole_or_not_at_all() {
    on_both(async |store| {
        let batch = big_batch();
        let writing = store.write_commands(&batch);
        // Dropped at its first wait after the deadline, whatever it is doing then.
        let cut = tokio::time::timeout(std::time::Duration::from_millis(20), writing).await;
        let written = count(&store).await;
        match cut {
            Ok(done) => done.expect("written"),
            Err(_) => assert!(written == 0 || written == MANY as usize, "{written}"),
        }
        store.write_commands(&batch).await.expect("written");
        assert_eq!(count(&store).await, MANY as usize);
    })
    .await;
}

#[tokio::test]
async fn a_connection_killed_in_the_middle_of_a_batch_loses_nothing_half_written() {
    let store = TestStore::postgres().await;
    let DatabaseUrl::Postgres(url) = store.url.clone() else {
        panic!("it is PostgreSQL");
    };
    let writer = store.store.clone();
    let writing = tokio::spawn(async move { writer.write_commands(&big_batch()).await });
    // Waits until the server has seen the first rows of the open transaction.
    let killed = tokio::task::spawn_blocking(move || {
        loop {
            // Other tests write to other databases of the same server.
            let begun = PgServer::shared().sql(
                "postgres",
                &format!(
                    "SELECT COUNT(*) FROM pg_stat_activity
                     WHERE backend_xid IS NOT NULL AND application_name = 'iothome'
                       AND datname = '{}' AND query LIKE 'INSERT INTO commands%'",
                    database_of(&url)
                ),
            );
            if begun != "0" {
                return PgServer::shared().cut_connections(&url);
            }
        }
    });
    let error = tokio::select! {
        written = writing => written.expect("no panic").expect_err("its connection was cut"),
        () = tokio::time::sleep(std::time::Duration::from_secs(30)) => panic!("not cut"),
    };
    killed.await.expect("no panic");
    assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
    assert_eq!(count(&store).await, 0);
    store.write_commands(&big_batch()).await.expect("written");
    assert_eq!(count(&store).await, MANY as usize);
    let open = store.open_commands_all().await.expect("read");
    assert_eq!(open[7], make::command(7));
}
