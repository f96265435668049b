//! Filter conditions on the external ids of a row.

use async_graphql::{Name, Value};
use entity::{
    Noun, Permission,
    noun::{Field, Kind},
};

use super::filter::{Reader, given};
use crate::{
    Error, Result,
    graphql::{mutation::input::Input, values::read},
    store::{
        statement::{
            cell::{Cell, Column},
            filter::Predicate,
        },
        writing::external_ids::{EXTERNAL_ID, SYSTEM},
    },
};

/// The filter field.
pub const EXTERNAL_IDS: &str = "externalIds";

/// How both parts of an external id are compared.
static AS_TEXT: Field = Field::new(EXTERNAL_IDS, "external_id", Kind::Text { max: 0 }, "");

impl Reader<'_> {
    /// Returns the condition on the external ids of a row. `Err` if the caller may not see them.
    pub(in crate::graphql) fn external_ids(&self, noun: &'static Noun, input: &Input) -> Result<Predicate> {
        if entity::personal::guards_external_ids(noun) {
            self.attribute_access.actor.require(Permission::CustomersRead)?;
        }
        let mut parts = Vec::new();
        for (quantifier, value) in input.fields() {
            self.look_up(1)?;
            let inside = self.external_id(noun, &Input::of(quantifier, given(quantifier, value)?)?)?;
            let some = Predicate::HasItem { column: EXTERNAL_ID.name, inside: Box::new(inside) };
            parts.push(if quantifier == "none" { Predicate::Not(Box::new(some)) } else { some });
        }
        Ok(Predicate::All(parts))
    }

    /// Returns the condition on one external id.
    fn external_id(&self, noun: &'static Noun, input: &Input) -> Result<Predicate> {
        let mut parts = Vec::new();
        for (name, value) in input.fields() {
            let column = if name == "system" { SYSTEM } else { EXTERNAL_ID };
            let tests = Input::of(name, given(name, value)?)?;
            for (operator, value) in tests.fields() {
                parts.push(self.external_id_test(noun, column, (operator, given(operator, value)?))?);
            }
        }
        Ok(Predicate::All(parts))
    }

    fn external_id_test(
        &self,
        noun: &'static Noun,
        column: Column,
        (operator, value): (&str, &Value),
    ) -> Result<Predicate> {
        if operator != "startsWith" {
            let only = [(Name::new(operator), value.clone())];
            return self.tests(noun, &AS_TEXT, column, &only.into_iter().collect());
        }
        self.condition()?;
        match read(operator, value, AS_TEXT.kind, "")? {
            Cell::Text(prefix) => Ok(Predicate::has_prefix(column, prefix)),
            _ => Err(Error::BadInput(format!("{operator} must be a text"))),
        }
    }
}
