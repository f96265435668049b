//! Customers: people, who may ask for what is known about them and to be forgotten.

use async_graphql::Value;
use entity::{
    Noun, Permission,
    customer::NOUN,
    noun::{Field, Kind},
};
use sea_orm::prelude::Uuid;

use super::export;
use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        mutation::input::Input,
        slice::{Argument, Computed, ComputedObject, Done, Module, Mutation, Resolved, ResolvedByRow, ReturnType, Run},
    },
    store::{
        Extent, Scope, Tx,
        statement::cell::Cell,
        writing::draft::{Outcome, Reference},
    },
};

/// The slice.
pub const SLICE: Module = Module {
    mutations: &[ERASE],
    queries: &[export::QUERY],
    computed: &[ERASURE],
    objects: &[&export::EXPORT, &EXTENT],
    ..Module::new(&NOUN)
};

/// Progress of the erasure of a customer.
static EXTENT: Noun = Noun {
    name: "CustomerErasure",
    singular: "customerErasure",
    plural: "customerErasures",
    table: "",
    prefix: "",
    doc: "Progress of the erasure of a customer. Erased data is hidden from the start; until the erasure is done, \
          some of it may still be in the database.",
    tenant: "organization_id",
    read: None,
    write: Permission::CustomersWrite,
    system: &[],
    fields: &[
        Field::new("erasedAt", "erased_at", Kind::Instant, "When the erasure started, UTC."),
        Field::new(
            "rowCount",
            "row_count",
            Kind::Int { min: 0, max: i64::MAX },
            "Number of rows erased so far, including the customer's own.",
        ),
        Field::new("doneAt", "done_at", Kind::Instant, "When the erasure finished, UTC; null while it is in progress.")
            .nullable(),
    ],
    relations: &[],
    operations: &[],
    has_external_ids: false,
};

const ERASURE: Computed = Computed {
    name: "erasure",
    doc: "Progress of the customer's erasure; null if the customer was not erased.",
    arguments: &[],
    shows: ReturnType::Maybe(&EXTENT),
    run: |scope, _, ids| Box::pin(extents(scope, ids)),
};

async fn extents(scope: &Scope, ids: &[Uuid]) -> Result<ResolvedByRow> {
    let extents = scope.erasure_extents(ids).await?;
    let made = |extent: Extent| {
        Resolved::Object(ComputedObject {
            cells: vec![
                ("erased_at", Cell::Int(extent.erased_at)),
                ("row_count", Cell::Int(extent.rows)),
                ("done_at", extent.done_at.map_or(Cell::Null, Cell::Int)),
            ],
            inside: Vec::new(),
        })
    };
    Ok(extents.into_iter().map(|(id, extent)| (id, vec![made(extent)])).collect())
}

const ERASE: Mutation = Mutation {
    name: "customerErase",
    doc: "Permanently erases the personal data of a customer: names, contacts, external ids and the text of their \
          feedback. Data for statistics remains: kinds, scores, points, times. The row remains with `erasedAt` \
          and can no longer be changed. An upsert by a former external id fails with ERASED. Erasing again \
          returns UNCHANGED. The data is hidden as soon as this mutation returns; for a customer with many rows, \
          its bytes are removed by the time `erasure { doneAt }` is set.",
    permissions: &[Permission::CustomersWrite, Permission::RecordRead, Permission::RecordWrite],
    input: &[Argument {
        name: "customerRef",
        ty: "CustomerRef!",
        default: None,
        doc: "The customer to erase. An external id removed by an earlier erasure still identifies its former \
              customer.",
    }],
    run: Run::Direct(|tx, input| Box::pin(erase(tx, input))),
};

async fn erase(tx: &Tx, input: &Input<'_>) -> Result<Done> {
    let named = Input::reference("customerRef", input.get("customerRef").unwrap_or(&Value::Null), &NOUN)?;
    let found = tx.references(&NOUN, std::iter::once(&named)).await?;
    let id = match (found.get(&named), named) {
        (Some(id), _) => Some(*id),
        (None, Reference::External(key)) => tx.erased_keys(&NOUN, vec![key]).await?.into_values().next(),
        (None, Reference::Id(_)) => None,
    };
    let Ok(record) = tx.lock_one(&NOUN, NOUN.write, id, None).await? else {
        return Ok(Err(vec![UserError::new(Code::NotFound, "customerRef", "no such Customer")]));
    };
    let outcome = if tx.erase(record.id()).await? { Outcome::Updated } else { Outcome::Unchanged };
    Ok(Ok((record.id(), outcome)))
}
