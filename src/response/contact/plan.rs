//! Contacts in the transaction that writes them: a plan that breaks a policy is refused, what took place is flagged.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, SecondsFormat, Utc};
use entity::{
    Col,
    col::ColumnType,
    contact_policy::{ContactRule, Model as Policy},
    customer,
    interaction::{
        BROKEN_CONTACT_POLICY_ID, BROKEN_CONTACT_RULE, CUSTOMER_ID, DIRECTION, InteractionDirection, InteractionStatus,
        MEDIUM_ID, OCCURRED_AT, PURPOSE, SCHEDULED_AT, STATUS,
    },
};
use sea_orm::prelude::Uuid;

use super::{
    check::{Breach, Checks, Contact},
    history::History,
    policy::active,
};
use crate::{
    Error, Result,
    error::Code,
    store::{
        Tx,
        statement::cell::{Cell, Record},
        writing::{draft::Draft, write::Hooks},
    },
};

/// Rules of interactions.
pub(in crate::response) const RULES: Hooks =
    Hooks { prepare: |tx, drafts| Box::pin(prepare(tx, drafts)), ..Hooks::NONE };

/// An interaction that is a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outbound {
    customer: Uuid,
    is_completed: bool,
    contact: Contact,
}

impl Outbound {
    /// Returns the contact that a row is; `None` if it is none, or none whose time is known.
    fn of<'a>(cell: impl Fn(&'static str) -> &'a Cell) -> Option<Self> {
        fn get<'a, T: ColumnType>(cell: impl Fn(&'static str) -> &'a Cell, column: Col<T>) -> Option<T::Value> {
            cell(column.name()).value::<T>()
        }
        if get(&cell, DIRECTION)? != InteractionDirection::Outbound {
            return None;
        }
        let (is_completed, at) = match get(&cell, STATUS)? {
            InteractionStatus::Completed => (true, get(&cell, OCCURRED_AT)?),
            InteractionStatus::Scheduled | InteractionStatus::Confirmed => (false, get(&cell, SCHEDULED_AT)?),
            InteractionStatus::Cancelled | InteractionStatus::NoShow => return None,
        };
        let medium = get(&cell, MEDIUM_ID).map(Uuid::from);
        let contact = Contact { at: at.0.timestamp_millis(), medium, purpose: get(&cell, PURPOSE) };
        Some(Self { customer: get(&cell, CUSTOMER_ID)?.into(), is_completed, contact })
    }
}

/// What a sound draft does to the contacts with customers.
struct Step {
    place: usize,
    id: Uuid,
    before: Option<Outbound>,
    after: Option<Outbound>,
    /// Whether the row names a policy that it broke.
    is_flagged: bool,
    /// Whether another rule may still refuse the draft, so that the row stays as it is.
    may_stay: bool,
}

impl Step {
    fn of(place: usize, draft: &Draft) -> Self {
        let row = draft.current.as_ref();
        Self {
            place,
            id: draft.id,
            before: row.and_then(|row| Outbound::of(|column| row.cell(column))),
            after: Outbound::of(|column| draft.cell(column)),
            is_flagged: row.is_some_and(|row| row.get(BROKEN_CONTACT_POLICY_ID).is_some()),
            may_stay: !draft.external_ids.is_empty(),
        }
    }

    /// Returns the contact that must be decided about: one that is new, or other than it was.
    fn wanted(&self) -> Option<Outbound> {
        self.after.filter(|after| self.before != Some(*after))
    }
}

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let sound = drafts.iter().enumerate().filter(|(_, draft)| draft.errors.is_empty());
    let steps: Vec<Step> = sound.map(|(place, draft)| Step::of(place, draft)).collect();
    for step in steps.iter().filter(|step| step.is_flagged && step.after != step.before) {
        flag(&mut drafts[step.place], None);
    }
    let wanted: Vec<Outbound> = steps.iter().filter_map(Step::wanted).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let policies = active(tx).await?;
    if policies.is_empty() {
        return Ok(());
    }
    let customers = locked(tx, &wanted).await?;
    let contacts: Vec<Contact> = wanted.iter().map(|wanted| wanted.contact).collect();
    let mut history = History::read(tx, &policies, &customers, &contacts).await?;
    for step in steps.iter().filter(|step| step.wanted().is_none_or(|wanted| wanted.is_completed)) {
        if let Some(wanted) = step.wanted() {
            let checks = history.checks(&policies, step.id, &wanted)?;
            flag(&mut drafts[step.place], checks.breaches(wanted.contact.at).first());
        }
        history.put(step);
    }
    for step in &steps {
        let Some(wanted) = step.wanted().filter(|wanted| !wanted.is_completed) else { continue };
        let checks = history.checks(&policies, step.id, &wanted)?;
        match checks.breaches(wanted.contact.at).first() {
            Some(breach) => refuse(&mut drafts[step.place], breach, checks.allowed_at(wanted.contact.at)),
            None => history.put(step),
        }
    }
    Ok(())
}

/// Locks the customers who are contacted, so that of two plans at once the second sees the first.
async fn locked(tx: &Tx, wanted: &[Outbound]) -> Result<HashMap<Uuid, Record>> {
    let ids: HashSet<Uuid> = wanted.iter().map(|wanted| wanted.customer).collect();
    let mut ids: Vec<Uuid> = ids.into_iter().collect();
    ids.sort_unstable();
    let rows = tx.lock(&customer::NOUN, &ids).await?;
    // One that is not there is being merged, was deleted, or its reference is not checked yet.
    if rows.len() == ids.len() { Ok(rows) } else { Err(Error::Collision) }
}

impl History {
    fn checks<'a>(&self, policies: &'a [Policy], own: Uuid, wanted: &Outbound) -> Result<Checks<'a>> {
        let customer = self.customers.get(&wanted.customer);
        let customer = customer.ok_or_else(|| Error::internal("a customer was not read"))?;
        Ok(Checks::of(policies, &self.mediums, customer, Some(own), &wanted.contact))
    }

    /// Lets a draft be written for those that follow.
    fn put(&mut self, step: &Step) {
        if let Some(before) = step.before.filter(|_| !step.may_stay)
            && let Some(customer) = self.customers.get_mut(&before.customer)
        {
            customer.contacts.retain(|(id, _)| *id != step.id);
        }
        if let Some(after) = step.after
            && let Some(customer) = self.customers.get_mut(&after.customer)
        {
            customer.contacts.push((step.id, after.contact));
        }
    }
}

fn flag(draft: &mut Draft, breach: Option<&Breach<'_>>) {
    if breach.is_some() || draft.current.is_some() {
        draft.set(BROKEN_CONTACT_POLICY_ID, breach.map(|breach| breach.policy.id));
        draft.set(BROKEN_CONTACT_RULE, breach.map(|breach| breach.rule));
    }
}

/// Refuses a plan, at the first of the fields on which the decision depends that the caller gives.
fn refuse(draft: &mut Draft, breach: &Breach<'_>, allowed_at: Option<i64>) {
    let given = [
        (draft.gives(SCHEDULED_AT), "scheduledAt"),
        (draft.gives(CUSTOMER_ID), "customerRef"),
        (draft.gives(MEDIUM_ID), "mediumRef"),
        (draft.gives(PURPOSE), "purpose"),
        (draft.gives(DIRECTION), "direction"),
    ];
    let field = given.into_iter().find(|(is_given, _)| *is_given).map_or("status", |(_, field)| field);
    let allowed_at = allowed_at.and_then(DateTime::<Utc>::from_timestamp_millis);
    let when = allowed_at.map_or_else(
        || "it is not known from when it will be allowed".to_owned(),
        |at| format!("it is allowed at {}", at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
    );
    let message = format!("the contact policy “{}” refuses it: {}; {when}", breach.policy.name, reason(breach.rule));
    draft.refuse(Code::ContactNotAllowed, field, message);
}

pub(super) const fn reason(rule: ContactRule) -> &'static str {
    match rule {
        ContactRule::Cap => "the customer would be contacted too often",
        ContactRule::QuietHours => "these are quiet hours of the customer",
        ContactRule::Consent => "the customer has not consented",
        ContactRule::OpenCase => "a case of the customer is open",
        ContactRule::DeclinedOffers => "the customer declined too many offers",
        ContactRule::PresentedOffers => "too many offers were presented to the customer",
    }
}
