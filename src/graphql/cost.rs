//! What a request costs, before it runs: known from its document, its variables and the schema alone.
//!
//! A scalar is free, an object costs 1, a connection 1 and its page times what is asked of a row, and so do other fields
//! that take `first`; a mutation costs 1 and its rows. Nothing is ever negative, and sums stop at the largest number.

use async_graphql::{
    Name, Positioned, ServerError, Value, Variables,
    parser::types::{Field, OperationDefinition, OperationType, VariableDefinition},
};
use async_graphql_value::Value as Literal;

use super::{
    failure::{TOO_COMPLEX, refuse, set},
    input::list,
    merge::{Entry, Merged},
    shape::{OutputField, Shape},
};

/// Counting every row of a list.
const COUNT: u64 = 10;
/// Grouping every row of a list.
const GROUP: u64 = 100;
/// What one operation may ask of the schema itself: twice the query with which tools begin.
const INTROSPECTION: u64 = 15_000;

/// The cost of an operation. Refuses one above the limit.
pub fn cost<'a>(
    merged: &Merged<'a>,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    shape: &'a Shape,
    limit: u32,
) -> Result<u64, ServerError> {
    let declared = &operation.variable_definitions;
    let walk = Walk { declared, variables, shape, writes: operation.ty == OperationType::Mutation };
    let data = walk.entries(merged.root, &merged.entries, None);
    within("the request", data, u64::from(limit))?;
    let introspection = introspection(&merged.entries, true);
    within("introspection", introspection, INTROSPECTION)?;
    Ok(data.saturating_add(introspection))
}

fn within(what: &str, cost: u64, limit: u64) -> Result<(), ServerError> {
    if cost <= limit {
        return Ok(());
    }
    let mut refused = refuse(TOO_COMPLEX, format!("{what} costs {cost} points, more than {limit}"), None);
    set(&mut refused, "cost", cost);
    set(&mut refused, "limit", limit);
    Err(refused)
}

struct Walk<'a> {
    declared: &'a [Positioned<VariableDefinition>],
    variables: &'a Variables,
    shape: &'a Shape,
    writes: bool,
}

/// What stands in an argument: as written, or as the value of a variable.
#[derive(Clone, Copy)]
enum Given<'a> {
    Written(&'a Literal),
    Value(&'a Value),
}

impl<'a> Walk<'a> {
    /// The cost of the selections of a `parent`. Its lists hold `rows`, if that is known.
    fn entries(&self, parent: Option<&str>, entries: &[Entry<'a>], rows: Option<u64>) -> u64 {
        let costs = entries.iter().map(|entry| match entry {
            Entry::Fragment { on, children } => self.entries(Some(&on.node.on.node), children, rows),
            Entry::Field { first, children } => self.field(parent, &first.node, children, rows),
        });
        costs.fold(0, u64::saturating_add)
    }

    fn field(&self, parent: Option<&str>, field: &'a Field, children: &[Entry<'a>], rows: Option<u64>) -> u64 {
        let name = field.name.node.as_str();
        // An unknown field is validation's to refuse, as is an object of which nothing is asked.
        let Some(known) = parent.and_then(|parent| self.shape.output(parent, name)) else { return 0 };
        if children.is_empty() {
            return if name == "totalCount" { COUNT } else { 0 };
        }
        let surcharge = if known.groups { GROUP } else { 0 };
        let asked = self.rows(field, known);
        let written = if self.writes && parent == self.shape.root(OperationType::Mutation) { asked } else { None };
        let all = if known.is_list {
            let one = self.entries(Some(&known.ty), children, None).saturating_add(1);
            rows.or(asked).unwrap_or(1).saturating_mul(one)
        } else {
            self.entries(Some(&known.ty), children, asked).saturating_add(1)
        };
        all.saturating_add(surcharge).saturating_add(written.unwrap_or(0))
    }

    /// How many rows the field's arguments ask for, or name.
    fn rows(&self, field: &'a Field, known: &OutputField) -> Option<u64> {
        let argument = |name: &str| field.get_argument(name).and_then(|value| self.given(&value.node));
        if let Some(usual) = known.page {
            let page = argument("first").and_then(int).or_else(|| argument("last").and_then(int)).unwrap_or(usual);
            return Some(u64::try_from(page).unwrap_or(0));
        }
        let lists = field.arguments.iter().filter_map(|(_, value)| self.given(&value.node));
        let named = lists.map(|value| self.named(value)).fold(0, u64::saturating_add);
        (named > 0).then_some(named)
    }

    /// The length of a list; of an input object, that of its lists of objects.
    fn named(&self, given: Given<'a>) -> u64 {
        let length = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        match given {
            Given::Written(Literal::List(items)) => length(items.len()),
            Given::Value(Value::List(items)) => length(items.len()),
            Given::Written(Literal::Object(fields)) => {
                let inside = fields.values().filter_map(|value| self.given(value));
                inside.map(|value| self.objects(value)).fold(0, u64::saturating_add)
            }
            Given::Value(Value::Object(fields)) => {
                fields.values().map(|value| self.objects(Given::Value(value))).fold(0, u64::saturating_add)
            }
            _ => 0,
        }
    }

    fn objects(&self, given: Given<'a>) -> u64 {
        let is_object = match given {
            Given::Written(Literal::List(items)) => {
                items.first().and_then(|first| self.given(first)).is_some_and(|first| {
                    matches!(first, Given::Written(Literal::Object(_)) | Given::Value(Value::Object(_)))
                })
            }
            Given::Value(value) => matches!(list(value).first(), Some(Value::Object(_))),
            Given::Written(_) => false,
        };
        if is_object { self.named(given).max(1) } else { 0 }
    }

    fn given(&self, literal: &'a Literal) -> Option<Given<'a>> {
        let Literal::Variable(name) = literal else { return Some(Given::Written(literal)) };
        self.value_of(name).map(Given::Value)
    }

    fn value_of(&self, name: &Name) -> Option<&'a Value> {
        let declared = self.declared.iter().find(|declared| declared.node.name.node == *name)?;
        let given = self.variables.get(name);
        given.or_else(|| declared.node.default_value.as_ref().map(|value| &value.node))
    }
}

fn int(given: Given<'_>) -> Option<i64> {
    match given {
        Given::Written(Literal::Number(number)) | Given::Value(Value::Number(number)) => number.as_i64(),
        _ => None,
    }
}

/// What is asked of the schema, for each of its types: fields of fields of fields would answer with all of it many times.
fn introspection(entries: &[Entry<'_>], is_root: bool) -> u64 {
    let costs = entries.iter().map(|entry| match entry {
        Entry::Fragment { children, .. } => introspection(children, is_root),
        Entry::Field { first, children } => {
            let name = first.node.name.node.as_str();
            if is_root && !["__schema", "__type"].contains(&name) {
                return 0;
            }
            let rows = match name {
                "fields" | "inputFields" | "enumValues" | "interfaces" | "possibleTypes" => 20,
                "args" | "directives" => 5,
                _ => 1,
            };
            introspection(children, false).saturating_add(1).saturating_mul(rows)
        }
    });
    costs.fold(0, u64::saturating_add)
}

#[cfg(test)]
#[path = "cost_tests.rs"]
mod tests;
