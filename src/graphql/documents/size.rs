//! Checks the size of a parsed document before any other traversal. Validation and merging expand every fragment
//! wherever it is spread, so a document of a few hundred bytes could take them hours.

use std::collections::HashMap;

use async_graphql::{
    Name, Pos, Positioned, ServerError,
    parser::types::{Directive, ExecutableDocument, FragmentDefinition, Selection, SelectionSet},
};

use super::limits::Limits;
use crate::graphql::failure::{
    TOO_DEEP, TOO_MANY_ALIASES, TOO_MANY_DIRECTIVES, TOO_MANY_ROOT_FIELDS, TOO_MANY_SELECTIONS, TOO_NESTED,
    VALIDATION_FAILED, refuse,
};

/// Err if a document exceeds a limit, counting the contents of fragments wherever they are spread. Linear in the length
/// of the document: the size of each fragment is computed once.
pub fn check_size(document: &ExecutableDocument, limits: &Limits) -> Result<(), ServerError> {
    let mut scale = Counter { fragments: &document.fragments, limits, weighed: HashMap::new(), aliases: 0 };
    let mut selections = 0_usize;
    for (_, operation) in document.operations.iter() {
        let node = &operation.node;
        scale.directives(&node.directives)?;
        for variable in &node.variable_definitions {
            scale.directives(&variable.node.directives)?;
        }
        let weight = scale.set(&node.selection_set.node, 1)?;
        let most = limits.document_root_fields;
        if weight.roots > most {
            let message = format!("more than {most} fields at the root of the operation");
            return Err(refuse(TOO_MANY_ROOT_FIELDS, message, Some(operation.pos)));
        }
        if weight.depth > limits.document_depth {
            return Err(too_deep(limits, operation.pos));
        }
        selections = selections.saturating_add(weight.selections);
    }
    // Validation also traverses fragments that are never spread.
    let unused: Vec<_> = document.fragments.keys().filter(|name| !scale.weighed.contains_key(name.as_str())).collect();
    for name in unused {
        let weight = scale.fragment(name, 1)?;
        if weight.depth > limits.document_depth {
            return Err(too_deep(limits, document.fragments[name].pos));
        }
        selections = selections.saturating_add(weight.selections);
    }
    let most = limits.document_selections;
    if selections > most {
        let message = format!("more than {most} selections, counted wherever a fragment is spread");
        return Err(refuse(TOO_MANY_SELECTIONS, message, None));
    }
    Ok(())
}

fn too_deep(limits: &Limits, at: Pos) -> ServerError {
    let most = limits.document_depth;
    refuse(TOO_DEEP, format!("fields are nested more than {most} deep"), Some(at))
}

/// Size of a selection set with its fragments expanded.
#[derive(Clone, Copy, Default)]
struct DocumentSize {
    selections: usize,
    /// Nesting of fields.
    depth: usize,
    /// Nesting of selection sets.
    nesting: usize,
    /// Number of fields of the object itself.
    roots: usize,
}

impl DocumentSize {
    /// Adds a selection with the size `other`.
    fn add(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections).saturating_add(1);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
        self.roots = self.roots.saturating_add(other.roots);
    }
}

struct Counter<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    limits: &'a Limits,
    /// Sizes of fragments by name; `None` while the size is being computed, which detects cycles.
    weighed: HashMap<&'a str, Option<DocumentSize>>,
    /// Number of aliases in the text, each fragment counted once: the limits of selections and cost cover repeated
    /// spreads.
    aliases: usize,
}

impl<'a> Counter<'a> {
    /// Returns the size of a selection set. `level` is the number of selection sets around its items, this one
    /// included.
    fn set(&mut self, set: &'a SelectionSet, level: usize) -> Result<DocumentSize, ServerError> {
        let mut weight = DocumentSize::default();
        for item in &set.items {
            self.directives(item.node.directives())?;
            match &item.node {
                Selection::Field(field) => {
                    self.alias(field.node.alias.as_ref())?;
                    let inner = self.inside(&field.node.selection_set, level)?;
                    weight.add(DocumentSize { depth: inner.depth.saturating_add(1), roots: 1, ..inner });
                }
                Selection::InlineFragment(inline) => weight.add(self.inside(&inline.node.selection_set, level)?),
                Selection::FragmentSpread(spread) => {
                    // Validation refuses unknown fragments.
                    if let Some((name, _)) = self.fragments.get_key_value(&spread.node.fragment_name.node) {
                        self.enters(level, spread.pos)?;
                        let inner = self.fragment(name, level + 1)?;
                        self.enters(level.saturating_add(inner.nesting) - 1, spread.pos)?;
                        weight.add(inner);
                    } else {
                        weight.add(DocumentSize::default());
                    }
                }
            }
        }
        weight.nesting += 1;
        Ok(weight)
    }

    fn inside(&mut self, set: &'a Positioned<SelectionSet>, level: usize) -> Result<DocumentSize, ServerError> {
        if set.node.items.is_empty() {
            return Ok(DocumentSize::default());
        }
        self.enters(level, set.pos)?;
        self.set(&set.node, level + 1)
    }

    /// Err if `level` nested selection sets leave no room for another one inside.
    fn enters(&self, level: usize, at: Pos) -> Result<(), ServerError> {
        let most = self.limits.document_nesting;
        if level < most {
            return Ok(());
        }
        let message = format!("selection sets are nested more than {most} deep after expanding fragments");
        Err(refuse(TOO_NESTED, message, Some(at)))
    }

    fn fragment(&mut self, name: &'a Name, level: usize) -> Result<DocumentSize, ServerError> {
        let definition = &self.fragments[name];
        match self.weighed.get(name.as_str()) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => {
                return Err(refuse(VALIDATION_FAILED, "a fragment spreads itself", Some(definition.pos)));
            }
            None => {}
        }
        self.weighed.insert(name.as_str(), None);
        self.directives(&definition.node.directives)?;
        let weight = self.set(&definition.node.selection_set.node, level)?;
        self.weighed.insert(name.as_str(), Some(weight));
        Ok(weight)
    }

    fn alias(&mut self, alias: Option<&Positioned<Name>>) -> Result<(), ServerError> {
        let Some(alias) = alias else { return Ok(()) };
        self.aliases += 1;
        let most = self.limits.document_aliases;
        if self.aliases > most {
            return Err(refuse(TOO_MANY_ALIASES, format!("more than {most} aliases"), Some(alias.pos)));
        }
        Ok(())
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> Result<(), ServerError> {
        let most = self.limits.document_directives;
        directives.get(most).map_or(Ok(()), |first_too_many| {
            let message = format!("more than {most} directives at one place");
            Err(refuse(TOO_MANY_DIRECTIVES, message, Some(first_too_many.pos)))
        })
    }
}

#[cfg(test)]
#[path = "size_tests.rs"]
mod tests;
