//! Metering of one request: counted while it runs, read when points are charged.

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

/// Counts the work of one request. Shared by its scopes and transactions.
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

/// A snapshot of a [`Meter`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// `SQLite`: how long the request held the writer. PostgreSQL: duration of the statements in its transactions.
    pub writer: Duration,
    /// Rows that statements returned.
    pub rows_read: u64,
    /// Rows that were inserted, changed or deleted.
    pub rows_written: u64,
    /// Largest number of rows and links given to one transaction.
    pub at_once: u64,
    /// Points for work outside statements, such as parsing.
    pub points: u64,
    /// Tenths of points for the content of the response: objects, counts and written rows.
    pub answered: u64,
}

/// Marks a request as abandoned when it is dropped before its work has ended.
#[derive(Debug)]
pub struct Watch(Option<Arc<Meter>>);

impl Meter {
    /// Adds points for work outside statements.
    pub fn charge(&self, points: u64) {
        self.points.fetch_add(points, Ordering::Relaxed);
    }

    /// Records how many rows and links one transaction is given to write.
    pub fn writes_at_once(&self, rows: usize) {
        self.at_once.fetch_max(rows as u64, Ordering::Relaxed);
    }

    /// Adds tenths of points for the content of the response.
    pub fn answers(&self, tenths: u64) {
        self.answered.fetch_add(tenths, Ordering::Relaxed);
    }

    /// Returns the counts so far.
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

    /// Whether the caller has gone. Long computations check this and stop.
    pub fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Relaxed)
    }

    /// [`Error::Timeout`] if the caller has gone.
    pub fn check(&self) -> Result<()> {
        if self.is_abandoned() { Err(Error::Timeout) } else { Ok(()) }
    }

    /// Records that the caller has gone.
    pub fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
    }

    /// Returns a guard that records that the caller has gone if it is dropped before [`Watch::done`].
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
    /// Disarms the guard: the work has ended.
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
    /// Replaces the meter of the scope by a shared one.
    #[must_use]
    pub fn metered(mut self, meter: Arc<Meter>) -> Self {
        self.meter = meter;
        self
    }
}

impl<C: Connection> Scope<C> {
    /// Returns the meter of the request.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Returns who is charged for its transactions.
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
