//! Failures that tests order. Compiled with debug assertions only, so no release has them; there they do nothing until
//! the environment of a test turns them on.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::Duration,
};

/// Callers whose subject starts so ask for the fault that it names.
const PREFIX: &str = "fault:";
/// How long a stalled read takes.
const STALL: Duration = Duration::from_secs(3);

static ARE_ON: AtomicBool = AtomicBool::new(false);
static MAX_PAGES: AtomicU32 = AtomicU32::new(0);

/// Where a fault can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before a statement that answers with rows.
    Read,
    /// After everything was written, before the commit.
    Commit,
}

/// From now on callers get the faults that they ask for.
pub fn turn_on() {
    ARE_ON.store(true, Ordering::Relaxed);
}

/// From now on a file of `SQLite` that is opened grows to so many pages and no further.
pub fn limit_pages(most: u32) {
    MAX_PAGES.store(most, Ordering::Relaxed);
}

/// How many pages a file may have, if that is limited.
pub fn most_pages() -> Option<u32> {
    Some(MAX_PAGES.load(Ordering::Relaxed)).filter(|most| *most > 0)
}

/// Fails if `subject` asks for it here.
pub async fn inject(point: Point, subject: &str) {
    if !ARE_ON.load(Ordering::Relaxed) {
        return;
    }
    match (point, subject.strip_prefix(PREFIX)) {
        (Point::Read, Some("panic-at-read")) | (Point::Commit, Some("panic-at-commit")) => {
            panic!("a test asked for it")
        }
        (Point::Read, Some("stall-at-read")) => tokio::time::sleep(STALL).await,
        // The thread itself, as a loop without an end does.
        (Point::Read, Some("hang-at-read")) => loop {
            thread::park();
        },
        _ => {}
    }
}
