//! The query `contactAllowed`, which says whether a customer may be contacted without writing anything.

use entity::{
    Permission,
    contact_policy::ContactRule,
    customer::{self, SEGMENT, TIME_ZONE},
    id::{ContactPolicyId, CustomerId, InteractionId, MediumId, NounId},
    interaction::InteractionPurpose,
};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use super::{
    check::{Checks, Contact},
    history::History,
    policy::active,
};
use crate::{
    Error, Result,
    graphql::{
        slice::Query,
        typed::{
            fields::QueryFn,
            input::{Input, RefTo},
            output::Output,
        },
    },
    response::preview::named,
    store::{Scope, statement::cell::Column},
};

/// The query `contactAllowed`.
pub const ALLOWED: Query = Query {
    name: "contactAllowed",
    doc: "Whether the contact policies allow to plan an OUTBOUND interaction, without writing anything. A plan that \
          follows may still be refused if something else is planned or recorded in between.",
    permissions: &[Permission::RecordRead],
    run: &QueryFn::new(|scope, wanted| Box::pin(allowed(scope, wanted))),
};

/// Which contact is wanted.
#[derive(Input)]
struct Wanted {
    /// Whom to contact.
    customer: RefTo<CustomerId>,
    /// By which medium. Without one, the policies of mediums do not cover it.
    medium: Option<RefTo<MediumId>>,
    /// Purpose of the interaction.
    purpose: Option<InteractionPurpose>,
    /// When, UTC. Defaults to the current time.
    at: Option<ChronoUnixTimestampMillis>,
    /// The planned interaction that is to be moved, if it is one: it does not count.
    instead_of: Option<RefTo<InteractionId>>,
}

/// Whether a customer may be contacted.
#[derive(Output)]
#[output(read = RecordRead)]
struct ContactAllowed {
    /// Whether every policy that covers the contact allows it.
    is_allowed: bool,
    /// The first instant from `at` on at which every policy allows it, UTC; null if that depends on the customer or on a
    /// case.
    allowed_at: Option<ChronoUnixTimestampMillis>,
    /// The rules that it breaks, by policy in the order of their creation. Empty if it is allowed.
    reasons: Vec<ContactRefusal>,
}

/// A rule of a contact policy that a contact breaks.
#[derive(Output)]
#[output(read = RecordRead)]
struct ContactRefusal {
    /// The rule.
    rule: ContactRule,
    /// The first instant from `at` on at which the rule allows the contact, UTC; null if that depends on the customer or
    /// on a case.
    allowed_at: Option<ChronoUnixTimestampMillis>,
    /// The policy.
    policy: ContactPolicyId,
}

async fn allowed(scope: &Scope, wanted: Wanted) -> Result<ContactAllowed> {
    let customer = named(scope, "customer", Some(wanted.customer)).await?;
    let customer = customer.ok_or_else(|| Error::internal("a customer was named"))?.uuid();
    let medium = named(scope, "medium", wanted.medium).await?.map(NounId::uuid);
    let own = named(scope, "insteadOf", wanted.instead_of).await?.map(NounId::uuid);
    let at = wanted.at.map_or(scope.now(), |at| at.0).timestamp_millis();
    let contact = Contact { at, medium, purpose: wanted.purpose };
    let policies = active(scope).await?;
    let columns: [Column; 2] = [TIME_ZONE.into(), SEGMENT.into()];
    let rows = scope.records_unchecked(&customer::NOUN, &columns, &[customer]).await?;
    // The policies count for the organization: cases of all departments.
    let history = History::read(&scope.for_organization(), &policies, &rows, &[contact]).await?;
    let Some(known) = history.customers.get(&customer) else {
        return Err(Error::BadInput("customer: no such Customer".to_owned()));
    };
    let checks = Checks::of(&policies, &history.mediums, known, own, &contact);
    let breaches = checks.breaches(at).into_iter();
    let reasons: Vec<ContactRefusal> = breaches
        .map(|breach| ContactRefusal {
            rule: breach.rule,
            allowed_at: time(breach.allowed_at),
            policy: breach.policy.id,
        })
        .collect();
    Ok(ContactAllowed { is_allowed: reasons.is_empty(), allowed_at: time(checks.allowed_at(at)), reasons })
}

fn time(at: Option<i64>) -> Option<ChronoUnixTimestampMillis> {
    at.and_then(chrono::DateTime::from_timestamp_millis).map(ChronoUnixTimestampMillis)
}
