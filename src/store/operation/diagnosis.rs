//! Explains database problems that an operator can fix, and logs each of them once.

use std::{
    fmt, io,
    sync::{Mutex, PoisonError, atomic::AtomicBool, atomic::Ordering},
    time::{Duration, Instant},
};

use rusqlite::ffi;
use sea_orm::{DbErr, RuntimeErr, sqlx};

use crate::{Error, store::failure::DbFailure};

/// A message about a problem that the operator can fix. Contains no values of rows and no password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub String);

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        Self::Internal(std::sync::Arc::new(cause))
    }
}

/// The last reported cause.
static LAST: Mutex<Option<Cause>> = Mutex::new(None);
/// The last logged cause, and when it was logged.
static LOGGED_CAUSE: Mutex<Option<(String, Instant)>> = Mutex::new(None);
/// Whether [`LOGGED_CAUSE`] holds a value: checked after every transaction, without locking.
static HAS_LOGGED_CAUSE: AtomicBool = AtomicBool::new(false);
/// How long after logging a cause a recovery is ignored, so that a recurring cause, such as a full disk, is logged
/// once.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// Records a cause, and logs it unless it is transient or was the last one logged.
pub fn report(cause: String, passes: bool) {
    let mut logged = LOGGED_CAUSE.lock().unwrap_or_else(PoisonError::into_inner);
    if !passes && logged.as_ref().is_none_or(|(known, _)| *known != cause) {
        tracing::warn!(cause, "the database fails; repetitions are not logged");
        *logged = Some((cause.clone(), Instant::now()));
        HAS_LOGGED_CAUSE.store(true, Ordering::Release);
    }
    drop(logged);
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(Cause(cause));
}

/// Records that the database works again.
pub fn clear() {
    if HAS_LOGGED_CAUSE.load(Ordering::Acquire) {
        let mut logged = LOGGED_CAUSE.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.as_ref().is_some_and(|(_, since)| since.elapsed() > LOG_INTERVAL) {
            tracing::info!("the database works again");
            *logged = None;
            HAS_LOGGED_CAUSE.store(false, Ordering::Release);
        }
    }
}

/// Returns the last reported cause: explains why a command failed whose error only says to try again.
pub fn last() -> Option<Cause> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Returns what an operator can fix about a failure.
pub fn of(failed: &DbFailure) -> Option<String> {
    match failed {
        DbFailure::Driver(
            DbErr::Conn(RuntimeErr::SqlxError(error))
            | DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error)),
        ) => of_driver(error),
        DbFailure::Sqlite(error) => of_sqlite_error(error),
        DbFailure::ReadOnly => Some(DbFailure::ReadOnly.to_string()),
        DbFailure::Driver(_) | DbFailure::GuardFailed => None,
    }
}

/// Returns what an operator can fix about an error of the asynchronous drivers.
pub fn of_driver(error: &sqlx::Error) -> Option<String> {
    match error {
        sqlx::Error::Io(error) => Some(format!("the database cannot be reached: {}", Reason(error))),
        sqlx::Error::Tls(error) => Some(format!("TLS with PostgreSQL failed, see sslmode: {error}")),
        sqlx::Error::Database(error) => {
            let code = error.code()?;
            if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                return of_sqlite(code.parse().ok()?).map(str::to_owned);
            }
            of_postgres(&code, error.message())
        }
        _ => None,
    }
}

/// Returns what an operator can fix about an error of `SQLite` on a thread of this program.
pub fn of_sqlite_error(error: &rusqlite::Error) -> Option<String> {
    of_sqlite(error.sqlite_error()?.extended_code).map(str::to_owned)
}

/// Maps an extended result code of `SQLite`.
fn of_sqlite(code: i32) -> Option<&'static str> {
    Some(match code & 0xff {
        ffi::SQLITE_PERM | ffi::SQLITE_AUTH => "the database file may not be used: permission denied",
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => "another process has locked the database file",
        ffi::SQLITE_READONLY => "the database file can only be read: it, its folder or its disk is read-only",
        ffi::SQLITE_IOERR if code == ffi::SQLITE_IOERR_SHMSIZE => "the disk of the database file is full",
        ffi::SQLITE_IOERR => "the disk of the database file fails",
        ffi::SQLITE_CORRUPT => "the database file is damaged: restore a backup",
        ffi::SQLITE_FULL => "the disk of the database file is full",
        ffi::SQLITE_CANTOPEN => {
            "the database file cannot be opened: it, its folder, or what ends in -wal or -shm beside it is missing or \
             closed to this user"
        }
        ffi::SQLITE_NOTADB => "the file is no SQLite database",
        _ => return None,
    })
}

/// Maps a SQLSTATE of PostgreSQL. Its message is included only for classes that contain names, roles and server state.
fn of_postgres(code: &str, message: &str) -> Option<String> {
    let mend = match code {
        "08P01" if message.contains("startup parameter") => {
            "PgBouncer needs ignore_startup_parameters = options,extra_float_digits"
        }
        "26000" | "42P05" => {
            return Some(
                "a pooler gives out connections without their prepared statements: PgBouncer needs \
                 max_prepared_statements = 512 (and version 1.21 or later)"
                    .to_owned(),
            );
        }
        "28P01" | "28000" => "see user and password in --database-url, and the server's pg_hba.conf",
        "3D000" => "`createdb` makes it, or --database-url names another",
        "3F000" => "the role's search_path must name a schema that is there",
        "53300" => "lower --database-connections, or raise max_connections of the server",
        "53100" => "its disk is full",
        "53200" => "it is out of memory",
        "57P03" => "try again when it has started",
        "42501" => "grant it to the role in --database-url",
        "42P01" => "`rapport migrate` makes our tables; the role's search_path must name their schema",
        "25006" => "name the primary in --database-url: a standby, and a database set to read-only, take no writes",
        _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) && code != "57014" => "",
        _ => return None,
    };
    let separator = if mend.is_empty() { "" } else { "; " };
    Some(format!("PostgreSQL says: {message}{separator}{mend}"))
}

/// Formats why a connection failed, in a few words.
pub struct Reason<'a>(pub &'a io::Error);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind() {
            io::ErrorKind::ConnectionRefused => f.write_str("refused"),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
                f.write_str("the connection was cut")
            }
            io::ErrorKind::NotFound => f.write_str("there is no such socket"),
            io::ErrorKind::TimedOut => f.write_str("no answer"),
            _ => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_mended_says_how() {
        for (code, message, said) in [
            ("28P01", "password authentication failed for user \"ann\"", "--database-url"),
            ("3D000", "database \"x\" does not exist", "createdb"),
            ("53300", "sorry, too many clients already", "--database-connections"),
            ("42501", "permission denied for table event", "grant"),
            ("25006", "cannot execute INSERT in a read-only transaction", "primary"),
            ("42P05", "prepared statement \"sqlx_s_1\" already exists", "max_prepared_statements"),
            ("26000", "prepared statement \"sqlx_s_1\" does not exist", "max_prepared_statements"),
            ("08P01", "unsupported startup parameter: extra_float_digits", "ignore_startup_parameters"),
            ("08006", "server conn crashed?", "server conn crashed?"),
            ("57P03", "the database system is starting up", "starting up"),
            ("53100", "could not extend file", "disk is full"),
            ("58030", "could not read block", "could not read block"),
        ] {
            let cause = of_postgres(code, message).unwrap_or_default();
            assert!(cause.contains(said), "{code}: {cause}");
        }
        for code in ["23505", "22012", "57014", "40001", "XX000"] {
            assert_eq!(of_postgres(code, "Key (email)=(mia@example.com) already exists."), None);
        }
        for (code, said) in [
            (ffi::SQLITE_NOTADB, "no SQLite database"),
            (ffi::SQLITE_FULL, "full"),
            (ffi::SQLITE_READONLY_DIRECTORY, "read-only"),
            (ffi::SQLITE_BUSY_RECOVERY, "locked"),
            (ffi::SQLITE_CORRUPT_INDEX, "damaged"),
            (ffi::SQLITE_CANTOPEN_ISDIR, "cannot be opened"),
            (ffi::SQLITE_IOERR_SHMSIZE, "full"),
            (ffi::SQLITE_IOERR_FSYNC, "fails"),
        ] {
            assert!(of_sqlite(code).is_some_and(|cause| cause.contains(said)), "{code}");
        }
        assert_eq!(of_sqlite(ffi::SQLITE_CONSTRAINT_UNIQUE), None);
    }
}
