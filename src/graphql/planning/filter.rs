//! Reads filters and orders from their input objects, according to a noun's description.

use std::cell::Cell;

use async_graphql::Value;
use entity::{
    Noun,
    noun::{ARCHIVED_AT, Field, Kind, Link},
};

use super::{attribute_filter, external_id_filter::EXTERNAL_IDS};
use crate::{
    Error, Result,
    graphql::{
        mutation::input::{Input, list},
        types::money_types::{AMOUNT, CURRENCY},
        values::{instant, read},
    },
    store::{
        erasure::open_attributes::AttributeAccess,
        paging::page::{Term, by_id},
        statement::{
            cell::{Cell as Stored, Column},
            filter::{Comparison, MAX_RELATIONS, Predicate},
        },
        writing::attribute_items::attribute_item,
    },
    words::Terms,
};

/// Maximum number of terms of an order.
const MAX_TERMS: usize = 5;
/// Maximum number of values of one list in a filter.
const MAX_VALUES: usize = 1_000;
/// Maximum number of values of all lists of one filter together.
const MAX_VALUES_IN_ALL: usize = 5_000;
/// Maximum number of conditions of one filter.
const MAX_CONDITIONS: usize = 500;
/// Maximum number of conditions on other tables in one filter. PostgreSQL plans these conditions together, and the
/// planning time grows faster than linearly with their number.
const MAX_LOOKUPS: usize = 30;
const LOOKUPS: &str = "conditions on tags, attributes, external ids, relations and words";
/// Maximum nesting depth of one filter.
const MAX_LEVELS: usize = 16;

/// Returns the condition for a list's `filter` argument. Archived rows are excluded unless the filter mentions
/// `archivedAt`.
pub fn list_filter(
    noun: &'static Noun,
    value: Option<&Value>,
    attribute_access: AttributeAccess<'_>,
) -> Result<Predicate> {
    let reader = Reader { attribute_access, conditions: Cell::new(0), lookups: Cell::new(0), values: Cell::new(0) };
    let filter = match value {
        None | Some(Value::Null) => Predicate::always(),
        Some(value) => reader.filter(noun, &Input::of("filter", value)?, Depth::default())?,
    };
    if !noun.is_archivable() || value.is_some_and(|value| mentions(value, ARCHIVED_AT.name)) {
        return Ok(filter);
    }
    let present = Predicate::Column(Column::of(&ARCHIVED_AT), Comparison::IsNull);
    Ok(Predicate::All(vec![present, filter]))
}

/// Returns whether a filter mentions a field of the row itself; fields of related rows do not count.
fn mentions(filter: &Value, name: &str) -> bool {
    let Value::Object(fields) = filter else { return false };
    fields.iter().any(|(field, value)| match field.as_str() {
        "and" | "or" | "not" => list(value).into_iter().any(|part| mentions(part, name)),
        field => field == name,
    })
}

/// Reads one filter for one caller and counts its parts. Databases limit the depth of an expression and the parameters
/// of a statement, so a filter that is too large must fail before any statement runs.
pub(in crate::graphql) struct Reader<'a> {
    pub(in crate::graphql) attribute_access: AttributeAccess<'a>,
    conditions: Cell<usize>,
    lookups: Cell<usize>,
    values: Cell<usize>,
}

/// The current depth within a filter: levels of nesting and relations followed.
#[derive(Clone, Copy, Default)]
struct Depth {
    levels: usize,
    relations: usize,
}

impl Reader<'_> {
    fn filter(&self, noun: &'static Noun, input: &Input, depth: Depth) -> Result<Predicate> {
        let depth = Depth { levels: depth.levels + 1, ..depth };
        if depth.levels > MAX_LEVELS {
            return Err(Error::BadInput(format!("a filter is nested at most {MAX_LEVELS} deep")));
        }
        let mut parts = Vec::new();
        for (name, value) in input.fields() {
            count(&self.conditions, 1, MAX_CONDITIONS, "conditions")?;
            let value = given(name, value)?;
            parts.push(match name {
                "and" => Predicate::All(self.several(noun, value, depth)?),
                "or" => Predicate::Any(self.several(noun, value, depth)?),
                "not" => Predicate::Not(Box::new(self.filter(noun, &Input::of(name, value)?, depth)?)),
                _ => self.part(noun, name, &Input::of(name, value)?, depth)?,
            });
        }
        Ok(Predicate::All(parts))
    }

    fn several(&self, noun: &'static Noun, value: &Value, depth: Depth) -> Result<Vec<Predicate>> {
        let items = list(value);
        count(&self.conditions, items.len(), MAX_CONDITIONS, "conditions")?;
        items.into_iter().map(|item| self.filter(noun, &Input::of("filter", item)?, depth)).collect()
    }

    fn part(&self, noun: &'static Noun, name: &str, input: &Input, depth: Depth) -> Result<Predicate> {
        if let Some(field) = noun.field(name).filter(|field| field.kind.is_filterable()) {
            return self.comparisons(noun, field, input);
        }
        if name == EXTERNAL_IDS && noun.has_external_ids {
            return self.external_ids(noun, input);
        }
        let relation = noun.relation(name).ok_or_else(|| Error::BadInput(format!("{} has no {name}", noun.name)))?;
        if let Some(permission) = relation.target.read {
            self.attribute_access.actor.require(permission)?;
        }
        let depth = Depth { relations: depth.relations + 1, ..depth };
        if depth.relations > MAX_RELATIONS {
            return Err(Error::BadInput(format!("a filter can follow at most {MAX_RELATIONS} relations in a chain")));
        }
        if let Link::One { .. } = relation.link {
            self.look_up(1)?;
            let inside = self.filter(relation.target, input, depth)?;
            return Ok(Predicate::Some(relation, Box::new(inside)));
        }
        let mut parts = Vec::new();
        for (quantifier, value) in input.fields() {
            self.look_up(1)?;
            let inside = Input::of(quantifier, given(quantifier, value)?)?;
            let some = Predicate::Some(relation, Box::new(self.filter(relation.target, &inside, depth)?));
            parts.push(if quantifier == "none" { Predicate::Not(Box::new(some)) } else { some });
        }
        Ok(Predicate::All(parts))
    }

    fn comparisons(&self, noun: &'static Noun, field: &'static Field, input: &Input) -> Result<Predicate> {
        let column = Column::of(field);
        if let Kind::Attributes { .. } = field.kind {
            return self.attributes(noun, field, input);
        }
        self.attribute_access.may_use(field)?;
        if let Some(currency) = noun.currency_of(field) {
            return self.money(noun, (field, currency), input);
        }
        if field.kind.is_set() {
            self.look_up(input.fields().count())?;
        }
        self.tests(noun, field, column, input)
    }

    /// Returns the comparisons of an amount of money and its currency.
    fn money(
        &self,
        noun: &'static Noun,
        (amount, currency): (&'static Field, &'static Field),
        input: &Input,
    ) -> Result<Predicate> {
        let mut parts = Vec::new();
        for (name, value) in input.fields() {
            let value = given(name, value)?;
            parts.push(match name {
                name if name == AMOUNT.name => {
                    self.tests(noun, amount, Column::of(amount), &Input::of(name, value)?)?
                }
                name if name == CURRENCY.name => {
                    self.tests(noun, currency, Column::of(currency), &Input::of(name, value)?)?
                }
                _ => {
                    let is_null = Predicate::Column(Column::of(amount), Comparison::IsNull);
                    if *value == Value::Boolean(true) { is_null } else { Predicate::Not(Box::new(is_null)) }
                }
            });
        }
        Ok(Predicate::All(parts))
    }

    /// Returns the comparisons of a column of the noun's table or of an index table.
    pub(in crate::graphql) fn tests(
        &self,
        noun: &'static Noun,
        field: &'static Field,
        column: Column,
        input: &Input,
    ) -> Result<Predicate> {
        let cell = |value: &Value| read(field.name, value, field.kind, noun.prefix);
        let text_of = |value: &Value| read(field.name, value, Kind::Text { max: 0 }, "").map(searched);
        let mut parts = Vec::new();
        for (operator, value) in input.fields() {
            let value = given(operator, value)?;
            if matches!(field.kind, Kind::Instant) && operator != "isNull" {
                count(&self.conditions, 1, MAX_CONDITIONS, "conditions")?;
                let values = if operator == "in" { self.bounded(operator, value)? } else { vec![value] };
                parts.push(instant::comparison(field, operator, &values)?);
                continue;
            }
            let test = |test| Predicate::Column(column, test);
            let not = |inner| Predicate::Not(Box::new(inner));
            let has_any = |items| Predicate::HasAny { column: field.column, items };
            parts.push(match operator {
                "eq" => test(Comparison::Eq(cell(value)?)),
                "neq" => not(test(Comparison::Eq(cell(value)?))),
                "in" => {
                    let values = self.bounded(operator, value)?;
                    if matches!(field.kind, Kind::Float { .. }) {
                        // Floats are bound as single parameters, and bound again for each range of a page.
                        count(&self.conditions, values.len(), MAX_CONDITIONS, "conditions")?;
                    }
                    test(Comparison::In(values.into_iter().map(cell).collect::<Result<_>>()?))
                }
                "gt" => test(Comparison::Gt(cell(value)?)),
                "gte" => test(Comparison::Gte(cell(value)?)),
                "lt" => test(Comparison::Lt(cell(value)?)),
                "lte" => test(Comparison::Lte(cell(value)?)),
                "contains" => test(Comparison::Contains(text_of(value)?)),
                "startsWith" => test(Comparison::StartsWith(text_of(value)?)),
                "matches" => {
                    self.look_up(1)?;
                    let terms = Terms::parse(&text_of(value)?);
                    let terms =
                        terms.map_err(|mistake| Error::BadInput(format!("{}: matches {mistake}", field.name)))?;
                    Predicate::Matches(column, terms)
                }
                "isNull" if *value == Value::Boolean(true) => test(Comparison::IsNull),
                "isNull" => not(test(Comparison::IsNull)),
                "hasPrefix" => attribute_filter::has_prefix(field, text_of(value)?),
                "hasAny" => has_any(self.items(field, operator, value)?),
                "hasNone" => not(has_any(self.items(field, operator, value)?)),
                "hasAll" => {
                    let items = self.items(field, operator, value)?;
                    // A separate condition on the first item lets the index find the candidate rows.
                    let first = items.first().map(|item| has_any(vec![item.clone()]));
                    let all = Predicate::HasAll { column: field.column, items: items.into_iter().collect() };
                    Predicate::All(first.into_iter().chain([all]).collect())
                }
                other => return Err(Error::BadInput(format!("there is no comparison {other}"))),
            });
            count(&self.conditions, 1, MAX_CONDITIONS, "conditions")?;
        }
        Ok(Predicate::All(parts))
    }

    /// Counts one more condition.
    ///
    /// `Err` if the filter has too many of them.
    pub(in crate::graphql) fn condition(&self) -> Result<()> {
        count(&self.conditions, 1, MAX_CONDITIONS, "conditions")
    }

    /// Counts `more` conditions on other tables.
    ///
    /// `Err` if the filter has too many of them.
    pub(in crate::graphql) fn look_up(&self, more: usize) -> Result<()> {
        count(&self.lookups, more, MAX_LOOKUPS, LOOKUPS)
    }

    pub(in crate::graphql) fn bounded<'v>(&self, name: &str, value: &'v Value) -> Result<Vec<&'v Value>> {
        let items = list(value);
        if items.len() > MAX_VALUES {
            return Err(Error::BadInput(format!("{name} takes at most {MAX_VALUES} values")));
        }
        count(&self.values, items.len(), MAX_VALUES_IN_ALL, "values")?;
        Ok(items)
    }

    fn items(&self, field: &Field, name: &str, value: &Value) -> Result<Vec<String>> {
        let text = |value: &Value| read(name, value, Kind::Text { max: 0 }, "").map(searched);
        self.bounded(name, value)?
            .into_iter()
            .map(|item| match field.kind {
                Kind::Attributes { .. } => {
                    let pair = Input::of(name, item)?;
                    let part = |part| pair.present(part).map_or(Ok(String::new()), text);
                    Ok(attribute_item(&part("name")?, &part("value")?))
                }
                _ => text(item),
            })
            .collect()
    }
}

fn count(counted: &Cell<usize>, more: usize, most: usize, what: &str) -> Result<()> {
    counted.set(counted.get() + more);
    if counted.get() > most {
        return Err(Error::BadInput(format!("a filter has at most {most} {what}")));
    }
    Ok(())
}

/// Returns the value of a condition.
///
/// `Err` if the value is null.
pub(in crate::graphql) fn given<'v>(name: &str, value: &'v Value) -> Result<&'v Value> {
    if *value == Value::Null {
        return Err(Error::BadInput(format!("{name} is null; use isNull to ask for absent values")));
    }
    Ok(value)
}

fn searched(cell: Stored) -> String {
    if let Stored::Text(text) = cell { text } else { String::new() }
}

/// Returns the order for a list's `orderBy` argument, with the id as last term.
pub fn order(noun: &'static Noun, input: &Input, attribute_access: AttributeAccess<'_>) -> Result<Vec<Term>> {
    let mut terms: Vec<Term> = Vec::new();
    for item in input.list("orderBy") {
        let item = Input::of("orderBy", item)?;
        let wanted = item.text("field")?.unwrap_or_default();
        let field = noun
            .all_fields()
            .find(|field| field.is_orderable && enum_value_name(field.name) == wanted)
            .ok_or_else(|| Error::BadInput(format!("{} cannot be ordered by {wanted}", noun.plural)))?;
        attribute_access.may_use(field)?;
        let column = Column::of(field);
        if terms.iter().any(|term| term.column.name == column.name) {
            return Err(Error::BadInput(format!("orderBy contains {wanted} twice")));
        }
        let is_descending = item.text("direction")? == Some("DESC");
        let nulls = item.text("nulls")?.filter(|_| column.is_nullable);
        let is_null_largest = nulls.is_some_and(|nulls| (nulls == "FIRST") == is_descending);
        terms.push(Term { column, is_descending, is_null_largest });
    }
    if terms.len() > MAX_TERMS {
        return Err(Error::BadInput(format!("orderBy takes at most {MAX_TERMS} terms")));
    }
    if terms.iter().all(|term| term.column.name != "id") {
        terms.push(by_id(terms.last().is_some_and(|term| term.is_descending)));
    }
    Ok(terms)
}

/// Returns a field's name as an enum value: `receivedAt` becomes `RECEIVED_AT`.
pub fn enum_value_name(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for sign in name.chars() {
        if sign.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(sign.to_ascii_uppercase());
    }
    text
}
