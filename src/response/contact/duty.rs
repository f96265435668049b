//! When a duty towards a customer may be done: the contact policies judge it as a plan for the time at which it is due.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{
    customer::{self, SEGMENT, TIME_ZONE},
    follow_up::FollowUpKind,
    id::{CustomerId, MediumId},
    interaction::InteractionPurpose,
};
use sea_orm::prelude::Uuid;

use super::{
    check::{Breach, Checks, Contact, may_cover},
    history::History,
    plan::reason,
    policy::active,
};
use crate::{
    Result,
    store::{Tx, statement::cell::Column},
};

/// A duty towards a customer.
pub(in crate::response) struct Duty {
    pub(in crate::response) customer: Option<CustomerId>,
    pub(in crate::response) medium: Option<MediumId>,
    pub(in crate::response) kind: FollowUpKind,
    pub(in crate::response) due: DateTime<Utc>,
}

/// When a duty may be done.
pub(in crate::response) enum Allowed {
    /// From this time on, not before it is due.
    From(DateTime<Utc>),
    /// It is not known when; why not.
    Unknown(String),
}

/// Returns when each of these duties may be done. Open duties do not count as contacts: what is planned or took place does.
pub(in crate::response) async fn allowed(tx: &Tx, duties: &[Duty]) -> Result<Vec<Allowed>> {
    let policies = active(tx).await?;
    let contacts: Vec<Contact> = duties.iter().map(contact).collect();
    let is_covered = |contact: &Contact| policies.iter().any(|policy| may_cover(policy, contact));
    let covered = duties.iter().zip(&contacts).filter(|(_, contact)| is_covered(contact));
    let customers: HashSet<Uuid> = covered.filter_map(|(duty, _)| duty.customer).map(Uuid::from).collect();
    if customers.is_empty() {
        return Ok(duties.iter().map(|duty| Allowed::From(duty.due)).collect());
    }
    let customers: Vec<Uuid> = customers.into_iter().collect();
    let columns: [Column; 2] = [TIME_ZONE.into(), SEGMENT.into()];
    let rows: HashMap<_, _> = tx.records_unchecked(&customer::NOUN, &columns, &customers).await?;
    let history = History::read(tx, &policies, &rows, &contacts).await?;
    let allowed = duties.iter().zip(&contacts).map(|(duty, contact)| {
        let customer = duty.customer.and_then(|customer| history.customers.get(&customer.0));
        // No policy covers it; or the transaction creates the customer, of whom nothing is known yet.
        let Some(customer) = customer else { return Allowed::From(duty.due) };
        let checks = Checks::of(&policies, &history.mediums, customer, None, contact);
        let from = checks.allowed_at(contact.at).and_then(DateTime::from_timestamp_millis);
        match (from, checks.breaches(contact.at).first()) {
            (Some(from), _) => Allowed::From(from),
            (None, Some(breach)) => Allowed::Unknown(refusal(breach)),
            (None, None) => Allowed::From(duty.due),
        }
    });
    Ok(allowed.collect())
}

/// Reads the policies, so that they are at hand later in the transaction.
pub(in crate::response) async fn read_policies(tx: &Tx) -> Result<()> {
    active(tx).await.map(drop)
}

fn contact(duty: &Duty) -> Contact {
    Contact { at: duty.due.timestamp_millis(), medium: duty.medium.map(Uuid::from), purpose: Some(purpose(duty.kind)) }
}

/// The purpose of the interaction in which a duty is done.
const fn purpose(kind: FollowUpKind) -> InteractionPurpose {
    match kind {
        FollowUpKind::Confirm => InteractionPurpose::Confirm,
        FollowUpKind::Thank | FollowUpKind::Occasion => InteractionPurpose::Thank,
        FollowUpKind::Update | FollowUpKind::TellOutcome => InteractionPurpose::Update,
        FollowUpKind::Share => InteractionPurpose::Share,
        FollowUpKind::Solve => InteractionPurpose::Serve,
    }
}

fn refusal(breach: &Breach<'_>) -> String {
    format!("the contact policy “{}” refuses it: {}", breach.policy.name, reason(breach.rule))
}
