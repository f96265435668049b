//! Indexes the rows that were there before the search was: a job that takes some rows a step.

use entity::{NOUNS, Noun, noun_named};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};

use super::{
    documents::Entry,
    source::{Source, indexed},
};
use crate::{
    Error, Result,
    store::{
        STEP, Scope, Tx,
        operation::jobs::{Job, Kind, StepResult},
        statement::{builder::Alias, cell::CellKind},
    },
};

/// The job that indexes the rows that were there before the search was; a migration begins it.
pub(in crate::store) static JOB: Kind =
    Kind { name: "SEARCH_INDEX", step: |scope, job| Box::pin(scope.step_search_index(job)), standing: None };

/// How far the job has come.
#[derive(Serialize, Deserialize)]
struct Progress {
    /// Name of the noun whose rows come next.
    noun: String,
    /// The last row that was indexed.
    after: Uuid,
}

impl Scope {
    /// Indexes the next rows of the organization.
    pub(in crate::store) async fn step_search_index(&self, job: &Job) -> Result<StepResult> {
        let unreadable = |_| Error::internal("the progress of indexing cannot be read");
        let (mut noun, mut after) = (searched(None), Uuid::nil());
        if !job.progress.is_empty() {
            let progress: Progress = serde_json::from_str(&job.progress).map_err(unreadable)?;
            (noun, after) = (noun_named(&progress.noun), progress.after);
        }
        let tx = self.begin().await?;
        let mut left = STEP;
        while let Some(known) = noun.filter(|_| left > 0) {
            let ids = tx.next_rows(known, after, left).await?;
            tx.index_missing(known, &ids).await?;
            left -= ids.len();
            after = ids.last().copied().unwrap_or(after);
            if left > 0 {
                (noun, after) = (searched(Some(known)), Uuid::nil());
            }
        }
        let progress = |noun: &Noun| serde_json::json!(Progress { noun: noun.name.to_owned(), after }).to_string();
        tx.commit_step(job, noun.map(progress).as_deref()).await
    }
}

impl Tx {
    /// Returns the ids of the first rows after a row.
    async fn next_rows(&self, noun: &'static Noun, after: Uuid, most: usize) -> Result<Vec<Uuid>> {
        let mut sql = self.sql();
        sql.push("SELECT ")
            .column(Alias::ROW, noun.tenant)
            .push(", t.id FROM ")
            .name(&[noun.table])
            .push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, noun, self.organization()).push(" AND t.id > ").bind(after);
        sql.push(" ORDER BY t.id LIMIT ").number(most);
        let rows = self.read_rows(sql.finish(), &[CellKind::Id]).await?;
        Ok(rows.iter().filter_map(|row| row[0].id()).collect())
    }

    /// Indexes rows, but not what is indexed already. The rows are locked, so that nobody changes what is read before it
    /// is indexed.
    async fn index_missing(&self, noun: &'static Noun, ids: &[Uuid]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let records = self.lock_as(noun, ids, false).await?;
        let mut entries = Vec::new();
        for source in Source::of_noun(noun) {
            let words: Vec<(Uuid, String)> = if let Some(field) = source.field {
                let words = |text| indexed(self.organization(), text);
                records.values().map(|record| (record.id(), words(record.cell(field.column).text()))).collect()
            } else {
                let carried = self.kept_external_ids(noun, ids, false).await?;
                let carried = carried.into_iter().filter(|(row, _)| records.contains_key(row));
                let words = |ids: &[crate::store::ExternalId]| {
                    indexed(self.organization(), ids.iter().map(|key| key.id.as_str()))
                };
                carried.map(|(row, ids)| (row, words(&ids))).collect()
            };
            let some = words.into_iter().filter(|(_, words)| !words.is_empty());
            entries.extend(some.map(|(row, words)| Entry { row, source: &source.name, words }));
        }
        self.write_missing_entries(&entries).await
    }
}

/// Returns the next noun that a search finds: the first, or the one after another.
fn searched(before: Option<&'static Noun>) -> Option<&'static Noun> {
    let first = before.map_or(0, |before| {
        NOUNS.iter().position(|noun| noun.table == before.table).map_or(NOUNS.len(), |place| place + 1)
    });
    NOUNS[first..].iter().copied().find(|noun| Source::of_noun(noun).next().is_some())
}
