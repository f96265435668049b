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
    introspection,
    limits::Limits,
    merge::{Entry, Merged},
};
use crate::graphql::{
    failure::{TOO_COMPLEX, refuse, set},
    types::schema_index::SchemaIndex,
};

/// Counting every row of a list.
const COUNT: u64 = 10;
/// Grouping every row of a list.
const GROUP: u64 = 100;
/// What may always be asked of the schema itself: how long the answer is, is only estimated.
const LEAST: u64 = 100;

/// What an operation costs, but for the values of its variables.
#[derive(Debug)]
pub struct Price {
    data: Sum,
    introspection: u64,
}

impl Price {
    /// Looks up what an operation asks for.
    pub fn of(merged: &Merged<'_>, operation: &OperationDefinition, shape: &SchemaIndex) -> Self {
        let writes = shape.root(OperationType::Mutation).filter(|_| operation.ty == OperationType::Mutation);
        let mut data = Sum::default();
        data.add(&Lookup { shape, writes }, merged.root, &merged.entries);
        Self { data, introspection: introspection::points(&merged.entries, shape.extent()) }
    }

    /// The cost with these variables, without what is asked of the schema itself. Refuses either above its limit.
    pub fn cost(
        &self,
        operation: &OperationDefinition,
        variables: &Variables,
        limits: &Limits,
    ) -> Result<u64, ServerError> {
        let data = self.data.cost(&Values { declared: &operation.variable_definitions, variables }, None);
        within("the request", data, u64::from(limits.cost_limit))?;
        // One that is certainly too long to be sent is not begun.
        let longest = (limits.answer_bytes as u64 / introspection::BYTES).max(LEAST);
        within("introspection", self.introspection, u64::from(limits.introspection_points).min(longest))?;
        Ok(data)
    }

    /// What is asked of the schema itself costs.
    pub fn introspection(&self) -> u64 {
        self.introspection
    }
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

/// What the selections of an object cost.
#[derive(Debug, Default)]
struct Sum {
    /// Whatever the variables.
    flat: u64,
    fields: Vec<Priced>,
}

/// A field that answers objects.
#[derive(Debug)]
struct Priced {
    is_list: bool,
    rows: Rows,
    surcharge: u64,
    /// Whether each row is written, too.
    writes: bool,
    inside: Sum,
}

/// What says how many rows a field answers, or takes.
#[derive(Debug)]
enum Rows {
    /// `first` or `last`, and what holds without.
    Page { first: Option<Literal>, last: Option<Literal>, usual: i64 },
    /// Arguments that may name rows.
    Given(Vec<Literal>),
}

/// What is known while a price is made.
struct Lookup<'a> {
    shape: &'a SchemaIndex,
    /// The type whose fields write.
    writes: Option<&'a str>,
}

impl Sum {
    /// Adds selections of a `parent`.
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
        // An unknown field is validation's to refuse, as is an object of which nothing is asked.
        let Some(known) = parent.and_then(|parent| lookup.shape.output(parent, name)) else { return };
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

    /// Its lists hold `rows`, if that is known.
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

/// The variables of a request.
struct Values<'a> {
    declared: &'a [Positioned<VariableDefinition>],
    variables: &'a Variables,
}

/// What stands in an argument: as written, or as the value of a variable.
#[derive(Clone, Copy)]
enum Given<'a> {
    WriteResult(&'a Literal),
    Value(&'a Value),
}

impl<'a> Values<'a> {
    /// How many rows a field's arguments ask for, or name.
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

    /// The length of a list; of an input object, that of its lists of objects.
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
