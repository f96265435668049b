//! Contributors: the customers whose feedback an improvement is made because of.

use std::collections::{BTreeSet, HashMap, HashSet};

use entity::{
    feedback_record::{self, CUSTOMER_ID},
    id::CustomerId,
    improvement::{ImprovementStatus, STATUS},
    noun::Relationship,
};
use sea_orm::prelude::Uuid;

use super::feedback_records;
use crate::{
    Result,
    error::Code,
    graphql::{
        slice::Computed,
        typed::fields::{ByRow, ComputedFn},
    },
    response::notice,
    store::{
        Tx,
        statement::cell::Record,
        writing::{draft::Draft, write::Hooks},
    },
};

/// Maximum number of records linked to the improvements that one call completes.
const MOST: usize = 10_000;

/// The computed field `votes`.
pub(super) const VOTES: Computed = Computed {
    name: "votes",
    doc: "Number of customers whose feedback is linked. Customers that were merged count once, feedback without a \
          customer does not count. It is not stored: a merge changes it at once.",
    run: &ComputedFn::new(|scope, (), ids| {
        Box::pin(async move {
            let joined = scope.lines(feedback_records(), ids).await?;
            let records: BTreeSet<Uuid> = joined.iter().map(|line| line.to).collect();
            let records: Vec<Uuid> = records.into_iter().collect();
            let columns = (feedback_record::ID, CUSTOMER_ID);
            let customers: HashMap<Uuid, Option<CustomerId>> = scope
                .select_by_ids_unchecked(columns, &records)
                .await?
                .into_iter()
                .map(|(id, by)| (id.0, by))
                .collect();
            let mut voters: HashSet<(Uuid, CustomerId)> = HashSet::new();
            for line in &joined {
                voters.extend(customers.get(&line.to).copied().flatten().map(|customer| (line.from, customer)));
            }
            let mut votes: ByRow<i64> = ids.iter().map(|id| (*id, 0)).collect();
            for (improvement, _) in voters {
                *votes.entry(improvement).or_default() += 1;
            }
            Ok(votes)
        })
    }),
};

/// Rules that improvements add to feedback: a customer who becomes known later contributed, too.
pub const FEEDBACK_RULES: Hooks = Hooks { written: |tx, drafts| Box::pin(found_out(tx, drafts)), ..Hooks::NONE };

/// Makes notices of the improvements that these drafts complete, and of those that are done and have other feedback now.
pub(super) async fn written(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let relation = feedback_records();
    let given = |draft: &Draft| {
        let joined = draft.lines.iter().find(|(known, _)| known.name == relation.name);
        joined.map(|(_, rows)| rows.iter().map(|(record, _)| *record).collect::<Vec<Uuid>>())
    };
    let is_due = |draft: &Draft| {
        let was_done = draft.current.as_ref().is_some_and(is_done);
        let is_done = draft.errors.is_empty() && draft.get(STATUS) == Some(ImprovementStatus::Done);
        is_done && (!was_done || given(draft).is_some())
    };
    let due: Vec<usize> = (0..drafts.len()).filter(|place| is_due(&drafts[*place])).collect();
    let known = |place: &&usize| !drafts[**place].is_new() && given(&drafts[**place]).is_none();
    let known: Vec<Uuid> = due.iter().filter(known).map(|place| drafts[*place].id).collect();
    let mut present = if known.is_empty() { HashMap::new() } else { tx.present_lines(relation, &known).await? };
    let mut links: Vec<(Uuid, Uuid)> = Vec::new();
    for place in due {
        let draft = &mut drafts[place];
        let records = given(draft).or_else(|| {
            let joined = present.remove(&draft.id)?;
            Some(joined.into_iter().map(|(record, _)| record).collect())
        });
        links.extend(records.unwrap_or_default().into_iter().map(|record| (draft.id, record)));
        if links.len() > MOST {
            let message = format!("more than {MOST} records are linked; complete fewer improvements at once");
            draft.refuse(Code::TooLong, "status", message);
            return Ok(());
        }
    }
    notice::announce(tx, &links).await
}

/// Makes notices of an improvement that is done and whose feedback was replaced.
pub(super) async fn relinked(tx: &Tx, relation: &'static Relationship, id: Uuid) -> Result<()> {
    if relation.name != feedback_records().name {
        return Ok(());
    }
    let improvements = tx.lock(&entity::improvement::NOUN, &[id]).await?;
    if !improvements.values().any(is_done) {
        return Ok(());
    }
    let joined = tx.present_lines(relation, &[id]).await?;
    let links: Vec<(Uuid, Uuid)> = joined.into_values().flatten().map(|(record, _)| (id, record)).collect();
    notice::announce(tx, &links).await
}

/// Makes notices of the improvements that are done, for customers that feedback names anew.
async fn found_out(tx: &Tx, drafts: &[Draft]) -> Result<()> {
    let is_named = |draft: &&Draft| {
        let before = draft.current.as_ref().and_then(|row| row.get(CUSTOMER_ID));
        let after = draft.get(CUSTOMER_ID);
        draft.errors.is_empty() && !draft.is_new() && after.is_some() && after != before
    };
    let records: Vec<Uuid> = drafts.iter().filter(is_named).map(|draft| draft.id).collect();
    if records.is_empty() {
        return Ok(());
    }
    let relation = feedback_record::NOUN.relation("improvements").expect("feedback leads to improvements");
    let joined = tx.present_lines(relation, &records).await?;
    let mut links: Vec<(Uuid, Uuid)> = joined
        .into_iter()
        .flat_map(|(record, improvements)| improvements.into_iter().map(move |(improvement, _)| (improvement, record)))
        .collect();
    let ids: BTreeSet<Uuid> = links.iter().map(|(improvement, _)| *improvement).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let improvements = tx.lock(&entity::improvement::NOUN, &ids.into_iter().collect::<Vec<_>>()).await?;
    links.retain(|(improvement, _)| improvements.get(improvement).is_some_and(is_done));
    notice::announce(tx, &links).await
}

fn is_done(improvement: &Record) -> bool {
    improvement.get(STATUS) == Some(ImprovementStatus::Done)
}
