//! Closing cases: a case ends with what the customer was told, and its resolution holds.

use std::collections::HashSet;

use entity::{
    Col, attempt,
    case::{
        CaseStage, DISPOSITION, DUPLICATE_OF_ID, Disposition, LISTENING_NOTE, NOT_TOLD_BECAUSE, RESOLUTION, Resolution,
        STAGE, TOLD_AT, TOLD_MEDIUM_ID, TOLD_WHAT, Transition,
    },
    col::ColumnType,
};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    error::Code,
    response::attempt::MOST,
    store::{
        Tx,
        statement::cell::{Cell, Record},
        writing::draft::Draft,
    },
    text::is_blank,
};

/// What a case that ends lacks: the code, the field and the message of the error.
type Lack = (Code, &'static str, &'static str);

/// What closing a case depends on.
#[expect(clippy::struct_excessive_bools, reason = "each says something of the case that the others do not")]
struct Ending {
    resolution: Option<Resolution>,
    disposition: Option<Disposition>,
    is_heard: bool,
    is_told: bool,
    is_told_at: bool,
    is_told_by: bool,
    is_explained: bool,
    is_of_another: bool,
}

impl Ending {
    /// Reads it by a function that returns the value of a column.
    fn of<'a>(cell: impl Fn(&str) -> &'a Cell) -> Self {
        fn get<'a, T: ColumnType>(cell: &impl Fn(&str) -> &'a Cell, column: Col<T>) -> Option<T::Value> {
            cell(column.name()).value::<T>()
        }
        let cell = &cell;
        let says = |column: Col<Option<String>>| get(cell, column).is_some_and(|text| !is_blank(&text));
        Self {
            resolution: get(cell, RESOLUTION),
            disposition: get(cell, DISPOSITION),
            is_heard: says(LISTENING_NOTE),
            is_told: says(TOLD_WHAT),
            is_told_at: get(cell, TOLD_AT).is_some(),
            is_told_by: get(cell, TOLD_MEDIUM_ID).is_some(),
            is_explained: says(NOT_TOLD_BECAUSE),
            is_of_another: get(cell, DUPLICATE_OF_ID).is_some(),
        }
    }

    /// Returns what it lacks. `has_worked` says whether an attempt worked.
    fn lacks(&self, has_worked: bool) -> Vec<Lack> {
        let mut lacks = Vec::new();
        if !self.is_explained {
            if !self.is_told {
                let message = "say what the customer was told, or in notToldBecause why not";
                lacks.push((Code::Required, "toldWhat", message));
            } else if !self.is_told_by {
                lacks.push((Code::Required, "toldMediumRef", "say by which medium the customer was told"));
            } else if !self.is_told_at {
                lacks.push((Code::Required, "toldAt", "say when the customer was told"));
            }
        }
        match self.resolution {
            None => lacks.push((Code::Required, "resolution", "a closed case has a resolution")),
            Some(Resolution::Solved) if !has_worked => {
                let message = "no attempt of the case worked; record one that did, or another resolution";
                lacks.push((Code::Invalid, "resolution", message));
            }
            Some(Resolution::Venting) if self.disposition != Some(Disposition::Venting) => {
                let message = "the disposition of the case is not VENTING; set it first";
                lacks.push((Code::Invalid, "resolution", message));
            }
            Some(Resolution::Venting) if !self.is_heard => {
                lacks.push((Code::Required, "listeningNote", "say what was heard"));
            }
            Some(Resolution::Duplicate) if !self.is_of_another => {
                lacks.push((Code::Required, "duplicateOfRef", "name the case that is about the same problem"));
            }
            Some(_) => {}
        }
        lacks
    }
}

/// Refuses to close cases that lack something, and changes after which a closed case lacks more than before. What
/// creations, upserts and imports close may lack anything: it ended in another system.
pub(super) async fn check(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    drafts.iter_mut().filter(|draft| draft.errors.is_empty()).for_each(check_open);
    let is_solved = |draft: &Draft| {
        let before = draft.current.as_ref().and_then(|row| row.get(RESOLUTION));
        [before, draft.get(RESOLUTION)].contains(&Some(Resolution::Solved))
    };
    let solved = drafts.iter().filter(|draft| ends(draft) && is_solved(draft));
    let worked = worked(tx, &solved.map(|draft| draft.id).collect::<Vec<_>>()).await?;
    for draft in drafts.iter_mut().filter(|draft| ends(draft)) {
        let has_worked = worked.contains(&draft.id);
        let mut lacks = Ending::of(|column| draft.cell(column)).lacks(has_worked);
        if let Some(current) = draft.current.as_ref().filter(|row| is_closed(row)) {
            let before = Ending::of(|column| current.cell(column)).lacks(has_worked);
            lacks.retain(|(code, field, _)| !before.iter().any(|known| (known.0, known.1) == (*code, *field)));
        }
        for (code, field, message) in lacks {
            draft.refuse(code, field, message);
        }
    }
    Ok(())
}

/// Refuses a resolution of an open case, and the original of a case that is no duplicate.
fn check_open(draft: &mut Draft) {
    let resolution = draft.get(RESOLUTION);
    if resolution.is_some() && draft.get(STAGE) != Some(CaseStage::Closed) {
        draft.refuse(Code::Invalid, "resolution", "the case is open; close it by caseClose");
    } else if draft.get(DUPLICATE_OF_ID).is_some() && resolution != Some(Resolution::Duplicate) {
        let field = if draft.gives(DUPLICATE_OF_ID) { "duplicateOfRef" } else { "resolution" };
        draft.refuse(Code::Invalid, field, "only a case that is closed as DUPLICATE names the case that it duplicates");
    }
}

/// Returns whether the rules of closing apply to a draft: it closes a case, or changes a closed one.
fn ends(draft: &Draft) -> bool {
    let stays = || draft.current.as_ref().is_some_and(is_closed) && draft.get(STAGE) == Some(CaseStage::Closed);
    draft.errors.is_empty() && (draft.does(Transition::Close) || stays())
}

fn is_closed(row: &Record) -> bool {
    row.get(STAGE) == Some(CaseStage::Closed)
}

/// Returns the cases among `ids` of which an attempt worked.
async fn worked(tx: &Tx, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    let columns = (attempt::CASE_ID, attempt::HAS_WORKED);
    let attempts = tx.select_unchecked(columns, attempt::CASE_ID, ids, ids.len() * MOST).await?;
    Ok(attempts.into_iter().filter(|(_, has_worked)| *has_worked == Some(true)).map(|(id, _)| id.0).collect())
}
