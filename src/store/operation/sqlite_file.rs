//! Preparation of a `SQLite` file before it is opened: creation, locking, and explanations of failures.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, Instant},
};

use super::diagnosis::{self, Cause};
use crate::{
    Error, Result,
    store::{Mode, SqliteFile},
};

/// Retry interval for a lock that another process holds.
const RETRY_AFTER: Duration = Duration::from_millis(20);
/// Timeout for the lock: the longest duration of a migration.
const MAX_LENGTH: Duration = Duration::from_mins(10);

/// Prevents other processes from opening or migrating files of the same directory until the returned value is dropped.
/// Locks the directory itself, so that no lock file is left behind. Returns `None` if it cannot be locked, such as a
/// directory that may not be listed.
pub async fn lock(file: &Path) -> Result<Option<File>> {
    let Ok(folder) = File::open(folder(file)) else { return Ok(None) };
    let (mut is_logged, began) = (false, Instant::now());
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(Some(folder)),
            // Some file systems do not support locks.
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) if began.elapsed() > MAX_LENGTH => {
                return Err(Cause(format!("another process keeps {} locked", self::folder(file).display())).into());
            }
            Err(TryLockError::WouldBlock) => {}
        }
        if !is_logged && began.elapsed() > Duration::from_secs(5) {
            is_logged = true;
            tracing::info!(file = %file.display(), "waiting for another process that opens or migrates the database");
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

/// Returns the directory of a file.
fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a missing file if the mode allows this, inaccessible to other users: `SQLite` gives its auxiliary files the
/// same permissions.
pub fn make(file: &SqliteFile) -> Result<(), Cause> {
    let name = file.path.display();
    match fs::metadata(&file.path) {
        Ok(found) if found.is_dir() => Err(Cause(format!("{name} is a directory, not a database file"))),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.mode == Mode::Make => {
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file.path);
            made.map(drop).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => {
                    Cause(format!("the directory {} does not exist", folder(&file.path).display()))
                }
                _ => Cause(format!("the database file {name} cannot be created: {error}")),
            })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Cause(format!("the database file {name} does not exist; ?mode=rwc creates it")))
        }
        Err(error) => Err(Cause(format!("the database file {name} cannot be used: {error}"))),
    }
}

/// Explains why a file could not be opened or migrated.
pub fn explain(file: &SqliteFile, error: Error) -> Error {
    let cause = match &error {
        Error::Internal(source) => source.downcast_ref::<Cause>().map(|known| known.0.clone()),
        Error::Unavailable => diagnosis::last().map(|last| last.0),
        _ => None,
    };
    match cause {
        Some(cause) => Cause(format!("{}: {cause}", file.path.display())).into(),
        None => error,
    }
}
