//! Merges equal selections of an operation, so that no field is resolved twice.
//!
//! async-graphql resolves every field, even if two have the same response key: `mutation { x { id } x { title } }`
//! would write two rows, and a list selected by two fragments would be read twice. This module applies `CollectFields`
//! of the specification before execution instead of during it: it evaluates `@skip` and `@include`, expands fragments
//! that always apply, and merges fields with the same response key, name and arguments into one field with all their
//! selections.

use std::collections::HashMap;

use async_graphql::{
    Name, Pos, Positioned, ServerError, Value, Variables,
    parser::types::{
        Directive, ExecutableDocument, Field, FragmentDefinition, InlineFragment, OperationDefinition, OperationType,
        Selection, SelectionSet, TypeCondition, VariableDefinition,
    },
};

use crate::graphql::{
    failure::{VALIDATION_FAILED, refuse},
    types::schema_index::SchemaIndex,
};

/// An operation with merged selections.
pub struct Merged<'a> {
    /// The root type.
    pub root: Option<&'a str>,
    /// The merged selections.
    pub entries: Vec<Entry<'a>>,
    /// Whether the merged selections differ from the document's.
    changed: bool,
    /// Whether the operation has `@skip` or `@include`, so that other variables may give other selections.
    pub is_conditional: bool,
}

impl Merged<'_> {
    /// Returns the merged selections if they differ from the document's.
    pub fn selections(&self) -> Option<Vec<Positioned<Selection>>> {
        self.changed.then(|| built(&self.entries))
    }
}

/// Merges the selections of an operation. The document must have passed [`super::size::check_size`], because each
/// fragment is visited wherever it is spread. Err if a condition of `@skip` or `@include` is not a Boolean.
pub fn merge<'a>(
    operation: &'a OperationDefinition,
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    schema_index: &'a SchemaIndex,
) -> Result<Merged<'a>, ServerError> {
    let (fragments, declared) = (&document.fragments, &operation.variable_definitions);
    // async-graphql does not look for the root field of a subscription in fragments.
    let changed = operation.ty == OperationType::Subscription;
    let mut walk = Walk { fragments, declared, variables, schema_index, changed, is_conditional: false };
    let root = schema_index.root(operation.ty);
    let entries = walk.merged(root, &[&operation.selection_set.node])?;
    Ok(Merged { root, entries, changed: walk.changed, is_conditional: walk.is_conditional })
}

/// Replaces the selections of an operation with the merged ones, followed by the original ones under
/// `... @skip(if: true)`: validation still sees every field, variable and fragment of the document, and execution drops
/// the skipped ones.
pub fn replace(operation: &mut OperationDefinition, merged: Vec<Positioned<Selection>>) {
    let pos = operation.selection_set.pos;
    let original = std::mem::replace(&mut operation.selection_set.node.items, merged);
    operation.selection_set.node.items.push(skipped(SelectionSet { items: original }, pos));
}

/// Returns `... @skip(if: true) { … }`.
fn skipped(set: SelectionSet, pos: Pos) -> Positioned<Selection> {
    let at = |text: &str| Positioned::new(Name::new(text), pos);
    let condition = (at("if"), Positioned::new(Value::Boolean(true).into_value(), pos));
    let directive = Directive { name: at("skip"), arguments: vec![condition] };
    let fragment = InlineFragment {
        type_condition: None,
        directives: vec![Positioned::new(directive, pos)],
        selection_set: Positioned::new(set, pos),
    };
    Positioned::new(Selection::InlineFragment(Positioned::new(fragment, pos)), pos)
}

/// A merged selection.
pub enum Entry<'a> {
    /// Fields that were merged into one.
    Field {
        /// The first of these fields.
        first: &'a Positioned<Field>,
        /// The merged selections of all of these fields.
        children: Vec<Entry<'a>>,
    },
    /// Selections that apply only to some types.
    Fragment {
        /// The type condition.
        on: &'a Positioned<TypeCondition>,
        /// The merged selections for that type.
        children: Vec<Entry<'a>>,
    },
}

impl<'a> Entry<'a> {
    /// Returns the first field, or `None` for a fragment.
    pub fn field(&self) -> Option<&'a Positioned<Field>> {
        if let Self::Field { first, .. } = self { Some(first) } else { None }
    }
}

/// The selections of one object that share a field or a type condition.
enum Group<'a> {
    Field { first: &'a Positioned<Field>, sets: Vec<&'a SelectionSet> },
    Fragment { on: &'a Positioned<TypeCondition>, sets: Vec<&'a SelectionSet> },
}

#[derive(Default)]
struct Groups<'a> {
    list: Vec<Group<'a>>,
    by_key: HashMap<&'a str, Vec<usize>>,
    by_condition: HashMap<&'a str, usize>,
}

struct Walk<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    declared: &'a [Positioned<VariableDefinition>],
    variables: &'a Variables,
    schema_index: &'a SchemaIndex,
    changed: bool,
    is_conditional: bool,
}

impl<'a> Walk<'a> {
    /// Merges the selection sets of one object. `parent` is its type, if known.
    fn merged(&mut self, parent: Option<&'a str>, sets: &[&'a SelectionSet]) -> Result<Vec<Entry<'a>>, ServerError> {
        let mut groups = Groups::default();
        for set in sets {
            self.collect(parent, set, &mut groups)?;
        }
        let entries = groups.list.into_iter().map(|group| {
            Ok(match group {
                Group::Field { first, sets } => {
                    let ty = parent.and_then(|parent| self.schema_index.field(parent, &first.node.name.node));
                    Entry::Field { first, children: self.merged(ty, &sets)? }
                }
                Group::Fragment { on, sets } => {
                    let children = self.merged(Some(on.node.on.node.as_str()), &sets)?;
                    Entry::Fragment { on, children }
                }
            })
        });
        entries.collect()
    }

    /// Adds a selection set and its fragments to groups. Visits each selection once, so the time is linear.
    fn collect(
        &mut self,
        parent: Option<&'a str>,
        set: &'a SelectionSet,
        groups: &mut Groups<'a>,
    ) -> Result<(), ServerError> {
        for item in &set.items {
            if !self.is_included(item.node.directives())? {
                self.changed = true;
                continue;
            }
            match &item.node {
                Selection::Field(field) => self.add(field, groups),
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref();
                    self.open(parent, on, &inline.node.selection_set.node, groups)?;
                }
                Selection::FragmentSpread(spread) => {
                    // Validation refuses unknown fragments.
                    if let Some(known) = self.fragments.get(&spread.node.fragment_name.node) {
                        let on = Some(&known.node.type_condition);
                        self.open(parent, on, &known.node.selection_set.node, groups)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, field: &'a Positioned<Field>, groups: &mut Groups<'a>) {
        let same_key = groups.by_key.entry(field.node.response_key().node.as_str()).or_default();
        // Fields that share only the response key stay separate; validation compares them.
        self.changed |= !same_key.is_empty();
        for at in same_key.iter() {
            if let Group::Field { first, sets } = &mut groups.list[*at]
                && asks_the_same(&first.node, &field.node)
            {
                sets.push(&field.node.selection_set.node);
                return;
            }
        }
        same_key.push(groups.list.len());
        groups.list.push(Group::Field { first: field, sets: vec![&field.node.selection_set.node] });
    }

    fn open(
        &mut self,
        parent: Option<&'a str>,
        on: Option<&'a Positioned<TypeCondition>>,
        set: &'a SelectionSet,
        groups: &mut Groups<'a>,
    ) -> Result<(), ServerError> {
        let narrows = on.filter(|on| !parent.is_some_and(|parent| self.schema_index.always(parent, &on.node.on.node)));
        let Some(on) = narrows else {
            return self.collect(parent, set, groups);
        };
        let next = groups.list.len();
        let at = *groups.by_condition.entry(on.node.on.node.as_str()).or_insert(next);
        match groups.list.get_mut(at) {
            Some(Group::Fragment { sets, .. }) => sets.push(set),
            _ => groups.list.push(Group::Fragment { on, sets: vec![set] }),
        }
        Ok(())
    }

    fn is_included(&mut self, directives: &[Positioned<Directive>]) -> Result<bool, ServerError> {
        let mut included = true;
        for directive in directives {
            let wanted = match directive.node.name.node.as_str() {
                "include" => true,
                "skip" => false,
                _ => continue,
            };
            self.is_conditional = true;
            if let Some(holds) = self.holds(directive)? {
                included &= holds == wanted;
            }
        }
        Ok(included)
    }

    /// Evaluates the `if` argument of a directive. Returns `None` if validation will refuse the directive; Err if the
    /// value is not a Boolean.
    fn holds(&mut self, directive: &Positioned<Directive>) -> Result<Option<bool>, ServerError> {
        let Some(condition) = directive.node.get_argument("if") else { return Ok(None) };
        match condition.node.clone().into_const_with(|name| self.value_of(&name).ok_or(())) {
            Err(()) => Ok(None),
            Ok(Value::Boolean(holds)) => Ok(Some(holds)),
            Ok(_) => {
                let message = "the condition of @skip and @include must be a Boolean, not null";
                Err(refuse(VALIDATION_FAILED, message, Some(directive.pos)))
            }
        }
    }

    /// Returns the value of a declared variable.
    fn value_of(&mut self, name: &Name) -> Option<Value> {
        let declared = self.declared.iter().find(|declared| declared.node.name.node == *name)?;
        if let Some(given) = self.variables.get(name) {
            return Some(given.clone());
        }
        // async-graphql ignores defaults when it evaluates conditions, so the merged selections must replace the
        // original.
        self.changed = true;
        Some(declared.node.default_value.as_ref().map_or(Value::Null, |default| default.node.clone()))
    }
}

fn is_condition(directive: &Positioned<Directive>) -> bool {
    ["skip", "include"].contains(&directive.node.name.node.as_str())
}

/// Returns whether two fields can be merged. Ignores their conditions, which have been evaluated.
fn asks_the_same(one: &Field, other: &Field) -> bool {
    let directives = |field: &Field| -> Vec<_> {
        let rest = field.directives.iter().filter(|directive| !is_condition(directive));
        rest.map(|directive| (directive.node.name.node.clone(), directive.node.arguments.clone())).collect()
    };
    one.name.node == other.name.node
        && one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|(name, value)| other.get_argument(&name.node) == Some(value))
        && directives(one) == directives(other)
}

fn built(entries: &[Entry<'_>]) -> Vec<Positioned<Selection>> {
    entries
        .iter()
        .map(|entry| match entry {
            Entry::Field { first, children } => {
                let field = Field {
                    alias: first.node.alias.clone(),
                    name: first.node.name.clone(),
                    arguments: first.node.arguments.clone(),
                    directives: first.node.directives.iter().filter(|each| !is_condition(each)).cloned().collect(),
                    selection_set: inside(children, &first.node.selection_set),
                };
                Positioned::new(Selection::Field(Positioned::new(field, first.pos)), first.pos)
            }
            Entry::Fragment { on, children } => {
                let pos = on.pos;
                let items = built(children);
                let fragment = InlineFragment {
                    type_condition: Some((*on).clone()),
                    directives: Vec::new(),
                    selection_set: Positioned::new(SelectionSet { items }, pos),
                };
                Positioned::new(Selection::InlineFragment(Positioned::new(fragment, pos)), pos)
            }
        })
        .collect()
}

/// Returns the selection set of a merged field. If all selections were skipped, the set keeps the original ones under
/// `@skip`, because it must not be empty.
fn inside(children: &[Entry<'_>], original: &Positioned<SelectionSet>) -> Positioned<SelectionSet> {
    let pos = original.pos;
    let mut items = built(children);
    if items.is_empty() && !original.node.items.is_empty() {
        items.push(skipped(original.node.clone(), pos));
    }
    Positioned::new(SelectionSet { items }, pos)
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
