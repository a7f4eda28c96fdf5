//! What can go wrong with durable state, in the store's own words.
//!
//! Owner of the one error type of this crate. It must never carry a password
//! or the content of a row.

use std::path::PathBuf;

/// The setting that chooses the database, as every sentence names it.
const SETTING: &str = "IOTHOME_DATABASE_URL";

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The setting is not an address of a database.
    #[error("{SETTING} is {url:?}: {problem}")]
    Url {
        /// The address, without a password.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A folder or file of the database cannot be used as it is.
    #[error("the database file {path} cannot be used: {problem} (set by {SETTING} or the data directory)", path = path.display())]
    File {
        /// Which file or folder.
        path: PathBuf,
        /// What is wrong, and what mends it.
        problem: String,
    },
    /// The database does not answer or the connection broke.
    #[error("the database cannot be reached ({SETTING}): {0}")]
    Unreachable(#[source] sqlx::Error),
    /// The database did not get to it in time.
    #[error("the database is busy: {0}")]
    Busy(#[source] sqlx::Error),
    /// Another hub has this house.
    #[error("another hub{} already runs this house; stop it, or set another data directory or {SETTING}", pid.map(|p| format!(" (process {p})")).unwrap_or_default())]
    Locked {
        /// Its process id, if it could be read.
        pid: Option<u32>,
    },
    /// A newer program has been at this database.
    #[error(
        "the database {place} was written by a newer version of IoT Home (it knows migration {version}, this program does not): install that version or newer, or set {SETTING} to another database"
    )]
    FromTheFuture {
        /// Which database, without a password.
        place: String,
        /// The migration this program does not know.
        version: i64,
    },
    /// A migration failed and was taken back: the database is as it was.
    #[error(
        "the database {place} could not be brought up to date and was left as it was: {problem}"
    )]
    Migration {
        /// Which database, without a password.
        place: String,
        /// What the database said.
        problem: String,
    },
    /// The name or id is in use, or was and is never given again.
    #[error("this {what} is already taken")]
    Taken {
        /// `name`, `id`, `username`, `identity`.
        what: &'static str,
    },
    /// The thing was changed since it was read.
    #[error("it was changed in the meantime: read it again")]
    Stale,
    /// There is no such thing.
    #[error("there is no such thing in the store")]
    NotFound,
    /// The house would be left without an enabled administrator.
    #[error("the last administrator cannot be removed, demoted or disabled")]
    LastAdmin,
    /// A row says something that this program never writes.
    #[error("the database holds a {what} that cannot be understood: {problem}")]
    Corrupt {
        /// What sort of row.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no database to read.
    #[error("there is no house in {place} ({SETTING})")]
    NotThere {
        /// Which database, without a password.
        place: String,
    },
    /// A restore would overwrite something.
    #[error(
        "{place} is not empty, and a restore replaces all of it: give --force if that is what you want, or set {SETTING} to another database"
    )]
    NotEmpty {
        /// Which database, without a password.
        place: String,
    },
    /// A newer program made the backup.
    #[error(
        "the backup was made by a newer version of IoT Home (it knows the migration {name:?}, this program does not): install that version or newer"
    )]
    BackupFromTheFuture {
        /// The migration this program does not know.
        name: String,
    },
    /// A line of a backup does not fit the database.
    #[error("the backup cannot be used: {problem}")]
    BadBackup {
        /// What is wrong with it.
        problem: String,
    },
    /// The backup could not be written.
    #[error("the backup could not be written: {0}")]
    Backup(#[source] std::io::Error),
    /// Anything else the database said.
    #[error("the database refused: {0}")]
    Sql(#[source] sqlx::Error),
}

impl StoreError {
    /// A row that cannot be understood.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is the last use of an error, and so can be named in map_err"
    )]
    pub(crate) fn corrupt(what: &'static str, problem: impl ToString) -> Self {
        Self::Corrupt {
            what,
            problem: problem.to_string(),
        }
    }

    /// Tells a broken uniqueness as `Taken`.
    pub(crate) fn or_taken(self, what: &'static str) -> Self {
        match &self {
            Self::Sql(sqlx::Error::Database(e)) if e.is_unique_violation() => Self::Taken { what },
            _ => self,
        }
    }

    /// Tells a broken reference as `NotFound`.
    pub(crate) fn or_not_found(self) -> Self {
        match &self {
            Self::Sql(sqlx::Error::Database(e)) if e.is_foreign_key_violation() => Self::NotFound,
            _ => self,
        }
    }

    /// Whether trying again later may help.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Io(_) | E::Tls(_) | E::WorkerCrashed | E::PoolClosed | E::BeginFailed => {
                Self::Unreachable(error)
            }
            E::PoolTimedOut => Self::Busy(error),
            E::Database(e) => match code_class(&e.code().unwrap_or_default()) {
                Class::Away => Self::Unreachable(error),
                Class::Busy => Self::Busy(error),
                Class::Other => Self::Sql(error),
            },
            _ => Self::Sql(error),
        }
    }
}

enum Class {
    Away,
    Busy,
    Other,
}

/// SQLSTATE classes (PostgreSQL, appendix A) and SQLite's primary result codes.
fn code_class(code: &str) -> Class {
    if let Ok(sqlite) = code.parse::<i64>()
        && code.len() < 5
    {
        // The low byte is the primary code (sqlite.org/rescode.html).
        return match sqlite & 0xff {
            // SQLITE_BUSY, SQLITE_LOCKED.
            5 | 6 => Class::Busy,
            // SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN: a full or broken disk
            // may be mended while the hub lives.
            8 | 10 | 13 | 14 => Class::Away,
            _ => Class::Other,
        };
    }
    match code.get(..2) {
        // Connection exception; operator intervention (shutdown, terminated, starting up).
        Some("08" | "57") => Class::Away,
        // Serialization failure, deadlock; lock not available; too many connections.
        Some("40" | "53" | "55") => Class::Busy,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, code_class};

    #[test]
    fn a_full_disk_passes_and_a_broken_rule_does_not() {
        // SQLITE_FULL, SQLITE_IOERR_WRITE (10 | 3 << 8); SQLITE_CONSTRAINT.
        assert!(matches!(code_class("13"), Class::Away));
        assert!(matches!(code_class("778"), Class::Away));
        assert!(matches!(code_class("19"), Class::Other));
        // SQLSTATE disk_full; unique_violation.
        assert!(matches!(code_class("53100"), Class::Busy));
        assert!(matches!(code_class("23505"), Class::Other));
    }
}
