//! Reads a whole house in one moment, while the hub runs.
//!
//! Owner of that moment: a read transaction of each file, or one of the server. It
//! must never write, raise the schema, or hold more than a row in memory.

use super::schema::{Column, ColumnKind, Part, quoted};
use crate::StoreError;
use crate::db::{Db, Row};
use crate::open::open_as_it_is;
use crate::url::DatabaseUrl;
use serde_json::Value;
use sqlx::AssertSqlSafe;

/// A database, held at one moment.
pub struct DumpedHouse {
    place: String,
    dbs: Vec<Db>,
    parts: Vec<Part>,
    schema: Vec<String>,
}

/// What a backup says of the database, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum BackupLine {
    /// Rows of this table follow, with these columns.
    Table {
        /// The table.
        name: String,
        /// Its columns.
        columns: Vec<String>,
    },
    /// A row: whole numbers, texts and nulls; numbers with a fraction are texts, so that
    /// nobody rounds them, and yes and no are 1 and 0.
    Row(Vec<Value>),
}

impl DumpedHouse {
    /// Begins to look at the database as it is at this moment.
    ///
    /// # Errors
    /// `NotThere` if there is none, `FromTheFuture` if this program does not know all of it.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        if let DatabaseUrl::Sqlite { house, history } = url {
            for file in [house, history] {
                if !file.exists() {
                    return Err(StoreError::NotThere {
                        place: file.display().to_string(),
                    });
                }
            }
        }
        let (house, history) = open_as_it_is(url, true)?;
        let house_tx = house.snapshot().await?;
        let history_tx = match &history {
            Some(history) => Some(history.snapshot().await?),
            None => None,
        };
        let mut dumped = Self {
            place: url.to_string(),
            dbs: std::iter::once(house).chain(history).collect(),
            parts: Part::all(house_tx, history_tx),
            schema: Vec::new(),
        };
        // A snapshot is taken by the first read; both are taken here, at once.
        for part in &mut dumped.parts {
            let names = part.applied(&dumped.place).await?;
            if names.is_empty() {
                return Err(StoreError::NotThere {
                    place: dumped.place,
                });
            }
            dumped.schema.extend(names);
        }
        Ok(dumped)
    }

    /// The names of the migrations that were applied.
    pub fn schema(&self) -> &[String] {
        &self.schema
    }

    /// Tells every line; gives the number of rows.
    ///
    /// # Errors
    /// Whatever the database says, and what `tell` says.
    pub async fn tell(
        mut self,
        mut tell: impl FnMut(BackupLine) -> std::io::Result<()>,
    ) -> Result<u64, StoreError> {
        let mut rows = 0;
        for part in &mut self.parts {
            for table in part.tables.clone() {
                rows += table_of(part, table, &mut tell).await?;
            }
        }
        drop(self.parts);
        for db in self.dbs {
            db.close().await;
        }
        Ok(rows)
    }
}

async fn table_of(
    part: &mut Part,
    table: &str,
    tell: &mut impl FnMut(BackupLine) -> std::io::Result<()>,
) -> Result<u64, StoreError> {
    let columns = part.columns(table).await?;
    if columns.is_empty() {
        // The database is older than this table.
        return Ok(0);
    }
    tell(BackupLine::Table {
        name: table.to_owned(),
        columns: columns.iter().map(|c| c.name.clone()).collect(),
    })
    .map_err(StoreError::Backup)?;
    // Names of our own tables and of columns from the catalogue.
    let sql = format!("SELECT {} FROM \"{table}\"", quoted(&columns));
    let mut rows = 0;
    let each = |row: Row| {
        rows += 1;
        let values = values(&row, &columns)?;
        tell(BackupLine::Row(values)).map_err(StoreError::Backup)
    };
    part.tx.each(AssertSqlSafe(sql), each).await?;
    Ok(rows)
}

fn values(row: &Row, columns: &[Column]) -> Result<Vec<Value>, StoreError> {
    let value = |(place, column): (usize, &Column)| {
        Ok(match column.kind {
            ColumnKind::Int => row.opt_int(place)?.into(),
            // The shortest text that reads as the same number.
            ColumnKind::Real => row.opt_real(place)?.map(|v| format!("{v:?}")).into(),
            ColumnKind::Text => row.opt_text(place)?.into(),
            ColumnKind::Flag => row.opt_flag(place)?.map(i64::from).into(),
        })
    };
    columns.iter().enumerate().map(value).collect()
}
