//! Retention: removes the rows of a noun some days after an instant in them, as the organization's rules say.
//!
//! A removed row leaves the tombstone event of any deletion. Parts are removed with their row, unless they expire by
//! themselves. A row that rows other than such parts refer to is kept until they are gone.

use chrono::TimeDelta;
use entity::{
    Noun,
    id::{NounId, OrganizationId},
    noun::{Link, Relationship},
    retention_rule::{DAYS, ID, NOUN, NOUN_COLUMN, REMOVED_COUNT},
};
use sea_orm::prelude::Uuid;

use super::{
    delete::{Use, is_used, uses},
    draft::{Draft, Mode, Outcome, Reference, Target},
    write::Hooks,
};
use crate::{
    Result,
    auth::Actor,
    store::{
        Connection, STEP, Scope, Store, Tx,
        operation::jobs::{Job, StepResult},
        statement::{
            builder::{Alias, Sql},
            cell::{CellKind, column_named},
            typed::assign,
        },
    },
};

/// Subject of the events of removed rows.
const SUBJECT: &str = "retention";

/// Maximum number of rules of an organization that are applied.
const MAX_RULES: usize = 1_000;

/// Returns the relations to parts that are removed with a row of the noun: all that do not expire by themselves.
pub fn parts(noun: &'static Noun) -> impl Iterator<Item = &'static Relationship> {
    noun.parts().iter().copied().filter(|part| part.target.expiry().is_none())
}

impl Store {
    /// Returns the organizations that have rows of a noun, for jobs that stand where there are rules. Not scoped, because
    /// the server has no caller.
    pub async fn with_rows(&self, noun: &Noun) -> Result<Vec<OrganizationId>> {
        let mut sql = self.sql();
        sql.push("SELECT DISTINCT organization_id FROM ").name(&[noun.table]).push(" ORDER BY organization_id");
        self.owners(sql).await
    }
}

impl Scope {
    /// Performs the next step of applying the rules: removes up to [`STEP`] rows by the first rule by which rows have
    /// expired. The progress is the last rule that is done with, if any.
    pub async fn step_retention(&self, job: &Job) -> Result<StepResult> {
        let actor = Actor { subject: SUBJECT.to_owned(), ..Actor::operator(self.organization()) };
        let scope = self.clone().by(actor);
        let mut done = Uuid::parse_str(&job.progress).unwrap_or_default();
        for (rule, noun, days) in scope.select_all((ID, NOUN_COLUMN, DAYS), MAX_RULES).await? {
            let (rule, noun) = (rule.uuid(), noun.noun());
            if rule <= done {
                continue;
            }
            let ids = scope.expired_ids(noun, days).await?;
            if !ids.is_empty() {
                let tx = scope.begin().await?;
                let has_more = tx.expire((rule, noun, days), ids).await?;
                done = if has_more { done } else { rule };
                return tx.commit_step(job, Some(&done.to_string())).await;
            }
        }
        scope.begin().await?.commit_step(job, None).await
    }

    /// Returns the ids of the first expired rows of a noun.
    async fn expired_ids(&self, noun: &'static Noun, days: i64) -> Result<Vec<Uuid>> {
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", ").column(Alias::ROW, "id");
        if !self.expired(&mut sql, noun, days) {
            return Ok(Vec::new());
        }
        sql.push(" ORDER BY ").column(Alias::ROW, "id").push(" LIMIT ").number(STEP);
        let rows = self.read_rows(sql.finish(), &[CellKind::Id]).await?;
        Ok(rows.iter().filter_map(|row| row[0].id()).collect())
    }
}

impl Tx {
    /// Removes expired rows of a noun, with their parts. Returns whether a rule may have more to remove.
    async fn expire(&self, (rule, noun, days): (Uuid, &'static Noun, i64), mut ids: Vec<Uuid>) -> Result<bool> {
        let record = self.lock_one(&NOUN, NOUN.write, &Reference::Id(Some(rule)), None).await?;
        // The rule may have been changed or deleted since it was read.
        let Some(record) = record.ok().filter(|record| record.get(DAYS) == Some(days)) else {
            return Ok(false);
        };
        let (mut left, mut has_more, mut removed_parts) = (STEP, ids.len() == STEP, 0);
        for relation in parts(noun) {
            let Link::Many { column, .. } = relation.link else { continue };
            let id = column_named(relation.target, "id");
            let parts = self.read_unchecked(relation.target, &[id], column, &ids, left).await?;
            let parts: Vec<Uuid> = parts.iter().filter_map(|row| row[0].id()).collect();
            let some = &parts[..parts.len().min(left)];
            removed_parts += self.delete_ids(relation.target, some).await?;
            left -= some.len();
            if parts.len() > some.len() {
                // The rows follow when all of their parts are gone.
                ids.clear();
                has_more = true;
                break;
            }
        }
        let removed = self.delete_ids(noun, &ids).await?;
        if removed > 0 {
            let count = record.get(REMOVED_COUNT).unwrap_or(0).saturating_add(removed);
            self.change(&NOUN, vec![(record, vec![assign(REMOVED_COUNT, count)])]).await?;
        }
        // Without progress there is none by repeating it at once.
        Ok(has_more && removed + removed_parts > 0)
    }
}

impl<C: Connection> Scope<C> {
    /// Returns the number of rows of a noun that a rule of so many days would remove now.
    pub async fn expired_count(&self, noun: &'static Noun, days: i64) -> Result<i64> {
        let mut sql = self.sql();
        sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", COUNT(*)");
        if !self.expired(&mut sql, noun, days) {
            return Ok(0);
        }
        sql.push(" GROUP BY ").column(Alias::ROW, noun.tenant);
        let rows = self.read_rows(sql.finish(), &[CellKind::Int]).await?;
        Ok(rows.first().and_then(|row| row[0].int()).unwrap_or(0))
    }

    /// Appends the table and the condition of expired rows that no other rows but their parts refer to. Returns false if
    /// rows of the noun do not expire.
    fn expired(&self, sql: &mut Sql, noun: &'static Noun, days: i64) -> bool {
        let Some(expiry) = noun.expiry() else { return false };
        let until = self.now() - TimeDelta::days(days);
        sql.push(" FROM ").name(&[noun.table]).push(" AS ").alias(Alias::ROW).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, noun, self.organization()).push(" AND ");
        sql.column(Alias::ROW, expiry.column).push(" < ").bind(until.timestamp_millis());
        let is_part = |known: &Use| {
            parts(noun).any(|part| {
                part.target.table == known.table
                    && matches!(part.link, Link::Many { column, .. } if column == known.column)
            })
        };
        let others: Vec<Use> = uses(noun).into_iter().filter(|known| !is_part(known)).collect();
        if !others.is_empty() {
            is_used(sql.push(" AND NOT ("), noun, &others, &[], self.organization());
            sql.push(")");
        }
        true
    }
}

impl Tx {
    /// Deletes the rows with these ids that are not in use, and returns how many.
    async fn delete_ids(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<i64> {
        if ids.is_empty() {
            return Ok(0);
        }
        let draft = |id: &Uuid| Draft::new(noun, Target::Row(Reference::Id(Some(*id))), Mode::UpdateOnly);
        let mut drafts: Vec<Draft> = ids.iter().map(draft).collect();
        let deleted = self.delete(noun, &Hooks::NONE, &mut drafts, false).await?;
        let count = deleted.iter().filter(|row| row.outcome == Outcome::Deleted).count();
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }
}
