//! What is known of customers when it is decided whether they may be contacted.

use std::collections::{HashMap, HashSet};

use entity::{
    Col,
    case::{self, CaseStage},
    col::ColumnType,
    contact_policy::Model as Policy,
    customer,
    id::CustomerId,
    interaction::{self, InteractionDirection, InteractionStatus},
    medium,
    noun::StringEnum,
    offer_made::{self, OfferMadeStatus},
    organization,
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::check::{Contact, Customer, Mediums};
use crate::{
    Error, Result,
    record::consent::decisions,
    store::{
        Connection, Scope,
        merging::state::Merge,
        statement::{
            cell::{Cell, Record},
            filter::{Comparison, Predicate},
        },
    },
};

/// Maximum number of rows of one kind that are read of the customers of one call.
const MANY: usize = 1_000_000;
/// Milliseconds of a day of a policy.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// What is known of customers, and of the mediums of their contacts.
#[derive(Debug)]
pub(super) struct History {
    pub(super) customers: HashMap<Uuid, Customer>,
    pub(super) mediums: Mediums,
}

impl History {
    /// Reads what the policies need to decide about contacts with customers. `rows` are the rows of the customers, with
    /// zone and segment.
    pub(super) async fn read<C: Connection>(
        scope: &Scope<C>,
        policies: &[Policy],
        rows: &HashMap<Uuid, Record>,
        contacts: &[Contact],
    ) -> Result<Self> {
        let customers = customers(scope, policies, rows).await?;
        let mut history = Self { customers, mediums: Mediums::default() };
        let from = contacts.iter().map(|contact| contact.at).min().unwrap_or_default();
        let mut ids: Vec<Uuid> = rows.keys().copied().collect();
        // What waits to be moved from a merged customer counts for the one that it became, as which it is read.
        let waiting = scope.merges_into(&ids).await?.into_iter().filter(Merge::is_running);
        ids.extend(waiting.map(|merge| merge.loser));
        ids.sort_unstable();
        let longest = |days: &dyn Fn(&Policy) -> Option<i64>| policies.iter().filter_map(days).max();
        let cap = longest(&|policy| policy.most_contacts.map(|_| policy.period_days));
        if let Some(days) = cap {
            history.read_contacts(scope, &ids, from - days * DAY).await?;
        }
        if policies.iter().any(|policy| policy.is_consent_required) {
            for (customer, decisions) in decisions(scope, &ids).await? {
                if let Some(customer) = history.of(Some(customer)) {
                    customer.consents = decisions;
                }
            }
        }
        if policies.iter().any(|policy| policy.is_refused_during_case) {
            history.read_cases(scope, &ids).await?;
        }
        let declined = longest(&|policy| {
            policy.suppress_after_declined.map(|_| policy.declined_within_days + policy.declined_suppress_days)
        });
        let presented = longest(&|policy| {
            policy.suppress_after_presented.map(|_| policy.presented_within_days + policy.presented_suppress_days)
        });
        if declined.or(presented).is_some() {
            let since = |days: Option<i64>| days.map(|days| from - days * DAY);
            history.read_offers(scope, &ids, since(declined), since(presented)).await?;
        }
        history.read_mediums(scope, policies, contacts).await?;
        Ok(history)
    }

    async fn read_contacts<C: Connection>(&mut self, scope: &Scope<C>, ids: &[Uuid], since: i64) -> Result<()> {
        let planned = [InteractionStatus::Scheduled, InteractionStatus::Confirmed].map(named);
        let filter = Predicate::All(vec![
            of_customers(interaction::CUSTOMER_ID, ids),
            is(interaction::DIRECTION, named(InteractionDirection::Outbound)),
            Predicate::Any(vec![
                Predicate::All(vec![
                    Predicate::Column(interaction::STATUS.into(), Comparison::In(planned.to_vec())),
                    after(interaction::SCHEDULED_AT, since),
                ]),
                took_place(since),
            ]),
        ]);
        let columns = (
            interaction::ID,
            interaction::CUSTOMER_ID,
            interaction::MEDIUM_ID,
            interaction::PURPOSE,
            interaction::SCHEDULED_AT,
            interaction::OCCURRED_AT,
        );
        let found = scope.select_where_unchecked(columns, &filter, MANY).await?;
        for (id, customer, medium, purpose, scheduled_at, occurred_at) in found {
            if let Some((customer, at)) = self.of(customer).zip(occurred_at.or(scheduled_at)) {
                let contact = Contact { at: millis(at), medium: medium.map(Uuid::from), purpose };
                customer.contacts.push((id.into(), contact));
            }
        }
        Ok(())
    }

    async fn read_cases<C: Connection>(&mut self, scope: &Scope<C>, ids: &[Uuid]) -> Result<()> {
        let columns = (case::CUSTOMER_ID, case::STAGE, case::RECEIVED_AT, case::CLOSED_AT);
        let filter = of_customers(case::CUSTOMER_ID, ids);
        for (customer, stage, received_at, closed_at) in scope.select_where_unchecked(columns, &filter, MANY).await? {
            if let Some(customer) = self.of(customer) {
                let closed_at = closed_at.filter(|_| stage == CaseStage::Closed);
                customer.cases.push((millis(received_at), closed_at.map(millis)));
            }
        }
        Ok(())
    }

    /// Reads offers that were declined or presented since.
    async fn read_offers<C: Connection>(
        &mut self,
        scope: &Scope<C>,
        ids: &[Uuid],
        declined_since: Option<i64>,
        presented_since: Option<i64>,
    ) -> Result<()> {
        let interaction = offer_made::NOUN.relations.iter().find(|it| it.is_by(offer_made::INTERACTION_ID.name()));
        let interaction = interaction.ok_or_else(|| Error::internal("offers were made in no interaction"))?;
        let made_in = |filter| Predicate::Some(interaction, Box::new(filter));
        let declined = declined_since.map(|since| {
            let at_once =
                vec![Predicate::Column(offer_made::ANSWERED_AT.into(), Comparison::IsNull), made_in(took_place(since))];
            Predicate::All(vec![
                is(offer_made::STATUS, named(OfferMadeStatus::Declined)),
                Predicate::Any(vec![after(offer_made::ANSWERED_AT, since), Predicate::All(at_once)]),
            ])
        });
        let presented = presented_since.map(|since| made_in(took_place(since)));
        let filter = Predicate::All(vec![
            made_in(of_customers(interaction::CUSTOMER_ID, ids)),
            Predicate::Any(declined.into_iter().chain(presented).collect()),
        ]);
        let columns = (offer_made::INTERACTION_ID, offer_made::STATUS, offer_made::ANSWERED_AT);
        let offers = scope.select_where_unchecked(columns, &filter, MANY).await?;
        let made_in: HashSet<Uuid> = offers.iter().map(|(interaction, ..)| interaction.0).collect();
        let made_in: Vec<Uuid> = made_in.into_iter().collect();
        let columns = (interaction::ID, interaction::CUSTOMER_ID, interaction::OCCURRED_AT);
        let interactions = scope.select_by_ids_unchecked(columns, &made_in).await?;
        let interactions: HashMap<Uuid, _> =
            interactions.into_iter().map(|(id, customer, at)| (id.0, (customer, at))).collect();
        for (interaction, status, answered_at) in offers {
            let (customer, occurred_at) = interactions.get(&interaction.0).copied().unwrap_or_default();
            let Some(customer) = self.of(customer) else { continue };
            customer.presented.extend(occurred_at.map(millis));
            // One that was recorded as declined at once has no answer of its own.
            let declined_at = answered_at.or(occurred_at).filter(|_| status == OfferMadeStatus::Declined);
            customer.declined.extend(declined_at.map(millis));
        }
        Ok(())
    }

    async fn read_mediums<C: Connection>(
        &mut self,
        scope: &Scope<C>,
        policies: &[Policy],
        contacts: &[Contact],
    ) -> Result<()> {
        let are_compared = policies.iter().any(|policy| policy.medium_id.is_some() || policy.is_consent_required);
        let known = self.customers.values().flat_map(|customer| customer.contacts.iter().map(|(_, contact)| contact));
        let ids: HashSet<Uuid> = contacts.iter().chain(known).filter_map(|contact| contact.medium).collect();
        if are_compared && !ids.is_empty() {
            let ids: Vec<Uuid> = ids.into_iter().collect();
            self.mediums = Mediums(scope.chains_of(&medium::NOUN, medium::PARENT_ID.name(), &ids).await?);
        }
        Ok(())
    }

    fn of(&mut self, customer: Option<CustomerId>) -> Option<&mut Customer> {
        self.customers.get_mut(&customer?.0)
    }
}

/// Returns the customers, each with the zone that quiet hours need.
async fn customers<C: Connection>(
    scope: &Scope<C>,
    policies: &[Policy],
    rows: &HashMap<Uuid, Record>,
) -> Result<HashMap<Uuid, Customer>> {
    let has_hours = policies.iter().any(|policy| policy.quiet_from.is_some() || policy.quiet_until.is_some());
    let zone = |name: &str| name.parse().map_err(|_| Error::internal("a time zone is not known"));
    let mut own = chrono_tz::UTC;
    if has_hours && rows.values().any(|row| row.get(customer::TIME_ZONE).is_none()) {
        let found = scope.select_by_ids_unchecked((organization::TIME_ZONE,), &[scope.organization().0]).await?;
        own = zone(&found.into_iter().next().map(|(zone,)| zone).unwrap_or_default())?;
    }
    let customers = rows.iter().map(|(id, row)| {
        let zone = row.get(customer::TIME_ZONE).map_or(Ok(own), |name| zone(&name))?;
        Ok((*id, Customer::new(zone, row.get(customer::SEGMENT))))
    });
    customers.collect()
}

/// Returns the condition that rows are of customers.
fn of_customers<T>(column: Col<T>, ids: &[Uuid]) -> Predicate {
    Predicate::Column(column.into(), Comparison::In(ids.iter().copied().map(Cell::Id).collect()))
}

/// Returns the condition that an interaction was completed after an instant.
fn took_place(since: i64) -> Predicate {
    let is_completed = is(interaction::STATUS, named(InteractionStatus::Completed));
    Predicate::All(vec![is_completed, after(interaction::OCCURRED_AT, since)])
}

fn is<T>(column: Col<T>, value: Cell) -> Predicate {
    Predicate::Column(column.into(), Comparison::Eq(value))
}

fn after<T: ColumnType>(column: Col<T>, since: i64) -> Predicate {
    Predicate::Column(column.into(), Comparison::Gt(Cell::Int(since)))
}

fn named(value: impl StringEnum) -> Cell {
    Cell::Text(value.name().to_owned())
}

fn millis(at: ChronoUnixTimestampMillis) -> i64 {
    at.0.timestamp_millis()
}
