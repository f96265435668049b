//! Checks the variables of a request against their declarations, before anything executes.
//!
//! async-graphql coerces a variable where a field uses it, so a missing one would fail in the middle of an operation.

use std::fmt;

use async_graphql::{
    Value, Variables,
    parser::types::{BaseType, OperationDefinition, Type},
};

use super::{
    failure::{BAD_USER_INPUT, refuse},
    shape::{Input, InputObject, Shape},
};

/// Refuses unless every declared variable has a value of its type.
pub fn check(
    operation: &OperationDefinition,
    variables: &Variables,
    shape: &Shape,
) -> Result<(), async_graphql::ServerError> {
    for definition in &operation.variable_definitions {
        let ty = &definition.node.var_type.node;
        let name = &definition.node.name.node;
        let outcome = match variables.get(name) {
            Some(value) => fits(value, ty, shape),
            None if ty.nullable || definition.node.default_value.is_some() => Ok(()),
            None => Err(Misfit::new(format!("of type {ty} is required"))),
        };
        outcome.map_err(|misfit| refuse(BAD_USER_INPUT, format!("variable ${name}{misfit}"), Some(definition.pos)))?;
    }
    Ok(())
}

/// Where inside a variable a value is wrong, innermost first, and how. Never the value: it may be personal data.
struct Misfit {
    path: Vec<String>,
    what: String,
}

impl Misfit {
    fn new(what: impl Into<String>) -> Self {
        Self { path: Vec::new(), what: what.into() }
    }

    fn within(mut self, step: &impl ToString) -> Self {
        self.path.push(step.to_string());
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.path.iter().rev() {
            write!(f, ".{step}")?;
        }
        write!(f, " {}", self.what)
    }
}

fn fits(value: &Value, ty: &Type, shape: &Shape) -> Result<(), Misfit> {
    if *value == Value::Null {
        return if ty.nullable { Ok(()) } else { Err(Misfit::new("must not be null")) };
    }
    match (&ty.base, value) {
        (BaseType::List(inner), Value::List(items)) => {
            items.iter().enumerate().try_for_each(|(at, item)| fits(item, inner, shape).map_err(|m| m.within(&at)))
        }
        // A single value stands for a list of one.
        (BaseType::List(inner), _) => fits(value, inner, shape),
        (BaseType::Named(name), _) => fits_named(value, name, shape),
    }
}

fn fits_named(value: &Value, name: &str, shape: &Shape) -> Result<(), Misfit> {
    let fine = match (name, value) {
        ("Int", Value::Number(number)) => number.as_i64().is_some_and(|int| i32::try_from(int).is_ok()),
        ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) => true,
        ("ID", Value::Number(number)) => !number.is_f64(),
        ("Int" | "Float" | "String" | "ID" | "Boolean", _) => false,
        _ => match (shape.input(name), value) {
            // An unknown type is validation's to refuse.
            (None | Some(Input::Scalar), _) => !is_raw(value),
            (Some(Input::Enum(values)), Value::String(text)) => values.contains(text),
            (Some(Input::Object(object)), Value::Object(given)) => return fits_object(given, object, shape),
            (Some(_), _) => false,
        },
    };
    if fine { Ok(()) } else { Err(Misfit::new(format!("is not a value of type {name}"))) }
}

/// async-graphql writes an object of this one key as the JSON its text holds, whatever that is: kept and read again, it
/// could break the answers of others. No literal can have such a key, only a variable.
fn is_raw(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.as_str() == "$serde_json::private::RawValue" || is_raw(value))
        }
        Value::List(items) => items.iter().any(is_raw),
        _ => false,
    }
}

fn fits_object(
    given: &async_graphql::indexmap::IndexMap<async_graphql::Name, Value>,
    object: &InputObject,
    shape: &Shape,
) -> Result<(), Misfit> {
    if object.is_one_of && (given.len() != 1 || given.values().any(|value| *value == Value::Null)) {
        return Err(Misfit::new("must have exactly one field, not null"));
    }
    for (name, value) in given {
        let Some(field) = object.fields.get(name.as_str()) else {
            return Err(Misfit::new("is not a field of that input").within(name));
        };
        fits(value, &field.ty, shape).map_err(|misfit| misfit.within(name))?;
    }
    let missing = object
        .fields
        .iter()
        .filter(|(name, field)| !field.ty.nullable && !field.has_default && !given.contains_key(name.as_str()))
        .map(|(name, _)| name)
        .min();
    missing.map_or(Ok(()), |name| Err(Misfit::new("is required").within(name)))
}

#[cfg(test)]
mod tests {
    use async_graphql::{Variables, parser::parse_query};
    use serde_json::{Value as Json, json};

    use super::check;
    use crate::graphql::shape::Shape;

    const SDL: &str = "
        input By @oneOf { id: ID name: String }
        input Page { first: Int! = 25 size: Int! order: [Order!] by: By }
        enum Order { ASC DESC }
        scalar DateTime
        type Query { a: Int }
        schema { query: Query }
    ";

    fn verdict(declared: &str, value: Json) -> Result<(), String> {
        let document = parse_query(format!("query Q($v: {declared}) {{ a }}")).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let variables = Variables::from_json(value);
        check(&operation.node, &variables, &Shape::read(SDL).unwrap()).map_err(|error| error.message)
    }

    #[test]
    fn values_of_the_declared_type_pass() {
        for (declared, value) in [
            ("Int!", json!({"v": 1})),
            ("Int! = 3", json!({})),
            ("Int", json!({"v": null})),
            ("Int", json!({})),
            ("Float", json!({"v": 1})),
            ("ID!", json!({"v": "x"})),
            ("ID!", json!({"v": 7})),
            ("[Int!]", json!({"v": 7})),
            ("[[Int]]", json!({"v": [[1, null], null]})),
            ("Order", json!({"v": "ASC"})),
            ("DateTime!", json!({"v": "2026-01-01T00:00:00Z"})),
            ("Page", json!({"v": {"size": 1, "order": ["ASC"], "by": {"id": "x"}}})),
            ("Unheard", json!({"v": 1})),
            ("DateTime", json!({"v": [{"a": 1}]})),
            ("Int", json!({"v": 1, "other": 2})),
        ] {
            assert_eq!(verdict(declared, value.clone()), Ok(()), "{declared} {value}");
        }
    }

    #[test]
    fn missing_null_and_ill_typed_values_are_refused() {
        for (declared, value) in [
            ("Int!", json!({})),
            ("Int!", json!({"v": null})),
            ("Int! = 3", json!({"v": null})),
            ("Int", json!({"v": "1"})),
            ("Int", json!({"v": 1.5})),
            ("Int", json!({"v": 3_000_000_000_i64})),
            ("String", json!({"v": 1})),
            ("Boolean", json!({"v": 1})),
            ("[Int!]", json!({"v": [1, null]})),
            ("Order", json!({"v": "SIDEWAYS"})),
            ("Order", json!({"v": 1})),
            ("DateTime", json!({"v": [{"a": {"$serde_json::private::RawValue": "}"}}]})),
            ("Page", json!({"v": "text"})),
            ("Page", json!({"v": {}})),
            ("Page", json!({"v": {"size": 1, "sise": 2}})),
            ("By", json!({"v": {}})),
            ("By", json!({"v": {"id": "a", "name": "b"}})),
            ("By", json!({"v": {"id": null}})),
        ] {
            assert!(verdict(declared, value.clone()).is_err(), "{declared} {value}");
        }
    }

    #[test]
    fn the_refusal_names_the_place_and_never_the_value() {
        let message = verdict("Page", json!({"v": {"size": 1, "order": ["secret"]}})).unwrap_err();
        assert!(message.contains("$v.order.0") && !message.contains("secret"), "{message}");
    }
}
