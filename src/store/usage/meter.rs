//! Metering of one request: counted while it runs, read when points are charged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::store::{Connection, Scope, driver::Payer};

/// Counts the work of one request. Shared by its scopes and transactions.
#[derive(Debug, Default)]
pub struct Meter {
    writer_micros: AtomicU64,
    rows_read: AtomicU64,
    rows_written: AtomicU64,
    at_once: AtomicU64,
    points: AtomicU64,
    answered: AtomicU64,
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
