//! A document with its variables, as whoever reads the arguments of its fields sees it.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Name, Positioned, QueryEnv, Value, Variables,
    parser::types::{Field, FragmentDefinition, VariableDefinition},
    registry::{MetaInputValue, Registry},
};
use async_graphql_value::Value as Literal;

use super::{coerce, input::Input};
use crate::{Error, Result};

/// A document and its variables.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Its fragments.
    pub fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// The variables it declares.
    pub declared: &'a [Positioned<VariableDefinition>],
    /// Their values.
    pub variables: &'a Variables,
    /// The same, if what is asked may keep them.
    pub kept: Option<&'a Arc<Variables>>,
    /// The types.
    pub registry: &'a Registry,
    /// Whether each value is known to fit the type its variable was declared with, and each variable the places it stands at.
    pub is_proved: bool,
}

impl<'a> Source<'a> {
    /// What async-graphql executes.
    pub fn executed(env: &'a QueryEnv, registry: &'a Registry) -> Self {
        let declared = &env.operation.node.variable_definitions;
        Self { fragments: &env.fragments, declared, variables: &env.variables, kept: None, registry, is_proved: false }
    }

    /// The arguments of a field of the type `parent`, variables put in.
    pub fn arguments(self, parent: &str, field: &Field) -> Result<Input<'static>> {
        let resolved =
            field.arguments.iter().filter_map(|(name, value)| Some((name.node.clone(), self.resolve(&value.node)?)));
        let input: Input<'_> = resolved.collect();
        self.check(parent, field, |name| input.get(name))?;
        Ok(input)
    }

    /// The one argument of a mutation, which may be long.
    pub fn input(self, field: &Field) -> Result<Input<'static>> {
        let written = field.get_argument("input").map(|value| &value.node);
        if let (Some(Literal::Variable(name)), Some(kept)) = (written, self.kept)
            && let Some(input) = Input::variable(kept, name)
        {
            self.check("Mutation", field, |_| kept.get(name))?;
            return Ok(input);
        }
        let arguments = self.arguments("Mutation", field)?;
        Ok(arguments.object("input")?.map(|input| input.to_owned()).unwrap_or_default())
    }

    fn check<'v>(self, parent: &str, field: &Field, value: impl Fn(&str) -> Option<&'v Value>) -> Result<()> {
        let known = self.registry.types.get(parent).and_then(|known| known.field_by_name(&field.name.node));
        let known = known.ok_or_else(|| Error::internal(format!("{parent} has no such field")))?;
        let is_proved = |wanted: &&MetaInputValue| match field.get_argument(&wanted.name).map(|given| &given.node) {
            Some(Literal::Variable(name)) => self.is_proved && self.variables.contains_key(name),
            _ => false,
        };
        coerce::check(self.registry, known.args.values().filter(|wanted| !is_proved(wanted)), value)
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
