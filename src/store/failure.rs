//! Classifies database errors by their meaning for a caller.

use rusqlite::{
    ErrorCode,
    ffi::{
        SQLITE_BUSY, SQLITE_CANTOPEN, SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY,
        SQLITE_CONSTRAINT_UNIQUE, SQLITE_FULL, SQLITE_INTERRUPT, SQLITE_IOERR, SQLITE_LOCKED, SQLITE_PERM,
        SQLITE_READONLY,
    },
};
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

use super::operation::diagnosis;

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum DbFailure {
    /// An error of the asynchronous drivers.
    #[error(transparent)]
    Driver(#[from] DbErr),
    /// An error of `SQLite` on a thread of this program.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A part of a batch did not write the expected rows.
    #[error("a part of a batch did not write what it should")]
    GuardFailed,
    /// A write to a file that was opened with `mode=ro`.
    #[error("the database is opened with mode=ro, for reading only")]
    ReadOnly,
}

impl DbFailure {
    /// Converts the error of a batch: an unmet guard shows as a division by zero, or as a subquery with more than one
    /// row.
    #[must_use]
    pub fn from_batch(self) -> Self {
        let is_unmet = matches!(&self, Self::Driver(DbErr::Query(RuntimeErr::SqlxError(inner)))
            if matches!(inner.as_ref(), sqlx::Error::Database(error)
                if matches!(error.code().as_deref(), Some("22012" | "21000"))));
        if is_unmet { Self::GuardFailed } else { self }
    }

    /// Returns what the error means to a caller.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Driver(error) => failure_kind(error),
            Self::GuardFailed => FailureKind::Retry,
            Self::ReadOnly => FailureKind::Busy,
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(
                    ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::CannotOpen
                    | ErrorCode::ReadOnly
                    | ErrorCode::PermissionDenied
                    | ErrorCode::SystemIoFailure,
                ) => FailureKind::Busy,
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

    /// Returns what the operator can fix, if anything.
    pub fn cause(&self) -> Option<String> {
        diagnosis::of(self)
    }

    /// Returns whether the error is transient: locks of other transactions and processes are.
    pub fn passes(&self) -> bool {
        match self {
            Self::Sqlite(error) => {
                matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
            }
            Self::Driver(error) => database_code(error).is_some_and(|code| PASSING.contains(&code.as_str())),
            Self::GuardFailed => true,
            Self::ReadOnly => false,
        }
    }

    /// Returns a message for the log, without values of rows.
    pub fn for_the_log(&self) -> String {
        match self {
            Self::Driver(error) => for_the_log(error),
            Self::GuardFailed | Self::ReadOnly => self.to_string(),
            Self::Sqlite(error) => Self::describe(error),
        }
    }

    /// Returns a message for the log about a `SQLite` error, without values of rows.
    pub fn describe(error: &rusqlite::Error) -> String {
        match error {
            // Messages of these errors contain only names of tables and columns.
            rusqlite::Error::SqliteFailure(error, message) => {
                let message = message.as_deref().unwrap_or_default();
                format!("a statement failed: {} {message}", error.extended_code)
            }
            // Other errors may quote the statement.
            _ => "a statement failed: a value of the database has another type".to_owned(),
        }
    }
}

/// The meaning of a database error for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// A unique constraint is violated.
    Unique,
    /// A foreign key is violated: the referenced row is missing, or the row is still referenced.
    ForeignKey,
    /// Locks or connections are taken; the operation may succeed later.
    Busy,
    /// Two transactions conflicted; a retry may succeed at once.
    Retry,
    /// Cancelled by a timeout.
    Timeout,
    /// The disk is full; nothing was written.
    Full,
    /// Any other error.
    Other,
}

/// Classifies an error of the asynchronous drivers.
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
            Some(code) if database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() => {
                // The lowest byte is the primary result code.
                match code.parse::<i32>().map(|code| code & 0xff) {
                    Ok(
                        SQLITE_BUSY | SQLITE_LOCKED | SQLITE_CANTOPEN | SQLITE_READONLY | SQLITE_PERM | SQLITE_IOERR,
                    ) => FailureKind::Busy,
                    Ok(SQLITE_FULL) => FailureKind::Full,
                    Ok(SQLITE_INTERRUPT) => FailureKind::Timeout,
                    _ => FailureKind::Other,
                }
            }
            Some(code) => postgres_kind(code),
            None => FailureKind::Other,
        },
        _ => FailureKind::Other,
    }
}

/// Classifies a SQLSTATE.
fn postgres_kind(code: &str) -> FailureKind {
    match code {
        // Serialization failure, deadlock.
        "40001" | "40P01" => FailureKind::Retry,
        // Disk full, out of memory.
        "53100" | "53200" => FailureKind::Full,
        "57014" => FailureKind::Timeout,
        // Lock not available; object in use; read-only; transaction or session idle for too long; the server refuses
        // the role, or every connection.
        "55P03" | "55000" | "25006" | "25P03" | "25P04" | "28000" | "28P01" | "3D000" => FailureKind::Busy,
        // The connection broke or the pooler has none; insufficient resources; the server is starting or stopping; its
        // disk fails.
        _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => FailureKind::Busy,
        _ => FailureKind::Other,
    }
}

/// SQLSTATEs of transient errors: locks of other transactions.
const PASSING: [&str; 2] = ["55P03", "55000"];

/// Returns the error code of the database.
fn database_code(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(RuntimeErr::SqlxError(inner))
    | DbErr::Exec(RuntimeErr::SqlxError(inner))
    | DbErr::Query(RuntimeErr::SqlxError(inner))) = error
    else {
        return None;
    };
    inner.as_database_error().and_then(sqlx::error::DatabaseError::code).map(std::borrow::Cow::into_owned)
}

/// SQLSTATE classes whose messages contain connections, roles, names and server state, but never values of a row.
const WITHOUT_VALUES: [&str; 10] = ["08", "0A", "25", "28", "3D", "42", "53", "55", "57", "58"];

/// Returns a message for the log. The database's own message may quote values of a row or the address of the database.
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
            // SQLite's messages contain only names of tables and columns.
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

    use super::{DbFailure, FailureKind, for_the_log, postgres_kind};

    /// The caller can retry, and the operator learns what to fix.
    #[test]
    fn what_the_disk_the_server_or_a_pooler_refuses_is_no_bug() {
        for code in ["08000", "08003", "08006", "08P01", "25006", "53300", "53400", "57P01", "57P05", "58030", "28P01"]
        {
            assert_eq!(postgres_kind(code), FailureKind::Busy, "{code}");
        }
        assert_eq!(postgres_kind("53100"), FailureKind::Full);
        assert_eq!(postgres_kind("57014"), FailureKind::Timeout);
        for code in ["22012", "42601", "42501", "XX000"] {
            assert_eq!(postgres_kind(code), FailureKind::Other, "{code}");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        rusqlite::Connection::open(&file).unwrap().execute("CREATE TABLE a (b)", ()).unwrap();
        let only_read =
            rusqlite::Connection::open_with_flags(&file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let failed = DbFailure::from(only_read.execute("INSERT INTO a VALUES (1)", ()).unwrap_err());
        assert_eq!(failed.kind(), FailureKind::Busy);
        assert!(failed.cause().is_some_and(|cause| cause.contains("read-only")) && !failed.passes());
    }

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
        assert!(!DbFailure::from(other).for_the_log().contains(secret));
    }
}
