//! Backup and restore: all of the house, from one moment, on either database.

use crate::make::{self, NOW};
use crate::upgrade::{filled, latest};
use iothome_engine::policy::Role;
use iothome_store::testing::{Folder, PgServer, on_both};
use iothome_store::{BackupLine, DatabaseUrl, DumpedHouse, Restoring, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A house: its schema, and each table's rows as sorted text.
pub(crate) type House = (Vec<String>, BTreeMap<String, Vec<String>>);

/// Every line of the backup of a database.
pub(crate) async fn lines(url: &DatabaseUrl) -> (Vec<String>, Vec<BackupLine>) {
    let dumped = DumpedHouse::open(url).await.expect("it opens");
    let schema = dumped.schema().to_vec();
    let mut lines = Vec::new();
    let told = dumped.tell(|line| {
        lines.push(line);
        Ok(())
    });
    let rows = told.await.expect("it is read");
    let counted = lines.iter().filter(|l| matches!(l, BackupLine::Row(_)));
    assert_eq!(rows, counted.count() as u64);
    (schema, lines)
}

/// The same, with each row as an object's text, so that the order of columns does not count.
pub(crate) fn sorted(lines: &[BackupLine]) -> BTreeMap<String, Vec<String>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut at = (String::new(), Vec::new());
    for line in lines {
        match line {
            BackupLine::Table { name, columns } => {
                tables.insert(name.clone(), Vec::new());
                at = (name.clone(), columns.clone());
            }
            BackupLine::Row(values) => {
                let pairs = at.1.iter().cloned().zip(values.iter().cloned());
                let row: serde_json::Map<String, serde_json::Value> = pairs.collect();
                let text = serde_json::Value::Object(row).to_string();
                tables.get_mut(&at.0).expect("a table").push(text);
            }
        }
    }
    tables.values_mut().for_each(|rows| rows.sort());
    tables
}

pub(crate) async fn house(url: &DatabaseUrl) -> House {
    let (mut schema, lines) = lines(url).await;
    schema.sort();
    (schema, sorted(&lines))
}

/// Puts a backup into a database.
pub(crate) async fn put(
    url: &DatabaseUrl,
    schema: &[String],
    lines: Vec<BackupLine>,
    replace: bool,
) -> Result<(), StoreError> {
    let mut restoring = Restoring::begin(url, schema, replace).await?;
    for line in lines {
        restoring.take(line).await?;
    }
    restoring.finish(|| Ok(())).await
}

pub(crate) fn new_files(folder: &Folder) -> DatabaseUrl {
    DatabaseUrl::sqlite(&folder.path().join("house.db")).expect("a file name")
}

pub(crate) fn new_server() -> DatabaseUrl {
    DatabaseUrl::Postgres(PgServer::shared().new_database())
}

#[tokio::test]
async fn a_house_goes_from_files_to_a_server_and_back_with_every_row_the_same() {
    let (first, last) = (Folder::new("first"), Folder::new("last"));
    let files = new_files(&first);
    filled(&files, latest()).await;
    let before = house(&files).await;
    assert!(before.1.values().all(|rows| !rows.is_empty()), "{before:?}");

    let server = new_server();
    let (schema, all) = lines(&files).await;
    put(&server, &schema, all, false).await.expect("restored");
    let between = house(&server).await;
    assert_eq!(before, between);

    let again = new_files(&last);
    let (schema, all) = lines(&server).await;
    put(&again, &schema, all, false).await.expect("restored");
    assert_eq!(before, house(&again).await);
}

#[tokio::test]
async fn a_backup_of_every_older_schema_is_raised_to_this_one() {
    for step in 1..=latest() {
        let (old, new) = (Folder::new("old"), Folder::new("new"));
        for url in [new_files(&old), new_server()] {
            filled(&url, step).await;
            let (schema, all) = lines(&url).await;
            // What opening the database makes of it is what restoring must make of it.
            Store::open(&url).await.expect("raised").close().await;
            let raised = house(&url).await;
            let target = match url {
                DatabaseUrl::Sqlite { .. } => new_server(),
                DatabaseUrl::Postgres(_) => new_files(&new),
            };
            put(&target, &schema, all, false).await.expect("restored");
            assert_eq!(raised, house(&target).await, "from schema {step}");
        }
    }
}

#[tokio::test]
async fn what_is_numbered_goes_on_from_the_last_number() {
    let folder = Folder::new("numbers");
    let files = new_files(&folder);
    filled(&files, latest()).await;
    let (schema, all) = lines(&files).await;
    let server = new_server();
    put(&server, &schema, all, false).await.expect("restored");
    let store = Store::open(&server).await.expect("opened");
    assert_eq!(store.open_span(NOW).await.expect("opened"), 3);
    report(&store, "brightness", 1, 2.0).await;
    store.close().await;
}

async fn report(store: &Store, entity: &str, at: i64, value: f64) {
    let value = crate::history::number(value);
    crate::history::write(store, vec![crate::history::sample(entity, at, value)]).await;
}

/// Every table of a database, from its own catalogue.
async fn catalogue(url: &DatabaseUrl) -> BTreeSet<String> {
    let rows: Vec<(String,)> = match url {
        DatabaseUrl::Sqlite { house, history } => {
            let mut rows = Vec::new();
            for file in [house, history] {
                let address = format!("sqlite:{}", file.display());
                let pool = sqlx::SqlitePool::connect(&address).await.expect("opened");
                let sql = "SELECT name FROM sqlite_master
                           WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
                rows.extend(sqlx::query_as(sql).fetch_all(&pool).await.expect("read"));
                pool.close().await;
            }
            rows
        }
        DatabaseUrl::Postgres(address) => {
            let pool = sqlx::PgPool::connect(address).await.expect("opened");
            let sql = "SELECT table_name::text FROM information_schema.tables
                       WHERE table_schema = current_schema()";
            let rows = sqlx::query_as(sql).fetch_all(&pool).await.expect("read");
            pool.close().await;
            rows
        }
    };
    let names = rows.into_iter().map(|(name,)| name);
    names.filter(|name| name != "_sqlx_migrations").collect()
}

#[tokio::test]
async fn a_backup_holds_every_table_but_sessions() {
    on_both(async |store| {
        let (_, lines) = lines(&store.url).await;
        let mut told: BTreeSet<String> = sorted(&lines).into_keys().collect();
        assert!(told.insert("sessions".to_owned()), "sessions are left out");
        assert_eq!(told, catalogue(&store.url).await);
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_there_is_replaced_only_when_asked_and_whole() {
    let folder = Folder::new("source");
    let source = new_files(&folder);
    filled(&source, latest()).await;
    let (schema, all) = lines(&source).await;
    let expected = house(&source).await;
    on_both(async |store| {
        let eve = make::user(1, "eve", Role::Admin);
        store.create_user(&eve).await.expect("made");
        store.close().await;
        let before = house(&store.url).await;
        let refused = put(&store.url, &schema, all.clone(), false).await;
        assert!(
            matches!(refused, Err(StoreError::NotEmpty { .. })),
            "{refused:?}"
        );
        assert_eq!(before, house(&store.url).await);

        // Cut off in the middle: the old one is whole, also when it was to be replaced.
        let mut half = Restoring::begin(&store.url, &schema, true)
            .await
            .expect("begun");
        for line in all.iter().take(all.len() / 2).cloned() {
            half.take(line).await.expect("taken");
        }
        drop(half);
        assert_eq!(before, house(&store.url).await);
        let mut spoilt = all.clone();
        spoilt.push(BackupLine::Row(vec![serde_json::Value::from(1)]));
        let refused = put(&store.url, &schema, spoilt, true).await;
        assert!(
            matches!(refused, Err(StoreError::BadBackup { .. })),
            "{refused:?}"
        );
        assert_eq!(before, house(&store.url).await);

        put(&store.url, &schema, all.clone(), true)
            .await
            .expect("replaced");
        assert_eq!(expected, house(&store.url).await);
        let again = Store::open(&store.url).await.expect("a hub may use it");
        assert_eq!(again.count_admins().await.expect("read"), 1);
        again.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_backup_from_the_future_is_refused() {
    on_both(async |store| {
        store.close().await;
        let (mut schema, all) = lines(&store.url).await;
        schema.push("teleporters".to_owned());
        let refused = put(&store.url, &schema, all, true).await;
        let text = refused.expect_err("too new").to_string();
        assert!(
            text.contains("newer version") && text.contains("teleporters"),
            "{text}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_house_with_a_hub_in_it_is_not_restored_into() {
    on_both(async |store| {
        let lock = store.try_lock_house().await.expect("asked").expect("free");
        let (schema, all) = lines(&store.url).await;
        let refused = put(&store.url, &schema, all, true).await;
        assert!(
            matches!(refused, Err(StoreError::Locked { .. })),
            "{refused:?}"
        );
        lock.release().await;
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn there_is_no_backup_of_nothing_and_nothing_is_made_by_looking() {
    let folder = Folder::new("nothing");
    let refused = DumpedHouse::open(&new_files(&folder)).await.err();
    assert!(matches!(refused, Some(StoreError::NotThere { .. })));
    let made = std::fs::read_dir(folder.path()).expect("there").count();
    assert_eq!(made, 0);
    let refused = DumpedHouse::open(&new_server()).await.err();
    assert!(matches!(refused, Some(StoreError::NotThere { .. })));
}

/// Writes until told to stop: each write is one transaction over several rows.
async fn write(store: Store, stop: Arc<AtomicBool>, written: Arc<AtomicU32>) {
    let mut number = 100;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let name = format!("box-{number}");
        let credential = make::credential(number, &name, None);
        store.create_credential(&credential).await.expect("made");
        let at = i64::from(number);
        report(&store, "temperature", at, 0.1 * f64::from(number)).await;
        written.store(number, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_one_moment_and_comes_back_row_by_row() {
    on_both(async |store| {
        let (stop, written) = (Arc::default(), Arc::new(AtomicU32::new(0)));
        let writing = tokio::spawn(write(
            (*store).clone(),
            Arc::clone(&stop),
            Arc::clone(&written),
        ));
        while written.load(Ordering::Relaxed) < 150 {
            tokio::task::yield_now().await;
        }
        let acknowledged = written.load(Ordering::Relaxed);
        let (schema, all) = lines(&store.url).await;
        stop.store(true, Ordering::Relaxed);
        writing.await.expect("no panic");
        let told = sorted(&all);
        // All that was acknowledged before is in it, and no write is in it by half.
        let credentials = told["credentials"].len();
        assert!(credentials >= (acknowledged - 100) as usize);
        assert_eq!(told["credential_topics"].len(), 2 * credentials);
        let whole = house(&store.url).await.1;
        for (table, rows) in &told {
            let there: BTreeSet<&String> = whole[table].iter().collect();
            assert!(rows.iter().all(|row| there.contains(row)), "{table}");
        }
        store.close().await;
        let folder = Folder::new("from-load");
        let target = match &store.url {
            DatabaseUrl::Sqlite { .. } => new_server(),
            DatabaseUrl::Postgres(_) => new_files(&folder),
        };
        put(&target, &schema, all, false).await.expect("restored");
        assert_eq!(told, house(&target).await.1);
    })
    .await;
}

#[tokio::test]
async fn a_restored_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (from, to) = (Folder::new("from"), Folder::new("to"));
    filled(&new_files(&from), latest()).await;
    let (schema, all) = lines(&new_files(&from)).await;
    put(&new_files(&to), &schema, all, false)
        .await
        .expect("restored");
    let DatabaseUrl::Sqlite { house, history } = new_files(&to) else {
        panic!("it is SQLite");
    };
    let mode = |file: &Path| std::fs::metadata(file).expect("there").permissions().mode();
    assert_eq!(mode(&house) & 0o777, 0o600);
    assert_eq!(mode(&history) & 0o777, 0o600);
}
