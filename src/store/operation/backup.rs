//! Copies of a `SQLite` database, and removal of erased data from the database files.

use std::{
    path::Path,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use entity::personal::{self, SEARCH_TABLE};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection};

use super::{connect, diagnosis::Cause};
use crate::{
    Error, Result,
    store::{
        SqliteFile, Store,
        driver::Pools,
        erasure::ledger::{self, Entry},
        statement::builder::Sql,
    },
};

/// How long a scrub waits for older transactions.
const OLDER: Duration = Duration::from_mins(10);
/// Polling interval of that wait.
const LOOKING: Duration = Duration::from_millis(100);

impl Store {
    /// Writes a consistent copy into an empty or new file, while others write. `SQLite` only.
    pub async fn copy_into(&self, file: &Path) -> Result<()> {
        let mut sql = Sql::new(self.backend());
        sql.push("VACUUM INTO ").bind(file.display().to_string());
        self.reader.execute_raw(sql.finish()).await?;
        Ok(())
    }

    /// Returns the defects of the file as reported by `SQLite`; empty if the file is intact.
    pub async fn flaws(&self) -> Result<Vec<String>> {
        let mut flaws = self.names("PRAGMA integrity_check").await?;
        flaws.retain(|flaw| flaw != "ok");
        let dangling = self.names("SELECT \"table\" FROM pragma_foreign_key_check").await?;
        flaws.extend(dangling.into_iter().map(|table| format!("a row of {table} refers to none")));
        Ok(flaws)
    }

    /// Returns the migrations in the database that this program does not know: a newer version applied them.
    pub async fn unknown_steps(&self) -> Result<Vec<String>> {
        let known: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
        let mut found = self.names("SELECT version FROM seaql_migrations ORDER BY version").await?;
        found.retain(|step| !known.contains(step));
        Ok(found)
    }

    /// Removes erased data from the write-ahead log of `SQLite`. Returns false if a reader prevented this. On
    /// PostgreSQL, dead rows leave the files only when the operator runs [`Store::scrub`].
    pub async fn clean(&self) -> Result<bool> {
        if self.is_postgres() {
            return Ok(true);
        }
        let is_done = self.execute_exclusive("PRAGMA wal_checkpoint(TRUNCATE)").await? == Some(0);
        self.is_unclean.store(!is_done, Ordering::Release);
        Ok(is_done)
    }

    /// Runs a statement on `SQLite` while no other connection writes.
    pub(in crate::store) async fn execute_exclusive(&self, sql: &'static str) -> Result<Option<i64>> {
        match &self.writer {
            Pools::Writer(writer) => Ok(writer.execute_exclusive(sql).await?),
            _ => Err(Error::internal("only SQLite has one writer")),
        }
    }

    /// Cleans now; if that fails, leaves the task to housekeeping.
    pub(in crate::store) async fn clean_soon(&self) {
        self.is_unclean.store(true, Ordering::Release);
        match self.clean().await {
            Ok(true) => {}
            Ok(false) => tracing::info!("erased data leaves the write-ahead log once no reader is active"),
            Err(error) => tracing::warn!(%error, "cannot remove erased data from the write-ahead log"),
        }
    }

    /// Returns whether erased data may still be in a database file.
    pub fn is_unclean(&self) -> bool {
        self.is_unclean.load(Ordering::Acquire)
    }

    /// Rewrites the tables that held personal data, so that no erased data remains in unused space. Locks each table
    /// while it is rewritten; may be interrupted and repeated. Calls `tell` with a message for each step.
    pub async fn scrub(&self, mut tell: impl FnMut(String)) -> Result<()> {
        if !self.is_postgres() {
            tell("rewriting the file".to_owned());
            self.execute_exclusive("VACUUM").await?;
            if !self.clean().await? {
                return Err(Error::Unavailable);
            }
            return Ok(());
        }
        let pool = connect::without_timeouts(&self.address, &self.statements).await?;
        self.wait_for_older(&pool, &mut tell).await?;
        for table in held() {
            tell(format!("rewriting {}", table.concat()));
            let mut sql = Sql::new(self.backend());
            sql.push("VACUUM (FULL, ANALYZE) ").name(&table).behind_last(&table);
            pool.execute_unprepared(&sql.finish().sql).await?;
        }
        // The planner's statistics contain sampled values: the ANALYZE above has replaced them, but the old samples
        // remain as dead rows, and every transaction that began before might still see them: an automatic ANALYZE of
        // another table is enough.
        self.wait_for_older(&pool, &mut tell).await?;
        tell("rewriting pg_statistic".to_owned());
        pool.execute_unprepared("VACUUM FULL pg_statistic").await?;
        // If tables are distributed over nodes, each node has its own statistics. The tables themselves are rewritten
        // on all nodes.
        let spreads = "SELECT 1 FROM pg_proc WHERE proname = 'run_command_on_all_nodes'";
        if pool.query_one_raw(Sql::text_only(self.backend(), spreads)).await?.is_some() {
            let everywhere =
                "SELECT CAST(success AS TEXT), result FROM run_command_on_all_nodes('VACUUM FULL pg_statistic')";
            for node in pool.query_all_raw(Sql::text_only(self.backend(), everywhere)).await? {
                if node.try_get_by_index::<String>(0)? != "true" {
                    return Err(Error::internal("a node did not rewrite pg_statistic"));
                }
            }
        }
        pool.close().await?;
        Ok(())
    }

    /// Waits until all transactions of the server that began before now have ended, in any database: a table that is
    /// rewritten earlier keeps the rows that such a transaction might still see. Read-only snapshots of other roles are
    /// visible only to a role that may read all of `pg_stat_activity`.
    async fn wait_for_older(&self, pool: &DatabaseConnection, tell: &mut impl FnMut(String)) -> Result<()> {
        let now = "SELECT CAST(pg_current_xact_id() AS TEXT)";
        let now = pool.query_one_raw(Sql::text_only(self.backend(), now)).await?;
        let now: String = now.map_or(Ok(String::new()), |row| row.try_get_by_index(0))?;
        let until = Instant::now() + OLDER;
        let mut is_reported = false;
        loop {
            let mut sql = Sql::new(self.backend());
            sql.push("SELECT pg_snapshot_xmin(pg_current_snapshot()) > n.id AND NOT EXISTS (SELECT 1 FROM ");
            sql.push("pg_stat_activity a WHERE a.datname = current_database() AND age(a.backend_xmin) > ");
            sql.push("age(CAST(n.id AS xid))) FROM (SELECT CAST(CAST(").bind(now.as_str());
            sql.push(" AS TEXT) AS xid8) AS id) AS n");
            let have_ended = pool.query_one_raw(sql.finish()).await?;
            if have_ended.map_or(Ok(false), |row| row.try_get_by_index(0))? {
                return Ok(());
            }
            if Instant::now() > until {
                let reason = "a transaction on this server has been open for long, and the rows it might see cannot be \
                              rewritten: end it (see pg_stat_activity and pg_prepared_xacts), then run this again";
                return Err(Cause(reason.to_owned()).into());
            }
            if !std::mem::replace(&mut is_reported, true) {
                tell("waiting until transactions end that began before".to_owned());
            }
            tokio::time::sleep(LOOKING).await;
        }
    }

    /// Appends to the ledger file, if there is one.
    pub(in crate::store) async fn append(&self, entries: Vec<Entry>) -> Result<()> {
        let Some(path) = self.ledger.clone() else { return Ok(()) };
        blocking(move || ledger::append(&path, &entries)).await
    }

    /// Returns the erasures of every organization with their parts, and the deletions of organizations, as ledger entries:
    /// all, or those made at or after `since`.
    pub async fn all_erasures(&self, since: Option<DateTime<Utc>>) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for (organization, _) in self.organizations().await? {
            let scope = self.scope(crate::auth::Actor::operator(organization), chrono::DateTime::default());
            entries.extend(scope.erasures(since).await?);
        }
        entries.extend(self.deletions(since).await?.into_iter().map(Entry::Deletion));
        Ok(entries)
    }

    /// Appends to the ledger file the erasures that it lacks, from before it was configured or from servers without it:
    /// all, or those made at or after `since`. Returns the number of appended entries.
    pub async fn complete_ledger(&self, since: Option<DateTime<Utc>>) -> Result<usize> {
        let Some(path) = self.ledger.clone() else { return Ok(0) };
        let entries = self.all_erasures(since).await?;
        if since.is_some() && entries.is_empty() {
            return Ok(0);
        }
        blocking(move || ledger::complete(&path, entries)).await
    }
}

/// Runs disk I/O on the pool of blocking threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ledger::LedgerError> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(std::sync::Arc::new(error)))?;
    done.map_err(|error| Error::Internal(std::sync::Arc::new(error)))
}

/// Returns the tables that hold erasable data, as parts of their names.
fn held() -> Vec<Vec<&'static str>> {
    let mut tables = vec![vec!["idempotency"], vec![SEARCH_TABLE]];
    for noun in personal::about_a_person() {
        tables.push(vec![noun.table]);
        let sets = noun.all_fields().filter(|field| field.kind.is_set() && field.is_erasable());
        tables.extend(sets.map(|field| vec![noun.table, "_", field.column]));
        if noun.has_external_ids {
            tables.push(vec![noun.table, "_external_id"]);
        }
    }
    tables
}

/// A `SQLite` file that no other connection has open or can open while this value exists.
#[derive(Debug)]
pub struct Exclusive(DatabaseConnection);

impl Exclusive {
    /// Opens the file exclusively and checkpoints its write-ahead log. Returns `None` if another connection has the
    /// file open.
    pub async fn take(file: &SqliteFile) -> Result<Option<Self>> {
        let Ok(connection) = connect::exclusive(file).await else { return Ok(None) };
        for statement in ["BEGIN EXCLUSIVE", "COMMIT", "PRAGMA wal_checkpoint(TRUNCATE)"] {
            if connection.execute_unprepared(statement).await.is_err() {
                connection.close().await?;
                return Ok(None);
            }
        }
        Ok(Some(Self(connection)))
    }

    /// Releases the file.
    pub async fn release(self) -> Result<()> {
        Ok(self.0.close().await?)
    }
}
