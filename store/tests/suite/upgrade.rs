//! Upgrades: from nothing and from every schema that there was, with data in it.
//!
//! A new migration needs a fixture in `fixtures/` that fills what it brought.

use crate::backup::{House, house, lines, new_files, new_server};
use iothome_store::testing::Folder;
use iothome_store::{DatabaseUrl, Store, StoreError};
use serde_json::Value;
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, SqlSafeStr as _, SqlStr};
use std::collections::BTreeMap;

static FILES: Migrator = sqlx::migrate!("../migrations/sqlite/house");
static HISTORY: Migrator = sqlx::migrate!("../migrations/sqlite/history");
static SERVER: Migrator = sqlx::migrate!("../migrations/postgres");

/// What fills the house after its first, second, … migration.
const HOUSE_ROWS: [&str; 4] = [
    include_str!("../fixtures/house_1.sql"),
    include_str!("../fixtures/house_2.sql"),
    include_str!("../fixtures/house_3.sql"),
    include_str!("../fixtures/house_4.sql"),
];
/// The history has had one schema so far; it is there from the first on.
const HISTORY_ROWS: &str = include_str!("../fixtures/history_1.sql");

/// The number of schemas that a house has had.
pub(crate) fn latest() -> usize {
    FILES.iter().count()
}

/// The migrations of these names.
fn named(all: &Migrator, names: &[&str]) -> Migrator {
    let some = all.iter().filter(|m| names.contains(&&*m.description));
    Migrator::with_migrations(some.cloned().collect())
}

fn text(sql: &'static str) -> SqlStr {
    sql.into_sql_str()
}

/// Makes the database as it was at this schema of the house, with rows in every table.
pub(crate) async fn filled(url: &DatabaseUrl, schema: usize) {
    let house: Vec<&str> = FILES.iter().map(|m| &*m.description).collect();
    match url {
        DatabaseUrl::Sqlite {
            house: file,
            history,
        } => {
            let address = |path: &std::path::Path| format!("sqlite:{}?mode=rwc", path.display());
            let mut at = sqlx::SqliteConnection::connect(&address(file))
                .await
                .expect("made");
            for step in 0..schema {
                let migrations = named(&FILES, &house[..=step]);
                migrations.run(&mut at).await.expect("raised");
                let run = sqlx::raw_sql(text(HOUSE_ROWS[step])).execute(&mut at);
                run.await.expect("filled");
            }
            at.close().await.expect("closed");
            let mut at = sqlx::SqliteConnection::connect(&address(history))
                .await
                .expect("made");
            HISTORY.run(&mut at).await.expect("raised");
            let run = sqlx::raw_sql(text(HISTORY_ROWS)).execute(&mut at);
            run.await.expect("filled");
            at.close().await.expect("closed");
            for path in [file, history] {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = std::fs::Permissions::from_mode(0o600);
                std::fs::set_permissions(path, mode).expect("set");
            }
        }
        DatabaseUrl::Postgres(address) => {
            let mut at = sqlx::PgConnection::connect(address).await.expect("opened");
            for step in 0..schema {
                let mut names = vec!["history"];
                names.extend(&house[..=step]);
                named(&SERVER, &names).run(&mut at).await.expect("raised");
                if step == 0 {
                    let run = sqlx::raw_sql(text(HISTORY_ROWS)).execute(&mut at);
                    run.await.expect("filled");
                }
                let run = sqlx::raw_sql(text(HOUSE_ROWS[step])).execute(&mut at);
                run.await.expect("filled");
            }
            at.close().await.expect("closed");
        }
    }
}

#[test]
fn both_databases_have_the_same_migrations_under_the_same_names() {
    let names = |all: &Migrator| -> Vec<String> {
        let names = all.iter().map(|m| m.description.to_string());
        names.collect()
    };
    let mut files = [names(&FILES), names(&HISTORY)].concat();
    let mut server = names(&SERVER);
    files.sort();
    server.sort();
    assert_eq!(files, server);
    assert_eq!(latest(), HOUSE_ROWS.len(), "a schema has no fixture");
    assert_eq!(HISTORY.iter().count(), 1, "the history has a new schema");
}

#[tokio::test]
async fn the_fixtures_fill_every_table() {
    let folder = Folder::new("full");
    for url in [new_files(&folder), new_server()] {
        filled(&url, latest()).await;
        let empty: Vec<String> = house(&url).await.1.into_iter().filter_map(empty).collect();
        assert_eq!(empty, Vec::<String>::new());
    }
}

fn empty((table, rows): (String, Vec<String>)) -> Option<String> {
    rows.is_empty().then_some(table)
}

/// Every row of `before` is in `after`, whatever columns it has got besides.
fn assert_kept(before: &House, after: &House, step: usize) {
    let parse = |row: &String| serde_json::from_str::<Value>(row).expect("an object");
    for (table, rows) in &before.1 {
        let now: Vec<Value> = after.1[table].iter().map(parse).collect();
        for row in rows.iter().map(parse) {
            let old = row.as_object().expect("an object");
            let same = |new: &Value| old.iter().all(|(key, value)| new.get(key) == Some(value));
            assert!(now.iter().any(same), "schema {step}: {table} lost {row}");
        }
        assert!(now.len() >= rows.len());
    }
}

#[tokio::test]
async fn a_house_of_every_schema_is_raised_and_loses_nothing() {
    for step in 1..=latest() {
        let folder = Folder::new("step");
        for url in [new_files(&folder), new_server()] {
            filled(&url, step).await;
            let before = house(&url).await;
            let store = Store::open(&url).await.expect("raised");
            assert_eq!(store.count_admins().await.expect("read"), 1);
            assert!(!store.rooms().await.expect("read").is_empty());
            store.close().await;
            let after = house(&url).await;
            assert_kept(&before, &after, step);
            assert_eq!(after.0.len(), SERVER.iter().count());
            // Raising it again changes nothing.
            Store::open(&url).await.expect("opened").close().await;
            assert_eq!(after, house(&url).await);
        }
    }
}

#[tokio::test]
async fn rooms_that_devices_named_became_rooms() {
    let folder = Folder::new("named");
    for url in [new_files(&folder), new_server()] {
        filled(&url, 1).await;
        Store::open(&url).await.expect("raised").close().await;
        let (_, lines) = lines(&url).await;
        let rooms = &crate::backup::sorted(&lines)["rooms"];
        let text = rooms.join("\n");
        assert_eq!(rooms.len(), 2, "{text}");
        assert!(text.contains("Küche") && text.contains("Hall"), "{text}");
    }
}

#[tokio::test]
async fn an_upgrade_that_fails_leaves_a_lived_in_house_as_it_was() {
    // The last table of the last of two migrations is in the way: all before it has run by then.
    const STRANGER: &str = "CREATE TABLE sealed_passwords (what TEXT NOT NULL)";
    const AWAY: &str = "DROP TABLE sealed_passwords";
    let folder = Folder::new("failing");
    for url in [new_files(&folder), new_server()] {
        filled(&url, latest() - 2).await;
        let before = house(&url).await;
        crate::opening::sql(&url, false, STRANGER).await;
        for _ in 0..2 {
            let error = Store::open(&url).await.expect_err("it is in the way");
            assert!(matches!(error, StoreError::Migration { .. }), "{error:?}");
            let text = error.to_string();
            assert!(text.contains("left as it was"), "{text}");
        }
        crate::opening::sql(&url, false, AWAY).await;
        let after = house(&url).await;
        assert_eq!(before, after);
        let tables: BTreeMap<String, Vec<String>> = after.1;
        assert!(!tables.contains_key("schedules"), "nothing was left behind");
        Store::open(&url).await.expect("raised").close().await;
    }
}
