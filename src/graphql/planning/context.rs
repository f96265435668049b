//! A document with its variables, from which the arguments of fields are read.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{Field, FragmentDefinition, VariableDefinition},
};
use async_graphql_value::Value as Literal;

use super::cache::DocumentPlans;
use crate::{
    Error, Result,
    graphql::{
        documents::value_check::{Origin, coerce},
        execution::subscription::Place,
        mutation::input::Input,
        types::schema_index::{OutputField, SchemaIndex},
    },
};

/// A document and its variables.
#[derive(Clone, Copy)]
pub struct ExecutionContext<'a> {
    /// The fragments of the document.
    pub fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// The variables that the operation declares.
    pub declared: &'a [Positioned<VariableDefinition>],
    /// The values of the variables.
    pub variables: &'a Arc<Variables>,
    /// The index of the schema's types.
    pub schema_index: &'a SchemaIndex,
    /// The cached plans of the document, if it is cached.
    pub plans: Option<&'a DocumentPlans>,
    /// Where the operation is, if it is a subscription.
    pub place: Option<&'a Place>,
}

impl<'a> ExecutionContext<'a> {
    /// Returns the arguments of a field of the type `parent`, with variables substituted.
    ///
    /// async-graphql's validation skips every argument that mentions a variable without a value, including the rest of
    /// that argument, so these arguments are checked here.
    pub fn arguments(self, parent: &str, field: &Field) -> Result<Input<'static>> {
        let known = self.field(parent, field)?;
        let mut given = Vec::with_capacity(field.arguments.len());
        for (name, written) in &field.arguments {
            let name = &name.node;
            let Some(mut value) = self.resolve(&written.node) else { continue };
            if !self.is_read(&written.node) {
                let ty = known.arguments.fields.get(name.as_str());
                let ty = ty.ok_or_else(|| Error::BadInput(format!("{} has no argument {name}", field.name.node)))?;
                coerce(&mut value, ty, self.schema_index, Origin::Both)
                    .map_err(|mismatch| Error::BadInput(format!("{name}{mismatch}")))?;
            }
            given.push((name.clone(), value));
        }
        let input: Input<'_> = given.into_iter().collect();
        require(known, |name| input.get(name).is_some())?;
        Ok(input)
    }

    /// Returns the `input` argument of a mutation. A variable is referenced instead of copied, because it may be large.
    pub fn input(self, field: &Field) -> Result<Input<'static>> {
        let written = field.get_argument("input").map(|value| &value.node);
        if let Some(Literal::Variable(name)) = written
            && let Some(input) = Input::variable(self.variables, name)
        {
            require(self.field("Mutation", field)?, |name| name == "input")?;
            return Ok(input);
        }
        let arguments = self.arguments("Mutation", field)?;
        Ok(arguments.object("input")?.map(|input| input.to_owned()).unwrap_or_default())
    }

    fn field(self, parent: &str, field: &Field) -> Result<&'a OutputField> {
        let known = self.schema_index.output(parent, &field.name.node);
        known.ok_or_else(|| Error::internal(format!("{parent} has no such field")))
    }

    /// Returns whether `written` is a variable with a non-null value. Such a value was coerced to the variable's type,
    /// and validation has checked that this type is allowed here. Null is excluded: a nullable variable with a default
    /// is allowed where null is not.
    fn is_read(self, written: &Literal) -> bool {
        match written {
            Literal::Variable(name) => self.variables.get(name).is_some_and(|value| *value != Value::Null),
            _ => false,
        }
    }

    /// Returns the literal with variables substituted, or `None` if it is a variable without a value or default.
    fn resolve(self, literal: &Literal) -> Option<Value> {
        Some(match literal {
            Literal::Variable(name) => {
                let given = self.variables.get(name).cloned();
                return given.or_else(|| {
                    let definition = self.declared.iter().find(|definition| definition.node.name.node == *name)?;
                    definition.node.default_value.as_ref().map(|value| value.node.clone())
                });
            }
            Literal::List(items) => {
                Value::List(items.iter().map(|item| self.resolve(item).unwrap_or(Value::Null)).collect())
            }
            Literal::Object(fields) => Value::Object(
                fields.iter().filter_map(|(name, value)| Some((name.clone(), self.resolve(value)?))).collect(),
            ),
            constant => constant.clone().into_const().unwrap_or(Value::Null),
        })
    }
}

fn require(field: &OutputField, is_given: impl Fn(&str) -> bool) -> Result<()> {
    let missing = field.arguments.required.iter().find(|name| !is_given(name));
    missing.map_or(Ok(()), |name| Err(Error::BadInput(format!("{name} is required"))))
}
