//! Reads the statements that PostgreSQL received during a sample, with their numbers of calls and times.

use anyhow::Result;
use tokio::runtime::Runtime;

use crate::generate::postgres::connect;

/// A statement, with figures per request.
pub struct Statement {
    pub text: String,
    pub calls: f64,
    /// Planning time in microseconds.
    pub planning: f64,
    /// Execution time in microseconds.
    pub executing: f64,
    pub rows: f64,
}

/// Access to `pg_stat_statements`.
pub struct Statements {
    runtime: Runtime,
    url: String,
}

const READ: &str = "SELECT query, calls, total_plan_time, total_exec_time, rows FROM warm.pg_stat_statements \
                    WHERE query NOT LIKE '%pg_stat_statements%' ORDER BY total_plan_time + total_exec_time DESC \
                    LIMIT 30";

impl Statements {
    pub fn of(url: &str) -> Result<Self> {
        let statements = Self { runtime: Runtime::new()?, url: url.to_owned() };
        statements.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA warm")?;
        Ok(statements)
    }

    fn execute(&self, sql: &str) -> Result<()> {
        self.runtime.block_on(async { Ok(connect(&self.url).await?.batch_execute(sql).await?) })
    }

    /// Resets the statistics.
    pub fn forget(&self) -> Result<()> {
        self.execute("SELECT warm.pg_stat_statements_reset()")
    }

    /// Returns the statements since the last reset, with figures divided by `count` requests, the costliest first.
    pub fn read(&self, count: usize) -> Result<Vec<Statement>> {
        let each = |number: f64| number / count as f64;
        let rows = self.runtime.block_on(async { anyhow::Ok(connect(&self.url).await?.query(READ, &[]).await?) })?;
        let statement = |row: &tokio_postgres::Row| Statement {
            text: row.get::<_, String>(0).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(600).collect(),
            calls: each(row.get::<_, i64>(1) as f64),
            planning: each(row.get::<_, f64>(2) * 1e3),
            executing: each(row.get::<_, f64>(3) * 1e3),
            rows: each(row.get::<_, i64>(4) as f64),
        };
        Ok(rows.iter().map(statement).collect())
    }
}
