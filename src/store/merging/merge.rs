//! Merges a row into another: the id and the external ids at once, the references to it in steps.

use entity::{event::EventOperation, id, merging, noun::Noun};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};

use super::{snapshot::Snapshot, state::Merge};
use crate::{
    Error, Result,
    auth::Actor,
    store::{
        STEP, Scope, Tx,
        operation::jobs::{Job, Kind, NewJob, StepResult},
        statement::{
            builder::Alias,
            cell::{Cell, Column, Record},
        },
        transaction::event::Event,
    },
};

/// The job that moves the references to a merged row to the other one, or gives them back.
pub(in crate::store) static JOB: Kind =
    Kind { name: "MERGE", step: |scope, job| Box::pin(scope.step_merge(job)), standing: None };

/// A row to merge into another, and what the other one gets from it.
#[derive(Debug)]
pub struct Merging {
    /// The row that remains.
    pub winner: Record,
    /// The row that is merged into it.
    pub loser: Record,
    /// New values of the row that remains.
    pub changes: Vec<(Column, Cell)>,
    /// Rows of a noun that are moved before the first step, in the same transaction.
    pub first: Option<(&'static Noun, Vec<Uuid>)>,
    /// Rows that the noun's own rules need to undo the merge.
    pub kept: Vec<Uuid>,
}

/// Progress of a job: who requested it. What is left to do is in the tables.
#[derive(Serialize, Deserialize)]
struct Requester {
    subject: String,
    client: Option<String>,
}

impl Scope {
    /// Performs the next step of a merge, or of one that is undone: moves some rows, or completes it.
    pub(in crate::store) async fn step_merge(&self, job: &Job) -> Result<StepResult> {
        let unreadable = || Error::internal("the progress of a merge cannot be read");
        let requester: Requester = serde_json::from_str(&job.progress).map_err(|_| unreadable())?;
        // Events of the moved rows carry the subject that requested the merge.
        let actor = Actor::operator(self.organization());
        let actor = Actor { subject: requester.subject, client: requester.client, ..actor };
        let scope = self.clone().by(actor);
        let tx = scope.begin().await?;
        if !tx.move_job(job, &job.progress).await? {
            tx.roll_back().await?;
            return Ok(StepResult::Lost);
        }
        let merge = tx.merge_by_id(job.id).await?.ok_or_else(unreadable)?;
        let is_done =
            if merge.undone_at.is_none() { tx.advance_merge(&merge).await? } else { tx.advance_undo(&merge).await? };
        if is_done {
            tx.end_job(&Job { steps: job.steps + 1, ..job.clone() }).await?;
        }
        tx.commit().await?;
        Ok(if is_done { StepResult::Done } else { StepResult::On })
    }
}

impl Tx {
    /// Merges a row into another one. Both must be locked.
    pub async fn merge(&self, noun: &'static Noun, merging: Merging) -> Result<()> {
        self.require_whole_organization()?;
        let Merging { winner, loser, changes, first, kept } = merging;
        let (winner_id, loser_id) = (winner.id(), loser.id());
        let keys = self.kept_external_ids(noun, &[loser_id], false).await?.remove(&loser_id).unwrap_or_default();
        let now = Cell::Int(self.now().timestamp_millis());
        let mut fields: Vec<&'static str> = changes.iter().map(|(column, _)| column.field).collect();
        fields.extend((!keys.is_empty()).then_some("externalIds"));
        let winner = winner.changed(&changes, &now);
        let snapshot = Snapshot::take(&loser, &keys, &winner, kept);
        let merge = Merge {
            id: id::new(),
            loser: loser_id,
            winner: winner_id,
            target: winner_id,
            merged_at: self.now().timestamp_millis(),
            moved: 0,
            done_at: None,
            undone_at: None,
            snapshot: Some(snapshot.text()),
            noun,
        };
        // What the merged row stood for is what the other one stands for now.
        self.redirect(loser_id, winner_id).await?;
        self.enter(&merge).await?;
        self.give_external_ids(noun, loser_id, winner_id).await?;
        self.unindex_rows(&[loser_id]);
        if !keys.is_empty() {
            self.index_all_external_ids(noun, &[winner_id]).await?;
        }
        if !fields.is_empty() {
            self.put(noun, vec![(winner, fields)], EventOperation::Updated).await?;
        }
        let version = loser.version() + 1;
        let operation = EventOperation::Merged;
        self.note(Event { noun: noun.name, row: loser_id, operation, version, fields: Vec::new() });
        if let Some((first, ids)) = first {
            let reference = merging::references(noun).iter().find(|reference| reference.noun.table == first.table);
            let reference = reference.ok_or_else(|| Error::internal("rows to move do not refer to the merged row"))?;
            self.move_rows(&merge, reference, &ids).await?;
            self.count_moved(&merge, ids.len()).await?;
        }
        if !self.advance_merge(&merge).await? {
            self.begin_merge_job(&merge).await?;
        }
        Ok(())
    }

    /// Leaves the rest of a merge, or of undoing it, to a job.
    pub(super) async fn begin_merge_job(&self, merge: &Merge) -> Result<()> {
        let actor = self.actor();
        let requester = Requester { subject: actor.subject.clone(), client: actor.client.clone() };
        let progress = serde_json::json!(requester).to_string();
        self.begin_job(&NewJob { id: merge.id, kind: &JOB, row: merge.loser, progress, run_at: None }).await
    }

    /// Moves or gives back at most [`STEP`] rows. Returns whether the merge, or undoing it, is completed.
    async fn advance_merge(&self, merge: &Merge) -> Result<bool> {
        // No row may come to refer to the merged one after the last step has looked for such rows.
        self.lock_exclusively(merge.noun, merge.loser).await?;
        let (moved, is_last) = self.move_references(merge, STEP).await?;
        self.count_moved(merge, moved).await?;
        if is_last {
            self.remove_merged(merge).await?;
        }
        Ok(is_last)
    }

    pub(super) async fn lock_exclusively(&self, noun: &'static Noun, id: Uuid) -> Result<()> {
        let mut sql = self.sql();
        if sql.is_postgres() {
            sql.push("SELECT ").column(Alias::ROW, noun.tenant).push(" FROM ").name(&[noun.table]).push(" AS t WHERE ");
            sql.filter_tenant(Alias::ROW, noun, self.organization());
            sql.push(" AND t.id = ").bind(id).push(" FOR UPDATE");
            self.rows(sql.finish(), &[]).await?;
        }
        Ok(())
    }

    /// Lets every row that became `from` be `to`.
    pub(super) async fn redirect(&self, from: Uuid, to: Uuid) -> Result<()> {
        let mut sql = self.sql();
        sql.push("UPDATE row_merge AS t SET target_id = ").bind(to).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND t.target_id = ").bind(from);
        sql.push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    async fn enter(&self, merge: &Merge) -> Result<()> {
        let mut sql = self.sql();
        sql.push("INSERT INTO row_merge (organization_id, id, noun, loser_id, winner_id, target_id, merged_at, ");
        sql.push("moved_count, snapshot) VALUES (").bind_tenant(self.organization()).push(", ").bind(merge.id);
        sql.push(", ").bind(merge.noun.name).push(", ").bind(merge.loser).push(", ").bind(merge.winner).push(", ");
        sql.bind(merge.target).push(", ").bind(merge.merged_at).push(", ").bind(merge.moved).push(", ");
        sql.bind(merge.snapshot.as_deref().unwrap_or_default()).push(")");
        self.execute(sql.finish()).await.map(drop)
    }

    /// Gives all external ids of a row to another.
    async fn give_external_ids(&self, noun: &'static Noun, from: Uuid, to: Uuid) -> Result<()> {
        let mut sql = self.sql();
        sql.push("UPDATE ").name(&[noun.table, "_external_id"]).push(" AS t SET ").name(&[noun.table, "_id"]);
        sql.push(" = ").bind(to).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization()).push(" AND ");
        sql.is_one_of_named(Alias::ROW, &[noun.table, "_id"], &[from]).push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    async fn count_moved(&self, merge: &Merge, moved: usize) -> Result<()> {
        if moved == 0 {
            return Ok(());
        }
        let mut sql = self.sql();
        sql.push("UPDATE row_merge AS t SET moved_count = moved_count + ");
        sql.bind(i64::try_from(moved).unwrap_or(i64::MAX)).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization())
            .push(" AND t.loser_id = ")
            .bind(merge.loser);
        sql.push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }

    /// Removes the merged row, to which no row refers any more, and completes the merge.
    async fn remove_merged(&self, merge: &Merge) -> Result<()> {
        let noun = merge.noun;
        let mut sql = self.sql();
        sql.push("DELETE FROM ").name(&[noun.table]).push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, noun, self.organization()).push(" AND t.id = ").bind(merge.loser);
        sql.push(" RETURNING ").name(&[noun.tenant]);
        self.rows(sql.finish(), &[]).await?;
        let mut sql = self.sql();
        sql.push("UPDATE row_merge AS t SET done_at = ").bind(self.now().timestamp_millis()).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization())
            .push(" AND t.loser_id = ")
            .bind(merge.loser);
        sql.push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await.map(drop)
    }
}
