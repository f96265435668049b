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

/// How far the erasure of a customer is.
static EXTENT: Noun = Noun {
    name: "CustomerErasure",
    singular: "customerErasure",
    plural: "customerErasures",
    table: "",
    prefix: "",
    doc: "How far the erasure of a customer is. From its beginning nothing of what it takes away is shown; until it is done, \
          some of it may still stand in the database.",
    tenant: "organization_id",
    read: None,
    write: Permission::CustomersWrite,
    system: &[],
    fields: &[
        Field::new("erasedAt", "erased_at", Kind::Instant, "When it began, UTC."),
        Field::new(
            "rowCount",
            "row_count",
            Kind::Int { min: 0, max: i64::MAX },
            "How many rows it has emptied so far, the customer's own among them.",
        ),
        Field::new("doneAt", "done_at", Kind::Instant, "When the last of it was gone, UTC; null while it goes on.")
            .nullable(),
    ],
    relations: &[],
    operations: &[],
    has_external_ids: false,
};

const ERASURE: Computed = Computed {
    name: "erasure",
    doc: "How far the customer's erasure is; null if they were not erased.",
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
    doc: "Takes away for good everything personal about a customer: names, contacts, external ids, and the words in \
          what they told us. What is counted stays: kinds, scores, points, times. The row stays with `erasedAt`, and \
          cannot be changed any more. An upsert by one of their former external ids is refused with ERASED. \
          Erasing again answers UNCHANGED. All of it is hidden when this answers; of a customer with many rows, the \
          bytes are gone when `erasure { doneAt }` says so.",
    permissions: &[Permission::CustomersWrite, Permission::RecordRead, Permission::RecordWrite],
    input: &[Argument {
        name: "customerRef",
        ty: "CustomerRef!",
        default: None,
        doc: "Who. An external id that an erasure took away still names the one who had it.",
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
