//! The columns of an operation's answer as a table: they follow from the document, so that a table has the same ones whatever
//! rows there are.

use async_graphql::{
    Positioned,
    parser::types::{Field, Selection},
};

use super::document::PreparedOperation;
use crate::graphql::types::schema_index::SchemaIndex;

/// Name of the only column of rows that are scalars.
pub const VALUE: &str = "value";

/// Fields of a connection that hold its rows, in the order in which they are looked for.
pub const ROWS: [&str; 2] = ["nodes", "edges"];

impl PreparedOperation {
    /// Returns the columns of the rows of the only root field: one for each scalar and each list, named by the path to it.
    /// Empty if there are several root fields.
    pub fn columns(&self) -> Vec<String> {
        let mut fields = self.normalized.fields();
        let (Some(root), None) = (fields.next(), fields.next()) else { return Vec::new() };
        let (schema_index, parent) = (&self.schema_index, self.normalized.root.as_deref().unwrap_or_default());
        let mut columns = Vec::new();
        let Some(found) = schema_index.output(parent, &root.node.name.node) else { return columns };
        let inner = if found.is_list { None } else { rows(root) };
        let inner = inner.and_then(|inner| Some((inner, schema_index.output(&found.ty, &inner.node.name.node)?)));
        let (row, ty) = match inner.filter(|(_, inner)| inner.is_list) {
            Some((inner, found)) => (inner, &found.ty),
            None => (root, &found.ty),
        };
        let selections = &row.node.selection_set.node.items;
        if selections.is_empty() {
            columns.push(VALUE.to_owned());
        }
        add(selections, ty, "", schema_index, &mut columns);
        columns
    }
}

/// Returns the field of a connection that holds its rows.
fn rows(connection: &Positioned<Field>) -> Option<&Positioned<Field>> {
    let items = &connection.node.selection_set.node.items;
    let mut found = ROWS.iter().filter_map(|name| {
        items.iter().find_map(|item| match &item.node {
            Selection::Field(field) if field.node.response_key().node == **name => Some(field),
            _ => None,
        })
    });
    found.next()
}

/// Adds the columns of the selections of an object of the type `parent`.
fn add(
    selections: &[Positioned<Selection>],
    parent: &str,
    path: &str,
    schema_index: &SchemaIndex,
    columns: &mut Vec<String>,
) {
    for selection in selections {
        match &selection.node {
            Selection::Field(field) => {
                let key = &field.node.response_key().node;
                let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                let selections = &field.node.selection_set.node.items;
                match schema_index.output(parent, &field.node.name.node) {
                    Some(found) if !found.is_list && !selections.is_empty() => {
                        add(selections, &found.ty, &path, schema_index, columns);
                    }
                    // Two types may have it.
                    _ if columns.contains(&path) => {}
                    _ => columns.push(path),
                }
            }
            Selection::InlineFragment(fragment) => {
                let on = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                let selections = &fragment.node.selection_set.node.items;
                add(selections, on.unwrap_or(parent), path, schema_index, columns);
            }
            // Merging has expanded it.
            Selection::FragmentSpread(_) => {}
        }
    }
}
