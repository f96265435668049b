//! Fault injection for tests. Compiled only with debug assertions, so releases do not contain it; inactive until the
//! environment of a test turns it on.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::Duration,
};

/// Prefix of a subject that requests a fault; the rest names the fault.
const PREFIX: &str = "fault:";
/// Duration of a stalled read.
const STALL: Duration = Duration::from_secs(3);

static ARE_ON: AtomicBool = AtomicBool::new(false);
static MAX_PAGES: AtomicU32 = AtomicU32::new(0);

/// Where a fault can be injected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before a statement that returns rows.
    Read,
    /// After all writes, before the commit.
    Commit,
}

/// Enables fault injection.
pub fn turn_on() {
    ARE_ON.store(true, Ordering::Relaxed);
}

/// Limits `SQLite` files opened from now on to `most` pages.
pub fn limit_pages(most: u32) {
    MAX_PAGES.store(most, Ordering::Relaxed);
}

/// Returns the maximum number of pages of a file, if it is limited.
pub fn most_pages() -> Option<u32> {
    Some(MAX_PAGES.load(Ordering::Relaxed)).filter(|most| *most > 0)
}

/// Injects the fault that `subject` requests at this point, if any.
pub async fn inject(point: Point, subject: &str) {
    if !ARE_ON.load(Ordering::Relaxed) {
        return;
    }
    match (point, subject.strip_prefix(PREFIX)) {
        (Point::Read, Some("panic-at-read")) | (Point::Commit, Some("panic-at-commit")) => {
            panic!("a test asked for it")
        }
        (Point::Read, Some("stall-at-read")) => tokio::time::sleep(STALL).await,
        // Blocks the thread itself, like an infinite loop.
        (Point::Read, Some("hang-at-read")) => loop {
            thread::park();
        },
        _ => {}
    }
}
