//! Assessments: each is of exactly one expectation, objective or desired result of the interaction's point, and a
//! verified outcome says how it was verified.

use std::collections::HashMap;

use entity::{
    assessment::{
        AssessmentOutcome, DESIRED_RESULT_ID, EXPECTATION_ID, INTERACTION_ID, NOUN, OBJECTIVE_ID, OUTCOME, VERIFIED_BY,
    },
    desired_result, expectation,
    id::{DesiredResultId, ExpectationId, InteractionId, InteractionPointId, NounId, ObjectiveId},
    interaction, objective,
};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    store::{
        Tx,
        writing::{draft::Draft, write::Hooks},
    },
};

/// GraphQL module of assessments.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(prepare(tx, drafts)), ..Hooks::NONE },
    ..Module::new(&NOUN)
};

/// What an assessment is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assessed {
    Expectation(ExpectationId),
    Objective(ObjectiveId),
    DesiredResult(DesiredResultId),
}

impl Assessed {
    /// Returns what is assessed, unless it is not exactly one.
    pub(super) fn of(
        expectation: Option<ExpectationId>,
        objective: Option<ObjectiveId>,
        result: Option<DesiredResultId>,
    ) -> Option<Self> {
        match (expectation, objective, result) {
            (Some(id), None, None) => Some(Self::Expectation(id)),
            (None, Some(id), None) => Some(Self::Objective(id)),
            (None, None, Some(id)) => Some(Self::DesiredResult(id)),
            _ => None,
        }
    }

    /// Returns the id of the row.
    pub(super) fn id(self) -> Uuid {
        match self {
            Self::Expectation(id) => id.uuid(),
            Self::Objective(id) => id.uuid(),
            Self::DesiredResult(id) => id.uuid(),
        }
    }

    const fn field(self) -> &'static str {
        match self {
            Self::Expectation(_) => "expectationRef",
            Self::Objective(_) => "objectiveRef",
            Self::DesiredResult(_) => "desiredResultRef",
        }
    }
}

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let mut wanted: Vec<(usize, InteractionId, Assessed)> = Vec::new();
    for (place, draft) in drafts.iter_mut().enumerate().filter(|(_, draft)| draft.errors.is_empty()) {
        if draft.get(OUTCOME) != Some(AssessmentOutcome::Unverified) && draft.get(VERIFIED_BY).is_none() {
            let message = "say how the outcome was verified, or set it to UNVERIFIED";
            draft.refuse(Code::Required, "verifiedBy", message);
        }
        let named = (draft.get(EXPECTATION_ID), draft.get(OBJECTIVE_ID), draft.get(DESIRED_RESULT_ID));
        let Some(assessed) = Assessed::of(named.0, named.1, named.2) else { continue };
        let is_named = draft.gives(EXPECTATION_ID) || draft.gives(OBJECTIVE_ID) || draft.gives(DESIRED_RESULT_ID);
        if let Some(interaction) = draft.get(INTERACTION_ID).filter(|_| draft.is_new() || is_named) {
            wanted.push((place, interaction, assessed));
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let interactions: Vec<Uuid> = wanted.iter().map(|(_, interaction, _)| interaction.uuid()).collect();
    let own = tx.select_by_ids_unchecked((interaction::ID, interaction::POINT_ID), &interactions).await?;
    let own: HashMap<Uuid, Option<InteractionPointId>> =
        own.into_iter().map(|(id, point)| (id.uuid(), point)).collect();
    let points = points_of(tx, wanted.iter().map(|(.., assessed)| *assessed)).await?;
    for (place, interaction, assessed) in wanted {
        let draft = &mut drafts[place];
        match own.get(&interaction.uuid()).copied().flatten() {
            None => {
                let message = "the interaction has no point; set pointRef of the interaction first";
                draft.refuse(Code::Invalid, assessed.field(), message);
            }
            Some(point) if points.get(&assessed.id()) != Some(&point) => {
                draft.refuse(Code::Invalid, assessed.field(), "this is not of the interaction's point");
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Returns the points of what is assessed, by id.
pub(super) async fn points_of(
    tx: &Tx,
    assessed: impl Iterator<Item = Assessed> + Clone,
) -> Result<HashMap<Uuid, InteractionPointId>> {
    let mut points = HashMap::new();
    let ids = |is_wanted: fn(&Assessed) -> bool| -> Vec<Uuid> {
        assessed.clone().filter(is_wanted).map(Assessed::id).collect()
    };
    let expectations = ids(|assessed| matches!(assessed, Assessed::Expectation(_)));
    if !expectations.is_empty() {
        let rows = tx.select_by_ids_unchecked((expectation::ID, expectation::POINT_ID), &expectations).await?;
        points.extend(rows.into_iter().map(|(id, point)| (id.uuid(), point)));
    }
    let objectives = ids(|assessed| matches!(assessed, Assessed::Objective(_)));
    if !objectives.is_empty() {
        let rows = tx.select_by_ids_unchecked((objective::ID, objective::POINT_ID), &objectives).await?;
        points.extend(rows.into_iter().map(|(id, point)| (id.uuid(), point)));
    }
    let results = ids(|assessed| matches!(assessed, Assessed::DesiredResult(_)));
    if !results.is_empty() {
        let rows = tx.select_by_ids_unchecked((desired_result::ID, desired_result::POINT_ID), &results).await?;
        points.extend(rows.into_iter().map(|(id, point)| (id.uuid(), point)));
    }
    Ok(points)
}
