//! Customers: people, who may ask for what is known about them and to be forgotten.

use async_graphql::Value;
use entity::{Permission, customer::NOUN};

use super::export;
use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        input::Input,
        slice::{Argument, Done, Mutation, Run, Slice},
    },
    store::{
        Tx,
        draft::{Outcome, Reference},
    },
};

/// The slice.
pub const SLICE: Slice =
    Slice { mutations: &[ERASE], queries: &[export::QUERY], objects: &[&export::EXPORT], ..Slice::new(&NOUN) };

const ERASE: Mutation = Mutation {
    name: "customerErase",
    doc: "Takes away for good everything personal about a customer: names, contacts, external ids, and the words in \
          what they told us. What is counted stays: kinds, scores, points, times. The row stays with `erasedAt`, and \
          cannot be changed any more. An upsert by one of their former external ids is refused with ERASED. \
          Erasing again answers UNCHANGED.",
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
