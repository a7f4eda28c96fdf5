//! Opening, migrating, refusing, locking.

use crate::make::{self, NOW};
use iothome_engine::policy::Role;
use iothome_store::testing::{Folder, PgServer, TestStore, database_of, on_both};
use iothome_store::{DatabaseUrl, Store, StoreError};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// Runs SQL text on a database from outside the store.
pub(crate) async fn sql(url: &DatabaseUrl, history: bool, text: &'static str) {
    match url {
        DatabaseUrl::Sqlite {
            house,
            history: other,
        } => {
            let file = if history { other } else { house };
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(file)
                .create_if_missing(true);
            let pool = sqlx::SqlitePool::connect_with(options)
                .await
                .expect("opened");
            sqlx::raw_sql(text).execute(&pool).await.expect("run");
            pool.close().await;
        }
        DatabaseUrl::Postgres(url) => {
            PgServer::shared().sql(database_of(url), text);
        }
    }
}

fn private(file: &Path) {
    std::fs::File::create(file).expect("made");
    std::fs::set_permissions(file, Permissions::from_mode(0o600)).expect("set");
}

fn mode(file: &Path) -> u32 {
    let meta = std::fs::metadata(file).expect("there");
    meta.permissions().mode() & 0o777
}

#[tokio::test]
async fn what_was_stored_is_there_when_opened_again() {
    on_both(async |store| {
        let adam = make::user(1, "adam", Role::Admin);
        store.create_user(&adam).await.expect("made");
        store.check().await.expect("it answers");
        assert!(store.size_bytes().await.expect("measured") > 0);
        store.close().await;
        let closed = store.check().await.expect_err("it is closed");
        assert!(closed.is_passing(), "{closed:?}");
        let again = Store::open(&store.url).await.expect("opened");
        assert_eq!(again.count_admins().await.expect("read"), 1);
        again.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_database_from_the_future_is_refused_in_one_clear_sentence() {
    const LATER: &str = "INSERT INTO _sqlx_migrations
        (version, description, success, checksum, execution_time)
        VALUES (9999, 'later', TRUE, 'x', 1)";
    on_both(async |store| {
        for history in [false, true] {
            store.close().await;
            sql(&store.url, history, LATER).await;
            let error = Store::open(&store.url).await.expect_err("too new");
            assert!(
                matches!(error, StoreError::FromTheFuture { version: 9999, .. }),
                "{error:?}"
            );
            let text = error.to_string();
            assert!(text.contains("newer version of IoT Home"), "{text}");
            assert!(text.contains("IOTHOME_DATABASE_URL"), "{text}");
            if store.kind() == "postgresql" {
                break;
            }
            sql(
                &store.url,
                history,
                "DELETE FROM _sqlx_migrations WHERE version = 9999",
            )
            .await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_database_as_it_was() {
    // Somebody else's table stands where the migration wants to put one of ours.
    const STRANGER: &str = "CREATE TABLE commands (what TEXT)";
    let folder = Folder::new("stranger");
    let file = folder.path().join("house.db");
    private(&file);
    let files = DatabaseUrl::sqlite(&file).expect("a file name");
    let server = DatabaseUrl::Postgres(PgServer::shared().new_database());
    for url in [files, server] {
        sql(&url, false, STRANGER).await;
        for _ in 0..2 {
            let error = Store::open(&url).await.expect_err("it is in the way");
            assert!(matches!(error, StoreError::Migration { .. }), "{error:?}");
            assert!(error.to_string().contains("commands"), "{error}");
        }
        // Nothing of ours was left behind, so taking the stranger away is enough.
        sql(&url, false, "DROP TABLE commands").await;
        let store = Store::open(&url).await.expect("opened");
        store.close().await;
    }
}

#[tokio::test]
async fn several_programs_may_open_a_new_database_at_once() {
    let folder = Folder::new("many");
    let files = DatabaseUrl::sqlite(&folder.path().join("house.db")).expect("a file name");
    let server = DatabaseUrl::Postgres(PgServer::shared().new_database());
    for url in [files, server] {
        let opening: Vec<_> = (0..4)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move { Store::open(&url).await })
            })
            .collect();
        for one in opening {
            let store = one.await.expect("no panic").expect("opened");
            store.check().await.expect("it answers");
            store.close().await;
        }
    }
}

#[tokio::test]
async fn database_files_are_their_owners_alone() {
    let store = TestStore::sqlite().await;
    let adam = make::user(1, "adam", Role::Admin);
    store.create_user(&adam).await.expect("made");
    let DatabaseUrl::Sqlite { house, history } = &store.url else {
        panic!("it is SQLite");
    };
    for file in [house, history] {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = file.clone().into_os_string();
            name.push(suffix);
            assert_eq!(mode(Path::new(&name)), 0o600, "{}", name.display());
        }
    }
    store.close().await;
    std::fs::set_permissions(history, Permissions::from_mode(0o640)).expect("set");
    let error = Store::open(&store.url).await.expect_err("others may read");
    assert!(error.to_string().contains("chmod 600"), "{error}");
}

#[tokio::test]
async fn a_folder_that_will_not_do_is_named() {
    let folder = Folder::new("open");
    let url = |path: &Path| DatabaseUrl::sqlite(&path.join("house.db")).expect("a file name");
    let missing = folder.path().join("missing");
    let error = Store::open(&url(&missing)).await.expect_err("no folder");
    assert!(error.to_string().contains("missing"), "{error}");
    private(&folder.path().join("file"));
    let file = folder.path().join("file");
    let error = Store::open(&url(&file)).await.expect_err("no folder");
    assert!(matches!(error, StoreError::File { .. }), "{error}");
    let wide = folder.path().join("wide");
    std::fs::create_dir(&wide).expect("made");
    std::fs::set_permissions(&wide, Permissions::from_mode(0o777)).expect("set");
    let error = Store::open(&url(&wide)).await.expect_err("too wide");
    assert!(error.to_string().contains("everybody may write"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = Folder::new("garbage");
    let file = folder.path().join("house.db");
    private(&file);
    std::fs::write(&file, "It was a dark and stormy night. ".repeat(99)).expect("written");
    let url = DatabaseUrl::sqlite(&file).expect("a file name");
    let error = Store::open(&url).await.expect_err("no database");
    let text = error.to_string();
    assert!(
        text.contains("house.db") && text.contains("not a database"),
        "{text}"
    );
    let kept = std::fs::read_to_string(&file).expect("there");
    assert!(kept.starts_with("It was a dark"), "it was not touched");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_without_the_password() {
    let folder = Folder::new("away");
    let text = format!(
        "postgres://home:s3cret@localhost/none?host={}",
        folder.path().display()
    );
    let url = DatabaseUrl::parse(&text).expect("an address");
    let error = Store::open(&url).await.expect_err("nobody is there");
    assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
    let told = format!("{error} {error:?}");
    assert!(
        told.contains("IOTHOME_DATABASE_URL") && !told.contains("s3cret"),
        "{told}"
    );
}

#[tokio::test]
async fn a_house_file_has_one_hub_and_a_second_learns_whose() {
    let store = TestStore::sqlite().await;
    let lock = store.try_lock_house().await.expect("free").expect("got");
    let second = Store::open(&store.url).await.expect("reading is allowed");
    let error = second.try_lock_house().await.err().expect("locked");
    let own = std::process::id();
    assert!(
        matches!(error, StoreError::Locked { pid: Some(pid) } if pid == own),
        "{error:?}"
    );
    assert!(error.to_string().contains(&own.to_string()), "{error}");
    let waiting = tokio::time::timeout(Duration::from_millis(50), lock.lost()).await;
    assert!(waiting.is_err(), "a file lock is not lost");
    lock.release().await;
    let lock = second.try_lock_house().await.expect("free").expect("got");
    drop(lock);
    assert!(store.try_lock_house().await.expect("free").is_some());
}

#[tokio::test]
async fn a_house_on_a_server_has_one_hub_and_a_second_stands_by() {
    let store = TestStore::postgres().await;
    let lock = store.try_lock_house().await.expect("free").expect("got");
    let second = Store::open(&store.url).await.expect("opened");
    assert!(second.try_lock_house().await.expect("asked").is_none());
    let other = TestStore::postgres().await;
    let elsewhere = other.try_lock_house().await.expect("asked");
    assert!(elsewhere.is_some(), "another house is another lock");
    lock.release().await;
    let taken = second.try_lock_house().await.expect("free");
    assert!(taken.is_some());
}

#[tokio::test]
async fn a_hub_whose_connection_is_cut_learns_that_the_house_is_lost() {
    let store = TestStore::postgres().await;
    let DatabaseUrl::Postgres(url) = store.url.clone() else {
        panic!("it is PostgreSQL");
    };
    let lock = store.try_lock_house().await.expect("free").expect("got");
    let cut = tokio::task::spawn_blocking(move || PgServer::shared().cut_connections(&url));
    cut.await.expect("cut");
    tokio::time::timeout(Duration::from_secs(30), lock.lost())
        .await
        .expect("noticed");
    // The store itself goes on with new connections, and the house is free again.
    store.set_setting("a", "b").await.expect("written");
    assert!(store.try_lock_house().await.expect("free").is_some());
    let adam = make::user(1, "adam", Role::Admin);
    store.create_user(&adam).await.expect("made");
    assert_eq!(store.open_span(NOW).await.expect("opened"), 1);
}

#[tokio::test]
async fn the_size_is_noted_once_a_day_for_a_month() {
    on_both(async |store| {
        let day = |n: i64| NOW.plus_millis(n * 86_400_000);
        store.note_size(day(0)).await.expect("noted");
        store
            .note_size(day(0).plus_millis(3_600_000))
            .await
            .expect("not noted");
        let first = store.noted_sizes().await.expect("read");
        assert_eq!(first.len(), 1);
        assert!(first[0].bytes > 0 && first[0].at == day(0));
        for n in 1..40 {
            store.note_size(day(n)).await.expect("noted");
        }
        let month = store.noted_sizes().await.expect("read");
        assert_eq!((month.len(), month[0].at), (30, day(10)));
        // A clock that was set back: what was measured later is forgotten.
        store.note_size(day(12)).await.expect("noted");
        let back = store.noted_sizes().await.expect("read");
        assert_eq!(back.last().map(|size| size.at), Some(day(12)));
    })
    .await;
}
