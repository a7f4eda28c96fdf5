//! The parts of a database, and how it looks from its own catalogue.
//!
//! Owner of reading tables, columns and migrations from a database of any age. It
//! must never write.

use super::{HISTORY, HOUSE, LEFT_OUT};
use crate::StoreError;
use crate::db::Tx;
use crate::open::{POSTGRES, SQLITE_HISTORY, SQLITE_HOUSE};
use sqlx::migrate::Migrator;

/// What is written and read as one: a file of SQLite, or a whole PostgreSQL database.
pub(crate) struct Part {
    /// The transaction it happens in.
    pub(crate) tx: Tx,
    /// Tables that belong here, what is referred to first.
    pub(crate) tables: Vec<&'static str>,
    /// Tables that belong here and are in no backup.
    pub(crate) left_out: Vec<&'static str>,
    /// Its migrations.
    pub(crate) migrations: &'static Migrator,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// A whole number.
    Int,
    /// A number.
    Real,
    /// A text.
    Text,
    /// Yes or no; SQLite has whole numbers instead.
    Flag,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
}

impl Part {
    /// The parts of a database whose transactions were begun: two files, or one server.
    pub(crate) fn all(house: Tx, history: Option<Tx>) -> Vec<Self> {
        let Some(history) = history else {
            return vec![Self {
                tx: house,
                tables: HOUSE.into_iter().chain(HISTORY).collect(),
                left_out: LEFT_OUT.to_vec(),
                migrations: &POSTGRES,
            }];
        };
        let house = Self {
            tx: house,
            tables: HOUSE.to_vec(),
            left_out: LEFT_OUT.to_vec(),
            migrations: &SQLITE_HOUSE,
        };
        let history = Self {
            tx: history,
            tables: HISTORY.to_vec(),
            left_out: Vec::new(),
            migrations: &SQLITE_HISTORY,
        };
        vec![house, history]
    }

    /// The names of the migrations that were applied, in their order; empty for a new database.
    ///
    /// # Errors
    /// `FromTheFuture` if this program does not know one of them.
    pub(crate) async fn applied(&mut self, place: &str) -> Result<Vec<String>, StoreError> {
        if !self.has("_sqlx_migrations").await? {
            return Ok(Vec::new());
        }
        let sql = "SELECT version, description FROM _sqlx_migrations ORDER BY version";
        let mut names = Vec::new();
        for row in self.tx.all(sql, []).await? {
            let (version, name) = (row.int(0)?, row.text(1)?);
            if !self.migrations.version_exists(version) {
                return Err(StoreError::FromTheFuture {
                    place: place.to_owned(),
                    version,
                });
            }
            names.push(name);
        }
        Ok(names)
    }

    /// Whether there is such a table.
    pub(crate) async fn has(&mut self, table: &str) -> Result<bool, StoreError> {
        let sql = match self.tx {
            Tx::Sqlite(_) => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
            Tx::Postgres(_) => {
                "SELECT 1::bigint FROM information_schema.tables
                 WHERE table_schema = current_schema() AND table_name = $1"
            }
        };
        Ok(self.tx.first(sql, [table.into()]).await?.is_some())
    }

    /// The columns of a table, in their order; empty if there is no such table.
    pub(crate) async fn columns(&mut self, table: &str) -> Result<Vec<Column>, StoreError> {
        let sql = match self.tx {
            Tx::Sqlite(_) => "SELECT name, type FROM pragma_table_info($1) ORDER BY cid",
            Tx::Postgres(_) => {
                "SELECT column_name::text, data_type::text FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = $1
                 ORDER BY ordinal_position"
            }
        };
        let rows = self.tx.all(sql, [table.into()]).await?;
        let column = |row: &crate::db::Row| {
            let (name, kind) = (row.text(0)?, row.text(1)?);
            let kind = match kind.to_lowercase().as_str() {
                "integer" | "bigint" => ColumnKind::Int,
                "real" | "double precision" => ColumnKind::Real,
                "text" => ColumnKind::Text,
                "boolean" => ColumnKind::Flag,
                other => {
                    let problem = format!("{table}.{name} is of the kind {other}");
                    return Err(StoreError::corrupt("column", problem));
                }
            };
            Ok(Column { name, kind })
        };
        rows.iter().map(column).collect()
    }
}

/// `"a", "b"`: our own names, but some are words of SQL.
pub(crate) fn quoted(columns: &[Column]) -> String {
    let names: Vec<String> = columns.iter().map(|c| format!("\"{}\"", c.name)).collect();
    names.join(", ")
}
