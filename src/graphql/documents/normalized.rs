//! The normalized form of an operation, which depends only on its text and its conditions.

use async_graphql::{
    Positioned, ServerError, Variables,
    parser::types::{ExecutableDocument, Field, OperationDefinition, Selection},
};

use super::{
    cost::Price,
    merge::{Entry, merge},
};
use crate::graphql::types::schema_index::SchemaIndex;

/// A normalized operation.
#[derive(Debug)]
pub struct NormalizedOperation {
    /// The root type.
    pub root: Option<String>,
    /// The merged selections, if they differ from the document's.
    pub selections: Option<Vec<Positioned<Selection>>>,
    /// The root fields, if the merged selections do not differ from the document's.
    written: Vec<Positioned<Field>>,
    /// The cost as a function of the variables.
    pub price: Price,
    /// Whether other variables may give another normalized operation.
    pub is_conditional: bool,
}

impl NormalizedOperation {
    /// Normalizes an operation. The document must have passed [`super::size::check_size`].
    pub fn of(
        operation: &OperationDefinition,
        document: &ExecutableDocument,
        variables: &Variables,
        schema_index: &SchemaIndex,
    ) -> Result<Self, ServerError> {
        let merged = merge(operation, document, variables, schema_index)?;
        let selections = merged.selections();
        let written = match &selections {
            Some(_) => Vec::new(),
            None => merged.entries.iter().filter_map(Entry::field).cloned().collect(),
        };
        let price = Price::of(&merged, operation, schema_index);
        let root = merged.root.map(str::to_owned);
        Ok(Self { root, selections, written, price, is_conditional: merged.is_conditional })
    }

    /// Returns the root fields.
    pub fn fields(&self) -> impl Iterator<Item = &Positioned<Field>> {
        self.selections.iter().flatten().filter_map(|each| field(&each.node)).chain(&self.written)
    }

    /// Returns whether a root field is `__schema` or `__type`.
    pub fn is_introspective(&self) -> bool {
        self.fields().any(|field| is_introspective(&field.node))
    }
}

/// Returns whether a field is `__schema` or `__type`.
pub fn is_introspective(field: &Field) -> bool {
    ["__schema", "__type"].contains(&field.name.node.as_str())
}

fn field(selection: &Selection) -> Option<&Positioned<Field>> {
    if let Selection::Field(field) = selection { Some(field) } else { None }
}
