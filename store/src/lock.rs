//! One active hub per house.
//!
//! Owner of the house lock: a file lock on SQLite, a session's advisory lock on
//! PostgreSQL. It must never outlive the process or connection that holds it.

use crate::db::LOCK_SPACE;
use crate::open::{connect, private, server_options};
use crate::url::DatabaseUrl;
use crate::{Store, StoreError};
use sqlx::{Connection as _, PgConnection};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;
use tokio::sync::Mutex;

/// Second half of the advisory lock's key: the house.
const HOUSE: i32 = 100;
/// How often the lock's connection is asked whether it lives: losing the lock
/// is noticed within this and `ANSWER`, well before a schedule could fire twice
/// by much.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How long the answer may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Says that this process runs the house, for as long as it is held.
pub struct HouseLock(Held);

enum Held {
    /// The open file is the lock.
    File(File),
    /// The connection is the lock.
    Server(Mutex<PgConnection>),
}

impl Store {
    /// Takes the house, if no other hub has it.
    ///
    /// `None` on PostgreSQL while another hub has it: wait and ask again.
    ///
    /// # Errors
    /// `Locked` on SQLite if another process has it: two hubs on one folder are
    /// a mistake, not a standby.
    pub async fn try_lock_house(&self) -> Result<Option<HouseLock>, StoreError> {
        try_lock(self.url()).await
    }
}

/// Takes the house at this address, if nobody has it; `None` on PostgreSQL if somebody has.
pub(crate) async fn try_lock(url: &DatabaseUrl) -> Result<Option<HouseLock>, StoreError> {
    match url {
        DatabaseUrl::Sqlite { house, .. } => {
            let mut name = house.clone().into_os_string();
            name.push(".lock");
            lock_file(Path::new(&name)).map(|file| Some(HouseLock(Held::File(file))))
        }
        DatabaseUrl::Postgres(text) => {
            let mut connection = connect(&server_options(url, text)?).await?;
            let (got,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_lock($1, $2)")
                .bind(LOCK_SPACE)
                .bind(HOUSE)
                .fetch_one(&mut connection)
                .await?;
            if got {
                return Ok(Some(HouseLock(Held::Server(Mutex::new(connection)))));
            }
            connection.close().await?;
            Ok(None)
        }
    }
}

fn lock_file(path: &Path) -> Result<File, StoreError> {
    let refuse = |e: std::io::Error| StoreError::File {
        path: path.to_owned(),
        problem: e.to_string(),
    };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = private(&mut options).open(path).map_err(refuse)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // Without the number the sentence is shorter, not wrong.
            let _ = file.read_to_string(&mut pid);
            return Err(StoreError::Locked {
                pid: pid.trim().parse().ok(),
            });
        }
        Err(TryLockError::Error(e)) => return Err(refuse(e)),
    }
    file.set_len(0).map_err(refuse)?;
    file.rewind().map_err(refuse)?;
    writeln!(file, "{}", std::process::id()).map_err(refuse)?;
    Ok(file)
}

impl HouseLock {
    /// Resolves when the lock is lost because its connection is; never on SQLite.
    pub async fn lost(&self) {
        let Held::Server(connection) = &self.0 else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(ASK_EVERY).await;
            let mut connection = connection.lock().await;
            let asked = sqlx::query("SELECT 1").execute(&mut *connection);
            match tokio::time::timeout(ANSWER, asked).await {
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    /// Whether the lock is still held, asked at this moment; always so on SQLite.
    pub async fn is_held(&self) -> bool {
        let Held::Server(connection) = &self.0 else {
            return true;
        };
        let mut connection = connection.lock().await;
        let asked = sqlx::query("SELECT 1").execute(&mut *connection);
        matches!(tokio::time::timeout(ANSWER, asked).await, Ok(Ok(_)))
    }

    /// Gives the house to whoever asks next.
    pub async fn release(&self) {
        match &self.0 {
            Held::File(file) => {
                // Closing the file would do; if unlocking fails, that still happens.
                let _ = file.unlock();
            }
            Held::Server(connection) => {
                let mut connection = connection.lock().await;
                // Unlocked first: the server notices the end of a connection a moment later.
                // If any of it fails, that end is still the end of the lock.
                let goodbye = sqlx::query("SELECT pg_advisory_unlock($1, $2)")
                    .bind(LOCK_SPACE)
                    .bind(HOUSE)
                    .execute(&mut *connection);
                let _ = tokio::time::timeout(ANSWER, goodbye).await;
            }
        }
    }
}
