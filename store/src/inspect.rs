//! Looks at a database from outside, for somebody who asks what is wrong.
//!
//! Owner of that look. It must never write a row or raise the schema; it works beside a
//! running hub and on a database that a hub would refuse. SQLite keeps a note of its
//! readers beside a file (`-shm`, and an empty `-wal`): these two may be left behind.

use crate::backup::Part;
use crate::db::{Db, Tx};
use crate::open::open_as_it_is;
use crate::url::DatabaseUrl;
use crate::{Store, StoreError};
use iothome_engine::time::Timestamp;
use std::time::Duration;

/// How long the database may look for damage: a large history on an SD card takes longer, and
/// then it is told that nobody knows.
const SOUND_WITHIN: Duration = Duration::from_secs(30);

/// What there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// `SQLite 3.50.1`, `PostgreSQL 15.14`.
    pub program: String,
    /// How many migrations it has.
    pub applied: usize,
    /// Migrations that the hub will apply at its next start.
    pub pending: Vec<String>,
    /// The last instant that a hub lived at.
    pub lived_at: Option<Timestamp>,
    /// What the server's clock says.
    pub server_now: Option<Timestamp>,
    /// Damage that the database found; `None` if it did not get to the end in time.
    pub damage: Option<Vec<String>>,
}

impl Store {
    /// Looks at a database; changes nothing.
    ///
    /// # Errors
    /// `NotThere`, `Unreachable`, `FromTheFuture`, and whatever else the database says.
    pub async fn inspect(url: &DatabaseUrl) -> Result<Inspection, StoreError> {
        if let DatabaseUrl::Sqlite { house, history } = url
            && let Some(missing) = [house, history].into_iter().find(|file| !file.exists())
        {
            return Err(StoreError::NotThere {
                place: missing.display().to_string(),
            });
        }
        let (house, history) = open_as_it_is(url, true)?;
        let inspection = inspect(&house, history.as_ref(), &url.to_string()).await;
        house.close().await;
        if let Some(history) = history {
            history.close().await;
        }
        inspection
    }
}

async fn inspect(house: &Db, history: Option<&Db>, place: &str) -> Result<Inspection, StoreError> {
    let house = house.snapshot().await?;
    let history = match history {
        Some(history) => Some(history.snapshot().await?),
        None => None,
    };
    let mut inspection = Inspection {
        program: String::new(),
        applied: 0,
        pending: Vec::new(),
        lived_at: None,
        server_now: None,
        damage: Some(Vec::new()),
    };
    for part in &mut Part::all(house, history) {
        let applied = part.applied(place).await?;
        if applied.is_empty() {
            return Err(StoreError::NotThere {
                place: place.to_owned(),
            });
        }
        inspection.applied += applied.len();
        let all = part.migrations.iter().map(|m| m.description.to_string());
        inspection
            .pending
            .extend(all.filter(|name| !applied.contains(name)));
        if inspection.program.is_empty() {
            (inspection.program, inspection.server_now) = program(&mut part.tx).await?;
            inspection.lived_at = lived_at(part).await?;
        }
        let damage = tokio::time::timeout(SOUND_WITHIN, damage(&mut part.tx)).await;
        inspection.damage = match (inspection.damage, damage) {
            (Some(mut known), Ok(more)) => {
                known.extend(more?);
                Some(known)
            }
            _ => None,
        };
    }
    Ok(inspection)
}

async fn program(tx: &mut Tx) -> Result<(String, Option<Timestamp>), StoreError> {
    let (name, sql) = match tx {
        Tx::Sqlite(_) => ("SQLite", "SELECT sqlite_version(), NULL"),
        Tx::Postgres(_) => (
            "PostgreSQL",
            "SELECT current_setting('server_version'),
             CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
        ),
    };
    let Some(row) = tx.first(sql, []).await? else {
        return Ok((name.to_owned(), None));
    };
    Ok((format!("{name} {}", row.text(0)?), row.opt_at(1)?))
}

/// The latest of what hubs wrote of their life.
async fn lived_at(part: &mut Part) -> Result<Option<Timestamp>, StoreError> {
    let mut latest = None;
    for (table, sql) in [
        ("hub_spans", "SELECT MAX(ended_at) FROM hub_spans"),
        ("instants", "SELECT MAX(at) FROM instants"),
    ] {
        if part.has(table).await?
            && let Some(row) = part.tx.first(sql, []).await?
        {
            latest = latest.max(row.opt_at(0)?);
        }
    }
    Ok(latest)
}

/// What the database itself finds wrong.
async fn damage(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    let sql = match tx {
        // The first ten faults; "ok" is none.
        Tx::Sqlite(_) => "PRAGMA quick_check(10)",
        Tx::Postgres(_) => {
            "SELECT 'the index ' || c.relname || ' is not valid'
             FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid"
        }
    };
    let rows = tx.all(sql, []).await?;
    let mut told: Vec<String> = rows
        .iter()
        .map(|row| row.text(0))
        .collect::<Result<_, _>>()?;
    told.retain(|line| line != "ok");
    Ok(told)
}
