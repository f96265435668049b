//! Customers, and the erasure of their personal data.

use entity::{Permission, customer::NOUN, id::CustomerId};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use super::{contact_point::keep_primaries, merge};
use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        mutation::input::BY,
        slice::{Computed, Done, Module, Mutation},
        typed::{
            fields::{ByRow, ComputedFn, MutationFn},
            input::{Input, RefTo},
            output::{Output, instant},
        },
    },
    store::{
        Scope, Tx,
        writing::{
            draft::{Outcome, Reference},
            write::Hooks,
        },
    },
};

/// GraphQL module of customers.
pub const SLICE: Module = Module {
    rules: Hooks { written: |tx, drafts| Box::pin(keep_primaries(tx, drafts)), ..Hooks::NONE },
    mutations: &[ERASE, merge::OF_CUSTOMERS[0], merge::OF_CUSTOMERS[1]],
    computed: &[ERASURE, merge::MERGES],
    reports: &[merge::REPORT],
    ..Module::new(&NOUN)
};

/// Progress of the erasure of a customer. Erased data is hidden from the start; until the erasure is done, some of it may
/// still be in the database.
#[derive(Output)]
struct CustomerErasure {
    /// When the erasure started, UTC.
    erased_at: ChronoUnixTimestampMillis,
    /// Number of rows erased so far, including the customer's own.
    row_count: i64,
    /// When the erasure finished, UTC; null while it is in progress.
    done_at: Option<ChronoUnixTimestampMillis>,
}

const ERASURE: Computed = Computed {
    name: "erasure",
    doc: "Progress of the customer's erasure; null if the customer was not erased.",
    run: &ComputedFn::new(|scope, (), ids| Box::pin(erasures(scope, ids))),
};

async fn erasures(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Option<CustomerErasure>>> {
    let extents = scope.erasure_extents(ids).await?;
    if !extents.is_empty() {
        // The rows of all departments are counted.
        scope.require_whole_organization()?;
    }
    let extents = extents.into_iter().map(|(id, extent)| {
        let erasure = CustomerErasure {
            erased_at: instant(extent.erased_at),
            row_count: extent.rows,
            done_at: extent.done_at.map(instant),
        };
        (id, Some(erasure))
    });
    Ok(extents.collect())
}

/// Which customer to erase.
#[derive(Input)]
struct CustomerErase {
    /// The customer to erase. An external id removed by an earlier erasure still identifies its former customer.
    by: RefTo<CustomerId>,
}

const ERASE: Mutation = Mutation {
    name: "customerErase",
    doc: "Permanently erases the personal data of a customer: names, contacts, external ids and the text of their \
          feedback. Data for statistics remains: kinds, scores, points, times. The row remains with `erasedAt` \
          and can no longer be changed. An upsert by a former external id fails with ERASED. Erasing again \
          returns UNCHANGED. The data is hidden as soon as this mutation returns; for a customer with many rows, \
          its bytes are removed by the time `erasure { doneAt }` is set.",
    permissions: &[Permission::CustomersWrite, Permission::RecordRead, Permission::RecordWrite],
    run: &MutationFn::new(|tx, input| Box::pin(erase(tx, input))),
};

async fn erase(tx: &Tx, input: &CustomerErase) -> Result<Done> {
    let named = input.by.reference.clone();
    let found = tx.references(&NOUN, std::iter::once(&named)).await?;
    let id = match (found.get(&named), named) {
        (Some(id), _) => Some(*id),
        (None, Reference::External(key)) => tx.erased_keys(&NOUN, vec![key]).await?.into_values().next(),
        (None, Reference::Id(_)) => None,
    };
    let Ok(record) = tx.lock_one(&NOUN, NOUN.write, &Reference::Id(id), None).await? else {
        return Ok(Err(vec![UserError::new(Code::NotFound, BY, "no such Customer")]));
    };
    let outcome = if tx.erase(record.id()).await? { Outcome::Updated } else { Outcome::Unchanged };
    Ok(Ok((record.id(), outcome)))
}
