//! Interactions: only a completed one has occurred, and its assessments are of its point.

use std::collections::HashMap;

use entity::{
    assessment, feedback_record,
    id::{InteractionId, NounId},
    interaction::{
        CONFIRMED_AT, CUSTOMER_ID, ID, InteractionStatus, MEDIUM_ID, NOUN, OCCURRED_AT, POINT_ID, STATUS, Transition,
    },
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::assessment::{Assessed, points_of};
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    store::{
        Tx,
        writing::{draft::Draft, write::Hooks},
    },
};

/// Maximum number of assessments of the interactions that change their points in one call.
const MAX_ASSESSMENTS: usize = 100_000;

/// GraphQL module of interactions.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(prepare(tx, drafts)), ..Hooks::NONE },
    ..Module::new(&NOUN)
};

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        if draft.does(Transition::Reschedule) {
            draft.set(CONFIRMED_AT, None);
        }
        let is_completed = draft.get(STATUS) == Some(InteractionStatus::Completed);
        let has_occurred = draft.get(OCCURRED_AT).is_some();
        if is_completed && !has_occurred {
            draft.set(OCCURRED_AT, Some(ChronoUnixTimestampMillis(tx.now())));
        } else if has_occurred && !is_completed {
            let message =
                "only a COMPLETED interaction has occurredAt; set the status to COMPLETED, or leave occurredAt out";
            draft.refuse(Code::Invalid, "occurredAt", message);
        }
    }
    keep_assessments(tx, drafts).await
}

/// Refuses a new point of an interaction whose assessments are of another one.
async fn keep_assessments(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let changes_point = |draft: &Draft| draft.errors.is_empty() && !draft.is_new() && draft.gives(POINT_ID);
    let moved: Vec<Uuid> = drafts.iter().filter(|draft| changes_point(draft)).map(|draft| draft.id).collect();
    if moved.is_empty() {
        return Ok(());
    }
    let columns = (
        assessment::INTERACTION_ID,
        assessment::EXPECTATION_ID,
        assessment::OBJECTIVE_ID,
        assessment::DESIRED_RESULT_ID,
    );
    let rows = tx.select_unchecked(columns, assessment::INTERACTION_ID, &moved, MAX_ASSESSMENTS).await?;
    let assessed: Vec<(Uuid, Assessed)> = rows
        .into_iter()
        .filter_map(|(interaction, expectation, objective, result)| {
            Some((interaction.uuid(), Assessed::of(expectation, objective, result)?))
        })
        .collect();
    let points = points_of(tx, assessed.iter().map(|(_, assessed)| *assessed)).await?;
    for draft in drafts.iter_mut().filter(|draft| changes_point(draft)) {
        let point = draft.get(POINT_ID);
        let is_of_another = |(interaction, assessed): &(Uuid, Assessed)| {
            *interaction == draft.id && points.get(&assessed.id()).copied() != point
        };
        if assessed.iter().any(is_of_another) {
            let message = "an assessment of the interaction is of another point; delete it first";
            draft.refuse(Code::Invalid, "pointRef", message);
        }
    }
    Ok(())
}

/// Completes new feedback records that were given in an interaction: point, medium and customer are those of the
/// interaction unless the caller names others.
pub async fn complete_feedback(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let given = |draft: &Draft| draft.get(feedback_record::INTERACTION_ID).filter(|_| draft.is_new());
    let ids: Vec<Uuid> = drafts.iter().filter_map(given).map(InteractionId::uuid).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let rows = tx.select_by_ids_unchecked((ID, POINT_ID, MEDIUM_ID, CUSTOMER_ID), &ids).await?;
    let known: HashMap<Uuid, _> =
        rows.into_iter().map(|(id, point, medium, customer)| (id.uuid(), (point, medium, customer))).collect();
    for draft in drafts.iter_mut() {
        let Some((point, medium, customer)) = given(draft).and_then(|id| known.get(&id.uuid()).copied()) else {
            continue;
        };
        if !draft.gives(feedback_record::POINT_ID) {
            draft.set(feedback_record::POINT_ID, point);
        }
        if !draft.gives(feedback_record::MEDIUM_ID) {
            draft.set(feedback_record::MEDIUM_ID, medium);
        }
        if !draft.gives(feedback_record::CUSTOMER_ID) {
            draft.set(feedback_record::CUSTOMER_ID, customer);
        }
    }
    Ok(())
}
