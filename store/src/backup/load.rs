//! Puts a house from a backup into a database, in one transaction a file or server.
//!
//! Owner of the order: take the house's lock, look what is there, clear, raise the
//! schema to the backup's, load, raise it to the program's. Until the end the old
//! one stands whole; it must never touch a table that is not ours.

use super::schema::{Column, ColumnKind, Part, quoted};
use crate::db::{Arg, Db, Tx};
use crate::insert::push_rows;
use crate::lock::{HouseLock, try_lock};
use crate::open::{migration_error, open_as_it_is, take_migration_lock, without_own_lock};
use crate::url::DatabaseUrl;
use crate::{BackupLine, StoreError};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;
use std::collections::BTreeSet;

/// Rows of one statement: far below SQLite's 32,766 arguments with our widest table.
const ROWS_MAX: usize = 64;
/// Bytes of one statement: a row is rarely more than a few kilobytes.
const BYTES_MAX: usize = 1024 * 1024;

/// A database into which a house is being put. Dropped before the end, nothing was changed.
pub struct Restoring {
    place: String,
    lock: HouseLock,
    dbs: Vec<Db>,
    parts: Vec<Part>,
    filling: Option<Filling>,
}

/// The table that rows go into.
struct Filling {
    part: usize,
    table: &'static str,
    columns: Vec<Column>,
    rows: Vec<Vec<Arg>>,
    bytes: usize,
}

impl Restoring {
    /// Takes the house, makes sure that nothing is lost, and raises the schema to the
    /// backup's. With `replace` what is there is cleared, in the same transaction.
    ///
    /// # Errors
    /// `Locked` or `Running` while a hub runs on it, `NotEmpty` without `replace`,
    /// `FromTheFuture` if the database or the backup is.
    pub async fn begin(
        url: &DatabaseUrl,
        schema: &[String],
        replace: bool,
    ) -> Result<Self, StoreError> {
        let place = url.to_string();
        let Some(lock) = try_lock(url).await? else {
            return Err(StoreError::Locked { pid: None });
        };
        let (house, history) = open_as_it_is(url, false)?;
        let house_tx = house.begin().await?;
        let history_tx = match &history {
            Some(history) => Some(history.begin().await?),
            None => None,
        };
        let mut this = Self {
            place,
            lock,
            dbs: std::iter::once(house).chain(history).collect(),
            parts: Part::all(house_tx, history_tx),
            filling: None,
        };
        this.check_names(schema)?;
        for part in &mut this.parts {
            take_migration_lock(&mut part.tx).await?;
            let known = part.applied(&this.place).await?;
            if !known.is_empty() && !replace && holds_something(part).await? {
                return Err(StoreError::NotEmpty { place: this.place });
            }
            clear(part).await?;
            let at_backup = part_of(part.migrations, schema);
            raise(part, at_backup, &this.place).await?;
            // Migrations may put rows of their own; the backup has them as they were.
            for table in part.tables.clone().into_iter().rev() {
                if part.has(table).await? {
                    let sql = format!("DELETE FROM \"{table}\"");
                    part.tx.run(AssertSqlSafe(sql), []).await?;
                }
            }
        }
        Ok(this)
    }

    /// Every migration that the backup names must be known here.
    fn check_names(&self, schema: &[String]) -> Result<(), StoreError> {
        let all = self.parts.iter().flat_map(|part| part.migrations.iter());
        let known: BTreeSet<&str> = all.map(|m| m.description.as_ref()).collect();
        match schema.iter().find(|name| !known.contains(name.as_str())) {
            Some(name) => Err(StoreError::BackupFromTheFuture { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// Takes one line of the backup.
    ///
    /// # Errors
    /// `BadBackup` if it is not a line for this database.
    pub async fn take(&mut self, line: BackupLine) -> Result<(), StoreError> {
        match line {
            BackupLine::Table { name, columns } => {
                self.flush().await?;
                self.filling = Some(self.table(&name, &columns).await?);
                Ok(())
            }
            BackupLine::Row(values) => {
                let Some(filling) = &mut self.filling else {
                    return Err(bad("a row stands before any table"));
                };
                filling.add(&values)?;
                if filling.rows.len() >= ROWS_MAX || filling.bytes >= BYTES_MAX {
                    self.flush().await?;
                }
                Ok(())
            }
        }
    }

    async fn table(&mut self, name: &str, columns: &[String]) -> Result<Filling, StoreError> {
        for (number, part) in self.parts.iter_mut().enumerate() {
            let Some(table) = part.tables.iter().find(|known| **known == name) else {
                continue;
            };
            let table = *table;
            let known = part.columns(table).await?;
            let column = |name: &String| known.iter().find(|k| k.name == *name).cloned();
            let named: Option<Vec<Column>> = columns.iter().map(column).collect();
            let named = named.filter(|named| named.len() == known.len());
            let Some(columns) = named else {
                return Err(bad(format!(
                    "the columns of {table} are not those of its schema"
                )));
            };
            return Ok(Filling {
                part: number,
                table,
                columns,
                rows: Vec::new(),
                bytes: 0,
            });
        }
        Err(bad(format!("{name:?} is no table of a house")))
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        let Some(filling) = &mut self.filling else {
            return Ok(());
        };
        let rows = std::mem::take(&mut filling.rows);
        filling.bytes = 0;
        if rows.is_empty() {
            return Ok(());
        }
        let columns = quoted(&filling.columns);
        let mut sql = format!("INSERT INTO \"{}\" ({columns}) VALUES ", filling.table);
        push_rows(&mut sql, rows.len(), filling.columns.len());
        let args: Vec<Arg> = rows.into_iter().flatten().collect();
        let part = &mut self.parts[filling.part];
        part.tx.run(AssertSqlSafe(sql), args).await?;
        Ok(())
    }

    /// Raises the schema to this program's and makes all of it so; `before` runs when
    /// nothing but that is left to do.
    ///
    /// # Errors
    /// Whatever the database says: then it is as it was.
    pub async fn finish<E: From<StoreError>>(
        mut self,
        before: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        self.flush().await?;
        for part in &mut self.parts {
            count_on(part).await?;
            raise(part, without_own_lock(part.migrations), &self.place).await?;
        }
        before()?;
        // The house last: with it the restore is done.
        for part in self.parts.into_iter().rev() {
            part.tx.commit().await?;
        }
        for db in self.dbs {
            db.close().await;
        }
        self.lock.release().await;
        Ok(())
    }
}

impl Filling {
    fn add(&mut self, values: &[Value]) -> Result<(), StoreError> {
        if values.len() != self.columns.len() {
            return Err(bad(format!("a row of {} has other columns", self.table)));
        }
        let mut row = Vec::with_capacity(values.len());
        for (value, column) in values.iter().zip(&self.columns) {
            self.bytes += value.as_str().map_or(8, str::len);
            let arg = argument(value, column.kind).ok_or_else(|| {
                bad(format!(
                    "a row of {} has a wrong {}",
                    self.table, column.name
                ))
            })?;
            row.push(arg);
        }
        self.rows.push(row);
        Ok(())
    }
}

fn argument(value: &Value, kind: ColumnKind) -> Option<Arg> {
    let is_null = value.is_null();
    Some(match kind {
        ColumnKind::Int if is_null => Arg::Int(None),
        ColumnKind::Int => value.as_i64()?.into(),
        ColumnKind::Real if is_null => Arg::Real(None),
        ColumnKind::Real => value.as_str()?.parse::<f64>().ok()?.into(),
        ColumnKind::Text if is_null => Arg::Text(None),
        ColumnKind::Text => value.as_str()?.into(),
        ColumnKind::Flag => match value.as_i64()? {
            0 => false.into(),
            1 => true.into(),
            _ => return None,
        },
    })
}

fn bad(problem: impl Into<String>) -> StoreError {
    StoreError::BadBackup {
        problem: problem.into(),
    }
}

/// Whether any table of ours has a row.
async fn holds_something(part: &mut Part) -> Result<bool, StoreError> {
    for table in part.tables.clone().into_iter().chain(part.left_out.clone()) {
        if !part.has(table).await? {
            continue;
        }
        let sql = format!("SELECT CAST(1 AS BIGINT) FROM \"{table}\" LIMIT 1");
        if part.tx.first(AssertSqlSafe(sql), []).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes our tables away.
async fn clear(part: &mut Part) -> Result<(), StoreError> {
    let ours = ["_sqlx_migrations"].into_iter();
    let ours = ours.chain(part.left_out.clone());
    let ours: Vec<&str> = ours.chain(part.tables.iter().rev().copied()).collect();
    for table in ours {
        let sql = format!("DROP TABLE IF EXISTS \"{table}\"");
        part.tx.run(AssertSqlSafe(sql), []).await?;
    }
    Ok(())
}

/// The migrations of a part that the backup's schema names.
fn part_of(migrations: &Migrator, schema: &[String]) -> Migrator {
    let named = migrations.iter().filter(|migration| {
        let name: &str = migration.description.as_ref();
        schema.iter().any(|known| known == name)
    });
    without_own_lock(&Migrator::with_migrations(named.cloned().collect()))
}

async fn raise(part: &mut Part, migrations: Migrator, place: &str) -> Result<(), StoreError> {
    let raised = match &mut part.tx {
        Tx::Sqlite(tx) => migrations.run_direct(None, &mut **tx, false).await,
        Tx::Postgres(tx) => migrations.run_direct(None, &mut **tx, false).await,
    };
    raised.map_err(|e| migration_error(e, place))
}

/// PostgreSQL's identities do not notice numbers that they did not give.
async fn count_on(part: &mut Part) -> Result<(), StoreError> {
    if let Tx::Sqlite(_) = part.tx {
        return Ok(());
    }
    const IDENTITIES: &str = "SELECT table_name::text, column_name::text
        FROM information_schema.columns
        WHERE table_schema = current_schema() AND is_identity = 'YES'";
    for row in part.tx.all(IDENTITIES, []).await? {
        let (table, column) = (row.text(0)?, row.text(1)?);
        if !part.tables.contains(&table.as_str()) {
            continue;
        }
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column}'),
             GREATEST((SELECT MAX(\"{column}\") FROM \"{table}\"), 1),
             EXISTS (SELECT 1 FROM \"{table}\"))"
        );
        part.tx.all(AssertSqlSafe(sql), []).await?;
    }
    Ok(())
}
