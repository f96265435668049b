//! Steps: ordered parts of a journey, each in one of its stages or in none.

use std::collections::HashMap;

use entity::{stage, step::NOUN};
use sea_orm::prelude::Uuid;

use super::{copy::STEP_COPY, flow::OF_STEP};
use crate::{
    Result,
    error::Code,
    graphql::slice::Slice,
    store::{
        Tx,
        cell::{Cell, given},
        draft::Draft,
        write::{PartOf, Rules},
    },
};

/// How steps belong to their journey.
pub(super) const PART_OF: PartOf = PartOf { relation: "journey", position: Some("position"), most: 1_000 };

/// The rules of steps.
pub(super) const RULES: Rules = Rules {
    prepare: |tx, drafts| Box::pin(stay_in_the_journey(tx, drafts, &stage::NOUN, &["stage"])),
    part_of: Some(PART_OF),
    ..Rules::NONE
};

/// The slice.
pub const SLICE: Slice = Slice { rules: RULES, mutations: &[STEP_COPY], computed: OF_STEP, ..Slice::new(&NOUN) };

/// Refuses drafts that name a row of another journey than their own.
pub(super) async fn stay_in_the_journey(
    tx: &Tx,
    drafts: &mut [Draft],
    target: &'static entity::Noun,
    relations: &[&'static str],
) -> Result<()> {
    let column = |relation: &str| -> &'static str {
        let known = drafts.first().and_then(|draft| draft.noun.relation(relation));
        match known.map(|known| &known.link) {
            Some(entity::noun::Link::One { column, .. }) => column,
            _ => unreachable!("rules name relations of their noun"),
        }
    };
    if drafts.is_empty() {
        return Ok(());
    }
    let columns: Vec<(&'static str, &'static str)> = relations.iter().map(|name| (*name, column(name))).collect();
    let named: Vec<Uuid> = drafts
        .iter()
        .filter(|draft| draft.errors.is_empty())
        .flat_map(|draft| columns.iter().filter(|(_, column)| draft.gives(column)).map(|(_, column)| draft.get(column)))
        .filter_map(Cell::id)
        .collect();
    if named.is_empty() {
        return Ok(());
    }
    let wanted = [given(target, "id", Cell::Null).0, given(target, "journey_id", Cell::Null).0];
    let rows = tx.by_ids_unpermitted(target, &wanted, &named).await?;
    let journeys: HashMap<Uuid, Uuid> = rows.iter().filter_map(|row| row[0].id().zip(row[1].id())).collect();
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        let own = draft.get("journey_id").id();
        for (name, column) in &columns {
            if let Some(id) = draft.get(column).id().filter(|_| draft.gives(column))
                && journeys.get(&id).copied() != own
            {
                let message = format!("this {} is one of another journey", target.name);
                draft.refuse(Code::Invalid, &format!("{name}Ref"), message);
            }
        }
    }
    Ok(())
}
