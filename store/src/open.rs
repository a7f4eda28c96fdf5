//! Opens a database and brings it up to date.
//!
//! Owner of files and their modes, pools and their bounds, and migrations. It
//! must never lower a database's version, and never leave one half raised.

use crate::StoreError;
use crate::db::{Db, LOCK_SPACE, Tx};
use crate::url::DatabaseUrl;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, PgPool};
use std::path::Path;
use std::time::Duration;

/// Longest wait for a connection or for another process's write to end. Longer
/// than any write of ours, shorter than the patience of somebody at a switch.
const WAIT: Duration = Duration::from_secs(5);
/// Longest wait for the first connection: a server that just boots gets there.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// Longest run of one statement on PostgreSQL; ours take milliseconds, a chunk
/// of retention at most a second.
const STATEMENT_MS: &str = "30000";
/// Connections of PostgreSQL's house pool: the journal, and requests beside it.
const HOUSE_CONNECTIONS: u32 = 8;
/// Connections of PostgreSQL's history pool: the recorder, and a few charts.
const HISTORY_CONNECTIONS: u32 = 4;
/// Readers a SQLite file; each holds up to 2 MB of cache.
const READERS: u32 = 2;
/// A reader that nobody needed for a minute gives its memory back.
const IDLE: Duration = Duration::from_secs(60);
/// The lock under which PostgreSQL is migrated.
const MIGRATION_LOCK: i32 = 0;

pub(crate) static SQLITE_HOUSE: Migrator = sqlx::migrate!("../migrations/sqlite/house");
pub(crate) static SQLITE_HISTORY: Migrator = sqlx::migrate!("../migrations/sqlite/history");
pub(crate) static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");

/// Opens house and history, in this order.
pub(crate) async fn open(url: &DatabaseUrl) -> Result<(Db, Db), StoreError> {
    match url {
        DatabaseUrl::Sqlite { house, history } => {
            let house = open_file(house, SqliteSynchronous::Full, &SQLITE_HOUSE).await?;
            let history = open_file(history, SqliteSynchronous::Normal, &SQLITE_HISTORY).await?;
            Ok((house, history))
        }
        DatabaseUrl::Postgres(text) => open_server(url, text).await,
    }
}

/// Longest rest within a backup's or a restore's transaction: the other end of a pipe may be slow,
/// but one that is gone must not hold back the server's cleaning for ever.
const SLOW_MS: &str = "600000";

/// Opens the databases without raising them: the house, and the history if it is apart.
///
/// With `read_only` nothing is made or written. Connections are made at the first use.
pub(crate) fn open_as_it_is(
    url: &DatabaseUrl,
    read_only: bool,
) -> Result<(Db, Option<Db>), StoreError> {
    match url {
        DatabaseUrl::Sqlite { house, history } => Ok((
            file_as_it_is(house, read_only)?,
            Some(file_as_it_is(history, read_only)?),
        )),
        DatabaseUrl::Postgres(text) => {
            let options = server_options(url, text)?.options([
                ("statement_timeout", "0"),
                ("idle_in_transaction_session_timeout", SLOW_MS),
            ]);
            Ok((Db::Postgres(pool(1, options)), None))
        }
    }
}

fn file_as_it_is(path: &Path, read_only: bool) -> Result<Db, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(WAIT);
    let options = if read_only {
        options.read_only(true)
    } else {
        prepare_file(path)?;
        options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", "16777216")
    };
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options);
    Ok(Db::Sqlite {
        write: pool.clone(),
        read: pool,
    })
}

async fn open_file(
    path: &Path,
    synchronous: SqliteSynchronous,
    migrations: &Migrator,
) -> Result<Db, StoreError> {
    prepare_file(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .foreign_keys(true)
        .busy_timeout(WAIT)
        // After a burst the log shrinks to this again.
        .pragma("journal_size_limit", "16777216");
    migrate_file(path, &options, migrations).await?;
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone())
        .await?;
    let read = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(WAIT)
        .idle_timeout(IDLE)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Db::Sqlite { write, read })
}

/// Makes the file readable by its owner alone before anything is in it; SQLite
/// gives its `-wal` and `-shm` files the same mode.
fn prepare_file(path: &Path) -> Result<(), StoreError> {
    let refuse = |at: &Path, problem: String| StoreError::File {
        path: at.to_owned(),
        problem,
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let meta = std::fs::metadata(folder).map_err(|e| refuse(folder, e.to_string()))?;
    if !meta.is_dir() {
        return Err(refuse(folder, "it is not a folder".to_owned()));
    }
    check_folder_mode(&meta).map_err(|problem| refuse(folder, problem))?;
    let file = private(
        std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false),
    )
    .open(path)
    .map_err(|e| refuse(path, e.to_string()))?;
    let meta = file.metadata().map_err(|e| refuse(path, e.to_string()))?;
    if !meta.is_file() {
        return Err(refuse(path, "it is not a file".to_owned()));
    }
    check_file_mode(&meta).map_err(|problem| refuse(path, problem))
}

/// A file that is made is its owner's alone.
#[cfg(unix)]
pub(crate) fn private(options: &mut std::fs::OpenOptions) -> &mut std::fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
pub(crate) fn private(options: &mut std::fs::OpenOptions) -> &mut std::fs::OpenOptions {
    options
}

#[cfg(unix)]
fn check_folder_mode(meta: &std::fs::Metadata) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    if meta.permissions().mode() & 0o002 != 0 {
        return Err("everybody may write in this folder: run `chmod o-w` on it".to_owned());
    }
    Ok(())
}

#[cfg(unix)]
fn check_file_mode(meta: &std::fs::Metadata) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "others may read it (mode {mode:o}): run `chmod 600` on it"
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_folder_mode(_: &std::fs::Metadata) -> Result<(), String> {
    Ok(())
}

#[cfg(not(unix))]
fn check_file_mode(_: &std::fs::Metadata) -> Result<(), String> {
    Ok(())
}

async fn migrate_file(
    path: &Path,
    options: &SqliteConnectOptions,
    migrations: &Migrator,
) -> Result<(), StoreError> {
    let place = path.display().to_string();
    let mut connection = SqliteConnection::connect_with(options)
        .await
        .map_err(|e| unusable_file(path, e))?;
    // One transaction around all that is pending: it is raised whole or not at all.
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    without_own_lock(migrations)
        .run_direct(None, &mut *tx, false)
        .await
        .map_err(|e| migration_error(e, &place))?;
    tx.commit().await?;
    connection.close().await?;
    Ok(())
}

/// What SQLite says of a file that is not its own names no file.
fn unusable_file(path: &Path, error: sqlx::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Sql(e) => StoreError::File {
            path: path.to_owned(),
            problem: e.to_string(),
        },
        other => other,
    }
}

async fn open_server(url: &DatabaseUrl, text: &str) -> Result<(Db, Db), StoreError> {
    let options = server_options(url, text)?;
    migrate_server(&options, &url.to_string()).await?;
    let house = pool(HOUSE_CONNECTIONS, options.clone());
    // Losing the last moments of history in a power cut is what SQLite's NORMAL does too.
    let history = pool(
        HISTORY_CONNECTIONS,
        options.options([("synchronous_commit", "off")]),
    );
    Ok((Db::Postgres(house), Db::Postgres(history)))
}

/// The address, with bounds on every wait and a quick end of a connection whose host is gone.
pub(crate) fn server_options(
    url: &DatabaseUrl,
    text: &str,
) -> Result<PgConnectOptions, StoreError> {
    let options: PgConnectOptions = text.parse().map_err(|e: sqlx::Error| StoreError::Url {
        url: url.to_string(),
        problem: e.to_string(),
    })?;
    Ok(options.application_name("iothome").options([
        ("statement_timeout", STATEMENT_MS),
        ("lock_timeout", "5000"),
        ("idle_in_transaction_session_timeout", STATEMENT_MS),
        // A machine that vanished must not hold the house: its connections end within four
        // seconds, and whoever stands by takes over.
        ("tcp_keepalives_idle", "2"),
        ("tcp_keepalives_interval", "1"),
        ("tcp_keepalives_count", "2"),
        ("tcp_user_timeout", "4000"),
    ]))
}

fn pool(connections: u32, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(WAIT)
        .connect_lazy_with(options)
}

/// One connection outside the pools.
pub(crate) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    match tokio::time::timeout(CONNECT_WAIT, PgConnection::connect_with(options)).await {
        Ok(Ok(connection)) => Ok(connection),
        // Whatever it is (refused, no such database, wrong password): there is no database for us.
        Ok(Err(e)) => Err(StoreError::Unreachable(e)),
        Err(_) => Err(StoreError::Unreachable(sqlx::Error::PoolTimedOut)),
    }
}

async fn migrate_server(options: &PgConnectOptions, place: &str) -> Result<(), StoreError> {
    // A migration may take longer than a statement of daily life, and another
    // hub may be at it: wait for both.
    let patient = options
        .clone()
        .options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    let mut connection = connect(&patient).await?;
    let mut tx = connection.begin().await?;
    lock_migration(&mut tx).await?;
    without_own_lock(&POSTGRES)
        .run_direct(None, &mut *tx, false)
        .await
        .map_err(|e| migration_error(e, place))?;
    tx.commit().await?;
    connection.close().await?;
    Ok(())
}

async fn lock_migration(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
        .bind(LOCK_SPACE)
        .bind(MIGRATION_LOCK)
        .execute(connection)
        .await?;
    Ok(())
}

/// Lets nobody else migrate until the transaction ends; SQLite has one writer anyway.
pub(crate) async fn take_migration_lock(tx: &mut Tx) -> Result<(), StoreError> {
    if let Tx::Postgres(tx) = tx {
        lock_migration(tx).await?;
    }
    Ok(())
}

/// The migrator's own lock would be let go before our transaction ends.
pub(crate) fn without_own_lock(migrations: &Migrator) -> Migrator {
    let mut copy = Migrator::with_migrations(migrations.iter().cloned().collect());
    copy.set_locking(false);
    copy
}

pub(crate) fn migration_error(error: MigrateError, place: &str) -> StoreError {
    let place = place.to_owned();
    match error {
        MigrateError::VersionMissing(version) => StoreError::FromTheFuture { place, version },
        MigrateError::Execute(e) => match StoreError::from(e) {
            StoreError::Sql(e) => StoreError::Migration {
                place,
                problem: e.to_string(),
            },
            other => other,
        },
        other => StoreError::Migration {
            place,
            problem: other.to_string(),
        },
    }
}
