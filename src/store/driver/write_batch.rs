//! Writes gathered into one statement, all of which happen or none.

use entity::id::OrganizationId;
use sea_orm::Statement;

use crate::store::statement::builder::{Alias, Sql};

/// A statement of several writes, on PostgreSQL. None sees what the others did, so no two may concern the same row. The
/// whole fails, and with it every part, unless each part wrote as many rows as it should, all of them the organization's.
#[derive(Debug)]
pub struct WriteBatch {
    sql: Sql,
    organization: OrganizationId,
    /// How many rows each part writes.
    parts: Vec<i64>,
    /// How many of the first parts a later one has tested.
    tested: usize,
}

impl WriteBatch {
    /// A batch in a statement that is empty yet.
    pub const fn new(sql: Sql, organization: OrganizationId) -> Self {
        Self { sql, organization, parts: Vec::new(), tested: 0 }
    }

    /// How many values it binds.
    pub fn values(&self) -> usize {
        self.sql.values()
    }

    /// Adds what writes so many rows, ends with `RETURNING` and answers first with each row's `organization_id`. Answers the
    /// name by which later parts read what it answered with.
    pub fn cte(&mut self, rows: usize, write: impl FnOnce(&mut Sql)) -> Alias {
        let name = Alias::nested('b', self.parts.len());
        self.sql.push(if self.parts.is_empty() { "WITH " } else { ", " }).alias(name).push(" AS (");
        write(&mut self.sql);
        self.sql.push(")");
        self.parts.push(i64::try_from(rows).unwrap_or(i64::MAX));
        name
    }

    /// As [`WriteBatch::part`], for a part that happens after all before it have done what they should. Its text must hold a
    /// condition: it goes on with `AND`.
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

    /// The statement. It answers with the organization. What `guards` adds, beginning with `AND`, must hold as well.
    pub fn finish(mut self, guards: impl FnOnce(&mut Sql)) -> Statement {
        self.sql.push(" SELECT ").bind_tenant(self.organization).push(", 1 / CASE WHEN TRUE");
        // A part that came after others wrote nothing unless they had done what they should.
        for (place, rows) in self.parts.iter().enumerate().skip(self.tested) {
            wrote_exactly(self.sql.push(" AND "), place, *rows, self.organization);
        }
        guards(&mut self.sql);
        self.sql.push(" THEN 1 ELSE 0 END");
        self.sql.finish()
    }
}

/// Appends the test that a part wrote what it should. Both are counted, the rows and those of the organization, so that
/// one of another organization makes up for none.
fn wrote_exactly(sql: &mut Sql, place: usize, rows: i64, organization: OrganizationId) {
    let part = Alias::nested('b', place);
    if rows == 1 {
        // Cheaper than to count. None is null, and more than one is an error.
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
