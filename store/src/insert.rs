//! Many rows with few statements.
//!
//! Owner of multi-row `VALUES`, to insert and to update. It must never take a table or column name from
//! outside: the texts are ours, the values are bound.

use crate::StoreError;
use crate::db::{Arg, Row, Tx};
use sqlx::AssertSqlSafe;
use std::fmt::Write as _;

/// Rows a statement, the largest first. Three sizes, so that each statement is
/// prepared once and a batch of any length needs few of them; 64 rows of 16
/// columns stay far below SQLite's 32,766 arguments.
const SIZES: [usize; 3] = [64, 8, 1];

/// An insert whose number of rows is open.
pub(crate) struct Insert {
    /// `INSERT INTO table (columns)`.
    pub(crate) into: &'static str,
    /// How many columns.
    pub(crate) columns: usize,
    /// What follows the rows: `ON CONFLICT …`.
    pub(crate) on_conflict: &'static str,
}

impl Insert {
    fn sql(&self, rows: usize) -> String {
        let mut sql = format!("{} VALUES ", self.into);
        push_rows(&mut sql, rows, self.columns);
        sql.push(' ');
        sql.push_str(self.on_conflict);
        sql
    }

    /// Writes the rows. No two of them may have the same key: PostgreSQL refuses that.
    pub(crate) async fn write(&self, tx: &mut Tx, rows: Vec<Vec<Arg>>) -> Result<(), StoreError> {
        let mut rows = rows.into_iter();
        for size in SIZES {
            while rows.len() >= size {
                let args: Vec<Arg> = rows.by_ref().take(size).flatten().collect();
                tx.run(AssertSqlSafe(self.sql(size)), args).await?;
            }
        }
        Ok(())
    }

    /// Writes the rows; gives what `on_conflict` returns of them.
    pub(crate) async fn returning(
        &self,
        tx: &mut Tx,
        rows: Vec<Vec<Arg>>,
    ) -> Result<Vec<Row>, StoreError> {
        let (mut rows, mut returned) = (rows.into_iter(), Vec::new());
        for size in SIZES {
            while rows.len() >= size {
                let args: Vec<Arg> = rows.by_ref().take(size).flatten().collect();
                returned.extend(tx.all(AssertSqlSafe(self.sql(size)), args).await?);
            }
        }
        Ok(returned)
    }
}

/// Adds `($1, $2), ($3, $4)`: a place for every value.
pub(crate) fn push_rows(sql: &mut String, rows: usize, columns: usize) {
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(sql, "{comma}${}", row * columns + column + 1);
        }
        sql.push(')');
    }
}

/// An update of an open number of rows, each with its own values.
pub(crate) struct Update {
    /// `UPDATE table SET …`, from `v.column1`, `v.column2`…
    pub(crate) set: &'static str,
    /// The types of the columns: PostgreSQL wants to know them.
    pub(crate) columns: &'static [&'static str],
    /// Which row each row of values is for.
    pub(crate) which: &'static str,
}

impl Update {
    fn sql(&self, rows: usize) -> String {
        let mut sql = format!("{} FROM (VALUES ", self.set);
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ", (" });
            for (column, kind) in self.columns.iter().enumerate() {
                let comma = if column == 0 { "" } else { ", " };
                let place = row * self.columns.len() + column + 1;
                // Writing to a String cannot fail.
                let _ = write!(sql, "{comma}CAST(${place} AS {kind})");
            }
            sql.push(')');
        }
        let _ = write!(sql, ") AS v WHERE {}", self.which);
        sql
    }

    /// Writes the rows.
    pub(crate) async fn write(&self, tx: &mut Tx, rows: Vec<Vec<Arg>>) -> Result<(), StoreError> {
        let mut rows = rows.into_iter();
        for size in SIZES {
            while rows.len() >= size {
                let args: Vec<Arg> = rows.by_ref().take(size).flatten().collect();
                tx.run(AssertSqlSafe(self.sql(size)), args).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_own_place() {
        let insert = Insert {
            into: "INSERT INTO t (a, b)",
            columns: 2,
            on_conflict: "ON CONFLICT DO NOTHING",
        };
        assert_eq!(
            insert.sql(2),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING"
        );
        let update = Update {
            set: "UPDATE t SET b = v.column2",
            columns: &["TEXT", "BIGINT"],
            which: "t.a = v.column1",
        };
        assert_eq!(
            update.sql(2),
            "UPDATE t SET b = v.column2 FROM (VALUES (CAST($1 AS TEXT), CAST($2 AS BIGINT)), \
             (CAST($3 AS TEXT), CAST($4 AS BIGINT))) AS v WHERE t.a = v.column1"
        );
    }
}
