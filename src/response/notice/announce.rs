//! Makes the notices of improvements that are done.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use entity::{
    contact_point, feedback_record,
    id::{CustomerId, ImprovementId, MediumId},
    medium,
    notice::{CUSTOMER_ID, IMPROVEMENT_ID, MEDIUM_ID, NOUN, NoticeObstacle, NoticeStatus, OBSTACLE, STATUS},
};
use sea_orm::prelude::Uuid;

use super::{RULES, consents::Consents};
use crate::{
    Error, Result,
    store::{
        Tx,
        writing::draft::{Draft, Mode, Target},
    },
};

/// Maximum number of notices and of contact points that one call reads.
const MOST: usize = 100_000;

/// Makes a notice for each customer of the feedback that improvements are linked to, given as pairs of an improvement and
/// a record. Customers who have one of the improvement get no other. The improvements are locked.
pub(in crate::response) async fn announce(tx: &Tx, links: &[(Uuid, Uuid)]) -> Result<()> {
    let mut waiting = contributors(tx, links).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let improvements: BTreeSet<Uuid> = waiting.keys().map(|(improvement, _)| improvement.0).collect();
    let improvements: Vec<Uuid> = improvements.into_iter().collect();
    let known = tx.select_unchecked((IMPROVEMENT_ID, CUSTOMER_ID), IMPROVEMENT_ID, &improvements, MOST).await?;
    if known.len() > MOST {
        return Err(Error::BadInput(format!("these improvements have more than {MOST} notices")));
    }
    let known: HashSet<(ImprovementId, CustomerId)> = known.into_iter().collect();
    waiting.retain(|pair, _| !known.contains(pair));
    if waiting.is_empty() {
        return Ok(());
    }
    let customers: BTreeSet<Uuid> = waiting.keys().map(|(_, customer)| customer.0).collect();
    let customers: Vec<Uuid> = customers.into_iter().collect();
    let consents = Consents::read(tx, &customers).await?;
    let column = contact_point::CUSTOMER_ID;
    let contacts = tx.select_unchecked((column,), column, &customers, MOST).await?;
    if contacts.len() > MOST {
        return Err(Error::BadInput(format!("these customers have more than {MOST} contact points")));
    }
    let reachable: HashSet<CustomerId> = contacts.into_iter().map(|(customer,)| customer).collect();
    let named = |(pair, used): (&(ImprovementId, CustomerId), &Vec<MediumId>)| {
        let mut named = used.clone();
        named.extend(consents.named(pair.1, tx.now()));
        named
    };
    let named: BTreeSet<Uuid> = waiting.iter().flat_map(named).map(|medium| medium.0).collect();
    let archived = tx.archived_among(&medium::NOUN, &named.into_iter().collect::<Vec<_>>()).await?;
    let mut drafts: Vec<Draft> = Vec::with_capacity(waiting.len());
    for ((improvement, customer), used) in waiting {
        let mut draft = Draft::new(&NOUN, Target::New, Mode::CreateOnly);
        draft.set(IMPROVEMENT_ID, improvement);
        draft.set(CUSTOMER_ID, customer);
        let mut choice = used.into_iter().chain(consents.named(customer, tx.now()));
        let is_open = |medium: &MediumId| !archived.contains(&medium.0) && consents.allow(customer, *medium, tx.now());
        let medium = choice.find(is_open);
        let is_allowed = medium.is_some() || consents.allow_others(customer, tx.now());
        let obstacle = if !is_allowed {
            Some(NoticeObstacle::NoConsent)
        } else if !reachable.contains(&customer) {
            Some(NoticeObstacle::NoContactPoint)
        } else {
            None
        };
        if obstacle.is_some() {
            draft.set(STATUS, NoticeStatus::Impossible);
            draft.set(OBSTACLE, obstacle);
        } else {
            draft.set(MEDIUM_ID, medium);
        }
        drafts.push(draft);
    }
    // Nobody who was erased is told: those drafts fail alone.
    tx.write_by_rule(&NOUN, &RULES, &mut drafts, false).await.map(drop)
}

/// Returns the customers of the linked feedback for each improvement, with the mediums by which it came, newest first.
async fn contributors(tx: &Tx, links: &[(Uuid, Uuid)]) -> Result<BTreeMap<(ImprovementId, CustomerId), Vec<MediumId>>> {
    let records: BTreeSet<Uuid> = links.iter().map(|(_, record)| *record).collect();
    let records: Vec<Uuid> = records.into_iter().collect();
    let mut waiting: BTreeMap<(ImprovementId, CustomerId), Vec<MediumId>> = BTreeMap::new();
    if records.is_empty() {
        return Ok(waiting);
    }
    let columns =
        (feedback_record::ID, feedback_record::CUSTOMER_ID, feedback_record::MEDIUM_ID, feedback_record::RECEIVED_AT);
    let mut rows = tx.select_by_ids_unchecked(columns, &records).await?;
    rows.sort_unstable_by_key(|(id, .., received)| std::cmp::Reverse((received.0, *id)));
    let mut improvements: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (improvement, record) in links {
        improvements.entry(*record).or_default().push(*improvement);
    }
    for (record, customer, medium, _) in rows {
        let Some(customer) = customer else { continue };
        for improvement in improvements.get(&record.0).into_iter().flatten() {
            waiting.entry((ImprovementId(*improvement), customer)).or_default().extend(medium);
        }
    }
    Ok(waiting)
}
