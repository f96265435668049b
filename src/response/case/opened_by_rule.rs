//! Opens a case for each feedback record that a rule which opens cases has routed.

use std::collections::{HashMap, HashSet};

use entity::{
    case::{ACCOUNT_ID, CUSTOMER_ID, DEPARTMENT_ID, NOUN, POINT_ID, PRIORITY, RECEIVED_AT, RESPONSE_POLICY_ID, TITLE},
    customer,
    feedback_record::{self, BODY},
    id::{AccountId, NounId},
    response_policy, routing_rule,
};
use sea_orm::prelude::Uuid;

use super::{RULES, feedback_records};
use crate::{
    Result,
    store::{
        Tx,
        writing::draft::{Draft, Mode, Target},
    },
};

/// Maximum length of a title in characters.
const TITLE_LENGTH: usize = 200;

/// Opens a case for each of these new feedback records, each given with the rule that routed it. Nothing is
/// opened for a record of an erased customer.
pub async fn open_by_rule(tx: &Tx, routed: &[(&Draft, &routing_rule::Model)]) -> Result<()> {
    if routed.is_empty() {
        return Ok(());
    }
    let customers: Vec<Uuid> =
        routed.iter().filter_map(|(record, _)| record.get(feedback_record::CUSTOMER_ID)).map(NounId::uuid).collect();
    let accounts = tx.select_by_ids_unchecked((customer::ID, customer::ACCOUNT_ID), &customers).await?;
    let accounts: HashMap<Uuid, Option<AccountId>> =
        accounts.into_iter().map(|(id, account)| (id.0, account)).collect();
    let policies: Vec<Uuid> = routed.iter().filter_map(|(_, rule)| rule.response_policy_id).map(Uuid::from).collect();
    let archived =
        if policies.is_empty() { HashSet::new() } else { tx.archived_among(&response_policy::NOUN, &policies).await? };
    let mut drafts: Vec<Draft> = Vec::with_capacity(routed.len());
    for (record, rule) in routed {
        let mut draft = Draft::new(&NOUN, Target::New, Mode::CreateOnly);
        let body = record.get(BODY).unwrap_or_default();
        let first = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(&rule.name);
        draft.set(TITLE, first.chars().take(TITLE_LENGTH).collect::<String>());
        draft.set(RECEIVED_AT, record.get(feedback_record::RECEIVED_AT).unwrap_or(tx.now().into()));
        if let Some(priority) = record.get(feedback_record::PRIORITY) {
            draft.set(PRIORITY, priority);
        }
        if let Some(department) = record.get(feedback_record::DEPARTMENT_ID) {
            draft.set(DEPARTMENT_ID, department);
        }
        let customer = record.get(feedback_record::CUSTOMER_ID);
        draft.set(CUSTOMER_ID, customer);
        draft.set(ACCOUNT_ID, customer.and_then(|id| accounts.get(&id.0).copied()).flatten());
        draft.set(RESPONSE_POLICY_ID, rule.response_policy_id.filter(|id| !archived.contains(&id.0)));
        draft.set(POINT_ID, record.get(feedback_record::POINT_ID));
        draft.lines.push((feedback_records(), vec![(record.id, Vec::new())]));
        draft.find_words(tx.organization());
        drafts.push(draft);
    }
    tx.write_by_rule(&NOUN, &RULES, &mut drafts, false).await.map(drop)
}
