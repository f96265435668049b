//! What a database error means to a caller.

use rusqlite::{
    ErrorCode,
    ffi::{SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE},
};
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// One that the asynchronous drivers ran.
    #[error(transparent)]
    Driver(#[from] DbErr),
    /// One that `SQLite` ran on our own thread.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A batch whose parts did not all write what they should.
    #[error("a part of a batch did not write what it should")]
    Unmet,
}

impl Failed {
    /// The failure of a batch: what was not met shows as a division by zero, or as more rows than one.
    #[must_use]
    pub fn of_batch(self) -> Self {
        let is_unmet = matches!(&self, Self::Driver(DbErr::Query(RuntimeErr::SqlxError(inner)))
            if matches!(inner.as_ref(), sqlx::Error::Database(error)
                if matches!(error.code().as_deref(), Some("22012" | "21000"))));
        if is_unmet { Self::Unmet } else { self }
    }

    /// What it means to a caller.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Driver(error) => failure_kind(error),
            Self::Unmet => FailureKind::Retry,
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::CannotOpen) => FailureKind::Busy,
                Some(ErrorCode::DiskFull) => FailureKind::Full,
                Some(ErrorCode::OperationInterrupted) => FailureKind::Timeout,
                Some(ErrorCode::ConstraintViolation) => match error.sqlite_error().map(|error| error.extended_code) {
                    Some(SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE) => FailureKind::Unique,
                    Some(SQLITE_CONSTRAINT_FOREIGNKEY) => FailureKind::ForeignKey,
                    _ => FailureKind::Other,
                },
                _ => FailureKind::Other,
            },
        }
    }

    /// Whether it will not pass by itself.
    pub fn is_for_the_operator(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen))
    }

    /// What the log may know of it.
    pub fn for_the_log(&self) -> String {
        match self {
            Self::Driver(error) => for_the_log(error),
            Self::Unmet => self.to_string(),
            Self::Sqlite(error) => Self::describe(error),
        }
    }

    /// What the log may know of an error of `SQLite`.
    pub fn describe(error: &rusqlite::Error) -> String {
        match error {
            // Its messages name tables and columns only.
            rusqlite::Error::SqliteFailure(error, message) => {
                let message = message.as_deref().unwrap_or_default();
                format!("a statement failed: {} {message}", error.extended_code)
            }
            // Others may quote the statement.
            _ => "a statement failed: a value of the database has another type".to_owned(),
        }
    }
}

/// What a database error means to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// A key is taken.
    Unique,
    /// A row is missing, or still referred to.
    ForeignKey,
    /// Locks or connections are taken; the same may succeed later.
    Busy,
    /// Two transactions got into each other's way; running this one again may succeed at once.
    Retry,
    /// Cancelled by a time-out.
    Timeout,
    /// There is no room on the disk; what was to be written was not.
    Full,
    /// Anything else.
    Other,
}

/// Sorts an error of the asynchronous drivers.
fn failure_kind(error: &DbErr) -> FailureKind {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => return FailureKind::Unique,
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => return FailureKind::ForeignKey,
        _ => {}
    }
    let (DbErr::Conn(RuntimeErr::SqlxError(inner))
    | DbErr::Exec(RuntimeErr::SqlxError(inner))
    | DbErr::Query(RuntimeErr::SqlxError(inner))) = error
    else {
        return if matches!(error, DbErr::ConnectionAcquire(_)) { FailureKind::Busy } else { FailureKind::Other };
    };
    match inner.as_ref() {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => FailureKind::Busy,
        sqlx::Error::Database(database) => match database.code().as_deref() {
            // Serialization failure, deadlock.
            Some("40001" | "40P01") => FailureKind::Retry,
            // Lock not available; the server is starting, stopping, full of connections, lets nobody in or only reads;
            // SQLITE_BUSY in its forms.
            Some("55P03" | "55000" | "57P01" | "57P02" | "57P03" | "53300" | "25006" | "5" | "261" | "517") => {
                FailureKind::Busy
            }
            // Disk full, out of memory; SQLITE_FULL.
            Some("53100" | "53200" | "13") => FailureKind::Full,
            Some("57014") => FailureKind::Timeout,
            _ => FailureKind::Other,
        },
        _ => FailureKind::Other,
    }
}

/// Classes of SQLSTATE whose messages tell of connections, roles, names and the server's state, never of a row's values.
const WITHOUT_VALUES: [&str; 10] = ["08", "0A", "25", "28", "3D", "42", "53", "55", "57", "58"];

/// What the log may know of a database error. Its own words may quote the values of a row, or the database's address.
fn for_the_log(error: &DbErr) -> String {
    let (what, inner) = match error {
        DbErr::Conn(RuntimeErr::SqlxError(inner)) => ("the database cannot be reached", inner),
        DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner)) => {
            ("a statement failed", inner)
        }
        DbErr::ConnectionAcquire(_) | DbErr::Migration(_) => return error.to_string(),
        DbErr::RecordNotFound(_) | DbErr::RecordNotUpdated => return "a row is missing".to_owned(),
        DbErr::TryIntoErr { from, into, .. } => return format!("a {from} is no {into}"),
        DbErr::Type(_) | DbErr::Json(_) => return "a value of the database has another type".to_owned(),
        _ => return "the database failed".to_owned(),
    };
    match inner.as_ref() {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            // SQLite's messages name tables and columns only.
            let is_sqlite = database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some();
            if is_sqlite || WITHOUT_VALUES.iter().any(|class| code.starts_with(class)) {
                format!("{what}: {code} {}", database.message())
            } else {
                let place = [database.table(), database.constraint()].map(Option::unwrap_or_default);
                format!("{what}: {code} {}", place.join(" ")).trim_end().to_owned()
            }
        }
        sqlx::Error::Io(error) => format!("{what}: {error}"),
        sqlx::Error::Configuration(_) => format!("{what}: its address cannot be used"),
        sqlx::Error::ColumnDecode { index, .. } => format!("{what}: the value of {index} has another type"),
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            format!("{what}: {inner}")
        }
        _ => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{DbErr, RuntimeErr, sqlx};

    use super::{Failed, for_the_log};

    #[test]
    fn the_log_learns_no_value_and_no_address() {
        let secret = "mia@example.com";
        let caused = |inner| DbErr::Query(RuntimeErr::SqlxError(std::sync::Arc::new(inner)));
        for error in [
            DbErr::Type(secret.to_owned()),
            DbErr::Json(secret.to_owned()),
            DbErr::Custom(secret.to_owned()),
            DbErr::RecordNotFound(secret.to_owned()),
            caused(sqlx::Error::Configuration(secret.into())),
            caused(sqlx::Error::Protocol(secret.to_owned())),
            caused(sqlx::Error::ColumnDecode { index: "0".to_owned(), source: secret.into() }),
            caused(sqlx::Error::Decode(secret.into())),
        ] {
            let said = for_the_log(&error);
            assert!(!said.is_empty() && !said.contains(secret), "{said}");
        }
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert!(for_the_log(&caused(sqlx::Error::Io(refused))).contains("refused"));
        let other = rusqlite::Error::InvalidColumnName(secret.to_owned());
        assert!(!Failed::from(other).for_the_log().contains(secret));
    }
}
