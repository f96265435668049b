//! The input types with which mutations write the parts of a row.

use async_graphql::registry::{MetaInputValue, Registry};
use entity::{
    Noun,
    noun::{Operation, Relationship},
};

use super::{
    noun_types::with_article,
    roots::{add_input, expected, value, writable},
};
use crate::{
    graphql::{
        mutation::{
            input::BY,
            parts::{MAX_PARTS, REMOVE, REPLACE, UPSERT, inherited},
        },
        slice::reference_field,
    },
    text::grouped,
};

/// Returns the fields of a mutation's input that write parts of the row, and registers their types.
pub(super) fn part_lists(registry: &mut Registry, whole: &'static Noun) -> Vec<MetaInputValue> {
    let list = |relation: &'static Relationship| {
        let doc = format!(
            "{} Written in the same transaction as the row; if omitted or null, the parts do not change. At most {} parts \
             per call.",
            relation.doc,
            grouped(MAX_PARTS)
        );
        value(relation.name, &register(registry, whole, relation), &doc)
    };
    whole.parts().iter().copied().map(list).collect()
}

fn register(registry: &mut Registry, whole: &'static Noun, relation: &'static Relationship) -> String {
    let (first, rest) = relation.name.split_at(1);
    let base = format!("{}{}{rest}", whole.name, first.to_ascii_uppercase());
    let (lists, item) = (format!("{base}Input"), format!("{base}Item"));
    if registry.types.contains_key(&lists) {
        return lists;
    }
    let part = relation.target;
    let items = format!("[{item}!]");
    let values = vec![
        value(UPSERT, &items, "Parts to create or change; other parts do not change."),
        value(
            REMOVE,
            &format!("[{}Ref!]", part.name),
            "Parts to delete. Fails with IN_USE if other rows refer to one of them.",
        ),
        value(
            REPLACE,
            &items,
            "The complete list of parts: existing parts that are not in it are deleted, except archived ones. Cannot be \
             combined with the other fields.",
        ),
    ];
    let doc = format!("Changes to the {} of {}.", relation.name, with_article(whole));
    add_input(registry, &lists, &doc, false, values);
    let inherited: Vec<String> =
        inherited(whole, relation).iter().map(|known| reference_field(known.relation)).collect();
    let by = if part.has_external_ids {
        "The part to change. An id must exist; with an external id that no part has, a new part is created and gets it. If \
         omitted, a new part is created, also when a call is repeated without `idempotencyKey`."
    } else {
        "The part to change, which must exist. If omitted, a new part is created."
    };
    let mut values = vec![value(BY, &format!("{}Ref", part.name), by)];
    values.extend(writable(part, Operation::Upsert).into_iter().filter(|value| !inherited.contains(&value.name)));
    values.extend(part_lists(registry, part));
    values.push(expected());
    let doc = format!("{} among the {} of {}.", capitalized(&with_article(part)), relation.name, with_article(whole));
    add_input(registry, &item, &doc, false, values);
    lists
}

fn capitalized(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}
