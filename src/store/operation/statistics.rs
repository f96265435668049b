//! Table statistics for PostgreSQL's planner.

use super::super::{Store, driver::Payer, statement::builder::Sql};
use crate::Result;

/// Analyzes the tables of the schema that hold rows and have no statistics, or those of a fourth of their size or less.
/// Autovacuum checks once a minute; until then, plans for an initial load are guesses, and may take a thousand times as
/// long.
const ANALYZE: &str = "DO $$ DECLARE found RECORD; BEGIN \
     FOR found IN SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = CAST(current_schema() AS regnamespace) \
     AND c.relkind = 'r' AND pg_relation_size(c.oid) > 65536 \
     AND pg_relation_size(c.oid) >= 4 * c.relpages * CAST(current_setting('block_size') AS BIGINT) ORDER BY c.relname LOOP \
     EXECUTE format('ANALYZE (SKIP_LOCKED) %I.%I', current_schema(), found.relname); END LOOP; END $$";

impl Store {
    /// Makes PostgreSQL analyze each table that has grown beyond 64 KiB and fourfold since it was last analyzed. Several servers may
    /// call it at once. Does nothing on `SQLite`, which plans by the schema alone.
    pub async fn analyze_new_tables(&self) -> Result<()> {
        if !self.is_postgres() {
            return Ok(());
        }
        let tx = self.writer.begin(false, Payer::default()).await?;
        tx.execute(Sql::text_only(self.backend(), ANALYZE)).await?;
        tx.commit().await?;
        Ok(())
    }
}
