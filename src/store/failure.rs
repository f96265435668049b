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
        sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::PoolClosed => FailureKind::Busy,
        sqlx::Error::Database(database) => match database.code().as_deref() {
            // Serialization failure, deadlock.
            Some("40001" | "40P01") => FailureKind::Retry,
            // Lock not available; the server is starting, stopping or full; SQLITE_BUSY in its forms.
            Some("55P03" | "57P01" | "57P02" | "57P03" | "53300" | "5" | "261" | "517") => FailureKind::Busy,
            Some("57014") => FailureKind::Timeout,
            _ => FailureKind::Other,
        },
        _ => FailureKind::Other,
    }
}
