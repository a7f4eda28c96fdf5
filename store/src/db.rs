//! One database of two kinds: runs the same SQL text on SQLite and PostgreSQL.
//!
//! Owner of pools, transactions, arguments and rows. It must never know a
//! table, and nothing of it leaves this crate.

use crate::StoreError;
use futures_util::TryStreamExt as _;
use iothome_engine::time::Timestamp;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{PgPool, Postgres, Row as _, SqlSafeStr, SqlStr, Sqlite, SqlitePool, Transaction};

/// A database: one writer and a few readers on SQLite, one pool on PostgreSQL.
pub(crate) enum Db {
    /// One file.
    Sqlite {
        /// One connection: SQLite has one writer at a time, and waiting here is fair.
        write: SqlitePool,
        /// Readers, which WAL lets run beside the writer.
        read: SqlitePool,
    },
    /// A pool of connections to one server.
    Postgres(PgPool),
}

/// A transaction that is taken back unless it is committed.
pub(crate) enum Tx {
    /// On the writer or a reader of a file.
    Sqlite(Transaction<'static, Sqlite>),
    /// On a connection to a server.
    Postgres(Transaction<'static, Postgres>),
}

/// What two writers may not do at the same time on PostgreSQL.
#[derive(Clone, Copy)]
pub(crate) enum Turn {
    /// Change who is an administrator.
    Admins = 1,
    /// Write or roll up history.
    History = 2,
    /// Make, rename or order rooms.
    Rooms = 3,
}

/// First half of our advisory lock keys: "IoTH" in ASCII.
pub(crate) const LOCK_SPACE: i32 = 0x496f_5448;

impl Db {
    /// Runs a statement; tells how many rows it touched.
    pub(crate) async fn run(
        &self,
        sql: impl SqlSafeStr,
        args: impl Into<Vec<Arg>>,
    ) -> Result<u64, StoreError> {
        let (sql, args) = (sql.into_sql_str(), args.into());
        Ok(match self {
            Self::Sqlite { write, .. } => sqlite(sql, args).execute(write).await?.rows_affected(),
            Self::Postgres(pool) => postgres(sql, args).execute(pool).await?.rows_affected(),
        })
    }

    /// Runs a statement that writes and returns rows.
    pub(crate) async fn returning(
        &self,
        sql: impl SqlSafeStr,
        args: impl Into<Vec<Arg>>,
    ) -> Result<Vec<Row>, StoreError> {
        let (sql, args) = (sql.into_sql_str(), args.into());
        Ok(match self {
            Self::Sqlite { write, .. } => Row::sqlite(sqlite(sql, args).fetch_all(write).await?),
            Self::Postgres(pool) => Row::postgres(postgres(sql, args).fetch_all(pool).await?),
        })
    }

    /// Reads every row.
    pub(crate) async fn all(
        &self,
        sql: impl SqlSafeStr,
        args: impl Into<Vec<Arg>>,
    ) -> Result<Vec<Row>, StoreError> {
        let (sql, args) = (sql.into_sql_str(), args.into());
        Ok(match self {
            Self::Sqlite { read, .. } => Row::sqlite(sqlite(sql, args).fetch_all(read).await?),
            Self::Postgres(pool) => Row::postgres(postgres(sql, args).fetch_all(pool).await?),
        })
    }

    /// Reads the first row.
    pub(crate) async fn first(
        &self,
        sql: impl SqlSafeStr,
        args: impl Into<Vec<Arg>>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// Begins a transaction that will write.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            // IMMEDIATE: wait for the write lock now, not when it is too late to wait.
            Self::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction that sees one moment and writes nothing.
    pub(crate) async fn snapshot(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { read, .. } => Tx::Sqlite(read.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?,
            ),
        })
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Runs a statement; tells how many rows it touched.
    pub(crate) async fn run(
        &mut self,
        sql: impl SqlSafeStr,
        args: impl Into<Vec<Arg>>,
    ) -> Result<u64, StoreError> {
        let (sql, args) = (sql.into_sql_str(), args.into());
        Ok(match self {
            Self::Sqlite(tx) => sqlite(sql, args).execute(&mut **tx).await?.rows_affected(),
            Self::Postgres(tx) => postgres(sql, args)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
        })
    }

    /// Reads every row.
    pub(crate) async fn all(
        &mut self,
        sql: impl SqlSafeStr,
        args: impl Into<Vec<Arg>>,
    ) -> Result<Vec<Row>, StoreError> {
        let (sql, args) = (sql.into_sql_str(), args.into());
        Ok(match self {
            Self::Sqlite(tx) => Row::sqlite(sqlite(sql, args).fetch_all(&mut **tx).await?),
            Self::Postgres(tx) => Row::postgres(postgres(sql, args).fetch_all(&mut **tx).await?),
        })
    }

    /// Reads row by row: no more than a few are in memory.
    pub(crate) async fn each(
        &mut self,
        sql: impl SqlSafeStr,
        mut each: impl FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let sql = sql.into_sql_str();
        match self {
            Self::Sqlite(tx) => {
                let mut rows = sqlx::query(sql).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    each(Row::Sqlite(row))?;
                }
            }
            Self::Postgres(tx) => {
                let mut rows = sqlx::query(sql).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    each(Row::Postgres(row))?;
                }
            }
        }
        Ok(())
    }

    /// Reads the first row.
    pub(crate) async fn first(
        &mut self,
        sql: impl SqlSafeStr,
        args: impl Into<Vec<Arg>>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// Waits until no other transaction has this turn; keeps it until the end.
    ///
    /// SQLite has one writer anyway.
    pub(crate) async fn take_turn(&mut self, turn: Turn) -> Result<(), StoreError> {
        if let Self::Postgres(tx) = self {
            sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
                .bind(LOCK_SPACE)
                .bind(turn as i32)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// Makes it so.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// An argument of a statement. `NULL` has a type too: PostgreSQL wants to know it.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    /// A whole number or an instant in UTC milliseconds.
    Int(Option<i64>),
    /// A number.
    Real(Option<f64>),
    /// A text, an id, a word or JSON.
    Text(Option<String>),
    /// Yes or no.
    Flag(bool),
}

fn sqlite(sql: SqlStr, args: Vec<Arg>) -> Query<'static, Sqlite, SqliteArguments> {
    args.into_iter()
        .fold(sqlx::query(sql), |query, arg| match arg {
            Arg::Int(v) => query.bind(v),
            Arg::Real(v) => query.bind(v),
            Arg::Text(v) => query.bind(v),
            Arg::Flag(v) => query.bind(v),
        })
}

fn postgres(sql: SqlStr, args: Vec<Arg>) -> Query<'static, Postgres, PgArguments> {
    args.into_iter()
        .fold(sqlx::query(sql), |query, arg| match arg {
            Arg::Int(v) => query.bind(v),
            Arg::Real(v) => query.bind(v),
            Arg::Text(v) => query.bind(v),
            Arg::Flag(v) => query.bind(v),
        })
}

/// PostgreSQL keeps no NUL in a text; a device may send one.
fn without_nul(text: String) -> String {
    if text.contains('\0') {
        return text.replace('\0', "\u{fffd}");
    }
    text
}

impl From<i64> for Arg {
    fn from(v: i64) -> Self {
        Self::Int(Some(v))
    }
}

impl From<Option<i64>> for Arg {
    fn from(v: Option<i64>) -> Self {
        Self::Int(v)
    }
}

impl From<f64> for Arg {
    fn from(v: f64) -> Self {
        Self::Real(Some(v))
    }
}

impl From<Option<f64>> for Arg {
    fn from(v: Option<f64>) -> Self {
        Self::Real(v)
    }
}

impl From<bool> for Arg {
    fn from(v: bool) -> Self {
        Self::Flag(v)
    }
}

impl From<String> for Arg {
    fn from(v: String) -> Self {
        Self::Text(Some(without_nul(v)))
    }
}

impl From<&str> for Arg {
    fn from(v: &str) -> Self {
        v.to_owned().into()
    }
}

impl From<Option<String>> for Arg {
    fn from(v: Option<String>) -> Self {
        Self::Text(v.map(without_nul))
    }
}

impl From<Option<&str>> for Arg {
    fn from(v: Option<&str>) -> Self {
        v.map(str::to_owned).into()
    }
}

impl From<Timestamp> for Arg {
    fn from(v: Timestamp) -> Self {
        v.as_millis().into()
    }
}

impl From<Option<Timestamp>> for Arg {
    fn from(v: Option<Timestamp>) -> Self {
        v.map(Timestamp::as_millis).into()
    }
}

/// An id as text.
#[expect(
    clippy::needless_pass_by_value,
    reason = "takes ids that are Copy and references to those that are not"
)]
pub(crate) fn id(id: impl ToString) -> Arg {
    Arg::Text(Some(id.to_string()))
}

/// A value as JSON text.
pub(crate) fn json<T: serde::Serialize>(
    value: &T,
    what: &'static str,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::corrupt(what, e))
}

/// A row; columns are asked by position.
pub(crate) enum Row {
    /// Of a file.
    Sqlite(SqliteRow),
    /// Of a server.
    Postgres(PgRow),
}

impl Row {
    fn sqlite(rows: Vec<SqliteRow>) -> Vec<Self> {
        rows.into_iter().map(Self::Sqlite).collect()
    }

    fn postgres(rows: Vec<PgRow>) -> Vec<Self> {
        rows.into_iter().map(Self::Postgres).collect()
    }

    /// A whole number, or `NULL`.
    pub(crate) fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// A number, or `NULL`.
    pub(crate) fn opt_real(&self, column: usize) -> Result<Option<f64>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// A text, or `NULL`.
    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// Yes, no or `NULL`.
    pub(crate) fn opt_flag(&self, column: usize) -> Result<Option<bool>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// Yes or no.
    pub(crate) fn flag(&self, column: usize) -> Result<bool, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// A whole number.
    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or_else(unexpected_null)
    }

    /// A number.
    pub(crate) fn real(&self, column: usize) -> Result<f64, StoreError> {
        self.opt_real(column)?.ok_or_else(unexpected_null)
    }

    /// A text.
    pub(crate) fn text(&self, column: usize) -> Result<String, StoreError> {
        self.opt_text(column)?.ok_or_else(unexpected_null)
    }

    /// An instant.
    pub(crate) fn at(&self, column: usize) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_millis(self.int(column)?))
    }

    /// An instant, or `NULL`.
    pub(crate) fn opt_at(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(column)?.map(Timestamp::from_millis))
    }

    /// A text parsed into a type that cannot be wrong.
    pub(crate) fn parsed<T>(&self, column: usize, what: &'static str) -> Result<T, StoreError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.text(column)?
            .parse()
            .map_err(|e: T::Err| StoreError::corrupt(what, e))
    }

    /// JSON text read into its type.
    pub(crate) fn json<T>(&self, column: usize, what: &'static str) -> Result<T, StoreError>
    where
        T: serde::de::DeserializeOwned,
    {
        serde_json::from_str(&self.text(column)?).map_err(|e| StoreError::corrupt(what, e))
    }
}

fn unexpected_null() -> StoreError {
    StoreError::corrupt("row", "a value is missing")
}
