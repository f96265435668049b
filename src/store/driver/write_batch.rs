//! Several writes as one statement of PostgreSQL, all or nothing.

use entity::id::OrganizationId;
use sea_orm::Statement;

use crate::store::statement::builder::{Alias, Sql};

/// One PostgreSQL statement of several data-modifying CTEs (parts). Parts do not see each other's effects, so no two
/// may write the same row. The statement fails as a whole unless each part wrote the expected number of rows of the
/// organization.
#[derive(Debug)]
pub struct WriteBatch {
    sql: Sql,
    organization: OrganizationId,
    /// Expected number of rows of each part.
    parts: Vec<i64>,
    /// How many of the first parts a later part already checks.
    tested: usize,
}

impl WriteBatch {
    /// Starts a batch in an empty statement.
    pub const fn new(sql: Sql, organization: OrganizationId) -> Self {
        Self { sql, organization, parts: Vec::new(), tested: 0 }
    }

    /// Number of bound values.
    pub fn values(&self) -> usize {
        self.sql.values()
    }

    /// Adds a part that writes `rows` rows and ends with `RETURNING`, whose first column is `organization_id`. Returns
    /// the name of its CTE, from which later parts can read.
    pub fn cte(&mut self, rows: usize, write: impl FnOnce(&mut Sql)) -> Alias {
        let name = Alias::nested('b', self.parts.len());
        self.sql.push(if self.parts.is_empty() { "WITH " } else { ", " }).alias(name).push(" AS (");
        write(&mut self.sql);
        self.sql.push(")");
        self.parts.push(i64::try_from(rows).unwrap_or(i64::MAX));
        name
    }

    /// Like [`WriteBatch::part`], for a part that runs only if all parts before it wrote what they should. Its text
    /// must end in a condition, which is continued with `AND`.
    pub fn cte_after(&mut self, rows: usize, write: impl FnOnce(&mut Sql), answer: impl FnOnce(&mut Sql)) -> Alias {
        let (parts, organization) = (self.parts.clone(), self.organization);
        self.tested = parts.len();
        self.cte(rows, |sql| {
            write(sql);
            for (place, rows) in parts.iter().enumerate() {
                wrote_exactly(sql.push(" AND "), place, *rows, organization);
            }
            answer(sql);
        })
    }

    /// Finishes the statement, which returns the organization. `guards` may add conditions, each beginning with `AND`.
    pub fn finish(mut self, guards: impl FnOnce(&mut Sql)) -> Statement {
        self.sql.push(" SELECT ").bind_tenant(self.organization).push(", 1 / CASE WHEN TRUE");
        // A dependent part has checked the parts before it.
        for (place, rows) in self.parts.iter().enumerate().skip(self.tested) {
            wrote_exactly(self.sql.push(" AND "), place, *rows, self.organization);
        }
        guards(&mut self.sql);
        self.sql.push(" THEN 1 ELSE 0 END");
        self.sql.finish()
    }
}

/// Appends the check that a part wrote what it should. It counts all rows and the rows of the organization, so that a
/// row of another organization cannot stand in for a missing one.
fn wrote_exactly(sql: &mut Sql, place: usize, rows: i64, organization: OrganizationId) {
    let part = Alias::nested('b', place);
    if rows == 1 {
        // Cheaper than COUNT: no row gives null, and more than one row is an error.
        sql.push("(SELECT ")
            .column(part, "organization_id")
            .push(" FROM ")
            .alias(part)
            .push(") = ")
            .bind_tenant(organization);
        return;
    }
    sql.push("(SELECT COUNT(*) = ").bind(rows).push(" AND COUNT(*) FILTER (WHERE ");
    sql.column(part, "organization_id").push(" = ").bind_tenant(organization).push(") = ").bind(rows);
    sql.push(" FROM ").alias(part).push(")");
}
