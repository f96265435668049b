//! Read connections of a `SQLite` file that run short statements on the calling thread.
//!
//! A statement that exceeds its budget is interrupted and run again on a blocking thread. A driver with one thread per
//! connection pays two thread switches per statement, several times the cost of most statements.

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode};
use sea_orm::{ConnAcquireErr, DbErr, Statement};
use tokio::sync::Semaphore;

use super::{PerParent, RowLayout, TenantRow, sqlite};
use crate::store::failure::DbFailure;

/// Budget of a statement on the calling thread.
const INLINE_BUDGET: Duration = Duration::from_millis(2);
/// Statement timeout, the same as on PostgreSQL.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// Lock timeout of a long statement. Only an exclusive lock on the file, as for a restore, blocks readers.
const LOCK: Duration = Duration::from_secs(2);
/// Steps of `SQLite`'s virtual machine between two looks at the clock.
const STEPS: i32 = 1_000;

/// The read connections of one file.
pub struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Reader>>,
    /// Limits how many long statements run at once.
    places: Arc<Semaphore>,
    most: usize,
    acquire_timeout: Duration,
    is_closed: AtomicBool,
    statements: Arc<AtomicU64>,
}

struct Reader {
    connection: Connection,
    /// Deadline of the statement, in nanoseconds after `epoch`.
    deadline: Arc<AtomicU64>,
    epoch: Instant,
}

impl Readers {
    /// Creates the pool of an existing file in WAL mode; connections open on demand.
    pub fn new(file: PathBuf, most: u32, acquire_timeout: Duration, statements: &Arc<AtomicU64>) -> Arc<Self> {
        let (most, statements) = (most.max(1) as usize, Arc::clone(statements));
        let places = Arc::new(Semaphore::new(most));
        Arc::new(Self {
            file,
            idle: Mutex::default(),
            places,
            most,
            acquire_timeout,
            is_closed: AtomicBool::new(false),
            statements,
        })
    }

    /// Runs a statement and returns its rows.
    pub async fn query(
        self: &Arc<Self>,
        statement: Statement,
        layout: RowLayout<'_>,
    ) -> Result<Vec<TenantRow>, DbFailure> {
        // A task with many statements in a row yields now and then.
        tokio::task::coop::consume_budget().await;
        let started = Instant::now();
        let brief = self.run(INLINE_BUDGET, Duration::ZERO, |reader, _| sqlite::read(reader, &statement, layout));
        super::yield_if_slow(started).await;
        match brief {
            Err(error) if takes_longer(&error) => {}
            done => return done,
        }
        let (kinds, has_parent) = (layout.kinds.to_vec(), layout.has_parent);
        self.on_blocking_thread(move |reader, _| {
            sqlite::read(reader, &statement, RowLayout { has_parent, kinds: &kinds })
        })
        .await
    }

    /// Runs a statement once for each parent.
    pub async fn query_per_parent(
        self: &Arc<Self>,
        mut statement: Statement,
        per_parent: PerParent<'_>,
        layout: RowLayout<'_>,
    ) -> Result<Vec<TenantRow>, DbFailure> {
        let brief = |reader: &Connection, until| {
            sqlite::read_per_parent_in_snapshot(reader, &mut statement, per_parent, layout, until)
        };
        let started = Instant::now();
        let brief = self.run(INLINE_BUDGET, Duration::ZERO, brief);
        super::yield_if_slow(started).await;
        match brief {
            Err(error) if takes_longer(&error) => {}
            done => return done,
        }
        let (kinds, has_parent) = (layout.kinds.to_vec(), layout.has_parent);
        let (parents, places) = (per_parent.parents.to_vec(), per_parent.places.to_vec());
        let long = move |reader: &Connection, until| {
            let (per_parent, layout) =
                (PerParent { parents: &parents, places: &places }, RowLayout { has_parent, kinds: &kinds });
            sqlite::read_per_parent_in_snapshot(reader, &mut statement, per_parent, layout, until)
        };
        self.on_blocking_thread(long).await
    }

    /// Runs a long statement on a blocking thread.
    async fn on_blocking_thread(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection, Instant) -> rusqlite::Result<Vec<TenantRow>> + Send + 'static,
    ) -> Result<Vec<TenantRow>, DbFailure> {
        let place = tokio::time::timeout(self.acquire_timeout, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?;
        let readers = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _place = place;
            readers.run(STATEMENT_TIMEOUT, LOCK, read)
        });
        task.await.map_err(|_| DbErr::Custom("a reader has panicked".to_owned()))?
    }

    /// Runs `read` on a pooled connection with a time budget and a lock timeout.
    fn run(
        &self,
        time: Duration,
        lock: Duration,
        read: impl FnOnce(&Connection, Instant) -> rusqlite::Result<Vec<TenantRow>>,
    ) -> Result<Vec<TenantRow>, DbFailure> {
        let started = Instant::now();
        let reader = self.take()?;
        let found = reader.until(started + time, lock).and_then(|until| read(&reader.connection, until));
        let found = found.map_err(DbFailure::from);
        if !matches!(&found, Err(error) if takes_longer(error) && time == INLINE_BUDGET) {
            self.statements.fetch_add(1, Ordering::Relaxed);
            metrics::histogram!("rapport_sql_seconds").record(started.elapsed().as_secs_f64());
        }
        let is_sound = found.as_ref().map_or_else(takes_longer, |_| true);
        self.give(reader, is_sound);
        found
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Reader, DbFailure> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed).into());
        }
        let idle = self.idle().pop();
        Ok(idle.map_or_else(|| Reader::open(&self.file), Ok)?)
    }

    /// Returns a connection to the pool, unless it may be in a bad state.
    fn give(&self, reader: Reader, is_sound: bool) {
        let mut idle = self.idle();
        // A connection left in a transaction would read an old snapshot for ever.
        let is_sound = is_sound && reader.connection.is_autocommit();
        if is_sound && idle.len() < self.most && !self.is_closed.load(Ordering::Acquire) {
            idle.push(reader);
        }
    }

    /// Closes idle connections now, and the others once their statements have ended.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.idle().clear();
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

/// Whether a statement was interrupted or found the file locked.
fn takes_longer(error: &DbFailure) -> bool {
    let DbFailure::Sqlite(error) = error else { return false };
    matches!(error.sqlite_error_code(), Some(ErrorCode::OperationInterrupted | ErrorCode::DatabaseBusy))
}

impl Reader {
    fn open(file: &std::path::Path) -> rusqlite::Result<Self> {
        let connection = sqlite::reader(file)?;
        let (deadline, epoch) = (Arc::new(AtomicU64::new(u64::MAX)), Instant::now());
        let until = Arc::clone(&deadline);
        let is_late = move || epoch.elapsed().as_nanos() >= u128::from(until.load(Ordering::Relaxed));
        connection.progress_handler(STEPS, Some(is_late))?;
        Ok(Self { connection, deadline, epoch })
    }

    /// Sets the deadline and the lock timeout of the next statement.
    fn until(&self, until: Instant, lock: Duration) -> rusqlite::Result<Instant> {
        let nanos = until.saturating_duration_since(self.epoch).as_nanos();
        self.deadline.store(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.connection.busy_timeout(lock)?;
        Ok(until)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use sea_orm::{DbBackend, Statement};

    use super::{INLINE_BUDGET, Readers, RowLayout, takes_longer};
    use crate::store::{
        driver::sqlite,
        failure::{DbFailure, FailureKind},
        statement::cell::{Cell, CellKind},
    };

    /// A statement whose duration grows with the number.
    fn count_to(number: i64) -> Statement {
        let sql = format!(
            "SELECT NULL, COUNT(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number}) \
             SELECT i FROM n)"
        );
        Statement::from_string(DbBackend::Sqlite, sql)
    }

    fn readers(folder: &tempfile::TempDir) -> Arc<Readers> {
        let file = folder.path().join("some.db");
        rusqlite::Connection::open(&file).unwrap().pragma_update(None, "journal_mode", "wal").unwrap();
        Readers::new(file, 2, Duration::from_secs(1), &Arc::default())
    }

    const COUNT: RowLayout<'_> = RowLayout { has_parent: false, kinds: &[CellKind::Int] };

    #[tokio::test]
    async fn what_takes_longer_is_answered_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(&folder);
        for number in [1, 1_000_000] {
            let found = readers.query(count_to(number), COUNT).await.unwrap();
            assert_eq!(found[0].cells, [Cell::Int(number)]);
        }
    }

    #[tokio::test]
    async fn nothing_keeps_the_thread_that_asks_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let endless = count_to(i64::MAX);
        let brief =
            readers(&folder).run(INLINE_BUDGET, Duration::ZERO, |reader, _| sqlite::read(reader, &endless, COUNT));
        assert!(takes_longer(brief.as_ref().unwrap_err()));
        assert_eq!(brief.unwrap_err().kind(), FailureKind::Timeout);
    }

    #[tokio::test]
    async fn a_reader_in_a_transaction_is_not_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(&folder);
        let begin = Statement::from_string(DbBackend::Sqlite, "BEGIN".to_owned());
        readers.query(begin, RowLayout { has_parent: false, kinds: &[] }).await.unwrap();
        assert!(readers.idle().is_empty());
        readers.query(count_to(1), COUNT).await.unwrap();
        assert_eq!(readers.idle().len(), 1);
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let write = Statement::from_string(DbBackend::Sqlite, "CREATE TABLE t (a INTEGER)".to_owned());
        let refused = readers(&folder).query(write, RowLayout { has_parent: false, kinds: &[] }).await;
        assert!(matches!(refused, Err(DbFailure::Sqlite(_))));
    }
}
