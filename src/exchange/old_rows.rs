//! Removes rows that are kept for a number of days only.

use chrono::TimeDelta;
use entity::{Col, col::ColumnType, id::NounId};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::{
    Result,
    store::{
        Scope, Tx,
        operation::jobs::{Job, kind::StepResult},
        statement::{
            cell::Cell,
            filter::{Comparison, Predicate},
        },
        writing::{
            draft::{Draft, Mode, Reference, Target},
            write::Hooks,
        },
    },
};

/// Number of rows that one step removes.
const STEP: usize = 500;

/// Performs a step of the job that removes the rows that were created longer ago than `kept`.
pub(super) async fn remove<I: NounId + ColumnType>(
    scope: &Scope,
    job: &Job,
    (id, created_at): (Col<I>, Col<ChronoUnixTimestampMillis>),
    kept: TimeDelta,
) -> Result<StepResult> {
    let until = Cell::Int((scope.now() - kept).timestamp_millis());
    let old = Predicate::Column(created_at.into(), Comparison::Lt(until));
    let tx = scope.begin().await?;
    let has_more = remove_where(&tx, id, &old).await?;
    tx.commit_step(job, has_more.then_some("")).await
}

/// Removes the next rows that fulfil a condition. Returns whether there may be more.
pub(super) async fn remove_where<I: NounId + ColumnType>(tx: &Tx, id: Col<I>, condition: &Predicate) -> Result<bool> {
    let found = tx.select_where_unchecked((id,), condition, STEP - 1).await?;
    let draft = |(id,): &(I,)| Draft::new(I::NOUN, Target::Row(Reference::Id(Some(id.uuid()))), Mode::UpdateOnly);
    let mut drafts: Vec<Draft> = found.iter().map(draft).collect();
    if !drafts.is_empty() {
        tx.delete(I::NOUN, &Hooks::NONE, &mut drafts, false).await?;
    }
    Ok(drafts.len() == STEP)
}
