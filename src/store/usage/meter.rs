//! What one request costs: counted while it runs, and read by whoever charges for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    Error, Result,
    store::{Connection, Scope, driver::Payer},
};

/// Counts what is done for one request. Scopes and transactions of the request share it.
#[derive(Debug, Default)]
pub struct Meter {
    writer_micros: AtomicU64,
    rows_read: AtomicU64,
    rows_written: AtomicU64,
    at_once: AtomicU64,
    points: AtomicU64,
    answered: AtomicU64,
    is_abandoned: AtomicBool,
}

/// What a [`Meter`] has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// `SQLite`: how long the request held the one writer. PostgreSQL: how long its transactions' statements took.
    pub writer: Duration,
    /// Rows that statements answered with.
    pub rows_read: u64,
    /// Rows that were inserted, changed or deleted.
    pub rows_written: u64,
    /// Most rows and lines that one transaction was given to write.
    pub at_once: u64,
    /// Points for work that no statement shows, such as parsing.
    pub points: u64,
    /// Tenths of points for what the answer holds: objects, counts, and rows that were written.
    pub answered: u64,
}

/// Marks a request as abandoned when it is dropped before its work has ended.
#[derive(Debug)]
pub struct Watch(Option<Arc<Meter>>);

impl Meter {
    /// Adds points for work that no statement shows.
    pub fn charge(&self, points: u64) {
        self.points.fetch_add(points, Ordering::Relaxed);
    }

    /// Notes how many rows and lines one transaction is given to write.
    pub fn writes_at_once(&self, rows: usize) {
        self.at_once.fetch_max(rows as u64, Ordering::Relaxed);
    }

    /// Adds tenths of points for what the answer holds.
    pub fn answers(&self, tenths: u64) {
        self.answered.fetch_add(tenths, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn spent(&self) -> Spent {
        Spent {
            writer: Duration::from_micros(self.writer_micros.load(Ordering::Relaxed)),
            rows_read: self.rows_read.load(Ordering::Relaxed),
            rows_written: self.rows_written.load(Ordering::Relaxed),
            at_once: self.at_once.load(Ordering::Relaxed),
            points: self.points.load(Ordering::Relaxed),
            answered: self.answered.load(Ordering::Relaxed),
        }
    }

    /// Whether nobody waits for the request any more. Long computations ask now and then, and stop.
    pub fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Relaxed)
    }

    /// Refuses to go on if nobody waits any more.
    pub fn check(&self) -> Result<()> {
        if self.is_abandoned() { Err(Error::Timeout) } else { Ok(()) }
    }

    /// Notes that nobody waits for the request any more.
    pub fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
    }

    /// Notes that nobody waits any more if what is answered is dropped before [`Watch::done`].
    pub fn watch(self: &Arc<Self>) -> Watch {
        Watch(Some(Arc::clone(self)))
    }

    pub(in crate::store) fn wrote_since(&self, started: Instant) {
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.writer_micros.fetch_add(micros.max(1), Ordering::Relaxed);
    }

    pub(in crate::store) fn read(&self, rows: usize) {
        self.rows_read.fetch_add(rows as u64, Ordering::Relaxed);
    }

    pub(in crate::store) fn wrote(&self, rows: u64) {
        self.rows_written.fetch_add(rows, Ordering::Relaxed);
    }
}

impl Watch {
    /// The work has ended.
    pub fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(meter) = &self.0 {
            meter.abandon();
        }
    }
}

impl Scope {
    /// The same, counting its cost on a meter that others read too.
    #[must_use]
    pub fn metered(mut self, meter: Arc<Meter>) -> Self {
        self.meter = meter;
        self
    }
}

impl<C: Connection> Scope<C> {
    /// What counts the cost of the request.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Who pays for its transactions.
    pub(in crate::store) fn payer(&self) -> Payer {
        Payer { organization: Some(self.organization()), meter: Arc::clone(&self.meter) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Meter;

    #[test]
    fn a_request_is_abandoned_when_its_watch_is_dropped_and_not_when_it_is_done() {
        let meter = Arc::new(Meter::default());
        meter.watch().done();
        assert!(!meter.is_abandoned());
        drop(meter.watch());
        assert!(meter.is_abandoned());
    }
}
