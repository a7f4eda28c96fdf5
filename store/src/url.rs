//! Where the database is: the setting, parsed.
//!
//! Owner of the address grammar. It must never print a password.

use crate::StoreError;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where the house and its history are kept.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// Two files in one folder.
    Sqlite {
        /// Users, devices, commands.
        house: PathBuf,
        /// Samples and roll-ups.
        history: PathBuf,
    },
    /// One PostgreSQL database; the address as libpq writes it.
    Postgres(String),
}

impl DatabaseUrl {
    /// Parses `sqlite:/folder/house.db` or `postgres://user:password@host/database`.
    ///
    /// The history lies beside the house: `history.db` for `house.db`, else
    /// `<name>-history.db`. A SQLite path is taken as it is written: no
    /// percent-encoding, no parameters.
    ///
    /// # Errors
    /// `Url`, with what is wrong.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let refuse = |problem: &str| {
            Err(StoreError::Url {
                url: without_password(url),
                problem: problem.to_owned(),
            })
        };
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return match url.parse::<sqlx::postgres::PgConnectOptions>() {
                Ok(_) => Ok(Self::Postgres(url.to_owned())),
                Err(e) => refuse(&e.to_string()),
            };
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            return refuse("it must begin with sqlite: or postgres://");
        };
        // sqlite:///a/b and sqlite:/a/b are the same file, sqlite://a and sqlite:a too.
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.contains('?') {
            return refuse("a SQLite address takes no parameters");
        }
        if path.contains(":memory:") {
            return refuse("a house must outlive the program, so it cannot be in memory");
        }
        match Self::sqlite(Path::new(path)) {
            Some(url) => Ok(url),
            None => refuse("it names no file"),
        }
    }

    /// The two files for a house file; `None` if the path names no file.
    pub fn sqlite(house: &Path) -> Option<Self> {
        let stem = house.file_stem()?.to_str()?;
        let history = if stem == "house" {
            "history.db".to_owned()
        } else {
            format!("{stem}-history.db")
        };
        Some(Self::Sqlite {
            house: house.to_owned(),
            history: house.with_file_name(history),
        })
    }
}

/// The address with the password taken out.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    // A password may itself hold '@': the last one ends it.
    let shown = match rest[..authority_end].rfind('@').or_else(|| rest.rfind('@')) {
        Some(at) => {
            let user = rest[..at].split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{}", &rest[at + 1..])
        }
        None => url.to_owned(),
    };
    // libpq also takes a password as a parameter.
    match shown.find("password=") {
        Some(at) => format!("{}password=…", &shown[..at]),
        None => shown,
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { house, .. } => write!(f, "sqlite:{}", house.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(house: &str, history: &str) -> DatabaseUrl {
        DatabaseUrl::Sqlite {
            house: house.into(),
            history: history.into(),
        }
    }

    #[test]
    fn the_history_lies_beside_the_house() {
        for url in ["sqlite:/data/house.db", "sqlite:///data/house.db"] {
            let parsed = DatabaseUrl::parse(url).expect("an address");
            assert_eq!(parsed, sqlite("/data/house.db", "/data/history.db"));
        }
        assert_eq!(
            DatabaseUrl::parse("sqlite:a.db").expect("an address"),
            sqlite("a.db", "a-history.db")
        );
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_setting() {
        for url in ["", "mysql://x", "sqlite:", "sqlite::memory:", "sqlite:/a?b"] {
            let error = DatabaseUrl::parse(url).expect_err(url).to_string();
            assert!(error.contains("IOTHOME_DATABASE_URL"), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        for url in [
            "postgres://home:s3cret@db/iothome",
            "postgres://home:s3cret@db:5432/iothome?sslmode=require",
            "postgresql://home:a%40s3cret@db",
            "postgres://db/iothome?user=home&password=s3cret",
            "postgres://home:with/s3cret@db/iothome",
        ] {
            assert!(!without_password(url).contains("s3cret"), "{url}");
        }
        let url = DatabaseUrl::parse("postgres://home:s3cret@db/iothome").expect("an address");
        assert_eq!(format!("{url:?}"), "postgres://home@db/iothome");
    }
}
