//! Assumptions: only a WRONG assumption can have a correction, and `correctedAt` and `correctedThrough` require one.

use entity::{
    Col,
    assumption::{AssumptionTruth, CORRECTED_AT, CORRECTED_THROUGH_ID, CORRECTION, Entity, TRUTH},
    col::ColumnType,
};

use super::evidence::backed;
use crate::{
    error::Code,
    graphql::slice::Module,
    store::{
        Tx,
        writing::{draft::Draft, write::Hooks},
    },
};

/// GraphQL module of assumptions.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| {
            Box::pin(async {
                check(tx, drafts);
                Ok(())
            })
        },
        ..Hooks::NONE
    },
    ..backed::<Entity>()
};

fn check(tx: &Tx, drafts: &mut [Draft]) {
    let now = tx.now();
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        let has_correction = draft.get(CORRECTION).is_some();
        let is_wrong = draft.get(TRUTH) == Some(AssumptionTruth::Wrong);
        if has_correction && !is_wrong {
            // The error names the changed field: the correction, or else the truth of a corrected assumption.
            let is_new_correction = draft.is_new() || changes(draft, CORRECTION);
            let field = if is_new_correction { "correction" } else { "truth" };
            draft.refuse(Code::Invalid, field, "only an assumption that is WRONG can have a correction");
        }
        let is_corrected = draft.get(CORRECTED_AT).is_some() || draft.get(CORRECTED_THROUGH_ID).is_some();
        if is_corrected && !has_correction {
            draft.refuse(Code::Required, "correction", "correctedAt and correctedThroughRef require a correction");
        }
        if draft.gives(CORRECTED_AT) && draft.get(CORRECTED_AT).is_some_and(|at| at.0 > now) {
            draft.refuse(Code::OutOfRange, "correctedAt", "correctedAt must not be in the future");
        }
    }
}

/// Returns whether a draft changes the value of a column; always true for a new row.
fn changes<T: ColumnType>(draft: &Draft, column: Col<T>) -> bool
where
    T::Value: PartialEq,
{
    draft.current.as_ref().is_none_or(|row| row.get(column) != draft.get(column))
}
