//! An operation as it will run: what hangs on its text and on its conditions, and on nothing else.

use async_graphql::{
    Positioned, ServerError, Variables,
    parser::types::{ExecutableDocument, Field, OperationDefinition, Selection},
};

use super::{
    cost::Price,
    merge::{Entry, merge},
};
use crate::graphql::types::schema_index::SchemaIndex;

/// An operation as it will run.
#[derive(Debug)]
pub struct NormalizedOperation {
    /// The type it starts from.
    pub root: Option<String>,
    /// Its selections, if they are not those that were written.
    pub selections: Option<Vec<Positioned<Selection>>>,
    /// Its fields, if its selections are those that were written.
    written: Vec<Positioned<Field>>,
    /// What it costs.
    pub price: Price,
    /// Whether another request may have another outline.
    pub is_conditional: bool,
}

impl NormalizedOperation {
    /// The outline of an operation of a document that has been weighed.
    pub fn of(
        operation: &OperationDefinition,
        document: &ExecutableDocument,
        variables: &Variables,
        shape: &SchemaIndex,
    ) -> Result<Self, ServerError> {
        let merged = merge(operation, document, variables, shape)?;
        let selections = merged.selections();
        let written = match &selections {
            Some(_) => Vec::new(),
            None => merged.entries.iter().filter_map(Entry::field).cloned().collect(),
        };
        let price = Price::of(&merged, operation, shape);
        let root = merged.root.map(str::to_owned);
        Ok(Self { root, selections, written, price, is_conditional: merged.is_conditional })
    }

    /// Its fields.
    pub fn fields(&self) -> impl Iterator<Item = &Positioned<Field>> {
        self.selections.iter().flatten().filter_map(|each| field(&each.node)).chain(&self.written)
    }

    /// Whether it asks for something of the schema itself.
    pub fn is_introspective(&self) -> bool {
        self.fields().any(|field| is_introspective(&field.node))
    }
}

/// Whether a root field asks for something of the schema itself.
pub fn is_introspective(field: &Field) -> bool {
    ["__schema", "__type"].contains(&field.name.node.as_str())
}

fn field(selection: &Selection) -> Option<&Positioned<Field>> {
    if let Selection::Field(field) = selection { Some(field) } else { None }
}
