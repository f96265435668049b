//! Checks the variables of a request and converts them to their declared types before execution.
//!
//! async-graphql coerces a variable where a field uses it, so a missing one would fail in the middle of an operation.

use async_graphql::{
    ServerError, Value, Variables,
    parser::types::{BaseType, OperationDefinition, Type},
    value,
};

use super::value_check::{Origin, ValueMismatch, coerce};
use crate::graphql::{
    failure::{BAD_USER_INPUT, refuse},
    mutation::input::BY,
    types::schema_index::{Input, SchemaIndex},
};

/// Converts every declared variable to its type. Err if a value does not fit or a required variable is missing.
pub fn read(
    operation: &OperationDefinition,
    variables: &mut Variables,
    schema_index: &SchemaIndex,
) -> Result<(), ServerError> {
    for definition in &operation.variable_definitions {
        let ty = &definition.node.var_type.node;
        let name = &definition.node.name.node;
        let outcome = match variables.get_mut(name) {
            Some(value) => coerce(value, ty, schema_index, Origin::Variable),
            None if ty.nullable || definition.node.default_value.is_some() => Ok(()),
            None => Err(ValueMismatch::new(format!("of type {ty} is required"))),
        };
        outcome
            .map_err(|mismatch| refuse(BAD_USER_INPUT, format!("variable ${name}{mismatch}"), Some(definition.pos)))?;
    }
    Ok(())
}

/// Returns the variables that the pairs of a query string give, by their declared types: a text is what its type can be read
/// from, several pairs of one name are a list, and an input object is JSON. Err if a name is not that of a variable, or is
/// given twice for a variable that is no list.
pub fn from_texts(
    operation: &OperationDefinition,
    texts: &[(String, String)],
    schema_index: &SchemaIndex,
) -> Result<Variables, ServerError> {
    let mut variables = Variables::default();
    for definition in &operation.variable_definitions {
        let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
        let given: Vec<&str> = texts.iter().filter(|(key, _)| key == name.as_str()).map(|(_, text)| &**text).collect();
        let value = match (&ty.base, given.as_slice()) {
            (_, []) => continue,
            (BaseType::List(inner), several) => {
                Value::List(several.iter().map(|text| from_text(text, inner, schema_index)).collect())
            }
            (BaseType::Named(_), [text]) => from_text(text, ty, schema_index),
            (BaseType::Named(_), _) => {
                let message = format!("variable ${name} of type {ty} is given more than once");
                return Err(refuse(BAD_USER_INPUT, message, Some(definition.pos)));
            }
        };
        variables.extend([(name.clone(), value)]);
    }
    let is_declared = |key: &str| operation.variable_definitions.iter().any(|it| it.node.name.node == key);
    if let Some((unknown, _)) = texts.iter().find(|(key, _)| !is_declared(key)) {
        let message = format!("the document has no variable ${unknown}");
        return Err(refuse(BAD_USER_INPUT, message, None));
    }
    Ok(variables)
}

/// Returns the value of a type that a text stands for; the text itself if it stands for none.
fn from_text(text: &str, ty: &Type, schema_index: &SchemaIndex) -> Value {
    let own = Value::String(text.to_owned());
    let fits = |value: &Value| coerce(&mut value.clone(), ty, schema_index, Origin::Variable).is_ok();
    if fits(&own) {
        return own;
    }
    let other = if text.is_empty() { Some(Value::Null) } else { serde_json::from_str(text).ok() };
    other.filter(fits).unwrap_or(own)
}

/// Returns the variables of an operation for validation, without the rows of bulk calls: each row is checked separately
/// and may be invalid.
pub fn without_rows(operation: &OperationDefinition, variables: &Variables, schema_index: &SchemaIndex) -> Variables {
    let declared = operation.variable_definitions.iter().filter_map(|definition| {
        let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
        Some((name.clone(), without(variables.get(name)?, ty, schema_index)))
    });
    let mut left = Variables::default();
    left.extend(declared);
    left
}

fn without(value: &Value, ty: &Type, schema_index: &SchemaIndex) -> Value {
    match (&ty.base, value) {
        (_, Value::Null) => Value::Null,
        (BaseType::List(inner), _) if schema_index.is_row(inner) => Value::List(Vec::new()),
        (BaseType::List(inner), Value::List(items)) => {
            Value::List(items.iter().map(|item| without(item, inner, schema_index)).collect())
        }
        (BaseType::List(inner), single) => without(single, inner, schema_index),
        // The required fields of a row.
        (BaseType::Named(name), _) if schema_index.is_row(ty) => match schema_index.input(name) {
            Some(Input::Object(row)) if row.fields.contains_key(BY) => value!({ "by": { "id": "" } }),
            _ => value!({ "externalId": { "system": "", "id": "" } }),
        },
        (BaseType::Named(name), Value::Object(fields)) => {
            let Some(Input::Object(object)) = schema_index.input(name) else { return value.clone() };
            let left = fields.iter().map(|(name, value)| {
                let ty = object.fields.get(name.as_str());
                (name.clone(), ty.map_or_else(|| value.clone(), |ty| without(value, ty, schema_index)))
            });
            Value::Object(left.collect())
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{Variables, parser::parse_query};
    use serde_json::{Value as Json, json};

    use super::read;
    use crate::graphql::types::schema_index::SchemaIndex;

    const SDL: &str = "
        input By @oneOf { id: ID name: String }
        input Page { first: Int! = 25 size: Int! order: [Order!] by: By ids: [ID!] }
        enum Order { ASC DESC }
        scalar DateTime
        input OrderFilter { eq: Order in: [Order!] }
        input Filter { order: OrderFilter at: DateTime }
        type Query { a: Int }
        schema { query: Query }
    ";

    /// Returns the variables as [`read`] leaves them.
    fn verdict(declared: &str, value: Json) -> Result<Json, String> {
        let document = parse_query(format!("query Q($v: {declared}) {{ a }}")).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let mut variables = Variables::from_json(value);
        read(&operation.node, &mut variables, &SchemaIndex::read(SDL).unwrap()).map_err(|error| error.message)?;
        Ok(serde_json::to_value(variables).unwrap())
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
            ("[Int!]", json!({"v": 7})),
            ("[[Int]]", json!({"v": [[1, null], null]})),
            ("Order", json!({"v": "ASC"})),
            ("DateTime!", json!({"v": "2026-01-01T00:00:00Z"})),
            ("DateTime!", json!({"v": "2026-01-01"})),
            ("Page", json!({"v": {"size": 1, "order": ["ASC"], "by": {"id": "x"}}})),
            ("Int", json!({"v": 1, "other": 2})),
        ] {
            assert_eq!(verdict(declared, value.clone()), Ok(value), "{declared}");
        }
    }

    #[test]
    fn numbers_take_the_form_of_their_type() {
        for (declared, given, used) in [
            ("Int", json!(5.0), json!(5)),
            ("Int", json!(1e3), json!(1_000)),
            ("Int", json!(-0.0), json!(0)),
            ("Int", json!(-2_147_483_648.0), json!(i32::MIN)),
            ("[Int]", json!([1.0, 2, null]), json!([1, 2, null])),
            ("[[Int]]", json!(3.0), json!(3)),
            ("ID", json!(7), json!("7")),
            ("ID", json!(7.0), json!("7")),
            ("ID", json!(9_007_199_254_740_993_i64), json!("9007199254740993")),
            ("ID", json!(u64::MAX), json!("18446744073709551615")),
            ("ID", json!(-1), json!("-1")),
            (
                "Page",
                json!({"size": 5.0, "by": {"id": 7}, "ids": [1, "2"]}),
                json!({"size": 5, "by": {"id": "7"}, "ids": ["1", "2"]}),
            ),
            ("Float", json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_993_i64)),
            ("Float", json!(1e300), json!(1e300)),
        ] {
            assert_eq!(verdict(declared, json!({ "v": given })), Ok(json!({ "v": used })), "{declared}");
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
            ("Int", json!({"v": 3e9})),
            ("Int", json!({"v": 1e300})),
            ("Int", json!({"v": 5e-324})),
            ("ID", json!({"v": 1.5})),
            ("ID", json!({"v": 1e16})),
            ("ID", json!({"v": true})),
            ("String", json!({"v": 1})),
            ("Boolean", json!({"v": 1})),
            ("[Int!]", json!({"v": [1, null]})),
            ("Order", json!({"v": "SIDEWAYS"})),
            ("Order", json!({"v": 1})),
            ("DateTime", json!({"v": 5})),
            ("DateTime", json!({"v": "soon"})),
            ("DateTime", json!({"v": [{"a": {"$serde_json::private::RawValue": "}"}}]})),
            ("Unheard", json!({"v": {"$serde_json::private::RawValue": "}"}})),
            ("Page", json!({"v": "text"})),
            ("Page", json!({"v": {}})),
            ("Page", json!({"v": {"size": 1, "sise": 2}})),
            ("Page", json!({"v": {"size": 1.5}})),
            ("By", json!({"v": {}})),
            ("By", json!({"v": {"id": "a", "name": "b"}})),
            ("By", json!({"v": {"id": null}})),
        ] {
            assert!(verdict(declared, value.clone()).is_err(), "{declared} {value}");
        }
    }

    #[test]
    fn the_refusal_names_the_place_and_what_was_meant_and_never_the_value() {
        let message = verdict("Page", json!({"v": {"size": 1, "order": ["ASC", "secret"]}})).unwrap_err();
        assert!(message.contains("$v.order.1") && !message.contains("secret"), "{message}");
        for (declared, value, meant) in [
            (
                "Filter",
                json!({"order": "ASC"}),
                "variable $v.order must be an input object of type OrderFilter. Did you mean {eq: ASC}?",
            ),
            (
                "Filter",
                json!({"order": "mia"}),
                "variable $v.order must be an input object of type OrderFilter. Did you mean {eq: …}?",
            ),
            (
                "Filter",
                json!({"order": ["ASC"]}),
                "variable $v.order must be an input object of type OrderFilter. Did you mean {in: […]}?",
            ),
            ("Filter", json!({"ordre": 1}), "variable $v.ordre is not a field of Filter. Did you mean \"order\"?"),
            ("[Order!]", json!(["ASC", "DSC"]), "variable $v.1 is not a value of Order. Did you mean ASC or DESC?"),
            ("By", json!("x"), "variable $v must be an input object of type By. Did you mean {id: …}?"),
        ] {
            assert_eq!(verdict(declared, json!({ "v": value })).unwrap_err(), meant);
        }
    }
}
