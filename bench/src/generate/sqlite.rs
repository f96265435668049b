//! Fills a SQLite file: one transaction per table, then creation of indexes, then a check of every foreign key.

use std::path::Path;

use anyhow::{Result, ensure};
use rusqlite::{Connection, ToSql, params_from_iter, types::ToSqlOutput};

use super::{Value, tables};
use crate::data;

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Null => Ok(ToSqlOutput::from(rusqlite::types::Null)),
            Self::Id(id) => id.to_sql(),
            Self::Int(number) => number.to_sql(),
            Self::Float(number) => number.to_sql(),
            Self::Bool(is) => is.to_sql(),
            Self::Text(text) => text.as_ref().to_sql(),
        }
    }
}

/// Fills a file that `rapport migrate` has created.
pub fn fill(path: &Path) -> Result<()> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -400000; \
         PRAGMA temp_store = MEMORY",
    )?;
    let indexes: Vec<(String, String)> = connection
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (name, _) in &indexes {
        connection.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    let organizations = data::organizations();
    for table in tables() {
        let width = table.columns.split(',').count();
        let places = vec!["?"; width].join(", ");
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut insert =
            connection.prepare(&format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.columns))?;
        let mut count = 0_u64;
        for row in (table.rows)(&organizations) {
            insert.execute(params_from_iter(row))?;
            count += 1;
        }
        drop(insert);
        connection.execute_batch("COMMIT")?;
        println!("  {}: {count} rows", table.name);
    }
    connection.execute_batch("INSERT INTO search_text (search_text) VALUES ('rebuild')")?;
    for (_, sql) in &indexes {
        connection.execute_batch(sql)?;
    }
    let orphans: i64 = connection.query_row("SELECT COUNT(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    ensure!(orphans == 0, "{orphans} rows refer to nothing");
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous = FULL")?;
    Ok(())
}
