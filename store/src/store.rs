//! The one handle to durable state.
//!
//! Owner of the two databases' life: opened, checked, measured, closed. It must
//! never hold a decision of the house.

use crate::StoreError;
use crate::db::Db;
use crate::open;
use crate::url::DatabaseUrl;
use iothome_engine::ids::EntityRef;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

/// How long a health check may take.
const CHECK: Duration = Duration::from_secs(2);

/// Durable state of a house: cheap to clone, safe to share.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    url: DatabaseUrl,
    house: Db,
    history: Db,
    /// Numbers of known series. Rows of `series` are never deleted, so what is
    /// here stays true; there is one for each entity there ever was.
    series: RwLock<HashMap<EntityRef, i64>>,
}

impl Store {
    /// Opens the databases and brings them up to date.
    ///
    /// # Errors
    /// `File`, `Unreachable`, `FromTheFuture`, `Migration`: each says what and which setting.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let (house, history) = open::open(url).await?;
        Ok(Self(Arc::new(Inner {
            url: url.clone(),
            house,
            history,
            series: RwLock::default(),
        })))
    }

    /// Closes every connection once what runs has ended.
    pub async fn close(&self) {
        self.0.history.close().await;
        self.0.house.close().await;
    }

    /// Whether both databases answer.
    ///
    /// # Errors
    /// `Unreachable` or `Busy` if one does not within two seconds.
    pub async fn check(&self) -> Result<(), StoreError> {
        let both = async {
            self.0.house.first("SELECT 1", []).await?;
            self.0.history.first("SELECT 1", []).await?;
            Ok(())
        };
        match tokio::time::timeout(CHECK, both).await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::Busy(sqlx::Error::PoolTimedOut)),
        }
    }

    /// `sqlite` or `postgresql`, for people.
    pub fn kind(&self) -> &'static str {
        match self.0.url {
            DatabaseUrl::Sqlite { .. } => "sqlite",
            DatabaseUrl::Postgres(_) => "postgresql",
        }
    }

    /// Where the database is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.0.url
    }

    /// How much room the databases take on disk.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn size_bytes(&self) -> Result<u64, StoreError> {
        match &self.0.url {
            DatabaseUrl::Sqlite { house, history } => {
                Ok([house, history].into_iter().map(|p| file_size(p)).sum())
            }
            DatabaseUrl::Postgres(_) => {
                let row = self
                    .0
                    .house
                    .first("SELECT pg_database_size(current_database())", [])
                    .await?;
                let size = row.map_or(Ok(0), |row| row.int(0))?;
                Ok(u64::try_from(size).unwrap_or(0))
            }
        }
    }

    pub(crate) fn house(&self) -> &Db {
        &self.0.house
    }

    pub(crate) fn history_db(&self) -> &Db {
        &self.0.history
    }

    pub(crate) fn series_cache(&self) -> &RwLock<HashMap<EntityRef, i64>> {
        &self.0.series
    }
}

/// A database file with its log; a file that is not there takes no room.
fn file_size(path: &Path) -> u64 {
    let mut log = path.to_owned().into_os_string();
    log.push("-wal");
    let size = |p: &Path| std::fs::metadata(p).map_or(0, |m| m.len());
    size(path) + size(Path::new(&log))
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.0.url).finish()
    }
}
