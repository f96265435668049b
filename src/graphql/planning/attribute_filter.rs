//! Filter conditions on attributes by name, with one operator per value type, and on tags by prefix.

use async_graphql::Value;
use entity::{
    Noun,
    noun::{Field, Kind},
};

use super::filter::{Reader, given};
use crate::{
    Error, Result,
    graphql::{
        mutation::input::{Input, list},
        values::read as scalar,
    },
    store::{
        statement::{
            cell::{Cell, Column},
            filter::{Comparison, Predicate},
        },
        writing::attribute_items::{INSTANT, ITEM, NUMBER, VALUE, attribute_item, bounds},
    },
};

/// The operators that apply to the value of the attribute called `name`.
const TYPED: [&str; 4] = ["text", "number", "date", "isNull"];

/// The attribute value as text.
static AS_TEXT: Field = Field::new("text", "value", Kind::Text { max: 0 }, "").searchable();
/// The attribute value as a number.
static AS_NUMBER: Field = Field::new("number", "number", Kind::Float { min: f64::MIN, max: f64::MAX }, "").nullable();
/// The attribute value as an instant.
static AS_DATE: Field = Field::new("date", "instant", Kind::Instant, "").nullable();

/// Returns a condition that is true if some item of a set starts with `prefix`.
pub fn has_prefix(field: &Field, prefix: String) -> Predicate {
    Predicate::HasItem { column: field.column, inside: Box::new(Predicate::has_prefix(ITEM, prefix)) }
}

impl Reader<'_> {
    pub(in crate::graphql) fn attributes(
        &self,
        noun: &'static Noun,
        field: &'static Field,
        input: &Input,
    ) -> Result<Predicate> {
        let sets = input.fields().filter(|(operator, _)| operator.starts_with("has"));
        let sets: Input = sets.map(|(operator, value)| (async_graphql::Name::new(operator), value.clone())).collect();
        for (operator, value) in sets.fields() {
            for item in list(value) {
                let pair = Input::of(operator, item)?;
                self.attribute_access.may_use_attribute(noun, field, pair.text("name")?.unwrap_or_default())?;
            }
        }
        self.look_up(sets.fields().count())?;
        let mut parts = vec![self.tests(noun, field, Column::of(field), &sets)?];
        if let Some(name) = input.get("name") {
            let Cell::Text(name) = scalar("name", given("name", name)?, AS_TEXT.kind, "")? else {
                return Err(nameless());
            };
            self.attribute_access.may_use_attribute(noun, field, &name)?;
            parts.push(self.attribute(noun, field, &name, input)?);
        } else if TYPED.iter().any(|operator| input.get(operator).is_some()) {
            return Err(nameless());
        }
        Ok(Predicate::All(parts))
    }

    /// Returns the condition on the attribute called `name`.
    fn attribute(&self, noun: &'static Noun, field: &Field, name: &str, input: &Input) -> Result<Predicate> {
        let mut inside = Vec::new();
        for operator in TYPED {
            let Some(value) = input.get(operator) else { continue };
            let value = given(operator, value)?;
            match operator {
                "text" => inside.extend(self.texts(noun, name, &Input::of(operator, value)?)?),
                "number" => inside.push(self.read_as(noun, &AS_NUMBER, NUMBER, &Input::of(operator, value)?)?),
                "date" => inside.push(self.read_as(noun, &AS_DATE, INSTANT, &Input::of(operator, value)?)?),
                _ => {}
            }
        }
        let is_absent = input.get("isNull") == Some(&Value::Boolean(true));
        let has = |inside| {
            let (from, to) = bounds(name);
            let test = |comparison| Predicate::Column(ITEM, comparison);
            let named = [test(Comparison::Gte(Cell::Text(from))), test(Comparison::Lt(Cell::Text(to))), inside];
            Predicate::HasItem { column: field.column, inside: Box::new(Predicate::All(named.into())) }
        };
        let mut parts = Vec::new();
        if is_absent {
            self.look_up(1)?;
            parts.push(Predicate::Not(Box::new(has(Predicate::always()))));
        }
        if !is_absent || !inside.is_empty() {
            self.look_up(1)?;
            parts.push(has(Predicate::All(inside)));
        }
        Ok(Predicate::All(parts))
    }

    /// Returns comparisons of the value as text. Comparisons with whole values use the item column (name and value),
    /// which is indexed.
    fn texts(&self, noun: &'static Noun, name: &str, input: &Input) -> Result<Vec<Predicate>> {
        let mut parts = Vec::new();
        for (operator, value) in input.fields() {
            let value = given(operator, value)?;
            let item = |value: &Value| {
                let cell = scalar(operator, value, AS_TEXT.kind, "")?;
                Ok(Cell::Text(attribute_item(name, cell.text().unwrap_or_default())))
            };
            parts.push(match operator {
                "eq" => Predicate::Column(ITEM, Comparison::Eq(item(value)?)),
                "neq" => Predicate::Not(Box::new(Predicate::Column(ITEM, Comparison::Eq(item(value)?)))),
                "in" => {
                    let items = self.bounded(operator, value)?.into_iter().map(item).collect::<Result<_>>()?;
                    Predicate::Column(ITEM, Comparison::In(items))
                }
                _ => {
                    let only = [(async_graphql::Name::new(operator), value.clone())];
                    self.tests(noun, &AS_TEXT, VALUE, &only.into_iter().collect())?
                }
            });
        }
        Ok(parts)
    }

    /// Returns comparisons of the value as a number or an instant. A value that cannot be parsed as such matches none.
    fn read_as(&self, noun: &'static Noun, field: &'static Field, column: Column, input: &Input) -> Result<Predicate> {
        let tests = self.tests(noun, field, column, input)?;
        if input.get("isNull").is_some() {
            return Ok(tests);
        }
        Ok(Predicate::All(vec![Predicate::Not(Box::new(Predicate::Column(column, Comparison::IsNull))), tests]))
    }
}

fn nameless() -> Error {
    Error::BadInput(
        "attributes: text, number, date and isNull need a name, for example {name: \"state\", text: {eq: \"CA\"}}"
            .to_owned(),
    )
}
