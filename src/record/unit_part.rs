//! Parts of units: none is retired before it goes into service.

use std::collections::HashMap;

use entity::{
    feedback_record,
    unit_part::{ID, IN_SERVICE_AT, NOUN, RETIRED_AT, UNIT_ID},
};
use sea_orm::prelude::Uuid;

use super::past::{refuse_before, refuse_future};
use crate::{
    Result,
    error::Code,
    graphql::slice::Module,
    store::{
        Tx,
        writing::{
            draft::Draft,
            write::{ChildOf, Hooks},
        },
    },
};

/// Completes and checks feedback about parts of units: the unit of a new record defaults to that of the part.
pub async fn complete_feedback(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let part = |draft: &Draft| draft.get(feedback_record::UNIT_PART_ID).filter(|_| draft.errors.is_empty());
    let is_concerned =
        |draft: &Draft| draft.gives(feedback_record::UNIT_PART_ID) || draft.gives(feedback_record::UNIT_ID);
    let concerned = drafts.iter().filter(|draft| is_concerned(draft));
    let ids: Vec<Uuid> = concerned.filter_map(part).map(Uuid::from).collect();
    let rows = tx.select_by_ids_unchecked((ID, UNIT_ID), &ids).await?;
    let units: HashMap<Uuid, _> = rows.into_iter().map(|(id, unit)| (Uuid::from(id), unit)).collect();
    for draft in drafts.iter_mut().filter(|draft| is_concerned(draft)) {
        let Some(unit) = part(draft).and_then(|id| units.get(&Uuid::from(id)).copied()) else { continue };
        if draft.is_new() && !draft.gives(feedback_record::UNIT_ID) {
            draft.set(feedback_record::UNIT_ID, Some(unit));
        } else if draft.get(feedback_record::UNIT_ID) != Some(unit) {
            draft.refuse(Code::Invalid, "unitPartRef", "this is no part of the unit; name its unit in unitRef");
        }
    }
    Ok(())
}

/// GraphQL module of the parts of units.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| {
            Box::pin(async {
                for draft in drafts {
                    refuse_future(tx, draft, RETIRED_AT);
                    refuse_before(draft, RETIRED_AT, IN_SERVICE_AT);
                }
                Ok(())
            })
        },
        child_of: Some(ChildOf { relation: "unit", position: None, most: 1_000 }),
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};
