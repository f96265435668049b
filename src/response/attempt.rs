//! Attempts: a case that is closed as solved keeps the one that worked.

use std::collections::{HashMap, HashSet};

use entity::{
    attempt::{CASE_ID, HAS_WORKED, NOUN, TRIED_AT, VERIFIED_AT, VERIFIED_BY},
    case::{self, CaseStage, Resolution},
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::case::clear;
use crate::{
    Result, UserError,
    error::Code,
    graphql::slice::Module,
    record::past::{refuse_before, refuse_future},
    store::{
        Tx,
        statement::cell::Record,
        writing::{
            draft::Draft,
            write::{ChildOf, Hooks},
        },
    },
};

/// Maximum number of attempts of a case.
pub(super) const MOST: usize = 1_000;

const KEPT: &str = "the case is closed as SOLVED because this attempt worked; reopen the case first";

/// GraphQL module of attempts.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
        delete: |tx, attempts| Box::pin(keep(tx, attempts)),
        child_of: Some(ChildOf { relation: "case", position: None, most: MOST }),
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        refuse_future(tx, draft, TRIED_AT);
        verify(tx, draft);
    }
    let fails = |draft: &Draft| {
        let worked = draft.current.as_ref().and_then(|row| row.get(HAS_WORKED)) == Some(true);
        draft.errors.is_empty() && worked && draft.get(HAS_WORKED) != Some(true)
    };
    let cases: Vec<Uuid> =
        drafts.iter().filter(|draft| fails(draft)).filter_map(|draft| draft.get(CASE_ID)).map(Uuid::from).collect();
    let solved = solved(tx, &cases).await?;
    for draft in drafts.iter_mut().filter(|draft| fails(draft)) {
        if draft.get(CASE_ID).is_some_and(|case| solved.contains(&case.into())) {
            draft.refuse(Code::InUse, "hasWorked", KEPT);
        }
    }
    Ok(())
}

/// Completes and checks when and how it was found out whether an attempt worked.
fn verify(tx: &Tx, draft: &mut Draft) {
    let is_known = draft.get(HAS_WORKED).is_some();
    if is_known && draft.get(VERIFIED_AT).is_none() && !draft.gives(VERIFIED_AT) {
        let now = Some(ChronoUnixTimestampMillis(tx.now()));
        draft.set(VERIFIED_AT, if draft.is_new() { draft.get(TRIED_AT) } else { now });
    }
    if !is_known && draft.gives(HAS_WORKED) && !draft.is_new() {
        clear(draft, VERIFIED_AT);
        clear(draft, VERIFIED_BY);
    }
    refuse_future(tx, draft, VERIFIED_AT);
    refuse_before(draft, VERIFIED_AT, TRIED_AT);
    for (is_given, field) in
        [(draft.get(VERIFIED_AT).is_some(), "verifiedAt"), (draft.get(VERIFIED_BY).is_some(), "verifiedBy")]
    {
        if is_given && !is_known {
            draft.refuse(Code::Invalid, field, "say whether it worked: give hasWorked");
        }
    }
}

/// Returns the errors that refuse to delete attempts that worked, of cases that are closed as solved.
async fn keep(tx: &Tx, attempts: &[Record]) -> Result<HashMap<Uuid, UserError>> {
    let worked = attempts.iter().filter(|attempt| attempt.get(HAS_WORKED) == Some(true));
    let cases: HashMap<Uuid, Uuid> =
        worked.filter_map(|attempt| Some((attempt.id(), attempt.get(CASE_ID)?.into()))).collect();
    let solved = solved(tx, &cases.values().copied().collect::<Vec<_>>()).await?;
    let kept = cases.into_iter().filter(|(_, case)| solved.contains(case));
    Ok(kept.map(|(id, _)| (id, UserError::new(Code::InUse, "by", KEPT))).collect())
}

/// Returns the cases among `ids` that are closed as solved. They are locked as the parents of their attempts.
async fn solved(tx: &Tx, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    let rows = tx.select_by_ids_unchecked((case::ID, case::STAGE, case::RESOLUTION), ids).await?;
    let is_solved = |stage: CaseStage, resolution: Option<Resolution>| {
        stage == CaseStage::Closed && resolution == Some(Resolution::Solved)
    };
    Ok(rows.into_iter().filter(|(_, stage, resolution)| is_solved(*stage, *resolution)).map(|(id, ..)| id.0).collect())
}
