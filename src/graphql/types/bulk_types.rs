//! The types of bulk calls.

use async_graphql::registry::{MetaField, MetaInputValue, Registry};
use entity::{Noun, noun::StringEnum};

use super::{
    noun_types::with_article,
    roots::{add_input, add_object, field, or, value},
    schema_index::{NAMED_ROW, UPSERT_ROW},
};
use crate::graphql::mutation::mutate::{MutationField, Policy};

/// Returns the type that bulk calls of a noun answer with.
pub(super) fn payload(noun: &Noun) -> String {
    format!("{}BulkPayload", noun.name)
}

/// Registers the row of a bulk upsert. Returns the rows and the policy of its input, and its description.
pub(super) fn upsert(
    registry: &mut Registry,
    noun: &Noun,
    fields: Vec<MetaInputValue>,
) -> (Vec<MetaInputValue>, String) {
    let row = format!("{}{UPSERT_ROW}", noun.name);
    add_input(registry, &row, &format!("A row of a bulk upsert: {}.", with_article(noun)), false, fields);
    let doc = format!("Upserts up to 1,000 {} rows by external id and returns a result for each.", noun.name);
    (vec![rows(&row), policy()], doc)
}

/// Registers the row of the other bulk calls. Returns the input of one of them, and its description.
pub(super) fn named(
    registry: &mut Registry,
    noun: &Noun,
    mutation_field: MutationField,
    fields: Vec<MetaInputValue>,
) -> (Vec<MetaInputValue>, String) {
    let row = format!("{}{NAMED_ROW}", noun.name);
    let doc = format!("A row of a bulk call that deletes, archives or restores: {}.", with_article(noun));
    add_input(registry, &row, &doc, false, fields);
    let what = match mutation_field {
        MutationField::BulkArchive(true) => "Archives",
        MutationField::BulkArchive(false) => "Restores from the archive",
        _ => "Deletes permanently",
    };
    let mut doc = format!("{what} up to 1,000 {} rows and returns a result for each.", noun.name);
    if let MutationField::BulkDelete = mutation_field {
        doc.push_str(
            " A row fails with IN_USE while rows refer to it that are not deleted by the same call, or that fail in it.",
        );
    }
    (vec![rows(&row), policy()], doc)
}

fn rows(row: &str) -> MetaInputValue {
    let doc = "The rows, 1 to 1,000. Each has its own errors, also for values of the wrong type in variables.";
    value("rows", &format!("[{row}!]!"), doc)
}

fn policy() -> MetaInputValue {
    let doc = "Whether an invalid row fails the whole call or only itself.";
    or("policy", Policy::TYPE.name, "ALL_OR_NOTHING", doc)
}

/// Registers the payload of bulk calls. `of_row` are the fields of the result for one row besides its index, `of_call`
/// those of the payload besides the results.
pub(super) fn register(registry: &mut Registry, noun: &Noun, of_row: Vec<MetaField>, of_call: Vec<MetaField>) {
    let result = format!("{}BulkResult", noun.name);
    let index = field("index", "Int!", "Index of the row in the call, starting at 0.");
    let fields = std::iter::once(index).chain(of_row).collect();
    add_object(registry, &result, "The result for one row of a bulk call.", fields);
    let results = field("results", &format!("[{result}!]!"), "One result per row, in the order of the rows.");
    let fields = std::iter::once(results).chain(of_call).collect();
    add_object(registry, &payload(noun), "The result of a bulk call.", fields);
}
