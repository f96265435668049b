//! Deviations: what customers did, compared with a planned journey.

mod compare;
mod plan;
mod read;
mod types;

use entity::{Permission, id::NounId};
use sea_orm::prelude::Uuid;

use self::{
    compare::compare,
    read::People,
    types::{DeviationArguments, JourneyDeviation},
};
use crate::{
    Error, Result,
    graphql::{
        slice::Query,
        typed::{fields::QueryFn, input::RefTo},
    },
    store::Scope,
};

/// The query `journeyDeviation`.
pub(super) const DEVIATION: Query = Query {
    name: "journeyDeviation",
    doc: "Compares the completed interactions of customers, in the order of time, with a planned journey: for each kind \
          of deviation how often it occurs, for how many customers, at which steps, and examples. Without customerRef, \
          accountRef and segment, of which at most one is allowed, compares all customers. Archived customers count, \
          interactions without a customer do not. An interaction belongs to the step that places its point; if several \
          do, to the first one where the customer was not yet and that fits the order. Fails with BAD_USER_INPUT above \
          100,000 interactions: narrow `between`.",
    permissions: &[Permission::MapRead, Permission::RecordRead],
    run: &QueryFn::new(|scope, input| Box::pin(deviation(scope, input))),
};

async fn deviation(scope: &Scope, input: DeviationArguments) -> Result<Option<JourneyDeviation>> {
    let DeviationArguments { journey_ref, customer_ref, account_ref, segment, between } = input;
    let people = match (customer_ref, account_ref, segment) {
        (None, None, None) => Some(People::All),
        (Some(customer), None, None) => id(scope, &customer).await?.map(People::Customer),
        (None, Some(account), None) => id(scope, &account).await?.map(People::Account),
        (None, None, Some(segment)) => Some(People::Segment(segment)),
        _ => return Err(Error::BadInput("give at most one of customerRef, accountRef and segment".to_owned())),
    };
    let (Some(people), Some(journey)) = (people, journey_ref.find(scope).await?) else { return Ok(None) };
    let plan = read::plan(scope, journey).await?;
    let mut mediums = read::mediums(scope, &plan).await?;
    let visits = read::visits(scope, people, between.unwrap_or_default()).await?;
    scope.compute(true, move |computation| compare(journey, &plan, &mut mediums, visits, computation)).await.map(Some)
}

async fn id<T: NounId>(scope: &Scope, reference: &RefTo<T>) -> Result<Option<Uuid>> {
    Ok(reference.find(scope).await?.map(T::uuid))
}
