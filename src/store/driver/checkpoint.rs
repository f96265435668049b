//! Moves what was written from the write-ahead log into the file of `SQLite`, while others write.

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

/// After how many more pages in the log it is begun.
const EACH: u32 = 1_000;
/// With so many pages in the log, writers wait for the last of it: only when all is moved does the log begin anew.
const MAX: u32 = 16_000;

thread_local! {
    /// Pages in the log after the last commit on this thread.
    static LOGGED: Cell<u32> = const { Cell::new(0) };
}

/// Lets a connection tell how long the log is, instead of moving it by itself.
pub fn watch(connection: &Connection) {
    connection.wal_hook(Some(|_, pages| {
        LOGGED.set(u32::try_from(pages).unwrap_or(0));
        Ok(())
    }));
}

/// What moves the log of one file, one at a time.
#[derive(Clone)]
pub struct Checkpoints {
    file: PathBuf,
    home: Handle,
    /// The pages that were in the log when it was last moved.
    seen: Arc<Mutex<u32>>,
}

impl Checkpoints {
    pub fn new(file: PathBuf, home: Handle) -> Self {
        Self { file, home, seen: Arc::default() }
    }

    /// Waits for the one that is going on, and keeps others from beginning.
    pub async fn paused(&self) -> OwnedMutexGuard<u32> {
        Arc::clone(&self.seen).lock_owned().await
    }

    /// Takes care of the log after the writer's commit on this thread.
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
            return tell(move_log(writer));
        }
        let file = self.file.clone();
        self.home.spawn_blocking(move || {
            tell(apart(&file));
            drop(seen);
        });
    }
}

fn apart(file: &Path) -> rusqlite::Result<()> {
    move_log(&sqlite::writer(file)?)
}

/// Moves what no reader is in the way of.
fn move_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))
}

/// The log only grows meanwhile: it is tried again.
fn tell(done: rusqlite::Result<()>) {
    if let Err(error) = done {
        tracing::warn!(error = DbFailure::describe(&error), "the write-ahead log could not be moved into the file");
    }
}
