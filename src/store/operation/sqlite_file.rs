//! A file of `SQLite` before it is opened: who may make it, with whom, and why it cannot be used.

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

/// How often a lock that another process holds is asked for again.
const RETRY_AFTER: Duration = Duration::from_millis(20);
/// How long it may be held: the longest that a migration takes.
const MAX_LENGTH: Duration = Duration::from_mins(10);

/// Keeps every other process from opening or migrating files of the same folder until it is dropped. The folder itself is
/// locked, so that no file is left behind. None where that cannot be done: a folder that may not be listed.
pub async fn lock(file: &Path) -> Result<Option<File>> {
    let Ok(folder) = File::open(folder(file)) else { return Ok(None) };
    let (mut is_told, began) = (false, Instant::now());
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(Some(folder)),
            // Some file systems have no locks.
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) if began.elapsed() > MAX_LENGTH => {
                return Err(Cause(format!("another process keeps {} locked", self::folder(file).display())).into());
            }
            Err(TryLockError::WouldBlock) => {}
        }
        if !is_told && began.elapsed() > Duration::from_secs(5) {
            is_told = true;
            tracing::info!(file = %file.display(), "waiting for another process that opens or migrates the database");
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

/// The folder of a file.
fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a file that is not there and may be made, closed to others: what `SQLite` puts beside it is closed as it is.
pub fn make(file: &SqliteFile) -> Result<(), Cause> {
    let name = file.path.display();
    match fs::metadata(&file.path) {
        Ok(found) if found.is_dir() => Err(Cause(format!("{name} is a folder, and no database file"))),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.mode == Mode::Make => {
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file.path);
            made.map(drop).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Cause(format!("there is no folder {}", folder(&file.path).display())),
                _ => Cause(format!("the database file {name} cannot be made: {error}")),
            })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Cause(format!("there is no database file {name}; with ?mode=rwc it is made")))
        }
        Err(error) => Err(Cause(format!("the database file {name} cannot be used: {error}"))),
    }
}

/// Why a file could not be opened or brought up to date.
pub fn explain(file: &SqliteFile, error: Error) -> Error {
    let told = match &error {
        Error::Internal(source) => source.downcast_ref::<Cause>().map(|cause| cause.0.clone()),
        Error::Unavailable => diagnosis::last().map(|cause| cause.0),
        _ => None,
    };
    match told {
        Some(told) => Cause(format!("{}: {told}", file.path.display())).into(),
        None => error,
    }
}
