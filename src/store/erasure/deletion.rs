//! Deletes an organization: closes it at once, and removes its rows in steps.
//!
//! The row in `organization_deletion` stays: it refuses tokens that have not expired, and repeats the deletion in an
//! older backup through the erasure ledger.

use chrono::{DateTime, Utc};
use entity::{
    NOUNS, Noun,
    id::{self, OrganizationId},
    organization,
    personal::SEARCH_TABLE,
    removal::{LAST, Removal, removals},
};
use sea_orm::ConnectionTrait;

use super::{
    erase::{Erasing, STEP},
    ledger::{Deletion, Entry},
};
use crate::{
    Error, Result,
    auth::revoked::Revocation,
    store::{
        Scope, Store, Tx,
        operation::jobs::{Job, Kind, NewJob, StepResult},
        search::index::{RETURNED, returned},
        statement::{
            builder::{Alias, Sql},
            cell::CellKind,
        },
    },
};

/// The job that removes the rows of the organization.
pub(in crate::store) static JOB: Kind =
    Kind { name: "DELETION", step: |scope, job| Box::pin(scope.step_deletion(job)), standing: None };

impl Store {
    /// Returns the organizations that were deleted, as ledger entries: all, or those deleted at or after `since`.
    pub(in crate::store) async fn deletions(&self, since: Option<DateTime<Utc>>) -> Result<Vec<Deletion>> {
        let since = since.map_or(i64::MIN, |since| since.timestamp_millis());
        let mut sql = self.sql();
        sql.push("SELECT organization_id, id, deleted_at FROM organization_deletion WHERE deleted_at >= ").bind(since);
        let mut deletions = Vec::new();
        sql.push(" ORDER BY deleted_at, id");
        for row in self.control.query_all_raw(sql.finish()).await? {
            let (organization, id) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            deletions.push(Deletion { id, organization, deleted_at: row.try_get_by_index(2)? });
        }
        Ok(deletions)
    }

    /// Returns the organizations that were deleted.
    pub(in crate::store) async fn deleted_organizations(&self) -> Result<Vec<OrganizationId>> {
        let deletions = self.deletions(None).await?;
        Ok(deletions.into_iter().map(|deletion| OrganizationId(deletion.organization)).collect())
    }
}

impl Scope {
    /// Performs the next step of a deletion: removes at most [`STEP`] rows, and at the end the organization itself.
    pub(in crate::store) async fn step_deletion(&self, job: &Job) -> Result<StepResult> {
        let mut place: usize =
            job.progress.parse().map_err(|_| Error::internal("the progress of a deletion cannot be read"))?;
        if place >= removals().len() {
            return self.end_deletion(job).await;
        }
        let tx = self.begin().await?;
        let mut left = STEP;
        while let Some(removal) = removals().get(place).filter(|_| left > 0) {
            left -= tx.remove(removal, left).await?;
            place += usize::from(left > 0);
        }
        tx.commit_step(job, Some(&place.to_string())).await
    }

    /// Deletes the organization's own row and the rows that must stay until then. If other rows were written meanwhile,
    /// by a server that did not know of the deletion yet, the job starts over.
    async fn end_deletion(&self, job: &Job) -> Result<StepResult> {
        let tx = self.begin().await?;
        for removal in removals() {
            if tx.remove(removal, 1).await? > 0 {
                tx.roll_back().await?;
                return self.begin().await?.commit_step(job, Some("0")).await;
            }
        }
        if !tx.end_job(job).await? {
            tx.roll_back().await?;
            return Ok(StepResult::Lost);
        }
        for table in LAST {
            tx.delete_all(table).await?;
        }
        tx.delete_some(&[organization::NOUN.table], organization::NOUN.tenant, STEP).await?;
        tx.commit().await?;
        self.store.clean_soon().await;
        Ok(StepResult::Done)
    }
}

impl Tx {
    /// Returns the number of rows of each noun that a deletion of the organization would remove, without nouns that have
    /// none.
    pub async fn row_counts(&self) -> Result<Vec<(&'static Noun, i64)>> {
        let mut counts = Vec::new();
        for noun in NOUNS.into_iter().filter(|noun| noun.is_stored()) {
            let mut sql = self.sql();
            sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(", COUNT(*) FROM ").name(&[noun.table]);
            sql.push(" AS t WHERE ").filter_tenant(Alias::ROW, noun, self.organization());
            sql.push(" GROUP BY ").column(Alias::ROW, noun.tenant);
            let rows = self.rows(sql.finish(), &[CellKind::Int]).await?;
            counts.extend(rows.first().and_then(|row| row[0].int()).map(|count| (noun, count)));
        }
        Ok(counts)
    }

    /// Closes the organization and leaves its rows to a job. Returns false if it is being deleted already.
    pub async fn delete_organization(&self) -> Result<bool> {
        let (id, organization) = (id::new(), self.organization().0);
        let deletion = Deletion { id, organization, deleted_at: self.now().timestamp_millis() };
        if !self.close(&deletion).await? {
            return Ok(false);
        }
        self.note_act("deletedAt").await?;
        self.erases(Erasing { entries: vec![Entry::Deletion(deletion)] });
        Ok(true)
    }

    /// Repeats a deletion from the ledger. Returns false if this database knows it already.
    pub async fn repeat_deletion(&self, deletion: &Deletion) -> Result<bool> {
        let is_new = self.close(deletion).await?;
        if is_new {
            self.erases(Erasing { entries: Vec::new() });
        }
        Ok(is_new)
    }

    /// Refuses the organization's tokens, ends its other jobs, and begins the job that deletes it.
    async fn close(&self, deletion: &Deletion) -> Result<bool> {
        self.lock_organization().await?;
        let mut sql = self.sql();
        sql.push("INSERT INTO organization_deletion (organization_id, id, deleted_at) VALUES (");
        sql.bind_tenant(self.organization()).push(", ").bind(deletion.id).push(", ").bind(deletion.deleted_at);
        sql.push(") ON CONFLICT (organization_id) DO NOTHING RETURNING organization_id");
        if self.rows(sql.finish(), &[]).await?.is_empty() {
            return Ok(false);
        }
        // Servers of an earlier version and the token endpoint look for a suspension.
        self.revoke_tokens(Revocation::Organization, "").await?;
        self.delete_all("job").await?;
        let (id, row, progress) = (deletion.id, self.organization().0, "0".to_owned());
        self.begin_job(&NewJob { id, kind: &JOB, row, progress, run_at: None }).await?;
        Ok(true)
    }

    /// Removes up to `most` rows or references, and returns how many.
    async fn remove(&self, removal: &Removal, most: usize) -> Result<usize> {
        match removal {
            Removal::Delete { table } => self.delete_some(table, "organization_id", most).await,
            Removal::Clear { table, tenant, column } => {
                let mut sql = self.sql();
                sql.push("UPDATE ").name(&[table]).push(" AS t SET ").name(&[column]).push(" = NULL");
                self.some_rows(&mut sql, (&[table], tenant), Some(column), most);
                sql.push(" RETURNING ").name(&[tenant]);
                Ok(self.rows(sql.finish(), &[]).await?.len())
            }
        }
    }

    /// Deletes all rows of a table that has few.
    async fn delete_all(&self, table: &'static str) -> Result<()> {
        while self.delete_some(&[table], "organization_id", STEP).await? == STEP {}
        Ok(())
    }

    /// Deletes up to `most` rows of a table, and returns how many.
    async fn delete_some(&self, table: &[&'static str], tenant: &'static str, most: usize) -> Result<usize> {
        let mut sql = self.sql();
        sql.push("DELETE FROM ").name(table).push(" AS t");
        self.some_rows(&mut sql, (table, tenant), None, most);
        if table == [SEARCH_TABLE] {
            returned(&mut sql);
            let removed = self.rows(sql.finish(), RETURNED).await?;
            self.forget_documents(&removed).await?;
            return Ok(removed.len());
        }
        sql.push(" RETURNING ").name(&[tenant]);
        Ok(self.rows(sql.finish(), &[]).await?.len())
    }

    /// Appends the condition that a row is one of the first `most` of the organization in which `column`, if given, has
    /// a value. Tables differ in their keys, so rows are told by their place in the table.
    fn some_rows(
        &self,
        sql: &mut Sql,
        (table, tenant): (&[&'static str], &'static str),
        column: Option<&'static str>,
        most: usize,
    ) {
        let (row, is_postgres) = (if sql.is_postgres() { "ctid" } else { "rowid" }, sql.is_postgres());
        sql.push(" WHERE ").filter_tenant_again(
            "the places are of the organization's own rows",
            Alias::ROW,
            tenant,
            self.organization(),
        );
        // With an array, PostgreSQL looks up each place instead of scanning the table.
        sql.push(" AND ").column(Alias::ROW, row).push(if is_postgres { " = ANY(ARRAY(" } else { " IN (" });
        sql.push("SELECT ").column(Alias::LINK, row).push(" FROM ").name(table).behind_last(table);
        sql.push(" AS ").alias(Alias::LINK);
        sql.push(" WHERE ").filter_tenant_again(
            "the statement changes only the organization's own rows",
            Alias::LINK,
            tenant,
            self.organization(),
        );
        if let Some(column) = column {
            sql.push(" AND ").column(Alias::LINK, column).push(" IS NOT NULL");
        }
        sql.push(" LIMIT ").number(most).push(if is_postgres { "))" } else { ")" });
    }
}
