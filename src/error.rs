//! The errors of a request. Expected errors in the input of a mutation are data instead: see [`UserError`].

use std::sync::Arc;

use entity::Permission;
use sea_orm::DbErr;

use self::reason::Reason;
use crate::store::{
    DbFailure, FailureKind,
    operation::diagnosis::{self, Cause},
};

pub mod reason;

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the request as a whole. Has a separate variant only where clients or the kernel act on it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no valid token.
    #[error("{0}")]
    Unauthenticated(Reason),
    /// The token lacks a scope.
    #[error("requires the scope {}", .0.name())]
    Forbidden(Permission),
    /// The token names departments, and the request concerns the whole organization.
    #[error("the token is narrowed to departments, and this concerns the whole organization")]
    Narrowed,
    /// An argument of a query is invalid: paging, cursor, scalar text.
    #[error("{0}")]
    BadInput(String),
    /// A position is not one of the change feed: of another epoch, beyond the head, or before the oldest change.
    #[error(
        "the position is not in the change feed: read everything again, and continue at the head of that time; the oldest \
         change has the sequence {oldest}"
    )]
    CursorExpired {
        /// Sequence of the oldest change that can be read.
        oldest: i64,
    },
    /// The transaction conflicts with another one; the kernel retries it.
    #[error("a concurrent change interfered; try again")]
    Collision,
    /// The list of attributes that are not personal has not been read yet; the root field reads it and plans again.
    #[error("which attributes are not personal was not read")]
    NotRead,
    /// The database is busy or unreachable. A later retry may succeed.
    #[error("the service is busy; try again")]
    Unavailable,
    /// The time limit was exceeded.
    #[error("the request took too long")]
    Timeout,
    /// Any other error: a bug or an outage. The source is logged once, at the edge, and never sent to clients.
    #[error("internal error")]
    Internal(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Returns the stable code for `extensions.code`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated(_) => "UNAUTHENTICATED",
            Self::Forbidden(_) | Self::Narrowed => "FORBIDDEN",
            Self::BadInput(_) => "BAD_USER_INPUT",
            Self::CursorExpired { .. } => "CURSOR_EXPIRED",
            Self::Unavailable | Self::Collision => "UNAVAILABLE",
            Self::Timeout => "TIMEOUT",
            Self::NotRead | Self::Internal(_) => "INTERNAL_SERVER_ERROR",
        }
    }

    /// Returns an internal error with a message for the log.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(message.into())))
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        DbFailure::from(error).into()
    }
}

impl From<DbFailure> for Error {
    fn from(error: DbFailure) -> Self {
        let (kind, cause) = (error.kind(), error.cause());
        match (kind, cause) {
            (FailureKind::Busy | FailureKind::Full, cause) => {
                if let Some(cause) = cause {
                    diagnosis::report(cause, error.passes());
                }
                Self::Unavailable
            }
            (FailureKind::Timeout, _) => Self::Timeout,
            // References are looked up before they are stored: if a foreign key fails, the row was deleted in between.
            (FailureKind::Retry | FailureKind::Unique | FailureKind::ForeignKey, _) => Self::Collision,
            (FailureKind::Other, Some(cause)) => Cause(cause).into(),
            (FailureKind::Other, None) => Self::internal(error.for_the_log()),
        }
    }
}

/// An error in the input of a mutation. Part of the payload, so that a front end can show it at the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// The kind of error.
    pub code: Code,
    /// The error message, a sentence for people.
    pub message: String,
    /// Path to the input field, starting at the mutation's arguments.
    pub path: Vec<String>,
}

impl UserError {
    /// Creates an error at a top-level field of the input.
    pub fn new(code: Code, field: &str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), path: vec![field.to_owned()] }
    }
}

entity::string_enum! {
    /// Kind of error in the input of a mutation.
    Code as "UserErrorCode" {
        /// A required value is missing.
        Required = "REQUIRED",
        /// A value is not valid.
        Invalid = "INVALID",
        /// A text or list is too long.
        TooLong = "TOO_LONG",
        /// A number is too small or too large.
        OutOfRange = "OUT_OF_RANGE",
        /// No such row exists.
        NotFound = "NOT_FOUND",
        /// Another row already has this key.
        Taken = "TAKEN",
        /// Other rows refer to the row.
        InUse = "IN_USE",
        /// The referenced row is archived and cannot be used for new work.
        Archived = "ARCHIVED",
        /// The row has changed since `expectedVersion`.
        Conflict = "CONFLICT",
        /// The state of the row does not allow the transition.
        InvalidTransition = "INVALID_TRANSITION",
        /// A contact policy does not allow to contact the customer then.
        ContactNotAllowed = "CONTACT_NOT_ALLOWED",
        /// The change would create a cycle.
        Cycle = "CYCLE",
        /// The person was erased; their data cannot be imported again.
        Erased = "ERASED",
        /// The idempotency key was already used with a different input.
        IdempotencyConflict = "IDEMPOTENCY_CONFLICT",
    }
}
