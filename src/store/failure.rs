//! What a database error means to a caller.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

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

/// Sorts a database error.
pub fn failure_kind(error: &DbErr) -> FailureKind {
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
pub fn for_the_log(error: &DbErr) -> String {
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

    use super::for_the_log;

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
    }
}
