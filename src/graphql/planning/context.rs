//! A document with its variables, as whoever reads the arguments of its fields sees it.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{Field, FragmentDefinition, VariableDefinition},
};
use async_graphql_value::Value as Literal;

use crate::{
    Error, Result,
    graphql::{
        documents::value_check::{Origin, coerce},
        mutation::input::Input,
        types::schema_index::{OutputField, SchemaIndex},
    },
};

/// A document and its variables.
#[derive(Clone, Copy)]
pub struct ExecutionContext<'a> {
    /// Its fragments.
    pub fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// The variables it declares.
    pub declared: &'a [Positioned<VariableDefinition>],
    /// Their values.
    pub variables: &'a Arc<Variables>,
    /// The types.
    pub shape: &'a SchemaIndex,
}

impl<'a> ExecutionContext<'a> {
    /// The arguments of a field of the type `parent`, variables put in.
    ///
    /// async-graphql's validation passes over every argument that mentions a variable nobody gave, whatever else the
    /// argument contains, so they are checked here.
    pub fn arguments(self, parent: &str, field: &Field) -> Result<Input<'static>> {
        let known = self.field(parent, field)?;
        let mut given = Vec::with_capacity(field.arguments.len());
        for (name, written) in &field.arguments {
            let name = &name.node;
            let Some(mut value) = self.resolve(&written.node) else { continue };
            if !self.is_read(&written.node) {
                let ty = known.arguments.fields.get(name.as_str());
                let ty = ty.ok_or_else(|| Error::BadInput(format!("{} has no argument {name}", field.name.node)))?;
                coerce(&mut value, ty, self.shape, Origin::Both)
                    .map_err(|misfit| Error::BadInput(format!("{name}{misfit}")))?;
            }
            given.push((name.clone(), value));
        }
        let input: Input<'_> = given.into_iter().collect();
        require(known, |name| input.get(name).is_some())?;
        Ok(input)
    }

    /// The one argument of a mutation, which may be long.
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
        let known = self.shape.output(parent, &field.name.node);
        known.ok_or_else(|| Error::internal(format!("{parent} has no such field")))
    }

    /// Whether it is a variable with a value, which was read as one of the variable's type, and validation has seen that
    /// this type may stand here. Null may stand where a default makes it impossible.
    fn is_read(self, written: &Literal) -> bool {
        match written {
            Literal::Variable(name) => self.variables.get(name).is_some_and(|value| *value != Value::Null),
            _ => false,
        }
    }

    /// A literal with its variables put in; `None` if it is a variable nobody gave.
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
