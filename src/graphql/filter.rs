//! Filters and orders from their input objects, as a noun's description lays them out.

use async_graphql::Value;
use entity::{
    Noun, Permission,
    noun::{ARCHIVED_AT, Field, Kind, Link, Personal},
};

use super::input::{Input, list, scalar};
use crate::{
    Error, Result,
    auth::Actor,
    store::{
        cell::{Cell, Column},
        filter::{Predicate, Test},
        page::{Term, by_id},
        write::attribute_item,
    },
};

/// Most terms of an order.
const MOST_TERMS: usize = 5;
/// Most values of one list in a filter.
const MOST_VALUES: usize = 1_000;
/// Most conditions of one filter.
const MOST_CONDITIONS: usize = 200;
/// Deepest nesting of one filter.
const MOST_LEVELS: usize = 20;

/// The condition a list argument `filter` states. Archived rows are left out unless it speaks of them.
pub fn list_filter(noun: &'static Noun, value: Option<&Value>, actor: &Actor) -> Result<Predicate> {
    let Some(value) = value.filter(|value| **value != Value::Null) else {
        return Ok(if noun.is_archivable() { present() } else { Predicate::always() });
    };
    let filter = filter(noun, &Input::of("filter", value)?, actor, 0)?;
    if filter.weight() > MOST_CONDITIONS {
        return Err(Error::BadInput(format!("a filter has at most {MOST_CONDITIONS} conditions")));
    }
    if !noun.is_archivable() || mentions(value, ARCHIVED_AT.name) {
        return Ok(filter);
    }
    Ok(Predicate::All(vec![present(), filter]))
}

/// Not archived.
const fn present() -> Predicate {
    Predicate::Column(Column::of(&ARCHIVED_AT), Test::IsNull)
}

/// Whether a filter speaks of a field of the row itself.
fn mentions(filter: &Value, name: &str) -> bool {
    let Value::Object(fields) = filter else { return false };
    fields.iter().any(|(field, value)| match field.as_str() {
        "and" | "or" | "not" => list(value).into_iter().any(|part| mentions(part, name)),
        field => field == name,
    })
}

fn filter(noun: &'static Noun, input: &Input, actor: &Actor, level: usize) -> Result<Predicate> {
    if level > MOST_LEVELS {
        return Err(Error::BadInput(format!("a filter is at most {MOST_LEVELS} levels deep")));
    }
    let several = |value| {
        let each = |item| filter(noun, &Input::of("filter", item)?, actor, level + 1);
        list(value).into_iter().map(each).collect::<Result<Vec<_>>>()
    };
    let mut parts = Vec::new();
    for (name, value) in input.fields() {
        if *value == Value::Null {
            return Err(Error::BadInput(format!("{name} is null; use isNull to ask for absent values")));
        }
        parts.push(match name {
            "and" => Predicate::All(several(value)?),
            "or" => Predicate::Any(several(value)?),
            "not" => Predicate::Not(Box::new(filter(noun, &Input::of(name, value)?, actor, level + 1)?)),
            _ => part(noun, name, &Input::of(name, value)?, actor, level)?,
        });
    }
    Ok(Predicate::All(parts))
}

fn part(noun: &'static Noun, name: &str, input: &Input, actor: &Actor, level: usize) -> Result<Predicate> {
    if let Some(field) = noun.field(name) {
        may_use(field, actor)?;
        return comparisons(noun, field, input);
    }
    let relation = noun.relation(name).ok_or_else(|| Error::BadInput(format!("{} has no {name}", noun.name)))?;
    if let Some(permission) = relation.target.read {
        actor.require(permission)?;
    }
    if let Link::One { .. } = relation.link {
        let inside = filter(relation.target, input, actor, level + 1)?;
        return Ok(Predicate::Some(relation, Box::new(inside)));
    }
    let mut parts = Vec::new();
    for (quantifier, value) in input.fields() {
        let inside = filter(relation.target, &Input::of(quantifier, value)?, actor, level + 1)?;
        let some = Predicate::Some(relation, Box::new(inside));
        parts.push(if quantifier == "none" { Predicate::Not(Box::new(some)) } else { some });
    }
    Ok(Predicate::All(parts))
}

/// Personal data cannot be asked about by those who may not see it.
fn may_use(field: &Field, actor: &Actor) -> Result<()> {
    if field.personal == Personal::None { Ok(()) } else { actor.require(Permission::CustomersRead) }
}

fn comparisons(noun: &'static Noun, field: &'static Field, input: &Input) -> Result<Predicate> {
    let column = Column::of(field);
    let cell = |value: &Value| scalar(field.name, value, field.kind, noun.prefix);
    let mut parts = Vec::new();
    for (operator, value) in input.fields() {
        if *value == Value::Null {
            return Err(Error::BadInput(format!("{operator} is null; use isNull to ask for absent values")));
        }
        let test = |test| Predicate::Column(column, test);
        let not = |inner| Predicate::Not(Box::new(inner));
        parts.push(match operator {
            "eq" => test(Test::Eq(cell(value)?)),
            "neq" => not(test(Test::Eq(cell(value)?))),
            "in" => test(Test::In(bounded(operator, value)?.into_iter().map(cell).collect::<Result<_>>()?)),
            "gt" => test(Test::Gt(cell(value)?)),
            "gte" => test(Test::Gte(cell(value)?)),
            "lt" => test(Test::Lt(cell(value)?)),
            "lte" => test(Test::Lte(cell(value)?)),
            "contains" => test(Test::Contains(searched(cell(value)?))),
            "startsWith" => test(Test::StartsWith(searched(cell(value)?))),
            "isNull" if *value == Value::Boolean(true) => test(Test::IsNull),
            "isNull" => not(test(Test::IsNull)),
            "hasAny" => Predicate::HasAny { column: field.column, items: items(field, operator, value)? },
            "hasNone" => not(Predicate::HasAny { column: field.column, items: items(field, operator, value)? }),
            "hasAll" => Predicate::All(
                items(field, operator, value)?
                    .into_iter()
                    .map(|item| Predicate::HasAny { column: field.column, items: vec![item] })
                    .collect(),
            ),
            other => return Err(Error::BadInput(format!("there is no comparison {other}"))),
        });
    }
    Ok(Predicate::All(parts))
}

fn searched(cell: Cell) -> String {
    if let Cell::Text(text) = cell { text } else { String::new() }
}

fn bounded<'a>(name: &str, value: &'a Value) -> Result<Vec<&'a Value>> {
    let items = list(value);
    if items.len() > MOST_VALUES {
        return Err(Error::BadInput(format!("{name} takes at most {MOST_VALUES} values")));
    }
    Ok(items)
}

fn items(field: &Field, name: &str, value: &Value) -> Result<Vec<String>> {
    let text = |value: &Value| scalar(name, value, Kind::Text { max: 0 }, "").map(searched);
    bounded(name, value)?
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

/// The order a list argument `orderBy` states, the id last.
pub fn order(noun: &'static Noun, input: &Input, actor: &Actor) -> Result<Vec<Term>> {
    let mut terms: Vec<Term> = Vec::new();
    for item in input.list("orderBy") {
        let item = Input::of("orderBy", item)?;
        let wanted = item.text("field")?.unwrap_or_default();
        let field = noun
            .all_fields()
            .find(|field| field.is_orderable && screaming(field.name) == wanted)
            .ok_or_else(|| Error::BadInput(format!("{} cannot be ordered by {wanted}", noun.plural)))?;
        may_use(field, actor)?;
        let column = Column::of(field);
        if terms.iter().any(|term| term.column.name == column.name) {
            return Err(Error::BadInput(format!("orderBy names {wanted} twice")));
        }
        terms.push(Term { column, is_descending: item.text("direction")? == Some("DESC") });
    }
    if terms.len() > MOST_TERMS {
        return Err(Error::BadInput(format!("orderBy takes at most {MOST_TERMS} terms")));
    }
    if terms.iter().all(|term| term.column.name != "id") {
        terms.push(by_id(terms.last().is_some_and(|term| term.is_descending)));
    }
    Ok(terms)
}

/// A field's name as enum values spell it: `receivedAt` is `RECEIVED_AT`.
pub fn screaming(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for sign in name.chars() {
        if sign.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(sign.to_ascii_uppercase());
    }
    text
}
