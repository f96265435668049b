//! WAL checkpoints of `SQLite`, on a thread beside the writer.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::Connection;
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard},
};

use super::sqlite;
use crate::store::failure::DbFailure;

/// A checkpoint starts after this many new pages in the WAL.
const EACH: u32 = 1_000;
/// Above this many pages writers wait for the checkpoint to end: the WAL restarts only after a complete checkpoint.
const MAX: u32 = 16_000;

thread_local! {
    /// Pages in the WAL after the last commit on this thread.
    static LOGGED: Cell<u32> = const { Cell::new(0) };
}

/// Replaces the automatic checkpoint of a connection by a hook that records the length of the WAL.
pub fn watch(connection: &Connection) {
    connection.wal_hook(Some(|_, pages| {
        LOGGED.set(u32::try_from(pages).unwrap_or(0));
        Ok(())
    }));
}

/// Runs the checkpoints of one file, one at a time.
#[derive(Clone)]
pub struct Checkpoints {
    file: PathBuf,
    home: Handle,
    /// Pages in the WAL at the last checkpoint.
    seen: Arc<Mutex<u32>>,
}

impl Checkpoints {
    pub fn new(file: PathBuf, home: Handle) -> Self {
        Self { file, home, seen: Arc::default() }
    }

    /// Waits for a running checkpoint and prevents further ones while the guard lives.
    pub async fn paused(&self) -> OwnedMutexGuard<u32> {
        Arc::clone(&self.seen).lock_owned().await
    }

    /// Starts a checkpoint if the WAL has grown enough. Called by the writer after each commit.
    pub fn after_commit(&self, writer: &Connection) {
        let pages = LOGGED.take();
        let Ok(mut seen) = Arc::clone(&self.seen).try_lock_owned() else { return };
        if pages < *seen {
            *seen = 0;
        }
        if pages - *seen < EACH {
            return;
        }
        let is_late = pages >= MAX && *seen > 0;
        *seen = pages;
        if is_late {
            return log_failure(move_log(writer));
        }
        let file = self.file.clone();
        self.home.spawn_blocking(move || {
            log_failure(checkpoint(&file));
            drop(seen);
        });
    }
}

fn checkpoint(file: &Path) -> rusqlite::Result<()> {
    move_log(&sqlite::writer(file)?)
}

/// Checkpoints the pages that no reader still needs.
fn move_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))
}

/// Logs a failure; the WAL grows until the next attempt.
fn log_failure(done: rusqlite::Result<()>) {
    if let Err(error) = done {
        tracing::warn!(error = DbFailure::describe(&error), "the write-ahead log could not be moved into the file");
    }
}
