//! Computes the cost of a request before execution, from its document, its variables and the schema.
//!
//! A scalar is free and an object costs 1. A connection, like any other field with a `first` argument, costs 1 plus the
//! page size times the cost of a row. A mutation costs 1 plus its number of rows. Costs are never negative; sums
//! saturate.

use async_graphql::{
    Name, Positioned, ServerError, Value, Variables,
    parser::types::{Field, OperationDefinition, OperationType, VariableDefinition},
};
use async_graphql_value::Value as Literal;

use super::{
    introspection,
    limits::Limits,
    merge::{Entry, Merged},
};
use crate::graphql::{
    failure::{TOO_COMPLEX, refuse, set},
    types::schema_index::SchemaIndex,
};

/// Cost of counting all rows of a list (`totalCount`), in points.
const COUNT: u64 = 10;
/// Cost of grouping all rows of a list (`groupBy`), in points.
const GROUP: u64 = 100;
/// Introspection points that the limit of a response never rules out, because its length is only an estimate.
const LEAST: u64 = 100;

/// Cost of an operation as a function of the values of its variables.
#[derive(Debug)]
pub struct Price {
    data: Sum,
    introspection: u64,
}

impl Price {
    /// Computes the price of an operation.
    pub fn of(merged: &Merged<'_>, operation: &OperationDefinition, schema_index: &SchemaIndex) -> Self {
        let writes = schema_index.root(OperationType::Mutation).filter(|_| operation.ty == OperationType::Mutation);
        let mut data = Sum::default();
        data.add(&Lookup { schema_index, writes }, merged.root, &merged.entries);
        Self { data, introspection: introspection::points(&merged.entries, schema_index.extent()) }
    }

    /// Returns the cost for these variables in points, without introspection. Err if this cost or that of introspection
    /// exceeds its limit, or if introspection alone would exceed a response of `most_bytes` bytes.
    pub fn cost(
        &self,
        operation: &OperationDefinition,
        variables: &Variables,
        limits: &Limits,
        most_bytes: usize,
    ) -> Result<u64, ServerError> {
        let data = self.data.cost(&Values { declared: &operation.variable_definitions, variables }, None);
        within("the request", data, u64::from(limits.cost_limit))?;
        let most = u64::from(limits.introspection_points).min(longest(most_bytes));
        within("introspection", self.introspection, most)?;
        Ok(data)
    }

    /// Returns the cost of introspection, in points.
    pub fn introspection(&self) -> u64 {
        self.introspection
    }
}

/// Returns the introspection points beyond which a response would exceed `most_bytes` bytes. Such introspection is
/// refused before it is executed. The estimate may be a quarter too high, so that much more is executed and then
/// measured.
fn longest(most_bytes: usize) -> u64 {
    (most_bytes as u64 / 4 * 5 / introspection::BYTES).max(LEAST)
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

/// Cost of the selections of an object.
#[derive(Debug, Default)]
struct Sum {
    /// The part that does not depend on variables.
    flat: u64,
    fields: Vec<Priced>,
}

/// A field that returns objects.
#[derive(Debug)]
struct Priced {
    is_list: bool,
    rows: Rows,
    surcharge: u64,
    /// Whether the field is a mutation: each of its rows costs an additional point.
    writes: bool,
    inside: Sum,
}

/// The arguments that determine how many rows a field returns or accepts.
#[derive(Debug)]
enum Rows {
    /// `first` or `last`, and the page size if neither is given.
    Page { first: Option<Literal>, last: Option<Literal>, usual: i64 },
    /// All arguments; lists in them may name rows.
    Given(Vec<Literal>),
}

/// Context in which a price is computed.
struct Lookup<'a> {
    schema_index: &'a SchemaIndex,
    /// The mutation type, if the operation is a mutation.
    writes: Option<&'a str>,
}

impl Sum {
    /// Adds the selections of an object of type `parent`.
    fn add(&mut self, lookup: &Lookup<'_>, parent: Option<&str>, entries: &[Entry<'_>]) {
        for entry in entries {
            match entry {
                Entry::Fragment { on, children } => self.add(lookup, Some(&on.node.on.node), children),
                Entry::Field { first, children } => self.add_field(lookup, parent, &first.node, children),
            }
        }
    }

    fn add_field(&mut self, lookup: &Lookup<'_>, parent: Option<&str>, field: &Field, children: &[Entry<'_>]) {
        let name = field.name.node.as_str();
        // Validation refuses unknown fields and objects without a selection set.
        let Some(known) = parent.and_then(|parent| lookup.schema_index.output(parent, name)) else { return };
        if children.is_empty() {
            self.flat = self.flat.saturating_add(if name == "totalCount" { COUNT } else { 0 });
            return;
        }
        let mut inside = Self::default();
        inside.add(lookup, Some(&known.ty), children);
        let argument = |name: &str| field.get_argument(name).map(|value| value.node.clone());
        let rows = match known.page {
            Some(usual) => Rows::Page { first: argument("first"), last: argument("last"), usual },
            None => Rows::Given(field.arguments.iter().map(|(_, value)| value.node.clone()).collect()),
        };
        let surcharge = if known.arguments.fields.contains_key("groupBy") { GROUP } else { 0 };
        let writes = lookup.writes.is_some() && parent == lookup.writes;
        self.fields.push(Priced { is_list: known.is_list, rows, surcharge, writes, inside });
    }

    /// Returns the cost in points. `rows` is the length of the lists directly in the object, if the parent's arguments
    /// determine it.
    fn cost(&self, values: &Values<'_>, rows: Option<u64>) -> u64 {
        self.fields.iter().map(|field| field.cost(values, rows)).fold(self.flat, u64::saturating_add)
    }
}

impl Priced {
    fn cost(&self, values: &Values<'_>, rows: Option<u64>) -> u64 {
        let asked = values.rows(&self.rows);
        let written = if self.writes { asked } else { None };
        let all = if self.is_list {
            let one = self.inside.cost(values, None).saturating_add(1);
            rows.or(asked).unwrap_or(1).saturating_mul(one)
        } else {
            self.inside.cost(values, asked).saturating_add(1)
        };
        all.saturating_add(self.surcharge).saturating_add(written.unwrap_or(0))
    }
}

/// The variables of a request and their definitions.
struct Values<'a> {
    declared: &'a [Positioned<VariableDefinition>],
    variables: &'a Variables,
}

/// The value of an argument: a literal or the value of a variable.
#[derive(Clone, Copy)]
enum Given<'a> {
    WriteResult(&'a Literal),
    Value(&'a Value),
}

impl<'a> Values<'a> {
    /// Returns the number of rows that the arguments of a field request or name.
    fn rows(&self, rows: &'a Rows) -> Option<u64> {
        match rows {
            Rows::Page { first, last, usual } => {
                let given = |literal: &'a Option<Literal>| literal.as_ref().and_then(|given| self.given(given));
                let page = given(first).and_then(int).or_else(|| given(last).and_then(int)).unwrap_or(*usual);
                Some(u64::try_from(page).unwrap_or(0))
            }
            Rows::Given(arguments) => {
                let lists = arguments.iter().filter_map(|value| self.given(value));
                let named = lists.map(|value| self.named(value)).fold(0, u64::saturating_add);
                (named > 0).then_some(named)
            }
        }
    }

    /// Returns the length of a list, or the total number of objects in the fields of an input object.
    fn named(&self, given: Given<'a>) -> u64 {
        let length = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        match given {
            Given::WriteResult(Literal::List(items)) => length(items.len()),
            Given::Value(Value::List(items)) => length(items.len()),
            Given::WriteResult(Literal::Object(fields)) => {
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
            Given::WriteResult(Literal::List(items)) => {
                items.first().and_then(|first| self.given(first)).is_some_and(|first| {
                    matches!(first, Given::WriteResult(Literal::Object(_)) | Given::Value(Value::Object(_)))
                })
            }
            Given::Value(Value::List(items)) => matches!(items.first(), Some(Value::Object(_))),
            Given::Value(value) => matches!(value, Value::Object(_)),
            Given::WriteResult(_) => false,
        };
        if is_object { self.named(given).max(1) } else { 0 }
    }

    fn given(&self, literal: &'a Literal) -> Option<Given<'a>> {
        let Literal::Variable(name) = literal else { return Some(Given::WriteResult(literal)) };
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
        Given::WriteResult(Literal::Number(number)) | Given::Value(Value::Number(number)) => number.as_i64(),
        _ => None,
    }
}

#[cfg(test)]
#[path = "cost_tests.rs"]
mod tests;
